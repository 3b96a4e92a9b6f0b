#!/usr/bin/env bats
# Homes that outlive their sandboxes, and homes that are prepared.

# shellcheck disable=SC2016 # much is expanded inside of a sandbox

load common

homes=$HOME/.local/share/vitrine/homes
prepared=$HOME/.local/share/vitrine/prepared

setup() {
	setup_sandboxes
	home_profile testkept Home=kept
	home_profile testpaths Kept=notes Kept=.config/app
	home_profile testprepared Home=prepared
	mkdir -p "$HOME/.config/vitrine/profiles"
	cp "$(profile_file testprepared)" "$HOME/.config/vitrine/profiles/"
	place=$(mktemp -d "$HOME/homes.XXXXXX")
	cd "$place" || return
}

teardown() {
	teardown_sandboxes
	vitrine home rm testkept 2>/dev/null || true
	vitrine home rm testpaths 2>/dev/null || true
	rm -rf "$XDG_RUNTIME_DIR/vitrine/instances" "$prepared/testprepared" "$HOME/.config/vitrine/profiles/testprepared.vitrine"
	cd /
	rm -rf "$place"
	[[ -z $(find "$homes" -mindepth 1 -maxdepth 1 -name '*test*' 2>/dev/null) ]]
}

home_profile() { # NAME KEY=VALUE...: in [Files]
	{
		printf '[App]\nCommand=/bin/sh\nImage=base\n[Display]\nBackend=none\n[Files]\n'
		printf '%s\n' "${@:2}"
	} | write_profile "$1"
}

run_in() { # PROFILE SCRIPT
	vitrine run --profile "$(profile_file "$1")" -- -c "$2"
}

refused() { # PART COMMAND...: one plain line that says it
	run --separate-stderr "${@:2}"
	((status != 0))
	assert_one_line
	[[ $stderr == *"$1"* ]] || fail "'$1' is not in '$stderr'"
}

slice_of() { cat "$homes/$1/slice"; } # NAME

# --- kept homes -----------------------------------------------------------------------------------

@test "a kept home is there at the next start, and belongs to ids of its own" {
	run_in testkept 'echo one >a; mkdir -m 0 closed; echo two >.hidden'
	[[ $(run_in testkept 'cat a .hidden; stat -c %a closed') == $'one\ntwo\n0' ]]
	read -r first _ < <(sub_ids)
	n=$(slice_of testkept)
	((n >= 3072 && n < 4096))
	[[ $(stat -c %u "$homes/testkept/home") -eq $((first + 1024 + 4 * n + 1)) ]]
	# Neither the user's programs nor other users walk into it by mistake.
	[[ $(stat -c '%a %u' "$homes/testkept") == "700 $UID" ]]
	run ! ls "$homes/testkept/home"
	assert_nothing_left
}

@test "only what Kept= names is kept in a throw-away home" {
	run_in testpaths 'echo 1 >notes/a; echo 2 >.config/app/b; echo 3 >.config/c; echo 4 >d'
	[[ $(run_in testpaths 'cat notes/a .config/app/b; ls -A . .config') == \
		$'1\n2\n.:\n.config\nFiles\nnotes\n\n.config:\napp' ]]
	assert_nothing_left
}

@test "what is kept is nosuid, nodev, and noexec unless the profile says otherwise" {
	run_in testkept 'cp /bin/true t; chmod 4755 t; ./t 2>/dev/null; echo $?; stat -c %a t' >out
	[[ $(<out) == $'126\n4755' ]]
	home_profile testkept Home=kept '[Exec]' WritableMounts=yes
	[[ $(run_in testkept './t; echo $?; grep " $HOME " /proc/self/mountinfo') == \
		$'0\n'*nosuid,nodev* ]]
}

@test "a second sandbox on the same home is refused, and told which one has it" {
	start_detached --profile "$(profile_file testkept)" -- -c 'exec sleep 1000'
	refused "the home 'testkept' is in use by the sandbox '$id'" run_in testkept true
	refused "$id" vitrine home rm testkept
	[[ $(vitrine home list --json | jq -r '.[] | select(.name == "testkept") | .sandbox') == "$id" ]]
	[[ $(field_of "$id" home) == kept ]]
	vitrine stop "$id"
	run_in testkept true
	assert_nothing_left
}

@test "a home can be used again at once after its supervisor was killed" {
	for _ in 1 2 3; do
		start_supervised --profile "$(profile_file testkept)" -- -c 'echo x >>log; exec sleep 1000'
		await_running
		wait_until 5 eval '[[ -n $(vitrine enter "$id" cat log) ]]'
		kill -9 "$supervisor"
		[[ $(run_in testkept 'tail -n 1 log') == x ]]
	done
	vitrine ps >/dev/null
	assert_nothing_left
}

