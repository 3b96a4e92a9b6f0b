#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031 # tests are no subshells of each other
#
# vitrine profile learn: from a profile that gives nothing, in a few runs to one with which the
# application works, and in which every line has an event that needs it. Needs the images evince, mpv
# and firefox-esr, a desktop, sound and the web server of the tests.

load common

setup() {
	setup_sandboxes
	config=$HOME/.config/vitrine
	name=learn-$$-$BATS_TEST_NUMBER
	drop_ins=$config/profiles/$name.vitrine.d
	drop_in=$drop_ins/50-learned.conf
	record=$HOME/.local/state/vitrine/learn/$name
	# What is installed cannot be given.
	samples=$BATS_TEST_TMPDIR
	cp "$(dirname "$(dirname "$VITRINE")")"/share/vitrine/samples/sample.* "$VITRINE_PROGRAMS/attempt" "$samples"
}

teardown() {
	teardown_sandboxes
	rm -rf "$config/profiles/$name.vitrine" "$drop_ins" "$record"
	rmdir -p "$config/profiles" "$(dirname "$record")" 2>/dev/null || true
}

make_profile() { # LINE...: beyond Inherit=default
	mkdir -p "$config/profiles"
	printf '%s\n' '[Profile]' Inherit=default '[App]' "$@" >"$config/profiles/$name.vitrine"
}

# A run that is ended from outside after some seconds, if not by itself. Sets `learned`.
learn_for() { # SECONDS ARGUMENTS OF profile learn
	local seconds=$1
	shift
	learned=$BATS_TEST_TMPDIR/learned
	vitrine profile learn "$@" </dev/null >"$learned" 2>"$BATS_TEST_TMPDIR/said" 3>&- &
	supervisor=$!
	background+=("$supervisor")
	wait_until "$seconds" ended "$supervisor" || kill -s TERM "$supervisor"
	await_end 20
	expect "$code" -eq 0 || fail "$(<"$BATS_TEST_TMPDIR/said")"
}

grants() { grep -vE '^(#|\[|$)' "$drop_in"; }

grants_are() { # LINE...
	diff <(printf '%s\n' "$@") <(grants)
}

