#!/usr/bin/env bats
# The profile package-build: a Debian source package becomes a package in a throw-away sandbox without network.
#
# shellcheck disable=SC2016 # what is in '' expands inside

load common

setup() {
	setup_sandboxes
	source=$BATS_TEST_TMPDIR/greet-1.0
	result=$BATS_TEST_TMPDIR/result
	mkdir -p "$source/debian/source" "$result"
	write_source no
}

# A program that is compiled, tested and installed.
write_source() { # RULES-REQUIRES-ROOT
	cd "$source" || return
	printf '%s\n' '#include <stdio.h>' 'int main(void) { return puts("hello from the package") < 0; }' >greet.c
	cat >Makefile <<-'END' # without tabs, which would be gone
		.RECIPEPREFIX = >
		greet: greet.c
		check: greet
		> ./greet | grep -q hello
		install: greet
		> install -D -m 755 greet $(DESTDIR)/usr/bin/greet
		clean:
		> rm -f greet
		.PHONY: check install clean
	END
	cat >debian/control <<-END
		Source: greet
		Section: misc
		Priority: optional
		Maintainer: Nobody <nobody@example.org>
		Build-Depends: debhelper-compat (= 13)
		Standards-Version: 4.6.2
		Rules-Requires-Root: $1

		Package: greet
		Architecture: any
		Depends: \${misc:Depends}, \${shlibs:Depends}
		Description: greets
		 Says hello.
	END
	cat >debian/changelog <<-'END'
		greet (1.0) unstable; urgency=medium

		  * First release.

		 -- Nobody <nobody@example.org>  Wed, 01 Jan 2025 00:00:00 +0000
	END
	printf '#!/usr/bin/make -f\n%%:\n\tdh $@\n' >debian/rules
	chmod 755 debian/rules
	echo '3.0 (native)' >debian/source/format
	cd "$BATS_TEST_TMPDIR" || return
}

build() { # FILE...: sets `deb`
	vitrine run package-build "$@" 3>&- 2>"$BATS_TEST_TMPDIR/log" | tar -x -C "$result" || fail "$(tail -n 20 "$BATS_TEST_TMPDIR/log")"
	deb=$(echo "$result"/greet_1.0_*.deb)
	[[ -e $deb ]] || fail "$(tail -n 20 "$BATS_TEST_TMPDIR/log")" "$(ls "$result")"
}

is_whole() {
	[[ $(dpkg-deb --field "$deb" Package Version) == $'Package: greet\nVersion: 1.0' ]]
	run -0 dpkg-deb --contents "$deb"
	[[ $output == *"-rwxr-xr-x root/root "*"./usr/bin/greet"* ]] || fail "$output"
	dpkg-deb --extract "$deb" "$BATS_TEST_TMPDIR/tree"
	run -0 "$BATS_TEST_TMPDIR/tree/usr/bin/greet"
	[[ $output == "hello from the package" ]]
	ls "$result"/greet_1.0_*.buildinfo "$result"/greet_1.0_*.changes
}

@test "a directory becomes a package, and is not changed" {
	local before
	before=$(find "$source" -type f -printf '%p %T@ %s\n' | sort)
	build "$source"
	is_whole
	[[ $(find "$source" -type f -printf '%p %T@ %s\n' | sort) == "$before" ]]
	[[ $(grep -c 'greet | grep -q hello' "$BATS_TEST_TMPDIR/log") == 1 ]] # its tests ran
	assert_nothing_left
}

@test "one that wants root gets fakeroot" {
	write_source binary-targets
	build "$source"
	is_whole
	grep -q fakeroot "$BATS_TEST_TMPDIR/log"
}

@test "a source package, too" {
	(cd "$BATS_TEST_TMPDIR" && dpkg-source -b greet-1.0)
	build "$BATS_TEST_TMPDIR"/greet_1.0.dsc "$BATS_TEST_TMPDIR"/greet_1.0.tar.*
	is_whole
}

@test "what a build tries does not come through" {
	cat >>"$source/debian/rules" <<-END
		.RECIPEPREFIX = >
		override_dh_auto_build:
		> test -e $HOME/Files/greet-1.0/greet.c
		> ! touch $HOME/Files/greet-1.0/stolen
		> ! ls $BATS_TEST_TMPDIR
		> test "\$\$(tail -n +3 /proc/net/dev | wc -l)" = 1
		> grep '^CapEff:.0*\$\$' /proc/self/status
		> dh_auto_build
	END
	build "$source"
	is_whole
	[[ ! -e $source/stolen ]]
	assert_nothing_left
}

@test "a build that fails says so by its exit status, and nothing is left" {
	echo 'int main(void) { return no_such_thing; }' >"$source/greet.c"
	run -2 --separate-stderr vitrine run package-build "$source" 3>&-
	[[ -z $output && $stderr == *no_such_thing* ]] || fail "$stderr"
	assert_nothing_left
}
