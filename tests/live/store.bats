#!/usr/bin/env bats
# The store under stress: starts during updates, kills at any moment, a full disk, a store that
# cannot be written. Whatever happens, an image is the old or the new one, and gc loses no space.

load common

setup() {
	setup_sandboxes
	images=$HOME/.local/share/vitrine/images
	name=store-$$-$BATS_TEST_NUMBER
}

teardown() {
	teardown_sandboxes
	vitrine image rm "$name" 2>/dev/null || true
	vitrine image gc >/dev/null
}

# A small image that a program of the host can be started from: a shell, its libraries, and a mark.
make_tree() { # MARK
	local tree=$BATS_TEST_TMPDIR/tree file
	if [[ ! -e $tree ]]; then
		mkdir -p "$tree"/{bin,usr/bin,lib64,etc}
		cp /bin/sh "$tree/bin/sh"
		for file in $(ldd /bin/sh | grep -o '/[^ ]*'); do
			mkdir -p "$tree/${file%/*}"
			cp -L "$file" "$tree/$file"
		done
	fi
	echo "$1" >"$tree/etc/mark"
	echo "$1" >"$tree/usr/mark"
}

import_mark() { # MARK
	make_tree "$1"
	vitrine image import "$BATS_TEST_TMPDIR/tree" "$name" 2>/dev/null
}

write_small() { # the profile `small`, over the test's image
	write_profile small <<-END
		[App]
		Command=/bin/sh
		Image=$name
		[Display]
		Backend=none
		[Network]
		Mode=none
	END
}

marks() { # prints both marks of the image, which must be the same
	vitrine run --profile "$(profile_file small)" -- -c \
		'read a </etc/mark; read b </usr/mark; echo "$a $b"' 2>/dev/null
}

