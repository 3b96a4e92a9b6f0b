#!/usr/bin/env bats
# Each layer by itself: what one of them keeps from an application when the others are taken off for
# the test.  Every denial has its control, where the layer is off as well and the same is done.
# AppArmor is off in all of these; what it holds alone is tested in machines that have it.
#
# shellcheck disable=SC2016,SC2154 # what is in '' expands inside; bats assigns

load common

setup() {
	setup_sandboxes
	peel=$VITRINE_PROGRAMS/peel
	reach=$VITRINE_PROGRAMS/reach
	secret=$BATS_TEST_TMPDIR/secret
	echo 'nobody may know' >"$secret"
	chmod 0644 "$secret"
}

peel() { # LAYERS [OPTION...] PROGRAM...: with these layers off, and whatever looks after them
	local options=("--without=apparmor,verification,$1")
	shift
	while [[ $1 == --* ]]; do
		options+=("$1")
		shift
	done
	"$peel" "${options[@]}" "$(profile_file quiet)" "$@" 3>&-
}

# --- the rig itself -------------------------------------------------------------------------------

@test "a box that lacks a layer does not start" {
	run -125 --separate-stderr "$peel" --without=seccomp "$(profile_file quiet)" sh -c 'echo ran'
	[[ -z $output && $stderr == *"Seccomp is '0' instead of '2'" ]] || fail "$stderr"
	run -125 --separate-stderr "$peel" --without=ids "$(profile_file quiet)" sh -c 'echo ran'
	[[ -z $output && $stderr == *"instead of"* ]] || fail "$stderr"
	assert_nothing_left
}

