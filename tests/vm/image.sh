#!/bin/bash
# Makes the disks of a test machine and keeps them: no root needed.
#
#   image.sh machine RELEASE DIRECTORY    Debian itself: disk.ext4, kernel, initrd
#   image.sh data DIRECTORY               the caller's images `base`, `display` and `xterm`: disk.ext4
#
# Both print the directory below DIRECTORY which holds them.  Its name has a digest of what made it,
# and elder ones of the same kind are removed.
#
# shellcheck disable=SC2016 # what stands in single quotes is expanded by an inner shell
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/vm/packages.bash
. "$here/packages.bash"

say() { echo "test machine: $*" >&2; }

make_machine() { # INTO: in these two `set -e` is off
	local packages="${machine_packages[*]} ${release_packages[$release]}"
	bash "$here/sources.sh" "$release" >"$1/sources" &&
		tar -C "$here/machine" --owner=0 --group=0 --mode=u=rwX,go=rX -cf "$1/machine.tar" etc opt ||
		return
	# Everything but the hooks is debvm's: `mmdebstrap`, ext4, network, ssh.
	debvm-create --release="$release" --output="$1/disk.ext4" --size=16G --sshkey="$key.pub" \
		--hostname=machine --skip=packagelists -- \
		--include="${packages// /,}" --customize-hook="tar-in $1/machine.tar /" \
		--customize-hook='chroot "$1" bash /opt/machine/customize' \
		"$1/sources" &&
		copy_from_disk "$1" vmlinuz "$1/kernel" &&
		copy_from_disk "$1" initrd.img "$1/initrd"
}

copy_from_disk() { # DIRECTORY LINK FILE: of the links to the kernel in the root directory
	local target
	target=$(/sbin/debugfs -R "stat /$2" "$1/disk.ext4" 2>/dev/null |
		sed -n 's/^Fast link dest: "\(.*\)"/\1/p')
	/sbin/debugfs -R "cat /$target" "$1/disk.ext4" 2>/dev/null >"$3"
	[[ -s $3 ]]
}

# Images belong to their user alone, whose ids are alice's in the machine. Generations that are current go
# in, and their layers.
make_data() { # INTO
	local name manifest digest
	mkdir -p "$1/tree/images/layers"
	for name in "${data_images[@]}"; do
		manifest=$(readlink "$images/names/$name/current")
		mkdir -p "$1/tree/images/names/$name"
		cp -a "$images/names/$name/$manifest" "$images/names/$name/current" "$1/tree/images/names/$name/"
		for digest in $(jq -r '.layers[].sha256' "$images/names/$name/$manifest"); do
			[[ ! -e $1/tree/images/layers/$digest ]] || continue
			cp -al "$images/layers/$digest" "$1/tree/images/layers/" 2>/dev/null ||
				cp -a "$images/layers/$digest" "$1/tree/images/layers/"
		done
	done
	truncate -s 12G "$1/disk.ext4"
	unshare --user --map-user=1000 --map-group=1000 \
		/sbin/mke2fs -q -t ext4 -m 0 -L data -E root_owner=1000:1000 -d "$1/tree" "$1/disk.ext4" &&
		rm -rf "$1/tree"
}

what_makes_it() {
	case $kind in
	machine)
		echo "$release: ${machine_packages[*]} ${release_packages[$release]}"
		declare -f make_machine copy_from_disk
		cd "$here" && find machine -type f -print0 | sort -z |
			xargs -0 sha256sum
		cat "$key.pub"
		;;
	data)
		declare -f make_data
		for name in "${data_images[@]}"; do
			cat "$images/names/$name/current"
		done
		;;
	esac
}

kind=$1
release=
data_images=(base display xterm)
images=${XDG_DATA_HOME:-$HOME/.local/share}/vitrine/images
[[ $kind != machine ]] || {
	release=$2
	shift
}
mkdir -p "$2"
cache=$(cd "$2" && pwd)
key=$cache/key
name=$kind${release:+-$release}

exec 9>"$cache/key.lock"
flock 9
[[ -e $key ]] || ssh-keygen -q -t ed25519 -N '' -C 'test machine' -f "$key"
exec 9>"$cache/$name.lock" # one disk of a kind at a time
flock 9
digest=$(what_makes_it | sha256sum | cut -c 1-16)
made=$cache/$name-$digest
if [[ -e $made ]]; then
	say "the disk $name-$digest is in the cache"
else
	say "the disk $name-$digest is not in the cache: making it"
	started=$SECONDS
	rm -rf "$cache/$name-"*
	mkdir "$made.new"
	"make_$kind" "$made.new" >"$cache/$name.log" 2>&1 9>&- </dev/null || {
		tail -n 40 "$cache/$name.log" >&2
		rm -rf "$made.new"
		exit 1
	}
	mv "$made.new" "$made"
	say "made it in $((SECONDS - started)) s"
fi
echo "$made"
