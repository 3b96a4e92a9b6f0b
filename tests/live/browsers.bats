#!/usr/bin/env bats
# Browsers keep their pages from each other and from themselves: their own sandbox is on in a box.
#
# shellcheck disable=SC2154 # bats assigns

bats_require_minimum_version 1.5.0

# shellcheck source=tests/live/display-common.bash
source "$BATS_TEST_DIRNAME/display-common.bash"

setup_file() {
	move_runtime_dir
	start_desktop "$BATS_FILE_TMPDIR"
}

teardown_file() {
	end_desktop
	rmdir "$XDG_RUNTIME_DIR/vitrine/sandboxes"
	rm -rf "$XDG_RUNTIME_DIR"
}

teardown() { end_sandboxes; }

namespace() { readlink "/proc/$1/ns/$2"; } # PID KIND
filters() { awk '$1 == "Seccomp_filters:" { print $2 }' "/proc/$1/status"; } # PID

# Processes of a sandbox whose command line matches.
processes_like() { # ID PATTERN
	local pid
	while read -r pid _; do
		! tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -Eq -- "$2" || echo "$pid"
	done < <(processes_of "$1")
}

# The process whose namespaces are the box's: the browser itself.
await_browser() { # ID PATTERN; sets main
	await 30 process_of "$1" "$2"
	main=$(process_of "$1" "$2")
}

# Its page is confined: other namespaces than the browser's, more filters, no capability, nothing to
# open (its root is a directory of /proc that is empty by now).
is_confined() { # PID KIND...
	local pid=$1 kind
	for kind in "${@:2}"; do
		[[ $(namespace "$pid" "$kind") != "$(namespace "$main" "$kind")" ]] || {
			echo "$pid has the $kind namespace of $main"
			return 1
		}
	done
	(($(filters "$pid") > $(filters "$main")))
	grep -qx $'CapEff:\t0*' "/proc/$pid/status"
	grep -qx $'CapPrm:\t0*' "/proc/$pid/status"
	[[ -z $(ls -A "/proc/$pid/root/") ]]
}

@test "Chromium shows a page, and what renders it is in Chromium's own sandbox" {
	local pid pages
	run_sandbox chromium "$VITRINE_TEST_WEB"
	await_window 60 '^\[Chromium\] .*web\.test'
	await 30 middle_has "$window" "$VITRINE_TEST_COLOUR"
	await_browser "$id" '/chromium/chromium --show-component'
	pages=$(processes_like "$id" '--type=renderer')
	[[ -n $pages ]]
	for pid in $pages; do
		is_confined "$pid" user pid net
		# a process numbered from the outermost namespace inwards: host, box, Chromium, page
		[[ $(awk '$1 == "NSpid:" { print $NF }' "/proc/$pid/status") == 1 ]]
	done
	# No page has process numbers in common with another.
	# shellcheck disable=SC2086 # a list of words
	[[ $(for pid in $pages; do namespace "$pid" pid; done | sort -u | wc -l) == $(wc -w <<<$pages) ]]
	[[ -z $(processes_like "$id" '--no-sandbox') ]]
}

@test "Firefox shows a page, and each of its content processes is in a user namespace of its own" {
	local pid pages
	run_sandbox firefox-esr "$VITRINE_TEST_WEB"
	await_window 60 '^\[Firefox\] .*web\.test'
	await 30 middle_has "$window" "$VITRINE_TEST_COLOUR"
	await_browser "$id" '^firefox-esr --no-remote'
	pages=$(processes_like "$id" '-contentproc .* tab *$')
	[[ -n $pages ]]
	for pid in $pages; do
		is_confined "$pid" user net
	done
	# shellcheck disable=SC2086 # a list of words
	[[ $(for pid in $pages; do namespace "$pid" user; done | sort -u | wc -l) == $(wc -w <<<$pages) ]]
}
