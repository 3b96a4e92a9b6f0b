#!/usr/bin/env bats
# Whatever ends a sandbox, and whenever: soon nothing of it is left on the host.

load common

# What one of its parts is called among the processes of the host.
declare -gA part=(
	[application]='^ *xterm xterm'
	["X server"]='^ *Xvfb '
	["xpra server"]='xpra start'
	[viewer]='xpra attach'
	[network]='^ *slirp4netns '
	["sound relay"]='^ *vitrine-sound '
	["sound server"]='^ *pulseaudio '
)

start_xterm() { # [ARGUMENT OF run...]: a sandbox with all three boxes; sets `supervisor` and `id`
	start_supervised "${@:-xterm}"
	await_running
	wait_until 20 runs "${part[application]}"
	wait_until 20 runs "${part[viewer]}"
}

start_full() { # one that has a network and sound as well
	write_profile full <<-'END'
		[App]
		Command=xterm
		Image=xterm
		[Sound]
		Playback=yes
		[Network]
		Mode=private
	END
	start_xterm --profile "$(profile_file full)"
}

# Starts a sandbox, kills what stands in the second argument, and expects the rest to follow: the
# supervisor with STATUS, and everything within the time it may take.
dies_with() { # PART STATUS PID-OF...: a command that prints the process to kill; see `says_why` too
	local victim
	victim=$("${@:3}")
	kill -s KILL "$victim"
	await_end
	assert_nothing_left "$(((end_seconds * 1000 - took_ms) / 1000 + 1))"
	[[ " $2 " == *" $code "* ]] || fail "status $code instead of $2 after the death of the $1" "$(<"$output_file")"
}

says_why() { # PATTERN: one line about the part that was lost
	[[ $(without_warnings <"$output_file" | grep -c "^vitrine: ") == 1 ]] || fail "not one line:" "$(<"$output_file")"
	grep -Eq "$1" "$output_file" || fail "it does not name the part:" "$(<"$output_file")"
}

init_of() { # PART: the init of the box that it runs in
	local pid
	pid=$(pid_of "${part[$1]}")
	while ((pid > 1)); do
		[[ $(ps -o args= -p "$pid") != /.vitrine/init ]] || break
		pid=$(parent_of "$pid")
	done
	((pid > 1)) && echo "$pid"
}

monitor_of() { parent_of "$(init_of "$1")"; }

# --- the plain ends -------------------------------------------------------------------------------

@test "after the end of the application nothing is left" {
	run -0 --separate-stderr vitrine run xterm -e true
	assert_nothing_left
	run -0 --separate-stderr quietly 'exit 0'
	assert_nothing_left
}

@test "what the application leaves in the background ends with it" {
	run -0 --separate-stderr quietly '(trap "" HUP TERM INT; setsid sleep 1000 </dev/null >/dev/null 2>&1 &) ; exit 0'
	assert_nothing_left
	run -0 --separate-stderr quietly 'for i in 1 2 3 4 5 6 7 8 9; do setsid setsid sleep 1000 & done; exit 0'
	assert_nothing_left
}

@test "after a failed start nothing is left" {
	run -125 env DISPLAY=:9999 vitrine run xterm
	assert_nothing_left
	run -125 env XAUTHORITY=/nonexistent vitrine run xterm
	assert_nothing_left
}

@test "signals to the supervisor end all of it" {
	local signal
	for signal in TERM INT HUP QUIT; do
		start_supervised --profile "$(profile_file quiet)" -- -c 'trap "" TERM INT HUP QUIT; setsid sleep 1000; sleep 1000'
		await_running
		# A job of a script ignores SIGINT and SIGQUIT; vitrine must not.
		kill -s "$signal" "$supervisor"
		await_end
		assert_nothing_left
		expect "$code" -eq $((128 + $(kill -l "$signal")))
	done
}

@test "SIGTERM to the supervisor of a sandbox with windows, network and sound" {
	start_full
	kill -s TERM "$supervisor"
	await_end
	assert_nothing_left
	expect "$code" -eq 143
}

@test "the end of the caller's terminal ends the sandbox" {
	script -qec "vitrine run --profile $(profile_file quiet) -- -c 'sleep 1000'" /dev/null </dev/zero >/dev/null 2>&1 3>&- &
	local terminal=$!
	background+=("$terminal")
	wait_until 20 runs '^ *sleep sleep 1000'
	kill -s KILL "$terminal"
	assert_nothing_left
}

