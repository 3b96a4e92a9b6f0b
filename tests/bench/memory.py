"""Memory of one idle sandbox: the proportional set size (PSS) of each of its processes.

A page that several processes share counts for each by its share, so the sum is what the sandbox
costs. The user may read it for processes of other ids as well: they live in a user namespace that
the user owns.
"""

import os
import pathlib
import re
import signal
import subprocess
import time

PATIENCE_S = 20
SETTLE_S = 1


def children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(child) for child in task.read_text().split()]
    return found


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def name_of(pid):
    return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()


def pss_kib(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    except PermissionError:  # it hides its memory from its user too: not less than its share
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE).group(1))
    return int(re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE).group(1))


def user_namespace(pid):
    return os.stat(f"/proc/{pid}/ns/user").st_ino


def find_holder(monitor):
    """The process that made the user namespace of the monitor: the oldest one in it."""
    wanted = user_namespace(monitor)
    for entry in sorted((int(p.name) for p in pathlib.Path("/proc").glob("[0-9]*"))):
        try:
            if name_of(entry).startswith("vitrine-holder") and user_namespace(entry) == wanted:
                return entry
        except OSError:
            continue
    raise RuntimeError("found no session holder")


def await_application(supervisor, name):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        for pid in descendants(supervisor):
            if name_of(pid) == name:
                return pid
        time.sleep(0.05)
    raise RuntimeError(f"the idle sandbox did not start '{name}'")


def measure_idle(profile, application="sleep"):
    """Of a sandbox without display whose application sleeps: KiB of each part but the application."""
    supervisor = subprocess.Popen(
        ["vitrine", "run", "--profile", str(profile)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        asleep = await_application(supervisor.pid, application)
        time.sleep(SETTLE_S)
        parts = {"supervisor": pss_kib(supervisor.pid)}
        for pid in descendants(supervisor.pid):
            if name_of(pid) == "vitrine-monitor":
                parts["holder"] = pss_kib(find_holder(pid))
            if pid != asleep:
                part = name_of(pid).removeprefix("vitrine-")
                parts[part] = parts.get(part, 0) + pss_kib(pid)
    finally:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait()
    return {"idle_kib": sum(parts.values()), "parts_kib": parts}
