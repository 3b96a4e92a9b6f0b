#!/usr/bin/env bats
# Whoever takes all that it gets takes it from itself: another sandbox and the desktop stay
# responsive, and what was taken is back soon after the end.
#
# While hundreds of processes fork, nothing here may read /proc/PID/cmdline of all, as ps and pgrep do:
# each of them holds the lock that is needed for it most of the time, and seldom gets a processor.
#
# shellcheck disable=SC2030,SC2031,SC2154 # tests are no subshells of each other; bats assigns

load ../../live/common
load guest

beats_ms=5000
stop_seconds=5   # from `vitrine stop` until all is reclaimed
returned_mib=100 # memory that the system may still lack then

# What counts as responsive: at most so many times what it was before, plus so many ms. An emulated
# machine has no time of its own, so an absolute limit would measure what else the host does.
slower=4
late_ms=200   # 99 of 100 wake-ups in the other sandbox
answer_ms=1500 # `vitrine enter OTHER true`
x_ms=1500      # a round trip to the desktop's X server by a program that is started for it

setup() {
	setup_sandboxes
	hog=$VITRINE_PROGRAMS/hog
	write_profile hog <<-'END'
		[App]
		Command=/bin/sh
		Image=base
		[Display]
		Backend=none
		[Exec]
		WritableMounts=yes
		[Limits]
		Memory=256M
		Tasks=500
		OpenFiles=4096
		Disk=64M
		Required=yes
	END
	start_detached --profile "$(profile_file hog)" -- -c 'exec sleep 100000'
	other=$id
	bring_hog "$other"
	holder=$(pgrep -x vitrine-holder)
}

# The program, by way of the sandbox's own /tmp; /bin/sh there does not execute it without WritableMounts.
bring_hog() { # ID
	vitrine enter "$1" sh -c 'cat >/tmp/hog && chmod 0700 /tmp/hog' <"$hog" 3>&-
}

start_hog() { # WHAT; sets `id`, `memory_before`
	measure_before
	memory_before=$(available_mib)
	start_detached --profile "$(profile_file hog)" -- -c \
		"until [ -x /tmp/hog ]; do sleep 0.2; done; exec /tmp/hog $1"
	bring_hog "$id"
	wait_until 60 is_full || fail "$(vitrine logs "$id")"
	sleep 2
}

is_full() { [[ $(vitrine logs "$id") == *full* ]]; }

available_mib() { awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo; }

# Prints the longest of some calls of a command, in ms.
longest_ms() { # TIMES COMMAND...
	local times=$1 i begin took longest=0
	shift
	for ((i = 0; i < times; i++)); do
		begin=$(now_ms)
		"$@" >/dev/null 2>&1 3>&- || return 1
		took=$(($(now_ms) - begin))
		((took <= longest)) || longest=$took
	done
	echo "$longest"
}

measure() { # sets `beat`, `late`, `answer`, `desktop`
	beat=$(vitrine enter "$other" /tmp/hog beat $beats_ms 3>&-)
	late=$(awk '{ print int($4) }' <<<"$beat")
	answer=$(longest_ms 3 vitrine enter "$other" true)
	desktop=$(longest_ms 5 xprop -root _NET_SUPPORTING_WM_CHECK)
}

measure_before() {
	local beat late answer desktop
	measure
	late_before=$late answer_before=$answer desktop_before=$desktop
}

assert_responsive() { # WHAT
	local beat late answer desktop
	measure
	record_figure "$1: wake-ups in another sandbox are late by (ms) $beat, p99 before $late_before;" \
		"enter there $answer ms, before $answer_before; a round trip to the desktop $desktop ms, before $desktop_before"
	((late <= slower * late_before + late_ms)) || fail "$beat"
	((answer <= slower * answer_before + answer_ms)) || fail "enter took $answer ms"
	((desktop <= slower * desktop_before + x_ms)) || fail "the desktop took $desktop ms"
}

# With nothing that has to be started, which is slow in emulation.
is_reclaimed() {
	local name value mounts
	[[ ! -e $cgroup ]] || return 1
	! kill -0 "$init" 2>/dev/null || return 1
	mounts=$(<"/proc/$holder/mountinfo")
	[[ $mounts != *"/run/vitrine/$id"* && ! -e $sandboxes/$id ]] || return 1
	while read -r name value _; do
		[[ $name != MemAvailable: ]] || break
	done </proc/meminfo
	((value / 1024 >= memory_before - returned_mib))
}

assert_reclaimed() { # WHAT
	local cgroup init begin mounts
	cgroup=$(cgroup_of "$id")
	init=$(vitrine ps --json | jq -r --arg id "$id" '.[] | select(.id == $id) | .inits.app')
	mounts=$(<"/proc/$holder/mountinfo")
	[[ -d $cgroup && -d /proc/$init && -e $sandboxes/$id && $mounts == *"/run/vitrine/$id"* ]]
	begin=$(now_ms)
	vitrine stop "$id" 3>&- &
	wait_until $stop_seconds is_reclaimed ||
		fail "not all is back:" "$(ls -d "$cgroup" "/proc/$init" "$sandboxes/$id"; grep -F "$id" "/proc/$holder/mountinfo"
			echo "$(available_mib) MiB of $memory_before")"
	record_figure "$1: all is reclaimed $(($(now_ms) - begin)) ms after stop was called"
	wait $!
	vitrine enter "$other" true 3>&-
}

@test "processes that fork, ignore signals and leave their session" {
	start_hog forks
	(($(leaf_value "$id" app pids.current) > 450))
	assert_responsive forks
	(($(leaf_value "$id" app pids.current) <= 500))
	assert_reclaimed forks
}

@test "memory" {
	start_hog memory
	assert_responsive memory
	(($(event_of "$id" app memory.events oom_kill) > 0))
	(($(leaf_value "$id" app memory.peak 2>/dev/null || leaf_value "$id" app memory.current) <= 256 << 20))
	assert_reclaimed memory
}

@test "processors" {
	start_hog cpu
	assert_responsive cpu
	assert_reclaimed cpu
}

@test "open files" {
	local files
	start_hog descriptors
	assert_responsive descriptors
	read -r files _ </proc/sys/fs/file-nr
	record_figure "descriptors: $files files are open in the whole system"
	assert_reclaimed descriptors
}

@test "memory by way of files and of shared memory" {
	measure_before
	memory_before=$(available_mib)
	start_detached --profile "$(profile_file hog)" -- -c \
		'echo full; while :; do dd if=/dev/zero of=/tmp/f bs=1M; dd if=/dev/zero of=/dev/shm/f bs=1M; done 2>/dev/null'
	sleep 5
	assert_responsive files
	assert_reclaimed files
}

@test "twenty sandboxes at once" {
	local begin i j pids
	measure_before
	begin=$(now_ms)
	# Five times four: a start costs seconds of emulated processor, and a box has to be ready in ten.
	for ((i = 0; i < 5; i++)); do
		pids=()
		for ((j = 0; j < 4; j++)); do
			vitrine run --detach --profile "$(profile_file quiet)" -- -c 'exec sleep 4004' >/dev/null 3>&- &
			pids+=($!)
		done
		for j in "${pids[@]}"; do
			wait "$j" || fail "one of them did not start"
		done
	done
	record_figure "twenty sandboxes: $(($(now_ms) - begin)) ms until the last runs"
	[[ $(ids | wc -l) == 21 ]]
	[[ $(processes | grep -c '^.*sleep sleep 4004') == 20 ]]
	assert_responsive 'twenty sandboxes'
	vitrine stop --all 3>&-
	assert_nothing_left 20
}
