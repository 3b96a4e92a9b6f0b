#!/usr/bin/env bats
# Root=writable on Debian's own kernels: that of Debian 12 (6.1) cannot have it, that of Debian 13 can.
#
# shellcheck disable=SC2154 # bats assigns

load ../../live/common
load guest

setup() {
	setup_sandboxes
	write_profile writable <<<$'[App]\nCommand=/bin/sh\nImage=base\n[Files]\nRoot=writable\n[Display]\nBackend=none\n[Identity]\nUidMode=user'
	can=yes
	[[ $(. /etc/os-release && echo "$VERSION_CODENAME") != bookworm ]] || can=no
}

changing() {
	vitrine run --profile "$(profile_file writable)" -- -ec 'rm -rf /usr/share/zoneinfo; mkdir /usr/share/zoneinfo; echo changed' 3>&-
}

@test "writable root: it works, or the profile is refused before anything of it runs" {
	if [[ $can == yes ]]; then
		run -0 --separate-stderr changing
		[[ $output == changed ]] || fail "$stderr"
	else
		run -125 --separate-stderr changing
		[[ -z $output && $stderr == *"has Root=writable, and this kernel cannot"* ]] || fail "$output" "$stderr"
	fi
	assert_nothing_left
}

@test "writable root: doctor agrees" {
	run vitrine doctor --json
	run -0 jq -r '.[] | select(.name == "overlay on tmpfs") | .result, .detail' <<<"$output"
	if [[ $can == yes ]]; then
		[[ ${lines[0]} == ok ]] || fail "$output"
	else
		[[ ${lines[0]} == warning && ${lines[1]} == *"Root=writable are refused"* ]] || fail "$output"
	fi
}
