"""Time to give a file to a sandbox that runs: by `vitrine share`, and by a second `vitrine run`.

Whole commands, from the call to the end of the process. The figure beside them is the first window
of xterm without a sandbox (windows.py).
"""

import os
import subprocess
import time

NOTES = {
    "share": "one file, read-only, into a running sandbox",
    "hand-over": "a second run of an application that has one instance, with one file",
}
# The first instance stays, the others end at once.
PROFILE = """[App]
Command=/bin/sh
Argument=-c
Argument=[ -e "$HOME/first" ] || { : >"$HOME/first"; exec sleep 1000; }
Argument=sh
Image=base
SingleInstance=yes

[Files]
Arguments=read-only

[Display]
Backend=none
"""


def timed(words):
    call = time.monotonic_ns()
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return (time.monotonic_ns() - call) / 1e6


def measure(count, scratch, run_vitrine):
    """Milliseconds of each call, by name; each with a file that was not given before."""
    profile = scratch / "single.vitrine"
    profile.write_text(PROFILE, encoding="utf-8")
    os.chmod(profile, 0o644)
    files = [scratch / f"given-{number}" for number in range(2 * count)]
    for file in files:
        file.write_text("content\n", encoding="utf-8")
    samples = {name: [] for name in NOTES}
    name = run_vitrine("run", "--detach", "--profile", str(profile))
    try:
        for _ in range(count):
            samples["share"].append(timed(["vitrine", "share", name, str(files.pop())]))
            samples["hand-over"].append(timed(["vitrine", "run", "--profile", str(profile), str(files.pop())]))
    finally:
        run_vitrine("stop", name)
    return samples
