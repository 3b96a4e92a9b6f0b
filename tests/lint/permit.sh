#!/bin/sh
# Nothing can be launched without a permit, and only app/permit.c makes one.
#
# TESTDATA is the directory tests/ of the sources.  Prints TAP.
set -u

src=${TESTDATA:?}/../src
n=0

only_in() { # WHAT PATTERN FILE...: the files beneath src/ that have it
	n=$((n + 1))
	what=$1 pattern=$2
	shift 2
	found=$(cd "$src" && grep -lE -r --include='*.[ch]' -e "$pattern" . | sed 's,^\./,,' | sort)
	wanted=$(printf '%s\n' "$@" | sort)
	if [ "$found" = "$wanted" ]; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
		printf '# found: %s\n' "$found"
	fi
}

only_in 'a permit is made in one place' '^struct permit \{' app/permit.c
only_in 'the ceiling is applied there' '(^|[^_])ceiling_apply\(' app/permit.c profile/ceiling.c profile/ceiling.h
only_in 'its rules are read there, and by the doctor' '(^|[^_])ceiling_load\(' \
	app/doctor-policy.c app/permit.c profile/ceiling-load.c profile/ceiling-load.h
only_in 'a launch has a permit' 'const struct permit \*permit;' app/launch.h
only_in 'so has a configuration for other tools' 'stock_make\(const struct permit' app/stock.c app/stock.h
only_in 'every file that is given is asked about' 'gate_give\(s->' app/launch-files.c app/launch-given.c
n=$((n + 1))
given=$(grep -c 'given_open(\|gate_give(s->' "$src/app/launch-given.c" "$src/app/launch-files.c" | paste -sd' ')
asked=$(grep -c 'permit_check_given(' "$src/app/launch-given.c" "$src/app/launch-files.c" | paste -sd' ')
if [ "${asked##*/}" = 'launch-files.c:1' ] && [ "${asked%% *}" = "$src/app/launch-given.c:2" ]; then
	echo "ok $n - in each of the three places"
else
	echo "not ok $n - in each of the three places: $asked of $given"
fi
echo "1..$n"
