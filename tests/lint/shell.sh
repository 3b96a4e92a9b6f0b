#!/bin/sh
# What shellcheck thinks of every script.
#
# TESTDATA is the directory tests/ of the sources.  Prints TAP.
set -u

sources=${TESTDATA:?}/..
n=0

command -v shellcheck >/dev/null || {
	echo "1..0 # SKIP shellcheck is missing"
	exit 0
}

cd "$sources" || exit 1
scripts=$(
	find setup .ci tests doc templates -type f \( -name '*.sh' -o -name '*.bats' -o -name '*.bash' \)
	grep -lE '^#!/bin/(ba)?sh' setup .ci/* templates/* tests/vm/machine/opt/machine/* 2>/dev/null
)

# In bats files variables come from what is loaded, and words for an inner shell are their trade.
options() { # FILE
	case $1 in
	*.bats | *.bash) echo "--severity=warning --exclude=SC2030,SC2031,SC2034,SC2154,SC2155" ;;
	*) echo --external-sources ;;
	esac
}

for file in $(echo "$scripts" | sort -u); do
	n=$((n + 1))
	# shellcheck disable=SC2046 # several options
	if why=$(shellcheck $(options "$file") "$file" 2>&1); then
		echo "ok $n - $file"
	else
		echo "not ok $n - $file"
		echo "$why" | sed 's/^/# /'
	fi
done

echo "1..$n"
