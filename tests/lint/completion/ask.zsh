# What zsh offers for lines of standard input: prints "LINE<tab>WORD" for each word.
#
#     zsh -f ask.zsh DIRECTORY-OF-THE-COMPLETION <LINES
#
# zsh completes only in its line editor, so an interactive zsh runs at a pseudo-terminal, and one key
# has it complete all lines.  compadd, by which every word comes, tells them and adds none.

zmodload zsh/zpty
setup=$(mktemp -d) || exit 1
trap "rm -rf $setup" EXIT
cat >$setup/lines
: >$setup/words
cat >$setup/setup <<END
lines=("\${(@f)\$(<$setup/lines)}")
words_file=$setup/words
fpath=(${(q)1} \$fpath)
END
cat >>$setup/setup <<'END'
PROMPT=
unsetopt beep
autoload -Uz compinit
compinit -u -D
zstyle ':completion:*' completer _complete
compadd() {
	local -a __hits
	# Arrays of the caller's are filled: nothing is offered yet.
	if [[ ${(j: :)@[1,(i)(-|--)]} == (|* )-[OAD]* ]]; then
		builtin compadd "$@"
		return
	fi
	builtin compadd -A __hits "$@"
	((!$#__hits)) || print -rl -- $__line$'\t'${^__hits} >>$words_file
	return $((!$#__hits))
}
ask() {
	for __line in $lines; do
		BUFFER=$__line CURSOR=$#__line
		zle complete-word
	done
	print done >$words_file.done
	BUFFER=
}
zle -N ask
bindkey '^X' ask
END
zpty asked exec env TERM=dumb zsh -f -i
zpty -w asked ". $setup/setup; print rea''dy"
while zpty -r asked shown '*ready*'; do break; done
zpty -w -n asked $'\C-x'
for ((i = 0; i < 1200; i++)); do
	[[ ! -e $setup/words.done ]] || break
	zpty -r -t asked shown || sleep 0.1
done
zpty -d asked
cat $setup/words
[[ -e $setup/words.done ]]
