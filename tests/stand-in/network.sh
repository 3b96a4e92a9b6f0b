#!/bin/bash
# The network of the tests: a desktop and one web server that can reach each other and nothing else.
# Runs as root.
#
#   network.sh up           both namespaces, name server and web server
#   network.sh enter CMD…   runs CMD in the desktop's namespace, with its resolver
#   network.sh down         ends every process in the two namespaces and removes them
#
#   vitrine-desk 192.0.2.1 ──veth── 192.0.2.2 vitrine-web: dnsmasq (web.test), http.server
#
# `enter` also shows the administrator's rules of tests/stand-in/policy.d, to CMD alone, where an
# installed vitrine looks for them: /etc/vitrine, or VITRINE_TEST_CONF.
#
# It does what `ip netns exec` does, but leaves /sys alone: a fresh sysfs would hide the
# control groups and AppArmor's files, which sandboxes need.
set -euo pipefail

desk=vitrine-desk
web=vitrine-web
desk_address=192.0.2.1
web_address=192.0.2.2
etc=/etc/netns/$desk
state=/run/vitrine-stand-in
rules=$(dirname "$0")/policy.d
conf=${VITRINE_TEST_CONF:-/etc/vitrine}
colour=${VITRINE_TEST_COLOUR:-#12c845}

in_web() { ip netns exec $web "$@"; }

enter() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	exec nsenter --net=/run/netns/$desk unshare --mount --propagation slave sh -c '
		etc=$1 rules=$2 policy=$3/policy.d
		shift 3
		for file in "$etc"/*; do mount --bind "$file" "/etc/${file##*/}" || exit; done
		(umask 022 && mkdir -p "$policy") || exit
		mount -t tmpfs -o mode=0755,size=1M tmpfs "$policy" || exit
		install -m 0644 "$rules"/*.conf "$policy" || exit
		exec "$@"' enter "$etc" "$rules" "$conf" "$@"
}

exists() { [[ -e /run/netns/$1 ]]; }

down() {
	local netns pids signal i
	for netns in $desk $web; do
		signal=TERM
		exists "$netns" || continue
		for ((i = 0; i < 50; i++)); do
			# a process that ends meanwhile makes both `ip netns pids` and `kill` fail
			pids=$(ip netns pids "$netns" 2>/dev/null) && [[ -z $pids ]] && break
			# shellcheck disable=SC2086 # a list of numbers
			kill -s "$signal" $pids 2>/dev/null || true
			signal=KILL
			sleep 0.1
		done
		ip netns del "$netns"
	done
	rm -rf "$etc" "$state"
}

serve() { # LOG COMMAND...: in the web namespace, with no rights
	local log=$state/$1.log
	shift
	in_web setpriv --reuid=nobody --regid=nogroup --clear-groups --no-new-privs \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin setsid "$@" </dev/null >"$log" 2>&1 8<&- &
}

make_link() {
	ip netns add $desk
	ip netns add $web
	ip -n $desk link set lo up
	ip -n $web link set lo up
	ip -n $desk link add desk0 type veth peer name web0 netns $web
	ip -n $desk address add $desk_address/24 dev desk0
	ip -n $web address add $web_address/24 dev web0
	ip -n $desk link set desk0 up
	ip -n $web link set web0 up
	ip -n $desk route add default via $web_address
	# every other address is answered with "unreachable", so that nothing waits for a timeout
	ip -n $web route add unreachable default
	in_web sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
		echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start'
}

write_files() {
	mkdir -p "$etc" "$state/web"
	echo "nameserver $web_address" >"$etc/resolv.conf"
	sed 's/^hosts:.*/hosts: files dns/' /etc/nsswitch.conf >"$etc/nsswitch.conf"
	[[ -e /etc/resolv.conf ]] || : >/etc/resolv.conf
	cat >"$state/web/index.html" <<-END
		<!doctype html>
		<html><head><title>web.test</title></head>
		<body style="margin: 0; background: $colour"></body></html>
	END
}

answers() { (enter bash -c 'exec 3<>/dev/tcp/web.test/80') 2>/dev/null; }

up() {
	local i
	exists $desk && exists $web && answers && return
	down
	umask 022
	make_link
	write_files
	serve dns dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --log-facility=- \
		--no-resolv --no-hosts --bind-interfaces --listen-address=$web_address \
		--address=/web.test/$web_address --local=/#/
	serve http python3 -m http.server --bind $web_address --directory "$state/web" 80
	for ((i = 0; i < 100; i++)); do
		answers && return
		sleep 0.1
	done
	tail -n 5 "$state"/*.log >&2
	echo "setup: the test network does not answer: see the lines above" >&2
	down
	exit 1
}

verb=$1
shift
case $verb in
up) up ;;
enter) enter "$@" ;;
down) down ;;
*)
	echo "setup: network.sh: unknown verb '$verb'" >&2
	exit 2
	;;
esac
