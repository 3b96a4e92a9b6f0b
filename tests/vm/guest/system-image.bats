#!/usr/bin/env bats
# Images of the system: root takes in what a user has built, and another image of that name goes before
# it. What runs in a box of it runs under AppArmor and limits as ever.
#
# shellcheck disable=SC2016,SC2154 # what is in '' expands inside; bats assigns

load ../../live/common
load guest

setup() {
	setup_sandboxes
	tree=$BATS_TEST_TMPDIR/tree
	write_profile shared <<<$'[App]\nCommand=/bin/sh\nImage=shared\n[Display]\nBackend=none'
}

teardown() {
	teardown_sandboxes
	vitrine image rm shared 2>/dev/null || true
	admin rm shared 2>/dev/null || true
}

admin() { as_root "$VITRINE" admin image "$@"; }

make_tree() { # MARK: a shell and its libraries
	local file
	mkdir -p "$tree"/{bin,lib64,etc}
	cp /bin/sh "$tree/bin/sh"
	for file in $(ldd /bin/sh | grep -o '/[^ ]*'); do
		mkdir -p "$tree/${file%/*}"
		cp -L "$file" "$tree/$file"
	done
	echo "$1" >"$tree/etc/mark"
}

mark() { vitrine run --profile "$(profile_file shared)" -- -c 'read a </etc/mark; echo $a'; }

@test "what root takes in is there for a user, who cannot change it" {
	make_tree system
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR" 2>/dev/null || true
	vitrine image import "$tree" shared
	vitrine image save --format oci --output "$BATS_TEST_TMPDIR/shared.oci" shared
	run -0 admin import "$BATS_TEST_TMPDIR/shared.oci" shared
	[[ $(vitrine image show --json shared | jq -r '.layers[0].sha256') == $(admin show --json shared | jq -r '.layers[0].sha256') ]]
	vitrine image rm shared
	[[ $(mark) == system ]]
	run -0 vitrine image verify shared
	run -1 vitrine image rm shared
	[[ $(stat -c %U /var/lib/vitrine/images/layers/*/root/etc/mark) == root ]]
	run ! touch /var/lib/vitrine/images/x
	start_detached --profile "$(profile_file shared)" -- -c 'while read -r x </etc/mark; do read -r -t 1 x </dev/zero || :; done'
	is_enforced app "$(label_of "$(init_pid "$id")")"
	run -1 admin rm shared
	[[ $output == *"in use"* ]]
	make_tree user
	vitrine image import "$tree" shared
	[[ $(mark) == user ]]
}

init_pid() { vitrine ps --json | jq -r --arg id "$1" '.[] | select(.id == $id) | .inits.app'; }
