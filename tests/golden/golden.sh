#!/bin/sh
# What a profile becomes on several hosts, compared with the files next to this script.
#
#   golden.sh            prints TAP
#   golden.sh --refresh  writes the files anew (`make refresh-golden`); look at the difference before
#                        you commit it
#
# NAME.WHAT is one thing that is made of a profile on the usual host, NAME.all everything, without
# comments.  NAME@HOST.diff is how everything differs on another host, or why it is refused there.
# RENDER is the program tests/unit/golden-render, TESTDATA the directory tests/ of the sources.
set -u

sources=${TESTDATA:?}/..
golden=$TESTDATA/golden
render=${RENDER:?}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
n=0

# PROFILE and what is compared of it
cases() {
	cat <<-END
		$sources/templates/profiles/default.vitrine plan app apparmor display viewer
		$sources/templates/profiles/firefox-esr.vitrine plan app apparmor
		$golden/everything.vitrine plan app apparmor viewer
		$golden/keeping.vitrine plan apparmor
		$golden/kept.vitrine plan
		$golden/nothing.vitrine plan app
	END
}

# Profiles whose every file is compared, and hosts beside the usual one
pairs() {
	cat <<-END
		$golden/nothing.vitrine no-apparmor no-cgroup no-desktop other-user small no-zone
		$golden/windows.vitrine no-apparmor no-own-profiles no-cgroup no-xpra no-desktop other-user small no-zone
		$golden/network.vitrine no-apparmor other-user no-zone named
		$golden/grants.vitrine no-apparmor other-user
		$golden/keeping.vitrine other-user small
		$golden/kept.vitrine other-user
		$golden/host-viewer.vitrine no-xpra
		$golden/own-id.vitrine other-user
		$golden/demanding.vitrine no-apparmor no-cgroup
		$golden/everything.vitrine no-cgroup
	END
}

make() { # PROFILE HOST WHAT: into $scratch/out
	"$render" "$1" "$2" "$sources/lxc-configs" "$3" >"$scratch/out" 2>"$scratch/why"
}

# What the file is compared with; a difference of two texts has no names and times in it.
make_difference() { # PROFILE HOST
	make "$1" usual all && mv "$scratch/out" "$scratch/usual" && make "$1" "$2" all || return
	! grep -q '^refused: ' "$scratch/out" || return
	mv "$scratch/out" "$scratch/other"
	diff -U 0 "$scratch/usual" "$scratch/other" | sed -e 1,2d -e '/^@@/d' >"$scratch/out"
}

compare() { # FILE: with $scratch/out
	n=$((n + 1))
	if [ ! -s "$scratch/why" ] && diff -u "$golden/$1" "$scratch/out" >"$scratch/why" 2>&1; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		sed 's/^/# /' "$scratch/why"
	fi
}

refresh() { # FILE
	[ ! -s "$scratch/why" ] || { cat "$scratch/why" && exit 1; }
	cp "$scratch/out" "$golden/$1"
}

verb=compare
[ "${1-}" != --refresh ] || verb=refresh
cases >"$scratch/cases"
while read -r profile whats; do
	for what in $whats; do
		make "$profile" usual "$what"
		$verb "$(basename "$profile" .vitrine).$what"
	done
done <"$scratch/cases"
pairs >"$scratch/pairs"
while read -r profile hosts; do
	name=$(basename "$profile" .vitrine)
	make "$profile" usual all
	$verb "$name.all"
	for host in $hosts; do
		make_difference "$profile" "$host"
		$verb "$name@$host.diff"
	done
done <"$scratch/pairs"
[ $verb = refresh ] || echo "1..$n"
