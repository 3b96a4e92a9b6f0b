#!/usr/bin/env bats
# vitrine image import and save: what comes in and goes out, what is refused, and what is left then.

load common

setup() {
	setup_sandboxes
	cd "$BATS_TEST_TMPDIR" || return 1
	images=$HOME/.local/share/vitrine/images
	name=import-$$-$BATS_TEST_NUMBER
	names=("$name")
}

teardown() {
	teardown_sandboxes
	local one
	for one in "${names[@]}"; do
		vitrine image rm "$one" 2>/dev/null || true
	done
	chmod -R u+rwx "$BATS_TEST_TMPDIR"
}

# --- making things --------------------------------------------------------------------------------

# A root file system of programs of this host, with a bit of everything in it.
make_root() { # DIRECTORY
	local program library
	mkdir -p "$1"/{usr/{bin,lib,lib64,share},etc,dev,proc,sys,run,tmp,home,root,var/{tmp,lib/dpkg}}
	chmod 1777 "$1/tmp" "$1/var/tmp"
	ln -s usr/bin "$1/bin"
	ln -s usr/lib "$1/lib"
	ln -s usr/lib64 "$1/lib64"
	for program in sh cat ls touch mkdir ln; do
		cp -L "/usr/bin/$program" "$1/usr/bin/$program"
		ldd "/usr/bin/$program" | grep -o '/[^ ]*' | while read -r library; do
			mkdir -p "$1${library%/*}"
			cp -L "$library" "$1$library"
		done
	done
	echo hello >"$1/etc/greeting"
	ln "$1/etc/greeting" "$1/etc/greeting-too"
	ln -s greeting "$1/etc/greeting-link"
	echo 'VERSION_CODENAME=bookworm' >"$1/usr/lib/os-release"
	printf 'Package: a\nStatus: install ok installed\nVersion: 1.0\n\n' >"$1/var/lib/dpkg/status"
	truncate -s 300000 "$1/usr/share/zeros"
	touch "$1/usr/share/"$'new\nline' "$1/usr/share/no utf-8 "$'\xff'
	touch "$1/usr/share/$(printf 'a%.0s' {1..200})"
	find "$1" -depth -exec touch -h -d '2020-02-02 02:02:02.7' {} +
}

digests_of() { # IMAGE: of its layers
	jq -r '.layers[].sha256' "$images/names/$1/current"
}

tree_of() { # IMAGE [LAYER, from 1]
	echo "$images/layers/$(digests_of "$1" | sed -n "${2:-1}p")/root"
}

add_blob() { # FILE: prints its digest
	local digest
	digest=$(sha256sum <"$1" | cut -d' ' -f1)
	mkdir -p layout/blobs/sha256
	cp "$1" "layout/blobs/sha256/$digest"
	echo "$digest"
}

machine() {
	case $(uname -m) in
	x86_64) echo amd64 ;;
	aarch64) echo arm64 ;;
	*) uname -m ;;
	esac
}

descriptor() { # TYPE FILE [JQ FILTER]
	jq -cn --arg type "application/vnd.oci.image.$1" --arg digest "sha256:$(add_blob "$2")" \
		--argjson size "$(stat -c %s "$2")" \
		"{mediaType: \$type, digest: \$digest, size: \$size} | ${3:-.}"
}

# An OCI image layout of these layers in layout/; MANIFEST and INDEX are filters for them.
make_layout() { # TAR...
	local layer
	rm -rf layout
	mkdir layout
	echo '{"imageLayoutVersion":"1.0.0"}' >layout/oci-layout
	for layer; do descriptor layer.v1.tar "$layer"; done | jq -cs . >layers
	for layer; do echo "sha256:$(sha256sum <"$layer" | cut -d' ' -f1)"; done |
		jq -cR . | jq -cs . >digests
	jq -cn --arg a "${ARCHITECTURE:-$(machine)}" --slurpfile d digests \
		'{architecture: $a, os: "linux", rootfs: {type: "layers", diff_ids: $d[0]}}' >config
	jq -cn --argjson c "$(descriptor config.v1+json config)" --slurpfile l layers \
		'{schemaVersion: 2, config: $c, layers: $l[0]} | '"${MANIFEST:-.}" >manifest
	descriptor manifest.v1+json manifest >entries
	jq -cs '{schemaVersion: 2, manifests: .} | '"${INDEX:-.}" entries >layout/index.json
}

