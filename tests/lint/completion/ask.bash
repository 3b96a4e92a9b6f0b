# What bash offers for lines of standard input: prints "LINE<tab>WORD" for each word.
#
#     bash ask.bash COMPLETION <LINES

compopt() { :; } # there is no line that it could change
# shellcheck source=/dev/null
. "$1"
function_of=$(complete -p vitrine | sed 's/.* -F \([^ ]*\) .*/\1/')

while IFS= read -r line; do
	# As readline splits it: "=" is a word.
	read -ra COMP_WORDS <<<"${line//=/ = }"
	[[ $line != *' ' ]] || COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	current=${COMP_WORDS[COMP_CWORD]}
	[[ $current != = ]] || current=
	"$function_of" vitrine "$current" "${COMP_WORDS[COMP_CWORD - 1]}" </dev/null
	for word in "${COMPREPLY[@]}"; do
		printf '%s\t%s\n' "$line" "$word"
	done
done
