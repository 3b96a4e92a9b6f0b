#!/bin/sh
# Every fuzz target over its corpus, and over what else must not break it: the files that we ship.
#
# FUZZ is the directory with the targets, TESTDATA the directory tests/ of the sources.  Prints TAP.
set -u

sources=${TESTDATA:?}/..
targets=${FUZZ:?}
n=0

shipped() { # TARGET
	case $1 in
	profile) echo "$sources"/templates/profiles/*.vitrine ;;
	lxc) echo "$sources"/lxc-configs/*.conf ;;
	policy) echo "$sources"/seccomp-policies/*.policy ;;
	esac
}

for corpus in "$TESTDATA"/fuzz/corpus/*/; do
	target=$(basename "$corpus")
	# shellcheck disable=SC2046 # a list of files without spaces
	set -- "$corpus"* $(shipped "$target")
	n=$((n + 1))
	if why=$("$targets/fuzz-$target" "$@" 2>&1); then
		echo "ok $n - $target: $# inputs"
	else
		echo "not ok $n - $target: exit status $?"
		echo "$why" | tail -n 40 | sed 's/^/# /'
	fi
done

echo "1..$n"
