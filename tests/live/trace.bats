#!/usr/bin/env bats
# `run --trace`: what is denied is named, and is denied as without it.

load common

setup() {
	setup_sandboxes
	attempts=$VITRINE_PROGRAMS/attempt
	trace=$BATS_TEST_TMPDIR/trace
	write_profile writable <<-'END'
		[App]
		Command=/bin/sh
		Image=base
		[Exec]
		WritableMounts=yes
		[Display]
		Backend=none
	END
}

filters_of() { status_of "$1" Seccomp_filters; } # PID

traced() { grep -c -e "$1" "$trace"; } # PATTERN

# --- what is told ---------------------------------------------------------------------------------

@test "a denied call is named with its arguments, its line and its program, each once" {
	run -0 --separate-stderr vitrine run --trace --profile "$(profile_file quiet)" -- -c \
		'for i in 1 2 3; do unshare -U true; unshare -n true; done 2>/dev/null; echo end'
	[[ $output == end ]]
	stderr=$(without_warnings <<<"$stderr")
	[[ $(wc -l <<<"$stderr") == 3 ]] || fail "$stderr"
	[[ ${stderr} =~ /usr/bin/unshare:\ unshare\(arg0\ 0x10000000\):\ EPERM\ \(sets.policy:([0-9]+):\ deny\ unshare\ arg0 ]]
	grep -qx 'deny unshare arg0 bits 0x10000000' \
		<(sed -n "${BASH_REMATCH[1]}p" "$BATS_TEST_DIRNAME/../../seccomp-policies/sets.policy")
	[[ $stderr == *"unshare(arg0 0x40000000): EPERM"* ]]
	[[ $stderr == *"denied 1 call of 1 program: unshare" ]]
}

@test "nothing is told of what is allowed" {
	run -0 --separate-stderr vitrine run --trace --profile "$(profile_file quiet)" -- -c \
		'ls -lR /usr/share/doc >/dev/null; cat /etc/passwd >~/copy; exit 0'
	stderr=$(without_warnings <<<"$stderr")
	[[ $stderr == "vitrine: trace: no system call was denied" ]] || fail "$stderr"
}

@test "a call without a rule, and one of another table of calls" {
	run -0 --separate-stderr vitrine run --trace --display none -- "$attempts" i386 x32
	[[ $output == $'i386 ENOSYS\nx32 ENOSYS' ]]
	[[ $stderr == *"attempt: number 20 of another architecture(): ENOSYS (no rule allows it)"* ]]
	[[ $stderr == *"attempt: number 1073741863(): ENOSYS (no rule allows it)"* ]]
}

@test "--json: an object in each line, in a file, also of a detached one" {
	id=$(vitrine run --detach --trace-file "$trace" --json --profile "$(profile_file quiet)" -- -c \
		'unshare -U true 2>/dev/null; exit 3' 3>&-)
	wait_until 20 nothing_runs
	jq -se --arg n "$(grep -n '^deny unshare arg0 bits 0x10000000$' \
		"$BATS_TEST_DIRNAME/../../seccomp-policies/sets.policy" | cut -d: -f1)" '
		length == 2 and (.[0] | .event == "call" and .call == "unshare" and .error == "EPERM" and
			.denied and .arguments[0] == "0x10000000" and (.arguments | length == 6) and
			.line == "sets.policy:" + $n and .program == "/usr/bin/unshare") and
		(.[1] | .event == "end" and .denied == 1 and .calls == ["unshare"])' "$trace"
	[[ $(stat -c %a "$trace") == 600 ]]
}

@test "wrong calls" {
	run -2 vitrine run --trace
	run -125 --separate-stderr vitrine run --trace --trace-file /nonexistent/file xterm
	[[ $stderr == "vitrine: cannot write '/nonexistent/file'"* ]]
	run -2 --separate-stderr vitrine run --json xterm
	[[ $stderr == *"--json goes with --trace"* ]]
	run -2 --separate-stderr vitrine run --detach --trace xterm
	[[ $stderr == *"give --trace-file"* ]]
	ln -s /dev/null "$BATS_TEST_TMPDIR/link"
	run -125 --separate-stderr vitrine run --trace-file "$BATS_TEST_TMPDIR/link" xterm
}

@test "what a program has chosen does not control a terminal" {
	run -0 --separate-stderr vitrine run --trace --profile "$(profile_file writable)" -- -c '
		name=$(printf "/tmp/x\033[31m\nvitrine: trace: forged\n")
		cp /usr/bin/unshare "$name" && "$name" -U true 2>/dev/null; exit 0'
	[[ $stderr != *$'\033'* ]]
	run ! grep -q '^vitrine: trace: forged' <<<"$stderr"
	[[ $stderr == *'/tmp/x\x1b[31m\x0avitrine: trace: forged'* ]]
}

# --- it is what is denied without it --------------------------------------------------------------

@test "every attempt ends as without --trace" {
	run -0 --separate-stderr vitrine run --display none -- "$attempts"
	local plain=$output
	run -0 --separate-stderr vitrine run --trace-file "$trace" --display none -- "$attempts"
	[[ $(wc -l <<<"$plain") -gt 30 ]]
	diff <(echo "$plain") <(echo "$output")
	# liblxc's own list answers some before anybody is asked: those are not told of.
	expect "$(traced 'unshare(')" -ge 3
	expect "$(traced 'socket(')" -ge 3
	expect "$(traced 'clone3(')" -ge 1
	expect "$(traced 'ptrace(')" -eq 0
}

@test "the application has one filter that asks instead of two that deny; others have theirs" {
	start_detached --trace-file "$trace" --profile "$(profile_file quiet)" -- -c 'exec sleep 3101'
	expect "$(filters_of "$(pid_of '^ *sleep sleep 3101')")" -eq 2
	vitrine enter "$id" sleep 3102 </dev/null >/dev/null 2>&1 3>&- &
	background+=($!)
	wait_until 10 runs '^ *sleep sleep 3102'
	expect "$(filters_of "$(pid_of '^ *sleep sleep 3102')")" -eq 3
	run -1 vitrine enter "$id" unshare -U true
	vitrine stop "$id"
	run ! grep -q 'unshare(' "$trace"
}

@test "vitrine-watch has one capability, no new privileges, and ids of the session" {
	local pid first count
	start_detached --trace-file "$trace" --profile "$(profile_file quiet)" -- -c 'exec sleep 1000'
	pid=$(pid_of '^ *vitrine-watch')
	read -r first count < <(sub_ids)
	expect "$count" -gt 0
	expect "$(uid_of "$pid")" -eq "$first"
	expect "$(status_of "$pid" CapEff)" = "0000000000080000"
	expect "$(status_of "$pid" CapPrm)" = "0000000000080000"
	expect "$(status_of "$pid" NoNewPrivs)" -eq 1
}

# --- what dies with what --------------------------------------------------------------------------

@test "without --trace nobody watches" {
	start_quiet
	run ! pid_of '^ *vitrine-watch'
}

@test "when vitrine-watch is killed the sandbox ends" {
	start_supervised --trace-file "$trace" --profile "$(profile_file quiet)" -- -c \
		'while unshare -U true 2>/dev/null || [ $? = 1 ]; do sleep 0.1; done'
	await_running
	kill -s KILL "$(pid_of '^ *vitrine-watch')"
	await_end
	expect "$code" -eq 125
	grep -q 'vitrine-watch: ' "$output_file"
	assert_nothing_left
}

@test "when the supervisor is killed nothing is left" {
	start_supervised --trace-file "$trace" --profile "$(profile_file quiet)" -- -c 'exec sleep 1000'
	await_running
	kill -s KILL "$supervisor"
	wait_until "$end_seconds" only_state_is_left || fail "$(leftovers)"
}

@test "a flood of different calls neither blocks nor fills anything" {
	cat >"$BATS_TEST_TMPDIR/flood" <<-'END'
		#!/usr/bin/perl
		for my $i (0 .. 20000) { syscall(41, 2, 1, 1000 + $i) }
		print "end\n";
	END
	chmod +x "$BATS_TEST_TMPDIR/flood"
	run -0 --separate-stderr vitrine run --trace-file "$trace" --display none -- "$BATS_TEST_TMPDIR/flood"
	[[ $output == end ]]
	expect "$(wc -l <"$trace")" -le 4200
	grep -q 'more happened than is told' "$trace"
}
