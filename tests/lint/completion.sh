#!/bin/sh
# bash, zsh and fish complete every command, option, value, argument and profile key that vitrine's
# tables have, nothing else, and run nothing of what a listing prints.
#
# VITRINE is the program, TESTDATA the directory tests/ of the sources; the completions lie where the
# program was built.  Prints TAP.
set -u

vitrine=${VITRINE:?}
ask=${TESTDATA:?}/lint/completion
made=$(dirname "$vitrine")/doc/completion
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
tab=$(printf '\t')
n=0

ok() { # STATUS NAME: reads remarks on a failure from $scratch/why
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		head -n 40 "$scratch/why" | sed 's/^/# /'
	fi
	: >"$scratch/why"
}
: >"$scratch/why"

for shell in bash zsh fish; do
	command -v $shell >/dev/null || {
		echo "1..0 # SKIP $shell is missing"
		exit 0
	}
done

# --- what there is to complete --------------------------------------------------------------------

mkdir "$scratch/bin" "$scratch/files" "$scratch/files/letters"
HOME=$scratch/home
export HOME
mkdir -p "$HOME/.config/vitrine/images"
: >"$HOME/.config/vitrine/images/ownimage.image"
: >"$scratch/files/letter.pdf"

# Names, and what hostile ones would do.  Whoever runs one of them leaves a file.
# shellcheck disable=SC2016 # nobody is to expand these
hostile='$(touch CANARY)
`touch CANARY`
x;touch CANARY;
<(touch CANARY)
(touch CANARY)
x|touch CANARY
\u0027;touch CANARY
-x
A_B'
members() { # MEMBER NAME...: as the listings print them, hostile ones among them
	member=$1
	shift
	for name; do echo "    \"$member\": \"$name\","; done
	printf '%s\n' "$hostile" | sed "s,CANARY,$scratch/canary,g; s,.*,    \"$member\": \"&\"\,,"
}
members id xterm-3f2a mpv-0a1b >"$scratch/ps"
members name base mousepad >"$scratch/images"
members name thunderbird >"$scratch/homes"
{
	printf '%s\n' xterm mpv
	printf '%s\n' "$hostile" | sed "s,CANARY,$scratch/canary,g"
} >"$scratch/profiles"

cat >"$scratch/bin/vitrine" <<END
#!/bin/sh
case "\$*" in
"ps --json") cat "$scratch/ps" ;;
"image list --json") cat "$scratch/images" ;;
"home list --json") cat "$scratch/homes" ;;
"profile list") cat "$scratch/profiles" ;;
*) echo "\$*" >>"$scratch/called" ;;
esac
END
cat >"$scratch/bin/apt-cache" <<END
#!/bin/sh
printf '%s\n' gpaint libfoo2.0-dev g++
cat "$scratch/profiles" | tail -n +3
END
chmod +x "$scratch/bin/vitrine" "$scratch/bin/apt-cache"

# --- what the tables want --------------------------------------------------------------------------

"$vitrine" --table </dev/null >"$scratch/table"
grep -q "^command${tab}run$tab" "$scratch/table" && grep -q "^key${tab}App.Command" "$scratch/table"
ok $? "vitrine --table names commands and keys"
grep "${tab}unknown" "$scratch/table" >"$scratch/why"
[ ! -s "$scratch/why" ]
ok $? "src/cli/table.c says what every word of a value or an argument is"
grep -q "^option${tab}--[a-z]*$tab-${tab}key$tab" "$scratch/table"
ok $? "an option takes a key"

