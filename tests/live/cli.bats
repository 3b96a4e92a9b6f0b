#!/usr/bin/env bats
# The command line as a script meets it: logs, --detach, streams that end early, calls and their help.

load common

setup() {
	setup_sandboxes
	write_profile absent <<<$'[App]\nCommand=/nonexistent/program\nImage=base\n[Display]\nBackend=none'
	write_profile data <<<$'[App]\nCommand=/etc/passwd\nImage=base\n[Display]\nBackend=none'
}

# A command at a terminal; sets `output` to what it showed there.
at_terminal() { # COMMAND LINE
	run -0 script -qec "$1" /dev/null
}

# Starts `logs -f` of $id in the background; sets `follower`, its output goes to $followed.
follow() {
	followed=$BATS_TEST_TMPDIR/followed
	vitrine logs -f "$id" >"$followed" 3>&- &
	follower=$!
	background+=("$follower")
}

follower_ends() {
	wait_until "$end_seconds" ended "$follower" || fail "logs -f goes on"
	wait "$follower"
}

has_followed() { grep -q -e "$1" "$followed"; }

# --- logs -----------------------------------------------------------------------------------------

@test "logs -f returns when the application ends" {
	start_quiet 'echo begin; sleep 1; echo last words'
	follow
	wait_until 10 has_followed begin
	follower_ends
	[[ $(<"$followed") == $'begin\nlast words' ]]
}

@test "logs -f returns when the supervisor is killed" {
	start_quiet 'echo begin; exec sleep 1000'
	follow
	wait_until 10 has_followed begin
	kill -s KILL "$(field_of "$id" supervisor)"
	follower_ends
}

@test "logs -f misses nothing when the log begins anew" {
	start_quiet 'i=0; while [ $i -lt 30 ]; do
		i=$((i + 1)); printf "%0100000d\n" $i; sleep 0.05
	done; sleep 1'
	follow
	follower_ends
	seq -f %0100000.0f 30 | cmp - "$followed"
}

@test "logs prints the old log before the new one" {
	start_quiet 'i=0; while [ $i -lt 15 ]; do i=$((i + 1)); printf "%0100000d\n" $i; done; echo end; exec sleep 1000'
	log_is_whole() { vitrine logs "$id" | tail -n 1 | grep -qx end; }
	wait_until 10 log_is_whole
	[[ -e $sandboxes/$id/log.old ]]
	{ seq -f %0100000.0f 15 && echo end; } | cmp - <(vitrine logs "$id")
}

@test "logs: control characters do not reach the terminal" {
	start_quiet 'printf "a\tb \033[31mred\007 \200 f\303\274r\r\n"; exec sleep 1000'
	log_is_there() { [[ $(vitrine logs "$id") == *$'\n' || $(vitrine logs "$id" | wc -l) == 1 ]]; }
	wait_until 10 log_is_there
	cmp <(printf 'a\tb \033[31mred\007 \200 f\303\274r\r\n') <(vitrine logs "$id")
	at_terminal "vitrine logs $id"
	[[ ${output%$'\r'} == *$'a\tb \\x1b[31mred\\x07 \\x80 f\303\274r'* ]]
	[[ $output != *$'\033'* && $output != *$'\a'* ]]
}

@test "logs: -f is an option of its own, before the sandbox or behind it" {
	start_quiet 'sleep 1'
	run -0 timeout 20 "$VITRINE" logs "$id" -f
	run -2 --separate-stderr vitrine logs -xf quiet
	[[ $stderr == *"'-xf'"*"vitrine logs --help"* ]]
	run -2 vitrine logs -fx quiet
	run -2 vitrine logs -ff quiet
	run -2 vitrine logs quiet -xf
	run -2 vitrine logs quiet quiet
	run -2 vitrine stop -f quiet
}

# --- a program that cannot be executed ------------------------------------------------------------

@test "--detach prints no id of what cannot be executed" {
	run -127 --separate-stderr vitrine run --detach --profile "$(profile_file absent)" 3>&-
	[[ -z $output ]]
	assert_one_line
	[[ $stderr == *"/nonexistent/program"*"No such file"* ]]
	assert_nothing_left
	run -126 --separate-stderr vitrine run --detach --profile "$(profile_file data)" 3>&-
	[[ -z $output ]]
	assert_one_line
	[[ $stderr == *"/etc/passwd"*denied* ]]
	assert_nothing_left
}

