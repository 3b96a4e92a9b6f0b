# What the tests in the machine share beyond tests/live/common.bash: they run as the ordinary user in
# a desktop session, and can become root.
# shellcheck shell=bash

as_root() { /opt/machine/as-root "$@" 3>&-; }

# The AppArmor label of a process, as "NAME (MODE)".
label_of() { cat "/proc/$1/attr/apparmor/current"; } # PID

# Is it the floor of that kind of box, alone or with an addition of the user's stacked under it?
is_enforced() { # KIND LABEL
	[[ $2 =~ ^vitrine-$1("//&:vitrine-$UID:"[a-z0-9-]+)?" (enforce)"$ ]]
}

# Puts the shipped policies back, whatever a test did to them.
restore_policies() { as_root vitrine admin install-policies; }

cgroup_of() { field_of "$1" cgroup; } # ID

# One value of a file of a leaf of the sandbox's control group.
leaf_value() { cat "$(cgroup_of "$1")/$2/$3"; } # ID LEAF FILE

# The members of a file like memory.events, cpu.stat.
event_of() { # ID LEAF FILE NAME
	leaf_value "$1" "$2" "$3" | awk -v name="$4" '$1 == name { print $2 }'
}

# A figure for the record of the run.
record_figure() { # TEXT
	echo "# $*" >&3
	[[ -z ${VITRINE_VM_RESULTS:-} ]] || echo "$*" >>"$VITRINE_VM_RESULTS/figures"
}
