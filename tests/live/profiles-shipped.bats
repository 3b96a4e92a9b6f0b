#!/usr/bin/env bats
# Profiles that are shipped, each launched, used and checked by its own [Test].  Those whose images
# are small, or needed by other tests too; `make check-profiles` takes all of them.

load common

setup() { setup_sandboxes; }

# A profile of which there may be one sandbox leaves a name where it was; that is no left-over.
teardown() {
	teardown_sandboxes
	rm -rf "$XDG_RUNTIME_DIR/vitrine/instances"
}

passes() { # PROFILE
	run vitrine profile test "$1" 3>&-
	echo "$output"
	expect "$status" = 0
	[[ $output == *$'\n'"$1: passed ("* ]]
	rm -rf "$XDG_RUNTIME_DIR/vitrine/instances"
	assert_nothing_left
}

@test "default" { passes default; }
@test "xterm" { passes xterm; }
@test "mousepad" { passes mousepad; }
@test "mpv" { passes mpv; }
@test "evince" { passes evince; }
@test "firefox-esr" { passes firefox-esr; }
@test "package-build" { passes package-build; }
@test "vlc" { passes vlc; }
@test "galculator" { passes galculator; }
@test "geany" { passes geany; }
@test "gnome-mines" { passes gnome-mines; }
