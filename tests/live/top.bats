#!/usr/bin/env bats
# What `vitrine top` says is held against what the kernel says of the same processes.

load common

setup() {
	setup_sandboxes
	write_profile online <<<$'[App]\nCommand=/bin/sh\nImage=base\n[Display]\nBackend=none\n[Network]\nMode=private'
}

figure() { # ID NAME
	vitrine top --json "$1" | jq -e ".[0].$2"
}

# Processor time of all processes of $id in milliseconds, as the kernel has it for each of them.
kernel_ms() {
	local supervisor pids
	supervisor=$(field_of "$id" supervisor)
	pids=$supervisor
	while read -r pid; do
		pids+=" $pid"
	done < <(descendants "$supervisor")
	for pid in $pids; do
		sed 's/.*) //' "/proc/$pid/stat"
	done | awk -v hz="$(getconf CLK_TCK)" '{ sum += $12 + $13 + $14 + $15 } END { print int(sum * 1000 / hz) }'
}

descendants() { # PID
	ps -eo pid=,ppid= | awk -v top="$1" '
		{ parent[$1] = $2 }
		END { for (p in parent) { for (q = parent[p]; q > 1 && q != top; q = parent[q]) ; if (q == top) print p } }'
}

at_least() { (($(figure "$id" "$1") >= $2)); }

# A terminal of that size, into which KEYS are typed after some time; sets `output`.
watch_top() { # ROWS COLUMNS SECONDS KEYS ARGUMENTS...
	run -0 timeout 20 script -qec "trap : INT; stty rows $1 cols $2; vitrine top ${*:5}; echo status \$?; stty -a" \
		/dev/null < <(sleep "$3" && printf '%s' "$4" && sleep 1)
}

@test "top: processor time is that of the processes, and a busy sandbox has more than an idle one" {
	start_quiet 'while :; do :; done'
	busy=$id
	start_quiet
	idle=$id
	sleep 1
	all=$(vitrine top --json)
	[[ $(jq -r '.[0].id' <<<"$all") == "$busy" ]]
	jq -e --arg id "$busy" '.[] | select(.id == $id) | .cpu_percent > 15 and .cpu_percent < 110' <<<"$all"
	jq -e --arg id "$idle" '.[] | select(.id == $id) | .cpu_percent < 15' <<<"$all"
	id=$busy
	before=$(kernel_ms)
	told=$(($(figure "$busy" cpu_us) / 1000))
	after=$(kernel_ms)
	echo "$before <= $told <= $after"
	# The kernel counts it for each process in ticks, and for a cgroup exactly.
	((told >= before - 200 && told <= after + 200))
	((told > 300))
}

@test "top: time of children that have ended is not lost" {
	start_quiet 'i=0; while [ $i -lt 400 ]; do i=$((i + 1)); /bin/ls -R /etc >/dev/null; done; exec sleep 1000'
	wait_until 30 at_least cpu_us 500000
	first=$(figure "$id" cpu_us)
	sleep 0.5
	(($(figure "$id" cpu_us) >= first))
}

@test "top: memory, tasks and room in the tmpfs" {
	start_quiet 'exec sleep 1000'
	memory=$(figure "$id" memory) tasks=$(figure "$id" tasks) disk=$(figure "$id" disk)
	((memory > 0 && tasks >= 4))
	((disk < 1 << 20))
	vitrine stop "$id"
	start_quiet 'head -c 20M /dev/zero >/tmp/file; for i in 1 2 3 4 5; do sleep 1000 & done
		a=$(head -c 30M /dev/zero | tr "\0" x); wait'
	wait_until 20 at_least memory $((memory + (25 << 20)))
	(($(figure "$id" tasks) >= tasks + 5))
	(($(figure "$id" disk) >= 20 << 20 && $(figure "$id" disk) < 24 << 20))
	(($(figure "$id" disk_limit) >= 100 << 20))
}

@test "top: the network of the app box, without its loopback" {
	start_detached --profile "$(profile_file online)" -- -c 'exec sleep 1000'
	vitrine enter "$id" /bin/bash -c 'for ((i = 0; i < 200; i++)); do printf %01000d 0 >/dev/udp/10.0.2.3/9; done'
	init=$(vitrine ps --json | jq -r --arg id "$id" '.[] | select(.id == $id) | .inits.app')
	wait_until 10 at_least sent 100000 # of 208000: a full queue drops some
	told=$(awk '/tap0:/ { print $10 }' "/proc/$init/net/dev")
	(($(figure "$id" sent) >= told && $(figure "$id" sent) < told + 20000))
	start_quiet
	[[ $(figure "$id" sent) == 0 ]]
}

@test "top: one sandbox by name, none, and one that is not there" {
	run -0 --separate-stderr vitrine top --json
	[[ $output == "[]" ]]
	run -0 --separate-stderr vitrine top
	[[ ${#lines[@]} == 1 && $output == ID* ]]
	start_quiet
	run -0 --separate-stderr vitrine top --once quiet
	[[ ${#lines[@]} == 2 && ${lines[1]} == "$id "* ]]
	run -1 --separate-stderr vitrine top nothing
	assert_one_line
	run -2 --separate-stderr vitrine top --delay 0
	assert_one_line
}

@test "top: sandboxes that end while they are read are no error" {
	(while :; do vitrine run --profile "$(profile_file quiet)" -- -c true || break; done) 2>/dev/null 3>&- &
	background+=("$!")
	for _ in {1..15}; do
		run -0 --separate-stderr vitrine top --json
		[[ -z $stderr ]]
		jq -e 'type == "array"' <<<"$output"
	done
	kill "${background[-1]}"
}

@test "top: a screen that is given back, whatever ends it" {
	start_quiet
	watch_top 10 60 1.5 q
	[[ $output == $'\033[?1049h\033[?25l'* && $output == *$'\033[?25h\033[?1049l'* ]]
	[[ $output == *"status 0"* && $output == *"$id"* && $output == *" icanon"* && $output == *" echo "* ]]
	watch_top 10 60 1.5 $'\003'
	[[ $output == *$'\033[?1049l'* && $output == *"status 0"* && $output == *" icanon"* ]]
}

@test "top: a screen is as large as the window, without colours where none are wanted" {
	start_quiet
	export NO_COLOR=1
	watch_top 5 30 1.5 q
	[[ $output != *$'\033[7m'* ]]
	screen=${output#*$'\033[H'}
	screen=${screen%%$'\033[J'*}
	while IFS= read -r line; do
		line=${line%%$'\033'*}
		((${#line} <= 30))
	done <<<"${screen//$'\r'/}"
	unset NO_COLOR
	watch_top 5 30 1.5 q
	[[ $output == *$'\033[7m'* ]]
}
