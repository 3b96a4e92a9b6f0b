#!/usr/bin/env bats
# What a sandbox is kept from, and that nothing gets in with a command that is entered or with what
# the caller happens to have.

load common

setup() {
	setup_sandboxes
	attempts=$VITRINE_PROGRAMS/attempt
	sockets=$VITRINE_PROGRAMS/sockets
	display_number=${DISPLAY#*:}
	display_number=${display_number%%.*}
}

# The process of a sandbox's application, as the host numbers it.
application_of() { # ID
	local init
	init=$(init_of_id "$1")
	ps -o pid= --ppid "$init" --sort start_time | head -n 1 | tr -d ' '
}

init_of_id() { # ID, of a sandbox without windows
	local monitor
	monitor=$(ps -o pid=,comm= --ppid "$(field_of "$1" supervisor)" | awk '$2 == "vitrine-monitor" { print $1 }')
	ps -o pid= --ppid "$monitor" | tr -d ' '
}

# Runs a command in the sandbox by `enter` until it is told to end, and prints its process number.
start_entered() { # ID
	vitrine enter "$1" sleep 2001 </dev/null >/dev/null 2>&1 3>&- &
	background+=($!)
	wait_until 10 runs '^ *sleep sleep 2001'
	pid_of '^ *sleep sleep 2001'
}

# --- ids ------------------------------------------------------------------------------------------

@test "inside, the user has his own name and number; outside, another" {
	local pid first count uid
	start_quiet
	run -0 vitrine enter "$id" sh -c 'id -u; id -un; id -g; echo "$HOME"; whoami'
	[[ ${lines[*]} == "$UID $(id -un) $(id -g) $HOME $(id -un)" ]]
	pid=$(application_of "$id")
	read -r first count < <(sub_ids)
	uid=$(uid_of "$pid")
	((uid >= first && uid < first + count))
	((uid != UID))
}

@test "the user's own ids and the system's are mapped into no box" {
	start_supervised xterm
	await_running
	local pid first count inside outside length boxes=0
	read -r first count < <(sub_ids)
	for pid in $(processes | awk '$4 == "init" { print $1 }'); do
		boxes=$((boxes + 1))
		while read -r inside outside length; do
			((outside >= first && outside + length <= first + count)) ||
				fail "$inside is mapped to $outside"
		done < <(cat "/proc/$pid/uid_map" "/proc/$pid/gid_map")
	done
	expect "$boxes" -eq 3
}

@test "every box has ids of its own, also beside a second sandbox of the same profile" {
	local uids
	start_supervised xterm
	await_running
	start_detached xterm
	uids=$(processes | awk '$4 == "init" { print $3 }')
	[[ $(wc -l <<<"$uids") == 6 ]]
	[[ $(sort -u <<<"$uids" | wc -l) == 6 ]]
}

# --- two sandboxes --------------------------------------------------------------------------------

@test "two sandboxes of one profile do not see each other" {
	local first
	start_quiet 'echo secret >/tmp/first; echo secret >~/first; exec sleep 3001'
	first=$id
	start_quiet 'exec sleep 3002'
	run -0 vitrine enter "$id" ps -eo pid,args
	[[ $output == *"sleep 3002"* && $output != *"sleep 3001"* ]]
	run -0 vitrine enter "$id" sh -c 'ls -A /tmp /var/tmp /run /dev/shm ~'
	[[ $output != *first* ]]
	run -0 vitrine enter "$id" sh -c 'for p in /proc/[0-9]*; do echo "${p#/proc/}"; done'
	((${#lines[@]} <= 4))
	run -0 vitrine enter "$first" cat /tmp/first
	[[ $output == secret ]]
}

@test "two sandboxes cannot signal each other, nor the host" {
	local first pid other number
	start_quiet 'exec sleep 3001'
	first=$id
	pid=$(application_of "$first")
	start_quiet 'exec sleep 3002'
	other=$(field_of "$first" supervisor)
	for number in "$pid" "$other" "$$" "$PPID"; do
		run -1 vitrine enter "$id" sh -c "kill -0 $number"
		run -1 vitrine enter "$id" sh -c "kill -9 $number"
	done
	vitrine enter "$id" sh -c 'kill -9 -1' || true
	run ! ended "$pid"
	run -0 vitrine enter "$first" true
}

@test "the init of a box cannot be killed, traced or read from inside" {
	start_quiet 'exec sleep 3001'
	run vitrine enter "$id" sh -c 'kill -9 1; kill -STOP 1; kill -TERM 1; sleep 0.2'
	run -0 vitrine enter "$id" true
	run -1 vitrine enter "$id" sh -c 'cat /proc/1/environ'
	run -1 --separate-stderr vitrine enter "$id" sh -c 'ls /proc/1/fd/ | grep .'
	run -1 vitrine enter "$id" sh -c 'cat /proc/1/mem'
	run vitrine enter "$id" readlink /proc/1/exe
	((status != 0))
}

@test "System V and POSIX IPC, shared memory and abstract sockets end at the sandbox" {
	local first
	start_quiet 'exec sleep 3001'
	first=$id
	run -0 vitrine enter "$first" sh -c 'echo x >/dev/shm/seen; ipcmk -M 4096 -p 0666 2>/dev/null || true'
	start_quiet 'exec sleep 3002'
	run -0 vitrine enter "$id" sh -c 'ls -A /dev/shm; tail -n +2 /proc/sysvipc/shm; tail -n +2 /proc/net/unix'
	[[ -z $output ]]
	[[ $(readlink "/proc/$(application_of "$first")/ns/ipc") != "$(readlink "/proc/$(application_of "$id")/ns/ipc")" ]]
}

@test "every namespace is the box's own, and different for each sandbox" {
	local first name
	start_quiet
	first=$(application_of "$id")
	start_quiet
	local second
	second=$(application_of "$id")
	for name in user mnt net pid ipc uts cgroup; do
		[[ $(readlink "/proc/$first/ns/$name") == "$name:["*"]" ]]
		[[ $(readlink "/proc/$first/ns/$name") != "$(readlink "/proc/$second/ns/$name")" ]]
		[[ $(readlink "/proc/$first/ns/$name") != "$(readlink "/proc/$$/ns/$name")" ]]
	done
}

# --- privileges -----------------------------------------------------------------------------------

field_in() { # STATUS FIELD
	awk -v field="$2:" '$1 == field { $1 = ""; print substr($0, 2) }' <<<"$1"
}

confined() { # PID [FILTERS]: by /proc, every set of capabilities is empty, and so on
	local status set
	status=$(cat "/proc/$1/status" 2>/dev/null) || return
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		[[ $(field_in "$status" $set) == 0000000000000000 ]] ||
			fail "$set of $1: $(field_in "$status" $set)" || return
	done
	[[ $(field_in "$status" NoNewPrivs) == 1 && $(field_in "$status" Seccomp) == 2 ]] &&
		(($(field_in "$status" Seccomp_filters) >= ${2:-2})) &&
		[[ -z $(field_in "$status" Groups | tr -d ' ') ]] &&
		[[ $(field_in "$status" Uid | tr ' ' '\n' | sort -u | wc -l) == 1 ]] &&
		[[ $(field_in "$status" Gid | tr ' ' '\n' | sort -u | wc -l) == 1 ]] && return
	fail "$1:" "$status"
}

@test "no capability, no new privileges, two filters: for every process of every box" {
	local pid comm minimum n=0
	write_profile full <<<$'[App]\nCommand=xterm\nImage=xterm\n[Sound]\nPlayback=yes'
	start_supervised --profile "$(profile_file full)"
	await_running
	wait_until 20 runs '^ *xterm xterm'
	wait_until 20 runs 'xpra attach'
	while read -r pid comm; do
		case $comm in
		vitrine | vitrine-*) continue ;;
		init) minimum=1 ;;
		*) minimum=2 ;;
		esac
		# Programs of a display start others that are gone before they are looked at.
		confined "$pid" $minimum || ended "$pid" || fail "$comm is not confined"
		n=$((n + 1))
	done < <(processes | awk '{ print $1, $4 }')
	((n >= 8)) || fail "$(processes)"
}

@test "an entered command is confined exactly like the application" {
	local app entered field
	start_quiet 'exec sleep 3001'
	app=$(application_of "$id")
	entered=$(start_entered "$id")
	confined "$app"
	for field in Uid Gid Groups CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp Seccomp_filters \
		SigBlk SigIgn SigCgt CoreDumping Cpus_allowed_list Umask; do
		[[ $(status_of "$app" $field) == "$(status_of "$entered" $field)" ]] ||
			fail "$field: $(status_of "$app" $field) and $(status_of "$entered" $field)"
	done
	for field in user mnt net pid ipc uts cgroup; do
		[[ $(readlink "/proc/$app/ns/$field") == "$(readlink "/proc/$entered/ns/$field")" ]]
	done
	diff <(sort -z "/proc/$app/environ" | tr '\0' '\n' | grep -v '^PWD=\|^OLDPWD=\|^_=\|^SHLVL=') \
		<(sort -z "/proc/$entered/environ" | tr '\0' '\n')
	diff "/proc/$app/limits" "/proc/$entered/limits"
	diff "/proc/$app/mountinfo" "/proc/$entered/mountinfo"
	diff "/proc/$app/attr/current" "/proc/$entered/attr/current" || [[ ! -s /proc/$app/attr/current ]]
	[[ $(readlink "/proc/$app/cwd") == "$(readlink "/proc/$entered/cwd")" ]]
}

@test "system calls that no application needs are refused" {
	run -0 --separate-stderr vitrine run --display none -- "$attempts"
	local line
	((${#lines[@]} > 30))
	for line in "${lines[@]}"; do
		[[ $line =~ ^[a-z0-9_-]+" "(E[A-Z]+|"signal "[0-9]+)$ ]] || fail "$line"
	done
}

@test "what the filter alone refuses, it refuses to an entered command too" {
	# Not one of these needs a capability: outside, the same program gets through.
	local calls=(unshare-user clone-user ptrace-traceme keyctl) call
	run -0 "$attempts" "${calls[@]}"
	for call in "${calls[@]}"; do
		[[ $output == *"$call done"* ]]
	done
	start_detached --display none -- "$attempts" wait
	run -0 vitrine enter "$id" /run/vitrine/program/attempt "${calls[@]}"
	expect "${#lines[@]}" -eq "${#calls[@]}"
	[[ $output != *done* && $output != *signal* ]]
	run -1 vitrine enter "$id" unshare --user true
	[[ $output == *"unshare failed"* ]]
}

@test "set-user-ID does not work" {
	start_quiet
	run -0 vitrine enter "$id" sh -c 'find / -xdev -perm /6000 -type f 2>/dev/null; true'
	[[ -z $output ]]
	local dir
	for dir in /tmp /var/tmp /dev/shm "$HOME" "/run/user/$UID"; do
		run vitrine enter "$id" sh -c "cp /usr/bin/id $dir/id && chmod 6755 $dir/id && $dir/id"
		[[ $output == *"Permission denied"* ]]
	done
	# Every mount is nosuid; devices work in /dev alone, where nothing can be made.
	while read -r line; do
		[[ $line == *nosuid* || $line == /proc/* ]] || fail "$line"
		[[ $line == *nodev* || $line == /dev[/\ ]* || $line == /proc/* ]] || fail "$line"
	done < <(vitrine enter "$id" awk '{ print $5, $6 }' /proc/self/mountinfo)
	run vitrine enter "$id" sh -c 'echo x >/dev/x || mknod /dev/x c 1 3 || ln -s x /dev/x'
	((status != 0))
}

# --- files ----------------------------------------------------------------------------------------

@test "the system is read-only, and what is not cannot be executed" {
	local dir
	start_quiet
	for dir in / /usr /usr/bin /etc /bin /var /var/lib /opt /srv /home /.vitrine /dev /proc /run; do
		run vitrine enter "$id" sh -c "echo x >$dir/vitrine-test"
		((status != 0)) || fail "$dir can be written"
	done
	for dir in / /usr /etc /home; do
		run vitrine enter "$id" sh -c "echo x >$dir/vitrine-test"
		[[ $output == *"Read-only file system"* ]] || fail "$dir: $output"
	done
	run vitrine enter "$id" sh -c 'echo x >>/etc/passwd'
	[[ $output == *"Read-only file system"* ]]
	for dir in /tmp /var/tmp /dev/shm "$HOME" "/run/user/$UID"; do
		run -0 vitrine enter "$id" sh -c "printf '#!/bin/sh\necho ran\n' >$dir/x && chmod 755 $dir/x"
		run -126 vitrine enter "$id" "$dir/x"
		run -126 vitrine enter "$id" sh -c "exec $dir/x"
		run -0 vitrine enter "$id" cp /usr/bin/true "$dir/true"
		run -126 vitrine enter "$id" "$dir/true"
		run -127 vitrine enter "$id" sh -c "/lib64/ld-linux-x86-64.so.2 $dir/true"
	done
}

@test "no file of the user is there" {
	local name marker=vitrine-marker-$$-$RANDOM place
	local places=("$HOME" "$XDG_RUNTIME_DIR" /tmp /var/tmp /dev/shm "$BATS_TEST_TMPDIR")
	for place in "${places[@]}"; do
		echo "$marker" >"$place/$marker"
	done
	start_quiet
	run vitrine enter "$id" sh -c "find / -name '$marker*' 2>/dev/null"
	for place in "${places[@]}"; do
		rm "$place/$marker"
	done
	[[ -z $output ]]
	run -0 vitrine enter "$id" sh -c 'ls -A ~; ls -A /home /root /mnt /media /srv /boot 2>/dev/null; true'
	[[ ! $output =~ (^|$'\n')\. ]]
	for name in "$HOME/.bashrc" "$HOME/.local" "$XDG_RUNTIME_DIR/bus" "$XDG_RUNTIME_DIR/vitrine" \
		"$XDG_RUNTIME_DIR/pulse/native" /var/run/docker.sock; do
		run -1 vitrine enter "$id" test -e "$name"
	done
}

@test "what tells about the host is hidden" {
	local name
	start_quiet
	run -0 vitrine enter "$id" sh -c 'ls -A /sys'
	[[ -z $output ]]
	run -0 vitrine enter "$id" sh -c 'cat /proc/interrupts /proc/kallsyms /proc/key-users /proc/keys 2>/dev/null
		find /proc/acpi /proc/bus /proc/irq /proc/scsi -mindepth 1 2>/dev/null; true'
	[[ -z $output ]]
	for name in kcore kmsg sysrq-trigger timer_list kpagecount kpageflags vmallocinfo slabinfo; do
		run vitrine enter "$id" sh -c "head -c 1 /proc/$name | grep -q ."
		((status != 0)) || fail "/proc/$name can be read"
	done
	for name in sys/kernel/core_pattern sys/kernel/hostname sys/net/ipv4/ip_forward sysrq-trigger sys/vm/overcommit_memory; do
		run vitrine enter "$id" sh -c "echo 1 >/proc/$name"
		((status != 0)) || fail "/proc/$name can be written"
	done
	run -0 vitrine enter "$id" sh -c 'cat /etc/machine-id /proc/sys/kernel/random/boot_id; hostname'
	[[ ${lines[0]} =~ ^[0-9a-f]{32}$ && ${lines[0]} != "$(</etc/machine-id)" ]]
	[[ ${lines[1]} != "$(</proc/sys/kernel/random/boot_id)" ]]
	[[ ${lines[2]} == quiet ]]
}

@test "the image is the same before and after twenty sandboxes that write everywhere" {
	local root=$HOME/.local/share/vitrine/images i profile before
	write_profile writable <<<$'[App]\nCommand=/bin/sh\nImage=base\n[Files]\nRoot=writable\n[Display]\nBackend=none'
	checksum() {
		(cd "$root" && {
			find . -printf '%p %y %m %U %G %s %T@ %C@ %l\n' | sort
			find . -type f -print0 | sort -z | xargs -0 -n 2000 sha256sum
		} | sha256sum)
	}
	cat >"$BATS_TEST_TMPDIR/vandal" <<-'END'
		for d in $(find / -xdev -type d -not -path '/proc/*'); do
			echo x >"$d/vandal" || chmod 777 "$d"
		done
		for f in /etc/passwd /bin/sh /usr/bin/xclip /etc/ld.so.cache /.vitrine/init; do
			echo x >>"$f"; mv "$f" "$f.old"; rm -f "$f"; ln -f "$f" "$f.link"; touch "$f"; setfattr -n user.x -v y "$f"
		done
		rm -rf /usr/share/doc /etc /opt /var /home
		exit 0
	END
	before=$(checksum)
	for i in {1..10}; do
		for profile in quiet writable; do
			vitrine run --profile "$(profile_file $profile)" -- -c "$(<"$BATS_TEST_TMPDIR/vandal")" \
				>"$BATS_TEST_TMPDIR/output" 2>&1 || fail "$(tail -n 5 "$BATS_TEST_TMPDIR/output")"
		done
	done
	[[ $(checksum) == "$before" ]]
}

# --- the caller -----------------------------------------------------------------------------------

descriptors_of() { # PID: what stands behind each, without the three standard ones
	local fd
	for fd in "/proc/$1/fd/"*; do
		((${fd##*/} < 3)) || readlink "$fd"
	done
}

@test "nothing of an odd caller's process reaches the application" {
	local pid
	cd "$BATS_TEST_TMPDIR"
	run -0 "$VITRINE_PROGRAMS/odd-caller" env SECRET=hidden LD_PRELOAD= LD_LIBRARY_PATH=/nonexistent \
		GTK_MODULES=hidden PYTHONPATH=/nonexistent BASH_ENV=/hidden \
		vitrine run --profile "$(profile_file quiet)" -- -c \
		'cat /proc/self/status; ls /proc/self/fd | sort -n | tr "\n" " "; echo; env; umask; pwd; nice; exit 0'
	[[ $output == *$'\n'"SigBlk:"$'\t'0000000000000000* ]]
	[[ $output == *$'\n'"SigIgn:"$'\t'0000000000000000* ]]
	[[ $output == *$'\n''0 1 2 3 '$'\n'* ]]
	[[ $output != *hidden* && $output != *nonexistent* ]]
	[[ $output == *$'\n'0022$'\n'"$HOME"$'\n'* ]]
}

@test "nothing of an odd caller's process reaches an entered command" {
	start_quiet
	cd "$BATS_TEST_TMPDIR"
	run -0 "$VITRINE_PROGRAMS/odd-caller" env SECRET=hidden LD_LIBRARY_PATH=/nonexistent BASH_ENV=/hidden \
		vitrine enter "$id" sh -c \
		'cat /proc/self/status; ls /proc/self/fd | sort -n | tr "\n" " "; echo; env; umask; pwd'
	[[ $output == *$'\n'"SigBlk:"$'\t'0000000000000000* ]]
	[[ $output == *$'\n'"SigIgn:"$'\t'0000000000000000* ]]
	[[ $output == *$'\n''0 1 2 3 '$'\n'* ]]
	[[ $output != *hidden* && $output != *nonexistent* ]]
	[[ $output == *$'\n'0022$'\n'"$HOME"* ]]
}

@test "the application, its init and its monitor hold no descriptor of the caller's" {
	local pid file=$BATS_TEST_TMPDIR/secret
	echo secret >"$file"
	exec 9<"$file" 8<"$HOME"
	start_supervised --profile "$(profile_file quiet)" -- -c 'exec sleep 3001'
	await_running
	exec 8<&- 9<&-
	for pid in $(pids_of "$(processes)"); do
		[[ $pid != "$supervisor" ]] || continue
		run descriptors_of "$pid"
		[[ $output != *"$file"* && ! $output =~ (^|$'\n')"$HOME"($|$'\n') ]] || fail "$(ps -p "$pid"): $output"
	done
	[[ -z $(descriptors_of "$(application_of "$id")") ]]
}

@test "a working directory that is gone, an argument zero that is empty" {
	mkdir "$BATS_TEST_TMPDIR/gone"
	cd "$BATS_TEST_TMPDIR/gone"
	rmdir "$BATS_TEST_TMPDIR/gone"
	run -0 --separate-stderr quietly pwd
	[[ $output == "$HOME" ]]
	run -0 bash -c 'exec -a "" vitrine run --profile "$1" -- -c "exit 0"' bash "$(profile_file quiet)"
	run -0 bash -c 'exec -a "-sh" vitrine run --profile "$1" -- -c "exit 0"' bash "$(profile_file quiet)"
}

@test "limits of the caller are no hindrance" {
	run -0 --separate-stderr bash -c 'ulimit -Sn 32; ulimit -c unlimited; exec vitrine run --profile "$1" -- -c "ulimit -c"' \
		bash "$(profile_file quiet)"
	((output <= 1))
}

# --- network --------------------------------------------------------------------------------------

reach() { # MODE ARGUMENTS OF sockets...: from a sandbox
	local mode=$1 profile=$BATS_TEST_TMPDIR/reach.vitrine
	printf '[App]\nCommand=/bin/sh\nImage=base\n[Display]\nBackend=none\n[Network]\nMode=%s\n' "$mode" >"$profile"
	shift
	start_detached --profile "$profile" -- -c 'exec sleep 1000'
	vitrine enter "$id" bash -c "exec 2>&1; $*"
}

start_listener() { # KIND [NAME]: sets `address`, the port or the name
	"$sockets" listen "$@" >"$BATS_TEST_TMPDIR/listener" 3>&- &
	background+=($!)
	wait_until 10 test -s "$BATS_TEST_TMPDIR/listener"
	address=$(<"$BATS_TEST_TMPDIR/listener")
}

@test "the host's loopback cannot be reached" {
	start_listener tcp
	[[ $("$sockets" connect tcp 127.0.0.1 "$address") == reached ]]
	run -1 --separate-stderr vitrine run --display none -- "$sockets" connect tcp 127.0.0.1 "$address"
	[[ $output == "connect: ECONNREFUSED" ]]
	local host
	for host in 127.0.0.1 10.0.2.2 10.0.2.3 localhost; do
		run reach private "timeout 5 bash -c 'echo >/dev/tcp/$host/$address' && echo reached"
		[[ $output != *reached* ]] || fail "$host"
		vitrine stop --all
	done
}

@test "abstract sockets of the desktop cannot be reached" {
	local name
	start_listener abstract "vitrine-test-$$"
	[[ $("$sockets" connect abstract "$address") == reached ]]
	[[ $("$sockets" connect abstract "/tmp/.X11-unix/X$display_number") == reached ]]
	for name in "$address" "/tmp/.X11-unix/X$display_number"; do
		run -1 --separate-stderr vitrine run --display none -- "$sockets" connect abstract "$name"
		[[ $output == "connect: ECONNREFUSED" ]]
		run -1 --separate-stderr vitrine run -- "$sockets" connect abstract "$name"
		[[ $output == *"connect: ECONNREFUSED"* ]]
	done
}

@test "sockets of the desktop in the file system cannot be reached" {
	local path
	for path in "/tmp/.X11-unix/X$display_number" "$XDG_RUNTIME_DIR/bus" "$XDG_RUNTIME_DIR/pulse/native"; do
		[[ $("$sockets" connect path "$path") == reached ]]
		run -1 --separate-stderr vitrine run --display none -- "$sockets" connect path "$path"
		[[ $output == "connect: ENOENT" ]]
	done
	run -1 --separate-stderr vitrine run -- "$sockets" connect path "/tmp/.X11-unix/X$display_number"
	[[ $output == *"connect: ENOENT"* ]]
}

@test "without network there is the loopback device alone" {
	start_quiet
	run -0 vitrine enter "$id" sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "; tail -n +2 /proc/net/route'
	[[ $output == lo ]]
}

# --- the control socket ---------------------------------------------------------------------------

@test "the control sockets are closed to others, and out of the boxes' reach" {
	start_quiet
	[[ $(stat -c %a "$XDG_RUNTIME_DIR/vitrine") == 700 ]]
	[[ $(stat -c %a "$sandboxes") == 700 ]]
	[[ $(stat -c %a "$sandboxes/$id") == 700 ]]
	run vitrine enter "$id" sh -c 'find / -name control -o -name holder -o -name vitrine-holder 2>/dev/null | grep -v "^/proc\|^/usr"'
	[[ -z $output ]]
}

@test "junk on the control socket and on the holder's is survived" {
	start_quiet
	python3 - "$sandboxes/$id/control" "$XDG_RUNTIME_DIR/vitrine/holder" <<-'END'
		import os, socket, struct, sys, array
		for path in sys.argv[1:]:
		    for message in (b"", b"\0", b"\xff" * 4, b"\xff" * 60000, b"\0" * 4096, struct.pack("<I", 3) + b"\xff" * 8):
		        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		        s.settimeout(2)
		        s.connect(path)
		        try:
		            fds = array.array("i", [0] * 20)
		            s.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
		            s.send(message)
		            s.recv(100)
		        except OSError:
		            pass
		        s.close()
		    held = []
		    for i in range(300):
		        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		        s.settimeout(0.2)
		        try:
		            s.connect(path)
		            held.append(s)
		        except OSError:
		            break
	END
	run -0 vitrine enter "$id" true
	run -0 --separate-stderr quietly 'exit 0'
	supervisor=$(field_of "$id" supervisor)
	(($(ls "/proc/$supervisor/fd" | wc -l) < 100))
	run -0 vitrine stop "$id"
	assert_nothing_left
}
