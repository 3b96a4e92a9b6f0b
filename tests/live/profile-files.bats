#!/usr/bin/env bats
# Files of profiles: what they inherit, their drop-ins, and those that are there to do harm.

load common

profiles=$HOME/.config/vitrine/profiles

setup() {
	setup_sandboxes
	files_of_test=()
	add_file still.vitrine <"$(profile_file quiet)"
}

teardown() {
	rm -rf "${files_of_test[@]}"
	teardown_sandboxes
}

# One of this test alone: gone with it.
add_file() { # NAME: its text is standard input
	files_of_test+=("$profiles/${1%%/*}")
	mkdir -p "$(dirname "$profiles/$1")"
	cat >"$profiles/$1"
}

# Refused with one line that says this, within two seconds and 64 MiB.
refuses() { # WORDS COMMAND...
	local words=$1
	shift
	run --separate-stderr timeout 2 prlimit --as=$((64 << 20)) "$@"
	[[ $status == 1 || ($status == 125 && $2 == run) ]]
	# shellcheck disable=SC2154 # bats sets them
	[[ ${#stderr_lines[@]} == 1 && $stderr == "vitrine: "* ]]
	[[ $stderr == *"$words"* ]]
	# Nothing that a terminal would obey.
	[[ $stderr != *[$'\001'-$'\037\177']* ]]
}

refuses_profile() { # WORDS TEXT: with printf's escapes
	# shellcheck disable=SC2059 # that is the point
	add_file hostile.vitrine < <(printf "$2")
	refuses "$1" vitrine profile show hostile
}

@test "a profile that inherits runs as its parent does" {
	add_file heir.vitrine <<-'END'
		[Profile]
		Inherit=still
		[App]
		Argument=-c
		Argument=echo "$0 %u %h %i 100%%"; cat /etc/hostname; cat /etc/timezone
		[Identity]
		HostName=desk
		TimeZone=Asia/Tokyo
	END
	run -0 --separate-stderr vitrine run heir
	[[ ${lines[0]} == "/bin/sh $USER $HOME heir-"*" 100%" ]]
	[[ ${lines[1]} == desk ]]
	[[ ${lines[2]} == Asia/Tokyo ]]
}

@test "drop-ins count in the order of their names, and /dev/null masks one" {
	add_file still.vitrine.d/20-more.conf <<<$'[Limits]\nTasks=70'
	add_file still.vitrine.d/10-less.conf <<<$'[Limits]\nTasks=60'
	run -0 vitrine profile show still
	[[ $output == *$'\nTasks=70\n'* ]]
	ln -sf /dev/null "$profiles/still.vitrine.d/20-more.conf"
	run -0 vitrine profile show still
	[[ $output == *$'\nTasks=60\n'* ]]
}

@test "what is shown reads back to itself" {
	local name
	for name in $(vitrine profile list); do
		vitrine profile show "$name" >"$BATS_TEST_TMPDIR/first"
		add_file again.vitrine <"$BATS_TEST_TMPDIR/first"
		vitrine profile show again >"$BATS_TEST_TMPDIR/second"
		# A name of its own is all that a copy lacks.
		diff <(grep -v ^Alias= "$BATS_TEST_TMPDIR/first") <(grep -v ^Alias= "$BATS_TEST_TMPDIR/second")
	done
}

@test "the lifetime of a sandbox ends it" {
	add_file short.vitrine <<-'END'
		[Profile]
		Inherit=still
		[App]
		Argument=-c
		Argument=sleep 60
		[Session]
		Lifetime=1s
	END
	run -143 --separate-stderr vitrine run short
	[[ $stderr == *"Lifetime= in the profile 'short'"* ]]
}

@test "characters that lie or act are refused in every value" {
	refuses_profile "hostile.vitrine:2: control character" '[App]\nCommand=a\033[2Jb\n'
	refuses_profile "hostile.vitrine:2: control character" '[App]\nTitle=a\rb\n'
	refuses_profile "hostile.vitrine:2: NUL byte" '[App]\nCommand=a\000b\n'
	refuses_profile "hostile.vitrine:2: control character, change of direction" '[App]\nTitle=a\342\200\256b\n'
	refuses_profile "hostile.vitrine:1: control character, change of direction" '# a\342\201\246b\n'
	refuses_profile "hostile.vitrine:3: neither" '[App]\nCommand=a\nlxc.hook.pre-start x\n'
	refuses_profile "hostile.vitrine:3: not a key" '[App]\nCommand=a\nlxc.hook.pre-start=x\n'
	refuses_profile "hostile.vitrine:2: control character" '[App]\nCommand=\377\376\n'
}

@test "sizes are limited, and refused in no time" {
	add_file hostile.vitrine < <(printf '[App]\nCommand=' && head -c $((1 << 20)) /dev/zero | tr '\0' a)
	refuses "larger than 1048576 bytes" vitrine profile show hostile
	add_file hostile.vitrine < <(printf '[App]\nCommand=' && head -c 100000 /dev/zero | tr '\0' a)
	refuses "hostile.vitrine:2: line longer than 4096 bytes" vitrine profile show hostile
	truncate --size=4G "$profiles/hostile.vitrine"
	refuses "larger than 1048576 bytes" vitrine profile show hostile
	add_file hostile.vitrine < <(printf '[App]\nCommand=a\n' && yes Argument=a | head -n 1000)
	refuses "hostile.vitrine:259: more than 256 values" vitrine profile show hostile
}

@test "ten thousand profiles that inherit from each other" {
	local i
	for ((i = 0; i < 10000; i++)); do
		printf '[Profile]\nInherit=n%d\n[App]\nCommand=x\n' $((i + 1)) >"$profiles/n$i.vitrine"
	done
	refuses "more than 8 profiles inherit" vitrine profile show n0
	find "$profiles" -name 'n[0-9]*.vitrine' -delete
}

@test "ten thousand drop-ins" {
	local i
	files_of_test+=("$profiles/still.vitrine.d")
	mkdir "$profiles/still.vitrine.d"
	for ((i = 0; i < 10000; i++)); do
		: >"$profiles/still.vitrine.d/$i.conf"
	done
	refuses "more than 64 drop-ins" vitrine profile show still
}

@test "what is not a file of the user's or root's is refused, and nothing waits" {
	add_file hostile.vitrine <<<$'[App]\nCommand=a'
	chmod 666 "$profiles/hostile.vitrine"
	refuses "may be written by others" vitrine profile show hostile
	rm "$profiles/hostile.vitrine"
	mkfifo "$profiles/hostile.vitrine"
	refuses "not a regular file" vitrine profile show hostile
	refuses "not a regular file" vitrine run hostile
	rm "$profiles/hostile.vitrine"
	ln -s /dev/zero "$profiles/hostile.vitrine"
	refuses "hostile.vitrine" vitrine profile show hostile
	rm "$profiles/hostile.vitrine"
	ln -s /proc/self/fd/0 "$profiles/hostile.vitrine"
	refuses "hostile.vitrine" vitrine profile show hostile <<<$'[App]\nCommand=a'
	rm "$profiles/hostile.vitrine"
	mkdir "$profiles/hostile.vitrine"
	refuses "not a regular file" vitrine profile show hostile
	rmdir "$profiles/hostile.vitrine"
}

@test "a profile that is rewritten all the time is the one or the other" {
	local i writer
	# Each written at once: a state in between is an empty file, or none that anybody wrote.
	printf '[App]\nCommand=a\n[Limits]\nTasks=100\n' >"$BATS_TEST_TMPDIR/a"
	printf '[App]\nCommand=b\n[Limits]\nTasks=200\n#%200d\n' 0 >"$BATS_TEST_TMPDIR/b"
	add_file hostile.vitrine <"$BATS_TEST_TMPDIR/a"
	(
		while :; do
			cat "$BATS_TEST_TMPDIR/b" >"$profiles/hostile.vitrine"
			cat "$BATS_TEST_TMPDIR/a" >"$profiles/hostile.vitrine"
		done
	) &
	writer=$!
	background+=("$writer")
	for ((i = 0; i < 200; i++)); do
		run vitrine profile show hostile
		case $status,$output in
		0,*Command=a*Tasks=100* | 0,*Command=b*Tasks=200*) ;;
		0,*) false ;;
		1,*"was changed while it was read"* | 1,*"Command= is missing"*) ;; # it was empty
		*) false ;;
		esac
	done
	kill "$writer"
}

@test "a key that is not built yet is refused by name" {
	refuses_profile "hostile.vitrine:4: Microphone= is not supported in this version" \
		'[App]\nCommand=a\n[Sound]\nMicrophone=yes\n'
}
