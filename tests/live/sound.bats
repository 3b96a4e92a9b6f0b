#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154 # tests are no subshells of each other; common.bash assigns
#
# Sound as the user hears it: tones are played inside and outside, recorded, and measured.  Needs a
# session whose sound server has a sink that can be listened to; two tests bring a server of their own.

load common

setup() {
	setup_sandboxes
	write_profile sound <<-'END'
		[App]
		Command=/bin/sh
		Image=base
		Title=Tone
		[Display]
		Backend=none
		[Sound]
		Playback=yes
	END
}

tone() { python3 "$BATS_TEST_DIRNAME/tone.py" "$@"; }

start_with_sound() { # sets `id`
	start_detached --profile "$(profile_file sound)" -- -c 'exec sleep 1000'
}

inside() { vitrine enter "$id" "$@" 3>&-; }

play_inside() { # FREQUENCY SECONDS
	tone play "$1" "$2" | inside paplay --raw
}

play_outside() { # FREQUENCY SECONDS
	tone play "$1" "$2" | paplay --raw
}

# Records what is played at the sound server of COMMAND's surroundings.
record() { # SECONDS COMMAND...
	local seconds=$1
	shift
	"$@" timeout "$seconds" parec --raw --latency-msec=20 --device=@DEFAULT_MONITOR@ || [[ $? == 124 ]]
}

# A recorder needs some time until a null sink serves it; only then the tones begin.
record_outside() { # SECONDS FILE: in the background
	record "$1" env >"$2" 3>&- &
	recorder=$!
	sleep 2.5
}

level_of() { # FREQUENCY FILE: in dBFS
	tone hear "$1" <"$2" | awk 'NR == 1 { print $2 }'
}

assert_heard() { # FREQUENCY FILE: as loud as it was played
	local level
	level=$(level_of "$1" "$2")
	awk -v level="$level" 'BEGIN { exit !(level > -7.5 && level < -4.5) }' ||
		fail "$1 Hz has $level dBFS instead of -6"
}

assert_not_heard() { # FREQUENCY FILE
	local level
	level=$(level_of "$1" "$2")
	awk -v level="$level" 'BEGIN { exit !(level < -40) }' || fail "$1 Hz is there with $level dBFS"
}

strongest() { tone hear 440 <"$1" | awk '$1 == "strongest" { print $2 }'; }

# A sound server of the test's own, which it may end: PulseAudio, or PipeWire where that took its place.
start_server() { # sets `servers`
	own=$BATS_TEST_TMPDIR/pulse
	mkdir -p "$own"
	export PULSE_SERVER=unix:$own/native
	servers=()
	if command -v pulseaudio >/dev/null; then
		run_server pulseaudio -n --daemonize=no --use-pid-file=no --exit-idle-time=-1 --realtime=no \
			--high-priority=no --log-target=file:"$own/log" --load='module-null-sink sink_name=own' \
			--load="module-native-protocol-unix socket=$own/native auth-anonymous=1"
		wait_until 10 eval 'pactl info >/dev/null 2>&1'
	else
		run_server pipewire
		wait_until 10 test -S "$own/pipewire-0"
		run_server wireplumber
		run_server pipewire-pulse
		wait_until 10 eval 'pactl load-module module-null-sink sink_name=own >/dev/null 2>&1'
		wait_until 10 eval 'pactl set-default-sink own 2>/dev/null'
	fi
}

run_server() { # COMMAND...
	env DBUS_SESSION_BUS_ADDRESS=disabled: XDG_RUNTIME_DIR="$own" PULSE_RUNTIME_PATH="$own" \
		PULSE_STATE_PATH="$own" "$@" >"$own/$1.log" 2>&1 3>&- &
	servers+=("$!")
	background+=("$!")
}

stop_server() {
	kill -s KILL "${servers[@]}"
	wait "${servers[@]}" || true
	rm -f "$own/native" "$own"/pipewire-0*
}

# Everything that a client can change in it, without what changes by itself.
state_of_server() {
	local what
	for what in modules sinks sources; do
		pactl list "$what" | grep -v 'Latency: '
	done
	pactl get-default-sink
	pactl get-default-source
}

switches_of() { # PID: how often it has woken up
	awk '/_ctxt_switches:/ { sum += $2 } END { print sum }' "/proc/$1/status"
}

cpu_ms_of() { awk '{ print int($1 / 1000000) }' "/proc/$1/schedstat"; }

# --- what crosses ---------------------------------------------------------------------------------

@test "a tone played inside arrives outside, with its frequency and level" {
	local heard=$BATS_TEST_TMPDIR/heard found
	start_with_sound
	record_outside 7 "$heard"
	play_inside 440 4 &
	wait_until 3 eval 'pactl list sink-inputs | grep -q "media.name = \"vitrine: Tone\""'
	wait "$!" "$recorder"
	assert_heard 440 "$heard"
	found=$(strongest "$heard")
	awk -v f="$found" 'BEGIN { exit !(f > 439 && f < 441) }' || fail "the strongest tone has $found Hz"
}

