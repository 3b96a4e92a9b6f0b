#!/usr/bin/env bats
# `vitrine top` with a cgroup, and `vitrine logs --denials` from each place that denials can be read
# from.
#
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # tests are no subshells of each other; bats assigns

load ../../live/common
load guest

figure() { vitrine top --json "$1" | jq -e ".[0].$2"; } # ID NAME

at_least() { (($(figure "$id" "$1") >= $2)); }

teardown() {
	as_root sh -c 'systemctl start auditd; chmod 750 /var/log/audit; for d in /var/log/journal /run/log/journal; do
		[ ! -e $d ] || chmod 755 $d; done; echo 1 >/proc/sys/kernel/dmesg_restrict; echo 5 >/proc/sys/kernel/printk_ratelimit'
	teardown_sandboxes
}

# A denial of a program in $id, of a name that nobody else uses; sets `denied`.
provoke() {
	denied=/boot/$BATS_TEST_NUMBER-$RANDOM
	vitrine enter "$id" /bin/sh -c "echo >$denied; /bin/ls /boot" 2>/dev/null || true
}

is_told() { vitrine logs --denials "$id" | grep -q "$id/app ls.* may not open '/boot/' (r); profile vitrine-app"; }

no_audit_log() {
	as_root sh -c 'chmod 700 /var/log/audit; systemctl kill auditd; sleep 1'
}

no_journal() {
	as_root sh -c 'for d in /var/log/journal /run/log/journal; do [ ! -e $d ] || chmod 700 $d; done'
}

# --- top ------------------------------------------------------------------------------------------

@test "top: figures are those of the cgroup" {
	start_quiet 'head -c 20M /dev/zero >/tmp/file; sleep 1000 & while :; do :; done'
	wait_until 60 at_least memory $((20 << 20))
	[[ $(figure "$id" source) == '"cgroup"' ]]
	group=$(cgroup_of "$id")
	before=$(awk '$1 == "usage_usec" { print $2 }' "$group/cpu.stat")
	told=$(figure "$id" cpu_us)
	after=$(awk '$1 == "usage_usec" { print $2 }' "$group/cpu.stat")
	((before <= told && told <= after))
	((told > 300000))
	[[ $(figure "$id" tasks) == $(<"$group/pids.current") ]]
	now=$(<"$group/memory.current") memory=$(figure "$id" memory)
	((memory > now - (4 << 20) && memory < now + (4 << 20)))
	# A second one has a cgroup of its own, and does nothing.
	busy=$id
	start_quiet
	vitrine top --json | jq -e --arg busy "$busy" '.[0].id == $busy and .[0].cpu_percent > 20 and .[1].cpu_percent < 20'
}

# --- denials --------------------------------------------------------------------------------------

@test "denials: from audit.log, with the sandbox and the box" {
	start_quiet
	provoke
	wait_until 30 is_told
	vitrine logs --denials --json "$id" | jq -e --arg id "$id" \
		'.[] | select(.program == "ls") | .id == $id and .box == "app" and .uid >= 100000 and .operation == "open"'
	other=$id
	start_quiet
	[[ -z $(vitrine logs --denials "$id") ]]
	vitrine stop "$other"
	vitrine logs --denials | grep -q '? ls.*/boot/'
}

@test "denials: -f tells them as they come, and ends with the sandbox" {
	start_quiet
	vitrine logs --denials -f --json "$id" >"$BATS_TEST_TMPDIR/told" 3>&- &
	follower=$!
	background+=("$follower")
	sleep 3
	provoke
	wait_until 30 grep -q '"name":"/boot/"' "$BATS_TEST_TMPDIR/told"
	vitrine stop "$id"
	wait_until 30 ended "$follower"
	jq -es 'length >= 1' "$BATS_TEST_TMPDIR/told"
}

@test "denials: from the journal, each once" {
	no_audit_log
	start_quiet
	provoke
	wait_until 60 is_told
	[[ $(vitrine logs --denials "$id" | grep -c " ls\[") == 1 ]]
}

@test "denials: from the kernel's buffer" {
	no_audit_log
	no_journal
	# The kernel prints ten messages in five seconds, and logins of this test's own are among them.
	as_root sh -c 'echo 0 >/proc/sys/kernel/dmesg_restrict; echo 0 >/proc/sys/kernel/printk_ratelimit'
	start_quiet
	provoke
	wait_until 60 is_told
}

@test "denials: who may read no log is told how an administrator allows it" {
	no_audit_log
	no_journal
	start_quiet
	run -1 --separate-stderr vitrine logs --denials "$id"
	assert_one_line
	[[ $stderr == *"adduser alice adm"* ]]
	as_root chown root:root /var/log/audit
	run -1 --separate-stderr vitrine logs --denials
	as_root chown root:adm /var/log/audit
	assert_one_line
	[[ $stderr == *"log_group = adm"* ]]
}

@test "denials: the doctor says where they are read, or what is to be done" {
	vitrine doctor --json | jq -e '.[] | select(.name == "denials") | .result == "ok" and (.detail | contains("audit.log"))'
	no_audit_log
	no_journal
	vitrine doctor --json | jq -e '.[] | select(.name == "denials") | .result == "warning" and (.mend | contains("adduser alice adm"))'
}
