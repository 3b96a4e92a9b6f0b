#!/usr/bin/env bats
# Root=writable: what it changes, what its limit is, and what happens on a kernel that cannot have it.
#
# shellcheck disable=SC2016 # what is in '' expands inside

load common

setup() {
	setup_sandboxes
	# The image's files belong to the user, so he may change them where he has his own id.
	write_profile writable <<-'END'
		[App]
		Command=/bin/sh
		Image=base
		[Files]
		Root=writable
		[Display]
		Backend=none
		[Identity]
		UidMode=user
		[Limits]
		Disk=16M
		Inodes=1024
	END
}

changing() { # SCRIPT
	vitrine run --profile "$(profile_file writable)" -- -ec "$1" 3>&-
}

# As Linux before 6.6 answers.
without_attributes() { # COMMAND...
	strace -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=setxattr,fsetxattr -e signal=none \
		-e inject=setxattr,fsetxattr:error=EOPNOTSUPP "$@" 3>&-
}

@test "directories of the image are removed, renamed and made anew, and the next start has them" {
	run -0 --separate-stderr changing '
		cd /usr/share
		test -e zoneinfo/Europe/Berlin
		rm -rf zoneinfo/Europe
		test ! -e zoneinfo/Europe
		mkdir zoneinfo/Europe
		test -z "$(ls -A zoneinfo/Europe)"
		mv perl5 pearl
		test -e pearl && test ! -e perl5
		ln zoneinfo/tzdata.zi same
		echo more >>same
		test "$(tail -n 1 zoneinfo/tzdata.zi)" = more
		cp /bin/true /usr/bin/new && /usr/bin/new
		echo done'
	[[ $output == "done" ]] || fail "$output" "$stderr"
	run -0 --separate-stderr changing 'test -e /usr/share/zoneinfo/Europe/Berlin && test -e /usr/share/perl5 && ! test -e /usr/bin/new && echo whole'
	[[ $output == whole ]]
	run -0 vitrine image verify base
	assert_nothing_left
}

@test "at the limit the application sees a plain 'no space left', and room again when it has removed something" {
	run -0 --separate-stderr changing '
		! why=$(head -c 20M /dev/zero 2>&1 >/usr/fill)
		echo "$why"
		rm /usr/fill
		head -c 8M /dev/zero >/usr/fill && rm /usr/fill && echo room
		! why=$(cd /usr/share && seq 2000 | xargs touch 2>&1)
		echo "$why" | tail -n 1
		rm -f /usr/share/[0-9]* && touch /usr/share/one && echo room'
	[[ ${lines[0]} == *"No space left on device" && ${lines[1]} == room ]] || fail "$output" "$stderr"
	[[ ${lines[2]} == *"No space left on device" && ${lines[3]} == room ]] || fail "$output" "$stderr"
	assert_nothing_left
}

@test "a kernel that cannot have it: the profile is refused before anything of it runs" {
	run -125 --separate-stderr without_attributes vitrine run --profile "$(profile_file writable)" -- -c 'echo ran'
	[[ -z $output && $stderr == *"profile 'writable' has Root=writable, and this kernel cannot"*"'vitrine doctor'"* ]] || fail "$stderr"
	assert_one_line
	assert_nothing_left
}

@test "other profiles start there, and ask nothing" {
	run -0 --separate-stderr without_attributes vitrine run --profile "$(profile_file quiet)" -- -c 'echo ran'
	[[ $output == ran && ! -s $BATS_TEST_TMPDIR/trace ]] || fail "$stderr" "$(<"$BATS_TEST_TMPDIR/trace")"
}

@test "there, doctor says why, and what to do" {
	run vitrine doctor --json
	[[ $(jq -r '.[] | select(.name == "overlay on tmpfs") | .result' <<<"$output") == ok ]] || fail "$output"
	run without_attributes -f vitrine doctor --json
	run -0 jq -r '.[] | select(.name == "overlay on tmpfs") | .result, .detail, .mend' <<<"$output"
	[[ ${lines[0]} == warning && ${lines[1]} == *attributes* && ${lines[1]} == *"Root=writable are refused"* && ${lines[2]} == "use Linux 6.6"* ]] || fail "$output"
}
