#!/bin/sh
# The command line tells the truth about itself: --help of everything, wrong calls, and doc/cli.md.
#
# VITRINE is the program, TESTDATA the directory tests/ of the sources.  Prints TAP.
set -u

vitrine=${VITRINE:?}
doc=${TESTDATA:?}/../doc
cli_md=$doc/cli.md
columns_max=80
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
n=0

ok() { # STATUS NAME: reads remarks on a failure from $scratch/why
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' "$scratch/why"
	fi
	: >"$scratch/why"
}
: >"$scratch/why"

call() { # ARGUMENT...: sets status; what was printed is in $scratch/out and $scratch/err
	"$vitrine" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
	status=$?
}

why() { echo "$*" >>"$scratch/why"; }

# "run", "profile list", ...: every command that --help names
commands() {
	"$vitrine" --help |
		sed -n 's/^  \([a-z][a-z]*\( [a-z][a-z-]*\)\{0,1\}\) .*/\1/p'
}

help_is_good() { # COMMAND...
	bad=0
	call "$@" --help
	[ "$status" -eq 0 ] || { bad=1 && why "exit status $status"; }
	[ -s "$scratch/out" ] || { bad=1 && why "nothing on standard output"; }
	[ ! -s "$scratch/err" ] || { bad=1 && cat "$scratch/err" >>"$scratch/why"; }
	awk -v max=$columns_max 'length($0) > max { print length($0) " columns: " $0; bad = 1 }
		END { exit bad }' "$scratch/out" >>"$scratch/why" || bad=1
	return $bad
}

refuses() { # WHAT ARGUMENT...: exit status 2, one line on standard error that shows WHAT
	what=$1
	shift
	bad=0
	call "$@"
	[ "$status" -eq 2 ] || { bad=1 && why "exit status $status"; }
	[ ! -s "$scratch/out" ] || { bad=1 && why "standard output is not empty"; }
	[ "$(wc -l <"$scratch/err")" -eq 1 ] || { bad=1 && why "not one line on standard error"; }
	grep -q "^vitrine: .*$what" "$scratch/err" || { bad=1 && why "'$what' is not named"; }
	[ $bad -eq 0 ] || cat "$scratch/err" >>"$scratch/why"
	return $bad
}

commands >"$scratch/commands"
grep -q '^run$' "$scratch/commands" && grep -q '^image list$' "$scratch/commands"
ok $? "--help names the commands"

help_is_good
ok $? "vitrine --help"
refuses xyzzy xyzzy
ok $? "an unknown command"
call --version
grep -q '^vitrine [0-9]' "$scratch/out" && [ $status -eq 0 ]
ok $? "vitrine --version"

while read -r command; do
	# shellcheck disable=SC2086 # one or two words
	{
		help_is_good $command
		ok $? "$command --help"
		head -n 1 "$scratch/out" | grep -q "^Usage: vitrine $command " ||
			{ head -n 1 "$scratch/out" >"$scratch/why" && false; }
		ok $? "$command --help begins with its call"
		page=vitrine-$(echo "$command" | tr ' ' -)
		tail -n 1 "$scratch/out" | grep -qx "The manual is $page(1)\."
		ok $? "$command --help names its page"
		refuses --xyzzy $command --xyzzy
		ok $? "$command: an unknown option"
	}
done <"$scratch/commands"

sed -n 's/ .*//p' "$scratch/commands" | sort -u >"$scratch/names"
while read -r noun; do
	help_is_good "$noun"
	ok $? "$noun --help"
	refuses xyzzy "$noun" xyzzy
	ok $? "$noun: an unknown verb"
done <"$scratch/names"

# A value that can only be one of some words is refused where it is another.
"$vitrine" --table </dev/null | awk -F '\t' '
	$1 == "command" { call = $2 }
	$1 == "option" && $4 ~ /^=/ { print call " " $2 "=xyzzy" }' >"$scratch/choices"
[ -s "$scratch/choices" ]
ok $? "there are options with choices"
grep -v '^admin' "$scratch/choices" | while read -r call; do
	# shellcheck disable=SC2086 # some words
	refuses xyzzy $call </dev/null || why "$call"
done
[ ! -s "$scratch/why" ]
ok $? "values that are no choice are refused"

# Where the manual is not installed, as here perhaps, --help is printed; the page tells the call too.
while read -r command; do
	# shellcheck disable=SC2086 # one or two words
	call help $command
	[ "$status" -eq 0 ] && [ ! -s "$scratch/err" ] &&
		tr -s '\n ' ' ' <"$scratch/out" | sed 's/.\x08//g' | grep -q "vitrine $command"
	ok $? "help $command"
done <"$scratch/commands"
refuses xyzzy help xyzzy
ok $? "help of an unknown command"
refuses xyzzy help image xyzzy
ok $? "help of an unknown verb"
refuses xyzzy help run xyzzy
ok $? "help of a verb of what is no noun"

# doc/cli.md: in the tables, a call stands in `backticks`; from *(planned)* on, or in a row that
# ends so, nothing is built.

section() { awk -v title="## $1" '$0 == title { on = 1; next } /^## / { on = 0 } on && /^\| `/' "$cli_md"; }

section 'Daily verbs' >"$scratch/daily"
section Nouns >"$scratch/nouns"
[ -s "$scratch/daily" ] && [ -s "$scratch/nouns" ]
ok $? "doc/cli.md has its tables"

first_words() { grep -o '`[a-z][a-z-]*' | tr -d '`' | sort -u; }
documented() {
	grep -v '(planned)' "$scratch/daily" | cut -d'|' -f2 | first_words
	sed 's/\*(planned)\*.*//' "$scratch/nouns" | while IFS='|' read -r _ noun verbs; do
		noun=$(echo "$noun" | first_words)
		echo "$verbs" | first_words | sed "s/^/$noun /"
	done
}
planned() {
	grep '(planned)' "$scratch/daily" | cut -d'|' -f2 | first_words
	# shellcheck disable=SC2016 # backticks of Markdown
	sed -n 's/.*|.*`\(.*\)`.*|.*\*(planned)\*\(.*\)/\1 \2/p' "$scratch/nouns" |
		while read -r noun verbs; do
			grep -q "^$noun " "$scratch/commands" || echo "$noun"
			echo "$verbs" | first_words | sed "s/^/$noun /"
		done
}

documented | sort -u >"$scratch/documented"
sort -u "$scratch/commands" | diff - "$scratch/documented" >"$scratch/why"
ok $? "the commands of doc/cli.md and of --help are the same"

planned | sort -u >"$scratch/planned"
sort -u "$scratch/commands" | comm -12 - "$scratch/planned" >"$scratch/why"
[ -s "$scratch/planned" ] && [ ! -s "$scratch/why" ]
ok $? "what is planned in doc/cli.md is not built"

echo "1..$n"
