#!/usr/bin/env bats
# Limits become real in control groups: they are set, read back, and held by the kernel; what happens
# at one stays inside, is said in plain words, and nothing is left of the groups.
#
# shellcheck disable=SC2030,SC2031,SC2154 # tests are no subshells of each other; bats assigns

load ../../live/common
load guest

setup_file() {
	# The user's service manager hands on what it was given when it started, and knows of the desktop
	# that was started after it.
	as_root systemctl daemon-reload
	as_root systemctl stop desktop
	as_root systemctl restart "user@$UID"
	as_root systemctl start desktop
}

limited() { # LINE...: a profile `limited` with these in [Limits]
	write_profile limited < <(
		printf '%s\n' '[App]' Command=/bin/sh Image=base '[Display]' Backend=none '[Limits]' "$@"
	)
}

start_limited() { # SCRIPT; sets `id`, `group`
	start_detached --profile "$(profile_file limited)" -- -c "$1"
	group=$(cgroup_of "$id")
	[[ -d $group ]] || fail "no control group: '$group'"
}

run_limited() { # SCRIPT
	vitrine run --profile "$(profile_file limited)" -- -c "$1" 3>&-
}

processes_in() { # LEAF
	cat "$group/$1/cgroup.procs"
}

scopes() { systemctl --user list-units --all --plain --no-legend 'app-vitrine*' 'vitrine-*.scope'; }

no_scope_is_left() { [[ -z $(scopes) ]]; }

@test "what the profile says is what the kernel has" {
	limited Memory=200M Tasks=100 Cpu=50% Io=4M OpenFiles=300 Required=yes
	start_limited 'exec sleep 1000'
	expect "$(leaf_value "$id" app memory.max)" = $((200 << 20))
	expect "$(leaf_value "$id" app memory.swap.max)" = 0
	expect "$(leaf_value "$id" app pids.max)" = 100
	expect "$(leaf_value "$id" app cpu.max)" = '50000 100000'
	[[ $(leaf_value "$id" app io.max) == *' rbps=4194304 wbps=4194304 '* ]]
	# The gate reads and writes for the application.
	expect "$(leaf_value "$id" host io.max)" = "$(leaf_value "$id" app io.max)"
	run -0 vitrine enter "$id" sh -c 'ulimit -Sn; ulimit -Hn'
	expect "$output" = $'300\n300'
	expect "$(vitrine ps --json | jq -c '.[0].unenforced')" = '[]'
}

@test "only the box is in its leaf, and it sees no more than that" {
	local init pid
	limited
	start_limited 'sleep 1000; true'
	init=$(vitrine ps --json | jq -r '.[0].inits.app')
	expect "$(</proc/"$init"/cgroup)" = "0::${group#/sys/fs/cgroup}/app"
	for pid in $(processes_in app); do
		(($(uid_of "$pid") != UID)) || fail "$(ps -p "$pid" -o args=) is in the leaf"
	done
	[[ $(processes_in host) == *"$(field_of "$id" supervisor)"* ]]
	[[ -z $(<"$group/cgroup.procs") ]]
	run -0 vitrine enter "$id" cat /proc/self/cgroup
	expect "$output" = 0::/
	# Nobody has divided it further, and nobody inside can.
	[[ -z $(find "$group/app" -mindepth 1 -type d) ]]
	run -0 vitrine enter "$id" sh -c 'grep -c cgroup /proc/self/mounts || true'
	expect "$output" = 0
}

@test "an application that is out of memory ends with 137 and one plain line" {
	limited Memory=100M
	run -137 --separate-stderr run_limited 'exec tail /dev/zero'
	assert_one_line
	[[ $stderr == *"out of memory"*"limit of 100M"*"Memory= in [Limits] of profile 'limited'"* ]] || fail "$stderr"
	assert_nothing_left
}

@test "one process that is out of memory ends alone, and the log says so" {
	limited Memory=100M
	start_limited 'tail /dev/zero; echo status $?; exec sleep 1000'
	log_says() { [[ $(vitrine logs "$id") == *"$1"* ]]; }
	wait_until 60 log_says 'status 137' || fail "$(vitrine logs "$id")"
	wait_until 5 log_says 'out of memory' || fail "$(vitrine logs "$id")"
	state_is "$id" running
}

@test "throw-away files count as memory" {
	limited Memory=100M Disk=1G
	run -137 --separate-stderr run_limited 'exec dd if=/dev/zero of=/tmp/large bs=1M count=300 2>/dev/null'
	[[ $stderr == *"out of memory"* ]]
}

@test "no more tasks than the profile says" {
	limited Tasks=40
	# The shell that cannot fork ends; the other counts without a fork.
	# shellcheck disable=SC2016 # for the shell inside
	run -0 run_limited '(n=0; while [ $n -lt 60 ]; do sleep 100 & n=$((n + 1)); done) 2>/dev/null
		set -- /proc/[0-9]*; echo $#'
	((output <= 40 && output > 30)) || fail "$output processes"
}

