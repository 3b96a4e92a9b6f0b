#!/usr/bin/env bats
# What a profile says of system calls is what its application meets.

load common

setup() {
	setup_sandboxes
	attempts=$VITRINE_PROGRAMS/attempt
	cache=$HOME/.cache/vitrine/seccomp
}

teardown() {
	teardown_sandboxes
}

# A profile without windows whose section [Seccomp] comes from standard input.
calls_profile() { # NAME
	{
		printf '[App]\nCommand=/bin/sh\nImage=base\n[Display]\nBackend=none\n'
		printf '[Exec]\nWritableMounts=yes\n[Seccomp]\n'
		cat
	} | write_profile "$1"
}

# A shell command in it; sets `output` and `lines`.
calls() { # STATUS NAME SCRIPT
	run "-$1" --separate-stderr vitrine run --profile "$(profile_file "$2")" -- -c "$3"
}

# Which of these get through; prints them in the order of their names.
attempt() { # NAME CALL...
	vitrine run --profile "$(profile_file "$1")" -- \
		-c "cat >/tmp/attempt && chmod 700 /tmp/attempt && exec /tmp/attempt ${*:2}" \
		<"$attempts" 2>/dev/null | sort
}

@test "without a word a profile has the policy gui" {
	calls_profile plain </dev/null
	calls 0 plain 'mkfifo /tmp/a && grep -E "^Seccomp(_filters)?:" /proc/self/status'
	[[ $output =~ Seccomp:$'\t'2 ]]
	[[ $output =~ Seccomp_filters:$'\t'3 ]]
}

@test "a call that a profile denies is denied, with its error, to its application alone" {
	calls_profile denied <<-'END'
		Deny=@special-files errno EACCES
		Deny=kill arg1 low 10
	END
	calls 0 denied 'mkfifo /tmp/a 2>&1; kill -s USR1 $$ 2>&1; kill -0 $$ && echo alive'
	[[ ${lines[0]} == *"Permission denied" ]]
	[[ ${lines[1]} == *"not permitted"* ]]
	[[ ${lines[2]} == alive ]]
}

@test "every named policy lets programs run" {
	local policy
	for policy in browser gui java media office; do
		calls_profile "$policy" <<<"Policy=$policy"
		calls 0 "$policy" 'ls / | grep -q usr && echo runs'
		[[ $output == runs ]]
	done
	calls 0 media 'touch /tmp/a; chown "$(id -u)" /tmp/a 2>&1 || true'
	[[ $output == *"not permitted" ]]
}

@test "with Answer=kill a call that no application needs ends the process" {
	calls_profile killed <<<'Answer=kill'
	run -0 attempt killed ptrace-traceme chroot clone3-user i386 x32
	[[ $(paste -sd, <<<"$output") == \
		'chroot signal 31,clone3-user ENOSYS,i386 ENOSYS,ptrace-traceme signal 31,x32 ENOSYS' ]]
}

@test "programs of 32 bits are let in by Abi=i386, and x32 is not" {
	calls_profile native </dev/null
	calls_profile both <<<'Abi=i386'
	run -0 attempt native i386 x32
	[[ $output == $'i386 ENOSYS\nx32 ENOSYS' ]]
	run -0 attempt both i386 x32 ptrace-traceme tiocsti
	[[ $output == $'i386 done\nptrace-traceme EPERM\ntiocsti EPERM\nx32 ENOSYS' ]]
}

@test "a policy is compiled once, and again when what was kept is damaged" {
	local first again
	rm -rf "$cache"
	calls_profile kept <<<'Deny=@special-files'
	calls 0 kept 'mkfifo /tmp/a 2>/dev/null || echo denied'
	[[ $output == denied ]]
	first=$(stat -c '%n %i %a %u' "$cache"/*.bpf)
	[[ $first =~ \ 600\ $UID$ ]]
	calls 0 kept 'mkfifo /tmp/a 2>/dev/null || echo denied'
	again=$(stat -c '%n %i %a %u' "$cache"/*.bpf)
	[[ $first == "$again" ]]
	printf 'x' | dd of="$cache/$(ls "$cache")" bs=1 seek=900 conv=notrunc 2>/dev/null
	calls 0 kept 'mkfifo /tmp/a 2>/dev/null || echo denied'
	[[ $output == denied ]]
	again=$(stat -c '%n %i %a %u' "$cache"/*.bpf)
	[[ ${again%% *} == "${first%% *}" && $again != "$first" ]]
}

@test "what no application may have, and what is not known, refuses the start" {
	local row
	for row in 'Allow=bpf|no application may have' 'Allow=@mounts|no application may have' \
		'Allow=ioctl arg1 low 0x5412|no profile can allow' 'Deny=xyzzy|no system call' \
		'Policy=gate|no policy' 'Policy=nosuch|no policy'; do
		calls_profile refused <<<"${row%|*}"
		calls 125 refused 'echo runs'
		[[ $stderr == *"${row#*|}"* && -z $output ]]
	done
}

@test "a program that is entered has the same calls" {
	calls_profile entered <<<'Deny=@special-files'
	start_detached --profile "$(profile_file entered)" -- -c 'exec sleep 1000'
	run -0 vitrine enter "$id" sh -c 'mkfifo /tmp/a 2>/dev/null || echo denied'
	[[ $output == denied ]]
}
