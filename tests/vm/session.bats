#!/usr/bin/env bats
# What systemd ends, seen from outside the machine: the scope of one sandbox, the user's manager, all of
# the user.  Nothing is left, in no place where a program can leave something, and the next login is clean.
#
# shellcheck disable=SC2016 # what stands in single quotes is expanded in the machine

bats_require_minimum_version 1.5.0

# shellcheck source=tests/vm/vm.bash
. "${VM_LIBRARY:?is not set: the path of vm.bash}"

alice() { vm_limit=3m vm_alice "PATH=/usr/local/bin:/usr/sbin:\$PATH; $1" </dev/null; } # SCRIPT
root() { vm_limit=3m vm_root "$1" </dev/null; }                                          # SCRIPT

setup() {
	root 'systemctl start desktop; touch /opt/mark'
	alice 'vitrine stop --all
		printf "%s\n" "[App]" Command=/bin/sh Image=base "[Network]" Mode=private "[Display]" Backend=none >session.vitrine'
}

fail() {
	printf '%s\n' "$@" >&2
	return 1
}

# One that ignores the signals it may, with a file in its tmpfs; prints its id.
start() {
	alice 'vitrine run --detach --profile session.vitrine -- -c "trap \"\" HUP INT TERM; head -c 5M /dev/zero >/tmp/file
		sleep 1000 & while :; do sleep 1000; done"'
}

leftovers() {
	root 'ps -eo pid=,ppid=,ruid=,state=,comm= |
			awk "\$4 !~ /Z/ && ((\$3 >= 100000 && \$3 < 165536) || (\$3 == 1000 && \$5 ~ /^(vitrine|slirp)/))"
		grep -i vitrine /proc/self/mountinfo | grep -v " /home/alice/.local/share/vitrine " # the disk of the images
		find /sys/fs/cgroup -name "*vitrine*" ! -name "home-alice-*.mount"
		find /tmp /var/tmp /dev/shm -newer /opt/mark \( -uid 1000 -o -uid +99999 -uid -165536 \)
		[ ! -e /run/user/1000/vitrine ] || find /run/user/1000/vitrine -mindepth 1 ! -name lock ! -name sandboxes ! -name instances
		true'
}

assert_nothing_left() {
	local deadline=$((SECONDS + 60)) left
	while left=$(leftovers) && [[ -n $left ]]; do
		((SECONDS < deadline)) || fail "left:" "$left"
		sleep 1
	done
}

# The next login is clean, and a sandbox starts and ends in it.
assert_fresh() {
	# Debian 12's logind gives no run-time directory to who comes back before he is gone.  The mark comes
	# after the desktop: its X server has files in /tmp.
	root 'systemctl daemon-reload; systemctl stop desktop
		for i in $(seq 60); do loginctl list-users | grep -q alice || break; sleep 1; done
		systemctl start desktop; touch /opt/mark'
	[[ $(alice 'vitrine ps --json') == "[]" ]]
	[[ $(alice 'vitrine run --profile session.vitrine -- -c "echo works"') == works ]]
	assert_nothing_left
}

@test "session: the test itself sees what is left" {
	id=$(start)
	left=$(leftovers)
	[[ $left == *slirp4netns* && $left == *"app-vitrine-"* && $left == *"sandboxes/$id"* ]]
}

@test "session: systemctl --user stop of a sandbox's scope ends that one and no other" {
	id=$(start)
	other=$(start)
	alice "systemctl --user stop \$(vitrine ps --json | jq -r '.[] | select(.id == \"$id\") | .cgroup' | xargs basename)"
	[[ $(alice 'vitrine ps --json | jq -r ".[].id"') == "$other" ]]
	[[ $(alice "vitrine enter $other /bin/echo works") == works ]]
	alice "vitrine stop $other"
	assert_nothing_left
	assert_fresh
}

@test "session: the end of the user's manager" {
	start
	root 'systemctl stop user@1000'
	assert_nothing_left
	assert_fresh
}

@test "session: loginctl terminate-user" {
	start
	root 'loginctl terminate-user alice'
	assert_nothing_left
	assert_fresh
}
