#!/usr/bin/env bats
# The life of a sandbox as its caller sees it: exit status, standard streams, the verbs that name a
# running sandbox, and what bad input is answered with.

load common

# Runs the arguments where the user has changed what the script says: in a user and mount namespace
# of their own, still under the user's own id, without capabilities.
where() { # SCRIPT COMMAND...
	unshare --user --map-current-user --keep-caps --mount sh -ec \
		'eval "$1"; shift; exec setpriv --ambient-caps=-all --inh-caps=-all "$@"' sh "$@"
}

refused() { # COMMAND...: vitrine's own failure, said in one line, and nothing is left
	run -125 --separate-stderr "$@"
	[[ -z $output ]]
	assert_one_line
	assert_nothing_left
}

# --- exit status ----------------------------------------------------------------------------------

@test "the exit status is the application's" {
	run -0 --separate-stderr quietly 'exit 0'
	run -7 --separate-stderr quietly 'exit 7'
	run -255 --separate-stderr quietly 'exit 255'
	run -137 --separate-stderr quietly 'kill -9 $$'
	run -143 --separate-stderr quietly 'kill -15 $$'
	assert_nothing_left
}

@test "the exit status of a command that was entered is its own" {
	start_quiet
	run -0 vitrine enter "$id" true
	run -7 vitrine enter "$id" sh -c 'exit 7'
	run -137 vitrine enter "$id" sh -c 'kill -9 $$'
	run -127 vitrine enter "$id" nosuchprogram
	run -126 vitrine enter "$id" /etc/passwd
	run -125 vitrine enter "$id-not" true
}

@test "126 and 127: the program cannot be executed, or is not there" {
	write_profile absent <<<$'[App]\nCommand=/nonexistent/program\nImage=base\n[Display]\nBackend=none'
	write_profile data <<<$'[App]\nCommand=/etc/passwd\nImage=base\n[Display]\nBackend=none'
	run -127 --separate-stderr vitrine run --profile "$(profile_file absent)"
	[[ $stderr == *"/nonexistent/program"* ]]
	run -126 --separate-stderr vitrine run --profile "$(profile_file data)"
	[[ $stderr == *"/etc/passwd"* ]]
	assert_nothing_left
}

# --- standard streams -----------------------------------------------------------------------------

@test "input, output and errors are three separate streams" {
	printf 'one\ntwo\n' >"$BATS_TEST_TMPDIR/in"
	quietly 'read a; read b; echo "out $b"; echo "err $a" >&2' \
		<"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
	[[ $(<"$BATS_TEST_TMPDIR/out") == "out two" ]]
	[[ $(without_warnings <"$BATS_TEST_TMPDIR/err") == "err one" ]]
}

@test "ten megabytes pass through pipes unchanged, both ways" {
	head -c 10000000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	cat "$BATS_TEST_TMPDIR/in" | quietly 'exec cat' | cat >"$BATS_TEST_TMPDIR/out"
	cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
	start_quiet
	cat "$BATS_TEST_TMPDIR/in" | vitrine enter "$id" cat | cat >"$BATS_TEST_TMPDIR/entered"
	cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/entered"
}

