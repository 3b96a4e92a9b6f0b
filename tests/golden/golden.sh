#!/bin/sh
# What a profile becomes, compared with the files next to this script: the plan, the LXC configuration of
# each box, and the AppArmor profile of the app box.
#
#   golden.sh            prints TAP
#   golden.sh --refresh  writes the files anew; look at the difference before you commit it
#
# RENDER is the program tests/golden/render, TESTDATA the directory tests/ of the sources.
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
		$sources/templates/profiles/firefox-esr.vitrine plan app
		$golden/everything.vitrine plan app apparmor viewer
		$golden/keeping.vitrine plan apparmor
		$golden/kept.vitrine plan
		$golden/nothing.vitrine plan app
	END
}

compare() { # PROFILE WHAT
	name=$(basename "$1" .vitrine).$2
	n=$((n + 1))
	if "$render" "$1" "$sources/lxc-configs" "$2" >"$scratch/out" 2>"$scratch/why" &&
		diff -u "$golden/$name" "$scratch/out" >"$scratch/why" 2>&1; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' "$scratch/why"
	fi
}

refresh() { # PROFILE WHAT
	"$render" "$1" "$sources/lxc-configs" "$2" >"$golden/$(basename "$1" .vitrine).$2" || exit
}

verb=compare
[ "${1-}" != --refresh ] || verb=refresh
cases >"$scratch/cases"
while read -r profile whats; do
	for what in $whats; do
		$verb "$profile" "$what"
	done
done <"$scratch/cases"
[ $verb = refresh ] || echo "1..$n"
