#!/usr/bin/env bats
# Namespaces in a box: how many the kernel allows, and what a program in its own can do there.
#
# shellcheck disable=SC2016,SC2154 # what is in '' expands inside; bats assigns

load common

setup() {
	setup_sandboxes
	write_profile nesting <<-'END'
		[App]
		Command=/bin/sh
		Image=base
		[Exec]
		WritableMounts=yes
		[Display]
		Backend=none
		[Seccomp]
		Policy=browser
		UserNamespaces=64
	END
	sed 's/^UserNamespaces=.*/UserNamespaces=5/' "$(profile_file nesting)" >"$(profile_file five)"
	sed '/^UserNamespaces=/d' "$(profile_file nesting)" >"$(profile_file uncounted)"
	sed '/^Policy=/d' "$(profile_file nesting)" >"$(profile_file unpermitted)"
	sed '/^\[Seccomp\]/,$d' "$(profile_file nesting)" >"$(profile_file plain)"
}

# Runs the program tests/live/programs/nested as an application.
nested() { # PROFILE WORD...
	vitrine run --profile "$(profile_file "$1")" -- \
		-c 'cat >/tmp/nested && chmod +x /tmp/nested && exec /tmp/nested "$@"' sh "${@:2}" \
		<"$VITRINE_PROGRAMS/nested" 3>&-
}

all_refused() { # MINIMUM: every line of what ran is an error
	local line
	((${#lines[@]} >= $1)) || fail "${#lines[@]} lines" "$output"
	for line in "${lines[@]}"; do
		[[ $line =~ ^[a-z0-9-]+" E"[A-Z0-9]+$ ]] || fail "$line"
	done
}

@test "without the key, no call makes a namespace, in whatever way it is called" {
	local profile
	for profile in plain uncounted unpermitted; do
		run -0 --separate-stderr nested "$profile" make
		all_refused 50
	done
}

@test "with it, four kinds are made, and no others" {
	local kind way
	run -0 --separate-stderr nested nesting make
	for kind in user user-pid user-net user-ipc; do
		for way in clone unshare; do
			[[ $output == *"$way-$kind done"* ]] || fail "$way-$kind" "$output"
		done
	done
	[[ $(grep -c ' done$' <<<"$output") == 12 ]] || fail "$output"
	[[ $output == *$'\nclone3-user ENOSYS'* ]] || fail "$output"
	run ! grep -E '^(x32|i386|clone3)-.* done$|(mount|uts|cgroup|time)[a-z-]* done$' <<<"$output"
}

@test "the kernel counts them: side by side, and within each other" {
	run -0 --separate-stderr nested five beside 100
	[[ $output == "5 ENOSPC" ]] || fail "$output"
	run -0 --separate-stderr nested five below 100
	[[ $output == "5 ENOSPC" ]] || fail "$output"
	# As many as there are in all, whichever process of the box has made them.
	start_detached --profile "$(profile_file five)" -- -c 'exec sleep 1000'
	vitrine enter "$id" sh -c 'cat >/tmp/nested && chmod +x /tmp/nested' <"$VITRINE_PROGRAMS/nested"
	run -0 vitrine enter "$id" sh -c '
		for i in 1 2 3; do unshare --user sleep 100 </dev/null >/dev/null 2>&1 & done
		sleep 1
		/tmp/nested beside 100'
	[[ $output == "2 ENOSPC" ]] || fail "$output"
}

# The limits of a process's user namespace, read from outside by one who has all rights over it.
limits_of() { # PID
	nsenter --user --preserve-credentials --target "$1" sh -c 'grep -H . /proc/sys/user/max_*_namespaces' |
		sed 's,.*/max_\(.*\)_namespaces:,\1 ,' | paste -sd ' '
}

@test "every box has limits of its own, none but zero where nothing was asked for" {
	local pid n=0
	start_supervised xterm
	await_running
	for pid in $(processes | awk '$4 == "init" { print $1 }'); do
		run -0 limits_of "$pid"
		[[ $output == "cgroup 0 ipc 0 mnt 0 net 0 pid 0 time 0 user 0 uts 0" ]] || fail "$output"
		n=$((n + 1))
	done
	expect "$n" -eq 3
}

@test "with the key they are as the plan says, in the box of the application alone" {
	local pid
	start_detached --profile "$(profile_file five)" -- -c 'exec sleep 1001' </dev/null
	wait_until 10 runs '^ *sleep sleep 1001'
	pid=$(pid_of '^ *sleep sleep 1001')
	run -0 limits_of "$pid"
	[[ $output == "cgroup 0 ipc 5 mnt 0 net 5 pid 5 time 0 user 5 uts 0" ]] || fail "$output"
}

@test "in a namespace of its own a process gets nowhere with all its capabilities" {
	run -0 --separate-stderr nested nesting inside
	all_refused 130
}

@test "profiles do not turn the sandbox of a browser off" {
	local file
	for file in "${VITRINE%/bin/*}"/share/vitrine/profiles/*.vitrine; do
		run ! grep -E -- '-sandbox|MOZ_DISABLE|SANDBOX' "$file"
	done
	for file in chromium firefox-esr; do
		grep -qx 'Policy=browser' "${VITRINE%/bin/*}/share/vitrine/profiles/$file.vitrine"
	done
}
