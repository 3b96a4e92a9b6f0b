#!/bin/bash
# Runs the tests that need a real machine: Debian with its own kernel, systemd and AppArmor, emulated.
#
#   check.sh smoke          tests/vm/guest/smoke*.bats in Debian 12
#   check.sh all            all of tests/vm/guest/*.bats and tests/vm/*.bats in Debian 12 and 13
#   check.sh some RELEASE FILE...
#   check.sh enter RELEASE  a machine with the product, to look around in
#   check.sh stop           ends all machines of the user, the kept ones too
#
# Called by make, with BUILD (where the product is built), SOURCE (its sources) and MAKE.  Results are in
# BUILD/tests/vm: a .log and a .trs of the kind that automake's driver writes for each file of tests.
# VITRINE_VM=keep leaves the machines up and says how to enter and to end them; nothing else stays.
# VITRINE_VM_ACCEL=kvm is fast where KVM runs guests.
#
# shellcheck disable=SC2016 # what stands in single quotes is expanded by an inner shell
set -euo pipefail
shopt -s inherit_errexit nullglob
unset MAKEFLAGS MAKELEVEL

what=${1:-}
given=("${@:2}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vitrine-vm
results=${BUILD:-}/tests/vm
# shellcheck source=tests/vm/vm.bash
. "$here/vm.bash"

say() { echo "test machine: $*" >&2; }

# --- the product ----------------------------------------------------------------------------------

# Sources are handed over as `make dist` would: what is not in it cannot be built elsewhere either.
make_dist() {
	make -s -C "$BUILD" distdir distdir="$scratch/vitrine" >"$scratch/dist.log" 2>&1 </dev/null || {
		tail -n 20 "$scratch/dist.log" >&2
		return 1
	}
	chmod -R u+w "$scratch/vitrine"
}

# In a build directory: the tree that is laid over a machine, as product.tar.
stage='
	make -s install DESTDIR="$PWD/stage" >stage.log 2>&1
	mkdir -p stage/opt/tests/programs
	find tests/live/programs -maxdepth 1 -type f -executable -exec cp {} stage/opt/tests/programs/ \;
	tar -C stage --owner=0 --group=0 -cf product.tar .
	rm -rf stage'

own_release() { # shellcheck source=/dev/null
	(. /etc/os-release && echo "$VERSION_CODENAME")
}

stage_here() { (cd "$BUILD" && bash -ec "$stage" && mv product.tar "$scratch/product.tar"); }

# Another release's product is compiled in a tree of that release: natively, emulation is slow.
stage_elsewhere() { # RELEASE
	local packages tree digest product
	make_dist || return
	packages=$(bash "$SOURCE/setup" packages build)
	tree=$cache/build-$1-$(echo "$packages" | sha256sum | cut -c 1-16).tar
	digest=$(cd "$scratch/vitrine" && find . -type f -print0 | sort -z | xargs -0 sha256sum |
		cat - <(echo "$stage $tree") | sha256sum | cut -c 1-16)
	product=$cache/product-$1-$digest.tar
	bash "$here/sources.sh" "$1" >"$scratch/sources" || return
	[[ -e $tree ]] || {
		say "making a tree of $1 to build in"
		rm -f "$cache/build-$1-"*
		mmdebstrap --variant=apt --format=tar --include="${packages// /,}" --skip=cleanup/apt/lists,output/dev \
			"$1" "$tree.new" "$scratch/sources" >"$scratch/tree.log" 2>&1 </dev/null || {
			tail -n 20 "$scratch/tree.log" >&2
			return 1
		}
		mv "$tree.new" "$tree" || return
	}
	if [[ -e $product ]]; then
		say "the product for $1 is in the cache"
	else
		say "building the product for $1"
		rm -f "$cache/product-$1-"*
		tar -C "$scratch" -cf "$scratch/vitrine.tar" vitrine
		mmdebstrap --variant=custom --format=null --skip=update,cleanup \
			--setup-hook="tar-in $tree /" --setup-hook='mkdir -p "$1/dev"' \
			--customize-hook="tar-in $scratch/vitrine.tar /root" \
			--customize-hook='chroot "$1" bash -ec "$STAGE"' \
			--customize-hook="download /root/build/product.tar $product.new" \
			"$1" - "$scratch/sources" >"$scratch/elsewhere.log" 2>&1 </dev/null || {
			tail -n 40 "$scratch/elsewhere.log" >&2
			return 1
		}
		mv "$product.new" "$product"
	fi
	cp "$product" "$scratch/product.tar"
}
export STAGE='
	mkdir /root/build
	cd /root/build
	../vitrine/configure -q --prefix=/usr/local --sysconfdir=/etc
	make -s -j"$(nproc)"
	make -s -j"$(nproc)" check TESTS='"$stage"

put_product() { # RELEASE
	local stage_for=stage_elsewhere
	[[ $1 != "$(own_release)" ]] || stage_for=stage_here
	$stage_for "$1" || return
	vm_root 'tar --no-overwrite-dir -C / -x && ldconfig' <"$scratch/product.tar" || return
	tar -C "$SOURCE" --exclude=tests/fuzz --owner=0 --group=0 -c tests |
		vm_root 'mkdir -p /opt && tar -C /opt -x && install -d -o alice -g alice /opt/results' || return
	vm_root 'PATH=/usr/local/bin:$PATH vitrine admin install-policies' >&2
}

# --- tests ----------------------------------------------------------------------------------------

# From TAP to the lines by which automake's driver tells results.
write_results() { # NAME STATUS
	awk -v status="$2" '
		/^1\.\.[0-9]+/ { planned = substr($1, 4) }
		/^(not )?ok / {
			seen++
			result = /# skip/ ? "SKIP" : /^not/ ? "FAIL" : "PASS"
			bad += result == "FAIL"
			sub(/^(not )?ok /, "")
			print ":test-result: " result " " $0
		}
		END {
			if (planned == "" || seen != planned || (status != 0 && !bad))
				print ":test-result: ERROR - exit status " status ", " seen + 0 " of " planned + 0 " tests ran"
		}' "$results/$1.log" >"$results/$1.trs"
	sed -n "s|^:test-result: \([A-Z]*\) |\1: $1 |p" "$results/$1.trs"
}

# An emulated machine may stand still for good, with nothing to be seen on its console.
machine_is_lost() { # STATUS of ssh
	(($1 == 255)) && ! vm_boot_id >/dev/null 2>&1
}

run_tests() { # RELEASE FILE COMMAND...; sets `lost`
	local name started=$SECONDS status=0
	name=$1-$(basename "$2" .bats)
	"${@:3}" </dev/null >"$results/$name.log" 2>&1 || status=$?
	! machine_is_lost $status || lost=$name
	((status != 124)) || echo "# this took too long and was ended" >>"$results/$name.log"
	vm_runs || tail -n 25 "$vm/console" | sed 's/^/# console: /' >>"$results/$name.log"
	write_results "$name" "$status"
	echo "| $1 | $(basename "$2") | $(count "$name" PASS) | $(count "$name" 'FAIL|ERROR') |" \
		"$(count "$name" SKIP) | $((SECONDS - started)) |" >>"$scratch/table"
}

count() { grep -cE "^:test-result: ($2) " "$results/$1.trs" || true; } # NAME RESULTS

run_in_guest() { # RELEASE FILE
	# shellcheck disable=SC2034 # for vm_ssh
	local vm_limit=20m
	[[ $(basename "$2") != smoke* ]] || vm_limit=8m
	run_tests "$1" "$2" vm_alice "cd /opt/tests/vm/guest && exec env LANG=C.UTF-8 \
		PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin:/opt/machine \
		VITRINE=/usr/local/bin/vitrine VITRINE_PROGRAMS=/opt/tests/programs \
		VITRINE_VM_RELEASE=$1 VITRINE_VM_RESULTS=/opt/results VITRINE_FIGURES=/opt/results/figures \
		/opt/machine/in-desktop bats --tap $(basename "$2")"
}

run_on_host() { # RELEASE FILE
	VITRINE_VM_RELEASE=$1 run_tests "$1" "$2" timeout --kill-after=10 20m bats --tap "$2"
}

# --- machines -------------------------------------------------------------------------------------

with_machine() { # RELEASE FILE...: what must not fail is said, since `set -e` is off in here
	local release=$1 file machine data started
	shift
	machine=$(bash "$here/image.sh" machine "$release" "$cache") || return
	data=$(bash "$here/image.sh" data "$cache") || return
	vm=$scratch/$release
	vm_key=$cache/key
	export vm vm_key VM_LIBRARY=$here/vm.bash
	mkdir "$vm"

	started=$SECONDS
	vm_start "$machine" "$data" || return
	vm_await || return
	say "$release booted in $((SECONDS - started)) s, accelerator ${VITRINE_VM_ACCEL:-tcg}"
	started=$SECONDS
	put_product "$release" || return
	say "the product is in it after $((SECONDS - started)) s"
	for file; do
		case $file in
		*/guest/*) run_in_guest "$release" "$file" ;;
		*) run_on_host "$release" "$file" ;;
		esac
		[[ -z $lost ]] || return 0
	done
	mkdir -p "$results/$release"
	vm_root 'tar -C /opt/results -c .' </dev/null | tar -C "$results/$release" --no-same-owner -x ||
		say "the results of $release did not come back"
	end_machine
}

end_machine() {
	if [[ ${VITRINE_VM:-} != keep ]]; then
		vm_end
		return
	fi
	cat >&2 <<-END
		test machine: it stays.  To enter it (or as root@127.0.0.1):
		  ssh -i $vm_key -p $(<"$vm/port") -o NoHostAuthenticationForLocalhost=yes alice@127.0.0.1
		/opt/machine/in-desktop CMD... runs CMD on alice's desktop.  To end all machines: ./setup stop
	END
}

machine_fails() { # RELEASE: no test of it could be run
	echo ":test-result: ERROR $1 - the machine or the product in it did not come up" >"$results/$1.trs"
	echo "ERROR: $1 - the machine or the product in it did not come up"
	[[ ! -e $scratch/$1/console ]] || cp "$scratch/$1/console" "$results/$1.log"
	echo "| $1 | did not come up | 0 | 1 | 0 | |" >>"$scratch/table"
	[[ ! -e $scratch/$1/pid ]] || end_machine
}

table() {
	echo '| Machine | Tests | Passed | Failed | Skipped | Seconds |'
	echo '| --- | --- | --- | --- | --- | --- |'
	cat "$scratch/table"
}

# Tests that froze a machine are run once more in a new one: what does that again is a fault.
check() { # RELEASE FILE...
	local lost=
	with_machine "$@" || machine_fails "$1"
	[[ -n $lost ]] || return 0
	say "the machine stood still during $lost; once more, in a new one"
	tail -n 25 "$vm/console" >&2
	vm_end || true
	rm -rf "$vm"
	lost=
	with_machine "$@" || machine_fails "$1"
	[[ -z $lost ]] || end_machine
}

run_all() {
	rm -f "$results"/*.trs "$results"/*.log
	: >"$scratch/table"
	case $what in
	smoke) check bookworm "$here"/guest/smoke*.bats ;;
	all)
		check bookworm "$here"/guest/*.bats "$here"/*.bats
		check trixie "$here"/guest/*.bats "$here"/*.bats
		write_document >"$SOURCE/doc/test-machine-results.md"
		;;
	some) check "${given[@]}" ;;
	enter) with_machine "${given[0]:-bookworm}" ;;
	esac
	table
	! grep -qE '^:test-result: (FAIL|ERROR|SKIP)' "$results"/*.trs
}

write_document() {
	local figures=("$results"/*/figures)
	echo "# What \`make check-vm\` said"
	echo
	echo "On $(date +%Y-%m-%d), by hand, accelerator ${VITRINE_VM_ACCEL:-tcg}:"
	echo
	table
	((!${#figures[@]})) || {
		printf '\nFigures, from within the machines:\n\n'
		sed 's/^/- /' "${figures[@]}"
	}
}

# All runs in a group of processes of its own, so that none is left, whenever this is ended.
finish() {
	local status=$?
	trap '' INT TERM HUP
	kill -s TERM -- "-$worker" 2>/dev/null && sleep 1
	kill -s KILL -- "-$worker" 2>/dev/null
	[[ ${VITRINE_VM:-} == keep ]] || rm -rf "$scratch"
	exit "$status"
}

end_with_owner() { # in that group: when nothing is left that could call finish()
	while kill -s 0 "$$" 2>/dev/null; do
		sleep 2
	done
	[[ ${VITRINE_VM:-} == keep ]] || rm -rf "$scratch"
	kill -s KILL 0
}

is_of() { grep -qaF -- "$2" "/proc/$1/cmdline" 2>/dev/null; } # PID WORD

stop() {
	local run file
	for run in "$cache"/run/*/; do
		is_of "$(<"${run}owner")" "$here/check.sh" && kill -s TERM "$(<"${run}owner")" && continue
		for file in "$run"*/pid; do
			! is_of "$(<"$file")" "${file%/pid}" || kill -s TERM "$(<"$file")"
		done
		rm -rf "$run"
	done
}

case $what in
smoke | all | some) ;;
enter) VITRINE_VM=keep ;;
stop)
	stop
	exit
	;;
*)
	echo "usage: check.sh smoke | all | some RELEASE FILE... | enter [RELEASE] | stop" >&2
	exit 2
	;;
esac

mkdir -p "$cache/run" "$results"
scratch=$(mktemp -d "$cache/run/XXXXXX")
echo "$$" >"$scratch/owner"
set -m
{
	end_with_owner &
	run_all
} </dev/null &
worker=$!
set +m
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
wait "$worker"