small_layer() { # FILE NAME...: a tar with these empty files
	local made
	made=$(mktemp -d -p "$BATS_TEST_TMPDIR")
	(cd "$made" && touch -- "${@:2}")
	tar -C "$made" -cf "$1" .
}

# Python writes what no tar program would. Lines: "TYPE NAME [TARGET or TEXT]".
hostile_tar() { # FILE, from standard input
	python3 -c '
import io, sys, tarfile
types = dict(f=tarfile.REGTYPE, l=tarfile.SYMTYPE, h=tarfile.LNKTYPE, d=tarfile.DIRTYPE,
	     c=tarfile.CHRTYPE, b=tarfile.BLKTYPE, p=tarfile.FIFOTYPE)
with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as tar:
    for line in sys.stdin:
        kind, name, *more = line.rstrip("\n").split(" ", 2)
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode = types[kind], 0o6755
        text = (more or [""])[0].encode()
        if kind in "lh":
            entry.linkname, text = more[0], b""
        if kind in "cb":
            entry.devmajor, entry.devminor = 1, 3
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
' "$1"
}

# --- what must hold -------------------------------------------------------------------------------

assert_refused() { # WHY, after `run`: one line, no image, nothing left
	[[ $status == 1 ]] || fail "status $status: $output"
	[[ ${lines[-1]} == "vitrine: cannot import "*"$1"* ]] || fail "'$1' expected: $output"
	[[ $output != *$'\033'* ]]
	assert_no_image
}

assert_no_image() {
	[[ ! -e $images/names/$name/current ]] || fail "there is an image"
	[[ -z $(find "$images/work" -mindepth 1) ]] || fail "there is work left"
}

refuse() { # WHY ARGUMENT...
	run vitrine image import "${@:2}" "$name"
	assert_refused "$1"
}

@test "a directory, and tar archives of it however compressed, are the same image" {
	local one
	make_root root
	tar -C root -cf root.tar .
	gzip -k root.tar
	xz -0 -k root.tar
	bzip2 -1 -k root.tar
	zstd -q root.tar
	run -0 vitrine image import root "$name"
	[[ $output == *"$name: this is a directory"* && $output == *"imported, "* ]]
	for one in root.tar root.tar.gz root.tar.xz root.tar.bz2 root.tar.zst; do
		names+=("$name-two")
		run -0 vitrine image import "$one" "$name-two"
		[[ $output == *"$name-two: this is a tar archive"* ]]
		[[ $(digests_of "$name") == "$(digests_of "$name-two")" ]]
	done
	run -0 vitrine image show "$name"
	[[ $output == *"imported from root"* && $output == *bookworm* && $output == *"a 1.0"* ]]
	run -0 vitrine image verify "$name"
	[[ -z $(find "$(tree_of "$name")" -perm /6000) ]]
}

@test "what is saved and imported again is the same, in every format" {
	local format
	make_root root
	vitrine image import root "$name"
	for format in tar squashfs oci; do
		names+=("$name-$format")
		vitrine image save --format "$format" --output "saved.$format" "$name"
		vitrine image save --format "$format" "$name" | cmp - "saved.$format"
		vitrine image import "saved.$format" "$name-$format"
		[[ $(digests_of "$name") == "$(digests_of "$name-$format")" ]] || fail "$format"
	done
	vitrine image save --format oci --output saved/ "$name"
	vitrine image import saved "$name-oci"
	[[ $(digests_of "$name") == "$(digests_of "$name-oci")" ]]
	vitrine image save --format erofs --output saved.erofs "$name"
	fsck.erofs --extract=erofs saved.erofs
	diff -r --no-dereference erofs "$(tree_of "$name")"
	sleep 1.1
	vitrine image save --format erofs "$name" | cmp - saved.erofs
}

@test "saving replaces nothing, leaves nothing, and knows where it may write" {
	make_root root
	vitrine image import root "$name"
	mkdir out
	echo old >out/file
	run -1 vitrine image save --output out/file "$name"
	[[ $output == *"already"*"--force"* && $(<out/file) == old ]]
	vitrine image save --force --output out/file "$name"
	tar tf out/file >/dev/null
	run -1 vitrine image save --output out/file/ --format oci "$name"
	run -1 vitrine image save --output out/new/ "$name"
	run -1 vitrine image save --output out/missing/file "$name"
	run -1 vitrine image save --output .. "$name"
	run -2 vitrine image save --format zip --output out/file "$name"
	run -1 vitrine image save --output out/new no-such-image
	[[ $(ls -A out) == file ]]
}

