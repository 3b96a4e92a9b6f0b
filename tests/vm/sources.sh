#!/bin/bash
# sources.sh RELEASE: prints where RELEASE of Debian comes from, as lines for sources.list: from where
# this machine has its own release.
# shellcheck disable=SC2016 # $(...) is a field of apt's
set -euo pipefail

release=$1
# shellcheck source=/dev/null
own=$(. /etc/os-release && echo "$VERSION_CODENAME")
apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
	awk -v own="$own" -v release="$release" '
		$3 == own || $3 == own "-updates" || $3 == own "-security" {
			$3 = release substr($3, length(own) + 1)
			if (!seen[$0]++)
				print
		}
		END { if (!length(seen)) exit 1 }' || {
	echo "test machine: /etc/apt names no source of $own: add one and run apt-get update" >&2
	exit 1
}
