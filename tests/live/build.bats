#!/usr/bin/env bats
# vitrine image build and update: layers on a base, made again only when something has changed, of the
# same bytes each time, in a box that packages cannot leave.

load common

setup() {
	setup_sandboxes
	images=$HOME/.local/share/vitrine/images
	recipes=$HOME/.config/vitrine/images
	cache=$HOME/.cache/vitrine/apt
	recipe=test-$$-$BATS_TEST_NUMBER
	mkdir -p "$recipes"
}

teardown() {
	local pid
	for pid in $(build_processes); do
		kill -s KILL "$pid" 2>/dev/null || true
	done
	wait_until 30 nothing_builds || true
	[[ ! -e $cache.away ]] || { rm -rf "$cache" && mv "$cache.away" "$cache"; }
	[[ ! -e $images/names/$recipe ]] || vitrine image rm "$recipe"
	rm -rf "${recipes:?}/$recipe".* "$recipes/$recipe-files" "$HOME/.local/state/vitrine/image-$recipe.log"
	vitrine image gc >/dev/null
	teardown_sandboxes
}

write_recipe() { # LINE...
	printf '%s\n' '[Image]' 'Size=20M' "$@" >"$recipes/$recipe.image"
}

build() { vitrine image build "$@" "$recipe" 3>&-; }

build_processes() { # [NAME]: those of this user and of his sub-ids
	local first count
	read -r first count < <(sub_ids)
	ps -e -o pid=,uid=,comm= | awk -v user="$UID" -v first="$first" -v end="$((first + count))" \
		-v names="^(${1:-vitrine-guard|vitrine-build-b|vitrine-unpack|mmdebstrap|apt-get|dpkg})\$" '
		($2 == user || $2 >= first && $2 < end) && $3 ~ names { print $1 }'
}
box_runs() { [[ -n $(build_processes vitrine-build-b) ]]; }
nothing_builds() { [[ -z $(build_processes) ]]; }
scratch_is_there() { [[ -n $(scratch) ]]; }
scratch() { find /var/tmp -maxdepth 1 -name 'vitrine-image.*' -user "$UID"; }

shown() { # JQ-FILTER [IMAGE]
	vitrine image show --json "${2:-$recipe}" | jq -r "$1"
}

root_of() { echo "$images/layers/$(shown '.layers[-1].sha256')/root"; }

in_image() { # PROGRAM [ARGUMENT...]: in a sandbox of the image
	write_profile built <<<$'[App]\nCommand='"$1"$'\nImage='"$recipe"$'\n[Display]\nBackend=none'
	vitrine run --profile "$(profile_file built)" -- "${@:2}"
}

@test "a package over the base is a layer that costs its own files only, and runs" {
	write_recipe Base=base Packages=hello
	run -0 build
	[[ $output == *"$recipe: generation 1 is ready after "* ]]
	expect "$(shown '.base')" = base
	expect "$(shown '.layers | length')" -eq "$(($(shown '.layers | length' base) + 1))"
	expect "$(shown '.layers[-1].bytes')" -lt 10000000
	shown '.packages.hello' | grep -q '^[0-9]'
	expect "$(shown '.packages | length')" -eq "$(($(shown '.packages | length' base) + 1))"
	[[ $(in_image hello) == "Hello, world!" ]]
	run -0 vitrine image verify "$recipe"
}

@test "what has not changed is not made again; made again, it has the same bytes" {
	local before
	# shellcheck disable=SC2016 # the box expands it
	write_recipe Base=base Packages=hello 'Command=date --date=@$SOURCE_DATE_EPOCH >/made'
	build
	before=$(shown '.layers[-1].sha256')
	run -0 build
	[[ $output == *"nothing has changed, generation 1 stays"* ]]
	[[ $output != *installing* ]]
	sleep 1.1 # no time of now may get in
	run -0 build --fresh
	[[ $output == *"generation 2 is ready"* ]]
	expect "$(shown '.layers[-1].sha256')" = "$before"
	write_recipe Base=base Packages=hello 'Command=echo >/other'
	run -0 build
	[[ $output == *"generation 3 is ready"* ]]
	[[ $(shown '.layers[-1].sha256') != "$before" ]]
}