@test "a byte that changes in a layer is an error and no file" {
	local format file
	make_root root
	vitrine image import root "$name"
	file=$(tree_of "$name")/usr/share/zeros
	printf x | dd of="$file" bs=1 seek=1000 conv=notrunc status=none
	for format in tar squashfs erofs oci; do
		run -1 vitrine image save --format "$format" --output out "$name"
		[[ ${lines[-1]} == *"layer "*"'usr/share/zeros' is not as it was made"* ]]
		[[ ! -e out ]]
	done
	run -1 vitrine image save --format oci --output out/ "$name"
	[[ -z $(find . -maxdepth 1 -name '*out*') ]]
	truncate -s 0 "$file"
	run -1 vitrine image save --output out "$name"
	rm "$file"
	run -1 vitrine image save --output out "$name"
	sed -i 's/^f 644/f 755/' "$(tree_of "$name")/../index"
	run -1 vitrine image save --output out "$name"
	[[ $output == *"its index is not as it was made"* ]]
}

@test "layers of OCI: one each, and what is seen of them is what overlayfs shows" {
	local tree lower
	mkdir -p one/{usr/{a,b,c},etc,tmp} two/{usr/{a,b},etc,tmp} three/usr/b
	touch one/usr/{a/1,a/2,b/1,c/1,h1} one/etc/{1,2}
	ln one/usr/h1 one/usr/h2
	chmod 1777 one/tmp
	touch two/usr/{a/.wh..wh..opq,a/3,.wh.c,.wh.h1} two/etc/{.wh.1,3} two/tmp/x
	touch three/usr/b/{2,.wh.1} three/usr/c
	tar -C one -cf one.tar .
	tar -C two -cf two.tar usr/a/.wh..wh..opq usr/a/3 usr/.wh.c usr/.wh.h1 etc tmp/x
	tar -C three -cf three.tar .
	make_layout one.tar two.tar three.tar
	run -0 vitrine image import layout "$name"
	[[ $output == *"this is an OCI image layout"* && $output == *"3 layers"* ]]
	vitrine image save "$name" | tar -t | sed 's,/$,,' | LC_ALL=C sort >saved
	lower=$(for tree in 3 2 1; do tree_of "$name" $tree; done | paste -sd:)
	unshare -Urm sh -c 'mount -t overlay -o "userxattr,lowerdir=$1" none /mnt &&
		cd /mnt && find . -mindepth 1' sh "$lower" | sed 's,^\./,,' | LC_ALL=C sort >shown
	diff shown saved
	grep -qx usr/h2 saved
	run ! grep -x -e usr/h1 -e usr/a/1 -e etc/1 -e usr/c/1 saved
	# a directory that a layer does not say anything about is as it was
	[[ $(stat -c %a "$(tree_of "$name" 2)/tmp") == 1777 ]]

	names+=("$name-again")
	vitrine image save --format oci --output again "$name"
	vitrine image import again "$name-again"
	[[ $(digests_of "$name") == "$(digests_of "$name-again")" ]]
}

@test "layers that come twice, empty ones, an index in an index" {
	small_layer one.tar a b
	small_layer two.tar c
	tar -cf none.tar -T /dev/null
	make_layout none.tar one.tar two.tar none.tar one.tar
	vitrine image import layout "$name"
	[[ $(digests_of "$name" | wc -l) == 3 && -z $(digests_of "$name" | sort | uniq -d) ]]
	[[ -e $(tree_of "$name" 3)/a && -e $(tree_of "$name" 1)/c ]]
	cp layout/index.json inner
	descriptor index.v1+json inner | jq -cs '{manifests: .}' >layout/index.json
	vitrine image import layout "$name"
	[[ $(digests_of "$name" | wc -l) == 3 ]]
}