# Lines to complete, and "GROUP<tab>LINE<tab>WORD" of what they must offer.  Where that is nothing,
# the line alone is asked.
awk -F '\t' -v lines="$scratch/lines" -v want="$scratch/want" '
	function offer(group, line, words,    i, k, w) {
		if (!(line in asked))
			print line >lines
		asked[line] = 1
		k = split(words, w, " ")
		for (i = 1; i <= k; i++)
			print group "\t" line "\t" w[i] >want
	}
	function above(call) { return call ~ / / ? substr(call, 1, match(call, / [^ ]*$/) - 1) : "" }
	function line_of(call) { return "vitrine " call (call == "" ? "" : " ") }
	function value(group, line, kind) {
		if (kind == "user")
			offer(group, line "roo", "root")
		else if (kind == "recipe")
			offer(group, line "ownim", "ownimage")
		else if (kind ~ /^=/)
			offer(group, line, substr(kind, 2))
		else
			offer(group, line, words[kind])
	}
	BEGIN {
		words["sandbox"] = "xterm-3f2a mpv-0a1b"
		words["profile"] = "xterm mpv"
		words["image"] = "base mousepad"
		words["home"] = "thunderbird"
		words["package"] = "gpaint libfoo2.0-dev g++"
		words["file"] = "letter.pdf letters"
		words["directory"] = "letters"
		words["any"] = ""
	}
	FILENAME != seen { seen = FILENAME; round++ }
	round == 1 {
		if ($1 == "key")
			words["key"] = words["key"] " " $2
		if ($1 == "noun" || $1 == "command") {
			last = $2
			sub(/.* /, "", last)
			verbs[above($2)] = verbs[above($2)] " " last
			verbs[$2] = verbs[$2] ""
		}
		next
	}
	$1 == "noun" {
		offer("commands", line_of($2), verbs[$2])
		offer("commands", "vitrine help " $2 " ", verbs[$2])
		offer("options", line_of($2) "-", "--help")
	}
	$1 == "command" {
		call = $2
		line = line_of(call)
		bare[call] = line
		if (call != "help")
			offer("commands", "vitrine help " call " ", "")
	}
	$1 == "option" {
		offer("options", line_of(call) "-", $2 ($3 == "-" ? "" : " " $3))
		if ($4 != "-") {
			value("values", line_of(call) $2 " ", $4)
			value("values", line_of(call) $2 "=", $4)
		}
	}
	$1 == "argument" {
		delete bare[call]
	}
	$1 == "argument" && $3 != "command" {
		value("arguments", line, $3)
		line = line "x "
		if ($4 == "more") # and so on
			value("arguments", line "x ", $3)
		else
			offer("arguments", line, "")
	}
	END {
		for (call in bare)
			offer("arguments", bare[call], "")
		offer("commands", "vitrine ", verbs[""])
		offer("commands", "vitrine help ", verbs[""])
		offer("options", "vitrine -", "--help --version")
		offer("arguments", "vitrine run -- ", words["file"])
		offer("options", "vitrine run xterm --", "")
		offer("options", "vitrine stop xterm --", "")
		offer("options", "vitrine profile keys -", "--json --help")
		offer("options", "vitrine profile show xterm --h", "--help")
		offer("values", "vitrine image save base --format s", "squashfs")
		offer("arguments", "vitrine share --limit 3M ", words["sandbox"])
		offer("arguments", "vitrine logs -f m", "mpv-0a1b")
		offer("arguments", "vitrine xyzzy ", "")
	}' "$scratch/table" round=2 "$scratch/table"
sort -u "$scratch/want" >"$scratch/sorted" && mv "$scratch/sorted" "$scratch/want"

# --- what shells offer ----------------------------------------------------------------------------

cp "$made/bash/vitrine" "$scratch/bash" && cp "$made/fish/vitrine.fish" "$scratch/fish" &&
	mkdir "$scratch/zsh" && cp "$made/zsh/_vitrine" "$scratch/zsh"
ok $? "the completions were made"

# An option is offered where nothing else can come, too; fish repeats "--name="; directories have a
# slash or not.
offers() { # SHELL WORD...: "LINE<tab>WORD" of all lines
	(cd "$scratch/files" && PATH=$scratch/bin:$PATH XDG_CONFIG_HOME='' "$@" <"$scratch/lines" 2>"$scratch/errors") |
		sed "s/$tab--[a-z-]*=/$tab/; s,/\$,," |
		awk -F '\t' '$1 ~ /-[a-z]*$/ || $2 !~ /^-/' | sort -u
}

for shell in bash zsh fish; do
	file=$scratch/$shell
	set -- $shell "$ask/ask.$shell" "$file"
	[ $shell != zsh ] || set -- zsh -f "$ask/ask.zsh" "$file"
	offers "$@" >"$scratch/offers"
	cat "$scratch/errors" >"$scratch/why"
	[ ! -s "$scratch/errors" ]
	ok $? "$shell: nothing goes wrong"

	for group in commands options values arguments; do
		sed -n "s/^$group$tab//p" "$scratch/want" | sort >"$scratch/group"
		[ -s "$scratch/group" ] && comm -23 "$scratch/group" "$scratch/offers" >"$scratch/why"
		[ ! -s "$scratch/why" ]
		ok $? "$shell: all $group are offered"
	done
	cut -f2- "$scratch/want" | sort -u | comm -13 - "$scratch/offers" >"$scratch/why"
	[ ! -s "$scratch/why" ]
	ok $? "$shell: nothing else is offered"
	ls "$scratch/canary" >"$scratch/why" 2>/dev/null
	[ ! -s "$scratch/why" ]
	ok $? "$shell: runs nothing of what is listed"
	rm -f "$scratch/canary"
	cat "$scratch/called" >"$scratch/why" 2>/dev/null
	[ ! -s "$scratch/why" ]
	ok $? "$shell: calls nothing but listings"
done

echo "1..$n"