@test "outside hears both; inside never hears the desktop" {
	local heard=$BATS_TEST_TMPDIR/heard inside=$BATS_TEST_TMPDIR/inside
	start_with_sound
	record_outside 8 "$heard"
	play_outside 880 5 &
	play_inside 440 5 &
	record 4 inside >"$inside"
	wait
	assert_heard 440 "$heard"
	assert_heard 880 "$heard"
	[[ -s $inside ]] # it did record: what the sandbox itself plays
	assert_heard 440 "$inside"
	assert_not_heard 880 "$inside"
}

@test "one sandbox does not hear the other" {
	local other heard=$BATS_TEST_TMPDIR/heard
	start_with_sound
	other=$id
	start_with_sound
	play_inside 660 5 &
	id=$other
	play_inside 440 5 &
	record 4 inside >"$heard"
	wait
	assert_heard 440 "$heard"
	assert_not_heard 660 "$heard"
}

@test "nothing that is asked for inside changes the sound server outside" {
	local before
	start_with_sound
	before=$(state_of_server)
	run ! inside pactl load-module module-null-sink
	run ! inside pactl load-module module-native-protocol-tcp auth-anonymous=1
	run ! inside pactl exit
	run -0 inside sh -c 'pactl list short sinks; pactl list short sources'
	[[ ${#lines[@]} == 2 ]]
	[[ ${lines[0]} == *desktop*module-pipe-sink* && ${lines[1]} == *desktop.monitor* ]]
	inside pactl set-sink-volume desktop 1%
	inside pactl set-sink-mute desktop 1
	[[ $(state_of_server) == "$before" ]]
}

@test "no socket of the desktop's sound server is inside" {
	start_with_sound
	run -0 inside sh -c 'find / -xdev -type s 2>/dev/null; find /run /tmp -type s; cat /proc/net/unix'
	[[ $output == *"/run/user/$UID/pulse/native"* ]]
	run -0 inside pactl info
	[[ $output != *"Default Sink: $(pactl get-default-sink)"* ]]
}

@test "the FIFO cannot be replaced from inside" {
	start_with_sound
	run ! inside rm -f /run/vitrine/sound/sink
	run ! inside mv /run/vitrine/sound/sink /tmp/
	run ! inside touch /run/vitrine/sound/other
	run ! inside chmod 0 /run/vitrine/sound/sink
	[[ $(inside ls /run/vitrine/sound) == sink ]]
}

@test "without Playback=yes there is neither a sound server nor a relay" {
	start_quiet
	run ! inside pactl info
	run ! inside test -e /run/vitrine/sound
	[[ $(processes) != *pulseaudio* && $(processes) != *vitrine-sound* ]]
}

# --- what it costs --------------------------------------------------------------------------------

@test "an idle sandbox never wakes for sound" {
	local relay server before
	start_with_sound
	play_inside 440 1
	sleep 4 # until the stream and the sink are closed
	[[ $(pactl list sink-inputs) != *"vitrine: Tone"* ]]
	relay=$(pid_of vitrine-sound)
	server=$(pid_of module-pipe-sink)
	before="$(switches_of "$relay") $(switches_of "$server")"
	sleep 3
	[[ "$(switches_of "$relay") $(switches_of "$server")" == "$before" ]]
}

@test "a flood of samples costs the host little" {
	local relay before
	start_with_sound
	relay=$(pid_of vitrine-sound)
	# The flood of single bytes is the worse one: each could wake the relay.
	inside timeout 6 sh -c 'while :; do printf x; done >/run/vitrine/sound/sink' &
	inside timeout 6 sh -c 'exec cat /dev/zero >/run/vitrine/sound/sink' &
	sleep 1
	before=$(cpu_ms_of "$relay")
	sleep 4
	(($(cpu_ms_of "$relay") - before < 400)) # a tenth of a processor
	wait
}

# --- what may fail --------------------------------------------------------------------------------

@test "without a sound server outside, playing takes its time and no more" {
	local begin
	export PULSE_SERVER=unix:$BATS_TEST_TMPDIR/none
	start_with_sound
	begin=$(now_ms)
	play_inside 440 3
	(($(now_ms) - begin < 5000))
}

@test "sound comes back with the sound server, and the application never waits for it" {
	local heard=$BATS_TEST_TMPDIR/heard begin player took
	start_server
	start_with_sound
	begin=$(now_ms)
	play_inside 440 16 &
	player=$!
	sleep 1
	stop_server
	sleep 2
	start_server
	sleep 5 # the next attempt is at most that far away
	record_outside 6 "$heard"
	wait "$player"
	took=$(($(now_ms) - begin))
	wait "$recorder"
	((took < 19000)) || fail "16 seconds of sound took $took ms"
	assert_heard 440 "$heard"
}

@test "the end of PulseAudio, or of the relay, is the end of the sandbox, and it says so" {
	local victim
	for victim in module-pipe-sink vitrine-sound; do
		start_supervised --profile "$(profile_file sound)" -- -c 'exec sleep 1000'
		await_running
		if [[ $victim == vitrine-sound ]]; then
			kill -s KILL "$(pid_of vitrine-sound)"
		else
			# shellcheck disable=SC2016 # expanded inside
			inside sh -c 'kill -s KILL $(grep -lsx pulseaudio /proc/[0-9]*/comm | cut -d/ -f3)'
		fi || true
		await_end
		((code == 125))
		grep -E '^vitrine: the sound (server of the sandbox|relay) ended' "$output_file"
		assert_nothing_left
	done
}
