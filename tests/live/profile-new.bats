#!/usr/bin/env bats
# vitrine profile new: what it writes, and that it never replaces anything.

load common

setup() {
	setup_sandboxes
	config=$HOME/.config/vitrine
	profile=new-$$-$BATS_TEST_NUMBER
	profile_path=$config/profiles/$profile.vitrine
	recipe_path=$config/images/$profile.image
}

teardown() {
	rm -f "$profile_path" "$recipe_path"
	rmdir "$config/profiles" "$config/images" "$config" 2>/dev/null || true
	teardown_sandboxes
}

written() { find "$config" -mindepth 2 -name "*$profile*" 2>/dev/null; }

@test "both files are written, and it says what comes next" {
	run -0 --separate-stderr vitrine profile new "$profile" --package xterm
	[[ ${lines[0]} == "$profile_path" && ${lines[1]} == "$recipe_path" ]] || fail "$output"
	[[ $output == *"vitrine image build $profile"*"vitrine run $profile"* && -z $stderr ]] || fail "$output" "$stderr"
	[[ $(stat -c %a "$profile_path" "$recipe_path") == $'644\n644' && $(written | wc -l) == 2 ]]
	run -0 vitrine profile show "$profile"
	[[ $output == *$'\n'"Image=$profile"$'\n'* && $output == *Mode=none* ]] || fail "$output"
	[[ $output == *"Command="*xterm* ]] || fail "$output"
	grep -qx 'Base=base' "$recipe_path"
	grep -qx 'Packages=xterm' "$recipe_path"
	run -125 --separate-stderr vitrine run "$profile" </dev/null
	[[ $stderr == *"vitrine image build $profile"* ]] || fail "$stderr"
}

@test "nothing is replaced or hidden, and nothing half is left" {
	run -0 vitrine profile new "$profile" --package xterm
	sed -i '1i # mine' "$profile_path"
	run -1 --separate-stderr vitrine profile new "$profile" --package mpv
	[[ $stderr == *"there is a profile '$profile' already" ]] || fail "$stderr"
	assert_one_line
	[[ $(head -n 1 "$profile_path") == '# mine' ]]
	rm "$profile_path"
	run -1 --separate-stderr vitrine profile new "$profile" --package mpv
	[[ $stderr == *"there is a recipe for an image '$profile' already" ]] || fail "$stderr"
	[[ ! -e $profile_path ]]
	rm "$recipe_path"
	ln -s /dev/null "$profile_path"
	run -1 --separate-stderr vitrine profile new "$profile" --package mpv
	assert_one_line
	[[ -L $profile_path && ! -e $recipe_path && $(written | wc -l) == 1 ]] || fail "$(written)"
	local name
	for name in mousepad firefox display; do
		run -1 --separate-stderr vitrine profile new "$name" --package mpv
		[[ $stderr == *" already" ]] || fail "$stderr"
	done
}

@test "wrong names and calls" {
	local name
	for name in .. a/b A '' $'a\nb' -a "$(printf 'a%.0s' {1..64})"; do
		run -2 --separate-stderr vitrine profile new --package=xterm -- "$name"
		assert_one_line
	done
	for name in .. a/b A '' $'a\nb' -a 'xterm mpv' 'xterm-' '?name(xterm)'; do
		run -2 --separate-stderr vitrine profile new --package="$name" "$profile"
		assert_one_line
	done
	run -2 vitrine profile new "$profile"
	run -2 vitrine profile new --package xterm
	run -2 vitrine profile new --package xterm --base ../base "$profile"
	run -1 --separate-stderr vitrine profile new --package xterm --base bas "$profile"
	[[ $stderr == *"did you mean 'base'?" ]] || fail "$stderr"
	[[ -z $(written) ]]
}
