# What holds for every box. Each line is checked against a list before liblxc sees it: a key that is
# not on that list, a hook or an include above all, stops the launch.

# No capability, no way to get one.
lxc.cap.keep = none
lxc.no_new_privs = 1

# The change to an AppArmor profile is made by whoever starts liblxc, for the moment when the init is
# executed: liblxc would make it long before, and its own preparations would have to be allowed by it.
lxc.apparmor.profile = unchanged

# Files come from the prepared tree alone; of the kernel's file systems there is /proc, without /sys.
lxc.mount.auto = proc:mixed

# 1 and not 0: a crash handler of the host that takes dumps by pipe is not started either (core(5)).
lxc.prlimit.core = 1

# What tells about the host to everyone is empty: who presses keys when (interrupts), which hardware
# there is, whose keyrings. What only the host's root may read (kcore, kmsg, timer_list) needs nothing:
# in here nobody is that. Each line costs a tenth of a millisecond at every start.
lxc.mount.entry = /dev/null proc/interrupts none bind,optional 0 0
lxc.mount.entry = /dev/null proc/kallsyms none bind,optional 0 0
lxc.mount.entry = /dev/null proc/key-users none bind,optional 0 0
lxc.mount.entry = /dev/null proc/keys none bind,optional 0 0
lxc.mount.entry = tmpfs proc/acpi tmpfs ro,nosuid,nodev,noexec,size=4K,optional 0 0
lxc.mount.entry = tmpfs proc/bus tmpfs ro,nosuid,nodev,noexec,size=4K,optional 0 0
lxc.mount.entry = tmpfs proc/irq tmpfs ro,nosuid,nodev,noexec,size=4K,optional 0 0
lxc.mount.entry = tmpfs proc/scsi tmpfs ro,nosuid,nodev,noexec,size=4K,optional 0 0
# /dev is part of the prepared tree (box/devices.h): a read-only directory with null, zero, full, random,
# urandom and tty of the host. There is no console.
lxc.autodev = 0
lxc.console.path = none
lxc.tty.max = 0
lxc.pty.max = 0
# The application's box: shells and terminal emulators want pseudo-terminals, browsers shared memory.
lxc.mount.entry = tmpfs dev/shm tmpfs nosuid,nodev,noexec,mode=1777,size=256M,nr_inodes=4096 0 0
# A network of its own with nothing in it but the loopback device, which is up: some applications
# talk to themselves.
lxc.net.0.type = empty
lxc.net.0.flags = up

lxc.uts.name = default
lxc.rootfs.path = dir:/run/vitrine/sample-0123/app/root
lxc.idmap = u 0 1052 1
lxc.idmap = g 0 1052 1
lxc.idmap = u 1000 1053 1
lxc.idmap = g 1000 1053 1
lxc.idmap = g 5 1054 1
lxc.mount.entry = /run/vitrine/sample-0123/app/root/.vitrine/boot-id proc/sys/kernel/random/boot_id none bind,ro 0 0
lxc.init.uid = 1000
lxc.init.gid = 1000
lxc.init.cmd = /.vitrine/init
lxc.prlimit.nofile = 1024:4096
lxc.seccomp.profile = /usr/share/vitrine/seccomp-policies/lxc-deny.policy
