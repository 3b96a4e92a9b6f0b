# What is in a test machine.  Changing a line here makes new images.
# shellcheck shell=bash disable=SC2034 # for image.sh

# What a Debian desktop has that vitrine needs, and what the tests look with.
machine_packages=(
	linux-image-amd64 systemd-sysv libpam-systemd dbus-user-session udev kmod procps iproute2
	openssh-server apparmor apparmor-utils auditd
	lxc uidmap mmdebstrap slirp4netns xdg-dbus-proxy fuse3
	xvfb openbox xauth x11-utils x11-apps x11-xserver-utils xfonts-base dbus-x11
	xdotool imagemagick xterm pulseaudio-utils
	bats jq python3 strace sox less zstd
	libjansson4 libarchive13 libpulse0 libxau6 libseccomp2 libnettle8)

declare -A release_packages=(
	[bookworm]='pulseaudio libpam-cgfs libfuse3-3'
	[trixie]='pipewire-pulse wireplumber libfuse3-4 util-linux-extra')
