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

# --- One page for each command: its options, and nothing else -------------------------------------

# Verbs of "admin image" that are those of "image" have no page of their own.
"$vitrine" --table </dev/null | awk -F '\t' '
	function page_of(call) {
		gsub(/ /, "-", call)
		return "vitrine-" call
	}
	($1 == "command" || $1 == "noun") && $3 == page_of($2) { print $2 }' >"$scratch/commands"
grep -q '^run$' "$scratch/commands" && grep -q '^image list$' "$scratch/commands" &&
	grep -q '^admin image build$' "$scratch/commands"
ok $? "--table names the commands"

sed 's/ /-/g; s/.*/vitrine-&.1/' "$scratch/commands" | sort >"$scratch/pages"
for page in "$man"/vitrine-*.1.scd; do basename "$page" .scd; done |
	sort | diff "$scratch/pages" - >"$scratch/why"
ok $? "each command has a page, and each page a command"
sed 's/\.1$//; s/.*/^\\*&\\*\\(1\\)$/' "$scratch/pages" | all_in "$man/vitrine.1.scd"
ok $? "vitrine.1 names every page"

sections() { # PAGE: those that must be there, in their order; others may be among them
	sed -n 's/^# //p' "$1" | grep -x -e NAME -e SYNOPSIS -e DESCRIPTION -e OPTIONS \
		-e 'EXIT STATUS' -e EXAMPLES -e 'SEE ALSO'
}

# "--option=VALUE" and "--option, -o" of a command, and the same of its page
options_of_help() {
	sed -n 's/^  \(--[a-z-]*\(=[^ ]*\)\{0,1\}\(, -[a-z]\)\{0,1\}\) .*/\1/p' | grep -vx -e --help | sort
}
options_of_page() { sed -n 's/^\(\*--.*\)/\1/p' "$1" | tr -d '*_' | sort; }

while read -r command; do
	name=vitrine-$(echo "$command" | tr ' ' -)
	page=$man/$name.1.scd
	# shellcheck disable=SC2086 # some words
	"$vitrine" $command --help </dev/null | options_of_help >"$scratch/options"

	head -n 5 "$page" | grep -q "^$name - [^A-Z].*[^.]\$" || why "its name is not that of its command"
	grep -A 2 '^# SYNOPSIS$' "$page" |
		grep -q "^\*vitrine\* \*$(echo "$command" | sed 's/ /\\* \\*/g')\*" ||
		why "its synopsis does not begin with the call"
	{
		printf '%s\n' NAME SYNOPSIS DESCRIPTION
		[ ! -s "$scratch/options" ] || echo OPTIONS
		printf '%s\n' 'EXIT STATUS' EXAMPLES 'SEE ALSO'
	} >"$scratch/sections"
	sections "$page" | grep -vx "$([ "$command" != 'admin image' ] || echo OPTIONS)" |
		diff "$scratch/sections" - >>"$scratch/why"
	is_empty "$scratch/why"
	ok $? "$name has its parts"
	options_of_page "$page" | diff "$scratch/options" - >"$scratch/why"
	ok $? "$name has the options of its command"
done <"$scratch/commands"

# --- All pages -------------------------------------------------------------------------------------

for page in "$man"/*.scd; do echo "doc/man/${page##*/}"; done >"$scratch/there"
sed -n 's,^	\(doc/man/.*\.scd\).*,\1,p' "$sources/doc/Makemodule.am" | diff "$scratch/there" - >"$scratch/why"
ok $? "doc/Makemodule.am names all pages, in the order of their names"
for page in "$man"/*.scd; do
	grep -o '\*vitrine[a-z.-]*\*([0-9])' "$page" | tr -d '*' | sort -u | while read -r other; do
		[ -e "$man/$(echo "$other" | sed 's/(\(.\))/.\1/').scd" ] || why "${page##*/}: there is no $other"
	done
done
is_empty "$scratch/why"
ok $? "the pages that pages name are there"

# --- vitrine.profile(5): the key table ------------------------------------------------------------

# "[Section] Key Default" of every row, "-" for no default
"$vitrine" profile keys </dev/null |
	awk '{ sub(/\./, "] ", $1); print "[" $1, ($2 == "-" ? "" : $2) }' >"$scratch/keys"
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
ok $? "vitrine profile keys lists them"
diff "$scratch/keys" "$scratch/told" >"$scratch/why"
ok $? "vitrine.profile.5 has the keys of the table, with section and default"

"$vitrine" profile keys </dev/null | sed -n 's/.*\.\([A-Za-z]*\) .* not supported in.*/\1/p' >"$scratch/keys"
sed -n '/^\*[A-Za-z]*=\*$/{ s/^\*\(.*\)=\*$/\1/; h; n; /^	Type: not supported/{ g; p } }' \
	"$man/vitrine.profile.5.scd" | diff "$scratch/keys" - >"$scratch/why"
ok $? "vitrine.profile.5 says which of them are not supported"

# --- vitrine.image(5): recipes --------------------------------------------------------------------

sed -n 's/^	{ "\([A-Z][A-Za-z]*\)", [a-z_]* },$/\1/p' "$sources/src/image/recipe.c" |
	sort >"$scratch/keys"
sed -n 's/^\*\([A-Za-z]*\)=\*$/\1/p' "$man/vitrine.image.5.scd" | sort >"$scratch/told"
[ -s "$scratch/keys" ] && diff "$scratch/keys" "$scratch/told" >"$scratch/why"
ok $? "vitrine.image.5 has the keys of a recipe"

# --- vitrine-seccomp(7): sets and policies --------------------------------------------------------

sed -n 's/^set \(@[a-z-]*\).*/\1/p' "$sources/seccomp-policies/sets.policy" | sort >"$scratch/sets"
sed -n 's/^\*\(@[a-z-]*\)\*$/\1/p' "$man/vitrine-seccomp.7.scd" | sort >"$scratch/told"
[ -s "$scratch/sets" ] && diff "$scratch/sets" "$scratch/told" >"$scratch/why"
ok $? "vitrine-seccomp.7 has every set"
for policy in "$sources"/seccomp-policies/*.policy; do
	case $(basename "$policy" .policy) in
	gate | denied | sets | lxc-deny) ;;
	*) echo "^\\*$(basename "$policy" .policy)\\*\$" ;;
	esac
done | all_in "$man/vitrine-seccomp.7.scd"
ok $? "vitrine-seccomp.7 has every policy"

echo "1..$n"
