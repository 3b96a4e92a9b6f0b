# Completion of vitrine(1) for bash.  Knows no command and no option by heart: it asks --help, and
# the listing commands for what exists right now.
#
# shellcheck shell=bash disable=SC2207 # no word here has a space

_vitrine_commands() { vitrine --help 2>/dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p' | sort -u; }

_vitrine_verbs() { # NOUN: nothing if it is none
	vitrine --help 2>/dev/null | sed -n "s/^  $1 \([a-z][a-z-]*\) .*/\1/p"
}

_vitrine_options() { # COMMAND...
	vitrine "$@" --help 2>/dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p'
}

_vitrine_takes_value() { # OPTION COMMAND...
	vitrine "${@:2}" --help 2>/dev/null | grep -q -e "^  $1="
}

_vitrine_members() { # NAME: values of a member in JSON that has one in each line
	sed -n "s/^ *\"$1\": \"\([a-z0-9-]*\)\",\{0,1\}\$/\1/p"
}

_vitrine_profiles() { vitrine profile list 2>/dev/null; }
_vitrine_sandboxes() { vitrine ps --json 2>/dev/null | _vitrine_members id; }
_vitrine_images() { vitrine image list --json 2>/dev/null | _vitrine_members name; }

_vitrine_homes() { vitrine home list --json 2>/dev/null | _vitrine_members name; }

_vitrine_recipes() {
	local file
	for file in /usr/{,local/}share/vitrine/images/*.image \
		/{,usr/local/}etc/vitrine/images/*.image ~/.config/vitrine/images/*.image; do
		[[ -e $file ]] || continue
		file=${file##*/}
		echo "${file%.image}"
	done
}

_vitrine_reply() { COMPREPLY=($(compgen -W "$1" -- "$2")); } # WORDS CURRENT

_vitrine_files() { # CURRENT
	compopt -o filenames
	COMPREPLY=($(compgen -f -- "$1"))
}

_vitrine_value() { # OPTION CURRENT
	case $1 in
	--display | --network) _vitrine_reply none "$2" ;;
	--format) _vitrine_reply 'tar directory oci docker lxc squashfs erofs' "$2" ;;
	--profile | --root | --to | --lxc | --metadata | --output) _vitrine_files "$2" ;;
	--from) _vitrine_reply "$(_vitrine_sandboxes)" "$2" ;;
	esac
}

_vitrine_argument() { # CURRENT NUMBER COMMAND...: the NUMBER-th word that is no option
	case ${*:3} in
	stop | top) _vitrine_reply "$(_vitrine_sandboxes)" "$1" ;;
	'image verify' | 'image update') _vitrine_reply "$(_vitrine_images)" "$1" ;;
	share | unshare) (($2 == 1)) || _vitrine_files "$1" ;;&
	*) (($2 == 1)) || return ;;&
	run | 'profile show' | 'profile prepare' | 'profile render') _vitrine_reply "$(_vitrine_profiles)" "$1" ;;
	'home export' | 'home rm') _vitrine_reply "$(_vitrine_homes)" "$1" ;;
	enter | share | unshare | pick | changes | keep | review | logs | attach | detach) _vitrine_reply "$(_vitrine_sandboxes)" "$1" ;;
	'image build') _vitrine_reply "$(_vitrine_recipes)" "$1" ;;
	'image import') _vitrine_files "$1" ;;
	'image rm' | 'image show' | 'image rollback' | 'image save') _vitrine_reply "$(_vitrine_images)" "$1" ;;
	esac
}

_vitrine() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local verbs command i n=0 option=
	COMPREPLY=()

	if ((COMP_CWORD == 1)); then
		_vitrine_reply "$(_vitrine_commands) --help --version" "$current"
		return
	fi
	[[ ${COMP_WORDS[1]} =~ ^[a-z]+$ ]] || return
	command=("${COMP_WORDS[1]}")
	verbs=$(_vitrine_verbs "${command[0]}")
	if [[ -n $verbs ]]; then
		if ((COMP_CWORD == 2)); then
			_vitrine_reply "$verbs --help" "$current"
			return
		fi
		command+=("${COMP_WORDS[2]}")
	fi

	# What stands before the word: options, of which some take the next word, then arguments.
	# To bash, `--name=value` is three words.
	for ((i = 1 + ${#command[@]}; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		=) continue ;;
		esac
		if [[ -n $option ]]; then
			option=
		elif [[ ${COMP_WORDS[i]} == -- ]]; then
			[[ ${command[0]} != run ]] || ((n += 1000)) # a program of the user's comes
		elif [[ ${COMP_WORDS[i]} == -* && ($n -eq 0 || ${command[0]} != run) ]]; then
			! _vitrine_takes_value "${COMP_WORDS[i]}" "${command[@]}" ||
				option=${COMP_WORDS[i]}
		else
			((n++))
		fi
	done

	if [[ -n $option ]]; then
		[[ $current != = ]] || current=
		_vitrine_value "$option" "$current"
	elif [[ ${command[0]} == run && $n -gt 0 && $previous != -- ]]; then
		compopt -o default # belongs to the application
	elif ((n >= 1000)); then
		_vitrine_files "$current"
	elif [[ $current == -* ]]; then
		_vitrine_reply "$(_vitrine_options "${command[@]}")" "$current"
	else
		_vitrine_argument "$current" $((n + 1)) "${command[@]}"
	fi
}

complete -F _vitrine vitrine
