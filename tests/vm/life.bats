#!/usr/bin/env bats
# What outlives a session: nothing.  Logging out, a reboot and a power cut while a sandbox runs; then
# the next login is clean.  Runs beside the machine (check.sh), whose state is changed by it.

bats_require_minimum_version 1.5.0

# shellcheck source=tests/vm/vm.bash
. "${VM_LIBRARY:?is not set: the path of vm.bash}"

product='PATH=/usr/local/bin:/usr/sbin:$PATH'
profile=/home/alice/life.vitrine

alice() { vm_limit=3m vm_alice "$product; $1" </dev/null; } # SCRIPT, in a login of hers
on_desktop() { alice "/opt/machine/in-desktop sh -c '$1'"; }

setup() {
	vm_limit=3m vm_alice "cat >$profile" <<-'END'
		[App]
		Command=xterm
		Image=xterm
		Title=Life
	END
	on_desktop "vitrine run --detach --profile $profile"
	[[ $(alice 'vitrine ps --json | jq length') == 1 ]]
}

nothing_from() { # SCRIPT: prints nothing
	local output
	output=$(alice "$1" || true)
	[[ -z $output ]] || {
		echo "$output"
		return 1
	}
}

# After a log-in: no sandbox is listed, and no process but those of the log-ins.
clean() {
	[[ $(alice 'vitrine ps --json | jq length') == 0 ]]
	nothing_from 'pgrep -a -f "[v]itrine|[x]pra|[l]xc"'
	nothing_from 'findmnt -nlo TARGET | grep -F vitrine | grep -vx ~/.local/share/vitrine'
	nothing_from 'ls -A $XDG_RUNTIME_DIR/vitrine/sandboxes'
	nothing_from 'find /sys/fs/cgroup -name "*vitrine*.scope"'
}

works() { # what comes next is not disturbed by what was
	on_desktop "vitrine run --profile $profile --detach"
	alice 'vitrine stop --all'
	clean
}

@test "logging out with a sandbox open: nothing is left, the next login is clean" {
	vm_limit=3m vm_root 'systemctl stop desktop' </dev/null
	# The last session is gone, her systemd ends, and with it what it ran.
	vm_limit=2m vm_root 'while pgrep -u alice >/dev/null; do sleep 1; done' </dev/null
	vm_limit=1m vm_root '! test -e /run/user/1000' </dev/null
	vm_limit=3m vm_root 'systemctl start desktop' </dev/null
	clean
	works
}

@test "a reboot with a sandbox open: the next login is clean" {
	vm_reboot
	clean
	works
}

@test "a power cut with a sandbox open: the next login is clean" {
	vm_cut
	clean
	works
}
