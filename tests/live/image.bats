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
	find "$images/work" -mindepth 1 -maxdepth 1 -name "$recipe.*"
	find /var/tmp -maxdepth 1 -name 'vitrine-image.*' -user "$(id -un)"
}

assert_one_line() {
	[[ ${#lines[@]} == 1 && $output == "vitrine: "* ]]
}

@test "list --json is an array of images with sizes" {
	run -0 --separate-stderr vitrine image list --json
	[[ -z $stderr ]]
	jq -e 'all(.[]; keys == ["bytes", "created", "files", "generation", "layers", "name", "packages", "store", "suite"])' <<<"$output"
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
	run -2 vitrine image show
	run -2 vitrine image gc base
	run -2 vitrine image gc --keep some
	run -2 vitrine image rollback
	run -2 vitrine image rollback base 0
	run -2 vitrine image rollback base 1 2
	run -2 vitrine image rollback ../base
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
	[[ ! -e $images/names/$recipe ]]
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

roots() { # IMAGE...: the trees of all of its layers
	local image
	for image; do
		vitrine image show --json "$image" | jq -r '.layers[].sha256' | sed "s#.*#$images/layers/&/root#"
	done
}

@test "an image in use is not removed" {
	exec 9<"$images/names/base/$(readlink "$images/names/base/current")"
	flock -s 9
	run -1 vitrine image rm base
	assert_one_line
	[[ $output == *"in use"* || $output == *"is made on"* ]]
	exec 9<&-
	vitrine image show base >/dev/null
}

@test "images hold no privilege and nothing of the host's network" {
	local roots
	mapfile -t roots < <(roots base display)
	((${#roots[@]} >= 2))
	[[ -z $(find "${roots[@]}" -perm /6000 -print -quit) ]]
	[[ -z $(find "${roots[@]}" ! -user "$(id -un)" -print -quit) ]]
	[[ -z $(find "${roots[@]}" ! -type f ! -type d ! -type l -print -quit) ]]
	for root in "${roots[@]}"; do
		[[ ! -e $root/etc/hostname && ! -e $root/etc/resolv.conf ]]
		[[ -z $(find "$root/etc/apt" -name '*.list' -o -name '*.sources' -o -name '99mmdebstrap' 2>/dev/null) ]]
	done
}

@test "show tells what an image is made of" {
	run -0 vitrine image show base
	[[ $output == *"source        recipe base"* && $output == *"package       xclip "* ]]
	run -0 vitrine image show --json base
	jq -e '.name == "base" and .format == 1 and (.layers | length > 0) and .packages.xclip' <<<"$output"
	run -1 vitrine image show nothing-like-it
	assert_one_line
}

@test "verify reads every byte, and names the one that is not as it was made" {
	local victim saved
	run -0 vitrine image verify base display
	[[ $output == "2 images, "*" layers: every byte is as it was made" ]]
	victim=$(roots base | tail -n 1)/usr/bin/xclip
	saved=$BATS_TEST_TMPDIR/saved
	cp -p "$victim" "$saved"
	printf x | dd of="$victim" bs=1 seek=1000 conv=notrunc status=none
	touch -r "$saved" "$victim"
	run -1 vitrine image verify
	cp -p "$saved" "$victim"
	assert_one_line
	[[ $output == "vitrine: image '"*"': layer "*": 'usr/bin/xclip' is not as it was made" ]]
	run -0 vitrine image verify base
	run -1 vitrine image verify nothing-like-it
	assert_one_line
}

@test "a store that others may write to is not used" {
	chmod g+w "$images"
	run -1 vitrine image list
	chmod g-w "$images"
	assert_one_line
	[[ $output == *"only he may write there"* ]]
}

@test "a manifest that is damaged is refused, with what mends it" {
	local file
	file=$images/names/base/$(readlink "$images/names/base/current")
	cp -p "$file" "$BATS_TEST_TMPDIR/saved"
	sed -i 's/"sha256": "..../"sha256": "zzzz/' "$file"
	run -125 vitrine run --display none -- /bin/true
	cp -p "$BATS_TEST_TMPDIR/saved" "$file"
	[[ $output == *"is damaged"*"build or import the image again"* ]]
	sed -i 's/"sha256": "..../"sha256": "0000/' "$file"
	run -125 vitrine run --display none -- /bin/true
	cp -p "$BATS_TEST_TMPDIR/saved" "$file"
	[[ $output == *"layer 0000"*" is missing"* ]]
	run -0 vitrine run --display none -- /bin/true
}
