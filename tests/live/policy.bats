#!/usr/bin/env bats
# The administrator's ceiling binds every way to a sandbox, and a user confirms what his own files
# widen.  The rules are those of tests/stand-in/policy.d, which bind profiles named "bound".
#
# shellcheck disable=SC2016 # expanded inside

load common

refused=125

setup() {
	setup_sandboxes
	profiles=$HOME/.config/vitrine/profiles
	records=$HOME/.local/state/vitrine/trust
	mkdir -p "$profiles" "$HOME/bound" "$HOME/elsewhere-$$"
	echo inside >"$HOME/bound/a"
	echo outside >"$HOME/elsewhere-$$/a"
	write_bound ''
}

teardown() {
	teardown_sandboxes
	rm -rf "$HOME/bound" "$HOME/elsewhere-$$" "$profiles"/{bound,heir}.vitrine \
		"$profiles/default.vitrine.d" "$records/default"
	rm -rf "$XDG_RUNTIME_DIR/vitrine/instances"
	rmdir -p "$profiles" 2>/dev/null || true
}

write_bound() { # KEYS
	printf '[App]\nCommand=/bin/sh\nImage=base\n%b' "$1" | tee "$profiles/bound.vitrine" |
		write_profile bound
}

assert_refused() { # PART COMMAND...
	local part=$1
	shift
	run --separate-stderr "$@"
	expect "$status" -ne 0
	assert_one_line
	[[ $stderr == *"$part"* ]] || fail "'$part' is not in '$stderr'"
}

@test "what a profile asks for above the ceiling is refused, whatever way it comes" {
	local rule='is above the ceiling: /'
	write_bound '[Network]\nMode=private\n'
	printf '[Profile]\nInherit=bound\n[App]\nCommand=/bin/sh\nImage=base\n' >"$profiles/heir.vitrine"
	assert_refused "bound.vitrine:5: [Network] Mode=private $rule" vitrine run bound -c true
	expect "$status" -eq $refused
	assert_refused 'policy.d/10-bound.conf:9 allows none at most' vitrine run bound -c true
	assert_refused "$rule" vitrine run --profile "$(profile_file bound)" -- -c true
	assert_refused "$rule" vitrine run --detach bound -c true
	assert_refused "$rule" vitrine run heir -c true
	assert_refused "$rule" vitrine profile prepare --yes bound
	mkdir "$BATS_TEST_TMPDIR/rootfs"
	assert_refused "$rule" vitrine profile show --format=lxc --standalone --root="$BATS_TEST_TMPDIR/rootfs" bound
	assert_nothing_left
}

@test "what it does not ask for is narrowed, and it runs" {
	run -0 --separate-stderr vitrine run bound -c 'echo "${DISPLAY:-no windows}"'
	expect "$output" = 'no windows'
	assert_nothing_said
}

@test "what is shown is what the rules leave" {
	run -0 vitrine profile explain bound
	[[ $output == *"It cannot show a window."* ]]
	run -0 vitrine profile show --format=plan bound
	[[ $output == *$'\ndisplay: none\n'* ]]
	run -0 vitrine profile audit bound
	[[ $output == *bound* ]]
	write_bound '[Network]\nMode=private\n'
	assert_refused 'is above the ceiling: /' vitrine profile explain bound
	assert_refused 'is above the ceiling: /' vitrine profile show --format=env bound
	run -0 --separate-stderr vitrine profile audit bound default
	[[ $stderr == "vitrine: left out 'bound': "*"is above the ceiling"* && $output != *bound* ]]
	# As it is written it can always be read.
	run -0 vitrine profile show bound
	[[ $output == *Mode=private* ]]
}

@test "the command line may take away, and cannot add" {
	write_bound '[Network]\nMode=private\n'
	run -0 --separate-stderr vitrine run --network none bound -c 'echo runs'
	expect "$output" = runs
	write_bound '[Files]\nHome=kept\n'
	assert_refused 'Home=kept is above the ceiling' vitrine run bound -c true
}

@test "no variable of the environment moves it" {
	local name elsewhere=$BATS_TEST_TMPDIR/none
	write_bound '[Network]\nMode=private\n'
	mkdir "$elsewhere"
	for name in VITRINE_CONF_DIR VITRINE_POLICY XDG_CONFIG_HOME XDG_CONFIG_DIRS XDG_DATA_HOME \
		XDG_STATE_HOME USER LOGNAME; do
		assert_refused 'is above the ceiling' env "$name=$elsewhere" vitrine run bound -c true
	done
	assert_refused 'is above the ceiling' env HOME="$elsewhere" vitrine run bound -c true
	assert_refused 'is above the ceiling' \
		env -i PATH="$PATH" XDG_RUNTIME_DIR="$XDG_RUNTIME_DIR" vitrine run bound -c true
}