@test "an OCI image for another machine is refused; of several that for this one is taken" {
	small_layer one.tar a
	ARCHITECTURE=s390x make_layout one.tar
	refuse "for s390x" layout
	INDEX='.manifests[0].platform = {architecture: "s390x", os: "linux"}' make_layout one.tar
	refuse "but for s390x" layout
	INDEX='.manifests |= [.[0] + {platform: {architecture: "'"$(machine)"'", os: "linux"}},
		.[0] + {platform: {architecture: "s390x", os: "linux"}, size: 1}]' make_layout one.tar
	vitrine image import layout "$name"
	INDEX='.manifests |= [.[0], .[0]]' make_layout one.tar
	run -1 vitrine image import layout "$name"
	[[ $output == *"2 images"* ]]
}

@test "hostile OCI layouts" {
	local blob
	small_layer one.tar a
	make_layout one.tar
	blob=layout/blobs/sha256/$(jq -r '.[0].digest' layers | cut -d: -f2)
	cp -r layout good

	printf x | dd of="$blob" bs=1 seek=600 conv=notrunc status=none
	refuse "not what its digest says" layout
	truncate -s -512 "$blob"
	refuse "bytes where" layout
	ln -sf /etc/passwd "$blob"
	refuse "symbolic links" layout
	rm "$blob" && mkfifo "$blob"
	refuse "no regular file" layout
	rm "$blob" && mkdir "$blob"
	refuse "no regular file" layout
	rmdir "$blob"
	refuse "No such file" layout

	rm -r layout && cp -r good layout
	blob=layout/blobs/sha256/$(jq -r '.manifests[0].digest' layout/index.json | cut -d: -f2)
	sed -i 's/schemaVersion/schemaversion/' "$blob"
	refuse "not what its digest says" layout

	for digest in ../../../../etc/passwd sha256:../../../etc/passwd sha256: sha512:00; do
		INDEX=".manifests[0].digest = \"$digest\"" make_layout one.tar
		refuse "without a SHA-256 digest" layout
	done
	MANIFEST='.layers = [range(10000) as $i | .layers[0]]' make_layout one.tar
	refuse "more than 32 layers" layout
	MANIFEST='.layers[0].mediaType = "text/plain"' make_layout one.tar
	refuse "not known" layout
	MANIFEST='.layers += [.layers[0]]' make_layout one.tar
	refuse "2 layers, and digests of 1" layout
	# the digest of what contains it cannot be known: a cycle is an index that is not there
	INDEX='.manifests[0].mediaType = "application/vnd.oci.image.index.v1+json"' make_layout one.tar
	refuse "no list of images" layout
	make_layout one.tar
	for _ in {1..6}; do
		cp layout/index.json inner
		descriptor index.v1+json inner | jq -cs '{manifests: .}' >layout/index.json
	done
	refuse "too many indexes" layout
	make_layout one.tar
	echo '{"manifests": [], "manifests": []}' >layout/index.json
	refuse "duplicate" layout
	printf '[%.0s' {1..5000} >layout/index.json
	refuse "no JSON" layout
	truncate -s 5M layout/index.json
	refuse "index.json" layout
	rm layout/index.json && ln -s /etc/passwd layout/index.json
	refuse "symbolic links" --format=oci layout
	make_layout one.tar
	echo '{"imageLayoutVersion":"2.0.0"}' >layout/oci-layout
	refuse "another version" layout
}

@test "hostile archives of docker save" {
	local name_of
	small_layer one.tar a
	make_layout one.tar
	mkdir docker
	cp config one.tar docker
	for name_of in ../one.tar /etc/passwd link dir no-such; do
		ln -sf ../one.tar docker/link
		mkdir -p docker/dir
		jq -cn --arg l "$name_of" '[{Config: "config", Layers: [$l]}]' >docker/manifest.json
		refuse "" docker
	done
	jq -cn '[{Config: "../config", Layers: ["one.tar"]}]' >docker/manifest.json
	refuse "'..'" docker
	jq -cn '[{Config: "config", Layers: ["one.tar"]}]' >docker/manifest.json
	small_layer docker/one.tar b
	refuse "not what its digest says" docker
	cp one.tar docker
	run -0 vitrine image import docker "$name"
	[[ $output == *"docker save"* ]]
}

