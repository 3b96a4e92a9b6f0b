#!/usr/bin/env bats
# The gate's server by itself: that what it shows behaves as the directory that it shows, that nothing
# else is reached through it, and what becomes of it when something ends.

load gate-common

setup() { setup_gate; }
teardown() { teardown_gate; }

# Something that must never be reached: not through the gate, and hidden from the script.
make_canary() {
	canary=$BATS_TEST_TMPDIR/canary
	export canary
	mkdir -p "$canary/below"
	echo canary >"$canary/file"
	echo canary >"$canary/below/file"
	chmod 600 "$canary/file" "$canary/below/file"
	before=$(snapshot "$canary")
}

canary_is_as_before() {
	[[ $(snapshot "$canary") == "$before" ]] || fail "the canary is another:" "$(snapshot "$canary")"
}

# --- the same as a directory ----------------------------------------------------------------------

@test "100000 random operations on the gate and on a plain directory agree" {
	mkdir "$beside/plain"
	export operations=${GATE_MODEL_OPERATIONS:-100000} seed=${GATE_MODEL_SEED:-$SRANDOM}
	echo "seed $seed"
	limit=180 gated --tree "$shared:rw" <<'END'
		"$VITRINE_PROGRAMS/gate-model" --seed "$seed" --operations "$operations" \
			"$tree" "$shared" "$beside/plain"
END
}

@test "random operations on given files do what the protocol says" {
	local name
	mkdir "$shared/given"
	for name in one two three; do
		echo "$name" >"$shared/given/$name"
		chmod 640 "$shared/given/$name"
	done
	export operations=${GATE_FILES_OPERATIONS:-20000} seed=${GATE_MODEL_SEED:-$SRANDOM}
	limit=180 gated --file "$shared/given/one:rw" --file "$shared/given/two:rw" --file "$shared/given/three" \
		--file "$shared/given/four:new" --file "$shared/given/five:new" <<'END'
		"$VITRINE_PROGRAMS/gate-files" --seed "$seed" --operations "$operations" "$files" "$shared/given"
END
}

@test "names of any bytes" {
	gated --tree "$shared:rw" <<'END'
		for name in $'new\nline' $'\xff\xfe\x80' ' ' '-rf' '*' 'a\b' $'\x01' "$(printf '%0255d' 0)"; do
			echo in >"$tree/$name"
			holds "$shared/$name" $'in\n'
			echo out >"$shared/$name"
			holds "$tree/$name" $'out\n'
			mv -T -- "$tree/$name" "$tree/moved"
			rm "$shared/moved"
			ends ENOENT stat "$tree/moved"
		done
		ends ENAMETOOLONG create "$tree/$(printf '%0256d' 0)"
END
}

@test "sparse and huge files" {
	gated --tree "$shared:rw" <<'END'
		truncate -s 8T "$tree/huge"
		expect "$(stat -c %s "$shared/huge")" -eq $((8 << 40))
		for at in 4096 $((5 << 30)) $(((8 << 40) - 4096)); do
			printf x | dd of="$tree/huge" bs=1 seek="$at" conv=notrunc status=none
			expect "$(dd if="$tree/huge" bs=1 skip="$at" count=1 status=none)" = x
		done
		expect "$(stat -c %b "$tree/huge")" -lt 1000
		expect "$("$calls" holes "$tree/huge")" = "$("$calls" holes "$shared/huge")"
		expect "$("$calls" holes "$tree/huge" | wc -l)" -eq 3
		ends EFBIG truncate-huge "$tree/huge"
		fallocate --punch-hole --offset 4096 --length 4096 "$tree/huge"
		expect "$("$calls" holes "$shared/huge" | wc -l)" -eq 2
END
}

@test "10000 files are made, listed and removed" {
	gated --tree "$shared:rw" <<'END'
		mkdir "$tree/many"
		(cd "$tree/many" && seq -f 'file-%g' 10000 | xargs touch)
		expect "$(ls "$shared/many" | wc -l)" -eq 10000
		diff <(ls -U "$tree/many" | sort) <(seq -f 'file-%g' 10000 | sort)
		cp -r "$tree/many" "$tree/copy"
		diff -r "$tree/copy" "$shared/many"
		rm -r "$tree/many" "$tree/copy"
		expect -z "$(ls -A "$shared")"
END
}

