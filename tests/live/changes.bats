#!/usr/bin/env bats
# What an application has changed, and what of it is copied out: by somebody who takes it for hostile.

# shellcheck disable=SC2016 # much is expanded inside of a sandbox

load common

setup() {
	setup_sandboxes
	place=$(mktemp -d "$HOME/changes.XXXXXX")
	cd "$place" || return
}

teardown() {
	teardown_sandboxes
	vitrine home rm testchanges 2>/dev/null || true
	rm -rf "$XDG_RUNTIME_DIR/vitrine/instances"
	cd /
	rm -rf "$place"
}

refused() { # PART COMMAND...: the last line says it
	run --separate-stderr "${@:2}"
	((status != 0))
	[[ ${stderr##*$'\n'} == "vitrine: "*"$1"* ]] || fail "'$1' is not in '$stderr'"
}

start_and_do() { # SCRIPT: sets `id`; returns when it is done
	start_quiet "$1"$'\ntouch /tmp/done; exec sleep 1000'
	wait_until 20 eval '[[ -n $(vitrine enter "$id" ls /tmp/done 2>/dev/null) ]]'
}

# --- what has changed -----------------------------------------------------------------------------

@test "in an empty home everything is new, and /tmp does not count" {
	start_and_do 'echo 12345 >a; mkdir d; echo >d/b; echo >/tmp/c; echo >/var/tmp/e'
	[[ $(vitrine changes "$id" | tr -s ' ') == \
		"created 6 $HOME/a"$'\n'"created 1 $HOME/d/ (1 entry)" ]]
	[[ $(vitrine changes --all "$id" | grep -c .) -eq 3 ]]
	[[ $(vitrine changes --temporary "$id") == *"/tmp/c"*"/var/tmp/e"* ]]
	vitrine changes --json "$id" >json
	jq -e '.more == false and (.changes | length == 3)' json
	jq -e --arg path "$HOME/a" '.changes[0] == {change: "created", type: "file", size: 6, path: $path}' json
}

@test "an untouched sandbox has no changes, with sound, a bus and what is given" {
	mkdir given
	write_profile bare <<-END
		[App]
		Command=/bin/sh
		Image=base
		SingleInstance=yes
		[Display]
		Backend=none
		[Files]
		ReadOnly=$place/given
	END
	start_detached --profile "$(profile_file bare)" -- -c 'exec sleep 1000'
	[[ -z $(vitrine changes "$id") ]] || fail "$(vitrine changes "$id")"
}

@test "of a kept home what was there before is compared, and no time that is set hides a change" {
	write_profile testchanges <<-'END'
		[App]
		Command=/bin/sh
		Image=base
		[Display]
		Backend=none
		[Files]
		Home=kept
	END
	vitrine run --profile "$(profile_file testchanges)" -- -c 'mkdir -p gone/in; echo 1 >gone/in/a
		echo 1 >same; echo 1 >hidden; echo 1 >longer; echo 1 >replaced; echo 1 >moved'
	start_detached --profile "$(profile_file testchanges)" -- -c 'rm -r gone; echo 12 >longer
		touch -r hidden /tmp/r; echo 2 >hidden; touch -r /tmp/r hidden
		rm replaced; mkdir replaced; mv moved there; echo >new; exec sleep 1000'
	wait_until 5 eval '[[ -n $(vitrine enter "$id" ls new 2>/dev/null) ]]'
	[[ $(vitrine changes "$id" | awk '{ print $1, $3 }') == "removed $HOME/gone/
modified $HOME/hidden
modified $HOME/longer
removed $HOME/moved
created $HOME/new
modified $HOME/replaced/
created $HOME/there" ]] || fail "$(vitrine changes "$id")"
}

@test "names are escaped at a terminal, and are names in JSON" {
	start_and_do 'printf x >"$(printf "a\033[2Jb\nc")"'
	[[ $(vitrine changes "$id") == *'a\x1b[2Jb\x0ac' ]]
	[[ $(vitrine changes --json "$id" | jq -r '.changes[0].path') == "$HOME/a"$'\e[2Jb\nc' ]]
}

@test "who makes more files than are looked at is told about, and nothing else happens" {
	write_profile quiet <<-'END'
		[App]
		Command=/bin/sh
		Image=base
		[Display]
		Backend=none
		[Limits]
		Inodes=400000
	END
	start_and_do 'echo >first; mkdir m; cd m; seq 210000 | xargs touch'
	vitrine changes "$id" >list
	[[ $(tail -n 1 list) == "... and more" ]]
	vitrine changes --json "$id" | jq -e '.more and (.changes | length == 200000)'
}

@test "who changes directories while they are walked is not followed" {
	mkdir secret
	echo secret >secret/file
	start_and_do 'mkdir d d/e; echo mine >d/e/file
		(while :; do mv d d2; ln -s '"$place"'/secret d; rm d; mv d2 d; mv d/e e; ln -s /etc d/e; rm d/e; mv e d/e; done) &
		(while :; do echo >d/e/x; rm -f d/e/x; mkfifo d/e/p; rm -f d/e/p; done) 2>/dev/null &'
	for _ in $(seq 30); do
		vitrine changes --all "$id" >list
		! grep -q -e /etc -e secret list
		vitrine keep --to . "$id" d 2>/dev/null || continue
		! grep -rq secret d
		[[ -z $(find d ! -type d ! -type f) && -z $(find d -name passwd) ]]
		rm -rf d
	done
}

# --- copied out -----------------------------------------------------------------------------------

@test "keep copies to the same place beneath the home, or elsewhere, and replaces nothing" {
	start_and_do "mkdir -p '$place/in'; echo 1 >'$place/in/a'; echo 2 >top; echo 3 >/tmp/t"
	[[ $(vitrine keep "$id" "$place/in/a") == "$place/in/a" ]]
	[[ $(<in/a) == 1 && $(stat -c '%u %a' in/a) == "$UID 644" ]]
	echo mine >in/a
	refused "is there already (--force replaces it)" vitrine keep "$id" "$place/in/a"
	[[ $(<in/a) == mine ]]
	vitrine keep --force "$id" "$place/in/a"
	[[ $(<in/a) == 1 ]]
	[[ $(vitrine keep --to . "$id" top /tmp/t) == "$place/top"$'\n'"$place/t" ]]
	[[ $(<top) == 2 && $(<t) == 3 ]]
	refused "say where with --to" vitrine keep "$id" /tmp/t
	refused "there is nothing that can be taken" vitrine keep --to . "$id" nosuch
	refused "where the application can write" vitrine keep --to . "$id" /etc/passwd
	refused "name it without" vitrine keep --to . "$id" ../../etc/passwd
	refused "cannot open the directory" vitrine keep --to nosuch "$id" top
	[[ -z $(find . -name '.vitrine*') ]]
}

@test "keep replaces a directory as a whole, when it is told to" {
	start_and_do 'mkdir d; echo new >d/a'
	mkdir d
	echo old >d/b
	refused "there already" vitrine keep --to . "$id" d
	vitrine keep --to . --force "$id" d
	[[ $(ls -A d) == a && $(<d/a) == new ]]
	echo file >f
	vitrine enter "$id" sh -c 'mkdir f; echo >f/x'
	vitrine keep --to . --force "$id" f
	[[ -d f ]]
	[[ $(ls -A) == $'d\nf' ]]
}

@test "no link at the destination is followed" {
	mkdir elsewhere
	start_and_do "mkdir -p '$place/way/d'; echo x >'$place/way/d/a'; echo x >'$place/l'"
	ln -s elsewhere way
	refused "a link, or no directory, lies on the way" vitrine keep "$id" "$place/way/d/a"
	ln -s elsewhere/target l
	refused "there already" vitrine keep "$id" "$place/l"
	vitrine keep --force "$id" "$place/l"
	[[ ! -L l && $(<l) == x && -z $(ls -A elsewhere) ]]
}

@test "start-up files, keys and the like are not kept, whichever way they are named" {
	start_and_do 'echo evil >.bash_aliases; mkdir -p .config/autostart x/.config/autostart .ssh
		echo evil >.config/autostart/e.desktop; echo evil >.ssh/config; echo evil >.zshrc'
	before=$(ls -A ~ ~/.config 2>/dev/null)
	for path in .bash_aliases .config/autostart .config/autostart/e.desktop .ssh/config .zshrc; do
		[[ -e $HOME/$path ]] && continue
		refused "" vitrine keep "$id" "$path"
		[[ ! -e $HOME/$path ]] || fail "$path was written"
	done
	refused "" vitrine keep --to "$HOME" "$id" .zshrc
	[[ ! -e $HOME/.zshrc ]]
	[[ $(ls -A ~ ~/.config 2>/dev/null) == "$before" ]]
	# Beneath another directory they mean nothing.
	vitrine keep --to . "$id" .zshrc
}

@test "links, devices, set-id bits, FIFOs, sockets and odd names do no harm" {
	start_and_do 'mkdir d; cd d; ln -s /etc/passwd link; ln -s .. up; mkfifo fifo; echo x >set; chmod 6777 set
		ln set hard; echo x >"$(printf "new\nline")"; echo x >.wh.a; echo x >.wh..wh..opq; echo x >-rf
		mkdir dev; echo x >dev/null2; : >"$(printf "\377")"; chmod 0 set; mkdir -m 0 closed; cp set closed/in 2>/dev/null'
	run -0 --separate-stderr vitrine keep --to . "$id" d
	[[ $stderr == *"left out 'd/link': a link"* && $stderr == *"'d/fifo': a device, socket or FIFO"* ]]
	[[ $stderr == *"left out 'd/.wh.a'"* && $stderr == *"'d/.wh..wh..opq'"* ]]
	[[ -z $(find d ! -type d ! -type f) && -z $(find d -perm /7000) ]]
	[[ $(<d/dev/null2) == x && $(<d/-rf) == x && -e d/hard && -e d/$'new\nline' && -e d/$'\377' ]]
	[[ ! -e d/.wh.a ]]
	chmod -R u+rwX d
}

@test "a FIFO, or a file that somebody holds a lease of, blocks nobody" {
	start_and_do 'mkdir d; mkfifo d/f; echo >d/a'
	timeout 10 vitrine keep --to . "$id" d
	timeout 10 vitrine changes "$id"
}

@test "a file of a tebibyte that takes no room, and one that grows, are no trap" {
	write_profile quiet <<-'END'
		[App]
		Command=/bin/sh
		Image=base
		[Display]
		Backend=none
		[Limits]
		Disk=200M
	END
	start_and_do 'mkdir d; truncate -s 1T d/huge; echo small >d/small
		(while :; do echo growing >>d/log; done) &'
	run -0 --separate-stderr timeout 20 vitrine keep --to . "$id" d
	[[ $stderr == *"left out 'd/huge': too large"* && ! -e d/huge && $(<d/small) == small ]]
	rm -r d
	vitrine enter "$id" truncate -s 3M d/middle
	run -0 --separate-stderr vitrine keep --limit 1M --to . "$id" d/small d/middle || true
	[[ -e small && ! -e middle ]]
}

@test "what is nested too deeply is left out" {
	start_and_do 'mkdir d; cd d; for i in $(seq 200); do mkdir d && cd d || exit; done; echo >bottom'
	run -0 --separate-stderr vitrine keep --to . "$id" d
	[[ $stderr == *"nested too deeply"* ]]
	[[ -z $(find d -name bottom) ]]
	[[ $(vitrine changes "$id" | tr -s ' ') == "created 0 $HOME/d/ ("* ]]
}

@test "killed in the middle nothing half is there, and the next one cleans up" {
	start_and_do 'mkdir d; head -c 100000000 /dev/zero | tr "\0" x >d/big'
	for _ in 1 2 3; do
		vitrine keep --to . "$id" d >/dev/null 2>&1 3>&- &
		sleep 0.1
		kill -9 $! 2>/dev/null || true
		wait $! || true
		[[ ! -e d || $(stat -c %s d/big) -eq 100000000 ]]
		rm -rf d
	done
	vitrine keep --to . "$id" d
	[[ $(ls -A) == d ]]
	wait_until 5 eval '! runs "vitrine-walk"'
}

@test "the supervisor's end ends who walks, and the command says so" {
	start_and_do 'mkdir d; head -c 200000000 /dev/zero | tr "\0" x >d/big'
	vitrine keep --to . "$id" d >out 2>&1 3>&- &
	sleep 0.1
	kill -9 "$(field_of "$id" supervisor)"
	wait $! || true
	vitrine ps >/dev/null
	[[ ! -e d || $(stat -c %s d/big) -eq 200000000 ]]
	assert_nothing_left 10
}

@test "a killed walk is said, and takes nothing with it" {
	start_and_do 'mkdir d; head -c 200000000 /dev/zero | tr "\0" x >d/big'
	vitrine keep --to . "$id" d >out 2>&1 3>&- &
	wait_until 5 runs 'vitrine-walk'
	kill -9 "$(pid_of 'vitrine-walk')" 2>/dev/null || true
	wait $! || true
	[[ ! -e d ]] || [[ $(stat -c %s d/big) -eq 200000000 ]]
	vitrine changes "$id" >/dev/null
	[[ -z $(find . -name '.vitrine*') ]]
}

@test "a full disk where it goes is said plainly" {
	start_and_do 'head -c 3000000 /dev/zero | tr "\0" x >big'
	run --separate-stderr unshare --user --map-current-user --keep-caps --mount sh -ec '
		mount -t tmpfs -o size=1m none "$1/in"; exec setpriv --ambient-caps=-all --inh-caps=-all \
			vitrine keep --to "$1/in" "$2" big' sh "$(mkdir in && echo "$place")" "$id"
	((status != 0))
	[[ $stderr == *"No space left"* ]] || fail "$stderr"
}

# --- held at the end ------------------------------------------------------------------------------

at_terminal() { # ARGUMENT OF run, answers from standard input, each in its own time
	{
		sleep 2.5
		while read -r line; do
			echo "$line"
			sleep 0.7
		done
		sleep 0.5
	} | script -qec "vitrine run --review $1; echo status=\$?" /dev/null >out 2>&1
}

@test "--review is refused where nobody can be asked" {
	refused "--review asks at a terminal: there is none" vitrine run --review --profile "$(profile_file quiet)" </dev/null
	refused "it is not for --detach" vitrine run --review --detach --profile "$(profile_file quiet)"
}

@test "--review asks for each change: keep, copy to, discard" {
	mkdir to
	write_profile asked <<-END
		[App]
		Command=/bin/sh
		Argument=-c
		Argument=mkdir -p '$place'; cd '$place'; echo 1 >a; echo 2 >b; echo 3 >c; exit 7
		Image=base
		[Display]
		Backend=none
	END
	# The directories on the way are one change: what is in them is named by itself with keep.
	at_terminal "--profile '$(profile_file asked)'" <<<$'e\nc\n'"$place/to"
	grep -q 'status=7' out
	[[ $(cat to/*/a) == 1 ]]
	assert_nothing_left
}

# Starts a reviewed sandbox that waits for its first answer; sets `id`. Answers go to descriptor 9.
hold_at_terminal() { # SCRIPT
	write_profile asked <<-END
		[App]
		Command=/bin/sh
		Argument=-c
		Argument=$1
		Image=base
		[Display]
		Backend=none
	END
	mkfifo answers
	script -qec "vitrine run --review --profile '$(profile_file asked)'; echo status=\$?" /dev/null \
		<answers >out 2>&1 3>&- &
	terminal=$!
	background+=("$terminal")
	exec 9>answers
	wait_until 20 held
}

held() { id=$(ids) && [[ -n $id ]] && state_is "$id" held; }

@test "while it is held nothing of the box runs, and changes and keep work" {
	hold_at_terminal 'echo 1 >a; sleep 300 & sleep 0.2'
	[[ $(processes | grep -c -e vitrine-init -e vitrine-monitor -e sleep) -eq 0 ]]
	[[ $(vitrine changes "$id") == *"$HOME/a" ]]
	vitrine keep --to . "$id" a
	[[ $(<a) == 1 ]]
	refused "its application has ended" vitrine enter "$id" true
	refused "its application has ended" vitrine share "$id" out
	echo d >&9
	exec 9>&-
	wait_until 10 grep -q 'status=0' out
	assert_nothing_left
}

@test "a held sandbox can be stopped" {
	hold_at_terminal 'echo 1 >a'
	vitrine stop "$id"
	exec 9>&-
	wait_until 10 grep -q 'status=143' out
	assert_nothing_left
}

@test "what is held ends with its supervisor, and with who asks" {
	hold_at_terminal 'echo 1 >a'
	kill -9 "$(field_of "$id" supervisor)"
	exec 9>&-
	wait_until 5 eval '[[ -z $(ids) ]]'
	assert_nothing_left
	rm answers
	hold_at_terminal 'echo 1 >a'
	kill -9 "$(pid_of 'vitrine review')"
	exec 9>&-
	wait_until 10 grep -q 'status=0' out
	assert_nothing_left
}