@test "paths of a profile lie beneath those of the rule" {
	write_bound '[Files]\nReadOnly=~/bound\n'
	run -0 --separate-stderr vitrine run bound -c 'cat ~/bound/a'
	expect "$output" = inside
	write_bound "[Files]\nReadOnly=~/elsewhere-$$\n"
	assert_refused 'allows ~/bound at most' vitrine run bound -c true
	write_bound '[Files]\nReadWrite=~/bound\n'
	assert_refused 'allows nothing at most' vitrine run bound -c true
}

@test "words of the command line are bound" {
	write_bound '[App]\nArgument=-c\nArgument=cat "$1"\nArgument=sh\n[Files]\nArguments=read-only\n'
	run -0 --separate-stderr vitrine run bound "$HOME/bound/a"
	expect "$output" = inside
	assert_refused 'lets nothing be given from there' vitrine run bound "$HOME/elsewhere-$$/a"
	write_bound '[Files]\nArguments=read-write\n'
	assert_refused 'Arguments=read-write is above the ceiling' vitrine run bound -c true
}

@test "what is given to a running sandbox is bound" {
	write_bound '[Files]\nArguments=read-only\n'
	start_detached bound -c 'exec sleep 1000'
	run -0 vitrine share "$id" "$HOME/bound/a"
	assert_refused 'lets nothing be given from there' vitrine share "$id" "$HOME/elsewhere-$$/a"
	assert_refused 'lets nothing be given for writing' vitrine share "$id" "$HOME/bound/a:rw"
	assert_refused 'lets nothing be given for writing' vitrine share "$id" "$HOME/bound/b:new"
}

@test "what is handed over to the first of its kind is bound" {
	write_bound '[App]\nArgument=-c\nArgument=exec sleep 1000\nArgument=sh\nSingleInstance=yes\n[Files]\nArguments=read-only\n'
	start_detached bound "$HOME/bound/a"
	assert_refused 'lets nothing be given from there' vitrine run bound "$HOME/elsewhere-$$/a"
	write_bound '[App]\nSingleInstance=yes\n[Network]\nMode=private\n'
	assert_refused 'is above the ceiling' vitrine run bound "$HOME/bound/a"
}

@test "vitrine doctor says how many rules bind" {
	run -0 vitrine doctor --json
	expect "$(jq -r '.[] | select(.name == "policy") | .detail' <<<"$output")" = '1 of 2 rules bind you'
	[[ $(jq -r '.[] | select(.name == "keys") | .detail' <<<"$output") == *'[App] Icon='* ]]
}

@test "a file of the user's that widens a shipped profile is confirmed first" {
	mkdir -p "$profiles/default.vitrine.d"
	rm -f "$records/default"
	run -0 --separate-stderr vitrine run --display none -- true
	printf '[Sound]\nPlayback=yes\n' >"$profiles/default.vitrine.d/a.conf"
	assert_refused "'vitrine profile trust default'" vitrine run --display none -- true
	expect "$status" -eq $refused
	assert_refused 'a terminal is needed' vitrine profile trust default
	run -0 vitrine profile trust --yes default
	[[ $output == *"- [Sound] Playback=no"*"+ [Sound] Playback=yes"*"default.vitrine.d/a.conf:2"* ]]
	run -0 --separate-stderr vitrine run --display none -- true
	expect "$(stat -c %a "$records/default")" = 600
	run -0 vitrine profile trust --list
	[[ $'\n'$output$'\n' == *$'\ndefault\n'* ]]
	run -0 vitrine profile trust default
	expect "$output" = "There is nothing to confirm of profile 'default'."
	printf '[Sound]\nPlayback=yes\n[Network]\nMode=private\n' >"$profiles/default.vitrine.d/a.conf"
	assert_refused 'files of your own' vitrine run --display none -- true
	printf '[Limits]\nMemory=1G\n' >"$profiles/default.vitrine.d/a.conf"
	run -0 --separate-stderr vitrine run --display none -- true
	run -0 vitrine profile trust --forget default
	assert_refused 'there is no record' vitrine profile trust --forget default
}