@test "what changes outside is seen inside, also while it is open" {
	gated --tree "$shared:rw" <<'END'
		echo first >"$shared/file"
		exec 4<"$tree/file"
		holds "$tree/file" $'first\n'
		echo second one >"$shared/file"
		settle
		holds "$tree/file" $'second one\n'
		expect "$(stat -Lc %s /proc/self/fd/4)" -eq 11
		expect "$(cat <&4)" = 'second one'
		touch -d '2001-02-03 04:05:06.789 UTC' "$shared/file"
		settle
		expect "$(stat -Lc %.3Y "$tree/file")" = 981173106.789
		chmod 640 "$shared/file"
		settle
		expect "$(stat -Lc %a "$tree/file")" = 640
		echo SECOND ONE >"$shared/file"
		settle
		holds "$tree/file" $'SECOND ONE\n'
		mv "$shared/file" "$shared/other"
		settle
		ends ENOENT stat "$tree/file"
		holds "$tree/other" $'SECOND ONE\n'
		echo another >"$shared/third"
		mv "$shared/third" "$shared/other"
		settle
		holds "$tree/other" $'another\n'
		expect "$(cat /proc/self/fd/4)" = 'SECOND ONE'
		rm "$shared/other"
		settle
		ends ENOENT open "$tree/other"
END
}

@test "appending from both sides loses nothing" {
	gated --tree "$shared:rw" <<'END'
		: >"$shared/log"
		for i in {1..200}; do echo outside; done >>"$shared/log" &
		for i in {1..200}; do echo inside; done >>"$tree/log"
		wait
		expect "$(grep -cx inside "$shared/log")" -eq 200
		expect "$(grep -cx outside "$shared/log")" -eq 200
		expect "$(wc -l <"$tree/log")" -eq 400
END
}

@test "inotify tells inside what is done inside" {
	gated --tree "$shared:rw" <<'END'
		"$calls" watch "$tree" >"$beside/events" &
		watcher=$!
		wait_until 5 grep -q ready "$beside/events"
		echo x >"$tree/a"
		mv "$tree/a" "$tree/b"
		rm "$tree/b"
		wait_until 5 grep -qx 'delete b' "$beside/events"
		kill "$watcher"
		for event in 'create a' 'modify a' 'written a' 'from a' 'to b' 'delete b'; do
			grep -qx "$event" "$beside/events"
		done
END
}

@test "a file has the same number each time, and an inode of its own" {
	mkdir "$shared/dir"
	touch "$shared/a" "$shared/dir/b"
	ln "$shared/a" "$shared/second-name"
	gated --tree "$shared" <<'END'
		first=$(stat -c %i "$tree/a" "$tree/dir" "$tree/dir/b")
		for i in {1..3}; do
			find / -xdev -maxdepth 3 >/dev/null 2>&1 || true
			expect "$(stat -c %i "$tree/a" "$tree/dir" "$tree/dir/b")" = "$first"
		done
		expect "$(sort -u <<<"$first" | wc -l)" -eq 3
		expect "$(stat -c %h "$tree/a")" -eq 2
		expect "$(ls -i "$tree" | awk '$2 == "a" { print $1 }')" = "$(stat -c %i "$tree/a")"
END
}

# --- saving ---------------------------------------------------------------------------------------

@test "programs save in a tree as they do without a gate" {
	gated --tree "$shared:rw" <<'END'
		printf 'old\n' >"$shared/file"
		chmod 640 "$shared/file"
		sed -i s/old/sed/ "$tree/file"
		holds "$shared/file" $'sed\n'
		expect "$(stat -c %a "$shared/file")" = 640
		vim -es -u NONE '+%s/sed/vim/' +wq "$tree/file" </dev/null >/dev/null
		holds "$shared/file" $'vim\n'
		vim -es -u NONE +'set backup backupskip= backupcopy=no' '+%s/vim/again/' +wq "$tree/file" </dev/null >/dev/null
		holds "$shared/file" $'again\n'
		holds "$shared/file~" $'vim\n'
		/usr/bin/python3 - "$tree/file" <<-'PYTHON'
			import os, sys, tempfile
			path = sys.argv[1]
			with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(path), delete=False) as f:
			    f.write("python\n")
			    f.flush()
			    os.fsync(f.fileno())
			os.replace(f.name, path)
		PYTHON
		holds "$shared/file" $'python\n'
		expect "$(ls -A "$shared" | tr '\n' ' ')" = 'file file~ '
END
}

