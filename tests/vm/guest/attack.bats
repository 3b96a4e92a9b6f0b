#!/usr/bin/env bats
# Against limits and labels: from inside, by a caller with an odd environment, and by ends at a bad
# moment.
#
# shellcheck disable=SC2030,SC2031,SC2154 # tests are no subshells of each other; bats assigns

load ../../live/common
load guest

patience=45 # seconds in which a start that cannot succeed must have said so

teardown() {
	as_root systemctl kill --signal=CONT --kill-who=main "user@$UID.service"
	[[ -z ${server:-} ]] || kill "$server" 2>/dev/null || true
	teardown_sandboxes
}

# A run-time directory whose service manager is a program of the caller's own.
start_false_manager() { # "" or RUBBISH; sets `false_dir`
	false_dir=$XDG_RUNTIME_DIR/false
	rm -rf "$false_dir"
	mkdir -m 0700 "$false_dir" "$false_dir/systemd"
	python3 - "$false_dir/systemd/private" "$1" 3>&- <<-'END' &
		import socket, sys
		server = socket.socket(socket.AF_UNIX)
		server.bind(sys.argv[1])
		server.listen()
		clients = []
		while True:
		    client, _ = server.accept()
		    clients.append(client)
		    client.sendall(sys.argv[2].encode())
	END
	server=$!
	wait_until 20 test -S "$false_dir/systemd/private"
}

run_quickly() { # COMMAND...: it ends, one way or the other, and says why it did not run
	run --separate-stderr timeout "$patience" "$@" 3>&-
	((status != 124)) || fail "still there after $patience s"
	((status == 0)) || { ((status == 125)) && assert_one_line; } || fail "$status: $stderr"
}

@test "control groups: inside there is nothing to write to, and no way to another one" {
	start_quiet
	run -0 vitrine enter "$id" cat /proc/self/cgroup
	[[ $output == 0::/ ]] || fail "$output"
	run ! vitrine enter "$id" sh -c 'ls /sys/fs/cgroup | grep .'
	run ! vitrine enter "$id" unshare --cgroup true
	run ! vitrine enter "$id" sh -c 'mount -t cgroup2 none /tmp'
	# To be killed first when memory is short anybody may wish; to be killed last not.
	run ! vitrine enter "$id" sh -c 'echo -1000 >/proc/self/oom_score_adj'
}

@test "a manager that never answers: no start without limits, no waiting for ever" {
	start_false_manager ''
	run_quickly env XDG_RUNTIME_DIR="$false_dir" DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent \
		vitrine run --profile "$(profile_file quiet)" -- -c 'echo ran'
	[[ $status == 125 ]] || fail "$output"
	rm -rf "$false_dir"
}

@test "a manager that talks rubbish" {
	start_false_manager $'OK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\nl\x02\x01\x01rubbish, rubbish, rubbish, rubbish, rubbish'
	run_quickly env XDG_RUNTIME_DIR="$false_dir" DBUS_SESSION_BUS_ADDRESS=unix:path="$false_dir/systemd/private" \
		vitrine run --profile "$(profile_file quiet)" -- -c 'echo ran'
	[[ $status == 125 ]] || fail "$output"
	rm -rf "$false_dir"
}

@test "another bus in the environment changes nothing" {
	run -0 env DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent vitrine run --profile "$(profile_file quiet)" -- -c 'cat /proc/self/cgroup'
	[[ $output == *0::/ ]] || fail "$output"
	assert_nothing_left 20
}

@test "a manager that hangs" {
	as_root systemctl kill --signal=STOP --kill-who=main "user@$UID.service"
	run_quickly vitrine run --profile "$(profile_file quiet)" -- -c 'echo ran'
	[[ $status == 125 ]] || fail "$output"
	as_root systemctl kill --signal=CONT --kill-who=main "user@$UID.service"
	wait_until 30 nothing_runs
	run -0 quietly 'echo ran'
	assert_nothing_left 20
}

@test "a scope of that name that is somebody else's" {
	local go=$BATS_TEST_TMPDIR/go
	bash -c 'until [ -e "$1" ]; do sleep 0.1; done; exec vitrine run --profile "$2" -- -c "echo ran"' \
		bash "$go" "$(profile_file quiet)" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	supervisor=$!
	systemd-run --user --scope --quiet --unit="app-vitrine-quiet-$supervisor.scope" sleep 3003 3>&- &
	background+=($!)
	sleep 3
	touch "$go"
	await_end "$patience"
	((code == 125)) || fail "$code: $(<"$BATS_TEST_TMPDIR/out")"
	grep -q '^vitrine: ' "$BATS_TEST_TMPDIR/out"
	still_runs "${background[-1]}"
}

@test "names that could be read as another unit, or none" {
	local name
	for name in 'a;b' 'a b' '..' 'a%i' 'a@b' $'a\nb' 'a\x2db' '-a'; do
		cp "$(profile_file quiet)" "$BATS_TEST_TMPDIR/$name.vitrine"
		run_quickly vitrine run --profile "$BATS_TEST_TMPDIR/$name.vitrine" -- -c 'cat /proc/self/cgroup'
		((status == 125)) || [[ $output == 0::/ ]] || fail "$name: $output"
	done
	cp "$(profile_file quiet)" "$BATS_TEST_TMPDIR/a-b-1.vitrine"
	start_detached --profile "$BATS_TEST_TMPDIR/a-b-1.vitrine" -- -c 'exec sleep 1000'
	[[ $(cgroup_of "$id") == *'/app.slice/app-vitrine-a\x2db\x2d1-'*.scope ]] || fail "$(cgroup_of "$id")"
}

vitrine_groups() { find "/sys/fs/cgroup/user.slice/user-$UID.slice" -name '*vitrine*' -type d; }

no_groups() { [[ -z $(vitrine_groups) ]]; }

@test "a supervisor or its helper that is killed at any moment of a start" {
	local i pid
	for ((i = 0; i < 12; i++)); do
		vitrine run --profile "$(profile_file quiet)" -- -c 'sleep 3' >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "0.$((RANDOM % 9))"
		if ((i % 3)); then
			kill -s KILL "$pid"
		else
			pkill -KILL -P "$pid" -x vitrine-scope || true
		fi
		wait "$pid" || true
		wait_until 20 nothing_runs || fail "$i:" "$(processes)"
	done
	wait_until 20 no_groups || fail "$(vitrine_groups)"
	run -0 quietly 'echo ran'
	run -0 vitrine ps
	assert_nothing_left 20
}