@test "the holder's end changes nothing for a home" {
	start_detached --profile "$(profile_file testkept)" -- -c 'echo 1 >a; exec sleep 1000'
	wait_until 5 eval '[[ $(vitrine enter "$id" cat a) == 1 ]]'
	kill -9 "$(pid_of 'vitrine-holder')"
	vitrine home list >/dev/null
	[[ $(vitrine changes "$id") == *"/a"* ]]
	vitrine keep --to . "$id" a
	[[ $(<a) == 1 ]]
	vitrine stop "$id"
	[[ $(run_in testkept 'cat a') == 1 ]]
}

@test "home list tells sizes, files and what is kept" {
	run_in testkept 'head -c 300000 /dev/zero | tr "\0" x >a'
	run_in testpaths 'echo >notes/a'
	vitrine home list --json >list
	jq -e '.[] | select(.name == "testkept") | .bytes >= 300000 and .files == 2 and .home' list
	jq -e '.[] | select(.name == "testpaths") | .paths == [".config/app", "notes"]' list
	[[ $(vitrine home list) == *testkept*all*testpaths*"2 paths"* ]]
	assert_nothing_left
}

@test "home export makes a tar or a directory of what is kept" {
	run_in testkept 'mkdir -p d dev; echo 1 >d/a; ln -s /etc/passwd l; chmod 6755 d/a; mkfifo f
		printf x >"$(printf "new\nline")"; mkdir -m 0 closed; echo 2 >dev/b'
	vitrine home export testkept 2>err | tar -tf - --quoting-style=escape | sort >list
	[[ $(<list) == $'Files/\nclosed/\nd/\nd/a\ndev/\ndev/b\nl\nnew\\nline' ]]
	[[ $(<err) == "vitrine: warning: left out 'f': a device, socket or FIFO" ]]
	vitrine home export --to out.tar testkept
	tar -tf out.tar d/a
	vitrine home export --to out testkept
	[[ $(<out/d/a) == 1 && $(<out/dev/b) == 2 && $(readlink out/l) == /etc/passwd ]]
	[[ $(stat -c %a out/d/a) == 755 ]]
	[[ $(stat -c %u out/d/a) == "$UID" ]]
	refused "there already" vitrine home export --to out testkept
	refused "there already" vitrine home export --to out.tar testkept
	refused "no home 'nosuch'" vitrine home export --to x nosuch

	run_in testpaths 'echo 1 >.config/app/a'
	vitrine home export testpaths | tar -xOf - .config/app/a
	[[ $(ls -A) == $'err\nlist\nout\nout.tar' ]]
	assert_nothing_left
}

@test "home rm removes everything, however deep, and gives the number back" {
	before=$(run_in testkept true; slice_of testkept)
	run_in testkept 'for i in $(seq 300); do mkdir d && cd d || exit; done; echo >x; chmod 0 .'
	vitrine home rm testkept
	[[ ! -e $homes/testkept ]]
	refused "no home 'testkept'" vitrine home rm testkept
	run_in testkept true
	[[ $(slice_of testkept) == "$before" ]]
	assert_nothing_left
}

@test "a removal that was killed is finished by the next command; its number stays taken until then" {
	run_in testkept 'echo 1 >a'
	n=$(slice_of testkept)
	mv "$homes/testkept" "$homes/.testkept.1.old"
	run_in testpaths true
	[[ $(slice_of testpaths) != "$n" ]]
	vitrine home list >/dev/null
	[[ ! -e $homes/.testkept.1.old ]]
	assert_nothing_left
}

@test "a start that was killed leaves no half home" {
	for ms in 10 40 80 120 160 200; do
		start_supervised --profile "$(profile_file testkept)" -- -c 'echo ok'
		sleep "0.$(printf %03d $ms)"
		kill -9 "$supervisor" 2>/dev/null || true
		wait_until 10 eval 'vitrine home rm testkept 2>/dev/null || [[ ! -e $homes/testkept ]]'
	done
	[[ $(run_in testkept 'echo 1 >a; cat a') == 1 ]]
	vitrine ps >/dev/null
	assert_nothing_left
}

@test "damaged homes are refused in plain words" {
	run_in testkept true
	echo nonsense >"$homes/testkept/slice"
	refused "home 'testkept' is damaged" run_in testkept true
	[[ $(vitrine home list) == *testkept*damaged* ]]
	[[ $(vitrine doctor) == *homes*testkept* ]]
	vitrine home rm testkept
	# Files of other ids than those of the home: as after a change of /etc/subuid.
	run_in testkept true
	mv "$homes/testkept/home" "$homes/testkept/was"
	mkdir "$homes/testkept/home"
	refused "was /etc/subuid changed?" run_in testkept true
	rmdir "$homes/testkept/home"
	# What the user moved away is his to move back.
	mv "$homes/testkept/was" "$homes/testkept/home"
	run_in testkept true
}