@test "programs save a given file, and nothing appears beside it" {
	printf 'old\n' >"$shared/file"
	chmod 640 "$shared/file"
	gated --file "$shared/file:rw" <<'END'
		sed -i s/old/sed/ "$files/file"
		holds "$shared/file" $'sed\n'
		holds "$files/file" $'sed\n'
		vim -es -u NONE '+%s/sed/vim/' +wq "$files/file" </dev/null >/dev/null
		holds "$shared/file" $'vim\n'
		vim -es -u NONE +'set backup backupskip= backupcopy=no' '+%s/vim/again/' +wq "$files/file" </dev/null >/dev/null
		holds "$shared/file" $'again\n'
		holds "$files/file~" $'vim\n'
		/usr/bin/python3 - "$files/file" <<-'PYTHON'
			import os, sys, tempfile
			path = sys.argv[1]
			with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(path), delete=False) as f:
			    f.write("python\n")
			    f.flush()
			    os.fsync(f.fileno())
			os.replace(f.name, path)
		PYTHON
		holds "$shared/file" $'python\n'
		holds "$files/file" $'python\n'
		printf 'plain\n' >"$files/file"
		holds "$shared/file" $'plain\n'
END
	[[ $(ls -A "$shared") == file ]]
	[[ $(stat -c %a "$shared/file") == 640 ]]
}

@test "a file that is not there yet appears when it is written" {
	gated --file "$shared/new:new" <<'END'
		ends ENOENT stat "$files/new"
		ends ENOENT open "$files/new"
		expect ! -e "$shared/new"
		printf 'text\n' >"$files/new"
		holds "$shared/new" $'text\n'
		holds "$files/new" $'text\n'
		printf 'more\n' >>"$files/new"
		holds "$shared/new" $'text\nmore\n'
		echo other >"$files/.temporary"
		mv "$files/.temporary" "$files/new"
		holds "$shared/new" $'other\n'
END
	[[ $(ls -A "$shared") == new ]]
}

@test "a given file that is removed or moved inside is not touched any more, whoever has it open" {
	echo old >"$shared/file"
	echo old >"$shared/other"
	gated --file "$shared/file:rw" --file "$shared/other:rw" <<'END'
		exec 4>>"$files/file" 5>>"$files/other"
		rm "$files/file"
		mv "$files/other" "$files/moved"
		echo new >&4
		echo new >&5
		ends ENOENT open "$files/file"
		holds "$files/moved" $'old\nnew\n'
END
	[[ $(<"$shared/file") == old && $(<"$shared/other") == old ]]
}

@test "what a given file is replaced by outside is seen inside" {
	echo one >"$shared/file"
	gated --file "$shared/file" <<'END'
		holds "$files/file" $'one\n'
		exec 4<"$files/file"
		echo two >"$shared/other"
		mv "$shared/other" "$shared/file"
		is_two() { [[ $(cat "$files/file") == two ]]; }
		wait_until 5 is_two
		expect "$(cat <&4)" = one
		rm "$shared/file"
		is_gone() { [[ $("$calls" stat "$files/file") == ENOENT ]]; }
		wait_until 5 is_gone
END
}

@test "kill -9 of the gate while a given file is saved leaves the old or the new one, whole" {
	local i size
	printf '%0100000d' 0 >"$shared/file"
	for ((i = 1; i <= ${GATE_KILL_ROUNDS:-100}; i++)); do
		export i
		gated --file "$shared/file:rw" <<'END'
			(sleep "0.0$((RANDOM % 50 + 10))"; kill -s KILL "$GATE_PID") &
			while printf '%0100000d' "$i" >"$files/.temporary" &&
				mv "$files/.temporary" "$files/file"; do
				:
			done 2>/dev/null
			wait
END
		[[ $(stat -c %s "$shared/file") == 100000 ]] || fail "round $i: size"
		[[ $(tr -d 0 <"$shared/file") == "$(tr -d 0 <<<"$i")" ||
			$(tr -d 0 <"$shared/file") == "$(tr -d 0 <<<"$((i - 1))")" ]] || fail "round $i: content"
		[[ $(ls -A "$shared") == file ]] || fail "round $i: $(ls -A "$shared")"
	done
}

# --- nothing else ---------------------------------------------------------------------------------

