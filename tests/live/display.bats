#!/usr/bin/env bats
# Real applications on a desktop: what is seen of them, what they see of it, and how they end.

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
	secrets=()
}

teardown() {
	end_sandboxes
	((${#background[@]} == 0)) || kill "${background[@]}" 2>/dev/null || true
	rm -f "${secrets[@]}"
	xsetroot -solid black
	await 10 window_gone '^\['
}

# --- windows and keys -----------------------------------------------------------------------------

@test "xterm: what is typed on the desktop arrives in the sandbox" {
	local begin
	begin=$(now_ms)
	run_xterm
	echo "# first window of xterm, everything cold: $(($(now_ms) - begin)) ms" >&3
	type_line "$window" 'echo "Typed: $((6 * 7)), <ok>" > out.txt'
	await 10 inside "$id" test -s out.txt
	[[ $(inside "$id" cat out.txt) == 'Typed: 42, <ok>' ]]
	[[ ! -e $HOME/out.txt ]]
}

@test "mousepad: its window has the label, and a border in the profile's colour" {
	local file=$BATS_TEST_TMPDIR/window.png width height edge
	run_sandbox mousepad
	await_window 30 '^\[Mousepad\] '
	[[ $(xdotool getwindowname "$window") == '[Mousepad] '*Untitled* ]]
	focus "$window"
	type_into "$window" 'hello'
	await_window 10 '^\[Mousepad\] \*'

	picture_of "$window" "$file"
	read -r width height < <(convert "$file" -format '%w %h\n' info:)
	for edge in "${width}x3+0+0" "${width}x3+0+$((height - 3))" "3x$height+0+0" \
		"3x$height+$((width - 3))+0"; do
		[[ $(colour_of "$file" "$edge") == "$(shade '#c02020')" ]]
	done
	# inside of it is a page with text
	[[ $(colour_of "$file" "300x200+100+100" 99) == '#ffffff' ]]
}

@test "two sandboxes are told apart by label and colour" {
	local file=$BATS_TEST_TMPDIR/window.png profile
	profile=$(write_profile other <<-'END'
		[App]
		Command=xterm
		Title=Bank @ home
		Image=xterm
		[Display]
		Border=#20a0ff
	END
	)
	run_xterm
	run_sandbox --profile "$profile" -- -T "[Terminal] pretender"
	await_window 30 '^\[Bank @ home\]'
	[[ $(xdotool getwindowname "$window") == '[Bank @ home] [Terminal] pretender' ]]
	focus "$window"
	picture_of "$window" "$file"
	[[ $(colour_of "$file" 3x100+0+50) == "$(shade '#20a0ff')" ]]
}

@test "menus and other windows without a frame have a border too" {
	local file=$BATS_TEST_TMPDIR/root.png before
	run_sandbox mousepad
	await_window 30 '^\[Mousepad\] '
	focus "$window"
	import -window root "$file"
	before=$(count_colour "$file" "$(shade '#c02020')")
	xdotool key alt+f
	await 10 menu_is_open "$window"
	sleep 1 # it paints after it is there
	import -window root "$file"
	(($(count_colour "$file" "$(shade '#c02020')") > before + 500))
	xdotool key Escape
}

frame_top() { # WINDOW: height of the window manager's title bar
	xprop -id "$1" _NET_FRAME_EXTENTS | sed -n 's/.*= \(.*, \)\{2\}\([0-9]*\), .*/\2/p'
}

@test "an application that draws its own title bar still gets one with the label" {
	run_sandbox evince
	await_window 30 '^\[Document viewer\] '
	[[ $(inside "$id" xprop -id "$(inside "$id" xdotool search --onlyvisible --class evince |
		tail -n 1)" _MOTIF_WM_HINTS) == *'= 0x2, 0x0, 0x0,'* ]]
	(($(frame_top "$window") >= 10))
}

@test "an application cannot make its border transparent" {
	run_xterm
	inside "$id" sh -c 'xprop -id "$(xdotool search --onlyvisible --class xterm | tail -n 1)" \
		-f _NET_WM_WINDOW_OPACITY 32c -set _NET_WM_WINDOW_OPACITY 1'
	check_typing "$id" "$window" later # all that was sent before has arrived
	[[ $(xprop -id "$window" _NET_WM_WINDOW_OPACITY) == *"not found." ]]
}

menu_is_open() { # WINDOW: a window of the same viewer that the window manager does not know
	local each
	for each in $(xdotool search --onlyvisible --class .); do
		xwininfo -id "$each" | grep -q 'Override Redirect State: yes' &&
			xwininfo -id "$each" | grep -q 'Map State: IsViewable' && return
	done
	return 1
}

# --- clipboard ------------------------------------------------------------------------------------

desktop_copies() { # SELECTION TEXT
	xclip -quiet -selection "$1" -in <<<"$2" >/dev/null 2>&1 3>&- 4>&- &
	background+=($!)
	await 5 prints "$2" xclip -selection "$1" -out
}

sandbox_copies() { # SELECTION TEXT
	inside "$id" sh -c 'echo "$2" | xclip -quiet -selection "$1" -in >/dev/null 2>&1' sh "$@" 3>&- 4>&- &
	background+=($!)
	await 5 prints "$2" inside "$id" xclip -selection "$1" -out
}

with_clipboard() { # WAY
	run_sandbox --profile "$(write_profile clipboard <<-END
		[App]
		Command=xterm
		Title=Copy
		Image=xterm
		[Display]
		Clipboard=$1
	END
	)"
	await_window 30 '^\[Copy\]'
	focus "$window"
}

@test "clipboard: off by default, in both directions" {
	local selection
	run_xterm
	focus "$window"
	for selection in clipboard primary; do
		desktop_copies "$selection" "secret of the desktop"
	done
	sleep 2
	for selection in clipboard primary; do
		run ! inside "$id" xclip -selection "$selection" -out
		[[ $output != *secret* ]]
		sandbox_copies "$selection" "fake of the sandbox"
	done
	sleep 2
	for selection in clipboard primary; do
		[[ $(xclip -selection "$selection" -out) == "secret of the desktop" ]]
		[[ $(inside "$id" xclip -selection "$selection" -out) == "fake of the sandbox" ]]
	done
}

@test "clipboard: both ways where the profile says so" {
	with_clipboard both
	desktop_copies clipboard "from the desktop"
	await 10 prints "from the desktop" inside "$id" xclip -selection clipboard -out
	sandbox_copies clipboard "from the sandbox"
	await 10 prints "from the sandbox" xclip -selection clipboard -out
}

@test "clipboard: to the desktop only" {
	with_clipboard to-desktop
	desktop_copies clipboard "secret"
	sleep 2
	run ! inside "$id" xclip -selection clipboard -out
	sandbox_copies clipboard "from the sandbox"
	await 10 prints "from the sandbox" xclip -selection clipboard -out
}

@test "clipboard: to the sandbox only" {
	with_clipboard to-sandbox
	sandbox_copies clipboard "fake"
	sleep 2
	run ! xclip -selection clipboard -out
	desktop_copies clipboard "from the desktop"
	await 10 prints "from the desktop" inside "$id" xclip -selection clipboard -out
}

# --- what a sandbox sees of others ----------------------------------------------------------------

key_presses() { grep -c 'RawKeyPress' "$1" || true; }
saw_presses() { (($(key_presses "$2") >= $1)); }

@test "shared memory, which is another namespace's, is not offered by the X server" {
	run_xterm
	run -0 inside "$id" xdpyinfo -queryExtensions
	[[ $output == *RENDER* && $output != *MIT-SHM* ]] || fail "$output"
}

@test "a key logger sees the keys of its own display and no others" {
	local log=$BATS_TEST_TMPDIR/keys desktop_log=$BATS_TEST_TMPDIR/desktop-keys own own_window
	run_xterm -T logger
	own=$id own_window=$window
	inside "$own" timeout 60 xinput test-xi2 --root >"$log" 2>&1 &
	background+=($!)
	run_xterm -T victim
	await_window 10 '^\[Terminal\] victim$'
	xterm -T native -e cat >/dev/null 2>&1 3>&- 4>&- &
	background+=($!)
	await_window 10 '^native$'

	# it sees its own
	focus "$own_window"
	sleep 0.5
	: >"$log"
	xdotool type --delay 40 abcdef
	await 10 prints 6 key_presses "$log"

	# not those of the other sandbox, nor those of the desktop, where a logger does see them
	timeout 60 xinput test-xi2 --root >"$desktop_log" 2>&1 3>&- 4>&- &
	background+=($!)
	await 5 test -s "$desktop_log"
	type_line "$(windows '^\[Terminal\] victim$')" 'echo victim > keys'
	await 10 inside "$id" test -s keys
	type_into "$(windows '^native$')" 'native secret'
	await 10 saw_presses 32 "$desktop_log"
	focus "$own_window"
	xdotool type --delay 40 xyz
	await 10 prints 9 key_presses "$log"
	sleep 1
	[[ $(key_presses "$log") == 9 ]]
}

@test "a picture from inside shows only the sandbox's own display" {
	local desktop=$BATS_TEST_TMPDIR/desktop.png own=$BATS_TEST_TMPDIR/own other tree
	xsetroot -solid "$rare"
	run_xterm -T other -bg '#5a1fe0'
	other=$id
	run_xterm -T own -bg '#e0b51f'
	await_window 10 '^\[Terminal\] own$'
	xdotool windowmove "$window" 0 0
	sleep 1
	import -window root "$desktop"
	(($(count_colour "$desktop" "$rare") > 100000))
	(($(count_colour "$desktop" '#5a1fe0') > 10000))
	(($(count_colour "$desktop" '#e0b51f') > 10000))

	inside "$id" xwd -silent -root >"$own-root.xwd"
	inside "$id" sh -c 'xwd -silent -id "$(xdotool search --onlyvisible --class xterm | head -n 1)"' \
		>"$own-window.xwd"
	(($(count_colour "xwd:$own-window.xwd" '#e0b51f') > 10000))
	for picture in "$own-root.xwd" "$own-window.xwd"; do
		[[ $(count_colour "xwd:$picture" "$rare") == 0 ]]
		[[ $(count_colour "xwd:$picture" '#5a1fe0') == 0 ]]
	done

	tree=$(inside "$id" xwininfo -root -tree)
	[[ $tree == *'"own"'* ]]
	[[ $tree != *'"other"'* ]]
	tree=$(inside "$other" xwininfo -root -tree)
	[[ $tree == *'"other"'* ]]
	[[ $tree != *'"own"'* ]]
}

# Tries to reach an X server by its path and by its abstract name; prints "path" or "abstract".
reach_x='
	use Socket;
	for my $name (["path", $ARGV[0]], ["abstract", "\0$ARGV[0]"]) {
		socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die;
		print "$name->[0]\n" if connect($s, sockaddr_un($name->[1]));
	}'

check_desktop_unreachable() { # OPTIONS and PROFILE of `vitrine run`
	local socket=/tmp/.X11-unix/X${DISPLAY#:} copy
	[[ $(perl -e "$reach_x" "$socket") == $'path\nabstract' ]]
	run_sandbox "$@"
	await_window 30 "^\[$label\]"
	[[ $(inside "$id" perl -e "$reach_x" /tmp/.X11-unix/X10) == path* ]]
	[[ -z $(inside "$id" perl -e "$reach_x" "$socket") ]]
	[[ $(inside "$id" ls -A /tmp/.X11-unix) == X10 ]]

	# nor with the desktop's own cookie
	copy=$(base64 -w 0 "$XAUTHORITY")
	inside "$id" sh -c 'echo "$1" | base64 -d > desktop-cookie' sh "$copy"
	inside "$id" xdpyinfo -display :10 | grep -q 'name of display'
	run ! inside "$id" env XAUTHORITY="$HOME/desktop-cookie" xdpyinfo -display "$DISPLAY"
	run ! inside "$id" env XAUTHORITY="$HOME/desktop-cookie" xdpyinfo -display "localhost$DISPLAY"
}

@test "the desktop's X server is out of reach by path and by abstract name" {
	check_desktop_unreachable xterm
}

@test "the desktop's X server is out of reach with a network too" {
	local profile
	profile=$(write_profile online <<-'END'
		[App]
		Command=xterm
		Title=Online
		Image=xterm
		[Network]
		Mode=private
	END
	)
	check_desktop_unreachable --profile "$profile"
}

@test "without the sandbox's cookie its display lets nobody in" {
	run_xterm
	run ! inside "$id" env XAUTHORITY=/nonexistent xdpyinfo
	[[ $output == *[Aa]uthori* ]]
}

# --- the viewer box -------------------------------------------------------------------------------

viewer='xpra attach '
server='xpra start '
x_server='/usr/bin/Xvfb :10 '

init_of() { # ID PATTERN: the init of the box in which that program runs
	ps -o ppid= -p "$(process_of "$1" "$2")" | tr -d ' '
}

# As root of the box, in its mount namespace: sees more than any program of it.
within() { # INIT COMMAND...
	local init=$1
	shift
	nsenter --target "$init" --user --mount --preserve-credentials "$@"
}

@test "the viewer box holds nothing of the user but the desktop's display socket" {
	local secret="secret-$$-$RANDOM" init from_host socket seen
	secrets=("$HOME/$secret" "/tmp/$secret" "$XDG_RUNTIME_DIR/$secret")
	touch "${secrets[@]}"
	run_xterm
	init=$(init_of "$id" "$viewer")

	# what it mounts of the host's file systems (same device), but device nodes and its own init
	from_host=$(awk '
		FNR == NR { if ($5 != "/proc" && $5 != "/sys") device[$3] = 1; next }
		$3 in device && $4 !~ /^\/(null|zero|full|random|urandom|tty)$/ &&
			$4 !~ /\/vitrine-init$/ { print $4, $5 }
		' /proc/self/mountinfo "/proc/$init/mountinfo")
	echo "$from_host"
	socket=/.X11-unix/X${DISPLAY#:} # /tmp may be a file system of its own, as on Debian 13
	[[ $from_host =~ ^(/tmp)?"$socket /tmp$socket"$ ]]

	seen=$(within "$init" find / /tmp /run "$HOME" -xdev '(' -name "$secret" -o -name xpra ')' \
		2>/dev/null) || true # some directories are closed to it
	[[ $seen == */usr/bin/xpra* ]]
	[[ $seen != *"$secret"* ]]
}

@test "the viewer box has no network and none of the user's ids" {
	local pid
	run_xterm
	pid=$(process_of "$id" "$viewer")
	[[ $(nsenter --target "$pid" --user --net --preserve-credentials cat /proc/net/dev |
		tail -n +3 | cut -d: -f1 | tr -d ' ') == lo ]]
	awk -v uid="$(id -u)" '/^(Uid|Gid):/ { for (i = 2; i <= 5; i++) if ($i == uid || $i == 0) exit 1 }' \
		"/proc/$pid/status"
}

# --- parts that die -------------------------------------------------------------------------------

check_death() { # PATTERN of the process to be killed, WORDS of `vitrine run`...
	local pattern=$1 processes begin
	run_sandbox "${@:2}"
	await_window 30 "^\[$label\]"
	processes=$(processes_of "$id")
	(($(wc -l <<<"$processes") > 6))
	begin=$(now_ms)
	kill -KILL "$(process_of "$id" "$pattern")"
	await 5 all_gone "$processes"
	echo "# gone after $(($(now_ms) - begin)) ms"
	run ! is_listed "$id"
	await 1 window_gone '^\['
	[[ -z $(find "$XDG_RUNTIME_DIR/vitrine/sandboxes" -mindepth 1) ]]
}

# Neither the end of the application nor that of the viewer ends it: that of the display has to.
stubborn_profile() {
	write_profile stubborn <<-'END'
		[App]
		Command=/bin/sh
		Argument=-c
		Argument=xterm & sleep 1000
		Title=Stubborn
		Image=xterm
		[Session]
		ViewerLost=keep
	END
}

@test "Xvfb is killed: the sandbox ends" {
	check_death "$x_server" --profile "$(stubborn_profile)"
}

@test "xpra's server is killed: the sandbox ends" {
	check_death "$server" --profile "$(stubborn_profile)"
}

@test "a display that fails while its application ends well is no failure" {
	local status profile run code
	profile=$(write_profile leaving <<-'END'
		[App]
		Command=/bin/sh
		Argument=-c
		Argument=xterm & read -r status; sleep 0.4; exit "$status"
		Title=Leaving
		Image=xterm
	END
	)
	for status in 0 3; do
		mkfifo "$BATS_TEST_TMPDIR/word-$status"
		vitrine run --profile "$profile" <"$BATS_TEST_TMPDIR/word-$status" \
			2>"$BATS_TEST_TMPDIR/said" 3>&- &
		run=$!
		exec 7>"$BATS_TEST_TMPDIR/word-$status"
		await 20 window_exists '^\[Leaving\]'
		id=$(vitrine ps --json | jq -r '.[0].id')
		kill -KILL "$(process_of "$id" "$server")"
		echo "$status" >&7
		exec 7>&-
		code=0
		wait "$run" || code=$?
		# A failure is the display's: it was the cause.
		((code == (status ? 125 : 0)))
		await 1 window_gone '^\['
	done
}

@test "the viewer is killed: the sandbox ends" {
	check_death "$viewer" xterm
}

@test "the application is killed: the sandbox ends" {
	check_death '^xterm' xterm
}

@test "the desktop's X server is killed: the sandbox ends" {
	local -x DISPLAY XAUTHORITY # for this test alone
	local processes
	mkdir "$BATS_TEST_TMPDIR/d"
	start_desktop "$BATS_TEST_TMPDIR/d"
	background+=("$desktop_server" "$window_manager")
	run_xterm
	processes=$(processes_of "$id")
	kill -KILL "$desktop_server"
	await 5 all_gone "$processes"
}

# --- detach and attach ----------------------------------------------------------------------------

@test "the windows are hidden by detach and come back by attach" {
	run_xterm
	check_typing "$id" "$window" one
	"$vitrine" detach "$id"
	await 5 window_gone '^\['
	[[ $(field "$id" .state) == detached ]]
	run ! "$vitrine" detach "$id"
	[[ $(inside "$id" cat typed-one) == one ]]

	"$vitrine" attach "$id"
	await_window 20 '^\[Terminal\]'
	[[ $(field "$id" .state) == running ]]
	run ! "$vitrine" attach "$id"
	check_typing "$id" "$window" two
	[[ $(inside "$id" cat typed-one) == one ]]
}

keeping_profile() {
	write_profile keeping <<-'END'
		[App]
		Command=xterm
		Title=Keeper
		Image=xterm
		[Session]
		ViewerLost=keep
	END
}

@test "ViewerLost=keep: the application outlives its viewer" {
	local application
	run_sandbox --profile "$(keeping_profile)"
	await_window 30 '^\[Keeper\]'
	application=$(process_of "$id" '^xterm')
	check_typing "$id" "$window" before
	kill -KILL "$(process_of "$id" "$viewer")"
	await 5 prints detached field "$id" .state
	await 5 window_gone '^\['
	sleep 1
	[[ $(process_of "$id" '^xterm') == "$application" ]]
	[[ $(inside "$id" cat typed-before) == before ]]

	"$vitrine" attach "$id"
	await_window 20 '^\[Keeper\]'
	[[ $(field "$id" .state) == running ]]
	[[ $(process_of "$id" '^xterm') == "$application" ]]
	check_typing "$id" "$window" after
}

# --- other backends -------------------------------------------------------------------------------

@test "Xephyr: one window with the label, the application in it, keys arrive" {
	local profile
	profile=$(write_profile nested <<-'END'
		[App]
		Command=xterm
		Argument=-bg
		Argument=#e0b51f
		Argument=-fg
		Argument=#e0b51f
		Argument=-geometry
		Argument=100x40+0+0
		Title=Nested
		Image=xterm
		[Display]
		Backend=xephyr
		Screen=640x480
	END
	)
	run_sandbox --profile "$profile"
	await_window 30 '^\[Nested\]'
	[[ $(windows '^\[Nested\]' | wc -l) == 1 ]]
	[[ $(xdotool getwindowname "$window") == '[Nested]'* ]]
	[[ $(xwininfo -id "$window") == *'Width: 640'*'Height: 480'* ]]
	await 10 middle_has "$window" '#e0b51f'
	xdotool mousemove --window "$window" 200 200
	check_typing "$id" "$window" nested
	run ! "$vitrine" detach "$id"
	[[ $output == 'vitrine: '* ]]
}

@test "Xephyr is killed: the sandbox ends" {
	local processes
	run_sandbox --profile "$(write_profile nested <<-'END'
		[App]
		Command=xterm
		Title=Nested
		Image=xterm
		[Display]
		Backend=xephyr
	END
	)"
	await_window 30 '^\[Nested\]'
	processes=$(processes_of "$id")
	kill -KILL "$(process_of "$id" '/usr/bin/Xephyr')"
	await 5 all_gone "$processes"
	run ! is_listed "$id"
}

@test "no display: works without DISPLAY, and gives none" {
	local without=(env -u DISPLAY -u XAUTHORITY) profile
	profile=$(write_profile quiet <<-'END'
		[App]
		Command=/bin/sh
		Image=base
		[Display]
		Backend=none
	END
	)
	run -7 --separate-stderr "${without[@]}" "$vitrine" run --profile "$profile" -- \
		-c 'echo "display ${DISPLAY-none}, cookie ${XAUTHORITY-none}"; exit 7'
	[[ $output == 'display none, cookie none' ]]
	run -0 --separate-stderr "${without[@]}" "$vitrine" run --display none default -c 'echo "<${DISPLAY-none}>"'
	[[ $output == '<none>' ]]
	# with a desktop it gives none either
	run -0 --separate-stderr "$vitrine" run --display none default -c 'echo "<${DISPLAY-none}>"; ls -A /tmp'
	[[ $output == '<none>' ]]
}

@test "a display is wanted and there is none: one line and 125" {
	run -125 env -u DISPLAY "$vitrine" run xterm
	[[ ${#lines[@]} == 1 && $output == 'vitrine: '*DISPLAY* ]]
	run -125 env DISPLAY=:4711 "$vitrine" run xterm
	[[ ${#lines[@]} == 1 && $output == 'vitrine: '* ]]
	[[ -z $(find "$XDG_RUNTIME_DIR/vitrine/sandboxes" -mindepth 1) ]]
}

# --- firefox --------------------------------------------------------------------------------------

@test "firefox with a network renders the page of the test's web server" {
	curl -fsS "$VITRINE_TEST_WEB" | grep -qF "$VITRINE_TEST_COLOUR"
	run_sandbox firefox-esr "$VITRINE_TEST_WEB"
	await_window 60 '^\[Firefox\] .*web\.test'
	await 20 middle_has "$window" "$VITRINE_TEST_COLOUR"
}

@test "firefox without a network does not" {
	run_sandbox --network none firefox-esr "$VITRINE_TEST_WEB"
	await_window 60 '^\[Firefox\] .*Problem loading'
	sleep 5
	run ! middle_has "$window" "$VITRINE_TEST_COLOUR"
	picture_of "$window" "$BATS_TEST_TMPDIR/window.png"
	[[ $(count_colour "$BATS_TEST_TMPDIR/window.png" "$VITRINE_TEST_COLOUR") == 0 ]]
}
