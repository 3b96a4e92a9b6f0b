# What fish offers for lines of standard input: prints "LINE<tab>WORD" for each word.
#
#     fish ask.fish COMPLETION <LINES

source $argv[1]
while read -l line
    for offer in (complete -C "$line" </dev/null)
        printf '%s\t%s\n' "$line" (string split -f 1 \t -- $offer)
    end
end