@test "Ctrl-C at the terminal is the application's, and ends a sandbox that does nothing about it" {
	run -130 bash -c '(sleep 1; printf "\003"; sleep 5) |
		script -qec "vitrine run --profile $1 -- -c \"sleep 1000\"" /dev/null' bash "$(profile_file quiet)"
	assert_nothing_left
}

# --- kill -9 of the supervisor --------------------------------------------------------------------

@test "SIGKILL to the supervisor: only its state directory is left, until somebody looks" {
	start_full
	kill -s KILL "$supervisor"
	wait_until "$end_seconds" only_state_is_left || fail "$(leftovers)"
	[[ -d $sandboxes/$id ]]
	run -0 vitrine ps --json
	[[ $output == "[]" ]]
	assert_nothing_left 0
}

@test "SIGKILL to the supervisor of a sandbox that ignores every signal" {
	start_supervised --profile "$(profile_file quiet)" -- -c 'trap "" HUP TERM INT QUIT PIPE; setsid sleep 1000; sleep 1000'
	await_running
	kill -s KILL "$supervisor"
	wait_until "$end_seconds" only_state_is_left || fail "$(leftovers)"
	run -1 vitrine stop "$id"
	assert_nothing_left 0
}

@test "a start sweeps what a killed supervisor left only of the dead" {
	start_quiet
	local alive=$id
	start_supervised --profile "$(profile_file quiet)" -- -c 'sleep 1000'
	await_running
	kill -s KILL "$supervisor"
	wait_until "$end_seconds" ended "$supervisor"
	run -0 vitrine ps --json
	[[ $(jq -r '.[].id' <<<"$output") == "$alive" ]]
	[[ $(ls "$sandboxes") == "$alive" ]]
	run -0 vitrine enter "$alive" true
}

# --- kill -9 of each part -------------------------------------------------------------------------

@test "kill -9 of the application" {
	start_xterm
	dies_with application 137 pid_of "${part[application]}"
}

@test "kill -9 of the application's init" {
	start_xterm
	dies_with init 125 init_of application
	says_why 'app box'
}

@test "kill -9 of the application's monitor" {
	start_xterm
	dies_with monitor 125 monitor_of application
	says_why 'app box'
}

@test "kill -9 of the X server" {
	start_xterm
	# The application may notice before the supervisor does, and end by itself.
	dies_with "X server" '125 84' pid_of "${part[X server]}"
	((code == 84)) || says_why 'Xvfb|xpra|display box'
}

@test "kill -9 of the display's server" {
	start_xterm
	dies_with "xpra server" 125 pid_of "${part[xpra server]}"
	says_why 'xpra'
}

@test "kill -9 of the display's init" {
	start_xterm
	dies_with init '125 84' init_of "X server"
	((code == 84)) || says_why 'display box'
}

@test "kill -9 of the display's monitor" {
	start_xterm
	dies_with monitor '125 84' monitor_of "X server"
	((code == 84)) || says_why 'display box'
}

@test "kill -9 of the viewer" {
	start_xterm
	dies_with viewer 125 pid_of "${part[viewer]}"
	says_why 'viewer'
}

@test "kill -9 of the viewer's init" {
	start_xterm
	dies_with init 125 init_of viewer
	says_why 'viewer box'
}

@test "kill -9 of the viewer's monitor" {
	start_xterm
	dies_with monitor 125 monitor_of viewer
	says_why 'viewer box'
}

@test "kill -9 of the network's helper" {
	start_full
	dies_with slirp4netns 125 pid_of "${part[network]}"
	says_why 'network'
}

@test "kill -9 of the sound relay" {
	start_full
	dies_with "sound relay" 125 pid_of "${part[sound relay]}"
	says_why 'sound'
}

@test "kill -9 of the sandbox's sound server" {
	start_full
	dies_with "sound server" 125 pid_of "${part[sound server]}"
	says_why 'sound'
}

@test "every process of a sandbox killed at once" {
	start_full
	local pids
	pids=$(pids_of "$(processes)")
	# shellcheck disable=SC2086 # a list of numbers
	kill -s KILL $pids
	wait_until "$end_seconds" nothing_runs || fail "$(processes)"
	# The name of the holder's socket stays until the next start.
	run -0 --separate-stderr quietly 'exit 0'
	run -0 vitrine ps
	assert_nothing_left
}

