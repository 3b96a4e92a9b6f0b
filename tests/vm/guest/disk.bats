#!/usr/bin/env bats
# A disk that is taken out: what was mounted before or after the first sandbox was started is not held
# back by anything of vitrine's.
#
# shellcheck disable=SC2030,SC2031,SC2154 # tests are no subshells of each other; bats assigns

load ../../live/common
load guest

place=/mnt/usb

setup() {
	setup_sandboxes
	write_profile online <<<$'[App]\nCommand=/bin/sh\nImage=base\n[Display]\nBackend=none\n[Network]\nMode=private'
	disk=/var/tmp/disk-$BATS_TEST_NUMBER
}

teardown() {
	teardown_sandboxes
	as_admin sh -c "umount -l $place 2>/dev/null; losetup -j $disk -O NAME -n | xargs -r losetup -d; rm -f $disk"
}

as_admin() { as_root env PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

insert() { # sets `device`
	device=$(as_admin sh -c "mkdir -p $place && truncate -s 16M $disk && mkfs.minix -3 $disk >&2 && losetup -f --show $disk")
	mount_it
}

mount_it() { as_root sh -c "mount $device $place && chown alice: $place"; }

# Nobody has it any more: it can be opened exclusively, which a mount anywhere forbids.
is_free() { as_root python3 -c 'import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_EXCL)' "$device" 2>/dev/null; }

eject() {
	as_root umount "$place"
	wait_until 10 is_free || fail "held by: $(as_root grep -l " $place " /proc/[0-9]*/mountinfo)"
}

start_online() { start_detached --profile "$(profile_file online)" -- -c 'exec sleep 1000'; }

in_mounts_of() { # PID
	as_root grep -q " $place " "/proc/$1/mountinfo"
}

@test "disk: the test itself sees when a namespace holds it" {
	insert
	as_root sh -c 'unshare -m --propagation private sleep 1000 & echo $!' >"$BATS_TEST_TMPDIR/pid" 3>&-
	sleep 2
	as_root umount "$place"
	run -1 is_free
	as_root kill "$(<"$BATS_TEST_TMPDIR/pid")"
	wait_until 10 is_free
}

@test "disk: mounted before the holder, ejected while a sandbox runs" {
	insert
	start_online
	eject
}

@test "disk: mounted while a sandbox runs, and in no box of it" {
	start_online
	insert
	for pid in $(pids_of "$(processes)"); do
		[[ $(uid_of "$pid") -gt 100000 ]] || continue # of a box: not root of the session
		! in_mounts_of "$pid" || fail "$(ps -p "$pid" -o args=) has it"
	done
	eject
	# The same disk again, as one that was only pulled out.
	mount_it
	eject
}

@test "disk: a sandbox started from it does not stay there" {
	insert
	cd "$place"
	start_online
	cd /
	eject
}

@test "disk: what was given from it holds it until it is taken back" {
	insert
	echo text >"$place/file"
	mkdir "$place/directory"
	start_online
	vitrine share "$id" "$place/file" "$place/directory"
	vitrine enter "$id" /bin/sh -c 'cat ~/Files/file'
	run ! as_root umount "$place"
	vitrine unshare "$id" "$place/file" "$place/directory"
	eject
}
