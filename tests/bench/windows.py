"""Time from the call to the first window on the desktop.

The window manager lists the windows it manages in a property of the root window; xprop tells each
change of it at once, so nothing is polled.
"""

import os
import re
import select
import shutil
import signal
import subprocess
import time

PROPERTY = "_NET_CLIENT_LIST"
PATIENCE_S = 60
PAUSE_S = 0.5
NOTES = {
    "vitrine": "xterm; from nothing: holder, three boxes, X server, xpra",
    "no-sandbox": "xterm on the desktop itself",
}


class NoDesktop(Exception):
    """One sentence: why no window can be measured."""


class Desktop:
    """Follows the list of managed windows."""

    def __enter__(self):
        words = ["xprop", "-root", "-spy", PROPERTY]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.pending = b""
        try:
            self.windows = self.next_list()
        except NoDesktop:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def next_line(self):
        """Waits for one line; read by hand, since select() knows nothing of a buffered file."""
        end = time.monotonic() + PATIENCE_S
        while b"\n" not in self.pending:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            chunk = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not chunk:
                raise NoDesktop(f"the desktop told nothing new for {PATIENCE_S} s")
            self.pending += chunk
        line, _, self.pending = self.pending.partition(b"\n")
        return line.decode()

    def next_list(self):
        line = self.next_line()
        if "window id" not in line:
            raise NoDesktop("no window manager answers on this display")
        return set(re.findall(r"0x[0-9a-f]+", line))

    def await_new(self):
        """Until there is a window more."""
        while True:
            now = self.next_list()
            if now - self.windows:
                return now
            self.windows = now

    def await_only(self, windows):
        while self.windows != windows:
            self.windows = self.next_list()


def measure_one(desktop, words):
    before = desktop.windows
    call = time.monotonic_ns()
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        desktop.windows = desktop.await_new()
        shown = time.monotonic_ns()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    desktop.await_only(before)
    return (shown - call) / 1e6


def measure(count, await_cold):
    """Milliseconds of each call, by name: of xterm in a sandbox of vitrine, and of xterm alone.
    `await_cold` returns when nothing is left of the last sandbox."""
    programs = {"vitrine": ["vitrine", "run", "xterm"], "no-sandbox": ["xterm"]}
    programs = {name: words for name, words in programs.items() if shutil.which(words[0])}
    if not os.environ.get("DISPLAY"):
        raise NoDesktop("DISPLAY is not set: run it in a desktop session")
    samples = {name: [] for name in programs}
    with Desktop() as desktop:
        for _ in range(count):
            for name, words in programs.items():
                await_cold()
                time.sleep(PAUSE_S)
                samples[name].append(measure_one(desktop, words))
    return samples
