#!/bin/sh
# Arrows point down only: each folder of src/ includes itself and what this table allows. And each of
# its files is in the list of its folder, without which a release would lack it.
#
# TESTDATA is the directory tests/ of the sources.  Prints TAP.
set -u

src=${TESTDATA:?}/../src
n=0

# Folders, or single headers of one: what vitrine-init loads was compiled by emit/seccomp.
allowed() { # FOLDER
	case $1 in
	base) echo ;;
	profile) echo base ;;
	plan) echo base profile gate/protocol.h ;;
	emit) echo base profile plan ;;
	view) echo base profile plan emit ;;
	image) echo base ;;
	box) echo base plan emit/filter.h emit/watch.h gate/protocol.h ;;
	gate) echo base emit/filter.h ;;
	session) echo base profile plan emit box gate/protocol.h ;;
	app) echo base profile plan emit view image box session ;;
	cli) echo base profile plan emit view image box session app ;;
	*) return 1 ;;
	esac
}

# FILE: HEADER, for every header of a folder that another one includes
includes() { # DIRECTORY
	grep -H '^#include ".*/' "$1"*.[ch] | sed 's/^\(.*\):#include "\(.*\)".*/\1: \2/'
}

for directory in "$src"/*/; do
	folder=$(basename "$directory")
	n=$((n + 1))
	if ! words=$(allowed "$folder"); then
		echo "not ok $n - $folder is not in the table"
		continue
	fi
	bad=$(includes "$directory" | while read -r file header; do
		case " $folder $words " in
		*" ${header%%/*} "* | *" $header "*) ;;
		*) echo "# $file $header" ;;
		esac
	done)
	if [ -z "$bad" ]; then
		echo "ok $n - $folder"
	else
		echo "not ok $n - $folder includes what it must not know"
		echo "$bad"
	fi
	n=$((n + 1))
	missing=$(find "$directory" -maxdepth 1 -name '*.[ch]' -printf "src/$folder/%f\n" | sort |
		while read -r file; do
			grep -qE "(^|[[:space:]])$file( |\$)" "$directory/Makemodule.am" || echo "# $file"
		done)
	if [ -z "$missing" ]; then
		echo "ok $n - every file of $folder is in its Makemodule.am"
	else
		echo "not ok $n - these are not in the Makemodule.am of $folder"
		echo "$missing"
	fi
done

echo "1..$n"
