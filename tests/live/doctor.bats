#!/usr/bin/env bats
# vitrine doctor in a desktop session where everything is there, and with single parts taken away.

bats_require_minimum_version 1.5.0

: "${VITRINE:=/usr/local/bin/vitrine}"
export PATH=${VITRINE%/*}:$PATH

result_of() { # CHECK
	jq -r --arg name "$1" '.[] | select(.name == $name) | .result' <<<"$output"
}

mend_of() { # CHECK
	jq -r --arg name "$1" '.[] | select(.name == $name) | .mend' <<<"$output"
}

@test "a prepared host has no failure" {
	run -0 vitrine doctor
	[[ ! $output =~ (^|$'\n')failure ]]
	[[ ${lines[-1]} == *"0 failures. Applications can be run in sandboxes." ]]
}

@test "what shows the windows is said" {
	run -0 vitrine doctor --json
	[[ $(result_of windows) == ok ]]
	[[ $(jq -r '.[] | select(.name == "windows") | .detail' <<<"$output") == \
		"shown by xpra 3.1"*" of the image 'display' (Debian 12)" ]]
	run -0 --separate-stderr vitrine run --timings xterm -e true
	[[ $stderr == *$'\n'"windows      xpra 3.1"*" of the image 'display' (Debian 12)" ]]
}

teardown() {
	[[ -z ${hosted:-} ]] || rm -f "$hosted"
}

@test "a profile with Viewer=host is told and refused where the host has no xpra" {
	local name=viewer-$$
	mkdir -p ~/.config/vitrine/profiles
	hosted=~/.config/vitrine/profiles/$name.vitrine
	printf '[App]\nCommand=xterm\n[Display]\nViewer=host\n' >"$hosted"
	run -0 vitrine doctor --json
	if [[ -x /usr/bin/xpra ]]; then
		[[ $(result_of windows) == ok ]]
		return
	fi
	[[ $(result_of windows) == warning ]]
	[[ $(jq -r '.[] | select(.name == "windows") | .detail' <<<"$output") == *"Viewer=host of: $name" ]]
	run -125 vitrine run "$name"
	[[ $output == *"'$name' has Viewer=host, and this host has no xpra"*"take that line out"* ]]
}

@test "no colours but at a terminal" {
	run -0 vitrine doctor
	[[ $output != *$'\033'* ]]
	run -0 script -qec 'vitrine doctor' /dev/null
	[[ $output == *$'\033[32mok'* ]]
	run -0 env NO_COLOR=1 script -qec 'vitrine doctor' /dev/null
	[[ $output != *$'\033'* ]]
}

@test "--json is an array of objects with four texts each" {
	run -0 --separate-stderr vitrine doctor --json
	[[ -z $stderr ]]
	jq -e 'length > 20 and all(.[]; keys == ["detail", "mend", "name", "result"])' <<<"$output"
	jq -e 'all(.[]; .result == "ok" or .result == "warning" or .result == "failure")' <<<"$output"
	jq -e 'all(.[]; .detail != "" and (.result == "ok") == (.mend == ""))' <<<"$output"
}

@test "nothing stays of what the checks made" {
	local before after
	before=$(cat /proc/self/mountinfo)
	run -0 vitrine doctor
	after=$(cat /proc/self/mountinfo)
	[[ $before == "$after" ]]
}

@test "without a display" {
	run -1 env -u DISPLAY vitrine doctor --json
	[[ $(result_of display) == failure ]]
	run -1 env DISPLAY=elsewhere:0 vitrine doctor --json
	[[ $(result_of display) == failure ]]
	run -1 env DISPLAY=:9999 vitrine doctor --json
	[[ $(result_of display) == failure ]]
	run -1 env XAUTHORITY=/nonexistent vitrine doctor --json
	[[ $(result_of display) == failure ]]
}

@test "without sound" {
	run -0 env PULSE_SERVER=unix:/nonexistent vitrine doctor --json
	[[ $(result_of sound) == warning ]]
	[[ -n $(mend_of sound) ]]
}

@test "without a usable run-time directory" {
	run -1 env -u XDG_RUNTIME_DIR vitrine doctor --json
	[[ $(result_of 'runtime directory') == failure ]]
	[[ $(mend_of 'runtime directory') == "export XDG_RUNTIME_DIR=/run/user/$(id -u)" ]]
	run -1 env XDG_RUNTIME_DIR=/tmp vitrine doctor --json
	[[ $(mend_of 'runtime directory') == "export XDG_RUNTIME_DIR="* ]]
	mkdir -m 0755 "$BATS_TEST_TMPDIR/mine"
	run -1 env XDG_RUNTIME_DIR="$BATS_TEST_TMPDIR/mine" vitrine doctor --json
	[[ $(mend_of 'runtime directory') == "chmod 0700 '$BATS_TEST_TMPDIR/mine'" ]]
}

@test "where user namespaces are forbidden" {
	run -1 unshare --user --map-current-user --keep-caps sh -c \
		'echo 0 >/proc/sys/user/max_user_namespaces && exec vitrine doctor --json'
	[[ $(result_of 'user namespaces') == failure ]]
	[[ $(mend_of 'user namespaces') == *"user.max_user_namespaces="* ]]
	[[ $(result_of overlay) == failure ]]
}

@test "a wrong call" {
	run -2 vitrine doctor now
	[[ $output == "vitrine: "*"vitrine doctor --help"* ]]
}
