#!/usr/bin/env bats
# What shows a profile: show, explain, audit, diff.

load common

setup() {
	setup_sandboxes
	write_profile plain <<<$'[App]\nCommand=x\n[Display]\nBackend=none'
	write_profile wide <<-'END'
		# Gives: much.
		[App]
		Command=x
		[Files]
		ReadOnly=~/Given
		[Network]
		Mode=private
		[Identity]
		UidMode=user
	END
	plain=$(profile_file plain)
	wide=$(profile_file wide)
	mine=~/.config/vitrine/profiles/evince.vitrine
}

teardown() {
	rm -f "$mine"
	teardown_sandboxes
}

json() { python3 -c "import json, sys; d = json.load(sys.stdin); sys.exit(not ($1))"; }

@test "show is a fixed point for every profile, with origins and without" {
	local shown=$BATS_TEST_TMPDIR/shown.vitrine again=$BATS_TEST_TMPDIR/again.vitrine
	for name in $(vitrine profile list); do
		vitrine profile show "$name" >"$shown"
		vitrine profile show "$shown" | cmp - "$shown"
		vitrine profile show --origins "$name" >"$again"
		vitrine profile show "$again" | cmp - "$shown"
	done
}

@test "show --origins names file and line" {
	run -0 vitrine profile show --origins "$wide"
	[[ $output == *"# $wide:7"$'\nMode=private'* ]]
	[[ $output == *$'# the default\nRoot=read-only'* ]]
	vitrine profile show --json "$wide" |
		json 'any(s["key"] == "Mode" and s["line"] == 7 for s in d["settings"])'
}

@test "show has every format" {
	for format in plan lxc seccomp apparmor bus network env; do
		run -0 vitrine profile show --format="$format" "$plain"
		[[ $output == "# the id, "* ]]
		vitrine profile show --json --format="$format" "$plain" | json 'd["lines"] and d["notes"]'
	done
	run -0 vitrine profile show --format=lxc "$plain"
	[[ $output == *"lxc.idmap = u $(id -u) 1025 1"* ]]
	run -0 vitrine profile show --format=network "$wide"
	[[ $output == */slirp4netns* ]]
	run -1 vitrine profile show --format=lxc --box=viewer "$plain"
	[[ $output == *"needs no viewer box"* ]]
	run -2 vitrine profile show --format=xyzzy "$plain"
}

@test "explain tells what can be done, and what cannot" {
	run -0 vitrine profile explain "$plain"
	[[ $output == *"- It cannot reach any network."* && $output != *"+ It can show windows"* ]]
	run -0 vitrine profile explain "$wide"
	[[ $output == *"+ It can connect to every computer"* && $output == *"~/Given"* ]]
	vitrine profile explain --json "$wide" |
		json 'any(e["setting"] == "Identity.UidMode" and e["can"] for e in d)'
}

@test "audit: a number, a threshold" {
	run -0 vitrine profile audit "$plain" "$wide"
	[[ ${lines[1]} == wide* && ${lines[2]} == plain* ]]
	run -0 vitrine profile audit --sort=name "$plain" "$wide"
	[[ ${lines[1]} == plain* ]]
	run -1 vitrine profile audit --threshold=2.0 "$plain" "$wide"
	run -0 vitrine profile audit --threshold=2 "$plain"
	run -2 vitrine profile audit --threshold=11 "$plain"
	run -2 vitrine profile audit no-such-profile
	vitrine profile audit --json | json "len(d) == $(vitrine profile list | wc -l)"
}

@test "diff: both directions, and its exit status" {
	run -0 vitrine profile diff "$plain" "$plain"
	[ -z "$output" ]
	run -1 vitrine profile diff "$plain" "$wide"
	[[ $output == *"wide.vitrine may, and "*"[Network] Mode=private"*"$wide:7"* ]]
	vitrine profile diff --json "$wide" "$plain" | json '"Network" in [e["section"] for e in d["only_a"]]'
	run -2 vitrine profile diff "$plain" no-such-profile
	run -2 vitrine profile diff "$plain"
}

@test "diff of the system's profile and the user's" {
	mkdir -p "${mine%/*}"
	sed 's/^Arguments=.*/Arguments=read-write/' \
		"${VITRINE%/bin/vitrine}/share/vitrine/profiles/evince.vitrine" >"$mine"
	run -1 vitrine profile diff evince@system evince
	[[ $output == *"evince may, and evince@system may not:"*"[Files] Arguments=read-write"*"$mine:"* ]]
	rm "$mine"
	run -0 vitrine profile diff evince@system evince
}

@test "lint: nothing is wrong with what is shipped" {
	local files=("${VITRINE%/bin/vitrine}"/share/vitrine/profiles/*.vitrine) names
	names=("${files[@]##*/}")
	((${#names[@]} > 40))
	run -0 vitrine profile lint "${names[@]/%.vitrine/@system}"
	[[ -z $output ]] || fail "$output"
	run vitrine profile lint # the user's, too
	[[ $(grep -v "$HOME/.config/" <<<"$output") == "" ]] || fail "$output"
}

@test "lint: what is found, and exceptions" {
	run -0 vitrine profile lint "$wide"
	[[ $output == *"$wide: warning V004: "* && $output == *"$wide:9: warning V010: "* ]]
	printf '%s\n' '# ours' 'plain V001 short' 'plain V004 short' >"$BATS_TEST_TMPDIR/exceptions"
	run -0 vitrine profile lint --exceptions="$BATS_TEST_TMPDIR/exceptions" "$plain"
	[ -z "$output" ]
	printf '%s\n' 'plain V021 none' 'plain V0' >"$BATS_TEST_TMPDIR/exceptions"
	run -1 vitrine profile lint --exceptions="$BATS_TEST_TMPDIR/exceptions" "$plain"
	[[ $output == *"exceptions:1: warning V091: "*"exceptions:2: error V090: "* ]]
	run -1 vitrine profile lint no-such-profile
	[[ $output == *"error V000: unknown profile"* ]]
	vitrine profile lint --json "$plain" | json 'any(f["code"] == "V004" for f in d)'
	run -2 vitrine profile lint --exceptions=/nonexistent "$plain"
}
