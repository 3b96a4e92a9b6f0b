#!/usr/bin/env bats
# What is installed for people: completions that know what is there right now, pages, lists of keys.

load common

ask=$BATS_TEST_DIRNAME/../lint/completion
share=${VITRINE%/bin/*}/share

offers() { # LINE: what the three shells say, one word in each line, sorted; they must agree
	local shell
	echo "$1" >"$BATS_TEST_TMPDIR/line"
	bash "$ask/ask.bash" "$share/bash-completion/completions/vitrine" <"$BATS_TEST_TMPDIR/line" >"$BATS_TEST_TMPDIR/bash"
	zsh -f "$ask/ask.zsh" "$share/zsh/site-functions" <"$BATS_TEST_TMPDIR/line" >"$BATS_TEST_TMPDIR/zsh"
	fish "$ask/ask.fish" "$share/fish/vendor_completions.d/vitrine.fish" <"$BATS_TEST_TMPDIR/line" >"$BATS_TEST_TMPDIR/fish"
	for shell in bash zsh fish; do
		cut -f2 "$BATS_TEST_TMPDIR/$shell" | sort -u >"$BATS_TEST_TMPDIR/$shell.words"
		cmp "$BATS_TEST_TMPDIR/bash.words" "$BATS_TEST_TMPDIR/$shell.words" >&2
	done
	cat "$BATS_TEST_TMPDIR/bash.words"
}

@test "completion offers the sandboxes that run" {
	start_quiet 'sleep 60'
	[[ $(offers 'vitrine stop ') == "$id" ]]
	[[ $(offers 'vitrine profile prepare --from ') == "$id" ]]
}

@test "completion offers the profiles and images that are there" {
	[[ $(offers 'vitrine run ') == "$(vitrine profile list | sort)" ]]
	[[ $(offers 'vitrine image show ') == "$(vitrine image list --json | jq -r '.[].name' | sort -u)" ]]
}

@test "completion offers the keys of a profile" {
	[[ $(offers 'vitrine profile show --key ') == "$(vitrine profile keys | sed 's/ .*//' | sort)" ]]
	[[ $(offers 'vitrine profile show --key=Display.B') == *Display.Backend* ]]
}

@test "help shows the page of every command" {
	local kind call page rest n=0
	while IFS=$'\t' read -r kind call page rest; do
		[[ $kind == command ]] || continue
		# shellcheck disable=SC2086 # words of a call
		run -0 env MANPAGER=cat vitrine help $call
		[[ $output == *"NAME"*" $page - "* ]] || fail "$call" "$output"
		((++n))
	done < <(vitrine --table)
	((n > 40))
}

@test "profile keys says in JSON what it says in text" {
	vitrine profile keys --json | jq -r '.[] | "\(.section).\(.key) \(.default // "-") \(.allowed)"' >"$BATS_TEST_TMPDIR/json"
	vitrine profile keys | tr -s ' ' | diff - "$BATS_TEST_TMPDIR/json"
	[[ $(vitrine profile keys --json | jq -c '.[] | select(.key == "Viewer") | .choices') == '["box","host"]' ]]
	[[ $(vitrine profile keys --json | jq -r '.[] | select(.section == "Limits" and .key == "Disk") | .allowed') == 'size, 1M to 64G' ]]
}

@test "profile show --key prints one value" {
	write_profile keyed <<<$'[App]\nCommand=x\nArgument=one\nArgument=two words\n[Display]\nBackend=none'
	local file=$BATS_TEST_TMPDIR/keyed.vitrine
	[[ $(vitrine profile show --key=Display.Backend "$file") == none ]]
	[[ $(vitrine profile show --key App.Argument "$file") == $'one\ntwo words' ]]
	[[ -z $(vitrine profile show --key Limits.Cpu "$file") ]]
	run -2 vitrine profile show --key Display "$file"
	[[ $output == *"no key 'Display'"* ]]
	run -2 vitrine profile show --key Devices.Camera "$file"
	[[ $output == *"not supported"* ]]
	run -2 vitrine profile show --key App.Image --json "$file"
}
