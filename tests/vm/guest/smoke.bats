#!/usr/bin/env bats
# The main job in a real machine, once and quickly: a window, a sound, AppArmor, limits. What is not
# here is in the other files.
#
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # tests are no subshells of each other; bats assigns

load ../../live/common
load guest

rare='#31c7b2' # a colour that nothing on the desktop has by itself
tone=$BATS_TEST_DIRNAME/../../live/tone.py

# One sandbox for most of the tests.
setup_file() {
	cat >"$BATS_FILE_TMPDIR/smoke.vitrine" <<-'END'
		[App]
		Command=xterm
		Image=xterm
		Title=Smoke
		[Sound]
		Playback=yes
		[Limits]
		Memory=600M
		Tasks=120
		Cpu=150%
		OpenFiles=2000
		[AppArmor]
		Required=yes
	END
	# The desktop's sound server, which its systemd starts when it is needed, is nothing that is left.
	pactl info >/dev/null
	lasting_files >"$BATS_FILE_TMPDIR/files"
	cp /proc/self/mountinfo "$BATS_FILE_TMPDIR/mounts"
	id=$(vitrine run --detach --profile "$BATS_FILE_TMPDIR/smoke.vitrine" -- -bg "$rare" -fg "$rare" -geometry 60x20 3>&-)
	echo "$id" >"$BATS_FILE_TMPDIR/id"
}

teardown_file() { teardown_sandboxes; }
setup() {
	id=$(<"$BATS_FILE_TMPDIR/id")
	files_before=$(<"$BATS_FILE_TMPDIR/files")
	mounts_before=$(<"$BATS_FILE_TMPDIR/mounts")
}
teardown() { :; }

init_pids() { vitrine ps --json | jq -r --arg id "$id" '.[] | select(.id == $id) | .inits | to_entries[] | "\(.key) \(.value)"'; }

count_rare() { # prints how much of the desktop has the colour
	import -window root "$BATS_TEST_TMPDIR/desktop.ppm"
	convert "$BATS_TEST_TMPDIR/desktop.ppm" -fill black +opaque "$rare" -fill white -opaque "$rare" \
		-format '%[fx:round(mean*w*h)]' info:
}

many_are_rare() { (($(count_rare) > 10000)); }

@test "a window: its title and its picture are on the desktop" {
	wait_until 60 xdotool search --onlyvisible --name 'Smoke' || fail "$(xwininfo -root -tree)"
	wait_until 60 many_are_rare || fail "$(count_rare) pixels"
}

@test "a sound: what is played inside is heard at the desktop's sound server" {
	local level
	python3 "$tone" play 880 4 >"$BATS_TEST_TMPDIR/tone"
	timeout 120 parec --raw --format=s16le --rate=44100 --channels=2 --device=@DEFAULT_MONITOR@ >"$BATS_TEST_TMPDIR/heard" 3>&- &
	local recorder=$!
	sleep 3
	vitrine enter "$id" paplay --raw <"$BATS_TEST_TMPDIR/tone" 3>&-
	sleep 2
	kill "$recorder"
	level=$(python3 "$tone" hear 880 <"$BATS_TEST_TMPDIR/heard" | awk 'NR == 1 { print $2 }')
	awk -v level="$level" 'BEGIN { exit !(level > -25) }' || fail "880 Hz has $level dBFS"
	level=$(python3 "$tone" hear 1250 <"$BATS_TEST_TMPDIR/heard" | awk 'NR == 1 { print $2 }')
	awk -v level="$level" 'BEGIN { exit !(level < -40) }' || fail "1250 Hz has $level dBFS"
}

@test "AppArmor: all three boxes have their labels, enforced" {
	local kind pid n=0
	while read -r kind pid; do
		is_enforced "$kind" "$(label_of "$pid")" || fail "$kind: $(label_of "$pid")"
		n=$((n + 1))
	done < <(init_pids)
	((n == 3)) || fail "$(init_pids)"
	is_enforced app "$(label_of "$(pid_of '^ *xterm xterm')")"
}

@test "AppArmor: a denial, and where it is shown" {
	run ! vitrine enter "$id" ls /boot/
	denied() { vitrine logs --denials "$id" | grep -q "'/boot/'"; }
	wait_until 20 denied
}

@test "limits: as the profile says, and in force for the processes of the box" {
	local pid cgroup
	cgroup=$(cgroup_of "$id")
	[[ $(<"$cgroup/app/memory.max") == $((600 << 20)) ]] || fail "$(<"$cgroup/app/memory.max")"
	[[ $(<"$cgroup/app/pids.max") == 120 ]]
	[[ $(<"$cgroup/app/cpu.max") == '150000 100000' ]] || fail "$(<"$cgroup/app/cpu.max")"
	pid=$(pid_of '^ *xterm xterm')
	grep -q "^0::.*/app$" "/proc/$pid/cgroup" || fail "$(cat "/proc/$pid/cgroup")"
	grep -qE '^Max open files +[0-9]+ +2000 ' "/proc/$pid/limits"
	# shellcheck disable=SC2016 # expands inside
	run vitrine enter "$id" sh -c 'i=0; while [ $i -lt 150 ]; do sleep 20 & i=$((i + 1)); done'
	(($(event_of "$id" app pids.events max) > 0)) || fail "$output"
	has_room() { (($(leaf_value "$id" app pids.current) < 100)); }
	wait_until 60 has_room
}

@test "limits: who takes too much memory is killed, and it is said" {
	cat >"$BATS_TEST_TMPDIR/greedy.vitrine" <<-'END'
		[App]
		Command=/bin/sh
		Image=base
		[Display]
		Backend=none
		[Limits]
		Memory=64M
		Disk=256M
	END
	run vitrine run --profile "$BATS_TEST_TMPDIR/greedy.vitrine" -- -c 'exec tail /dev/zero'
	((status != 0))
	[[ $output == *"out of memory"*64M* ]] || fail "$output"
	run -0 vitrine enter "$id" true
}

@test "a floor that is not loaded: refused, with what to do" {
	as_root sh -c 'printf %s vitrine-app-exec >/sys/kernel/security/apparmor/.remove'
	printf '[App]\nCommand=true\nImage=base\n[Display]\nBackend=none\n[Exec]\nWritableMounts=yes\n' \
		>"$BATS_FILE_TMPDIR/exec.vitrine"
	run -125 vitrine run --profile "$BATS_FILE_TMPDIR/exec.vitrine"
	[[ $output == *"admin install-policies"* ]] || fail "$output"
	restore_policies
	run -0 vitrine run --profile "$BATS_FILE_TMPDIR/exec.vitrine"
}

@test "stopped: nothing is left" {
	local cgroup
	cgroup=$(cgroup_of "$id")
	run -0 vitrine stop "$id"
	assert_nothing_left 20
	[[ ! -e $cgroup ]]
}