@test "a tree that is given for reading cannot be changed by any call" {
	local before
	mkdir "$shared/dir" "$shared/empty"
	echo text >"$shared/file"
	echo text >"$shared/dir/file"
	ln -s file "$shared/link"
	before=$(snapshot "$shared")
	gated --tree "$shared" <<'END'
		for call in access-write append chmod fchmod futimens open-both open-truncate truncate unlink \
			utimens write; do
			ends EROFS "$call" "$tree/file"
		done
		ends 'done|EROFS' chown "$tree/file" # to what it is
		for call in create mkdir mknod open-create; do
			ends EROFS "$call" "$tree/new"
		done
		for call in exchange rename; do
			ends EROFS "$call" "$tree/file" "$tree/dir/file"
		done
		ends EROFS rename "$tree/file" "$tree/new"
		ends EROFS noreplace "$tree/file" "$tree/new"
		ends EROFS rename "$tree/dir" "$tree/empty"
		ends EROFS rmdir "$tree/empty"
		ends EROFS symlink "$tree/new" target
		ends EROFS unlink "$tree/link"
		ends EROFS utimens "$tree/link"
		ends EROFS chmod "$tree/dir"
		ends 'EROFS|EPERM' link "$tree/file" "$tree/new"
		ends 'EROFS|EPERM' mkfifo "$tree/new"
		ends 'EROFS|EOPNOTSUPP' setxattr "$tree/file"
		ends 'EROFS|EOPNOTSUPP' tmpfile "$tree"
		ends 'EROFS|EPERM|ENOTTY|EOPNOTSUPP|ENOSYS' set-flags "$tree/file"
		holds "$tree/file" $'text\n'
		ends done list "$tree"
		ends done readlink "$tree/link"
END
	[[ $(snapshot "$shared") == "$before" ]]
}

@test "a file that is given for reading cannot be changed by any call" {
	local before
	echo text >"$shared/file"
	echo text >"$shared/writable"
	before=$(snapshot "$shared")
	gated --file "$shared/file" --file "$shared/writable:rw" <<'END'
		for call in access-write append chmod fchmod futimens open-both open-truncate truncate unlink \
			utimens write; do
			ends EROFS "$call" "$files/file"
		done
		ends EROFS rename "$files/file" "$files/new"
		echo mine >"$files/new"
		ends EROFS rename "$files/new" "$files/file"
		ends 'EROFS|EINVAL' exchange "$files/new" "$files/file"
		ends 'EROFS|EPERM' link "$files/file" "$files/other"
		ends EPERM mkdir "$files/dir"
		ends 'EROFS|EOPNOTSUPP' setxattr "$files/file"
		holds "$files/file" $'text\n'
		holds "$files/new" $'mine\n'
END
	[[ $(snapshot "$shared") == "$before" ]]
}

@test "with files for reading only, no other can be made beside them" {
	echo text >"$shared/file"
	gated --file "$shared/file" <<'END'
		for call in create mkdir mknod open-create; do
			ends 'EROFS|EPERM' "$call" "$files/new"
		done
		for call in create mkdir mknod open-create; do
			ends 'EROFS|EPERM|EACCES' "$call" "$mountpoint/new"
			ends 'EROFS|EPERM|EACCES' "$call" "$mountpoint/trees/new"
		done
		expect "$(ls -A "$files")" = file
		expect "$(ls -A "$mountpoint" | tr '\n' ' ')" = 'files trees '
END
}

@test "hard links, devices, attributes and the bits of other users are refused" {
	gated --tree "$shared:rw" <<'END'
		echo text >"$tree/file"
		ends EPERM link "$tree/file" "$tree/second"
		ends EPERM mkfifo "$tree/fifo"
		ends EOPNOTSUPP setxattr "$tree/file"
		ends EOPNOTSUPP getxattr "$tree/file"
		ends done mknod "$tree/regular"
		ends done chown "$tree/file" # to what it is
		chmod 7755 "$tree/file" || true
		expect "$(stat -c %a "$shared/file")" = 755
		mkdir -m 7777 "$tree/dir" || true
		expect "$(stat -c %a "$shared/dir")" != 7777
		expect "$(find "$shared" -perm /7000 | wc -l)" -eq 0
		expect "$(ls -A "$shared" | tr '\n' ' ')" = 'dir file regular '
END
}

@test "pipes, sockets and links of a tree lead nowhere" {
	make_canary
	mkdir "$shared/dir"
	mkfifo "$shared/fifo"
	/usr/bin/python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$shared/socket"
	ln -s "$canary/file" "$shared/absolute"
	ln -s "../canary/file" "$shared/upwards"
	ln -s ../../canary "$shared/dir/above"
	ln -s /proc/self/root/etc/shadow "$shared/magic"
	ln -s "/proc/$$/cwd" "$shared/magic-too"
	ln -s loop "$shared/loop"
	gated --tree "$shared:rw" --hide "$canary" <<'END'
		for name in fifo socket; do
			ends ENOENT stat "$tree/$name"
			ends ENOENT open "$tree/$name"
			ends ENOENT write "$tree/$name"
			ends ENOENT truncate "$tree/$name"
			ends ENOENT connect "$tree/$name"
			ends ENOENT chmod "$tree/$name"
		done
		ls "$tree" | grep -E 'fifo|socket' && fail "they are listed"
		for name in absolute upwards dir/above/file; do
			ends ENOENT open "$tree/$name"
			ends ENOENT write "$tree/$name"
			ends ENOENT truncate "$tree/$name"
			ends ENOENT chmod "$tree/$name"
			ends done readlink "$tree/${name%/file}"
		done
		ends ELOOP open "$tree/loop"
		ends 'ENOENT|EACCES' open "$tree/magic"
		expect "$(realpath "$tree/dir/../..")" = "$mountpoint/trees"
END
	canary_is_as_before
}

