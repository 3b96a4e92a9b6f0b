#!/usr/bin/env bats
# Files of the user for sandboxes: what is given is there, nothing else is, and it is taken back at
# once. With real applications on a desktop of the test's own.

# shellcheck disable=SC2016 # much is expanded inside of a sandbox

bats_require_minimum_version 1.5.0

# shellcheck source=tests/live/display-common.bash
source "$BATS_TEST_DIRNAME/display-common.bash"

setup_file() {
	move_runtime_dir
	start_desktop "$BATS_FILE_TMPDIR"
}

teardown_file() {
	end_desktop
	rmdir "$XDG_RUNTIME_DIR/vitrine/sandboxes"
	rm -rf "$XDG_RUNTIME_DIR"
}

setup() {
	background=()
	place=$(mktemp -d "$HOME/given.XXXXXX") # beneath the home, where files of users are
	cd "$place" || return
}

teardown() {
	end_sandboxes
	((${#background[@]} == 0)) || kill "${background[@]}" 2>/dev/null || true
	await 10 window_gone '^\['
	cd /
	chmod -R u+rwX "$place"
	rm -rf "$place"
}

# --- helpers --------------------------------------------------------------------------------------

quiet_profile() { # KEYS from stdin: a shell without windows, with sections of its own
	{
		printf '[App]\nCommand=/bin/sh\nImage=base\n[Display]\nBackend=none\n'
		cat
	} | write_profile quiet
}

# A sandbox in which nothing runs but sleep.
run_quiet() { # KEYS from stdin
	run_sandbox --profile "$(quiet_profile)" -- -c 'exec sleep 1000'
}

# Runs a shell command in a new sandbox, with words that may be files.
quietly() { # MODE SCRIPT WORD...
	local mode=$1 profile
	profile=$(quiet_profile <<-END
		[App]
		Argument=-c
		Argument=$2
		Argument=sh
		[Files]
		Arguments=$mode
	END
	)
	shift 2
	"$vitrine" run --profile "$profile" -- "$@"
}

fails_plainly() { # PATTERN COMMAND...: one line of vitrine's
	local pattern=$1
	shift
	run --separate-stderr -125 "$@"
	stderr=$(grep -v '^vitrine: warning: ' <<<"$stderr")
	[[ $stderr == "vitrine: "* && $stderr != *$'\n'* && $stderr =~ $pattern ]] ||
		{ echo "said: '$stderr'" >&2 && return 1; }
}

share() { "$vitrine" share "$@"; }

share_fails() { # PATTERN WORD...
	local pattern=$1
	shift
	run --separate-stderr -1 share "$@"
	[[ $stderr == "vitrine: "* && $stderr != *$'\n'* && $stderr =~ $pattern ]] ||
		{ echo "said: '$stderr'" >&2 && return 1; }
}

write_pdf() { # FILE: a page in the rare colour
	cat >"$1" <<-'END'
		%PDF-1.4
		1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
		2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
		3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 600 600]/Contents 4 0 R>> endobj
		4 0 obj <</Length 43>> stream
		0.1922 0.7804 0.6980 rg 0 0 600 600 re f  
		endstream endobj
		trailer <</Root 1 0 R>>
	END
}

uid_of() { ps -o ruid= -p "$1" | tr -d ' '; }

is_sub_id() { # UID
	local first count
	IFS=: read -r _ first count < <(grep "^$(id -un):" /etc/subuid)
	(($1 >= first && $1 < first + count))
}

content_is() { [[ $(<"$1") == "$2" ]]; }

gate_of() { # ID: the process number of its gate
	pgrep -P "$(field "$1" .supervisor)" -x vitrine-gate
}

dialog_is_left() { # PATTERN of its title: completion may have taken the first Return
	xdotool key Return
	sleep 0.5
	window_gone "$1"
}

# The dialog completes what is typed, and each answer of it moves the text; GTK 4 (zenity of Debian 13)
# leaves parts of its guesses behind the cursor.
enter_path() { # WINDOW PATTERN PATH
	focus "$1"
	sleep 1
	xdotool type --delay 150 -- "$3"
	sleep 1
	xdotool key shift+End Delete
	await 10 dialog_is_left "$2"
}

# --- applications ---------------------------------------------------------------------------------

@test "evince: the file on its command line is shown, read-only, by a process with a sub-id" {
	local pid
	write_pdf report.pdf
	run_sandbox evince report.pdf
	# The application's own title: what xpra shows of one that changes at once may be the first.
	await_window 30 '^\[Document viewer\] '
	await 20 inside "$id" xdotool search --onlyvisible --name '^report.pdf'
	await 20 middle_has "$window" "$rare"
	pid=$(process_of "$id" '^evince ')
	is_sub_id "$(uid_of "$pid")"
	[[ $(inside "$id" ls -A Files) == report.pdf ]]
	inside "$id" cmp Files/report.pdf - <report.pdf || inside "$id" sh -c 'cat Files/report.pdf' | cmp - report.pdf
	run ! inside "$id" sh -c 'echo x >>Files/report.pdf'
	run ! inside "$id" chmod 600 Files/report.pdf
	run ! inside "$id" rm Files/report.pdf
	[[ $(field "$id" '.grants[0].path') == "$place/report.pdf" ]]
	[[ $(field "$id" '.grants[0].access') == read-only ]]
}

save_is_done() { # FILE TEXT
	[[ $(<"$1") == *"$2"* ]]
}

@test "mousepad: a file that is shared while it runs is opened, edited and saved" {
	local before
	echo first >letter.txt
	chmod 640 letter.txt
	before=$(stat -c '%u:%g %a' letter.txt)
	run_sandbox mousepad
	await_window 30 '^\[Mousepad\] '
	[[ $(share "$id" letter.txt:rw) == "$HOME/Files/letter.txt" ]]
	focus "$window"
	xdotool key ctrl+o
	await_window 10 '^\[Mousepad\] Open'
	enter_path "$window" '^\[Mousepad\] Open' "$HOME/Files/letter.txt"
	await_window 10 '^\[Mousepad\] .*letter.txt'
	focus "$window"
	xdotool key ctrl+End
	xdotool type --delay 25 'second'
	await_window 10 '^\[Mousepad\] \*'
	xdotool key ctrl+s
	await 10 save_is_done letter.txt second
	[[ $(<letter.txt) == *first* ]]
	[[ $(stat -c '%u:%g %a' letter.txt) == "$before" ]]
	[[ $(ls -A) == letter.txt ]] # no temporary file beside it
}

@test "mousepad: a second run hands its file to the running one" {
	local first
	echo one >one.txt
	echo two >two.txt
	run_sandbox mousepad one.txt
	first=$id
	await_window 30 '^\[Mousepad\] .*one.txt'
	"$vitrine" run mousepad two.txt 3>&-
	await_window 10 '^\[Mousepad\] .*two.txt'
	[[ $("$vitrine" ps --json | jq -r '.[].id') == "$first" ]]
	[[ $(field "$first" '.grants | length') == 2 ]]
	(($(inside "$first" pgrep -c -x mousepad || ps -e -o args= | grep -c '^mousepad ') == 1)) ||
		[[ $(processes_of "$first" | while read -r pid _; do cat "/proc/$pid/comm"; done | grep -cx mousepad) == 1 ]]
}

@test "mousepad: a new file is saved where the user wants it" {
	run_sandbox mousepad
	await_window 30 '^\[Mousepad\] '
	[[ $(share "$id" fresh.txt:new) == "$HOME/Files/fresh.txt" ]]
	[[ ! -e fresh.txt ]]
	type_into "$window" 'made inside'
	xdotool key ctrl+shift+s
	await_window 10 '^\[Mousepad\] Save'
	enter_path "$window" '^\[Mousepad\] Save' "$HOME/Files/fresh.txt"
	await 10 save_is_done fresh.txt 'made inside'
	[[ $(stat -c %u fresh.txt) == "$UID" ]]
	[[ $(ls -A) == fresh.txt ]]
}

@test "pick: what is picked in the desktop's file chooser is shared" {
	local picked=$BATS_TEST_TMPDIR/picked
	echo chosen >chosen.txt
	run_quiet </dev/null
	"$vitrine" pick "$id" >"$picked" 3>&- &
	background+=($!)
	await_window 20 '[Ff]ile|[Pp]ick|[Gg]ive'
	enter_path "$window" '[Ff]ile|[Pp]ick|[Gg]ive' "$place/chosen.txt"
	await 10 test -s "$picked"
	[[ $(<"$picked") == "$HOME/Files/chosen.txt" ]]
	[[ $(inside "$id" cat Files/chosen.txt) == chosen ]]
}

# --- taking back ----------------------------------------------------------------------------------

@test "unshare: a descriptor that is open reads nothing more" {
	seq 100000 >numbers
	run_quiet </dev/null
	share "$id" numbers
	inside "$id" sh -c 'exec 5<Files/numbers; head -c 10 <&5 >/dev/null; cat Files/numbers >/dev/null
		touch ready; while [ ! -e go ]; do sleep 0.1; done
		cat <&5 >rest 2>error; cat Files/numbers >again 2>>error; touch finished' &
	background+=($!)
	await 10 inside "$id" test -e ready
	"$vitrine" unshare "$id" numbers
	inside "$id" touch go
	await 10 inside "$id" test -e finished
	[[ $(inside "$id" cat rest again | wc -c) == 0 ]]
	[[ $(inside "$id" ls -A Files) == '' ]]
	[[ $(field "$id" '.grants | length') == 0 ]]
	share "$id" numbers # and it can be given again
	[[ $(inside "$id" head -n 1 Files/numbers) == 1 ]]
}

@test "unshare takes a path inside as well, and refuses what was not given" {
	echo x >a
	run_quiet </dev/null
	share "$id" a
	"$vitrine" unshare "$id" "$HOME/Files/a"
	run --separate-stderr -1 "$vitrine" unshare "$id" a
	[[ $stderr == *"not"*"given"* && $stderr != *$'\n'* ]]
}

# --- words of the command line --------------------------------------------------------------------

@test "arguments: files become paths inside, all else is data" {
	echo a >'a b.txt'
	echo u >'u%20 ü.txt'
	mkdir dir
	touch dir/x
	run -0 --separate-stderr quietly read-only 'printf "%%s\n" "$@"' 'a b.txt' -x nothing http://h/a dir \
		"file://$place/u%2520%20%C3%BC.txt" -- "file:///etc/nothing"
	echo "$output" >&2
	[[ ${lines[0]} == "$HOME/Files/a b.txt" ]]
	[[ ${lines[1]} == -x && ${lines[2]} == nothing && ${lines[3]} == http://h/a ]]
	[[ ${lines[4]} == "$HOME/Files/dir" ]]
	[[ ${lines[5]} == "file://$HOME/Files/u%2520%20%C3%BC.txt" ]]
}

@test "arguments: two files of one name, and names of any bytes" {
	local odd=$'new\nline \xff "'"'"'$(x) ;&*'
	mkdir one two
	echo 1 >one/same
	echo 2 >two/same
	echo 3 >"$odd"
	run -0 --separate-stderr quietly read-only 'cat "$@"' one/same two/same "$odd"
	[[ $output == $'1\n2\n3' ]]
}

@test "arguments: marks of desktop files, and none without the profile's word" {
	echo a >a
	run -0 --separate-stderr quietly read-only 'printf "%%s\n" "$@"' @@ a @@ b @@u "file://$place/a" @@
	[[ ${lines[0]} == "$HOME/Files/a" && ${lines[1]} == b ]]
	run -0 --separate-stderr quietly none 'printf "%%s\n" "$@"; ls -A ~/Files' a
	[[ $output == a ]]
	fails_plainly '@@' quietly read-only : @@ a
	fails_plainly 'nothing-there' quietly read-only : @@ nothing-there @@
}

@test "arguments: read-write profiles can make a file that is not there yet" {
	run -0 --separate-stderr quietly read-write 'echo made >"$1"' fresh
	[[ $(<fresh) == made ]]
}

# --- what is refused ------------------------------------------------------------------------------

@test "a link is not followed, and the message names what it leads to" {
	echo secret >"$place/real"
	ln -s real link
	mkdir dir
	ln -s dir to-dir
	echo x >dir/x
	run_quiet </dev/null
	share_fails "link.*$place/real" "$id" link
	share_fails "link.*$place/dir" "$id" to-dir/x
	[[ $(inside "$id" ls -A Files) == '' ]]
}

@test "what would undo the sandbox is refused" {
	local path
	run_quiet </dev/null
	for path in / /proc /sys /dev /run "$XDG_RUNTIME_DIR" /etc /usr "$HOME" "${HOME%/*}" /proc/self/environ \
		/dev/null /tmp/.X11-unix "$XAUTHORITY.none"; do
		share_fails . "$id" "$path"
	done
	touch -a ~/.bashrc
	mkdir -p ~/.config/autostart
	share_fails 'decides what runs outside' "$id" ~/.bashrc
	share_fails 'decides what runs outside' "$id" ~/.config/autostart
	share_fails . "$id" ~/.local/share/vitrine
	mkfifo fifo
	share_fails . "$id" fifo
	[[ $(inside "$id" ls -A Files) == '' ]]
}

@test "what would undo the sandbox is not there beneath a given directory, and cannot be made" {
	mkdir -p ~/.config/autostart
	touch ~/.config/given-test
	run_quiet </dev/null
	share "$id" ~/.config:rw
	[[ $(inside "$id" ls -A Files/.config) != *autostart* ]]
	inside "$id" test -e Files/.config/given-test
	run ! inside "$id" sh -c 'mkdir Files/.config/autostart || touch Files/.config/autostart/x'
	run ! inside "$id" sh -c 'mkdir Files/.config/x && mv Files/.config/x Files/.config/AutoStart'
	inside "$id" rmdir Files/.config/x
	[[ -z $(ls -A ~/.config/autostart) ]]
	rm ~/.config/given-test
}

# --- profiles -------------------------------------------------------------------------------------

@test "paths of a profile are at their places, and what is made there belongs to the user" {
	mkdir music papers
	echo tune >music/tune
	run_quiet <<-END
		[Files]
		ReadOnly=$place/music
		ReadWrite=~/${place##*/}/papers
		ReadOnly=~/${place##*/}/not-there
	END
	[[ $(inside "$id" cat "$place/music/tune") == tune ]]
	run ! inside "$id" touch "$place/music/x"
	inside "$id" sh -c "umask 027; mkdir '$place/papers/d'; echo made >'$place/papers/d/f'; touch '$place/own'"
	[[ $(<papers/d/f) == made && $(stat -c '%u %a' papers/d/f) == "$UID 640" ]]
	[[ ! -e own ]]
	[[ $("$vitrine" logs "$id") == *not-there*"not given"* ]]
	is_sub_id "$(uid_of "$(process_of "$id" '^sleep 1000')")"
}

@test "UidMode=user: the user's own id, bound directories, and it is pointed out" {
	mkdir papers
	run_quiet <<-END
		[Files]
		ReadWrite=$place/papers
		[Identity]
		UidMode=user
	END
	[[ $(uid_of "$(process_of "$id" '^sleep 1000')") == "$UID" ]]
	inside "$id" sh -c "echo made >'$place/papers/f'"
	[[ $(<papers/f) == made && $(stat -c %u papers/f) == "$UID" ]]
	[[ $("$vitrine" ps) == *user* && $(field "$id" .ids) == user ]]
	run ! inside "$id" sh -c "kill -0 $$"
}

@test "UidMode=user: a directory with something beneath that would undo the sandbox is refused" {
	fails_plainly 'would undo' "$vitrine" run --profile "$(quiet_profile <<-'END'
		[Files]
		ReadWrite=~/.config
		[Identity]
		UidMode=user
	END
	)" -- -c true
}

# --- things that go wrong -------------------------------------------------------------------------

@test "kill -9 of the gate: errors inside, nothing hangs, the file outside is whole" {
	local pids
	echo content >a
	run_quiet </dev/null
	share "$id" a:rw
	pids=$(processes_of "$id")
	inside "$id" sh -c 'while :; do cat Files/a; done >/dev/null 2>&1' &
	background+=($!)
	kill -KILL "$(gate_of "$id")"
	await 5 all_gone "$pids"
	[[ $(<a) == content ]]
}

@test "kill -9 of the supervisor: the gate goes too, and the file outside is whole" {
	local pids gate
	echo content >a
	run_quiet </dev/null
	share "$id" a:rw
	gate=$(gate_of "$id")
	pids=$(processes_of "$id")
	inside "$id" sh -c 'exec 5>>Files/a; echo more >&5; exec sleep 1000' &
	background+=($!)
	await 5 content_is a $'content\nmore'
	kill -KILL "$(field "$id" .supervisor)"
	await 8 all_gone "$pids"
	await 8 test ! -e "/proc/$gate"
	content_is a $'content\nmore'
}

@test "share says each wrong call in one line" {
	run_quiet </dev/null
	share_fails 'nothing-there' "$id" nothing-there
	share_fails 'no sandbox' nosuch-id "$BATS_TEST_FILENAME"
	echo x >there
	share_fails there "$id" there:new
	run -2 share "$id"
	share_fails . --limit 1M "$id" there:rw
}

@test "a directory with a limit takes no more new data" {
	mkdir dir
	run_quiet </dev/null
	share --limit 1M "$id" dir:rw
	run ! inside "$id" sh -c 'head -c 2000000 /dev/zero >Files/dir/big'
	(($(stat -c %s dir/big) <= 1 << 20))
	inside "$id" rm Files/dir/big
	inside "$id" sh -c 'head -c 500000 /dev/zero >Files/dir/small'
}
