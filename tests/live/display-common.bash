# For display.bats: a desktop of the test's own, sandboxes on it, its windows, keys and pictures.
# A desktop and a run-time directory of its own, so that nobody else types there and every process
# and window on it is the test's.
#
# shellcheck shell=bash disable=SC2034 # the tests use what is set here

vitrine=${VITRINE:-vitrine}
rare='#31c7b2' # a colour that no application shows by itself

# --- waiting --------------------------------------------------------------------------------------

now_ms() { date +%s%3N; }

await() { # SECONDS COMMAND...: until the command succeeds
	local end=$(($(now_ms) + $1 * 1000))
	shift
	until "$@" >/dev/null 2>&1; do
		if (($(now_ms) > end)); then
			echo "waited in vain for: $*" >&2
			return 1
		fi
		sleep 0.05
	done
}

prints() { # WORD COMMAND...
	local want=$1
	shift
	[[ $("$@") == "$want" ]]
}

# --- desktop --------------------------------------------------------------------------------------

write_authority() { # FILE: one cookie for any display
	{
		printf '\xff\xff\0\0\0\0\0\x12MIT-MAGIC-COOKIE-1\0\x10'
		head -c 16 /dev/urandom
	} >"$1"
}

# Sets DISPLAY, XAUTHORITY, and the process numbers of the X server and the window manager.
start_desktop() { # DIRECTORY
	write_authority "$1/authority"
	export XAUTHORITY=$1/authority
	: >"$1/number"
	Xvfb -displayfd 3 -auth "$XAUTHORITY" -nolisten tcp -noreset \
		-screen 0 1280x1024x24 3>"$1/number" >"$1/xvfb.log" 2>&1 </dev/null 4>&- 5>&- &
	desktop_server=$!
	await 20 test -s "$1/number"
	DISPLAY=:$(<"$1/number")
	export DISPLAY
	openbox --sm-disable >"$1/openbox.log" 2>&1 </dev/null 3>&- 4>&- 5>&- &
	window_manager=$!
	await 20 window_manager_runs
}

window_manager_runs() { xprop -root _NET_SUPPORTING_WM_CHECK | grep -q 'window id'; }

end_desktop() {
	kill "$window_manager" "$desktop_server"
	wait "$window_manager" "$desktop_server" || true
}

# The session's sound server stays in use; all else of the session's run-time directory is left.
move_runtime_dir() {
	export PULSE_SERVER=unix:$XDG_RUNTIME_DIR/pulse/native
	export XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR/display-tests
	mkdir -m 0700 "$XDG_RUNTIME_DIR"
}

# --- sandboxes ------------------------------------------------------------------------------------

sandboxes=()

run_sandbox() { # WORDS of `vitrine run`...: sets id and label
	id=$("$vitrine" run --detach "$@" 3>&- 4>&- 5>&-)
	sandboxes+=("$id")
	label=$(field "$id" .label)
}

write_profile() { # NAME: from stdin; prints the file
	local file=$BATS_TEST_TMPDIR/$1.vitrine
	cat >"$file"
	echo "$file"
}

inside() { # ID COMMAND...
	local which=$1
	shift
	"$vitrine" enter "$which" "$@" 3>&- 4>&- 5>&- </dev/null
}

field() { # ID FILTER
	"$vitrine" ps --json | jq -r --arg id "$1" ".[] | select(.id == \$id) | $2"
}

is_listed() { [[ -n $(field "$1" .id) ]]; }

end_sandboxes() {
	local each
	for each in "${sandboxes[@]}"; do
		! is_listed "$each" || "$vitrine" stop "$each"
	done
}

# Every process of a sandbox descends from its supervisor. A line is "PID START-TIME": numbers come
# again, but not at the same time.
processes_of() { # ID
	ps -eo pid=,ppid= | awk -v top="$(field "$1" .supervisor)" '
		{ parent[$1] = $2 }
		END {
			for (pid in parent) {
				for (p = pid; p in parent && p != top && p > 1; p = parent[p])
					;
				if (p == top)
					print pid
			}
		}' | while read -r pid; do
		stamp=$(start_time "$pid") && echo "$pid $stamp"
	done
}

