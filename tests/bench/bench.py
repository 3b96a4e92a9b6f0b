#!/usr/bin/env python3
"""make bench: how long a sandbox takes to start and to end, and what it costs, beside its peers;
and how fast files are that it was given.

Prints a table and writes bench.json; README.md says what each figure means. Runs as the ordinary
user who sits at the desktop. Started by root (with --user), it leaves to that user everything but
the tools that need root.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import files
import filters
import images
import memory
import peers
import profiles
import sharing
import windows

HERE = pathlib.Path(__file__).resolve().parent
QUIET_S = 0.05  # between two measurements: what the last tool left to the kernel is done by then
QUIET_SHARE = 0.85  # of this time all processors together must have been idle
QUIET_PATIENCE_S = 2
HOLDER_PATIENCE_S = 10
IDLE_PROFILE = "idle.vitrine"


class Failed(Exception):
    """One plain sentence for the user."""


class Stopwatch:
    """The process that calls the tools and reads the clock (stopwatch.c)."""

    def __init__(self, words, log):
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)

    def measure(self, tool):
        """Milliseconds from the call to the first instruction and to the end, and the exit code."""
        words = [str(tool.filter or "-"), *tool.words, ""]
        self.process.stdin.write("".join(f"{word}\0" for word in words).encode())
        self.process.stdin.flush()
        call, end, stamp, code = map(int, self.process.stdout.readline().split())
        return (stamp - call) / 1e6 if stamp else None, (end - call) / 1e6, code


def start_root_stopwatch(programs, log):
    """Returns None where root is out of reach."""
    words = [str(programs / "stopwatch")]
    if os.geteuid() == 0:
        return Stopwatch(words, log)
    if shutil.which("sudo") and not subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode:
        return Stopwatch(["sudo", "-n", *words], log)
    return None


def become(name):
    """Gives up root for good; everything below runs as the ordinary user."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        raise Failed(f"there is no user '{name}'") from None
    os.initgroups(user.pw_name, user.pw_gid)
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    os.environ.update(HOME=user.pw_dir, USER=user.pw_name, LOGNAME=user.pw_name)
    os.environ.setdefault("XDG_RUNTIME_DIR", f"/run/user/{user.pw_uid}")
    os.chdir("/")