@test "links that are made inside lead nowhere outside" {
	make_canary
	gated --tree "$shared:rw" --hide "$canary" <<'END'
		mkdir "$tree/dir"
		ln -s "$canary" "$tree/link"
		ln -s "$canary/file" "$tree/file"
		ln -s "$canary/made" "$tree/made"
		ends ENOENT open "$tree/link/file"
		ends ENOENT open "$tree/file"
		ends ENOENT chmod "$tree/file"
		echo inside >"$tree/made" # there, where the canary is hidden
		mv "$tree/dir" "$tree/gone"
		ln -s "$canary" "$tree/dir"
		ends ENOENT open "$tree/dir/file"
		ends 'EEXIST|ENOTDIR' mkdir "$tree/dir"
		rm -r "$tree/link" "$tree/dir"
END
	canary_is_as_before
}

# A name is a file or directory one moment, a link to the canary the next. The server has an empty
# root, so that only a relative link could lead it there.
race() { # PATH-TO-SWAP-IN file|directory
	make_canary
	mkdir "$shared/spare"
	export swapped=$1 what=$2 target=$tree/one
	if [[ $2 == file ]]; then
		echo mine >"$shared/one"
		ln -s ../canary/file "$shared/other"
	else
		mkdir -p "$shared/one/below"
		echo mine >"$shared/one/below/file"
		ln -s ../canary "$shared/other"
		target+=/below
	fi
	limit=60 gated --tree "$shared:rw" <<'END' >"$beside/race"
		"$VITRINE_PROGRAMS/gate-race" "${GATE_RACE_ROUNDS:-1000}" "$swapped/one" "$swapped/other" "$what" \
			"$target" "$tree/spare"
END
	cat "$beside/race"
	grep -qE 'through [1-9][0-9]* refused [1-9][0-9]* strange 0' "$beside/race" || fail "no race"
	canary_is_as_before
}

@test "a file is swapped for a link outside while it is used inside" {
	race "$shared" file
}

@test "a file is swapped for a link inside while it is used inside" {
	race "$tree" file
}

@test "a directory is swapped for a link outside while it is used inside" {
	race "$shared" directory
}

@test "a directory is swapped for a link inside while it is used inside" {
	race "$tree" directory
}

@test "a file is swapped for a pipe outside while it is used inside" {
	echo mine >"$shared/one"
	mkfifo "$shared/other"
	mkdir "$shared/spare"
	limit=60 gated --tree "$shared:rw" <<'END'
		"$VITRINE_PROGRAMS/gate-race" 1000 "$shared/one" "$shared/other" file "$tree/one" "$tree/spare"
END
}

@test "what is masked is not there, under no name" {
	local before
	mkdir -p "$shared/config/autostart/below" "$shared/other"
	echo secret >"$shared/config/autostart/file"
	echo secret >"$shared/.profile"
	before=$(snapshot "$shared")
	gated --tree "$shared:rw" --mask config/autostart --mask .profile --mask not/there <<'END'
		for name in .profile config/autostart config/autostart/file config/autostart/below; do
			for call in stat open write truncate chmod unlink rmdir list; do
				ends ENOENT "$call" "$tree/$name"
			done
		done
		for name in .profile .Profile .PROFILE config/autostart config/AutoStart Config/autostart not/there; do
			mkdir -p "$tree/Config" "$tree/not"
			for call in create mkdir open-create mknod; do
				ends 'EACCES|EPERM' "$call" "$tree/$name"
			done
			echo x >"$tree/mine"
			ends 'EACCES|EPERM' rename "$tree/mine" "$tree/$name"
			ends 'EACCES|EPERM' symlink "$tree/$name" mine
			ends 'EACCES|EPERM|ENOENT' exchange "$tree/mine" "$tree/$name"
			ends 'EACCES|EPERM|ENOENT' rename "$tree/$name" "$tree/taken"
			rm "$tree/mine"
		done
		ends 'EACCES|EPERM|EBUSY' rename "$tree/config" "$tree/moved"
		ends 'EACCES|EPERM|EBUSY' exchange "$tree/config" "$tree/other"
		ends 'EACCES|EPERM|EBUSY' rename "$tree/other" "$tree/config"
		mkdir -p "$tree/build/autostart"
		ends 'EACCES|EPERM|EBUSY' rename "$tree/build" "$tree/config"
		ends 'EACCES|EPERM|EBUSY' rmdir "$tree/config"
		rmdir "$tree/build/autostart" "$tree/build" "$tree/Config" "$tree/not" || true
		ls -AR "$tree" | grep -iE 'autostart|profile' && fail "they are listed"
		true
END
	rmdir "$shared/Config" "$shared/not" 2>/dev/null || true
	[[ $(snapshot "$shared" | sed '/^config d/d; /^ d/d') == "$(sed '/^config d/d; /^ d/d' <<<"$before")" ]] ||
		fail "changed:" "$(diff <(echo "$before") <(snapshot "$shared"))"
}

