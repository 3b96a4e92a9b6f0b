#!/bin/sh
# AppArmor's parser takes the shipped profiles, and what is rendered for single boxes (tests/golden). That
# of AppArmor 3 has no user namespaces; one of AppArmor 4 takes both forms.
#
# TESTDATA is the directory tests/ of the sources.  Prints TAP.
set -u

sources=${TESTDATA:?}/..
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
n=0

parses() { # WHAT FILE
	n=$((n + 1))
	if /sbin/apparmor_parser --skip-kernel-load --skip-cache -I "$scratch" "$2" >"$scratch/why" 2>&1 </dev/null; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		sed 's/^/# /' "$scratch/why"
	fi
}

with() { # VERSION: as `vitrine admin install-policies` puts them in place
	mkdir -p "$scratch/vitrine"
	cp "$sources/apparmor/app" "$sources/apparmor/app-exec" "$sources/apparmor/box" \
		"$sources/apparmor/nested" "$scratch/vitrine"
	cp "$sources/apparmor/abi-$1" "$scratch/vitrine/abi"
	cp "$sources/apparmor/userns-$1" "$scratch/vitrine/userns"
	sed -e 's,@bindir@,/usr/bin,' -e 's,@vitrineexecdir@,/usr/libexec/vitrine,' \
		"$sources/apparmor/vitrine-programs.in" >"$scratch/vitrine-programs"
	parses "AppArmor $1: boxes" "$sources/apparmor/vitrine-boxes"
	parses "AppArmor $1: programs" "$scratch/vitrine-programs"
	for file in "$TESTDATA"/golden/*.apparmor; do
		parses "AppArmor $1: $(basename "$file")" "$file"
	done
}

with 3.0
[ ! -e /etc/apparmor.d/abi/4.0 ] || with 4.0

# A rule that nobody would find, because it comes from an include, is one that a program gets.
n=$((n + 1))
if grep -nE '^[[:space:]]*(mount|umount|pivot_root|capability|change_profile|userns|remount|dbus|mqueue|io_uring)' \
	"$sources/apparmor/box" "$sources/apparmor/app" "$sources/apparmor/app-exec" \
	"$sources/apparmor/vitrine-boxes" >"$scratch/why"; then
	echo "not ok $n - boxes may neither mount nor have a capability"
	sed 's/^/# /' "$scratch/why"
else
	echo "ok $n - boxes may neither mount nor have a capability"
fi
n=$((n + 1))
printf '%s\n' 'capability sys_admin,' 'capability sys_chroot,' 'include <vitrine/userns>' >"$scratch/wanted"
sed -n -E 's/^[[:space:]]+(.*)/\1/p' "$sources/apparmor/nested" | grep -v '^owner ' | sort >"$scratch/found"
if diff -u "$scratch/wanted" "$scratch/found" >"$scratch/why"; then
	echo "ok $n - nested namespaces come with two capabilities"
else
	echo "not ok $n - nested namespaces come with two capabilities"
	sed 's/^/# /' "$scratch/why"
fi
echo "1..$n"
