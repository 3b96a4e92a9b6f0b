#!/bin/bash
# Makes a bare machine (a container, a CI runner without udev and logind) into what Debian is for
# an ordinary user.  Knows nothing of vitrine's build or tests.
#
#   machine.sh check USER    exit status 0 when nothing is to be done (any user may ask)
#   machine.sh make USER     does it (root)
#
# shellcheck disable=SC2317 # the functions of the steps are called by name
set -euo pipefail

mode=$1
user=$2
uid=$(id -u "$user")
gid=$(id -g "$user")
run_dir=/run/user/$uid
sub_ids=65536

open_to_all() { [[ $(stat -c %A "$1" 2>/dev/null) == c*rw? ]]; }

make_device() { # FILE MINOR
	[[ -e $1 ]] || {
		mkdir -p "${1%/*}"
		mknod "$1" c 10 "$2"
	}
	chmod 0666 "$1"
}

has_fuse() { open_to_all /dev/fuse; }
make_fuse() {
	modprobe -q fuse 2>/dev/null || true
	make_device /dev/fuse 229
}

has_tun() { open_to_all /dev/net/tun; }
make_tun() {
	modprobe -q tun 2>/dev/null || true
	make_device /dev/net/tun 200
}

userns=/proc/sys/kernel/unprivileged_userns_clone
has_user_namespaces() { [[ ! -e $userns || $(<$userns) == 1 ]]; }
make_user_namespaces() { echo 1 >$userns; }

has_x_sockets() { [[ $(stat -c %A /tmp/.X11-unix 2>/dev/null) == drwxrwxrwt ]]; }
make_x_sockets() {
	mkdir -p /tmp/.X11-unix
	chmod 1777 /tmp/.X11-unix
}

has_machine_id() { [[ -s /etc/machine-id ]]; }
make_machine_id() { tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id; }

has_range() { # FILE: a range of the user's that is large enough
	awk -F: -v user="$user" -v uid="$uid" -v want=$sub_ids '
		($1 == user || $1 == uid) && $3 >= want { found = 1 }
		END { exit !found }' "$1" 2>/dev/null
}

free_range() { # FILE: prints FIRST-LAST above every range in use
	touch "$1"
	awk -F: -v want=$sub_ids '
		BEGIN { first = 100000 }
		$2 + $3 > first { first = $2 + $3 }
		END { print first "-" first + want - 1 }' "$1"
}

has_sub_uids() { has_range /etc/subuid; }
make_sub_uids() { usermod --add-subuids "$(free_range /etc/subuid)" "$user"; }

has_sub_gids() { has_range /etc/subgid; }
make_sub_gids() { usermod --add-subgids "$(free_range /etc/subgid)" "$user"; }

has_run_dir() { [[ $(stat -c '%u %a' "$run_dir" 2>/dev/null) == "$uid 700" ]]; }
make_run_dir() {
	mkdir -p "$run_dir"
	mountpoint -q "$run_dir" ||
		mount -t tmpfs -o "nosuid,nodev,size=10%,mode=0700,uid=$uid,gid=$gid" tmpfs "$run_dir" ||
		echo "setup: no tmpfs on $run_dir, going on without" >&2
	chown "$uid:$gid" "$run_dir"
	chmod 0700 "$run_dir"
}

for step in fuse tun user_namespaces x_sockets machine_id sub_uids sub_gids run_dir; do
	"has_$step" && continue
	[[ $mode == make ]] || exit 1
	"make_$step" || {
		echo "setup: cannot prepare ${step//_/ }: see the line above, or prepare it by hand" >&2
		exit 1
	}
done
