"""The tools that the benchmark compares, each as one row: how it is called, and what it needs.

Every row starts the same program (stamp) on the same base image, with namespaces of its own for
users (where the tool runs without root), mounts, processes, network, IPC and host name. Where a tool
can be told to do less or more, README.md says what was chosen and why.
"""

import dataclasses
import os
import pathlib

import filters

SECCOMP_FD = 9  # FILTER_FD of stopwatch.c

LXC_CONFIG = """\
lxc.idmap = u 0 {first_uid} 65536
lxc.idmap = g 0 {first_gid} 65536
lxc.rootfs.path = dir:{image}
lxc.uts.name = bench
lxc.net.0.type = empty
lxc.net.0.flags = up
lxc.mount.auto = proc:mixed sys:ro
lxc.mount.entry = tmpfs tmp tmpfs nosuid,nodev,mode=1777 0 0
lxc.mount.entry = {stamp} tmp/stamp none bind,ro,create=file 0 0
lxc.autodev = 1
lxc.tty.max = 0
lxc.pty.max = 16
lxc.console.path = none
lxc.no_new_privs = 1
lxc.cap.keep = none
lxc.init.cmd = /tmp/stamp
"""
LXC_SECCOMP = "lxc.seccomp.profile = {policy}\n"
LXC_SHORT_POLICY = "/usr/share/lxc/config/common.seccomp"


@dataclasses.dataclass
class Place:
    """What the rows need to know of this run."""

    image: pathlib.Path  # the root directory of the base image
    scratch: pathlib.Path  # of this run; everybody may pass through it
    stamp: pathlib.Path
    bpf: pathlib.Path | None  # a raw seccomp program, of the kind that vitrine loads


@dataclasses.dataclass
class Tool:
    name: str
    words: list[str]
    root: bool = False
    filter: pathlib.Path | None = None
    warm: bool = False  # another sandbox of vitrine runs meanwhile
    note: str = ""

    @property
    def program(self):
        return self.words[0]


def first_sub_id(file, user):
    """The first number of the first range of 65536 ids in /etc/subuid or /etc/subgid."""
    for line in pathlib.Path(file).read_text(encoding="utf-8").splitlines():
        owner, first, count = line.split(":")
        if owner in user and int(count) >= 65536:
            return int(first)
    raise LookupError(f"no range of sub-ids in {file}")


def write_lxc_configs(place):
    """Configurations for lxc-execute and lxc-copy. The latter wants a container that is called as a
    part of its image's path."""
    import pwd

    me = pwd.getpwuid(os.getuid())
    config = LXC_CONFIG.format(
        first_uid=first_sub_id("/etc/subuid", (me.pw_name, str(me.pw_uid))),
        first_gid=first_sub_id("/etc/subgid", (me.pw_name, str(me.pw_uid))),
        image=place.image,
        stamp=place.stamp,
    )
    policy = filters.lxc_policy(place.scratch / "lxc-policy") or LXC_SHORT_POLICY
    for name, text in (
        ("execute", config + LXC_SECCOMP.format(policy=policy)),
        ("execute-short", config + LXC_SECCOMP.format(policy=LXC_SHORT_POLICY)),
        ("base", config),
    ):
        directory = place.scratch / "lxc" / name
        directory.mkdir(parents=True)
        (directory / "config").write_text(text, encoding="utf-8")


def bwrap(place):
    words = ["bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", str(place.image), "/"]
    words += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    words += ["--ro-bind", str(place.stamp), "/tmp/stamp"]
    plain = Tool("bwrap-no-filter", words + ["/tmp/stamp"], note="without a seccomp filter")
    if not place.bpf:
        return [dataclasses.replace(plain, name="bwrap")]
    seccomp = ["--seccomp", str(SECCOMP_FD), "/tmp/stamp"]
    return [Tool("bwrap", words + seccomp, filter=place.bpf, note="with vitrine's filter"), plain]


def firejail(place):
    stamp = str(place.stamp)
    return [
        Tool("firejail", ["firejail", "--quiet", "--net=none", stamp], note="its default profile; host's root"),
        Tool(
            "firejail-noprofile",
            ["firejail", "--quiet", "--noprofile", "--net=none", stamp],
            note="no profile; host's root",
        ),
        Tool(
            "firejail-hostnet",
            ["firejail", "--quiet", "--noprofile", stamp],
            note="no profile, no filter, the host's network and root",
        ),
    ]


def lxc(place):
    write_lxc_configs(place)
    path = str(place.scratch / "lxc")

    def execute(name):
        return ["lxc-execute", "-P", path, "-n", name, "-f", f"{path}/{name}/config", "--", "/tmp/stamp"]

    copy = ["lxc-copy", "-P", path, "-p", path, "-n", "base", "-e", "-F"]
    return [
        Tool("lxc-execute", execute("execute"), note="unprivileged, with vitrine's allow-list"),
        Tool("lxc-execute-short", execute("execute-short"), note="unprivileged, LXC's short filter"),
        Tool("lxc-copy", copy, note="unprivileged, -e: a throw-away overlay; no filter"),
    ]


def nspawn(place):
    words = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--console=pipe"]
    words += ["--directory", str(place.image), "--read-only", "--private-network", "--tmpfs=/tmp"]
    words += [f"--bind-ro={place.stamp}:/tmp/stamp", "/tmp/stamp"]
    return [Tool("systemd-nspawn", words, root=True, note="by root, without a user namespace")]


def vitrine(place):
    words = ["vitrine", "run", "--display=none", "--network=none", "--", str(place.stamp)]
    return [
        Tool("vitrine", words, warm=True, note="another sandbox runs: the session holder is there"),
        Tool("vitrine-cold", words, note="the first sandbox: the session holder is made, too"),
    ]


def all_tools(place):
    return [tool for rows in (vitrine, bwrap, firejail, lxc, nspawn) for tool in rows(place)]
