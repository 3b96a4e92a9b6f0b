"""Takes the first program out of a file of compiled seccomp programs (src/emit/filter.h), for peers
that want it raw."""

import pathlib
import shutil
import struct

INSTRUCTION_BYTES = 8  # struct sock_filter
NAME = "libexec/vitrine/gui.bpf"


def find():
    program = shutil.which("vitrine")
    if not program:
        return None
    file = pathlib.Path(program).resolve().parent.parent / NAME
    return file if file.exists() else None


def first_program(target):
    """Writes it to `target` and returns that; None where vitrine is not installed."""
    file = find()
    if not file:
        return None
    data = file.read_bytes()
    _, instructions = struct.unpack_from("=II", data)
    target.write_bytes(data[8 : 8 + instructions * INSTRUCTION_BYTES])
    return target