@test "offline: from what was fetched before, and a plain error without it" {
	write_recipe Base=base Packages=hello
	build
	run -0 env http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 vitrine image build --offline --fresh "$recipe"
	mv "$cache" "$cache.away"
	run -1 build --offline
	[[ ${lines[-1]} == *"no package lists of '"*"' are kept here: build once without --offline" ]]
	rm -rf "$cache"
	cp -a "$cache.away" "$cache"
	rm -f "$cache"/*/archives/hello_*
	run -1 build --offline --fresh
	[[ ${lines[-1]} == *"the package hello_"*" is not kept here: build once without --offline" ]] || fail "$output"
	run -1 env http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 vitrine image build "$recipe"
	[[ ${lines[-1]} == *"the package server cannot be "* ]]
	[[ -z $(scratch) ]]
}

@test "files, locales, fonts and commands of a recipe" {
	mkdir -p "$recipes/$recipe-files/opt/thing" "$recipes/$recipe-files/usr/bin"
	echo content >"$recipes/$recipe-files/opt/thing/file"
	printf '#!/bin/sh\necho from a file\n' >"$recipes/$recipe-files/usr/bin/thing"
	chmod 0755 "$recipes/$recipe-files/usr/bin/thing"
	write_recipe Base=base Packages=hello Fonts=dejavu-extra Locale=de_DE "Files=$recipe-files" \
		'Command=cp /opt/thing/file /opt/copy' 'Command=rm /usr/bin/xclip; ln -s thing /usr/bin/other'
	build
	[[ $(in_image thing) == "from a file" && $(in_image other) == "from a file" ]]
	[[ $(in_image /bin/sh -c 'cat /opt/copy; ls /usr/bin/xclip 2>&1') == *content*"No such file"* ]]
	[[ $(in_image /bin/sh -c 'LC_ALL=de_DE.UTF-8 locale charmap') == UTF-8 ]]
	[[ -e $(root_of)/usr/share/fonts/truetype/dejavu/DejaVuSans-ExtraLight.ttf ]]
	# The caches of fonts are taken as they are.
	in_image fc-cache -v | grep -q 'skipping, existing cache is valid'
	[[ $(in_image fc-cache -v) != *": caching, "* ]]
	# A changed file is a changed layer.
	echo else >"$recipes/$recipe-files/opt/thing/file"
	run -0 build
	[[ $output == *"generation 2 is ready"* && $(<"$(root_of)/opt/copy") == else ]]
}

@test "an update tells what has changed, of base and layer, and makes nothing where nothing has" {
	write_recipe Base=base Packages=hello
	build
	run -0 --separate-stderr vitrine image update --offline --json "$recipe"
	jq -e 'map(.name) == ["base", $r] and all(.[]; .changed == false and .packages == [])' --arg r "$recipe" <<<"$output"
	write_recipe Base=base Packages=hello Packages=sl
	run -0 --separate-stderr vitrine image update "$recipe"
	[[ ${lines[0]} == "base: nothing has changed" && ${lines[1]} == "$recipe: generation 2" ]]
	[[ $output == *"  sl "*" is new"* && $output != *hello* ]]
	write_recipe Base=base Packages=sl
	run -0 --separate-stderr vitrine image update --json "$recipe"
	jq -e '.[1] | .generation == 3 and .changed and (.packages | map(.package) == ["hello"]) and
		.packages[0].after == null and .packages[0].before != null' <<<"$output"
	run -1 vitrine image update nothing-like-it
	[[ $output == *"no image 'nothing-like-it' of yours"* ]]
	run -2 vitrine image update ../base
}

@test "a base that is damaged, missing, or the image itself" {
	local victim saved
	write_recipe Base=base Packages=hello
	build
	victim=$images/layers/$(shown '.layers[0].sha256' base)/root/usr/bin/env
	saved=$BATS_TEST_TMPDIR/saved
	cp -p "$victim" "$saved"
	printf x | dd of="$victim" bs=1 seek=1000 conv=notrunc status=none
	touch -r "$saved" "$victim"
	run -1 build --fresh
	cp -p "$saved" "$victim"
	[[ ${lines[-1]} == *"its base 'base': layer "*": 'usr/bin/env' is not as it was made" ]]
	run -0 build --fresh
	write_recipe Base=nothing-like-it Packages=hello
	run -1 build
	[[ $output == *"no recipe for an image 'nothing-like-it'"* ]]
	write_recipe "Base=$recipe" Packages=hello
	run -1 build
	[[ $output == *"Base= leads back to itself"* ]]
	[[ -z $(scratch) ]]
}

@test "a command that fails is shown, and leaves the image as it was" {
	write_recipe Base=base Packages=hello
	build
	write_recipe Base=base 'Command=echo here it comes; exit 3'
	run -1 build
	[[ $output == *"  here it comes"*"failed with status 3"*"image-$recipe.log"* ]]
	expect "$(shown .generation)" -eq 1
	[[ -z $(scratch) ]]
	write_recipe Base=base Packages=no-such-package-of-any-release
	run -1 build
	[[ ${lines[-1]} == *"the suite lacks a package of the recipe" ]]
}

@test "a damaged layer is made again by a build" {
	local victim
	write_recipe Base=base Packages=hello
	build
	victim=$(root_of)/usr/bin/hello
	chmod u+w "$victim"
	printf x | dd of="$victim" bs=1 seek=1000 conv=notrunc status=none
	run -1 vitrine image verify "$recipe"
	run -0 build
	run -0 vitrine image verify "$recipe"
	[[ $(in_image hello) == "Hello, world!" ]]
}

# --- the build box --------------------------------------------------------------------------------

# A package whose script tries what it can. Each line of /found says that something could be done.
hostile_package() { # DIRECTORY
	local tree=$BATS_TEST_TMPDIR/hostile
	mkdir -p "$tree/DEBIAN" "$1/opt"
	printf '%s\n' 'Package: hostile' 'Version: 1' 'Architecture: all' \
		'Maintainer: nobody <nobody@example.net>' 'Description: tries to leave' >"$tree/DEBIAN/control"
	cat >"$tree/DEBIAN/postinst" <<-END
		#!/bin/bash
		home='$HOME' host='$BASHPID' canary='$BATS_TEST_TMPDIR/canary' web='${VITRINE_TEST_WEB:-}'
	END
	cat >>"$tree/DEBIAN/postinst" <<-'END'
		found() { echo "$*" >>/found; }
		: >/found
		[[ $(id -u) == 0 ]] || found "this is not root: the test is wrong"
		[[ ! -e $home ]] || found "the home"
		[[ ! -e $canary ]] || found "a file of the user"
		for process in /proc/[0-9]*; do
			[[ ! -e $process/root$canary && ! -e $process/cwd$canary ]] || found "the host's tree by $process"
			for fd in "$process"/fd/*; do
				[[ $(readlink "$fd") != /* || $fd -ef $(readlink "$fd") ]] || found "$fd $(readlink "$fd")"
			done
		done
		[[ -z $(find / -xdev -name canary 2>/dev/null) ]] || found "the canary"
		! kill -0 "$host" 2>/dev/null || [[ -e /proc/$host/status ]] || found "a process of the host"
		(($(ls -d /proc/[0-9]* | wc -l) < 12)) || found "many processes: $(cat /proc/[0-9]*/comm)"
		kill -KILL 1; kill -STOP 1
		for call in 'mount -t tmpfs none /mnt' 'mount -o remount,rw /run/vitrine/debs' 'umount /proc' \
			'unshare --user true' 'unshare --mount true' 'unshare --net true' 'chroot / true' \
			'nsenter --target 1 --mount true' 'mknod /dev/sda b 8 0' 'hostname other' \
			'sh -c ">/run/vitrine/debs/x"' 'rm -rf /run/vitrine/debs/.' 'chmod 0777 /run/vitrine/debs' \
			'sh -c "echo 9 >/proc/sys/user/max_user_namespaces"' 'sh -c "echo h >/proc/sysrq-trigger"' \
			'sh -c "echo 1 >/proc/sys/kernel/panic"' 'dmesg --clear' 'chmod 0 /dev/null' \
			'timeout 3 bash -c "</dev/tcp/1.1.1.1/80"' 'timeout 3 bash -c "</dev/tcp/127.0.0.1/6010"'; do
			! eval "$call" >/dev/null 2>&1 || found "$call"
		done
		[[ -z $web ]] || ! timeout 3 bash -c "</dev/tcp/${web#http://}80" 2>/dev/null || found "the network"
		(($(grep -c : /proc/net/dev) == 1)) || found "a network: $(</proc/net/dev)"
		[[ ! -s /proc/net/unix || $(wc -l </proc/net/unix) == 1 ]] || found "sockets"
		grep -qx 'NoNewPrivs:	1' /proc/self/status || found "new privileges"
		grep -qx 'Seccomp:	2' /proc/self/status || found "no filter"
		[[ $(sed -n 's/^CapBnd:	0*//p' /proc/self/status) == 880000fb ]] || found "capabilities"
		/opt/attempt >/attempted
		cp /bin/true /opt/as-the-user && chown 65536 /opt/as-the-user && chmod 4755 /opt/as-the-user
		setsid sleep 86397 >/dev/null 2>&1 </dev/null &
		exit 0
	END
	chmod 0755 "$tree/DEBIAN/postinst"
	dpkg-deb --root-owner-group --build "$tree" "$1/opt/hostile.deb"
	cp "$VITRINE_PROGRAMS/attempt" "$1/opt/attempt"
	echo secret >"$BATS_TEST_TMPDIR/canary"
}

