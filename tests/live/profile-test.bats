#!/usr/bin/env bats
# vitrine profile test: what passes, what fails and why, and that nothing is left of either.
#
# shellcheck disable=SC2016 # what is in '' expands inside

load common

setup() {
	setup_sandboxes
	export TMPDIR=$BATS_TEST_TMPDIR
}

teardown() {
	teardown_sandboxes
	[[ -z ${picture:-} ]] || rm -f "$picture"
}

# A terminal's profile, with a [Test] from standard input.
write_test() { # [LINE OF [App]...]
	{
		printf '%s\n' '[App]' Command=xterm Image=xterm Title=Tried "$@" '[Test]'
		cat
	} | write_profile tried
}

try() { # [OPTION...]: sets output, stderr, status; what it printed is shown of a test that fails
	run --separate-stderr vitrine profile test "$@" --profile="$(profile_file tried)" 3>&-
	echo "$output"
	echo "$stderr"
	picture=$(sed -n 's/^  picture: //p' <<<"$output")
}

assert_failed_at() { # STEP WHY
	expect "$status" = 1
	[[ $'\n'"$output" == *$'\n'"  not ok $1 ("* ]] || fail "it did not fail at '$1'"
	[[ $output == *"    $2"* ]] || fail "it did not say: $2"
	[[ $output == *$'\n'"tried: failed ("* ]]
	[[ $(grep -c '^  not ok' <<<"$output") == 1 ]]
}

assert_passed() {
	expect "$status" = 0
	[[ $output != *'not ok'* && $output == *$'\n'"tried: passed ("* ]]
	assert_nothing_said
}

@test "a test that passes" {
	write_test <<-'END'
		Window=*
		Argument=-T
		Argument=first
		Step=type echo $((6*7)) > answer
		Step=key Return
		Step=home answer contains 42
		Step=type printf '\033]0;second title\7'
		Step=key Return
		Step=title second*
		Step=no-title first
		Step=key ctrl+d
		Step=exit
	END
	try
	assert_passed
	[[ $output == *'  ok start ('*'  ok window * ('*'  ok home answer contains 42 ('*'  ok end ('* ]]
	[[ -z $picture ]]
	assert_nothing_left
}

@test "JSON, and a picture of each step" {
	mkdir "$BATS_TEST_TMPDIR/pictures"
	write_test <<-'END'
		Window=*
		Step=type ls
		Step=changed
	END
	sed -i 's/=changed/=changed 90/' "$(profile_file tried)"
	try --json --picture="$BATS_TEST_TMPDIR/pictures"
	expect "$status" = 1
	expect "$(jq -r '.[].profile' <<<"$output")" = tried
	expect "$(jq -r '.[].passed' <<<"$output")" = false
	expect "$(jq -r '.[].steps | map(.step) | join(",")' <<<"$output")" = \
		'start,window *,type ls,changed 90,end'
	expect "$(jq -r '.[].steps | map(.passed | tostring) | join(",")' <<<"$output")" = \
		'true,true,true,false,true'
	[[ $(jq -r '.[].steps[3].why' <<<"$output") == *'percent of the window changed, not 90' ]]
	expect "$(jq -r '.[].picture' <<<"$output")" = "$BATS_TEST_TMPDIR/pictures/tried-03.png"
	expect "$(cd "$BATS_TEST_TMPDIR/pictures" && echo *)" = 'tried-01.png tried-02.png tried-03.png'
	expect "$(identify -format '%m' "$BATS_TEST_TMPDIR/pictures/tried-01.png")" = PNG
	assert_nothing_left
}

@test "a wrong title fails, and a picture is kept" {
	write_test <<-'END'
		Window=no such title
		Step=key a
		Step=changed
		Timeout=10
	END
	try
	assert_failed_at 'window no such title' "the windows are '"
	expect "$(identify -format '%m' "$picture")" = PNG
	rm "$picture"
	assert_nothing_left
}

@test "wrong content fails" {
	write_test Argument=-e Argument=sh <<-'END'
		Window=*
		Timeout=10
		Step=type echo other > answer
		Step=key Return
		Step=home answer contains this
	END
	try
	assert_failed_at 'home answer contains this' 'its 6 bytes do not have this text'
	rm "$picture"
	assert_nothing_left
}

@test "an application that crashes fails, with what it printed last" {
	write_test Argument=-e Argument=sh Argument=-c 'Argument=read line; kill -SEGV $PPID' <<-'END'
		Window=*
		Step=key Return
		Step=home never
	END
	try
	assert_failed_at 'home never' 'the application ended with status 139'
	[[ -z $picture ]]
	assert_nothing_left
}

@test "an application that does not start fails" {
	write_test <<<'Step=output contains words of its own'
	sed -i 's/^Command=.*/Command=no-such-program/' "$(profile_file tried)"
	try
	expect "$status" = 1
	[[ $output == *'it printed last:'*no-such-program* ]]
	assert_nothing_left
}