@test "what an application leaves where the start makes something cannot lead it astray" {
	home_profile testkept Home=kept ReadOnly=~/homes-given/deep
	mkdir -p "$HOME/homes-given/deep"
	echo given >"$HOME/homes-given/deep/a"
	mkdir out
	run_in testkept 'cat ~/homes-given/deep/a; rm -rf ~/homes-given 2>/dev/null; true'
	# From a profile that does not give it, the directory is the application's own.
	home_profile testkept Home=kept
	run_in testkept "rm -rf homes-given; ln -s $place/out homes-given"
	home_profile testkept Home=kept ReadOnly=~/homes-given/deep
	refused "of the box" run_in testkept true
	[[ -z $(ls -A out) ]]
	rm -r "$HOME/homes-given"
}

@test "combinations that cannot be are refused" {
	home_profile testkept Home=kept '[Identity]' UidMode=user
	refused "take UidMode=user out" run_in testkept true
	home_profile testkept Home=kept Kept=a
	refused "take Kept= out" run_in testkept true
	[[ ! -e $homes/testkept/home ]]
}

@test "with SingleInstance=yes the second run goes to the sandbox that has the home" {
	{
		printf '[App]\nCommand=/bin/sh\nImage=base\nSingleInstance=yes\n'
		printf '[Display]\nBackend=none\n[Files]\nHome=kept\n'
	} | write_profile testkept
	start_detached --profile "$(profile_file testkept)" -- -c 'exec sleep 1000'
	run -0 --separate-stderr run_in testkept 'echo same >a'
	[[ $(vitrine enter "$id" cat a) == same ]]
}

# --- prepared homes -------------------------------------------------------------------------------

@test "every sandbox starts with its own copy of a prepared home" {
	refused "'vitrine profile prepare testprepared'" vitrine run testprepared -c true
	refused "a terminal is needed" vitrine profile prepare testprepared </dev/null
	start_detached --profile "$(profile_file quiet)" -- -c 'mkdir -p .a/b dev; echo set >.a/b/c
		ln -s .a/b/c l; echo x >dev/x; chmod 4711 dev/x; mkfifo f; touch -d 2001-01-01 l; exec sleep 1000'
	wait_until 5 eval '[[ -n $(vitrine enter "$id" ls f) ]]'
	run -0 --separate-stderr vitrine profile prepare --yes --from "$id" testprepared
	[[ $stderr == *"left out '/f': a device, socket or FIFO"* ]] || fail "$stderr"
	[[ $(vitrine run testprepared -c 'cat l; stat -c "%a %U" dev/x; cat dev/x; ls -A') == \
		$'set\n711 '"$(id -un)"$'\nx\n.a\nFiles\ndev\nl' ]]
	vitrine run testprepared -c 'echo changed >l; rm -r dev'
	[[ $(vitrine run testprepared -c 'cat l dev/x') == $'set\nx' ]]
}

@test "a prepared home can be prepared again, while sandboxes start from it" {
	start_quiet 'echo 1 >a; exec sleep 1000'
	vitrine profile prepare --yes --from "$id" testprepared
	for i in 2 3 4; do
		vitrine run testprepared -c 'cat a' >"out.$i" 3>&- &
		vitrine enter "$id" sh -c "echo $i >a"
		vitrine profile prepare --yes --from "$id" testprepared
		wait "$!"
		[[ $(<"out.$i") =~ ^[1-4]$ ]]
	done
	[[ $(vitrine run testprepared -c 'cat a') == 4 ]]
	vitrine profile prepare --yes --from "$id" testprepared
	[[ $(find "$prepared/testprepared" -maxdepth 1 -name 'home-*' | wc -l) -eq 1 ]]
}

@test "a prepared home that does not fit into the sandbox says what to do" {
	start_quiet 'head -c 5000000 /dev/urandom >big; exec sleep 1000'
	wait_until 5 eval '[[ $(vitrine enter "$id" stat -c %s big) == 5000000 ]]'
	vitrine profile prepare --yes --from "$id" testprepared
	home_profile testprepared Home=prepared '[Limits]' Disk=4M
	refused "no space left: the prepared home is larger than Disk=" run_in testprepared true
	home_profile testprepared Home=prepared '[Limits]' Disk=32M
	[[ $(run_in testprepared 'stat -c %s big') == 5000000 ]]
	assert_one_home
}

assert_one_home() { [[ $(find "$prepared/testprepared" -maxdepth 1 -name 'home-*' | wc -l) -eq 1 ]]; }

@test "profile prepare opens the application, and asks when it is closed" {
	{
		sleep 2
		echo 'echo set >a; exit 5'
		sleep 2
		echo y
		sleep 2
	} | script -qec "vitrine profile prepare testprepared; echo status=\$?" /dev/null >out
	grep -q "Save this home as the prepared one of 'testprepared'?" out
	grep -q 'status=5' out
	[[ $(vitrine run testprepared -c 'cat a') == set ]]
	assert_nothing_left
}
