# Makes a completion of its template: in the place of the line "@table@" comes what `vitrine --table`
# says (src/cli/table.h), as the shell wants it.
#
#     awk -v shell=bash|zsh|fish -f generate.awk TABLE TEMPLATE
#
# bash and zsh get a function that sets, for a call,
#     verbs    (NAME:SUMMARY...)
#     opts     (--NAME:WHAT:SUMMARY...)
#     args     (WHAT...), of which the last one is for all that follow if `more` is 1
# fish gets the same as arguments of functions of the template, one call in each line.

BEGIN { FS = "\t" }

function fail(why) {
	print "generate.awk: " why >"/dev/stderr"
	failed = 1
	exit 1
}

# A word that the shell takes as it is. (What gsub() makes of backslashes differs.)
function quote(word, out, i, c) {
	for (i = 1; i <= length(word); i++) {
		c = substr(word, i, 1)
		if (c == "'")
			c = shell == "fish" ? "\\'" : "'\\''"
		else if (c == "\\" && shell == "fish")
			c = "\\\\"
		out = out c
	}
	return "'" out "'"
}

function plain(word) {
	if (word !~ /^[-=a-z0-9 .,_A-Z]+$/)
		fail("odd characters in '" word "'")
	return word
}

# The call above this one, and its last word
function above(call) { return call ~ / / ? substr(call, 1, match(call, / [^ ]*$/) - 1) : "" }
function last(call) { return call ~ / / ? substr(call, match(call, / [^ ]*$/) + 1) : call }

FNR == 1 { files++ }

files == 1 && ($1 == "noun" || $1 == "command") {
	call = plain($2)
	calls[++n_calls] = call
	verbs[above(call)] = verbs[above(call)] " " quote(last(call) ":" $4)
	told[above(call), ++n_told[above(call)]] = last(call) "\t" $4
	if ($1 == "noun")
		options[call] = " " quote("--help:-:print this")
	next
}
files == 1 && $1 == "option" {
	what = plain($4)
	options[call] = options[call] " " quote(plain($2) ":" what ":" $5)
	if ($3 != "-")
		options[call] = options[call] " " quote(plain($3) ":" what ":" $5)
	rows[call, ++n_rows[call]] = $2 "\t" $3 "\t" what "\t" $5
	next
}
files == 1 && $1 == "argument" {
	arguments[call] = arguments[call] " " quote(plain($3))
	n_arguments[call]++
	if ($4 == "more")
		more[call] = 1
	next
}
files == 1 && $1 == "key" {
	keys = keys " " plain($2)
	next
}
files == 1 { fail("what is '" $0 "'?") }

$0 != "@table@" { print; next }

shell != "fish" {
	print "_vitrine_table() { # CALL"
	print "\tverbs=() opts=() args=() more=0"
	print "\tcase $1 in"
	calls[0] = ""
	options[""] = " " quote("--help:-:print all commands") " " quote("--version:-:print the version")
	for (i = 0; i <= n_calls; i++) {
		call = calls[i]
		print "\t'" call "')"
		print "\t\tverbs=(" substr(verbs[call], 2) ")"
		print "\t\topts=(" substr(options[call], 2) ")"
		print "\t\targs=(" substr(arguments[call], 2) ") more=" (more[call] ? 1 : 0)
		print "\t\t;;"
	}
	print "\tesac"
	print "}"
	print "_vitrine_keys='" substr(keys, 2) "'"
	done = 1
}
shell == "fish" {
	print "set -g __vitrine_known_keys" keys
	calls[0] = ""
	for (i = 0; i <= n_calls; i++) {
		call = calls[i]
		for (k = 1; k <= n_told[call]; k++) {
			split(told[call, k], f, "\t")
			print "__vitrine_verb", quote(call), f[1], quote(f[2])
		}
		valued = ""
		for (k = 1; k <= n_rows[call]; k++) {
			split(rows[call, k], f, "\t")
			if (f[3] != "-")
				valued = valued " " f[1]
		}
		if (n_told[call]) {
			if (call != "")
				print "__vitrine_noun", quote(call)
			continue
		}
		print "__vitrine_call", quote(call), n_arguments[call] + 0, more[call] + 0 valued
		for (k = 1; k <= n_rows[call]; k++) {
			split(rows[call, k], f, "\t")
			print "__vitrine_option", quote(call), f[1], f[2], quote(f[3]), quote(f[4])
		}
		if (n_arguments[call])
			print "__vitrine_arguments", quote(call), more[call] + 0 arguments[call]
	}
	done = 1
}

END {
	if (!failed && !done)
		fail("the template has no line @table@")
	exit failed
}
