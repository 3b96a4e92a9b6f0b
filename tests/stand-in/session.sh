#!/bin/bash
# A stand-in for a user's desktop session: X server with a cookie, window manager, session D-Bus
# and sound server.  Runs as the ordinary user; whoever calls it chooses the network namespace.
#
#   session.sh start NAME    starts session NAME unless it runs already
#   session.sh stop NAME     ends every process of it, also those started in it later
#
# The session is the directory /run/user/UID/vitrine-NAME, its XDG_RUNTIME_DIR.  In it,
# stand-in/environment holds the variables (NAME=value lines) that a program needs to be part of it.
# Every process of the session carries VITRINE_STAND_IN=NAME in its environment; that mark, and not
# a process number that may have a new owner, decides what is ended.
set -euo pipefail

verb=$1
name=$2
dir=/run/user/$(id -u)/vitrine-$name
own=$dir/stand-in
mark=VITRINE_STAND_IN=$name
patience=60 # seconds for each part to come up

fail() {
	echo "setup: stand-in session '$name': $*" >&2
	exit 1
}

carries_mark() { grep -qzx "$mark" "/proc/$1/environ" 2>/dev/null; }

members() { # prints the process number of every process of the session
	local file pid
	for file in /proc/[0-9]*/environ; do
		pid=${file//[!0-9]/}
		[[ $pid != "$$" ]] && carries_mark "$pid" && echo "$pid"
	done
	return 0
}

signal_members() { # SIGNAL
	local pid
	for pid in $(members); do
		kill -s "$1" "$pid" 2>/dev/null || true
	done
}

stop_session() {
	local i
	signal_members TERM
	for ((i = 0; i < 50; i++)); do
		[[ -n $(members) ]] || break
		sleep 0.1
	done
	signal_members KILL
	rm -rf "$dir"
}

session_runs() {
	local pid
	[[ -s $own/environment && -s $own/pids ]] || return 1
	while read -r pid; do
		carries_mark "$pid" || return 1
	done <"$own/pids"
}

write_authority() { # one MIT cookie for any display; it must exist before the server starts
	{
		printf '\xff\xff\0\0\0\0\0\x12MIT-MAGIC-COOKIE-1\0\x10'
		head -c 16 /dev/urandom
	} >"$own/authority"
}

# Abstract sockets differ by network namespace, but the files in /tmp are shared: look at those.
free_display() {
	local number=90
	while [[ -e /tmp/.X$number-lock || -e /tmp/.X11-unix/X$number ]]; do
		number=$((number + 1))
	done
	echo ":$number"
}

launch() { # LOG COMMAND...
	local log=$own/$1.log
	shift
	setsid "$@" </dev/null >"$log" 2>&1 9>&- &
	echo "$!" >>"$own/pids"
}

await() { # LOG COMMAND...: until the command succeeds
	local log=$own/$1.log i
	shift
	for ((i = 0; i < patience * 20; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.05
	done
	tail -n 20 "$log" >&2
	fail "${log##*/} shows why a part of it did not start"
}

window_manager_runs() { xprop -root _NET_SUPPORTING_WM_CHECK | grep -q 'window id'; }

# Both play into a sink that nobody hears, `standin`; what it gets is read from its monitor.
start_pulseaudio() {
	launch pulseaudio pulseaudio -n --daemonize=no --exit-idle-time=-1 --realtime=no \
		--high-priority=no --log-target=stderr \
		--load='module-null-sink sink_name=standin' --load=module-native-protocol-unix
	await pulseaudio pactl info
}

has_default_sink() { pactl get-default-sink | grep -qx standin; }

start_pipewire() {
	launch pipewire pipewire
	await pipewire test -S "$dir/pipewire-0"
	launch wireplumber wireplumber
	launch pipewire-pulse pipewire-pulse
	await pipewire-pulse pactl info
	pactl load-module module-null-sink sink_name=standin >"$own/sink"
	await wireplumber pactl set-default-sink standin # which only the session manager can
	await wireplumber has_default_sink
}

start_session() {
	mkdir -p "$own"
	write_authority

	export XDG_RUNTIME_DIR=$dir XDG_SESSION_TYPE=x11 XAUTHORITY=$own/authority
	export DBUS_SESSION_BUS_ADDRESS=unix:path=$dir/bus
	DISPLAY=$(free_display)
	export DISPLAY "${mark?}"

	launch xvfb Xvfb "$DISPLAY" -auth "$own/authority" -nolisten tcp -noreset \
		-screen 0 1280x1024x24
	launch dbus dbus-daemon --session --nofork --nopidfile --address="$DBUS_SESSION_BUS_ADDRESS"
	await xvfb xprop -root
	await dbus test -S "$dir/bus"

	launch openbox openbox --sm-disable
	if command -v pulseaudio >/dev/null; then
		start_pulseaudio
	else
		start_pipewire
	fi
	await openbox window_manager_runs

	env | grep -E '^(DISPLAY|XAUTHORITY|DBUS_SESSION_BUS_ADDRESS|XDG_[A-Z_]*|VITRINE_STAND_IN)=' \
		>"$own/environment"
}

umask 077
mkdir -p "$dir"
exec 9<"/run/user/$(id -u)"
flock 9
case $verb in
start)
	session_runs && exit
	stop_session
	trap '[[ $? == 0 ]] || stop_session' EXIT
	start_session
	;;
stop) stop_session ;;
*) fail "unknown verb '$verb'" ;;
esac