@test "another user's files are another user's inside" {
	gated --tree /usr/share/doc/base-files --tree "$shared:rw" <<'END'
		expect "$(stat -c '%u %g' "$tree/copyright")" = '65534 65534'
		touch "$mountpoint/trees/1/own"
		expect "$(stat -c '%u %g' "$mountpoint/trees/1/own")" = "$(id -u) $(id -g)"
END
}

# --- limits ---------------------------------------------------------------------------------------

@test "a name takes room in a tree with a limit, whatever it is of" {
	gated --tree "$shared:rw:40960" <<'END'
		for i in {1..5}; do mkdir "$tree/d$i"; ln -s x "$tree/l$i"; done
		! mkdir "$tree/more" 2>/dev/null
		! ln -s x "$tree/more" 2>/dev/null
		! : 2>/dev/null >"$tree/more"
		rmdir "$tree/d1"
		: >"$tree/more"
END
}

@test "a tree takes no more new data than its limit" {
	head -c 100000 /dev/zero >"$shared/before"
	gated --tree "$shared:rw:1048576" <<'END'
		head -c 900000 /dev/zero >"$tree/a"
		run_out() { ! head -c 300000 /dev/zero >"$tree/b" 2>"$beside/why"; }
		run_out
		grep -q 'No space left' "$beside/why"
		used=$(cat "$shared/a" "$shared/b" | wc -c)
		expect "$used" -le 1048576
		expect "$used" -ge 900000
		ends 'ENOSPC|EFBIG' truncate-huge "$tree/b"
		expect "$(dd if=/dev/zero of="$tree/before" bs=100000 count=1 conv=notrunc 2>&1 | grep -c copied)" -eq 1
		rm "$tree/b"
		exec 4<>"$tree/a"
		rm "$tree/a"
		run_out
		rm -f "$tree/b"
		exec 4>&-
		head -c 900000 /dev/zero >"$tree/c"
		: >"$tree/c"
		head -c 900000 /dev/zero >"$tree/c"
		rm "$tree/c"
		: >"$tree/d"
		! fallocate --keep-size --length 4MiB "$tree/d" 2>/dev/null
		! fallocate --zero-range --keep-size --length 4MiB "$tree/d" 2>/dev/null
		! fallocate --length 4MiB "$tree/d" 2>/dev/null
		expect "$(du -k "$shared/d" | cut -f 1)" -lt 1024
		rm "$tree/d"
		ends done create "$tree/small"
		many() { for i in {1..400}; do : >"$tree/f$i" || return 1; done; }
		! many 2>/dev/null
		rm -f "$tree"/f*
		mkdir "$tree/dir"
END
}

@test "a full disk outside" {
	gated_full() {
		unshare --map-root-user --mount bash -euo pipefail -c "
			source '$BATS_TEST_DIRNAME/gate-common.bash'
			mount -t tmpfs -o size=1m none '$shared'
			gated --tree '$shared:rw' --file '$beside/file:rw'" 3>&-
	}
	echo old >"$beside/file"
	gated_full <<'END'
		! head -c 3000000 /dev/zero >"$tree/big" 2>"$beside/why"
		grep -q 'No space left' "$beside/why"
		! head -c 3000000 /dev/zero >"$shared/plain" 2>/dev/null
		size=$(stat -c %s "$shared/big")
		expect "$size" -gt 900000
		expect "$(stat -c %s "$tree/big")" -eq "$size"
		ends ENOSPC mkdir "$tree/dir" || true
		echo still >"$files/file"
		rm "$tree/big"
		echo fits >"$tree/small"
		holds "$shared/small" $'fits\n'
END
	[[ $(<"$beside/file") == still ]]
}

# --- what is taken back, and what dies ------------------------------------------------------------

