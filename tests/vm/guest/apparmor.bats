#!/usr/bin/env bats
# What AppArmor holds alone, when every other layer is taken off for the test, and that no box runs
# without it.  Every denial has its control, where AppArmor is off as well and the same is done.
#
# shellcheck disable=SC2030,SC2031,SC2154 # tests are no subshells of each other; bats assigns

load ../../live/common
load guest

setup() {
	setup_sandboxes
	peel=$VITRINE_PROGRAMS/peel
	reach=$VITRINE_PROGRAMS/reach
	outside=$(readlink -f "/boot/config-$(uname -r)") # a file of the host that everybody may read
}

teardown() {
	[[ ! -e $BATS_TEST_TMPDIR/changed ]] || restore_policies
	teardown_sandboxes
}

peel() { # LAYERS [OPTION...] PROGRAM...: with these layers off, and whatever looks after them
	local options=("--without=verification,$1")
	shift
	while [[ $1 == --* ]]; do
		options+=("$1")
		shift
	done
	"$peel" "${options[@]}" "$(profile_file quiet)" "$@" 3>&-
}

alone=seccomp,ids
without=apparmor,seccomp,ids

change_policies() { # COMMAND...: as root; the test's end undoes it
	touch "$BATS_TEST_TMPDIR/changed"
	as_root "$@"
}

refused() { # COMMAND...
	run -125 --separate-stderr "$@"
	[[ -z $output ]] || fail "$output"
	assert_one_line
	assert_nothing_left
}

# --- the label ------------------------------------------------------------------------------------

@test "every process of all three boxes has its label, enforced" {
	local pid comm label inits=0 n=0
	start_supervised xterm
	await_running
	wait_until 60 runs '^ *xterm xterm'
	while read -r pid comm; do
		case $comm in
		vitrine | vitrine-*) continue ;;
		esac
		label=$(label_of "$pid")
		is_enforced app "$label" || is_enforced display "$label" || is_enforced viewer "$label" ||
			fail "$pid $comm: $label"
		echo "$label"
		[[ $comm != init ]] || inits=$((inits + 1))
		n=$((n + 1))
	done < <(processes | awk '{ print $1, $4 }') >"$BATS_TEST_TMPDIR/labels"
	[[ $(sort -u "$BATS_TEST_TMPDIR/labels" | wc -l) == 3 ]] || fail "$(<"$BATS_TEST_TMPDIR/labels")"
	((inits == 3 && n >= 6)) || fail "$inits of $n" "$(processes)"
	# And what is entered later.
	vitrine enter "$id" sleep 2001 </dev/null >/dev/null 2>&1 3>&- &
	background+=($!)
	wait_until 20 runs '^ *sleep sleep 2001'
	is_enforced app "$(label_of "$(pid_of '^ *sleep sleep 2001')")"
}

@test "a box without its label does not start" {
	run -125 --separate-stderr "$peel" --without=apparmor "$(profile_file quiet)" sh -c 'echo ran'
	[[ -z $output && $stderr == *"instead of 'vitrine-app"*"(enforce)'"* ]] || fail "$stderr"
	assert_nothing_left
}

@test "a program inside cannot change its label, nor see one to change to" {
	local way
	start_quiet
	for way in current exec; do
		run ! vitrine enter "$id" sh -c "echo -n 'changeprofile unconfined' >/proc/self/attr/apparmor/$way"
		run ! vitrine enter "$id" sh -c "echo -n 'exec unconfined' >/proc/self/attr/$way"
		run ! vitrine enter "$id" sh -c "echo -n 'changehat 0000000000000001^x' >/proc/self/attr/$way"
		run ! vitrine enter "$id" sh -c "echo -n 'stack vitrine-viewer' >/proc/self/attr/apparmor/$way"
	done
	run ! vitrine enter "$id" sh -c 'ls /sys/kernel/security/apparmor'
	run ! vitrine enter "$id" sh -c 'echo unconfined >/proc/thread-self/attr/current'
}

# --- alone ----------------------------------------------------------------------------------------

@test "AppArmor alone: a file of the host that everybody may read" {
	run -1 peel $alone --show="$outside" "$reach" read "$outside"
	[[ $output == 'EACCES in open' ]] || fail "$output"
	run -0 peel $without --show="$outside" "$reach" read "$outside"
	[[ $output == *Linux* ]] || fail "$output"
}

@test "AppArmor alone: the memory of another process of the box" {
	run -1 peel $alone "$reach" mem <<<'nobody may know'
	[[ $output == 'EACCES in open' ]] || fail "$output"
	run -0 peel $without "$reach" mem <<<'nobody may know'
	[[ $output == 'nobody may know' ]] || fail "$output"
}