# --- the holder -----------------------------------------------------------------------------------

@test "the holder ends with the last sandbox, and keeps nothing of one that ended" {
	start_quiet
	local first=$id holder
	start_quiet
	holder=$(pid_of '^ *vitrine-holder ')
	grep -q "$first" "/proc/$holder/mountinfo"
	run -0 vitrine stop "$first"
	forgot() { ! grep -q "$first" "/proc/$holder/mountinfo"; }
	wait_until "$end_seconds" forgot || fail "$(grep "$first" "/proc/$holder/mountinfo")"
	grep -q "$id" "/proc/$holder/mountinfo"
	run -0 vitrine stop "$id"
	wait_until "$end_seconds" ended "$holder"
	assert_nothing_left
}

@test "kill -9 of the holder: sandboxes go on, and new ones are made beside them" {
	local holder first
	start_quiet 'exec sleep 1001'
	first=$id
	holder=$(pid_of '^ *vitrine-holder ')
	kill -s KILL "$holder"
	wait_until "$end_seconds" ended "$holder"
	run -0 vitrine enter "$first" sh -c 'echo here >/tmp/file && cat /tmp/file'
	[[ $output == here ]]
	[[ $(ids) == "$first" ]]

	start_quiet 'exec sleep 1002'
	[[ $(pid_of '^ *vitrine-holder ') != "$holder" ]]
	[[ $(uid_of "$(pid_of '^ *sleep sleep 1001')") != "$(uid_of "$(pid_of '^ *sleep sleep 1002')")" ]]
	run -0 vitrine enter "$first" true
	run -0 vitrine stop "$first"
	run -0 vitrine enter "$id" true
	run -0 vitrine stop "$id"
	assert_nothing_left
}

holder_is_gone() { ! runs '^ *vitrine-holder '; }

@test "a holder's socket that nobody answers is replaced" {
	start_quiet
	kill -s KILL "$(pid_of '^ *vitrine-holder ')"
	wait_until "$end_seconds" holder_is_gone
	run -0 vitrine stop "$id"
	run -0 --separate-stderr quietly 'exit 0'
	assert_nothing_left
}

# --- many, and at any moment ----------------------------------------------------------------------

@test "twenty starts at once: ids and id ranges are all distinct" {
	local i starts=() uids
	for i in {1..20}; do
		vitrine run --detach --profile "$(profile_file quiet)" -- -c "exec sleep 20$i" \
			>"$BATS_TEST_TMPDIR/id.$i" 2>"$BATS_TEST_TMPDIR/error.$i" 3>&- &
		starts+=($!)
	done
	for i in "${starts[@]}"; do
		wait "$i" || fail "$(cat "$BATS_TEST_TMPDIR"/error.*)"
	done
	[[ $(sort -u "$BATS_TEST_TMPDIR"/id.* | wc -l) == 20 ]]
	[[ $(ids | sort) == "$(sort "$BATS_TEST_TMPDIR"/id.*)" ]]
	uids=$(processes | awk '$4 == "sleep" { print $3 }')
	[[ $(wc -l <<<"$uids") == 20 ]]
	[[ $(sort -u <<<"$uids" | wc -l) == 20 ]]
	[[ $(processes | grep -c 'vitrine-holder$') == 1 ]]
	run -0 vitrine stop --all
	assert_nothing_left
}

@test "twenty starts and ends at once, of which each is the first and the last" {
	local i j starts
	for j in {1..5}; do
		starts=()
		for i in {1..20}; do
			quietly "exit $i" 3>&- &
			starts+=("$!:$i")
		done
		for i in "${starts[@]}"; do
			run wait "${i%:*}"
			code=0
			wait "${i%:*}" || code=$?
			expect "$code" -eq "${i#*:}"
		done
		assert_nothing_left
	done
}

at_a_random_moment() { # SIGNAL [PROFILE ARGUMENTS...]: of the first 400 ms of a start
	local delay=$((RANDOM % 400))
	start_supervised "${@:2}"
	sleep "$(printf '0.%03d' "$delay")"
	kill -s "$1" "$supervisor" 2>/dev/null || true
	moment="$1 after $delay ms"
}

