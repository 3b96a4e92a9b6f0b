#!/usr/bin/env bats
# vitrine image: what it lists, what it refuses, and that a build that fails leaves nothing.

bats_require_minimum_version 1.5.0

setup() {
	images=$HOME/.local/share/vitrine/images
	recipes=$HOME/.config/vitrine/images
	recipe=test-$$-$BATS_TEST_NUMBER
}

teardown() {
	rm -f "$recipes/$recipe.image" "$HOME/.local/state/vitrine/image-$recipe.log"
}

write_recipe() { # LINE...
	mkdir -p "$recipes"
	printf '%s\n' '[Image]' "$@" >"$recipes/$recipe.image"
}

left_overs() {
	find "$images" -maxdepth 1 -name ".$recipe.*"
	find /var/tmp -maxdepth 1 -name 'vitrine-image.*' -user "$(id -un)"
}

assert_one_line() {
	[[ ${#lines[@]} == 1 && $output == "vitrine: "* ]]
}

@test "list --json is an array of images with sizes" {
	run -0 --separate-stderr vitrine image list --json
	[[ -z $stderr ]]
	jq -e 'all(.[]; keys == ["bytes", "created", "files", "name", "packages", "suite"])' <<<"$output"
	jq -e 'map(.name) | contains(["base", "display"]) and . == sort' <<<"$output"
	jq -e 'all(.[]; .bytes > 0 and .files > 0)' <<<"$output"
	jq -e 'all(.[]; .created | fromdate > 0)' <<<"$output"
}

@test "list shows the same images" {
	run -0 vitrine image list
	[[ ${lines[0]} == NAME*CREATED ]]
	[[ $output == *$'\n'base* && $output == *$'\n'display* ]]
}

@test "an unknown recipe is named, with a suggestion if one is near" {
	run -1 vitrine image build nothing-like-it
	assert_one_line
	[[ $output == *"no recipe for an image 'nothing-like-it'"* ]]
	run -1 vitrine image build bas
	assert_one_line
	[[ $output == *"did you mean 'base'?"* ]]
}

@test "an image that is not there" {
	run -1 vitrine image rm nothing-like-it
	assert_one_line
	[[ $output == *"no image 'nothing-like-it'"* ]]
}

@test "hostile names are refused and shown harmlessly" {
	local name verb
	for name in .. . '' a/b ../base -base $'a\nb' $'\033[2J' 'a b' A "$(printf 'a%.0s' {1..64})"; do
		for verb in build rm; do
			run -2 vitrine image "$verb" -- "$name"
			assert_one_line
			[[ $output != *$'\033'* ]]
		done
	done
	run -2 vitrine image rm -base
	assert_one_line
}

@test "wrong calls" {
	run -2 vitrine image build
	run -2 vitrine image build base display
	run -2 vitrine image build base --suite
	run -2 vitrine image build base --suite ../sid
	run -2 vitrine image list base
	run -2 vitrine image rm
}

@test "a recipe with a mistake is named by file and line" {
	write_recipe 'Packages=xterm' 'Mirror=http://example.net/'
	run -1 vitrine image build "$recipe"
	assert_one_line
	[[ $output == *"$recipe.image:3: "*Mirror* ]]
	write_recipe 'Packages=xterm --allow-unauthenticated'
	run -1 vitrine image build "$recipe"
	assert_one_line
	[[ $output == *"$recipe.image:2: "*"not the name of a package"* ]]
}

@test "a build that fails leaves nothing but its log" {
	write_recipe 'Packages=no-such-package-of-any-release'
	run -1 vitrine image build "$recipe"
	[[ ${lines[-1]} == "vitrine: cannot build image '$recipe': "* ]]
	[[ $output == *"$HOME/.local/state/vitrine/image-$recipe.log"* ]]
	[[ -s $HOME/.local/state/vitrine/image-$recipe.log ]]
	[[ ! -e $images/$recipe ]]
	[[ -z $(left_overs) ]]
}

@test "a build that is interrupted or killed leaves no process, and the next one sweeps up" {
	local signal pid
	write_recipe 'Packages=no-such-package-of-any-release'
	for signal in INT TERM HUP KILL; do
		vitrine image build "$recipe" 3>&- &
		pid=$!
		for _ in {1..100}; do
			[[ -z $(left_overs) ]] || break
			sleep 0.01
		done
		kill -s "$signal" "$pid" || true
		wait "$pid" || true
	done
	for _ in {1..100}; do
		pgrep -u "$(id -u)" -x vitrine-guard >/dev/null || break
		sleep 0.1
	done
	run ! pgrep -u "$(id -u)" -x vitrine-guard
	run -1 vitrine image build "$recipe"
	[[ -z $(left_overs) ]]
}

@test "an image in use is neither removed nor replaced" {
	local before
	before=$(stat -c %i "$images/base")
	exec 9<"$images/base/image.json"
	flock -s 9
	run -1 vitrine image rm base
	assert_one_line
	[[ $output == *"in use"* ]]
	run -1 vitrine image build base </dev/null
	assert_one_line
	exec 9<&-
	[[ $(stat -c %i "$images/base") == "$before" ]]
}

@test "images hold no privilege and nothing of the host's network" {
	[[ -z $(find "$images/base/root" "$images/display/root" -perm /6000 -print -quit) ]]
	[[ -z $(find "$images/base/root" "$images/display/root" ! -user "$(id -un)" -print -quit) ]]
	[[ -z $(find "$images/base/root" "$images/display/root" ! -type f ! -type d ! -type l -print -quit) ]]
	[[ ! -e $images/base/root/etc/hostname && ! -e $images/base/root/etc/resolv.conf ]]
	[[ -z $(find "$images"/*/root/etc/apt -name '*.list' -o -name '*.sources' -o -name '99mmdebstrap') ]]
}