@test "AppArmor alone: a program where no programs lie" {
	local program=$BATS_TEST_TMPDIR/program
	printf '#!/bin/sh\necho ran\n' >"$program"
	chmod 0755 "$program"
	run -1 peel $alone --show="$program" "$reach" execute "$program"
	[[ $output == 'EACCES in execve' ]] || fail "$output"
	run -0 peel $without --show="$program" "$reach" execute "$program"
	[[ $output == ran ]] || fail "$output"
}

@test "AppArmor alone: a mount" {
	run -1 peel $alone "$reach" mount /proc/interrupts
	[[ $output == 'EACCES in mount' ]] || fail "$output"
	run -0 peel $without "$reach" mount /proc/interrupts
	[[ $output == *CPU0* ]] || fail "$output"
}

@test "AppArmor alone: a capability" {
	run -1 peel $alone "$reach" umount /proc/interrupts
	[[ $output == 'EPERM in umount2' ]] || fail "$output"
	run -0 peel $without "$reach" umount /proc/interrupts
	[[ $output == *CPU0* ]] || fail "$output"
}

# Boxes do not see each other's processes; so these two are beside the box.
@test "AppArmor alone: a process of another label" {
	sleep 2002 3>&- &
	background+=($!)
	run -0 aa-exec -p vitrine-app -- cat /proc/self/environ
	run ! aa-exec -p vitrine-app -- cat "/proc/${background[-1]}/environ"
	[[ $output == *"Permission denied"* ]] || fail "$output"
	run -0 cat "/proc/${background[-1]}/environ"
	run -0 vitrine logs --denials --json
	grep -q '"ptrace"' <<<"$output" || fail "$output"
}

# --- denials --------------------------------------------------------------------------------------

denied() { vitrine logs --denials "$id" | grep -q -e "$1"; }

@test "a denial is shown by logs --denials, with what was to be done and by whom" {
	local other
	start_quiet
	other=$id
	start_quiet
	run ! vitrine enter "$id" ls /boot/
	run ! vitrine enter "$id" head -c 1 /proc/self/mem
	wait_until 10 denied /mem || fail "$(vitrine logs --denials "$id")"
	run -0 vitrine logs --denials "$id"
	grep -q "ls.*may not open '/boot/'.*vitrine-app" <<<"$output" || fail "$output"
	grep -q "head.*may not open '/proc/[0-9]*/mem'.*vitrine-app" <<<"$output" || fail "$output"
	run -0 vitrine logs --denials --json "$id"
	jq -es '.. | objects | select(.name? == "/boot/")' <<<"$output" >/dev/null || fail "$output"
	run -0 vitrine logs --denials "$other"
	[[ -z $output ]] || fail "$output"
}

# --- what is refused ------------------------------------------------------------------------------

@test "a floor that is not loaded: refused, with the command that mends it" {
	change_policies sh -c 'printf %s vitrine-app >/sys/kernel/security/apparmor/.remove'
	refused vitrine run --profile "$(profile_file quiet)" -- -c 'echo ran'
	[[ $stderr == *"'vitrine-app'"*"sudo vitrine admin install-policies"* ]] || fail "$stderr"
	restore_policies
	run -0 quietly 'echo ran'
}

@test "a floor of a box beside: refused" {
	change_policies sh -c 'printf %s vitrine-viewer >/sys/kernel/security/apparmor/.remove'
	run -0 quietly 'echo ran'
	refused vitrine run xterm
	[[ $stderr == *"'vitrine-viewer'"*"admin install-policies"* ]] || fail "$stderr"
}

@test "a floor that only complains, or does not confine: refused" {
	change_policies /sbin/apparmor_parser --replace --skip-cache --Complain /etc/apparmor.d/vitrine-boxes
	refused vitrine run --profile "$(profile_file quiet)" -- -c 'echo ran'
	[[ $stderr == *"("@(complain|mixed)")' instead of "*"(enforce)'"* ]] || fail "$stderr"
	change_policies sh -c 'echo "profile vitrine-app flags=(unconfined) { }" | /sbin/apparmor_parser --replace --skip-cache'
	refused vitrine run --profile "$(profile_file quiet)" -- -c 'echo ran'
	[[ $stderr == *"("@(unconfined|mixed)")' instead of "*"(enforce)'"* ]] || fail "$stderr"
}

@test "a floor that is taken away while a box runs: nothing more is started in it" {
	start_quiet
	change_policies sh -c 'printf %s vitrine-app >/sys/kernel/security/apparmor/.remove'
	run ! vitrine enter "$id" echo ran
	[[ $output != *ran* ]] || fail "$output"
}