start_holding() { # FILE [rw]: sets `holder`; `holding` asks it
	mkfifo "$beside/to" "$beside/from"
	"$calls" hold "$@" <"$beside/to" >"$beside/from" &
	holder=$!
	exec 5>"$beside/to" 6<"$beside/from"
	read -r -t "$patience" -u 6
	expect "$REPLY" = ready
}

holding() {
	echo >&5
	read -r -t "$patience" -u 6 || fail "no answer"
	echo "$REPLY"
}

@test "what is taken back is gone at once, also for who has it open" {
	head -c 300000 /dev/zero >"$shared/file"
	mkdir "$beside/second"
	echo here >"$beside/second/file"
	gated --tree "$shared:rw" --tree "$beside/second" <<<"$(declare -f start_holding holding)
$(cat <<'END'
		start_holding "$tree/file" rw
		expect "$(holding)" = 'map done map-later done pread done later done write done stat done'
		expect "$(ask revoke 1)" = 'revoked 1'
		got=$(holding)
		[[ $got =~ ^map\ SIGBUS\ map-later\ SIGBUS\ pread\ E[A-Z]+\ later\ E[A-Z]+\ write\ E[A-Z]+\ stat ]] ||
			fail "$got"
		ends 'ENOENT|EIO' open "$tree/file"
		ends 'ENOENT|EIO' stat "$tree/file"
		ends 'ENOENT|EIO' create "$tree/new"
		ends 'ENOENT|EIO' list "$tree"
		holds "$mountpoint/trees/1/file" $'here\n'
		expect "$(ask tree "$shared:rw")" = 'granted 3'
		echo again >"$mountpoint/trees/2/file"
		holds "$shared/file" $'again\n'
		kill -s KILL "$holder"
END
)"
}

@test "a given file is taken back, and given again" {
	head -c 300000 /dev/zero >"$shared/file"
	gated --file "$shared/file:rw" <<<"$(declare -f start_holding holding)
$(cat <<'END'
		start_holding "$files/file" rw
		expect "$(holding)" = 'map done map-later done pread done later done write done stat done'
		expect "$(ask revoke 1)" = 'revoked 1'
		got=$(holding)
		[[ $got =~ ^map\ SIGBUS\ map-later\ SIGBUS\ pread\ E[A-Z]+\ later\ E[A-Z]+\ write\ E[A-Z]+\ stat ]] ||
			fail "$got"
		ends ENOENT open "$files/file"
		expect "$(ask file "$shared/file")" = 'granted 2'
		ends done open "$files/file"
		ends EROFS write "$files/file"
		expect "$(cat "$files/file" | wc -c)" -eq 300000
		kill -s KILL "$holder"
END
)"
}

@test "kill -9 of the gate: an error at once, nothing hangs" {
	head -c 300000 /dev/zero >"$shared/file"
	gated --tree "$shared:rw" --file "$shared/file:rw" <<<"$(declare -f start_holding holding)
$(cat <<'END'
		start_holding "$tree/file" rw
		cat "$tree/file" >/dev/null
		kill -s KILL "$GATE_PID"
		begin=$EPOCHREALTIME
		wait_until 5 eval '[[ $("$calls" stat "$tree/file") == ENOTCONN ]]'
		ends ENOTCONN open "$tree/file"
		ends ENOTCONN create "$tree/new"
		ends ENOTCONN list "$files"
		got=$(holding)
		[[ $got =~ \ write\ E[A-Z]+\ stat\ E ]] || fail "$got" # what is cached can be read
		kill -s KILL "$holder"
		expect "$(ask revoke 1)" != 'revoked 1'
		((${EPOCHREALTIME/[^0-9]/} - ${begin/[^0-9]/} < 3000000))
END
)"
}

@test "a file system that fails under a tree: errors, nothing hangs" {
	mkdir "$beside/below"
	echo text >"$beside/below/file"
	bindfs -f --no-allow-other "$beside/below" "$shared" 3>&- &
	bindfs=$!
	wait_until 5 mountpoint -q "$shared"
	export bindfs
	gated --tree "$shared:rw" --file "$beside/below/file" <<'END' || code=$?
		holds "$tree/file" $'text\n'
		exec 4<>"$tree/file"
		kill -s KILL "$bindfs"
		wait_until 5 eval '[[ $("$calls" stat "$tree/file") != done ]]'
		ends 'ENOTCONN|EIO|ENOENT' open "$tree/file"
		ends 'ENOTCONN|EIO|ENOENT' create "$tree/new"
		ends 'ENOTCONN|EIO|ENOENT' list "$tree"
		ends 'ENOTCONN|EIO|ENOENT' statfs "$tree"
		! echo more >&4
		holds "$files/file" $'text\n'
END
	fusermount3 -uz "$shared" || fusermount -uz "$shared"
	expect "${code:-0}" -eq 0
}

