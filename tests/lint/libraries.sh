#!/bin/sh
# Each library is known where it is used, and nowhere else.
#
# TESTDATA is the directory tests/ of the sources.  Prints TAP.
set -u

sources=${TESTDATA:?}/..
n=0

# header, the files that may include it (both extended regular expressions), what it is
rows() {
	cat <<-'END'
		lxc/                src/box/                   liblxc
		seccomp\.h          src/emit/seccomp(-verify)?\.c libseccomp
		pulse/              src/session/sound-main\.c  libpulse
		archive(_entry)?\.h src/image/                 libarchive
		jansson\.h          src/(app|cli|image)/       jansson
		X11/                src/session/x11-auth\.[ch] libXau
		fuse                src/gate/                  libfuse
		systemd/            src/session/               libsystemd
		nettle/             src/base/sha256\.c         nettle
		xcb/                src/session/windows-main\.c libxcb
		zlib\.h             src/session/windows-main\.c zlib
	END
}

rows | {
	while read -r header files what; do
		n=$((n + 1))
		bad=$(cd "$sources" && grep -EHn "^#[[:space:]]*include <$header" src/*/*.[ch] |
			grep -Ev "^$files")
		if [ -z "$bad" ]; then
			echo "ok $n - $what"
		else
			echo "not ok $n - $what"
			echo "$bad" | sed 's/^/# /'
		fi
	done
	echo "1..$n"
}