events() { cat "$record"/*.jsonl; }

# Each line stands behind a comment, and what that names was recorded.
assert_each_has_event() {
	local line comment='' target n=0
	while IFS= read -r line; do
		case $line in
		'# '*) comment=${line#\# } ;;
		'' | '['*) ;;
		*)
			[[ -n $comment ]] || fail "no event for '$line'"
			case $comment in
			"the command line names"*) target=${comment#*\'} target=${target%\'} ;;
			*"connects to "*) target=${comment#*connects to } target=${target%%,*} ;;
			*": clone"*) target=clone ;;
			*"on the desktop's D-Bus") target=${comment% on the desktop*} target=${target##* \'} target=${target%\'} ;;
			*) fail "an event that is not known here: '$comment'" ;;
			esac
			events | jq -se --arg t "$target" 'any(.target == $t or .call == $t)' >/dev/null ||
				fail "'$comment' was not recorded"
			comment=
			n=$((n + 1))
			;;
		esac
	done <"$drop_in"
	expect "$n" -eq "$(grants | wc -l)"
}

# The [Test] comes only now: it says what is looked at, and gives nothing.
assert_works() { # LINE of [Test]...
	printf '%s\n' '[Test]' "$@" >"$drop_ins/60-test.conf"
	run -0 vitrine profile test "$name"
}

# --- applications ---------------------------------------------------------------------------------

@test "evince: a document" {
	make_profile Command=evince Image=evince
	learn_for 8 --write "$name" -- "$samples/sample.pdf"
	grants_are Arguments=read-only
	assert_each_has_event
	assert_works File=sample.pdf 'Window=*' 'Step=shows #31c7b2 20' 'Step=key Next' \
		'Step=shows #c7318b 20'
}

# It stays when the sound is over: xpra's server may fail at a window that goes away by itself, and
# then the run has failed.
@test "mpv: sound" {
	local i
	make_profile Command=mpv Image=mpv
	for i in 1 2 3; do
		learn_for 12 --write "$name" -- --force-window=yes --keep-open=yes "$samples/sample.ogg"
	done
	grants_are Arguments=read-only Playback=yes
	assert_each_has_event
	assert_works File=sample.ogg Argument=--force-window=yes 'Window=*' Step=sound 'Step=key q' \
		Step=exit
}

@test "firefox-esr: a page of the network" {
	local i
	[[ -n ${VITRINE_TEST_WEB:-} ]] || fail "VITRINE_TEST_WEB is not set"
	make_profile Command=firefox-esr Image=firefox-esr
	for i in 1 2; do
		learn_for 20 --write "$name" -- "$VITRINE_TEST_WEB"
	done
	# With two lines more where the policy of browsers is: its own sandbox.
	grants | grep -vE '^(Policy=browser|UserNamespaces=)' | grep -qx Mode=private
	expect "$(grants | grep -cvE '^(Policy=browser|UserNamespaces=)')" -eq 1
	assert_each_has_event
	assert_works "Argument=$VITRINE_TEST_WEB" 'Window=web.test*' 'Step=key ctrl+r' \
		"Step=shows $VITRINE_TEST_COLOUR 20"
}

# --- what is recorded, and what is not given ------------------------------------------------------

shell_profile() {
	make_profile Command=/bin/sh Image=base '[Display]' Backend=none "$@"
}

@test "runs merge; --show and --forget; nothing is written unless asked" {
	shell_profile
	run -0 --separate-stderr vitrine profile learn "$name" -- -c 'exit 3' "$samples/sample.txt"
	[[ $output == *"Arguments=read-only"* && ! -e $drop_ins ]]
	[[ $(without_warnings <<<"$stderr") == "vitrine: 1 line for profile '$name', learned in 1 run" ]]
	run -0 --separate-stderr vitrine profile learn "$name" -- -c 'cp /bin/true /tmp/x; /tmp/x; true'
	[[ $output == *"Arguments=read-only"*"WritableMounts=yes"* && $stderr == *"2 lines"*"2 runs"* ]]
	run -0 vitrine profile learn --show "$name"
	[[ $output == *"Arguments=read-only"*"WritableMounts=yes"* ]]
	run -0 --separate-stderr vitrine profile learn --forget --show "$name"
	[[ $output != *=* && $stderr == *"0 lines"*"0 runs"* ]]
	run -0 vitrine profile learn --write "$name" -- -c 'cp /bin/true /tmp/x; /tmp/x; true'
	grants_are WritableMounts=yes
	# What was learned is effective now, and is learned still.
	run -0 --separate-stderr vitrine profile learn --write "$name" -- -c 'cp /bin/true /tmp/x; exec /tmp/x'
	grants_are WritableMounts=yes
	run -0 vitrine run "$name" -c 'cp /bin/true /tmp/x; exec /tmp/x'
}

@test "a call that is denied goes on while learning, and is proposed" {
	shell_profile
	run -0 --separate-stderr vitrine profile learn "$name" -- -c \
		'perl -e "my \$c = pack(q(Q), 0); print syscall(206, 1, \$c), qq(\n)" >&2' # io_setup
	[[ $stderr == *$'\n0\n'* ]] || fail "$stderr"
	[[ $output == *"/usr/bin/perl: io_setup"*$'\n'"Allow=io_setup" ]] || fail "$output"
}

@test "what no application should need is denied while learning, and not proposed" {
	local plain
	shell_profile
	run -0 --separate-stderr vitrine run --display none -- "$VITRINE_PROGRAMS/attempt"
	plain=$output
	# A program of the user's comes in by `run --` alone; so a given file is copied and executed.
	shell_profile '[Files]' Arguments=read-only '[Exec]' WritableMounts=yes
	run -0 --separate-stderr vitrine profile learn "$name" -- -c \
		'cp "$0" /tmp/attempt && /tmp/attempt >&2' "$samples/attempt"
	diff <(echo "$plain" | grep -vE '^(chroot|i386|x32) ') \
		<(grep -E '^[a-z0-9_-]+ (E[A-Z]+|done|signal [0-9]+)$' <<<"$stderr" | grep -vE '^(chroot|i386|x32) ')
	grep -qx 'i386 ENOSYS' <<<"$stderr"
	grep -qx 'x32 ENOSYS' <<<"$stderr"
	[[ $'\n'$output != *$'\n'Allow=* ]] || fail "$output"
}

@test "a full disk" {
	shell_profile '[Limits]' Disk=16M
	run -0 --separate-stderr vitrine profile learn "$name" -- -c \
		'head -c 30000000 /dev/zero >~/big; sleep 1; rm ~/big; true'
	[[ $output == *"the limit of disk was reached"*$'\n'"Disk=32M" ]] || fail "$output"
}

@test "who saves beside a file of the command line needs to write" {
	shell_profile
	cp "$samples/sample.txt" "$BATS_TEST_TMPDIR/a.txt"
	run -0 --separate-stderr vitrine profile learn "$name" -- -c \
		'mkdir -p "$(dirname "$0")"; echo x >"$0.new"; true' "$BATS_TEST_TMPDIR/a.txt"
	[[ $output == *"opens '$BATS_TEST_TMPDIR/a.txt.new' for writing"*$'\n'"Arguments=read-write" ]] || fail "$output"
}

@test "records are the user's alone, and a bad one is refused with its line" {
	shell_profile
	run -0 vitrine profile learn "$name" -- -c true
	[[ $(stat -c %a "$record" "$record"/*) == $'700\n600' ]]
	echo 'no event' >>"$(find "$record" -name '*.jsonl')"
	run -1 --separate-stderr vitrine profile learn --show "$name"
	stderr=$(without_warnings <<<"$stderr")
	[[ $stderr == "vitrine: $record/"*".jsonl:1: no event" ]] || fail "$stderr"
}

@test "wrong calls" {
	run -2 vitrine profile learn
	run -125 --separate-stderr vitrine profile learn nothing-of-that-name
	shell_profile
	run -2 vitrine profile learn --show "$name" -- x
}

@test "what the desktop's bus keeps back is proposed, call by call" {
	make_profile 'Command=/bin/sh' 'Image=base' '[Display]' 'Backend=none' '[Bus]' 'Talk=org.vitrine.Talk'
	# shellcheck disable=SC2016 # expanded inside
	run -0 --separate-stderr vitrine profile learn --write "$name" -- -c '
		call() { dbus-send --session --print-reply --dest=$1 /a $2; }
		call org.freedesktop.Notifications org.freedesktop.Notifications.GetCapabilities
		call org.freedesktop.systemd1 org.freedesktop.systemd1.Manager.StartUnit
		dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.RequestName \
			string:org.vitrine.Learned uint32:4; true'
	grants_are Own=org.vitrine.Learned \
		Call=org.freedesktop.Notifications=org.freedesktop.Notifications.GetCapabilities
	assert_each_has_event
	grep -q '^# No application should need it: .Bus. Call=org.freedesktop.systemd1=' "$drop_in"
}
