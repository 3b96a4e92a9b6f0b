# What the tests of running sandboxes share.  They run as an ordinary user in a desktop session,
# alone: every sandbox of that user is taken for one of theirs, and ended.
#
# VITRINE is the installed program, VITRINE_PROGRAMS the directory of what tests/live/programs makes.
# shellcheck shell=bash

bats_require_minimum_version 1.5.0

: "${VITRINE:=/usr/local/bin/vitrine}"
: "${VITRINE_PROGRAMS:?is not set: the directory of the compiled programs of tests/live/programs}"
export VITRINE VITRINE_PROGRAMS
export PATH=${VITRINE%/*}:$PATH
sandboxes=$XDG_RUNTIME_DIR/vitrine/sandboxes
end_seconds=5 # how long a sandbox may take to end, whatever ended it
unset supervisor id

setup_sandboxes() {
	umask 022
	write_profile quiet <<-'END'
		[App]
		Command=/bin/sh
		Image=base
		[Display]
		Backend=none
	END
	files_before=$(lasting_files)
	mounts_before=$(</proc/self/mountinfo)
}

# Ends whatever the test has started or left, so that the next one is not judged by it.
teardown_sandboxes() {
	local pid
	vitrine stop --all 3>&- || true
	for pid in $(pids_of "$(processes)"); do
		kill -s KILL "$pid" 2>/dev/null || true
	done
	[[ -z ${background:-} ]] || kill -s KILL "${background[@]}" 2>/dev/null || true
	wait_until 10 nothing_runs
	find "$sandboxes" -mindepth 1 -delete 2>/dev/null || true
}

setup() { setup_sandboxes; }
teardown() { teardown_sandboxes; }

# --- waiting and comparing ------------------------------------------------------------------------

wait_until() { # SECONDS COMMAND...: until the command succeeds
	local deadline=$(($(now_ms) + $1 * 1000))
	shift
	until "$@"; do
		(($(now_ms) < deadline)) || return 1
		sleep 0.02
	done
}

now_ms() {
	local micro=${EPOCHREALTIME/[^0-9]/}
	echo $((micro / 1000))
}

fail() {
	printf '%s\n' "$@" >&2
	return 1
}

expect() { # WORDS OF [[ ]]: fails with what they were
	test "$@" || fail "expected: $(printf "'%s' " "$@")"
}

# --- profiles -------------------------------------------------------------------------------------

write_profile() { # NAME, from standard input; `run_profile NAME ...` uses it
	cat >"$BATS_TEST_TMPDIR/$1.vitrine"
}

profile_file() { echo "$BATS_TEST_TMPDIR/$1.vitrine"; }

# Runs a shell command in a sandbox without windows, as an application.
quietly() { # SCRIPT [ARGUMENT...]
	vitrine run --profile "$(profile_file quiet)" -- -c "$@"
}

# --- sandboxes ------------------------------------------------------------------------------------

# Starts one that runs on by itself; sets `id`.
start_detached() { # ARGUMENTS OF run
	id=$(vitrine run --detach "$@" 3>&-)
	[[ $id =~ ^[a-z0-9-]+-[0-9a-f]{4}$ ]] || fail "no id: '$id'"
}

start_quiet() { # [SCRIPT]; sets `id`
	start_detached --profile "$(profile_file quiet)" -- -c "${1:-exec sleep 1000}"
}

# Starts one in the foreground of a background job; sets `supervisor`.  Output goes to $output_file.
start_supervised() { # ARGUMENTS OF run
	output_file=$BATS_TEST_TMPDIR/output
	vitrine run "$@" </dev/null >"$output_file" 2>&1 3>&- &
	supervisor=$!
	background+=("$supervisor")
}

field_of() { # ID FIELD
	vitrine ps --json | jq -er --arg id "$1" --arg field "$2" \
		'.[] | select(.id == $id) | .[$field]'
}

ids() { vitrine ps --json | jq -r '.[].id'; }

state_is() { [[ $(field_of "$1" state) == "$2" ]]; }

id_of_supervisor() { # PID
	vitrine ps --json | jq -er --argjson pid "$1" '.[] | select(.supervisor == $pid) | .id'
}

# Waits until the sandbox of start_supervised runs; sets `id`.
await_running() {
	wait_until 60 started_or_ended
	is_running || fail "it did not start:" "$(<"$output_file")"
}

started_or_ended() { is_running || ended "$supervisor"; }

is_running() {
	id=$(id_of_supervisor "$supervisor") && state_is "$id" running
}

# Waits for the supervisor's end, which must come in time; sets `code` and `took_ms`.
await_end() { # [SECONDS]
	local begin
	begin=$(now_ms)
	wait_until "${1:-$end_seconds}" ended "$supervisor" ||
		fail "the supervisor did not end within ${1:-$end_seconds} s"
	took_ms=$(($(now_ms) - begin))
	code=0
	wait "$supervisor" || code=$?
}

ended() { # PID: it is gone, or nobody has asked for its status yet
	local state
	state=$(ps -o state= -p "$1") || return 0
	[[ $state == Z* ]]
}

still_runs() { ! ended "$1"; } # PID

# --- processes ------------------------------------------------------------------------------------

sub_ids() { # prints the first of the user's subordinate ids and the number of them
	awk -F: -v name="$(id -un)" -v uid="$UID" \
		'$1 == name || $1 == uid { print $2, $3; exit }' /etc/subuid
}

# All that belongs to sandboxes, as "PID PARENT UID COMMAND ARGUMENTS": whatever runs under one of
# the user's subordinate ids, and the user's own supervisors and helpers.  A zombie has ended.
processes() {
	local first count
	read -r first count < <(sub_ids)
	ps -eo pid=,ppid=,ruid=,state=,comm=,args= | awk -v own="$UID" -v first="$first" -v count="$count" '
		$4 ~ /^Z/ { next }
		($3 >= first && $3 < first + count) ||
			($3 == own && $5 ~ /^(vitrine|slirp4netns|pasta)/) {
			$4 = ""
			print
		}'
}

pids_of() { awk '{ print $1 }' <<<"$1"; }

pid_of() { # PATTERN: of the one process whose command and arguments match
	local found
	found=$(processes | awk -v pattern="$1" '
		{ pid = $1; $1 = $2 = $3 = "" } $0 ~ pattern { print pid }')
	[[ $found =~ ^[0-9]+$ ]] && echo "$found" && return
	fail "not one process like '$1': '$found'" "$(processes)"
}

runs() { # PATTERN
	pid_of "$1" >/dev/null 2>&1
}

parent_of() { ps -o ppid= -p "$1" | tr -d ' '; }

uid_of() { ps -o ruid= -p "$1" | tr -d ' '; }

status_of() { # PID FIELD of /proc/PID/status
	awk -v field="$2:" '$1 == field { $1 = ""; print substr($0, 2) }' "/proc/$1/status"
}

# --- nothing is left ------------------------------------------------------------------------------

# Files where programs leave things, outside the tests' own directory. Some cannot be looked into.
lasting_files() {
	local first count
	read -r first count < <(sub_ids)
	{
		find /tmp /var/tmp /dev/shm /sys/fs/cgroup -path "$BATS_RUN_TMPDIR" -prune -o \
			\( -user "$UID" -o -uid "+$((first - 1))" -uid "-$((first + count))" \) -print || true
		find "$XDG_RUNTIME_DIR" -mindepth 1 \( -path "$XDG_RUNTIME_DIR/vitrine" -o \
			-path "$XDG_RUNTIME_DIR/stand-in" -o -path "$XDG_RUNTIME_DIR/pulse" -o \
			-path "$XDG_RUNTIME_DIR/systemd" \) -prune -o -print || true
	} 2>/dev/null | sort
}

nothing_runs() { [[ -z $(processes) ]]; }

leftovers() { # prints whatever stayed of any sandbox
	processes
	find "$XDG_RUNTIME_DIR/vitrine" -mindepth 1 ! -path "$XDG_RUNTIME_DIR/vitrine/lock" ! -path "$sandboxes"
	grep -F "$XDG_RUNTIME_DIR/vitrine" /proc/net/unix || true
	comm -13 <(echo "$files_before") <(lasting_files)
	diff <(echo "$mounts_before") /proc/self/mountinfo || true
}

nothing_is_left() { [[ -z $(leftovers) ]]; }

assert_nothing_left() { # [SECONDS]
	wait_until "${1:-$end_seconds}" nothing_is_left || fail "this was left:" "$(leftovers)"
}

# After its supervisor was killed only its state directory may be there, until somebody looks.
only_state_is_left() {
	[[ -z $(leftovers | grep -vF "$sandboxes/$id") ]]
}

# What `vitrine run` says first where this host lacks a layer.
without_warnings() {
	grep -vE '^vitrine: warning: (this kernel has no AppArmor|limits that cannot be enforced here)' || true
}

assert_nothing_said() { # in $stderr
	stderr=$(without_warnings <<<"$stderr")
	[[ -z $stderr ]] || fail "unexpected: '$stderr'"
}

# A message of vitrine's: one plain line.
assert_one_line() { # in $stderr
	stderr=$(without_warnings <<<"$stderr")
	[[ -n $stderr && $stderr != *$'\n'* && $stderr == "vitrine: "* ]] || fail "not one line: '$stderr'"
	[[ $stderr != *[[:cntrl:]]* ]] || fail "control characters: '$stderr'"
}