@test "with layers taken off, a box lacks them and no others" {
	run -0 peel seccomp,ids sh -c 'grep -E "^(CapEff|Seccomp_filters|Uid)" /proc/self/status; cat /proc/self/uid_map'
	[[ ${lines[0]} == $'Uid:\t0\t0\t0\t0' && ${lines[1]} =~ 0*1f*$ && ${lines[2]} == *1 ]] || fail "$output"
	((${#lines[@]} == 5)) || fail "$output"
	run -0 peel '' sh -c 'grep -E "^(CapEff|Seccomp_filters)" /proc/self/status'
	[[ $output == $'CapEff:\t0000000000000000\nSeccomp_filters:\t'* && ${lines[1]} != *1 ]] || fail "$output"
}

# --- a kernel without AppArmor ----------------------------------------------------------------------

switch=/sys/module/apparmor/parameters/enabled

@test "without AppArmor, a profile that demands it is refused" {
	write_profile demanding <<-'END'
		[App]
		Command=/bin/sh
		Image=base
		[Display]
		Backend=none
		[AppArmor]
		Required=yes
	END
	run -125 --separate-stderr unshare --user --map-current-user --keep-caps --mount sh -ec \
		'[ ! -e "$1" ] || mount --bind /dev/null "$1"; shift; exec setpriv --ambient-caps=-all --inh-caps=-all "$@"' \
		sh $switch vitrine run --profile "$(profile_file demanding)" -- -c 'echo ran'
	[[ -z $output && $stderr == *"Required=yes"*"no AppArmor"* ]] || fail "$stderr"
	assert_one_line
	assert_nothing_left
}

@test "without AppArmor, others start and say so once" {
	run -0 --separate-stderr quietly 'echo ran'
	[[ $output == ran ]]
	if [[ -e $switch && $(<$switch) == Y ]]; then
		assert_nothing_said
	else
		[[ $(grep -c '^vitrine: warning: this kernel has no AppArmor' <<<"$stderr") == 1 ]] || fail "$stderr"
		assert_nothing_said
	fi
}

# --- mounts alone ---------------------------------------------------------------------------------

@test "mounts alone: a file of the host that everybody may read is not there" {
	[[ $(stat -c %a "$secret") == 644 ]]
	run -1 peel seccomp,ids "$reach" read "$secret"
	[[ $output == "ENOENT in open" ]]
	run -0 peel seccomp,ids --show="$secret" "$reach" read "$secret"
	[[ $output == 'nobody may know' ]]
}

@test "mounts alone: nor by way of the root of another process, or out of its own root" {
	local script='f=$1; for root in /proc/1/root /proc/self/root /proc/self/cwd/../../../../..; do cat "$root$f" && exit; done; exit 9'
	run -9 peel seccomp,ids sh -c "$script" sh "$secret"
	run -0 peel seccomp,ids --show="$secret" sh -c "$script" sh "$secret"
	[[ $output == 'nobody may know' ]]
}

@test "mounts alone: box root with all its capabilities cannot take them away" {
	local target
	for target in /home /tmp /etc/passwd /dev; do
		run -1 peel seccomp,ids "$reach" umount "$target"
		[[ $output == "EINVAL in umount2" ]] || fail "$target: $output"
	done
	# It is one of those that liblxc made inside that can be.
	run -0 peel seccomp,ids "$reach" umount /proc/interrupts
}

# --- ids alone ------------------------------------------------------------------------------------

@test "ids alone: a file of the user's that is in the box but for the user only" {
	chmod 0600 "$secret"
	run -1 peel seccomp --show="$secret" "$reach" read "$secret"
	[[ $output == "EACCES in open" ]]
	# Nor does box root have the user's files, with every capability over its own namespaces.
	run -1 peel seccomp,ids --show="$secret" "$reach" read "$secret"
	[[ $output == "EACCES in open" ]]
	chmod 0644 "$secret"
	run -0 peel seccomp --show="$secret" "$reach" read "$secret"
}

# --- seccomp alone --------------------------------------------------------------------------------

@test "seccomp alone: what another process of the box has read" {
	local way
	for way in process_vm_readv ptrace pidfd_getfd; do
		run -1 peel '' "$reach" "$way" <"$secret"
		[[ $output == "EPERM in $way" ]] || fail "$way: $output"
		run -0 peel seccomp "$reach" "$way" <"$secret"
		[[ $output == 'nobody may know' ]] || fail "$way: $output"
	done
}

# Box root could mount, and so see what is hidden: who presses keys when.
@test "seccomp alone: a file of the kernel's that a mount hides" {
	local call way
	run -0 peel ids "$reach" read /proc/interrupts
	[[ -z $output ]]
	for way in umount mount fsmount; do
		case $way in
		umount) call=umount2 ;;
		mount) call=mount ;;
		fsmount) call=fsopen ;;
		esac
		run -1 peel ids "$reach" "$way" /proc/interrupts
		[[ $output == "EPERM in $call" ]] || fail "$way: $output"
		# For one of the ways a mount namespace is made, of which there may be none.
		run -0 peel ids,seccomp,namespaces "$reach" "$way" /proc/interrupts
		[[ $output == *CPU0* ]] || fail "$way: $output"
	done
}

@test "seccomp alone: a user namespace, where one is root again" {
	run -1 peel '' "$reach" nested /proc/interrupts
	[[ $output == "EPERM in unshare" ]]
	# With it, the kernel lets nobody see through the mounts of another user namespace.
	run -1 peel seccomp,namespaces "$reach" nested /proc/interrupts
	[[ $output == "EPERM in mount" ]]
}

# --- limits on namespaces alone -------------------------------------------------------------------

@test "limits on namespaces alone: there is none to be root in" {
	run -1 peel seccomp "$reach" nested /proc/interrupts
	[[ $output == "ENOSPC in unshare" ]] || fail "$output"
	# Box root, who needs no user namespace for the others, cannot make them either.
	run -1 peel seccomp,ids unshare --net true
	[[ $output == *"No space left on device"* ]] || fail "$output"
	run -0 peel seccomp,ids,namespaces unshare --net true
}