@test "--detach prints the id of the shortest life" {
	local i
	for i in 1 2 3 4 5 6 7 8; do
		run -0 --separate-stderr vitrine run --detach --profile "$(profile_file quiet)" -- -c 'exit 3' 3>&-
		[[ $output =~ ^quiet-[0-9a-f]{4}$ ]]
	done
	assert_nothing_left
}

@test "at a terminal too it is said what cannot be executed" {
	run -127 script -qec "vitrine run --profile $(profile_file absent)" /dev/null
	[[ $output == *"/nonexistent/program"* ]]
	start_quiet
	run -127 script -qec "vitrine enter $id nosuchprogram" /dev/null
	[[ $output == *nosuchprogram* ]]
}

@test "a waiting command does not hold up another one" {
	start_quiet
	vitrine enter "$id" sh -c 'sleep 2' </dev/null &
	background+=("$!")
	run -0 timeout 1 "$VITRINE" enter "$id" true
}

# --- streams --------------------------------------------------------------------------------------

@test "input from a file, output to a terminal" {
	at_terminal "echo word | vitrine run --profile $(profile_file quiet) -- -c 'read x; test -t 1 || echo got \$x'"
	[[ $output == *"got word"* ]]
}

@test "the writer in the sandbox learns that nobody reads" {
	local pipe='set -o pipefail; timeout 20 "$VITRINE" run --profile "$1" -- -c "trap \"\" PIPE; while echo line; do :; done 2>/dev/null; exit 5" | head -n 1'
	run -5 --separate-stderr bash -c "$pipe" bash "$(profile_file quiet)"
	[[ $output == line ]]
	start_quiet
	run -141 bash -c 'set -o pipefail; timeout 20 "$VITRINE" enter "$1" yes | head -n 1' bash "$id"
	[[ $output == y ]]
}

@test "without standard output and error the application runs to its end" {
	run -4 bash -c 'vitrine run --profile "$1" -- -c "echo lost; echo lost >&2; exit 4" >&- 2>&-' \
		bash "$(profile_file quiet)"
	start_quiet
	run -4 bash -c 'vitrine enter "$1" sh -c "echo lost; exit 4" >&- 2>&- <&-' bash "$id"
}

@test "a full device for output does not stop the application" {
	run -6 bash -c 'vitrine run --profile "$1" -- -c "trap \"\" PIPE; echo lost; exit 6" >/dev/full' \
		bash "$(profile_file quiet)"
}

# --- running --------------------------------------------------------------------------------------

@test "a start sweeps the state directory of a killed supervisor" {
	start_quiet
	local dead=$sandboxes/$id supervisor
	supervisor=$(field_of "$id" supervisor)
	kill -s KILL "$supervisor"
	wait_until "$end_seconds" ended "$supervisor"
	[[ -d $dead ]]
	run -0 --separate-stderr quietly 'exit 0'
	[[ ! -e $dead ]]
}

@test "on a desktop :10 the sandbox's display is another" {
	[[ ! -e /tmp/.X11-unix/X10 ]] || fail "something else is display :10"
	local authority=$BATS_TEST_TMPDIR/authority backend
	xauth -q -f "$authority" add :10 . "$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')"
	Xvfb :10 -auth "$authority" -nolisten tcp >/dev/null 2>&1 3>&- &
	background+=("$!")
	wait_until 10 test -e /tmp/.X11-unix/X10
	for backend in xephyr xpra; do
		write_profile shown <<<$'[App]\nCommand=/bin/sh\nImage=base\n[Display]\nBackend='$backend
		run -0 env DISPLAY=:10 XAUTHORITY="$authority" "$VITRINE" run --profile "$(profile_file shown)" -- -c 'echo "<$DISPLAY>"'
		[[ $output == *"<:11>"* ]]
	done
	kill -s TERM "${background[@]}"
	wait_until 10 test ! -e /tmp/.X11-unix/X10
}

@test "ps without a sandbox is a header" {
	run -0 vitrine ps
	[[ ${#lines[@]} == 1 && $output == "ID "* ]]
	[[ $(vitrine ps --json) == "[]" ]]
}

# --- calls ----------------------------------------------------------------------------------------

@test "the help of a verb names its noun" {
	run -0 vitrine image list --help
	[[ $output == "Usage: vitrine image list ["* ]]
	run -2 vitrine image list xyzzy
	[[ $output == *"'vitrine image list --help'"* ]]
	run -2 vitrine image xyzzy
	[[ $output == *"'vitrine image --help'"* ]]
	run -2 vitrine profile show
	[[ $output == *"'vitrine profile show --help'"* ]]
}
