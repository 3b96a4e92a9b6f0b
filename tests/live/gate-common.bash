# What the tests of the gate share.  There is no sandbox: gate-mount runs a script of bash where the
# gate's file system is mounted, and where everything else is the host's, so that the script sees
# both sides of what was given.
#
# VITRINE_GATE is the server (what is installed), VITRINE_PROGRAMS the directory of what
# tests/live/programs makes.
# shellcheck shell=bash

: "${VITRINE_PROGRAMS:?is not set: the directory of the compiled programs of tests/live/programs}"
calls=$VITRINE_PROGRAMS/gate-calls
patience=20 # seconds for whatever must not hang

setup_gate() {
	umask 022
	shared=$BATS_TEST_TMPDIR/shared
	mountpoint=$BATS_TEST_TMPDIR/inside
	beside=$BATS_TEST_TMPDIR/beside # given to nobody
	mkdir "$shared" "$mountpoint" "$beside"
	export TMPDIR=$BATS_TEST_TMPDIR
	export shared mountpoint beside tree=$mountpoint/trees/0 files=$mountpoint/files
}

# Whatever the test did, neither the gate nor a process behind it stays.
teardown_gate() {
	local left
	left=$(gate_processes)
	[[ -z $left ]] || kill -s KILL $left 2>/dev/null || true
	chmod -R u+rwx "$BATS_TEST_TMPDIR" 2>/dev/null || true
	[[ -z $left ]] || fail "still running: $left"
}

gate_processes() { # of this test; the server ends with its supervisor
	pgrep -f -- "gate-mount .*$BATS_TEST_TMPDIR/" || true
}

# Runs the script on standard input in bash behind a gate; its exit status is the script's.
gated() { # GRANTS OF gate-mount
	local script
	script=$(cat)
	timeout --kill-after=5 "${limit:-120}" "$VITRINE_PROGRAMS/gate-mount" "$@" "$mountpoint" -- \
		bash -euo pipefail -c "source '${BASH_SOURCE[0]}'; $script" 3>&-
}

# --- in such a script -----------------------------------------------------------------------------

fail() {
	printf '%s\n' "$@" >&2
	return 1
}

expect() { # WORDS OF [[ ]]: fails with what they were
	test "$@" || fail "expected: $(printf "'%s' " "$@")"
}

# One system call (gate-calls.c) must end so.
ends() { # "done" OR NAME OF AN ERROR[|ANOTHER], CALL, PATH, [PATH]
	local wanted=$1 got
	shift
	got=$(timeout "$patience" "$calls" "$@") || fail "$*: did not return"
	[[ "|$wanted|" == *"|$got|"* ]] || fail "$*: $got instead of $wanted"
}

holds() { # FILE TEXT
	local got
	got=$(timeout "$patience" cat "$1"; echo .)
	[[ $got == "$2." ]] || fail "'$1' holds '${got%.}' instead of '$2'"
}

ask() { # WORDS: tells the supervisor (gate-mount.c); prints its answer
	echo "$*" >"$GATE_DIR/ask"
	timeout "$patience" head -n 1 "$GATE_DIR/answer"
}

# What happens outside is seen inside a little later.
settle() { sleep 0.03; }

wait_until() { # SECONDS COMMAND...: until the command succeeds
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS <= deadline)) || return 1
		sleep 0.02
	done
}

# What is in a directory, with everything that a change would show.
snapshot() { # DIRECTORY
	find "$1" -printf '%P %y %m %u %s %T@ %l\n' | sort
	find "$1" -type f -exec sha256sum {} + | sort
}