@test "a hostile package sees nothing of the host, reaches nothing, and leaves nothing behind" {
	local root setuid
	hostile_package "$recipes/$recipe-files"
	write_recipe Base=base "Files=$recipe-files" 'Command=dpkg --install /opt/hostile.deb' \
		'Command=test ! -e /opt/as-the-user || { touch /run/ready; sleep 3; }'
	vitrine image build "$recipe" 3>&- &
	# While it works, what could be run with the user's id is behind a door that is the user's alone.
	setuid=
	for ((i = 0; i < 600; i++)); do
		for place in $(scratch); do
			[[ ! -u $place/box/upper/opt/as-the-user ]] || setuid=$place
		done
		[[ -z $setuid ]] || break
		jobs %% >/dev/null 2>&1 || break
		sleep 0.05
	done
	[[ -n $setuid && $(stat -c %a "$setuid/box") == 700 ]]
	wait $!
	root=$(root_of)
	[[ -e $root/found ]]
	expect "$(<"$root/found")" = ""
	grep -q '^mount ' "$root/attempted"
	run ! grep -E '^(mount|bind|remount|umount|unshare|setns|ptrace|keyctl|bpf|perf|io_uring).* done$' "$root/attempted"
	[[ -z $(find "$root" -perm /6000) && -e $root/opt/as-the-user ]]
	run ! grep -q '^sleep 86397' <(ps -e -o args=)
	[[ -z $(scratch) ]]
}

