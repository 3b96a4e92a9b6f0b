#!/usr/bin/env python3
"""How fast files are that come through the gate, beside bindfs and the directory itself.

Part of `make bench` (README.md says what each figure means); by itself it does the same for files
alone. Runs as an ordinary user. What is measured runs in a process of its own, once for each column
and round, on a fresh mount.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve()
BUILT = pathlib.Path("tests/live/programs/gate-mount")
CHUNK = 1 << 20
BIG_BYTES = 300 << 20
SMALL_BYTES = 4096
SMALL_OPENS = 3000
TREE_FILES = 10000
TREE_DIRECTORIES = 100
MOUNT_PATIENCE_S = 10
FIGURES = {  # name: (what the table says, MiB of it or None)
    "read_cold": ("first read, nothing cached", BIG_BYTES >> 20),
    "read_first": ("first read, cached outside", BIG_BYTES >> 20),
    "read_cached": ("second read", BIG_BYTES >> 20),
    "write": ("write", BIG_BYTES >> 20),
    "open_read_close": ("open, read and close 4 KiB", None),
    "git_status": ("git status, 10000 files", None),
}
COLUMNS = ("native", "gate", "bindfs")


class Failed(Exception):
    """One plain sentence for the user."""


@dataclasses.dataclass
class Place:
    """Where things lie that the user can reach."""

    gate_mount: pathlib.Path
    script: pathlib.Path = HERE  # this file
    directory: str | None = None  # for the trees


# --- the worker: what is measured ------------------------------------------------------------------


def drop_cache(file):
    """Clean pages only: whoever wrote the file has synced it."""
    descriptor = os.open(file, os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def read_through(file):
    """Milliseconds to read all of it."""
    buffer = [bytearray(CHUNK)]
    begin = time.perf_counter_ns()
    descriptor = os.open(file, os.O_RDONLY)
    size = 0
    while count := os.readv(descriptor, buffer):
        size += count
    os.close(descriptor)
    took = time.perf_counter_ns() - begin
    if size != BIG_BYTES:
        raise Failed(f"read {size} bytes of {BIG_BYTES}")
    return took / 1e6


def write_through(file):
    data = memoryview(os.urandom(CHUNK))
    os.sync()
    begin = time.perf_counter_ns()
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    for _ in range(BIG_BYTES // CHUNK):
        rest = data
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    os.close(descriptor)
    took = time.perf_counter_ns() - begin
    os.unlink(file)
    return took / 1e6


def open_read_close(file):
    """Milliseconds of one, the median."""
    samples = []
    for _ in range(SMALL_OPENS):
        begin = time.perf_counter_ns()
        descriptor = os.open(file, os.O_RDONLY)
        data = os.read(descriptor, SMALL_BYTES)
        os.close(descriptor)
        samples.append(time.perf_counter_ns() - begin)
        if len(data) != SMALL_BYTES:
            raise Failed("a small file is not whole")
    return statistics.median(samples) / 1e6


def git_status(tree):
    """The second one: the first learns the numbers of all files and writes that down."""
    words = ["git", "-c", "core.fsmonitor=false", "-C", str(tree), "status", "--porcelain"]
    for _ in range(2):
        begin = time.perf_counter_ns()
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        took = time.perf_counter_ns() - begin
        if done.returncode or done.stdout:
            raise Failed(f"git status: {done.stderr or done.stdout}")
    return took / 1e6


def work(inside, outside):
    """All figures of one mount, where `inside` shows `outside`."""
    drop_cache(outside / "big")
    result = {"read_cold": read_through(inside / "big")}
    drop_cache(outside / "big")
    drop_cache(inside / "big")
    read_through(outside / "big")
    if inside != outside:
        drop_cache(inside / "big")
        result["read_first"] = read_through(inside / "big")
    result["read_cached"] = read_through(inside / "big")
    result.setdefault("read_first", result["read_cached"])
    result["write"] = write_through(inside / "written")
    result["open_read_close"] = open_read_close(inside / "small")
    result["git_status"] = git_status(inside / "repository")
    return result


# --- the columns -----------------------------------------------------------------------------------


def run_worker(words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout or "it said nothing").strip().splitlines()
        raise Failed(f"exit code {done.returncode}: {lines[-1]}")
    return json.loads(done.stdout)


def worker(place, inside, outside):
    return [sys.executable, "-B", str(place.script), "--worker", str(inside), str(outside)]


def run_native(tree, place):
    return run_worker(worker(place, tree, tree))


def run_gate(tree, place):
    if not place.gate_mount.exists():
        raise Failed(f"there is no {place.gate_mount}: 'make {BUILT}' builds it")
    with tempfile.TemporaryDirectory(prefix="vitrine-bench-gate-") as mountpoint:
        inside = pathlib.Path(mountpoint, "trees/0")
        words = [str(place.gate_mount), "--tree", f"{tree}:rw", mountpoint, "--"]
        return run_worker(words + worker(place, inside, tree))


def await_mount(process, mountpoint):
    end = time.monotonic() + MOUNT_PATIENCE_S
    while not os.path.ismount(mountpoint):
        if process.poll() is not None or time.monotonic() > end:
            raise Failed("bindfs did not mount")
        time.sleep(0.01)


def run_bindfs(tree, place):
    if not shutil.which("bindfs"):
        raise Failed("not installed")
    with tempfile.TemporaryDirectory(prefix="vitrine-bench-bindfs-") as mountpoint:
        words = ["bindfs", "-f", "--no-allow-other", str(tree), mountpoint]
        with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
            try:
                await_mount(process, mountpoint)
                return run_worker(worker(place, mountpoint, tree))
            finally:
                subprocess.run(["fusermount3", "-u", mountpoint], stderr=subprocess.DEVNULL, check=False)
                process.wait()


RUNNERS = {"native": run_native, "gate": run_gate, "bindfs": run_bindfs}


# --- the trees -------------------------------------------------------------------------------------


def git(tree, *words):
    settings = ["-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "gc.auto=0"]
    done = subprocess.run(
        ["git", *settings, "-C", str(tree), *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"git {words[0]}: {done.stderr.strip()}")


def make_repository(tree):
    for directory in range(TREE_DIRECTORIES):
        below = tree / f"directory-{directory}"
        below.mkdir(parents=True)
        for file in range(TREE_FILES // TREE_DIRECTORIES):
            (below / f"file-{file}").write_text(f"{directory} {file}\n" * 20, encoding="ascii")
    git(tree, "init", "--quiet")
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--message", "bench")


def make_tree(tree):
    if not shutil.which("git"):
        raise Failed("git is not installed")
    with open(tree / "big", "wb") as file:
        for _ in range(BIG_BYTES // CHUNK):
            file.write(os.urandom(CHUNK))
    (tree / "small").write_bytes(os.urandom(SMALL_BYTES))
    make_repository(tree / "repository")
    os.sync()


# --- all of it -------------------------------------------------------------------------------------


def measure(rounds, place):
    """All columns in turn, round by round; returns samples and why columns are missing."""
    samples = {column: {} for column in COLUMNS}
    missing = {}
    with tempfile.TemporaryDirectory(prefix="vitrine-bench-files-", dir=place.directory) as name:
        tree = pathlib.Path(name)
        make_tree(tree)
        for number in range(rounds + 1):
            for column in COLUMNS:
                if column in missing:
                    continue
                try:
                    figures = RUNNERS[column](tree, place)
                except (Failed, OSError) as failure:
                    if number:
                        raise Failed(f"{column} worked at first and then failed: {failure}") from None
                    missing[column] = str(failure)
                    continue
                for figure, took in figures.items() if number else ():  # the first is not counted
                    samples[column].setdefault(figure, []).append(took)
    return samples, missing


def ratio(medians, figure, column):
    if "gate" not in medians or column not in medians:
        return None
    return round(medians["gate"][figure] / medians[column][figure], 3)


def summarize(samples, missing):
    medians = {
        column: {figure: statistics.median(times) for figure, times in figures.items()}
        for column, figures in samples.items()
        if figures
    }
    result = {"figures": {}, "not_run": {f"files: {name}": why for name, why in missing.items()}}
    for figure in FIGURES:
        row = {
            column: {
                "n": len(samples[column][figure]),
                "min_ms": round(min(samples[column][figure]), 4),
                "median_ms": round(medians[column][figure], 4),
            }
            for column in medians
        }
        row["gate_to_bindfs"] = ratio(medians, figure, "bindfs")
        row["gate_to_native"] = ratio(medians, figure, "native")
        result["figures"][figure] = row
    return result


def measure_all(rounds, place):
    """What bench.json has of files; where nothing can be measured, why not."""
    try:
        return summarize(*measure(rounds, place))
    except Failed as failure:
        return {"figures": {}, "not_run": {"files": str(failure)}}


def show_time(row, column, mebibytes):
    if column not in row:
        return f"{'-':>24}"
    took = row[column]["median_ms"]
    speed = f"({mebibytes / took * 1000 / 1024:5.2f} GiB/s)" if mebibytes else ""
    return f"{took:10.4f}{speed:>14}" if mebibytes else f"{took:24.4f}"


def show_ratio(value):
    return f"{value:12.2f}" if value is not None else f"{'-':>12}"


def print_table(result):
    print(f"{'files, medians in ms:':28}" + "".join(f"{column:>24}" for column in COLUMNS), end="")
    print(f"{'gate/bindfs':>12}{'gate/native':>12}")
    for figure, row in result["figures"].items():
        title, mebibytes = FIGURES[figure]
        times = "".join(show_time(row, column, mebibytes) for column in COLUMNS)
        ratios = show_ratio(row["gate_to_bindfs"]) + show_ratio(row["gate_to_native"])
        print(f"  {title:26}{times}{ratios}")


def parse_options():
    parser = argparse.ArgumentParser(description="Measures files through the gate beside bindfs.")
    parser.add_argument("--rounds", type=int, default=7, help="measurements of each figure (default 7)")
    parser.add_argument("--output", type=pathlib.Path, help="also write the figures there, as JSON")
    parser.add_argument("--worker", nargs=2, type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--gate-mount", type=pathlib.Path, default=BUILT, help=f"the program (default {BUILT})")
    parser.add_argument("--directory", help="where the trees are made (default: for temporary files)")
    options = parser.parse_args()
    options.gate_mount = options.gate_mount.resolve()
    return options


def main():
    options = parse_options()
    try:
        if options.worker:
            json.dump(work(*options.worker), sys.stdout)
            return 0
        place = Place(options.gate_mount, directory=options.directory)
        result = summarize(*measure(options.rounds, place))
    except Failed as failure:
        print(f"files: {failure}", file=sys.stderr)
        return 1
    if options.output:
        options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print_table(result)
    for name, why in result["not_run"].items():
        print(f"not run: {name}: {why}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