@test "a file system that is unmounted lazily under a tree: nothing hangs" {
	unshare --map-root-user --mount bash -euo pipefail -c "
		source '$BATS_TEST_DIRNAME/gate-common.bash'
		mount -t tmpfs none '$shared'
		echo text >'$shared/file'
		mkfifo '$beside/go'
		(read -r -t $patience <>'$beside/go' && umount -l '$shared' && touch '$beside/gone') &
		gated --tree '$shared:rw'" 3>&- <<'END'
		exec 4<"$tree/file"
		echo >"$beside/go"
		wait_until 5 test -e "$beside/gone"
		for call in stat open write create list statfs; do
			timeout "$patience" "$calls" "$call" "$tree/file" >/dev/null
		done
		cat <&4 >/dev/null || true
END
}

@test "the end of what runs inside is the end of the gate, and what was written arrives" {
	gated --tree "$shared:rw" <<'END'
		echo "$GATE_PID" >"$beside/pid"
		echo "$GATE_DIR" >"$beside/dir"
		! /usr/bin/python3 - "$tree/mapped" <<-'PYTHON'
			import mmap, os, sys
			fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
			os.ftruncate(fd, 100000)
			m = mmap.mmap(fd, 100000)
			m[:] = b"x" * 100000
			os.kill(os.getpid(), 9)
		PYTHON
		true
END
	[[ $(tr -d x <"$shared/mapped" | wc -c) == 0 && $(stat -c %s "$shared/mapped") == 100000 ]]
	[[ ! -e /proc/$(<"$beside/pid") && ! -e $(<"$beside/dir") ]]
	! mountpoint -q "$mountpoint"
}

# What has not changed for some seconds the kernel inside believes for longer (gate/watch.h).
@test "a change outside of what was at rest is seen at once" {
	mkdir "$shared/dir"
	touch "$shared/dir/"{grown,moded,removed,replaced}
	sleep 7
	gated --tree "$shared:rw" <<'END'
		/usr/bin/python3 - "$tree/dir" "$shared/dir" <<-'PYTHON'
			import os, sys, time
			inside, outside = sys.argv[1:]
			names = os.listdir(inside)
			for _ in range(3):
			    for name in names:
			        os.stat(f"{inside}/{name}")
			    time.sleep(0.05)
			kept = os.open(f"{inside}/replaced", os.O_RDONLY)

			def soon(what, seen):
			    end = time.monotonic() + 0.5
			    while not seen():
			        if time.monotonic() > end:
			            sys.exit(f"{what}: not seen in half a second")

			with open(f"{outside}/grown", "w") as file:
			    file.write("more")
			soon("size", lambda: os.stat(f"{inside}/grown").st_size == 4)
			os.chmod(f"{outside}/moded", 0o600)
			soon("mode", lambda: os.stat(f"{inside}/moded").st_mode & 0o777 == 0o600)
			os.unlink(f"{outside}/removed")
			soon("removal", lambda: not os.path.exists(f"{inside}/removed"))
			with open(f"{outside}/new", "w") as file:
			    file.write("new")
			os.rename(f"{outside}/new", f"{outside}/replaced")
			soon("replacement", lambda: os.stat(f"{inside}/replaced").st_size == 3)
			os.rename(f"{outside}", f"{outside}-moved")
			soon("a directory moved", lambda: not os.path.exists(f"{inside}/grown"))
		PYTHON
END
}

@test "every first open is said" {
	mkdir "$shared/dir"
	echo a >"$shared/dir/a"
	echo b >"$shared/b"
	gated --tree "$shared:rw" --file "$shared/b:rw" <<'END'
		cat "$tree/dir/a" "$tree/dir/a" "$files/b" >/dev/null
		said() { grep -qx "$1" "$GATE_DIR/opened"; }
		wait_until 5 said '1 ro dir/a'
		wait_until 5 said '2 r[ow] .*'
		expect "$(wc -l <"$GATE_DIR/opened")" -eq 2
END
}

@test "the server has no rights that it does not need" {
	gated --tree "$shared:rw" <<'END'
		status() { awk -v field="$1:" '$1 == field { $1 = ""; print substr($0, 2) }' "/proc/$GATE_PID/status"; }
		for set in CapInh CapPrm CapEff CapBnd CapAmb; do
			expect "$(status "$set")" = 0000000000000000
		done
		expect "$(status NoNewPrivs)" = 1
		expect "$(status Seccomp)" = 2
		expect "$(status Threads)" = 1
		expect "$(status Seccomp_filters)" -ge 1
END
}
