#!/usr/bin/env bats
# The desktop's session bus, as far as a profile gives it: through a filter, and nothing else of it.

# shellcheck disable=SC2154 # bats sets stderr

load common

setup() {
	setup_sandboxes
	"$VITRINE_PROGRAMS/bus-service" org.vitrine.Talk org.vitrine.Call org.vitrine.Hidden \
		org.vitrine.all.One >"$BATS_TEST_TMPDIR/service" 3>&- &
	background+=("$!")
	wait_until 5 grep -q ready "$BATS_TEST_TMPDIR/service"
	write_profile bus <<-'END'
		[App]
		Command=/bin/sh
		Image=base
		[Display]
		Backend=none
		[Bus]
		Talk=org.vitrine.Talk
		Talk=org.vitrine.all.*
		Call=org.vitrine.Call=org.vitrine.Call.Allowed@/org/vitrine
		Broadcast=org.vitrine.Call=org.vitrine.Call.Happened@/org/vitrine
		Own=org.vitrine.Mine
	END
}

on_bus() { # SCRIPT [ARGUMENT...]: in a sandbox that has the profile above
	run --separate-stderr vitrine run --profile "$(profile_file bus)" -- -c "$@"
}

# shellcheck disable=SC2016 # expanded inside
send='dbus-send --session --print-reply --reply-timeout=3000 --dest=$0 $1 $2'

calls() { # NAME PATH METHOD
	on_bus "$send" "$@"
}

@test "what is given can be called, by name and by what is beneath it" {
	calls org.vitrine.Talk /a org.vitrine.Talk.Anything
	[[ $status == 0 && $output == *'string "Anything"'* ]]
	calls org.vitrine.all.One /a org.vitrine.all.One.Two
	[[ $status == 0 && $output == *'string "Two"'* ]]
}

@test "of a name with rules nothing else is passed on" {
	calls org.vitrine.Call /org/vitrine org.vitrine.Call.Allowed
	[[ $status == 0 && $output == *'string "Allowed"'* ]]
	calls org.vitrine.Call /org/vitrine org.vitrine.Call.Other
	[[ $status == 1 && $stderr == *AccessDenied* ]]
	calls org.vitrine.Call /org/other org.vitrine.Call.Allowed
	[[ $status == 1 && $stderr == *AccessDenied* ]]
	run ! grep -q Other "$BATS_TEST_TMPDIR/service"
}

@test "other names are not there, and cannot be started" {
	calls org.vitrine.Hidden /a org.vitrine.Hidden.Do
	[[ $status == 1 && $stderr == *ServiceUnknown* ]]
	run ! grep -q Do "$BATS_TEST_TMPDIR/service"
	calls org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus.ListNames
	[[ $status == 0 && $output == *org.vitrine.Talk* && $output != *Hidden* ]]
	on_bus 'dbus-send --session --print-reply --dest=org.freedesktop.DBus /org/freedesktop/DBus \
		org.freedesktop.DBus.StartServiceByName string:org.vitrine.Hidden uint32:0'
	[[ $status == 1 ]]
}

@test "the bus itself obeys nothing but its rules" {
	local method
	for method in UpdateActivationEnvironment 'Monitoring.BecomeMonitor' ReloadConfig \
		'Debug.Stats.GetStats'; do
		on_bus 'dbus-send --session --print-reply --reply-timeout=3000 --dest=org.freedesktop.DBus \
			/org/freedesktop/DBus org.freedesktop.DBus.$0 $1' "$method" \
			"$([[ $method != Update* ]] || echo dict:string:string:LD_PRELOAD,/x)"
		[[ $status == 1 ]]
	done
	on_bus 'timeout 2 dbus-monitor --session eavesdrop=true 2>&1'
	[[ $output != *"org.vitrine.Hidden.Secret"* ]]
}