def run_vitrine(*words):
    done = subprocess.run(["vitrine", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Failed(f"'vitrine {' '.join(words)}' failed: {done.stderr.strip()}")
    return done.stdout.strip()


def await_no_holder():
    """Until the session holder of the last sandbox has ended."""
    socket = pathlib.Path(os.environ["XDG_RUNTIME_DIR"], "vitrine/holder")
    end = time.monotonic() + HOLDER_PATIENCE_S
    while socket.exists():
        if time.monotonic() > end:
            raise Failed("a session holder runs although no sandbox does")
        time.sleep(0.002)


@contextlib.contextmanager
def idle_sandbox(wanted, scratch):
    """Another sandbox, so that the session holder is there already."""
    if not wanted:
        yield
        return
    name = run_vitrine("run", "--detach", "--profile", str(scratch / IDLE_PROFILE))
    try:
        yield
    finally:
        run_vitrine("stop", name)
        await_no_holder()


def read_processor_times():
    """Idle ticks and all ticks since the machine was started."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def await_quiet():
    """Until nothing else keeps the processors busy. False when that takes too long."""
    end = time.monotonic() + QUIET_PATIENCE_S
    while time.monotonic() < end:
        idle, ticks = read_processor_times()
        time.sleep(QUIET_S)
        later_idle, later_ticks = read_processor_times()
        if later_idle - idle >= QUIET_SHARE * (later_ticks - ticks):
            return True
    return False


def last_line(log):
    lines = pathlib.Path(log.name).read_text(errors="replace").splitlines()
    return lines[-1] if lines else "it said nothing"


def trial(tools, watches, scratch, log):
    """One unmeasured call of each tool; returns those that work, and why the others do not."""
    working, missing = [], {}
    for tool in tools:
        log.truncate(0)
        if not shutil.which(tool.program):
            missing[tool.name] = "not installed"
        elif not watches[tool.root]:
            missing[tool.name] = "needs root"
        else:
            try:
                with idle_sandbox(tool.warm, scratch):
                    start, _, code = watches[tool.root].measure(tool)
                if start is None or code:
                    missing[tool.name] = f"exit code {code}: {last_line(log)}"
            except Failed as failure:
                missing[tool.name] = str(failure)
        if tool.name not in missing:
            working.append(tool)
    return working, missing


def measure_starts(tools, watches, scratch, rounds):
    """All tools in turn, round by round, so that what else the machine does meets all of them."""
    starts = {tool.name: [] for tool in tools}
    ends = {tool.name: [] for tool in tools}
    busy = 0
    for _ in range(rounds):
        for tool in tools:
            with idle_sandbox(tool.warm, scratch):
                busy += not await_quiet()
                start, end, code = watches[tool.root].measure(tool)
            if start is None or code:
                raise Failed(f"{tool.name} worked at first and then failed with exit code {code}")
            starts[tool.name].append(start)
            ends[tool.name].append(end)
    return starts, ends, busy


def statistics(samples):
    ordered = sorted(samples)

    def at(share):
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)

    return {"n": len(ordered), "min_ms": at(0), "median_ms": at(0.5), "p90_ms": at(0.9)}


def print_table(result):
    notes = result["notes"]
    print(f"{'':22} {'n':>4} {'min ms':>9} {'median ms':>10} {'p90 ms':>9}  note")
    for figure, title in (
        ("start", "from the call to the first instruction"),
        ("gone", "from the call to nothing left"),
        ("window", "from the call to the first window on the desktop"),
        ("sharing", "from the call until the file is there"),
        ("profiles", "from the call to the end"),
    ):
        rows = result.get(figure, {})
        if rows:
            print(f"{title}:")
        for name, row in sorted(rows.items(), key=lambda item: item[1]["median_ms"]):
            numbers = f"{row['min_ms']:9.2f} {row['median_ms']:10.2f} {row['p90_ms']:9.2f}"
            print(f"  {name:20} {row['n']:4} {numbers}  {notes[figure].get(name, '')}")
    if "memory" in result:
        print("memory of one idle sandbox without display, without its application:")
        for name, size in result["memory"]["vitrine"]["parts_kib"].items():
            print(f"  {name:20} {size:8} KiB")
        print(f"  {'together':20} {result['memory']['vitrine']['idle_kib']:8} KiB")
    if result.get("files"):
        files.print_table({"figures": result["files"]})
    if result.get("images"):
        images.print_table(result["images"])
    print(f"measured while something else kept the machine busy: {result['measured_while_busy']} starts")
    for name, why in result["not_run"].items():
        print(f"not run: {name}: {why}")


def host_facts():
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "kernel": platform.release(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


def check_alone():
    if shutil.which("vitrine") and json.loads(run_vitrine("ps", "--json")):
        raise Failed("sandboxes are running ('vitrine ps'): stop them first, they would be measured too")


def find_image():
    """The lowest layer of the image, which the peers get as a plain directory."""
    layer = json.loads(run_vitrine("image", "show", "--json", "base"))["layers"][0]["sha256"]
    return pathlib.Path(os.environ["HOME"], ".local/share/vitrine/images/layers", layer, "root")


def bench(options, scratch, root_watch, log):
    place = peers.Place(
        image=find_image(),
        scratch=scratch,
        stamp=scratch / "stamp",
        bpf=filters.first_program(scratch / "filter.bpf"),
    )
    watches = {False: Stopwatch([str(scratch / "stopwatch")], log), True: root_watch}
    check_alone()
    tools, not_run = trial(peers.all_tools(place), watches, scratch, log)
    starts, ends, busy = measure_starts(tools, watches, scratch, options.rounds)
    result = {
        "host": host_facts(),
        "measured_while_busy": busy,
        "start": {name: statistics(samples) for name, samples in starts.items()},
        "gone": {name: statistics(samples) for name, samples in ends.items()},
        "notes": {
            "start": {tool.name: tool.note for tool in tools},
            "gone": {tool.name: tool.note for tool in tools},
            "profiles": profiles.NOTES,
            "window": windows.NOTES,
            "sharing": sharing.NOTES,
        },
        "not_run": not_run,
    }
    if "vitrine" in starts:
        result["memory"] = {"vitrine": memory.measure_idle(scratch / IDLE_PROFILE)}
        await_no_holder()
        samples = sharing.measure(options.rounds, scratch, run_vitrine)
        result["sharing"] = {name: statistics(times) for name, times in samples.items()}
        await_no_holder()
        samples, result["number_of_profiles"] = profiles.measure(options.rounds)
        result["profiles"] = {name: statistics(times) for name, times in samples.items()}
    if options.files:
        measured = files.measure_all(
            options.files, files.Place(options.gate_mount, scratch / files.HERE.name)
        )
        result["files"] = measured["figures"]
        not_run.update(measured["not_run"])
    if options.images:
        try:
            result["images"] = images.measure("base", options.images, images.TEMPLATES)
        except images.Failed as reason:
            not_run["images"] = str(reason)
    if options.windows:
        try:
            samples = windows.measure(options.windows, await_no_holder)
            result["window"] = {name: statistics(times) for name, times in samples.items()}
        except windows.NoDesktop as reason:
            not_run["window"] = str(reason)
    return result


def parse_options():
    parser = argparse.ArgumentParser(description="Measures vitrine beside its peers.")
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="where stamp and stopwatch were built")
    parser.add_argument("--output", type=pathlib.Path, default="bench.json")
    parser.add_argument("--rounds", type=int, default=40, help="measurements of each start")
    parser.add_argument("--windows", type=int, default=20, help="measurements of the first window")
    parser.add_argument("--files", type=int, default=7, help="measurements of each figure of files")
    parser.add_argument("--images", type=int, default=1, help="builds of the base in each way; each takes minutes")
    parser.add_argument(
        "--gate-mount", type=pathlib.Path, default=files.BUILT, help="the program that runs a gate alone"
    )
    parser.add_argument("--user", default=os.environ.get("SUDO_USER"), help="started by root: the ordinary user")
    options = parser.parse_args()
    options.programs = options.programs.resolve()
    options.gate_mount = options.gate_mount.resolve()
    return options


def fill_scratch(scratch, options):
    """Whatever the user runs lies here: the build may be below a directory nobody may enter."""
    scratch.chmod(0o755)
    programs = options.programs
    for file in (programs / "stamp", programs / "stopwatch", HERE / IDLE_PROFILE, files.HERE):
        shutil.copy(file, scratch)
    if options.gate_mount.exists():
        options.gate_mount = pathlib.Path(shutil.copy(options.gate_mount, scratch))


def hand_over(scratch, user):
    for path in (scratch, *scratch.iterdir()):
        shutil.chown(path, user)


def run(options):
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="vitrine-bench-"))
    try:
        fill_scratch(scratch, options)
        with (
            open(options.output, "w", encoding="utf-8") as output,
            open(scratch / "log", "w+", encoding="utf-8") as log,
        ):
            root_watch = start_root_stopwatch(options.programs, log)
            if os.geteuid() == 0:
                hand_over(scratch, options.user)
                become(options.user)
            result = bench(options, scratch, root_watch, log)
            json.dump(result, output, indent=2)
            output.write("\n")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print_table(result)


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if os.geteuid() == 0 and not options.user:
            raise Failed("started by root: name the ordinary user with --user")
        run(options)
    except Failed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
