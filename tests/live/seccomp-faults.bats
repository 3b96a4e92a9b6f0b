#!/usr/bin/env bats
# Profiles that deny what every program needs: each ends, and says why.

# shellcheck disable=SC2154 # bats sets stderr

load common

with() { # LINE OF [Seccomp]...
	{
		printf '%s\n' '[App]' Command=/bin/sh Image=base '[Display]' Backend=none '[Seccomp]' "$@"
	} | write_profile denying
	run --separate-stderr vitrine run --profile "$(profile_file denying)" -- -c 'echo alive'
}

@test "what the start itself needs" {
	with Deny=@sockets
	[[ $status == 125 && $stderr == *"[Seccomp]"*"'/bin/sh': Operation not permitted"* ]]
	with Deny=execve
	[[ $status == 126 && $stderr == *"cannot execute '/bin/sh': Operation not permitted"* ]]
	assert_nothing_left
}

@test "what ends an application is told of" {
	with Deny=exit_group Answer=kill
	[[ $status == 159 && $output == alive ]]
	[[ $stderr == *"profile 'denying' denies with Answer=kill"* ]]
	assert_nothing_left
}

@test "what cannot be compiled is told of with the profile's name" {
	local lines=() i
	with Allow=ptrace
	[[ $status == 125 && $stderr == *"profile 'denying': [Seccomp] Allow=: 'ptrace' is what no application may have"* ]]
	for i in {1..256}; do lines+=("Deny=socket arg0 eq $i arg1 eq $i arg2 eq $i arg3 eq 1 arg4 eq 5"); done
	with "${lines[@]}"
	[[ $status == 125 && $stderr == *"more conditions than fit into a filter"* ]]
}