@test "kill -9 of vitrine run at thirty random moments of its start" {
	local i
	for i in {1..30}; do
		at_a_random_moment KILL xterm
		wait_until "$end_seconds" ended "$supervisor"
		wait_until "$end_seconds" nothing_runs || fail "$moment:" "$(processes)"
		run -0 vitrine ps --json
		[[ $output == "[]" ]]
		assert_nothing_left || fail "$moment"
	done
}

@test "kill -9 of vitrine run at forty of its steps, counted by system calls" {
	local steps step each
	strace -qq -o "$BATS_TEST_TMPDIR/trace" "$VITRINE" run --profile "$(profile_file quiet)" -- -c 'exit 0'
	steps=$(wc -l <"$BATS_TEST_TMPDIR/trace")
	((steps > 200))
	each=$((steps / 40))
	for ((step = 1 + RANDOM % each; step < steps; step += each)); do
		strace -qq -o /dev/null -e inject=all:signal=KILL:when="$step" \
			"$VITRINE" run --profile "$(profile_file quiet)" -- -c 'exit 0' >/dev/null 2>&1 || true
		wait_until "$end_seconds" nothing_runs || fail "step $step of $steps:" "$(processes)"
		run -0 vitrine ps --json
		[[ $output == "[]" ]]
		assert_nothing_left || fail "step $step of $steps"
	done
}

# Each names a system call and which of a process's calls of it: while the session is joined, the tree
# prepared, liblxc makes the box, and the box does not yet run its init.
@test "kill -9 of the other parts at steps of a start" {
	local calls=(setns:1 setns:3 setresuid:1 open_tree:1 mount_setattr:3 move_mount:1 move_mount:4 fsconfig:1
		fstatfs:3 waitid:1 pidfd_send_signal:1 pivot_root:1 seccomp:1 seccomp:3 memfd_create:2)
	local call holder before mounts
	start_quiet
	holder=$(pid_of '^ *vitrine-holder ')
	before=$(processes)
	mounts=$(<"/proc/$holder/mountinfo")
	as_before() { [[ $(processes) == "$before" ]]; }
	for call in "${calls[@]}"; do
		output_file=$BATS_TEST_TMPDIR/output
		strace -f -qq -o /dev/null -e inject="${call%:*}:signal=KILL:when=${call#*:}" \
			"$VITRINE" run --profile "$(profile_file quiet)" -- -c 'exit 0' </dev/null >"$output_file" 2>&1 3>&- &
		supervisor=$!
		background+=("$supervisor")
		wait_until 10 ended "$supervisor" || fail "$call: it does not end:" "$(processes)"
		code=0
		wait "$supervisor" || code=$?
		[[ $code == 125 || $code == 137 ]] || fail "$call: status $code" "$(<"$output_file")"
		wait_until "$end_seconds" as_before || fail "$call:" "$(processes)"
		run -0 vitrine ps --json
		[[ $(jq -r '.[].id' <<<"$output") == "$id" ]]
		[[ $(ls "$sandboxes") == "$id" ]]
		mounts_are_as_before() { [[ $(<"/proc/$holder/mountinfo") == "$mounts" ]]; }
		wait_until "$end_seconds" mounts_are_as_before || fail "$call"
	done
}

@test "SIGTERM to vitrine run at twenty random moments of its start" {
	local i
	for i in {1..20}; do
		at_a_random_moment TERM xterm
		await_end
		assert_nothing_left || fail "$moment"
		[[ $code == 143 ]] || fail "$moment: status $code" "$(<"$output_file")"
	done
}

@test "kill -9 of the holder at twenty random moments of a start" {
	local i holder
	for i in {1..20}; do
		start_supervised --profile "$(profile_file quiet)" -- -c 'sleep 0.2; exit 3'
		sleep "$(printf '0.0%02d' $((RANDOM % 30)))"
		holder=$(pid_of '^ *vitrine-holder ' 2>/dev/null) || true
		[[ -z $holder ]] || kill -s KILL "$holder" || true
		await_end 20
		[[ $code == 3 || $code == 125 ]] || fail "status $code" "$(<"$output_file")"
		wait_until "$end_seconds" nothing_runs || fail "$(processes)"
		run -0 --separate-stderr quietly 'exit 0'
		assert_nothing_left
	done
}
