#!/bin/sh
# clang-format decides what C looks like; this says where it disagrees.
#
# TESTDATA is the directory tests/ of the sources.  Prints TAP.
set -u

sources=${TESTDATA:?}/..
n=0

command -v clang-format >/dev/null || {
	echo "1..0 # SKIP clang-format is missing"
	exit 0
}

cd "$sources" || exit 1
for file in src/*/*.[ch] tests/*/*.[ch]; do
	n=$((n + 1))
	if why=$(clang-format --style=file --dry-run -Werror "$file" 2>&1); then
		echo "ok $n - $file"
	else
		echo "not ok $n - $file: run clang-format --style=file -i $file"
		echo "$why" | grep ' error: ' | head -n 3 | sed 's/^/# /'
	fi
done

echo "1..$n"
