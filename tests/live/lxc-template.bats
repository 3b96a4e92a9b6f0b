#!/usr/bin/env bats
# templates/lxc-vitrine: the stock tools of LXC, called by an ordinary user, have a container with what a
# profile says.
#
# shellcheck disable=SC2016,SC2046 # what is in '' expands inside; no path here has a space

load common

setup() {
	setup_sandboxes
	template=${VITRINE%/bin/*}/share/lxc/templates/lxc-vitrine
	layers=$HOME/.local/share/vitrine/images/layers
	profiles=$HOME/.config/vitrine/profiles
	profile=lxc-test-$$-$BATS_TEST_NUMBER
	lxc=$(mktemp -d /tmp/lxc-template.XXXXXX)
	chmod 755 "$lxc"
	read -r first count < <(sub_ids)
	root=$((first + 32768))
	write_idmap "$count"
	write_installed 'Command=/bin/sh'
	setfacl -x "u:$root" $(way_to_layers) # of a test that was killed
	getfacl --absolute-names $(way_to_layers) >"$BATS_TEST_TMPDIR/acl"
	setfacl -m "u:$root:x" $(way_to_layers)
}

teardown() {
	lxc-stop -P "$lxc" -n one -k 2>/dev/null || true
	lxc-destroy -P "$lxc" -n one 2>/dev/null || true
	rm -rf "$lxc" "$XDG_RUNTIME_DIR/lxc"
	lxc-usernsexec -m "b:0:$UID:1" -m "b:1:$root:1" -- rm -rf ~/".local/share/vitrine/standalone/$profile"
	rm -f "$profiles/$profile.vitrine"
	rmdir "$profiles" "$HOME/.config/vitrine" 2>/dev/null || true
	setfacl --restore="$BATS_TEST_TMPDIR/acl"
	teardown_sandboxes
}

# The directories of the user's that the container's root must pass through.
way_to_layers() {
	local dir=$layers
	while [[ $dir != / && -O $dir ]]; do
		echo "$dir"
		dir=${dir%/*}
	done
}

write_idmap() { # COUNT
	printf '%s\n' "lxc.idmap = u 0 $first $1" "lxc.idmap = g 0 $first $1" \
		'lxc.net.0.type = veth' 'lxc.hook.pre-start = /bin/false' >"$BATS_TEST_TMPDIR/idmap.conf"
}

write_installed() { # LINE... of [App] and what follows
	mkdir -p "$profiles"
	printf '%s\n' '[App]' 'Image=base' "$@" >"$profiles/$profile.vitrine"
}

create() { # [PROFILE [ARG...]]
	lxc-create -P "$lxc" -f "$BATS_TEST_TMPDIR/idmap.conf" -n one -t "$template" -- --profile "$@" 3>&-
}

execute() { lxc-execute -P "$lxc" -n one -- "$@" 3>&-; }

nothing_was_made() {
	[[ -z $(ls -A "$lxc") ]] || fail "left:" "$(find "$lxc")"
}

@test "a program in it has the user's number, no right, and a root that cannot be written" {
	run -0 create "$profile"
	run -0 execute sh -c 'id -u; id -g; grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status; cat /proc/self/uid_map'
	[[ ${lines[0]} == "$UID" && ${lines[1]} == "$(id -g)" ]]
	[[ $(grep -c $'^Cap...:\t0000000000000000$' <<<"$output") == 5 ]] || fail "$output"
	[[ $output == *$'NoNewPrivs:\t1'* && $output == *$'Seccomp:\t2'* ]]
	[[ $(awk 'NF == 3 && $1 ~ /^[0-9]+$/ { n += $3 } END { print n }' <<<"$output") == 2 ]] || fail "$output"
	run -0 execute sh -c 'for f in /x /etc/x /usr/x /dev/x; do ! touch "$f" 2>/dev/null || echo "$f"; done'
	[[ -z $output ]] || fail "can be written: $output"
	run -0 execute sh -c 'touch ~/x /tmp/x /var/tmp/x "$XDG_RUNTIME_DIR/x" && echo yes'
	[[ $output == yes ]]
}

@test "system calls have the verdicts that they have in a sandbox" {
	local calls=(39 134 139 163 167 175 246 250 272 298 312 321 323 425 435 449) verdicts
	local script='for (@ARGV) { $! = 0; my $r = syscall($_ + 0, 0, 0, 0, 0, 0); print $r < 0 ? $! + 0 : "ok", " " }'
	verdicts=$(quietly 'exec perl -e "$@"' sh "$script" "${calls[@]}" 2>/dev/null)
	[[ $verdicts == ok* && $verdicts == *38* ]] || fail "$verdicts"
	run -0 create "$profile"
	run -0 execute perl -e "$script" "${calls[@]}"
	[[ $output == "$verdicts" || $output == "${verdicts% }" ]] || fail "$output" "$verdicts"
}

@test "nothing of the user's, of his network or of his environment is there" {
	echo secret >"$BATS_TEST_TMPDIR/secret"
	chmod 644 "$BATS_TEST_TMPDIR/secret"
	run -0 create "$profile"
	SECRET=secret run -0 execute env
	[[ $output != *secret* && $'\n'$output == *$'\n'"HOME=$HOME"$'\n'* && $output == *XDG_RUNTIME_DIR=* ]] || fail "$output"
	run -0 execute sh -c 'ls -A ~; ls "$1" 2>/dev/null; tail -n +3 /proc/net/dev | cut -d: -f1; cat /etc/hostname' sh "$BATS_TEST_TMPDIR"
	[[ $output == "    lo"$'\n'"$profile" ]] || fail "$output"
}

@test "what can be written has limits, which are the profile's in sum" {
	write_installed 'Command=/bin/sh' '[Limits]' 'Disk=10M'
	run -0 create "$profile"
	run -0 execute sh -c 'df -k --output=size / | tail -1 >/dev/null
		df -k --output=size,target -t tmpfs | grep -vE "/(dev|proc)" | tail -n +2'
	[[ $(awk '{ n += $1 } END { print n <= 10 * 1024 + 4 * NR && NR }' <<<"$output") == 1 && ${#lines[@]} == 5 ]] || fail "$output"
	run -1 execute sh -c 'head -c 3M /dev/zero >~/fill'
	[[ $output == *"No space left on device"* ]]
	run -0 execute sh -c 'grep -vE " (/dev|/proc)|^[^ ]+ / " /proc/mounts | cut -d" " -f2,4'
	[[ $(grep -c nosuid,nodev,noexec <<<"$output") == "${#lines[@]}" ]] || fail "$output"
}

@test "lxc-execute starts the application, with the arguments of the template" {
	run -1 create "$profile" -c 'echo "it has run"'
	[[ $output == *"cannot be written into an LXC configuration"* ]] || fail "$output"
	nothing_was_made
	run -0 create "$profile" -c 'id -u; exit $1' --help 7
	run -7 lxc-execute -P "$lxc" -n one 3>&-
	[[ $output == "$UID" ]]
}

@test "start, attach and stop" {
	run -0 create "$profile"
	lxc-start -P "$lxc" -n one 3>&-
	run -0 lxc-info -P "$lxc" -n one --state --no-humanize
	[[ $output == RUNNING ]]
	run -0 lxc-attach -P "$lxc" -n one -u "$UID" -g "$(id -g)" --clear-env -- sh -c 'id -u; echo "$HOME"; touch ~/x; grep CapEff /proc/self/status'
	[[ ${lines[0]} == "$UID" && ${lines[1]} == "$HOME" && ${lines[2]} == $'CapEff:\t0000000000000000' ]] || fail "$output"
	run -0 lxc-attach -P "$lxc" -n one -- sh -c 'id -u; grep CapEff /proc/self/status; (setsid true &); sleep 0.5; ps -eo stat=; touch /x || true'
	[[ ${lines[0]} == 0 && ${lines[1]} == $'CapEff:\t0000000000000000' && $output == *"Read-only file system"* ]] || fail "$output"
	[[ $output != *Z* ]] || fail "processes are not collected: $output"
	lxc-stop -P "$lxc" -n one
	run -0 lxc-info -P "$lxc" -n one --state --no-humanize
	[[ $output == STOPPED ]]
}

@test "two containers have different ids, and both run at once" {
	local maps
	run -0 create "$profile"
	maps=$(grep -h '^lxc.idmap = . [1-9]' "$lxc/one/config")
	lxc-start -P "$lxc" -n one 3>&-
	run -0 lxc-create -P "$lxc" -f "$BATS_TEST_TMPDIR/idmap.conf" -n two -t "$template" -- --profile "$profile"
	[[ $(grep -h '^lxc.idmap = . [1-9]' "$lxc/two/config") != "$maps" ]]
	run -0 lxc-execute -P "$lxc" -n two -- id -u
	[[ $output == "$UID" ]]
	lxc-destroy -P "$lxc" -n two
}

@test "the user's LXC configuration gives its map of ids, and nothing else" {
	run -0 create "$profile"
	run -1 grep -E '^[^#]*(veth|hook|include)' "$lxc/one/config"
	[[ $(grep -c '^lxc.idmap' "$lxc/one/config") == 5 ]]
}

@test "lxc-destroy leaves nothing, and every image as it was" {
	local before
	before=$(find "$layers" -printf '%p %C@\n' | sha256sum)
	run -0 create "$profile"
	run -0 execute true
	lxc-destroy -P "$lxc" -n one
	nothing_was_made
	rm -rf "$lxc" "$XDG_RUNTIME_DIR/lxc" # liblxc's own locks
	[[ $(find "$layers" -printf '%p %C@\n' | sha256sum) == "$before" ]]
	run -0 vitrine image verify base
	assert_nothing_left
}

@test "an installed profile serves, and what is left out is said" {
	run -0 create firefox-esr
	[[ $output == *"left out: windows"* && $output == *"left out: sound"* && $output == *"left out: the network"* ]]
	[[ $output == *"left out: files of yours"* && $output != *"left out: the allow list"* ]]
	run -0 execute firefox-esr --version
	[[ $output == *Firefox* ]]
}

@test "a profile that demands what cannot be done is refused" {
	local lines_of
	for lines_of in '[Files]|Root=writable' '[Identity]|UidMode=user' '[AppArmor]|Required=yes' '[Limits]|Required=yes'; do
		write_installed 'Command=/bin/sh' "${lines_of%|*}" "${lines_of#*|}"
		run -1 create "$profile"
		[[ $output == *"profile '$profile' has ${lines_of#*|}"*"cannot do"* ]] || fail "$output"
		nothing_was_made
	done
}

@test "hostile names of profiles are refused and shown harmlessly" {
	local name
	for name in '' .. ../xterm /etc/passwd '-h' '--lxc=/' $'a\nlxc.hook.start = /bin/sh' $'\033[2J' '$(id)' '`id`' "a'b"; do
		run -1 create "$name"
		[[ $output != *$'\033'* && $output != *uid=* ]] || fail "$output"
		nothing_was_made
	done
}

@test "a missing image, and a wrong call, say what to do" {
	sed -i 's/^Image=.*/Image=nothing-like-it/' "$profiles/$profile.vitrine"
	run -1 create "$profile"
	[[ $output == *"no image 'nothing-like-it'"* ]] || fail "$output"
	nothing_was_made
	run -1 lxc-create -P "$lxc" -f "$BATS_TEST_TMPDIR/idmap.conf" -n one -t "$template"
	[[ $output == *"--profile PROFILE"* ]]
	nothing_was_made
	run -1 "$template"
	[[ $output == *"is called by lxc-create"* ]]
	run -1 "$template" --name=a --path=/nowhere --rootfs=/nowhere --profile=xterm
	[[ $output == *"maps ids" ]]
	run -1 lxc-create -P "$lxc" -f "$BATS_TEST_TMPDIR/idmap.conf" -n one -t "$template" -- "$profile"
	[[ $output == *"the profile comes first"* ]]
	nothing_was_made
	run -1 create
	[[ $output == *"which profile?"* ]]
	nothing_was_made
	run -0 "$template" --help
	[[ $output == usage:* ]]
}

@test "too few subordinate ids" {
	write_idmap 1000
	run -1 create "$profile"
	[[ $output == *"let lxc.idmap have 65536 subordinate ids"* ]] || fail "$output"
	nothing_was_made
	mkdir "$lxc/rootfs"
	run -1 --separate-stderr unshare --user --map-current-user --keep-caps --mount sh -ec \
		'mount --bind /dev/null /etc/subuid; exec vitrine profile show --format=lxc --standalone --root="$1" xterm' sh "$lxc/rootfs"
	[[ -z $output && $stderr == *subuid* && -z $(ls -A "$lxc/rootfs") ]] || fail "$stderr"
}

@test "images that the container's root cannot come to: the message names the command that helps" {
	local command
	setfacl --restore="$BATS_TEST_TMPDIR/acl"
	chmod 700 "$lxc"
	run -1 create "$profile"
	command=$(sed -n 's/.*: \(setfacl -m .*\)/\1/p' <<<"$output")
	[[ $command == "setfacl -m u:$root:x "*"$layers"* && " $command " == *" $lxc "* ]] || fail "$output"
	[[ $command != *"$lxc/"* ]] || fail "$output"
	nothing_was_made
	$command
	run -0 create "$profile"
	run -0 execute true
}

@test "a directory that has something in it is not used" {
	mkdir "$lxc/rootfs"
	ln -s /etc "$lxc/rootfs/etc"
	run -1 --separate-stderr vitrine profile show --format=lxc --standalone --root="$lxc/rootfs" xterm
	[[ -z $output && $stderr == "vitrine: directory '$lxc/rootfs' is not empty" ]] || fail "$stderr"
	run -2 vitrine profile show --format=lxc --root="$lxc/rootfs" xterm
	run -2 vitrine profile show --format=lxc --standalone --root="$lxc/rootfs"
}

# --- without the template

# The container's root must come to the configuration's files, too.
standalone() { # [ARG...]: writes $BATS_TEST_TMPDIR/config
	vitrine profile show "$profile" --format=lxc --standalone "$@" >"$BATS_TEST_TMPDIR/config"
}

execute_standalone() { lxc-execute -P "$lxc" -n one -f "$BATS_TEST_TMPDIR/config" -- "$@" 3>&-; }

@test "show --standalone: a configuration that the stock tools run as it is" {
	local calls=(39 134 139 163 167 175 246 250 272 298 312 321 323 425 435 449) verdicts maps
	local script='for (@ARGV) { $! = 0; my $r = syscall($_ + 0, 0, 0, 0, 0, 0); print $r < 0 ? $! + 0 : "ok", " " }'
	verdicts=$(quietly 'exec perl -e "$@"' sh "$script" "${calls[@]}" 2>/dev/null)
	standalone
	run -0 execute_standalone perl -e "$script" "${calls[@]}"
	[[ $output == "$verdicts" || $output == "${verdicts% }" ]] || fail "$output" "$verdicts"
	run -0 execute_standalone sh -c 'id -u; grep -hE "^Cap" /proc/self/status | grep -vc "0000000000000000$"
		cat /proc/self/uid_map; for f in /x /etc/x /usr/x; do ! touch "$f" 2>/dev/null || echo "$f"; done; touch ~/x'
	maps=$(sed -n 's/^lxc.idmap = u //p' "$BATS_TEST_TMPDIR/config" | tr -s ' ')
	[[ ${lines[0]} == "$UID" && ${lines[1]} == 0 && ${#lines[@]} == 4 ]] || fail "$output"
	[[ $(printf '%s\n' "${lines[@]:2}" | tr -s ' ' | sed 's/^ //') == "$maps" ]] || fail "$output" "$maps"
	lxc-start -P "$lxc" -n one -f "$BATS_TEST_TMPDIR/config" 3>&-
	run -0 lxc-attach -P "$lxc" -n one -u "$UID" -g "$(id -g)" --clear-env -- id -un
	[[ $output == "$(id -un)" ]]
	lxc-stop -P "$lxc" -n one -k
}

@test "show --standalone: the policy is a list of what may be called" {
	local policy
	standalone
	policy=$(sed -n 's/^lxc.seccomp.profile = //p' "$BATS_TEST_TMPDIR/config")
	[[ $(head -n 2 "$policy") == $'2\nallowlist'* ]] || fail "$(head -n 2 "$policy")"
	grep -q '^read allow' "$policy"
	run -1 grep -E '^(bpf|mount|ptrace) (allow|[[])' "$policy"
}

@test "show --standalone: made anew each time, with the application's arguments, and nothing else is touched" {
	local place=~/".local/share/vitrine/standalone/$profile"
	standalone -- -c 'exit $1' --help 7
	run -7 lxc-execute -P "$lxc" -n one -f "$BATS_TEST_TMPDIR/config" 3>&-
	touch ~/".local/share/vitrine/beside-$profile"
	mkdir -p "$BATS_TEST_TMPDIR/link"
	touch "$BATS_TEST_TMPDIR/link/kept"
	standalone
	[[ -e $place/rootfs/etc/passwd && -e ~/".local/share/vitrine/beside-$profile" ]]
	rm ~/".local/share/vitrine/beside-$profile"
	lxc-usernsexec -m "b:0:$UID:1" -m "b:1:$root:1" -- rm -rf "$place"
	ln -s "$BATS_TEST_TMPDIR/link" "$place"
	standalone
	[[ -e $BATS_TEST_TMPDIR/link/kept && ! -L $place ]]
	for _ in 1 2 3 4; do standalone & done
	wait
	run -0 execute_standalone true
}

@test "show --standalone: what cannot be is refused, and nothing is left" {
	write_installed 'Command=/bin/sh' '[Files]' 'Root=writable'
	run -1 --separate-stderr standalone
	[[ $stderr == *"Root=writable"* && ! -s $BATS_TEST_TMPDIR/config ]]
	[[ ! -e ~/.local/share/vitrine/standalone/$profile ]]
	run -2 vitrine profile show "$profile" --standalone
	run -2 vitrine profile show "$profile" --format=lxc --standalone --box=viewer
	run -2 vitrine profile show "$profile" --format=lxc extra
}