@test "hostile archives are refused, with nothing outside touched and nothing left" {
	local why line
	while read -r why line; do
		tr ';' '\n' <<<"$line" | hostile_tar hostile.tar
		refuse "$why" hostile.tar
	done <<-END
		'..' f ../evil x
		'..' d a;f a/../../../evil x
		absolute f $PWD/evil x
		symbolic l a $PWD;f a/evil x
		symbolic l a ..;d a/evil
		already l a $PWD/evil;f a x
		absolute h a /etc/passwd
		'..' h a ../../../../../../etc/passwd
		symbolic l a /etc;h b a/passwd
		no d a;h b a
		already f a x;f a y
		directory l dev /tmp
		directory l proc /tmp
		directory l sys /tmp
		directory l run /tmp
		directory l tmp /
		directory l home /home
		directory l root /root
		directory l var /var
		directory l var/tmp /tmp
		directory l etc /etc
	END
	[[ ! -e evil ]]
	# bombs, and what ends too early
	truncate -s 600M zeros
	tar -S -cf - zeros | cat >sparse.tar
	tar -cf - zeros | zstd -q >bomb.tar.zst
	refuse "became" bomb.tar.zst
	tar -cf - zeros | xz -0 >bomb.tar.xz
	refuse "became" bomb.tar.xz
	head -c 2000 bomb.tar.xz >short.tar.xz
	refuse "" short.tar.xz
	: >empty
	refuse "empty" empty
	head -c 100000 /dev/urandom >noise
	refuse "cannot read" noise
	refuse "No such file" missing
	refuse "neither" /dev/null
	mkfifo fifo
	refuse "neither" fifo
}

@test "privileges in an archive do not come along" {
	hostile_tar privileged.tar <<-'END'
		d usr
		f usr/su x
		c usr/null
		b usr/disk
		p usr/fifo
		c dev/null
		l dev/console /proc/sys/kernel/core_pattern
	END
	vitrine image import privileged.tar "$name"
	[[ -z $(find "$(tree_of "$name")" -perm /6000 -o ! -user "$(id -un)") ]]
	[[ -z $(find "$(tree_of "$name")" ! -type d ! -type f) ]]
	[[ -z $(ls -A "$(tree_of "$name")/dev") ]]
}

@test "a directory: nothing outside is followed, and what cannot be read is said" {
	make_root root
	ln -s /etc/passwd root/etc/passwd
	ln -s "$PWD" root/outside
	mkfifo root/etc/fifo
	vitrine image import root "$name"
	[[ -L $(tree_of "$name")/etc/passwd && -L $(tree_of "$name")/outside ]]
	[[ ! -e $(tree_of "$name")/etc/fifo ]]
	vitrine image rm "$name"
	chmod 0 root/etc/greeting
	refuse "'etc/greeting': Permission denied" root
	rm -f root/etc/greeting{,-too}
	chmod 0 root/usr/share
	refuse "'usr/share': Permission denied" root
}

@test "the pair of an LXC image server" {
	make_root root
	tar -C root -cJf rootfs.tar.xz .
	mkdir meta
	printf 'architecture: "s390x"\nproperties:\n  release: trixie\n' >meta/metadata.yaml
	tar -C meta -cJf meta.tar.xz .
	refuse "it is for s390x" --metadata meta.tar.xz rootfs.tar.xz
	printf 'architecture: %s\nproperties:\n  release: "trixie"\n' "$(uname -m)" >meta/metadata.yaml
	tar -C meta -cJf meta.tar.xz .
	run -0 vitrine image import --metadata meta.tar.xz rootfs.tar.xz "$name"
	[[ $output == *"LXC image server"* ]]
	[[ $(jq -r .suite "$images/names/$name/current") == trixie ]]
	tar2sqfs -q -c gzip rootfs.squashfs < <(xz -dc rootfs.tar.xz)
	names+=("$name-two")
	vitrine image import --metadata meta.tar.xz rootfs.squashfs "$name-two"
	[[ $(digests_of "$name") == "$(digests_of "$name-two")" ]]
	refuse_pair() { run -1 vitrine image import "$@" "$name-three" && [[ $output == *"$why"* ]]; }
	why='two files' refuse_pair --format lxc rootfs.tar.xz
	why='neither' refuse_pair --metadata rootfs.tar.xz rootfs.tar.xz
}