@test "what was printed just before the end arrives" {
	run -3 --separate-stderr quietly 'head -c 60000 /dev/zero | tr "\0" x; exit 3'
	[[ ${#output} == 60000 ]]
}

@test "a slow reader gets everything" {
	run -0 --separate-stderr bash -c 'set -o pipefail
		vitrine run --profile "$1" -- -c "head -c 120000 /dev/zero" | { sleep 2; wc -c; }' \
		bash "$(profile_file quiet)"
	expect "$output" -eq 120000
}

@test "the end of a pipe's reader ends the writer" {
	run -0 --separate-stderr bash -c 'set -o pipefail; timeout 20 "$VITRINE" run --profile "$1" -- -c "yes; exit 0" | head -n 1' \
		bash "$(profile_file quiet)"
	[[ $output == y ]]
	assert_nothing_left
}

@test "standard streams may be closed" {
	run -5 --separate-stderr quietly 'exit 5' <&-
	quietly 'echo lost; echo lost >&2; exit 0' >&- 2>&-
	assert_nothing_left
}

@test "at a terminal the application has a terminal of its own" {
	local script="vitrine run --profile $(profile_file quiet) -- -c 'test -t 0 && test -t 1 && test -t 2 && stty size && tty'"
	run -0 script -qec "stty rows 33 cols 101; $script" /dev/null
	[[ $output == *"33 101"* ]]
	[[ $output == *"/dev/pts/"* ]]
	run -9 script -qec "vitrine run --profile $(profile_file quiet) -- -c 'exit 9'" /dev/null
	assert_nothing_left
}

@test "control characters typed at the terminal reach the application" {
	run -0 bash -c '(sleep 1; printf "abc\n"; sleep 0.5; printf "\003"; sleep 5) |
		script -qec "vitrine run --profile $1 -- -c \"trap \\\"echo interrupted; exit 0\\\" INT; read x; echo got \\\$x; sleep 20\"" /dev/null' \
		bash "$(profile_file quiet)"
	[[ $output == *"got abc"* ]]
	[[ $output == *interrupted* ]]
}

@test "the caller's terminal is given back as it was" {
	run -0 script -qec "stty -g; vitrine run --profile $(profile_file quiet) -- -c 'stty raw -echo'; stty -g" /dev/null
	output=$(tr -cd '0-9a-f:\n' <<<"$output")
	[[ ${output%%$'\n'*} == *:*:* && ${output%%$'\n'*} == "${output##*$'\n'}" ]]
}

# --- arguments ------------------------------------------------------------------------------------

@test "arguments arrive as they were given" {
	local long odd=($'a\nb' '' ' ' '-x' '--' '*' "it's" $'\e[31m' 'ä' '$HOME' '..' '/')
	long=$(head -c 100000 /dev/zero | tr '\0' x)
	quietly 'printf "%s\0" "$@"' sh "${odd[@]}" "$long" >"$BATS_TEST_TMPDIR/got"
	printf '%s\0' "${odd[@]}" "$long" | cmp - "$BATS_TEST_TMPDIR/got"
	start_quiet
	vitrine enter "$id" printf '%s\0' "${odd[@]}" >"$BATS_TEST_TMPDIR/got"
	printf '%s\0' "${odd[@]}" | cmp - "$BATS_TEST_TMPDIR/got"
	run -0 vitrine enter "$id" printf %s "$long"
	[[ $output == "$long" ]]
}

# --- a program of the user's ----------------------------------------------------------------------

@test "run -- ./program copies a program in and runs it" {
	cd "$BATS_TEST_TMPDIR"
	printf '#!/bin/sh\necho "ran $1 in $PWD"\nexit 4\n' >program
	chmod 755 program
	run -4 --separate-stderr vitrine run --display none -- ./program here
	[[ $output == "ran here in $HOME" ]]
	assert_nothing_said
	run -0 --separate-stderr vitrine run --display none -- "$VITRINE_PROGRAMS/attempt"
	[[ $output == *mount* ]]
	assert_nothing_left
}

make_program() { # NAME in the working directory
	printf '#!/bin/sh\necho ran\n' >"./$1"
	chmod 755 "./$1"
}

@test "a program may have an odd name, but none with control characters" {
	local name
	cd "$BATS_TEST_TMPDIR"
	for name in 'a b' '-x' '..x' 'ä' "it's" '%s' "$(printf '%0200d' 7)"; do
		make_program "$name"
		run -0 --separate-stderr vitrine run --display none -- "./$name"
		[[ $output == ran ]]
	done
	for name in $'new\nline' $'\e[31m'; do
		make_program "$name"
		refused vitrine run --display none -- "./$name"
	done
}

@test "a program that is none" {
	cd "$BATS_TEST_TMPDIR"
	echo data >data
	refused vitrine run --display none -- ./data
	[[ $stderr == *chmod* ]]
	refused vitrine run --display none -- ./missing
	refused vitrine run --display none -- .
	mkfifo pipe
	chmod 755 pipe
	refused timeout 20 vitrine run --display none -- ./pipe
	refused vitrine run --display none -- "./$(printf '%0300d' 7)"
}

# --- detached -------------------------------------------------------------------------------------

@test "--detach prints the id and returns while the application runs" {
	run -0 --separate-stderr vitrine run --detach --profile "$(profile_file quiet)" -- -c 'exec sleep 1000' 3>&-
	[[ $output =~ ^quiet-[0-9a-f]{4}$ ]]
	assert_nothing_said
	state_is "$output" running
	[[ $(ids) == "$output" ]]
}

@test "--detach reports a failure" {
	write_profile imageless <<<$'[App]\nCommand=/bin/sh\nImage=nothere\n[Display]\nBackend=none'
	refused vitrine run --detach --profile "$(profile_file imageless)"
}

@test "a detached sandbox holds nothing of its caller's" {
	local fd
	exec 8<"$BATS_TEST_TMPDIR"
	start_quiet
	supervisor=$(field_of "$id" supervisor)
	[[ $(ps -o tty= -p "$supervisor") == '?' ]]
	for fd in "/proc/$supervisor/fd/"*; do
		[[ $(readlink "$fd") != "$BATS_TEST_TMPDIR"* ]] || fail "$fd is the caller's"
	done
	exec 8<&-
	run -0 timeout 10 bash -c 'vitrine run --detach --profile "$1" -- -c "exec sleep 1000" | cat' \
		bash "$(profile_file quiet)"
}

# --- ps and stop ----------------------------------------------------------------------------------

@test "ps --json tells all about every sandbox" {
	[[ $(vitrine ps --json) == "[]" ]]
	start_quiet
	local first=$id
	start_quiet
	run -0 --separate-stderr vitrine ps --json
	[[ -z $stderr ]]
	jq -e 'length == 2' <<<"$output"
	jq -e 'all(.[]; (["id", "profile", "image", "supervisor", "state", "started", "display", "label",
		"grants"] - keys) == [])' <<<"$output"
	jq -e --arg id "$first" '.[] | select(.id == $id) | .profile == "quiet" and .image == "base" and
		.state == "running" and .display == "none" and .grants == []' <<<"$output"
	jq -e 'all(.[]; .started | fromdateiso8601 | now - . < 60)' <<<"$output"
	kill -s 0 "$(field_of "$first" supervisor)"
	[[ $(field_of "$first" supervisor) != "$(field_of "$id" supervisor)" ]]
}

