#!/usr/bin/env python3
"""Makes and measures tones, as raw s16le, two channels, 44100 Hz.

tone.py play FREQUENCY SECONDS [LEVEL]    writes a sine to stdout; LEVEL is its peak in dBFS (-6)
tone.py hear FREQUENCY...                 reads stdin to its end and prints a line for each
                                          FREQUENCY, "Hz dBFS", then "strongest Hz dBFS",
                                          or "strongest none" in silence
"""

import array
import math
import sys

RATE = 44100
CHANNELS = 2
DECIMATION = 8          # for listening: tones below 2 kHz are enough, and Python is slow
SLOW_RATE = RATE / DECIMATION
WINDOW = int(SLOW_RATE / 2)
WINDOWS = 4             # listened to
SILENCE = -80.0         # dBFS


def play(frequency, seconds, level=-6.0):
    peak = 32767 * 10 ** (level / 20)
    block = array.array("h")
    for i in range(int(RATE * seconds)):
        block.extend([round(peak * math.sin(2 * math.pi * frequency * i / RATE))] * CHANNELS)
        if len(block) >= 8192:
            sys.stdout.buffer.write(block.tobytes())
            block = array.array("h")
    sys.stdout.buffer.write(block.tobytes())
    sys.stdout.buffer.flush()


def read_mono():
    data = sys.stdin.buffer.read()
    samples = array.array("h", data[: len(data) // 4 * 4])
    step = DECIMATION * CHANNELS
    return [sum(samples[i:i + step]) / step for i in range(0, len(samples) - step + 1, step)]


def decibel(amplitude):
    return max(SILENCE - 20, 20 * math.log10(max(amplitude, 1e-9) / 32767))


def goertzel(window, frequency):
    """The amplitude of one frequency in the window, under a Hann curve."""
    coefficient = 2 * math.cos(2 * math.pi * frequency / SLOW_RATE)
    n = len(window)
    before = last = 0.0
    for i, sample in enumerate(window):
        hann = 0.5 - 0.5 * math.cos(2 * math.pi * i / n)
        before, last = last, sample * hann + coefficient * last - before
    power = max(0.0, last * last + before * before - coefficient * last * before)
    # The mean of eight samples dims high tones a little: undo that.
    x = math.pi * frequency / RATE
    droop = math.sin(DECIMATION * x) / (DECIMATION * math.sin(x))
    return math.sqrt(power) * 4 / n / droop


def loudest(samples):
    """The half seconds with most energy, best first: what comes before and after a tone does not
    count, and where samples were lost in one of them, another is whole."""
    starts = range(0, len(samples) - WINDOW + 1, WINDOW // 2)
    windows = sorted((samples[i:i + WINDOW] for i in starts), key=energy, reverse=True)
    return windows[:WINDOWS] or [[0.0] * WINDOW]


def energy(window):
    return sum(s * s for s in window)


def level(windows, frequency):
    return decibel(max(goertzel(w, frequency) for w in windows))


def strongest(windows):
    coarse = max(range(40, 2000, 2), key=lambda f: goertzel(windows[0], f))
    return max((coarse + d / 4 for d in range(-16, 17)), key=lambda f: level(windows, f))


def hear(*frequencies):
    windows = loudest(read_mono())
    for frequency in frequencies:
        print(f"{frequency:g} {level(windows, frequency):.1f}")
    if decibel(max(map(abs, windows[0]))) < SILENCE:
        print("strongest none")
    else:
        frequency = strongest(windows)
        print(f"strongest {frequency:.1f} {level(windows, frequency):.1f}")


def main():
    verbs = {"play": play, "hear": hear}
    if len(sys.argv) < 3 or sys.argv[1] not in verbs:
        sys.exit(__doc__)
    verbs[sys.argv[1]](*map(float, sys.argv[2:]))


main()