# Digests of the layers that the manifests name, and those that are there.
named_layers() { cat "$images"/names/*/*.json | jq -r '.layers[].sha256' | sort -u; }
kept_layers() { find "$images/layers" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort; }

assert_no_loss() { # after gc: what is there is what is named, and nothing else
	vitrine image gc --keep 0 >/dev/null
	diff <(named_layers) <(kept_layers)
	[[ -z $(find "$images/work" -mindepth 1) ]]
	[[ -z $(find "$images/names" -name '.*') ]]
}

@test "a hundred starts during updates, rollbacks and gc: each has one whole generation" {
	local i done=$BATS_TEST_TMPDIR/done out
	import_mark 1
	import_mark 2
	write_small
	(
		for ((i = 3; ; i++)); do
			[[ ! -e $done ]] || break
			import_mark $i
			vitrine image rollback "$name" >/dev/null
			vitrine image gc --keep 1 >/dev/null
		done
	) 3>&- &
	background+=($!)
	for i in {1..100}; do
		out=$(marks) || fail "start $i failed: $(marks 2>&1)"
		[[ $out =~ ^([0-9]+)" "([0-9]+)$ && ${BASH_REMATCH[1]} == "${BASH_REMATCH[2]}" ]] ||
			fail "start $i: '$out'"
	done
	: >"$done"
	wait $!
	assert_no_loss
}

@test "a sandbox keeps its generation while newer ones come and old ones go" {
	import_mark old
	write_small
	start_detached --profile "$(profile_file small)" -- -c \
		'while :; do read x </dev/null || :; done & wait'
	import_mark new
	vitrine image gc --keep 0 >/dev/null
	run -0 vitrine enter "$id" /bin/sh -c 'read a </etc/mark; echo $a'
	[[ $output == old ]]
	[[ $(marks) == "new new" ]]
	vitrine stop "$id"
	run -0 vitrine image gc --keep 0
	[[ $output == "removed 1 generations, 1 layers"* ]]
}

@test "killed at every step of an import: the old image or the new one, and gc loses nothing" {
	local call when i=0 killed=0
	import_mark 0
	write_small
	make_tree 1
	for call in flock mkdirat renameat renameat2 symlinkat syncfs unlinkat clone3 fchmod; do
		for when in 1 2 3 4; do
			i=$((i + 1))
			echo $i | tee "$BATS_TEST_TMPDIR/tree/etc/mark" >"$BATS_TEST_TMPDIR/tree/usr/mark"
			strace -f -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when=$when \
				vitrine image import "$BATS_TEST_TMPDIR/tree" "$name" >/dev/null 2>&1 ||
				(($? != 137)) || killed=$((killed + 1))
			run -0 marks
			[[ $output =~ ^([0-9]+)" "([0-9]+)$ && ${BASH_REMATCH[1]} == "${BASH_REMATCH[2]}" ]]
			vitrine image verify "$name" >/dev/null
		done
	done
	((killed >= 10)) || fail "only $killed were killed"
	assert_no_loss
	import_mark last
	[[ $(marks) == "last last" ]]
}

@test "killed at every step of rollback, gc and rm" {
	local verb call when
	write_small
	for verb in "rollback $name 1" 'gc --keep 0' "rm $name"; do
		for call in flock renameat renameat2 symlinkat unlinkat; do
			for when in 1 2 3; do
				vitrine image show "$name" >/dev/null 2>&1 || import_mark 1
				import_mark 2
				# shellcheck disable=SC2086 # words of a command
				strace -f -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when=$when \
					vitrine image $verb >/dev/null 2>&1 || true
				if vitrine image show "$name" >/dev/null 2>&1; then
					run -0 marks
					[[ $output == "1 1" || $output == "2 2" ]]
				fi
			done
		done
	done
	vitrine image rm "$name" 2>/dev/null || true
	assert_no_loss
}

@test "a full disk: a plain error, nothing half, and the old image stays" {
	local size
	import_mark old
	write_small
	make_tree new
	head -c 8M /dev/urandom >"$BATS_TEST_TMPDIR/tree/large"
	for size in 64k 1m 4m 9m; do
		run -1 --separate-stderr unshare --user --map-current-user --keep-caps --mount sh -ec '
			mkdir "$1/mounted" && cp -a "$2/." "$1/mounted"
			mount -t tmpfs -o size=$3 none "$2"
			mkdir "$2/names" "$2/layers" "$2/work"
			exec setpriv --ambient-caps=-all --inh-caps=-all vitrine image import "$4" "$5"' \
			sh "$BATS_TEST_TMPDIR/full-$size" "$images/work" "$size" "$BATS_TEST_TMPDIR/tree" "$name" ||
			fail "$size: $stderr"
	done
	[[ $(marks) == "old old" ]]
}

@test "a store that cannot be written: images are read, changes are refused in one line" {
	import_mark 1
	write_small
	where() {
		unshare --user --map-current-user --keep-caps --mount sh -ec '
			mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"
			shift; exec setpriv --ambient-caps=-all --inh-caps=-all "$@"' sh "$images" "$@"
	}
	run -0 where vitrine image show "$name"
	run -0 where vitrine image verify "$name"
	run -0 where vitrine image save --output "$BATS_TEST_TMPDIR/saved.tar" "$name"
	for verb in "import $BATS_TEST_TMPDIR/tree $name" "rm $name" gc "rollback $name 1"; do
		# shellcheck disable=SC2086 # words of a command
		run -1 --separate-stderr where vitrine image $verb
		stderr=$(grep -v "^$name: " <<<"$stderr")
		assert_one_line
		[[ $stderr == *"Read-only file system"* ]]
	done
}

@test "two imports of one name at once: one is refused, or both make a generation" {
	local first second
	import_mark 1
	write_small
	for _ in {1..10}; do
		vitrine image import "$BATS_TEST_TMPDIR/tree" "$name" >/dev/null 2>&1 &
		first=$!
		vitrine image import "$BATS_TEST_TMPDIR/tree" "$name" >"$BATS_TEST_TMPDIR/second" 2>&1 ||
			grep -q "just being made by another process" "$BATS_TEST_TMPDIR/second"
		wait $first || true
		[[ $(marks) == "1 1" ]]
	done
	assert_no_loss
}

# Root of a user namespace of one's own is no root, but has the same number.
as_root() {
	unshare --user --map-root-user --mount sh -ec '
		mount -t tmpfs -o mode=755 none /var/lib
		mkdir -p "$1/var"
		[ ! -e "$1/store" ] || { mkdir -p /var/lib/vitrine && cp -a "$1/store" /var/lib/vitrine/images; }
		tmp=$1; shift; "$@"; status=$?
		rm -rf "$tmp/store"; cp -a /var/lib/vitrine/images "$tmp/store"
		exit $status' sh "$BATS_TEST_TMPDIR" "$@"
}

@test "admin image: the system's images, by root and nobody else" {
	run -2 --separate-stderr vitrine admin image list
	assert_one_line
	[[ $stderr == *"is for root: 'sudo vitrine admin image"* ]]
	make_tree 1
	run -0 as_root vitrine admin image import "$BATS_TEST_TMPDIR/tree" "$name"
	run -0 as_root vitrine admin image list --json
	jq -e --arg name "$name" '.[0].name == $name and .[0].store == "system"' <<<"$output"
	run -0 as_root vitrine admin image verify
	[[ $(stat -c %a "$BATS_TEST_TMPDIR/store" "$BATS_TEST_TMPDIR"/store/{layers,names,layers/*/root} | sort -u) == 755 ]]
	run -0 as_root vitrine admin image rm "$name"
	run -0 as_root vitrine admin image list --json
	[[ $output == '[]' ]]
	run -1 as_root vitrine admin image build --user root base
	[[ $output == *"root builds no images"* ]]
	run -1 as_root vitrine admin image build --user $'no\nbody' base
	[[ $output == *"there is no user 'no\\x0abody'"* ]]
}