@test "a test ends in time" {
	local begin
	write_test <<-'END'
		Window=*
		Step=key a
		Step=wait 60
		Step=changed
		Timeout=8
	END
	begin=$(now_ms)
	try
	assert_failed_at 'wait 60' 'out of time'
	(($(now_ms) - begin < 25000))
	[[ -z $picture ]] || rm "$picture"
	assert_nothing_left
}

@test "a signal ends a test and its sandbox" {
	write_test <<-'END'
		Window=*
		Step=key a
		Step=wait 60
		Step=changed
	END
	vitrine profile test --profile="$(profile_file tried)" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	supervisor=$!
	background+=("$supervisor")
	wait_until 60 grep -q 'ok key a' "$BATS_TEST_TMPDIR/out" || fail "$(<"$BATS_TEST_TMPDIR/out")"
	kill -s TERM "$supervisor"
	await_end 20
	expect "$code" = 130
	expect "$(tail -n 1 "$BATS_TEST_TMPDIR/out")" = 'vitrine: interrupted'
	assert_nothing_left
}

@test "no [Test], and what is none, are errors" {
	printf '%s\n' '[App]' Command=xterm | write_profile tried
	try
	expect "$status" = 1
	expect "$stderr" = "vitrine: profile 'tried': there is no [Test]"
	write_test <<-'END'
		Window=*
		Step=changed
	END
	try
	expect "$status" = 1
	[[ $stderr == "vitrine: profile 'tried': [Test] does nothing"* ]]
	assert_one_line
	write_test <<<'Step=clik 1 2'
	try
	expect "$status" = 1
	[[ $stderr == *"tried.vitrine:6: Step=: unknown step 'clik'; did you mean 'click'?" ]]
	assert_one_line
	run -2 --separate-stderr vitrine profile test
	run -2 --separate-stderr vitrine profile test --picture=/nonexistent xterm
	run -1 --separate-stderr vitrine profile test no-such-profile
	assert_nothing_left
}

@test "what a sample has from the start proves nothing" {
	write_test '[Files]' Arguments=read-write <<-'END'
		Window=*
		File=sample.txt
		Argument=-e
		Argument=cat
		Argument=-
		Step=key a
		Step=file sample.txt contains This is a sample
	END
	try
	assert_failed_at 'file sample.txt contains This is a sample' \
		"the sample 'sample.txt' has this text from the start"
	rm "$picture"
	assert_nothing_left
}

# Some window of the host, and one of another sandbox, with the very title that is waited for.
@test "windows of others are not looked at, whatever they are called" {
	xterm -T '[Tried] wanted' -e sleep 100 3>&- &
	background+=($!)
	start_detached xterm -T '[Tried] wanted' -e sleep 100
	wait_until 20 sh -c 'xdotool search --onlyvisible --name "^.Tried. wanted" && xdotool search --onlyvisible --name "^.Terminal. .Tried. wanted"'
	write_test <<-'END'
		Window=*
		Argument=-T
		Argument=mine
		Step=type echo here > typed
		Step=key Return
		Step=home typed contains here
		Step=title *wanted
		Timeout=15
	END
	try
	assert_failed_at 'title *wanted' "the windows are 'mine'"
	rm "$picture"
	vitrine stop "$id"
	kill "${background[0]}"
	assert_nothing_left
}

@test "no title and no output of an application does harm" {
	local stars
	stars=$(printf '*%.0s' {1..3000})
	write_test Argument=-T "Argument=$stars" Argument=-e Argument=sh Argument=-c \
		'Argument=read line; read line' <<-'END'
			Window=*
			Step=key Return
			Step=title *never*
			Timeout=12
	END
	try
	assert_failed_at 'title *never*' "the windows are '***"
	((${#output} < 5000))
	rm "$picture"
	write_profile tried <<-'END'
		[App]
		Command=/bin/sh
		Argument=-c
		Argument=printf 'first line\n'; head -c 8000000 /dev/zero | tr '\0' '\033'; printf '\033[31mlast\r\n\302\233x\n' >&2; exit 3
		[Display]
		Backend=none
		[Test]
		Step=exit 4
		Timeout=60
	END
	try
	assert_failed_at 'exit 4' 'it ended with status 3, not 4'
	[[ $output == *'    | \x1b[31mlast'* ]] || fail "the last line is not shown"
	[[ $output != *$'\033'* && $output != *$'\302\233'* ]] || fail "control characters"
	sed -i 's/exit 4/exit 3/; s/^Timeout/Step=output contains first line\nTimeout/' "$(profile_file tried)"
	try
	assert_passed
	assert_nothing_left
}

@test "what a killed test has left goes with the next one" {
	local left=/tmp/vitrine-test-left$$ used=/tmp/vitrine-test-used$$
	mkdir -p "$left/.kept" "$used"
	ln -s "$HOME" "$left/link"
	touch -d '1 hour ago' "$left" "$used"
	exec 7<"$used"
	flock 7
	write_test <<<'Step=clik'
	run vitrine profile test default 3>&- 7>&-
	expect "$status" -eq 0
	exec 7<&-
	[[ ! -e $left && -d $used && -d $HOME ]]
	rmdir "$used"
}
