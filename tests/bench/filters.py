"""vitrine's own filter in the forms that peers take: the first compiled program (src/emit/filter.h),
raw, or its allow-list as text."""

import pathlib
import shutil
import struct

INSTRUCTION_BYTES = 8  # struct sock_filter
NAME = "libexec/vitrine/gui.bpf"
POLICY = "share/vitrine/seccomp-policies/gui.policy"


def find(name=NAME):
    program = shutil.which("vitrine")
    if not program:
        return None
    file = pathlib.Path(program).resolve().parent.parent / name
    return file if file.exists() else None


def lxc_policy(target):
    """Writes the allow-list of vitrine's policy in LXC's own format to `target` and returns that;
    None where vitrine is not installed."""
    file = find(POLICY)
    if not file:
        return None
    rules = (line.split() for line in file.read_text(encoding="utf-8").splitlines())
    names = [words[1] for words in rules if words[:1] == ["allow"]]
    target.write_text("\n".join(["2", "allowlist errno 38", "[all]", *names, ""]), encoding="utf-8")
    return target


def first_program(target):
    """Writes it to `target` and returns that; None where vitrine is not installed."""
    file = find()
    if not file:
        return None
    data = file.read_bytes()
    _, instructions = struct.unpack_from("=II", data)
    target.write_bytes(data[8 : 8 + instructions * INSTRUCTION_BYTES])
    return target