@test "a name of its own, and no other, can be owned" {
	local request='dbus-send --session --print-reply --dest=org.freedesktop.DBus /org/freedesktop/DBus
		org.freedesktop.DBus.RequestName string:$0 uint32:4'
	request=${request//$'\n'/ }
	on_bus "$request" org.vitrine.Mine
	[[ $status == 0 ]]
	on_bus "$request" org.vitrine.NotMine
	[[ $status == 1 && $stderr == *Error* ]]
	on_bus "$request" org.freedesktop.Notifications
	[[ $status == 1 ]]
}

@test "an application that connects without end leaves the desktop's bus to others" {
	# shellcheck disable=SC2016 # expanded inside
	local before count flood='use IO::Socket::UNIX; $| = 1; ($p) = $ENV{DBUS_SESSION_BUS_ADDRESS} =~ /path=([^,]*)/; $SIG{PIPE} = "IGNORE";
		$SIG{ALRM} = sub { print "connected ", scalar(@s), "\n"; sleep 20; exit }; alarm 3;
		for (1 .. 900) { push @s, ($s = IO::Socket::UNIX->new($p)) or last; syswrite $s, "\0AUTH EXTERNAL\r\n" }
		sleep 20'
	before=$(dbus_files)
	vitrine run --profile "$(profile_file bus)" -- -c 'exec perl -e "$0"' "$flood" \
		>"$BATS_TEST_TMPDIR/flood" 3>&- &
	wait_until 20 grep -q '^connected [1-9]' "$BATS_TEST_TMPDIR/flood"
	sleep 1
	count=$(dbus_files)
	((count > before && count < before + 150)) || fail "$before, then $count"
	vitrine stop --all
}

dbus_files() { # how many the desktop's bus has open; other desktops of the user have others
	find /proc/"$(pgrep -u "$(id -u)" -f "^dbus-daemon --session .*--address=$DBUS_SESSION_BUS_ADDRESS\$")"/fd -mindepth 1 | wc -l
}

@test "of the desktop's own socket nothing is seen inside" {
	on_bus 'ls -A /run/vitrine/bus; ls /run/user/*; test ! -e "$0"' \
		"${DBUS_SESSION_BUS_ADDRESS#unix:path=}"
	[[ $status == 0 && ${lines[0]} == session && ${#lines[@]} == 1 ]]
}

@test "without [Bus] there is no bus" {
	run -0 quietly 'test -z "$DBUS_SESSION_BUS_ADDRESS" && test ! -e /run/vitrine/bus'
}

@test "names that would undo the sandbox are refused, whatever is written" {
	local line
	for line in Talk=org.freedesktop.systemd1 'Talk=org.freedesktop.*' 'Talk=org.freedesktop.portal.Desktop' \
		'Talk=org.freedesktop.portal.*' 'Own=org.gnome.Shell.Extensions' Own=org.freedesktop.Anything \
		'Call=org.freedesktop.secrets=*@/*' 'Broadcast=org.gtk.vfs.Daemon=*@/*' 'Talk=org.freedesktop.DBus'; do
		write_profile bus <<<$'[App]\nCommand=true\n[Display]\nBackend=none\n[Bus]\n'"$line"
		on_bus ''
		[[ $status == 125 && $stderr == *"${line%%=*}="*"would undo the sandbox"* ]]
	done
	for line in Talk=a 'Talk=*' Talk=:1.5 'Talk=org.a b' 'Talk=org.a.*.b' Call=org.a.b 'Call=org.a.b=' \
		'Call=org.a.b=x@y' 'Talk=org..a' 'Talk=--log' 'Talk=org.1a'; do
		write_profile bus <<<$'[App]\nCommand=true\n[Display]\nBackend=none\n[Bus]\n'"$line"
		on_bus ''
		[[ $status == 125 && $stderr == *"bus.vitrine:6: ${line%%=*}= must be"* ]]
	done
}

@test "without a bus of the desktop's such a profile is refused" {
	DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere run -125 --separate-stderr \
		vitrine run --profile "$(profile_file bus)" -- -c true
	[[ $stderr == *"needs the desktop's D-Bus"* ]]
	DBUS_SESSION_BUS_ADDRESS='unix:path=/tmp/%2e%2e/x,unixexec:path=/bin/sh' run -125 --separate-stderr \
		vitrine run --profile "$(profile_file bus)" -- -c true
	[[ $stderr == *"needs the desktop's D-Bus"* ]]
}

@test "the sandbox ends with the filter, and the filter with the sandbox" {
	local proxy
	vitrine run --detach --profile "$(profile_file bus)" -- -c 'sleep 60' >/dev/null 3>&-
	proxy=$(pgrep -u "$(id -u)" -f '^/usr/bin/xdg-dbus-proxy')
	kill -s KILL "$proxy"
	wait_until "$end_seconds" nothing_runs
	vitrine run --detach --profile "$(profile_file bus)" -- -c 'sleep 60' >/dev/null 3>&-
	kill -s KILL "$(pgrep -u "$(id -u)" -f '^[^ ]*vitrine run --detach' | head -n 1)"
	wait_until "$end_seconds" nothing_runs
	run ! pgrep -u "$(id -u)" -f '^/usr/bin/xdg-dbus-proxy'
}

# --- what is kept back ------------------------------------------------------------------------------

@test "what is kept back is in the log, in logs --denials and in run --trace, each once, with its reason" {
	local id line
	line=$(grep -n '^Call=' "$(profile_file bus)" | cut -d: -f1)
	# shellcheck disable=SC2016 # expanded inside
	id=$(vitrine run --detach --profile "$(profile_file bus)" -- -c '
		call() { dbus-send --session --print-reply --dest=$1 $2 $3; }
		for i in 1 2 3; do call org.vitrine.Hidden /a org.vitrine.Hidden.Do; done
		call org.vitrine.Call /org/vitrine org.vitrine.Call.Other
		call org.vitrine.Talk /a org.vitrine.Talk.Anything
		call org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner string:org.vitrine.Hidden
		dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.RequestName \
			string:org.vitrine.NotMine uint32:4
		echo all done; sleep 60' 3>&-)
	wait_until 20 logged "$id" 'all done'
	run -0 --separate-stderr vitrine logs --denials "$id"
	[[ $(grep -c . <<<"$output") == 3 ]] || fail "$output"
	[[ $output == *"$id/app may not call 'org.vitrine.Hidden.Do' of 'org.vitrine.Hidden' at '/a'"*"no key of [Bus] in profile 'bus' gives this name"* ]]
	[[ $output == *"may not call 'org.vitrine.Call.Other' of 'org.vitrine.Call'"*"give other calls of it ($(profile_file bus):$line)"* ]]
	[[ $output == *"may not own 'org.vitrine.NotMine'"*"no Own= of [Bus]"* ]]
	run -0 --separate-stderr vitrine logs --denials --json "$id"
	jq -e --arg id "$id" 'length == 3 and all(.id == $id and .box == "app" and .time_ms > 1600000000000)
		and (map(.operation) | sort) == ["dbus_call", "dbus_call", "dbus_own"]
		and any(.name == "org.vitrine.Call" and .member == "org.vitrine.Call.Other" and .path == "/org/vitrine")' <<<"$output"
	run -0 --separate-stderr vitrine logs --denials
	[[ $output == *"$id/app may not own 'org.vitrine.NotMine'"* ]]
	logged "$id" "vitrine: the application may not call 'org.vitrine.Hidden.Do'"
	vitrine logs --denials -f --json "$id" >"$BATS_TEST_TMPDIR/told" 2>/dev/null 3>&- &
	background+=("$!")
	wait_until 10 grep -q dbus_own "$BATS_TEST_TMPDIR/told"
	vitrine stop "$id"
	wait "$!"
	[[ $(grep -c '^{' "$BATS_TEST_TMPDIR/told") == 3 ]]
	run -0 --separate-stderr vitrine run --trace --profile "$(profile_file bus)" -- -c \
		'dbus-send --session --print-reply --dest=org.vitrine.Hidden /a org.vitrine.Hidden.Do; true'
	[[ $stderr == *"trace: the application may not call 'org.vitrine.Hidden.Do'"* ]] || fail "$stderr"
}

logged() { vitrine logs "$1" | grep -q -e "$2"; } # ID PATTERN

@test "an application that is kept back without end fills neither the log nor the memory" {
	local id lines
	# shellcheck disable=SC2016 # expanded inside
	id=$(vitrine run --detach --profile "$(profile_file bus)" -- -c '
		for i in $(seq 400); do
			echo "dbus-send --session --dest=org.vitrine.No$i /a org.vitrine.No$i.Do"
		done | sh; echo all done; sleep 60' 3>&-)
	wait_until 60 logged "$id" 'all done'
	lines=$(vitrine logs --denials "$id" 2>/dev/null | grep -c .)
	((lines > 200 && lines <= 256)) || fail "$lines"
	vitrine stop "$id"
}