# A loop alone would use all of it.
@test "no more processor time than the profile says" {
	local before used begin took percent
	limited Cpu=20%
	start_limited 'while :; do :; done'
	used_us() { awk '$1 == "usage_usec" { print $2 }' "$group/app/cpu.stat"; }
	before=$(used_us)
	begin=$(now_ms)
	sleep 5
	used=$(($(used_us) - before))
	took=$(($(now_ms) - begin))
	percent=$((used / (10 * took)))
	record_figure "Cpu=20%: $percent % of a processor were used"
	((percent >= 10 && percent <= 24)) || fail "$percent %: $used us in $took ms"
}

@test "processes that ignore signals and fork are gone at once" {
	local begin took
	limited Tasks=300
	start_limited 'trap "" TERM HUP INT; f() { f | f & }; f; exec sleep 1000'
	is_full() { (($(<"$group/app/pids.current") > 250)); }
	wait_until 60 is_full
	begin=$(now_ms)
	vitrine stop "$id" 3>&-
	took=$(($(now_ms) - begin))
	[[ ! -e $group/app ]]
	record_figure "300 forking processes: gone after $took ms"
	((took <= 5000)) || fail "$took ms"
	assert_nothing_left
}

@test "nothing is left of the groups, however a sandbox ends" {
	limited
	start_limited 'exec sleep 1000'
	kill -s KILL "$(field_of "$id" supervisor)"
	wait_until 10 no_scope_is_left || fail "$(scopes)"
	[[ ! -e $group ]]
	run -0 run_limited 'exit 0'
	wait_until 10 no_scope_is_left || fail "$(scopes)"
	assert_nothing_left
}

@test "to end the scope of one sandbox ends no other, not even that of the first" {
	local first first_group
	limited
	start_limited 'exec sleep 1000'
	first=$id first_group=$group
	start_limited 'exec sleep 1000'
	systemctl --user stop "${first_group##*/}"
	[[ ! -e $first_group ]]
	run -0 vitrine enter "$id" echo alive
	expect "$output" = alive
	expect "$(ids)" = "$id"
	expect "$first" != "$id"
}

@test "without a control group: limits that are demanded are refused, others are missing and it is said" {
	mkdir -m 0700 "$BATS_TEST_TMPDIR/run"
	export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run
	limited Required=yes
	run -125 --separate-stderr run_limited 'echo not reached'
	[[ -z $output ]]
	[[ $stderr == *"demands its limits"*"memory, tasks cannot be enforced"*"vitrine doctor"* ]] || fail "$stderr"
	limited
	start_detached --profile "$(profile_file limited)" -- -c 'exec sleep 1000'
	expect "$(vitrine ps --json | jq -c '.[0] | [.cgroup, .unenforced]')" = '[null,["memory","tasks"]]'
	run -0 --separate-stderr run_limited true
	[[ $stderr == *"warning: limits that cannot be enforced here: memory, tasks"* ]] || fail "$stderr"
	[[ $(vitrine doctor) == *"warning"*"cgroup"*"not enforced"* ]]
	vitrine stop "$id" 3>&-
}

# What an administrator does who has no systemd: a group of the user's, and the session in one beneath.
@test "a group that an administrator has given is used, and nothing of it is left" {
	local given=/sys/fs/cgroup/given
	mkdir -m 0700 "$BATS_TEST_TMPDIR/run"
	limited Memory=100M Tasks=50 Cpu=50% Required=yes
	as_root sh -c "mkdir -p $given/shell && chown $UID $given $given/cgroup.procs $given/cgroup.subtree_control $given/shell $given/shell/cgroup.procs"
	cat >"$BATS_TEST_TMPDIR/session" <<-END
		export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run HOME=$HOME PATH=$PATH
		until grep -q given/shell /proc/self/cgroup; do sleep 0.1; done
		cd "$HOME" || exit
		id=\$(vitrine run --detach --profile $(profile_file limited) -- -c 'exec sleep 1000')
		cat $given/vitrine-\$id/app/memory.max
		vitrine stop \$id
		ls -d $given/vitrine-*
		vitrine run --profile $(profile_file limited) -- -c 'exec tail /dev/zero'
		echo status \$?
		id=\$(vitrine run --detach --profile $(profile_file limited) -- -c 'exec sleep 1000')
		kill -KILL \$(vitrine ps --json | jq '.[0].supervisor')
		sleep 1
		vitrine ps --json
		ls -d $given/vitrine-*
	END
	bash "$BATS_TEST_TMPDIR/session" >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- &
	as_root sh -c "echo $! >$given/shell/cgroup.procs"
	wait $! || true
	as_root sh -c "rmdir $given/shell $given"
	expect "$(sed -n 1p "$BATS_TEST_TMPDIR/said")" = $((100 << 20))
	[[ $(<"$BATS_TEST_TMPDIR/said") == *"out of memory"*"status 137"*"[]"* ]] || fail "$(<"$BATS_TEST_TMPDIR/said")"
	expect "$(grep -c 'cannot access' "$BATS_TEST_TMPDIR/said")" = 2
}