start_time() { # PID
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	stat=${stat##*) }
	# shellcheck disable=SC2086 # a list of words
	set -- $stat
	[[ $1 != Z ]] && echo "${20}"
}

still_there() { # lines of processes_of: prints those that live
	local pid stamp
	while read -r pid stamp; do
		[[ $(start_time "$pid") != "$stamp" ]] || ps -o pid=,args= -p "$pid"
	done <<<"$1"
}

all_gone() { [[ -z $(still_there "$1") ]]; }

process_of() { # ID PATTERN: prints the number of the one process whose command line it matches
	local pid found=()
	while read -r pid _; do
		tr '\0' ' ' <"/proc/$pid/cmdline" | grep -Eq -- "$2" && found+=("$pid")
	done < <(processes_of "$1")
	((${#found[@]} == 1)) || {
		echo "processes that match '$2': ${found[*]}" >&2
		return 1
	}
	echo "${found[0]}"
}

# --- windows --------------------------------------------------------------------------------------

windows() { # PATTERN of a title: prints the visible windows with it
	xdotool search --onlyvisible --name "$1" 2>/dev/null || true
}

window_exists() { [[ -n $(windows "$1") ]]; }
window_gone() { [[ -z $(windows "$1") ]]; }

await_window() { # SECONDS PATTERN: sets window
	await "$1" window_exists "$2"
	window=$(windows "$2" | head -n 1)
}

focus() { # WINDOW
	xdotool windowactivate "$1"
	await 10 prints "$1" xdotool getactivewindow
}

type_into() { # WINDOW TEXT
	focus "$1"
	xdotool type --delay 25 -- "$2"
}

type_line() { # WINDOW TEXT
	type_into "$1" "$2"
	xdotool key Return
}

# An xterm in a sandbox, ready to be typed into; sets id, label and window.
run_xterm() { # OPTIONS of xterm...
	run_sandbox xterm "$@"
	await_window 30 "^\[$label\]"
}

# The application lives and gets what is typed: it is made to write a file.
check_typing() { # ID WINDOW WORD
	type_line "$2" "echo $3 > typed-$3"
	await 10 inside "$1" test -s "typed-$3"
	[[ $(inside "$1" cat "typed-$3") == "$3" ]]
}

# --- pictures -------------------------------------------------------------------------------------

# Prints the colour of which at least that part of the area is made, or "mixed".
colour_of() { # PICTURE GEOMETRY [PERCENT]
	convert "$1" -crop "$2" +repage -alpha off -depth 8 -format '%c' histogram:info:- |
		sort -rn | awk -v want="${3:-100}" '
			NR == 1 { most = $1 + 0; colour = tolower(substr($0, index($0, "#"), 7)) }
			{ total += $1 }
			END { print(most * 100 >= want * total ? colour : "mixed") }'
}

count_colour() { # PICTURE COLOUR: prints its number of pixels
	convert "$1" -alpha off -depth 8 -fill black +opaque "$2" -fill white -opaque "$2" \
		-format '%[fx:round(mean*w*h)]' info:
}

picture_of() { # WINDOW FILE: the window as it is seen on the desktop
	import -window "$1" "$2"
}

middle_has() { # WINDOW COLOUR: a square in the middle of the window is of this colour alone
	local file=$BATS_TEST_TMPDIR/middle.png
	picture_of "$1" "$file"
	[[ $(convert "$file" -gravity center -crop 200x200+0+0 +repage "$BATS_TEST_TMPDIR/square.png" &&
		colour_of "$BATS_TEST_TMPDIR/square.png" 200x200+0+0 99) == "$2" ]]
}

# What xpra's viewer makes of a border's colour.
shade() { # #RRGGBB
	printf '#%02x%02x%02x\n' $((0x${1:1:2} * 3 / 5)) $((0x${1:3:2} * 3 / 5)) $((0x${1:5:2} * 3 / 5))
}