@test "services are not started" {
	write_recipe Base=base \
		'Command=/usr/sbin/policy-rc.d; test $? = 101' 'Command=start-stop-daemon --start --exec /bin/false'
	build
	[[ ! -e $(root_of)/usr/sbin/policy-rc.d && ! -e $(root_of)/usr/sbin/start-stop-daemon ]]
	[[ $(in_image /bin/sh -c '/usr/sbin/start-stop-daemon --version | head -n 1') == start-stop-daemon* ]]
}

# --- what dies, and who comes second --------------------------------------------------------------

@test "kill -9 at many moments: the store is whole, nothing runs on, nothing stays" {
	local i pid before
	write_recipe Base=base Packages=hello
	build
	before=$(shown '.layers[-1].sha256')
	for i in 0.05 0.3 0.8 1.4 2 2.6 3.2 4 5 6.5; do
		vitrine image build --fresh "$recipe" >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "$i"
		kill -s KILL "$pid" 2>/dev/null || true
		wait "$pid" || true
		wait_until 25 nothing_builds || fail "after $i s: $(build_processes | xargs ps -f)"
		expect "$(shown '.layers[-1].sha256')" = "$before"
		vitrine image verify "$recipe" >/dev/null
	done
	build --fresh
	expect "$(shown '.layers[-1].sha256')" = "$before"
	[[ -z $(scratch) && -z $(ls "$images/work") ]]
}

@test "kill -9 of the box, of the guard and of those who unpack: a plain error, nothing stays" {
	local name pid status
	write_recipe Base=base 'Command=sleep 5'
	for name in vitrine-build-b vitrine-guard vitrine-unpack; do
		vitrine image build "$recipe" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
		pid=$!
		wait_until 30 box_runs
		sleep 1
		build_processes "$name" | xargs kill -s KILL
		status=0
		wait "$pid" || status=$?
		expect "$status" -eq 1
		grep -q "^vitrine: cannot build image '$recipe': " "$BATS_TEST_TMPDIR/out"
		wait_until 25 nothing_builds
		[[ ! -e $images/names/$recipe ]]
	done
	write_recipe Base=base 'Command=true'
	build
	[[ -z $(scratch) ]]
}

@test "two builds of one name at once: one is refused; of two names: both are made" {
	local pid other=$recipe-b
	write_recipe Base=base Packages=hello 'Command=sleep 4'
	vitrine image build "$recipe" >/dev/null 2>&1 3>&- &
	pid=$!
	wait_until 30 scratch_is_there
	run -1 build
	[[ $output == *"image '$recipe' is just being made by another process"* ]]
	cp "$recipes/$recipe.image" "$recipes/$other.image"
	vitrine image build "$other" 3>&-
	wait "$pid"
	[[ $(shown .packages.hello) == "$(shown .packages.hello "$other")" ]]
	vitrine image rm "$other"
	rm -f "$recipes/$other.image" "$HOME/.local/state/vitrine/image-$other.log"
}
