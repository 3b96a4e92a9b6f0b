#!/usr/bin/env bats
# AppArmor and namespaces that an application makes for a sandbox of its own.
#
# shellcheck disable=SC2016,SC2154 # what is in '' expands inside; bats assigns

load ../../live/common
load guest

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
		[AppArmor]
		Required=yes
	END
	sed '/^WritableMounts/d' "$(profile_file nesting)" >"$(profile_file confined)"
	sed '/^\[Seccomp\]/,/^UserNamespaces/d' "$(profile_file nesting)" >"$(profile_file plain)"
}

nested() { # PROFILE WORD...
	vitrine run --profile "$(profile_file "$1")" -- \
		-c 'cat >/tmp/nested && chmod +x /tmp/nested && exec /tmp/nested "$@"' sh "${@:2}" \
		<"$VITRINE_PROGRAMS/nested" 3>&-
}

label_in() { # PROFILE: the label of its application, which it cannot read itself
	local id
	id=$(vitrine run --detach --profile "$(profile_file "$1")" -- -c 'exec sleep 2002' 3>&-)
	wait_until 20 runs '^ *sleep sleep 2002' || return
	label_of "$(pid_of '^ *sleep sleep 2002')"
	vitrine stop "$id"
}

@test "AppArmor: a profile of its own allows namespaces, in programs that were written there too" {
	run -0 --separate-stderr label_in nesting
	is_enforced app-exec-nested "$output" || fail "$output"
	run -0 --separate-stderr label_in confined
	is_enforced app-nested "$output" || fail "$output"
	run -0 --separate-stderr label_in plain
	is_enforced app-exec "$output" || fail "$output"
}

@test "AppArmor: what a browser's sandbox is made of can be made" {
	run -0 --separate-stderr nested nesting make
	[[ $(grep -c ' done$' <<<"$output") == 12 ]] || fail "$output"
	run -0 --separate-stderr vitrine run --profile "$(profile_file confined)" -- -c '
		unshare --user --map-root-user --net --pid --ipc --fork /usr/sbin/chroot /usr/lib/.. /bin/echo made'
	[[ $output == made ]] || fail "$output" "$stderr"
}

@test "AppArmor: with no capability over the network nothing is configured in one's own" {
	run -0 --separate-stderr nested nesting network
	[[ $output == "add-link EPERM" ]] || fail "$output"
}

@test "AppArmor: in namespaces of its own a process gets nowhere, and without the key there are none" {
	run -0 --separate-stderr nested nesting inside
	((${#lines[@]} >= 130)) || fail "$output"
	run ! grep -Ev '^[a-z0-9-]+ E[A-Z0-9]+$' <<<"$output"
	run -0 --separate-stderr nested plain make
	run ! grep -Ev '^[a-z0-9-]+ E[A-Z0-9]+$' <<<"$output"
}
