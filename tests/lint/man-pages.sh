#!/bin/sh
# The manual is whole: it renders, and names every command, option, profile key and recipe key.
#
# VITRINE is the program, TESTDATA the directory tests/ of the sources.  Prints TAP.
set -u

vitrine=${VITRINE:?}
sources=${TESTDATA:?}/..
man=$sources/doc/man
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

need() { # PROGRAM
	command -v "$1" >/dev/null && return
	echo "1..0 # SKIP $1 is missing"
	exit 0
}

why() { echo "$*" >>"$scratch/why"; }

# Every extended regular expression of standard input, one in each line, is found in a file.
all_in() { # FILE
	bad=0
	while read -r pattern; do
		grep -Eq -e "$pattern" "$1" || { bad=1 && why "not in ${1##*/}: $pattern"; }
	done
	return $bad
}

is_empty() { [ ! -s "$1" ]; }

need scdoc
need mandoc

for page in "$man"/*.scd; do
	name=$(basename "$page" .scd)
	scdoc <"$page" >"$scratch/$name" 2>"$scratch/why"
	ok $? "$name: scdoc"
	mandoc -Tlint -Wwarning "$scratch/$name" 2>&1 |
		grep -v 'skipping paragraph macro: PP' >"$scratch/why" # as scdoc writes them
	is_empty "$scratch/why"
	ok $? "$name: mandoc"
done

# --- vitrine(1): commands and options -------------------------------------------------------------

"$vitrine" --help | sed -n 's/^  \([a-z][a-z]*\( [a-z][a-z-]*\)\{0,1\}\) .*/\1/p' >"$scratch/commands"
grep -q '^run$' "$scratch/commands" && grep -q '^image list$' "$scratch/commands"
ok $? "--help names the commands"

# Each has an entry of its own: a line that begins with its name in bold.
sed 's/.*/^\\*&\\*/' "$scratch/commands" | all_in "$man/vitrine.1.scd"
ok $? "vitrine.1 has every command"
sed 's/ /\\* \\*/; s/.*/^\\*vitrine\\* \\*&\\*/' "$scratch/commands" | all_in "$man/vitrine.1.scd"
ok $? "vitrine.1 has every command in its synopsis"

# The part of the page that is about one command, up to the next one.
entry() { # COMMAND
	awk -v begin="*$1*" '/^[*#]/ { on = index($0, begin) == 1 } on' "$man/vitrine.1.scd"
}

while read -r command; do
	# shellcheck disable=SC2086 # one or two words
	"$vitrine" $command --help </dev/null |
		sed -n 's/^  \(--[a-z-]*\).*/\1/p' | grep -vx -e --help >"$scratch/options"
	entry "$command" >"$scratch/entry"
	sed 's/.*/^	\\*&\\*/' "$scratch/options" | all_in "$scratch/entry"
	ok $? "vitrine.1 has every option of $command"
	grep -o '^	\*--[a-z-]*' "$scratch/entry" | tr -d '	*' | sort -u >"$scratch/told"
	sort "$scratch/options" | comm -13 - "$scratch/told" >"$scratch/why"
	is_empty "$scratch/why"
	ok $? "vitrine.1 has no other option of $command"
done <"$scratch/commands"

# --- vitrine.profile(5): the key table ------------------------------------------------------------

# "[Section] Key Default" of every row, "-" for no default
rows='s/^	{ "\([A-Za-z]*\)", *"\([A-Za-z]*\)", *\("\([^"]*\)"\|NULL\),.*/[\1] \2 \4/p'
sed -n "$rows" "$sources/src/profile/keys.c" >"$scratch/keys"
# The same from the page: of a key, its section and the text after "Default:"
awk '/^# \[/ { section = $2 }
	/^\*[A-Za-z]*=\*$/ { key = substr($0, 2, length($0) - 3) }
	/^	Type: / && key != "" {
		value = $0
		sub(/.*Default: */, "", value)
		sub(/\.$/, "", value)
		plain = value !~ /^\*/
		gsub(/\*/, "", value)
		print section, key, (plain ? "" : value)
		key = ""
	}
	/^	Type: .*Needed\.$/ { key = "" }' "$man/vitrine.profile.5.scd" >"$scratch/told"
[ "$(wc -l <"$scratch/keys")" -ge 10 ]
ok $? "the key table can be read"
diff "$scratch/keys" "$scratch/told" >"$scratch/why"
ok $? "vitrine.profile.5 has the keys of the table, with section and default"

# --- vitrine.image(5): recipes --------------------------------------------------------------------

sed -n 's/^	{ "\([A-Z][A-Za-z]*\)", [a-z_]* },$/\1/p' "$sources/src/image/recipe.c" |
	sort >"$scratch/keys"
sed -n 's/^\*\([A-Za-z]*\)=\*$/\1/p' "$man/vitrine.image.5.scd" | sort >"$scratch/told"
[ -s "$scratch/keys" ] && diff "$scratch/keys" "$scratch/told" >"$scratch/why"
ok $? "vitrine.image.5 has the keys of a recipe"

echo "1..$n"