@test "ps shows a table" {
	start_quiet
	run -0 vitrine ps
	[[ ${#lines[@]} == 2 ]]
	[[ ${lines[0]} == "ID "*PROFILE* ]]
	[[ ${lines[1]} == "$id "*quiet*running* ]]
}

@test "stop by id, by the beginning of one, by profile" {
	start_quiet
	run -0 --separate-stderr vitrine stop "$id"
	[[ -z $output$stderr ]]
	assert_nothing_left
	start_quiet
	run -0 vitrine stop "${id:0:7}"
	[[ -z $(ids) ]]
	start_quiet
	run -0 vitrine stop quiet
	[[ -z $(ids) ]]
	assert_nothing_left
}

@test "stop returns when the sandbox is gone" {
	start_quiet 'trap "" TERM HUP INT; sleep 1000'
	supervisor=$(field_of "$id" supervisor)
	local app
	app=$(pid_of '^ *sleep sleep 1000')
	run -0 vitrine stop "$id"
	ended "$app"
	[[ ! -e $sandboxes/$id ]]
}

@test "an ambiguous name stops nothing" {
	start_quiet
	local first=$id
	start_quiet
	run -1 --separate-stderr vitrine stop quiet
	assert_one_line
	[[ $stderr == *"$first"* && $stderr == *"$id"* ]]
	run -1 vitrine stop q
	run -125 vitrine enter quiet true
	run -1 vitrine logs quiet
	[[ $(ids | wc -l) == 2 ]]
	run -0 vitrine stop "$first" "$id"
	assert_nothing_left
}

@test "stop --all ends every one" {
	start_quiet
	start_quiet
	start_quiet
	run -0 vitrine stop --all
	assert_nothing_left
	run -0 vitrine stop --all
}

@test "a foreground run that is stopped says so with its status" {
	start_supervised --profile "$(profile_file quiet)" -- -c 'sleep 1000'
	await_running
	run -0 vitrine stop "$id"
	await_end
	expect "$code" -eq 143
}

@test "names of sandboxes that are none" {
	local name
	start_quiet
	for name in a/b .. . / "../sandboxes/$id" $'x\ny' '' "$(printf '%0300d' 7)" "$id/" '*' $'\e[31m'; do
		run -1 --separate-stderr vitrine stop "$name"
		assert_one_line
		run -1 --separate-stderr vitrine logs "$name"
		assert_one_line
		run -125 --separate-stderr vitrine enter "$name" true
		assert_one_line
	done
	run -2 --separate-stderr vitrine stop -x
	assert_one_line
	run -1 --separate-stderr vitrine stop -- -x
	assert_one_line
	[[ $(ids) == "$id" ]]
}

# --- logs -----------------------------------------------------------------------------------------

@test "logs prints what the application has printed" {
	start_quiet 'echo to output; echo to errors >&2; exec sleep 1000'
	log_is_complete() { [[ $(vitrine logs "$id") == *"to output"*"to errors"* ]]; }
	wait_until 10 log_is_complete
}

@test "logs -f goes on until the sandbox ends" {
	start_quiet 'while :; do echo tick; sleep 0.1; done'
	vitrine logs -f "$id" >"$BATS_TEST_TMPDIR/log" 3>&- &
	local follower=$!
	background+=("$follower")
	ticks() { (($(grep -c tick "$BATS_TEST_TMPDIR/log") > $1)); }
	wait_until 10 ticks 2
	wait_until 10 ticks "$(grep -c tick "$BATS_TEST_TMPDIR/log")"
	run still_runs "$follower"
	run -0 vitrine stop "$id"
	wait_until "$end_seconds" ended "$follower"
	wait "$follower"
}

@test "a flood of output does not fill the run-time directory" {
	start_quiet 'yes 0123456789012345678901234567890123456789012345678901234567890123 | head -c 200000000; echo; echo done; exec sleep 1000'
	flood_is_over() { [[ $(vitrine logs "$id" | tail -n 1) == "done" ]]; }
	wait_until 60 flood_is_over
	(($(du -sk "$sandboxes/$id" | cut -f1) < 20000))
}

# --- bad input ------------------------------------------------------------------------------------

@test "an unknown profile" {
	refused vitrine run nosuchprofile
	[[ $stderr == *nosuchprofile* ]]
	refused vitrine run xtrem
	[[ $stderr == *"'xterm'"* ]]
}

@test "names of profiles that are none" {
	local name
	for name in a/b .. . / ../xterm /etc/passwd $'xterm\n' $'x\ny' '' "$(printf '%0300d' 7)" 'Xterm' $'\e[31m'; do
		refused vitrine run "$name"
	done
	run -2 --separate-stderr vitrine run -x
	assert_one_line
	run -2 --separate-stderr vitrine run --nosuchoption xterm
	assert_one_line
}

@test "a profile file that is none" {
	cd "$BATS_TEST_TMPDIR"
	refused vitrine run --profile "$(profile_file nosuch)"
	refused vitrine run --profile /etc/passwd
	refused vitrine run --profile "$BATS_TEST_TMPDIR"
	write_profile broken <<<$'[App]\nCommand=/bin/sh\nImage=base\n[Display]\nBackend=maybe'
	refused vitrine run --profile "$(profile_file broken)"
	[[ $stderr == *broken.vitrine:5:* ]]
	cp "$(profile_file quiet)" $'new\nline.vitrine'
	refused vitrine run --profile $'new\nline.vitrine'
	head -c 100000 /dev/urandom >noise.vitrine
	refused vitrine run --profile noise.vitrine
	mkfifo pipe.vitrine
	refused timeout 20 vitrine run --profile pipe.vitrine
	cp "$(profile_file quiet)" open.vitrine
	chmod 666 open.vitrine
	refused vitrine run --profile open.vitrine
}

@test "a missing image: the message has the command that builds it" {
	write_profile imageless <<<$'[App]\nCommand=/bin/sh\nImage=nothere\n[Display]\nBackend=none'
	refused vitrine run --profile "$(profile_file imageless)"
	[[ $stderr == *nothere* ]]
}

@test "as root" {
	refused unshare --map-root-user vitrine run --profile "$(profile_file quiet)" -- -c true
	[[ $stderr == *root* ]]
	refused unshare --map-root-user vitrine ps
}

@test "without a run-time directory" {
	refused env -u XDG_RUNTIME_DIR vitrine run xterm
	[[ $stderr == *XDG_RUNTIME_DIR* ]]
	refused env XDG_RUNTIME_DIR= vitrine run xterm
	refused env XDG_RUNTIME_DIR=relative vitrine run xterm
	refused env XDG_RUNTIME_DIR=/nonexistent vitrine run xterm
	refused env XDG_RUNTIME_DIR=/etc/passwd vitrine run xterm
	run -1 --separate-stderr env -u XDG_RUNTIME_DIR vitrine ps
	assert_one_line
}

@test "a run-time directory that others may enter, or of another user" {
	mkdir -m 0755 "$BATS_TEST_TMPDIR/open"
	refused env XDG_RUNTIME_DIR="$BATS_TEST_TMPDIR/open" vitrine run xterm
	[[ $stderr == *"chmod 0700"* ]]
	[[ -z $(ls -A "$BATS_TEST_TMPDIR/open") ]]
	refused env XDG_RUNTIME_DIR=/ vitrine run xterm
	mkdir -m 0700 "$BATS_TEST_TMPDIR/real"
	ln -s real "$BATS_TEST_TMPDIR/link"
	mkdir "$BATS_TEST_TMPDIR/real/elsewhere"
	ln -s elsewhere "$BATS_TEST_TMPDIR/real/vitrine"
	refused env XDG_RUNTIME_DIR="$BATS_TEST_TMPDIR/real" vitrine run xterm
	[[ -z $(ls -A "$BATS_TEST_TMPDIR/real/elsewhere") ]]
}

@test "without subordinate ids" {
	local file
	: >"$BATS_TEST_TMPDIR/empty"
	for file in /etc/subuid /etc/subgid; do
		refused where "mount --bind $BATS_TEST_TMPDIR/empty $file" \
			vitrine run --profile "$(profile_file quiet)" -- -c true
		[[ $stderr == *"$file"*usermod* ]]
	done
}

@test "with subordinate ids that are somebody else's or the system's" {
	local name line
	name=$(id -un)
	for line in "$name:0:65536" "$name:500:65536" "$name:$((UID - 10)):65536" "$name:4294967000:65536" \
		"$name:100000:10" "$name:x:65536" "$name" "root:100000:65536"; do
		echo "$line" >"$BATS_TEST_TMPDIR/subuid"
		refused where "mount --bind $BATS_TEST_TMPDIR/subuid /etc/subuid" \
			vitrine run --profile "$(profile_file quiet)" -- -c true
	done
}

@test "without newuidmap" {
	refused where 'mount --bind /dev/null /usr/bin/newuidmap' \
		vitrine run --profile "$(profile_file quiet)" -- -c true
	[[ $stderr == *uidmap* ]]
}

@test "where user namespaces are forbidden" {
	refused where 'echo 0 >/proc/sys/user/max_user_namespaces' \
		vitrine run --profile "$(profile_file quiet)" -- -c true
	[[ $stderr == *"vitrine doctor"* ]]
}

@test "a full run-time directory" {
	local full=$BATS_TEST_TMPDIR/full nodes
	mkdir "$full"
	for nodes in 1 2 3 4 5 6; do
		refused env full="$full" nodes="$nodes" XDG_RUNTIME_DIR="$full" bash -c \
			"$(declare -f where); where 'mount -t tmpfs -o mode=0700,nr_inodes=\$nodes none \"\$full\"' \
				sh -c 'vitrine run --profile \"\$1\" -- -c true; s=\$?; ls -A \"\$full/vitrine/sandboxes\" 2>/dev/null; exit \$s' \
				sh \"\$1\"" bash "$(profile_file quiet)"
		[[ $stderr == *"No space left"* || $nodes -gt 4 ]]
	done
}

@test "few descriptors, no file space: a plain error or a run, nothing left" {
	local limit
	for limit in '-n 16' '-n 40' '-f 0'; do
		run --separate-stderr bash -c "ulimit $limit; exec vitrine run --profile \"\$1\" -- -c 'exit 3'" \
			bash "$(profile_file quiet)"
		((status == 3)) || { ((status == 125)) && assert_one_line; } ||
			fail "ulimit $limit: status $status, '$stderr'"
		assert_nothing_left
	done
}

@test "an image build in a read-only home" {
	run -1 --separate-stderr where 'mount --bind "$HOME" "$HOME"; mount -o remount,bind,ro "$HOME"' \
		vitrine image build base
	assert_one_line
	[[ $stderr == *"Read-only file system"* ]]
}

@test "a sandbox in a home that cannot be written" {
	local store=$HOME/.local/share/vitrine/images
	local parts=("$store" "$store"/{lock,names,names/base,names/base/*.json,layers,layers/*,work})
	chmod a-w "${parts[@]}"
	run --separate-stderr quietly 'echo ran'
	chmod u+w "${parts[@]}"
	expect "$status" -eq 0
	[[ $output == ran ]]
}

# --- the sandbox's own space ----------------------------------------------------------------------

@test "a sandbox can fill its own space only" {
	write_profile small <<-'END'
		[App]
		Command=/bin/sh
		Image=base
		[Display]
		Backend=none
		[Limits]
		Disk=16M
		Inodes=1024
	END
	local full
	start_quiet
	local other=$id
	start_detached --profile "$(profile_file small)" -- -c 'exec sleep 1000'
	full=$id
	run -1 vitrine enter "$full" dd if=/dev/zero of=/tmp/fill bs=1M count=64
	[[ $output == *"No space left on device"* ]]
	run -1 vitrine enter "$full" dd if=/dev/zero "of=$HOME/fill" bs=1M count=1
	[[ $output == *"No space left on device"* ]]
	run -0 vitrine enter "$full" sh -c 'wc -c </tmp/fill'
	((output <= 16 * 1024 * 1024))
	run -0 vitrine enter "$other" sh -c 'dd if=/dev/zero of=/tmp/x bs=1M count=20 2>/dev/null && rm /tmp/x'
	run -0 --separate-stderr quietly 'exit 0'
	run -0 vitrine stop "$full"
	[[ $(ids) == "$other" ]]
}

@test "a sandbox can use up its own inodes only" {
	write_profile small <<-'END'
		[App]
		Command=/bin/sh
		Image=base
		[Display]
		Backend=none
		[Limits]
		Inodes=1024
	END
	start_quiet
	local other=$id
	start_detached --profile "$(profile_file small)" -- -c 'exec sleep 1000'
	run vitrine enter "$id" sh -c 'i=0; while [ $i -lt 2000 ]; do : >/tmp/$i || exit 3; i=$((i + 1)); done'
	((status != 0))
	[[ $output == *"No space left on device"* ]]
	run -0 vitrine enter "$other" touch /tmp/x
}