@test "skopeo and umoci take what is saved, and import takes what they make" {
	make_root root
	rm root/usr/share/no* # umoci would write a name that it says is UTF-8
	vitrine image import root "$name"
	names+=("$name-two" "$name-three")
	vitrine image save --format oci --output saved/ "$name"
	vitrine image save --format oci --output saved.tar "$name"
	[[ $(skopeo inspect oci:saved | jq -r .Architecture) == "$(machine)" ]]
	skopeo inspect oci-archive:saved.tar >/dev/null
	umoci unpack --rootless --image "saved:$name" bundle
	diff -r --no-dereference bundle/rootfs "$(tree_of "$name")"

	rm bundle/rootfs/etc/greeting
	rm -r bundle/rootfs/usr/share
	echo file >bundle/rootfs/usr/share
	umoci repack --image "saved:new" bundle
	skopeo copy -q oci:saved:new docker-archive:docker.tar
	skopeo copy -q oci:saved:new oci:new
	vitrine image import new "$name-two"
	vitrine image import docker.tar "$name-three"
	[[ $(digests_of "$name-two") == "$(digests_of "$name-three")" ]]
	[[ $(digests_of "$name-two" | head -n 1) == "$(digests_of "$name")" ]]
	vitrine image save "$name-two" | tar -t >files
	grep -qx usr/share files
	grep -qx etc/greeting-too files
	run ! grep -x -e etc/greeting -e usr/share/zeros files
}

@test "import that is interrupted or killed leaves no image, and its space is given back" {
	local call signal
	make_root root
	truncate -s 30G root/usr/share/much
	for signal in INT TERM HUP; do
		start_feeding
		kill -s "$signal" "$importer"
		code=0
		wait "$importer" || code=$?
		[[ $code == 1 ]] || fail "exit status $code after $signal"
		assert_no_image
	done
	truncate -s 0 root/usr/share/much
	head -c 5M /dev/urandom >root/usr/share/much
	for call in mkdirat openat:when=40 write:when=20 fchmod renameat2:when=1 renameat2:when=2 \
		syncfs symlinkat rename unlinkat:when=1; do
		strace -f -qq -o /dev/null -e "inject=$call:signal=KILL" \
			"$VITRINE" image import root "$name" >/dev/null 2>&1 3>&- || true
		if [[ -e $images/names/$name/current ]]; then
			vitrine image verify "$name"
			vitrine image rm "$name"
		fi
		vitrine image gc >/dev/null
		assert_no_image
	done
	vitrine image import root "$name"
	vitrine image verify "$name"
}

# An import that takes long; sets `importer`.
start_feeding() {
	vitrine image import root "$name" 3>&- 2>/dev/null &
	importer=$!
	wait_until 10 has_begun
}

has_begun() { [[ -n $(find "$images/work" -name much) ]]; }

@test "wrong calls" {
	run -2 vitrine image import
	run -2 vitrine image import root
	run -2 vitrine image import root "$name" more
	run -2 vitrine image import --format zip root "$name"
	run -2 vitrine image import --suite ../sid root "$name"
	run -2 vitrine image import root ../name
	run -2 vitrine image save
	run -2 vitrine image save ../name
}

@test "an imported image runs, and its links lead nowhere" {
	local secret=$BATS_TEST_TMPDIR/secret
	echo secret >"$secret"
	make_root root
	ln -s "$BATS_TEST_TMPDIR" root/usr/out
	ln -s /proc/1/root root/usr/init-root
	ln -s /../../../../../../tmp root/var/cache
	ln -s "$BATS_TEST_TMPDIR/made" root/etc/hostname
	ln -s "$BATS_TEST_TMPDIR/made" root/etc/resolv.conf
	ln -s "$BATS_TEST_TMPDIR/made" root/etc/machine-id
	ln -s /tmp root/.vitrine
	rm -f root/etc/passwd
	ln -s "$secret" root/etc/passwd
	vitrine image import root "$name"
	write_profile imported <<-END
		[App]
		Command=/bin/sh
		Image=$name
		[Display]
		Backend=none
	END
	run -0 vitrine run --profile "$(profile_file imported)" -- -c 'cat /etc/greeting; ls /etc'
	[[ $output == *hello* ]]
	run vitrine run --profile "$(profile_file imported)" -- -c \
		"cat /usr/out/secret; cat $secret; cat /etc/passwd; touch /usr/out/evil /etc/hostname"
	[[ $output != *$'\nsecret'* && $output != secret* ]]
	[[ ! -e made && ! -e evil && $(<"$secret") == secret ]]
	assert_nothing_left
}
