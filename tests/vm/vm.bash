# A running test machine, seen from outside.  `vm` is its directory: console, port, and the disks on
# which it writes; `vm_key` is the key of its users.
# shellcheck shell=bash

vm_patience=${VITRINE_VM_PATIENCE:-420} # seconds until a machine has booted

# The machine ends with the shell that calls this, however that ends, if it is not to be kept.
vm_start() { # MACHINE DATA: directories of image.sh
	local base life=(setpriv --pdeathsig KILL)
	[[ ${VITRINE_VM:-} != keep ]] || life=(setsid)
	for base in "$1" "$2"; do
		qemu-img create -q -f qcow2 -F raw -b "$base/disk.ext4" "$vm/${base##*/}.qcow2"
	done
	python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])' >"$vm/port"

	"${life[@]}" qemu-system-x86_64 \
		-nodefaults -no-user-config -display none -machine q35 -smp 2 -m 3G -cpu max \
		-accel "${VITRINE_VM_ACCEL:-tcg}" -device pvpanic -serial "file:$vm/console" \
		-kernel "$1/kernel" -initrd "$1/initrd" \
		-append "root=LABEL=debvm rw console=ttyS0 quiet apparmor=1 security=apparmor audit=1" \
		-drive "file=$vm/${1##*/}.qcow2,if=virtio,cache=unsafe" \
		-drive "file=$vm/${2##*/}.qcow2,if=virtio,cache=unsafe" \
		-object rng-random,filename=/dev/urandom,id=random -device virtio-rng-pci,rng=random \
		-netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$(<"$vm/port")-:22" \
		-device virtio-net-pci,netdev=net </dev/null >"$vm/qemu.log" 2>&1 &
	echo "$!" >"$vm/pid"
}

vm_runs() { kill -s 0 "$(<"$vm/pid")" 2>/dev/null; }

vm_ssh() { # USER COMMAND...: at most vm_limit
	timeout --kill-after=10 "${vm_limit:-20m}" ssh -q -F none -i "$vm_key" -p "$(<"$vm/port")" \
		-o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=30 \
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "$1@127.0.0.1" "${*:2}"
}

vm_root() { vm_ssh root "$@"; }
vm_alice() { vm_ssh alice "$@"; }

vm_boot_id() { vm_limit=60 vm_root cat /proc/sys/kernel/random/boot_id </dev/null; }

# Until all units are up, alice's desktop with them.
vm_await() { # [BOOT]: another boot than this
	local deadline=$((SECONDS + vm_patience)) boot
	while ((SECONDS < deadline)) && vm_runs; do
		boot=$(vm_boot_id 2>/dev/null) && [[ -n $boot && $boot != "${1:-}" ]] &&
			vm_limit=6m vm_root 'systemctl is-system-running --wait; systemctl -q is-active desktop' \
				</dev/null >/dev/null &&
			return
		sleep 1
	done
	echo "test machine: it did not come up; the end of its console:" >&2
	vm_show_end
	return 1
}

vm_show_end() { tail -n 25 "$vm/console" "$vm/qemu.log" >&2; }

vm_again() { # COMMAND: that makes it boot again
	local boot
	boot=$(vm_boot_id) || return
	vm_limit=1m vm_root "$1" </dev/null || true
	vm_await "$boot"
}

vm_reboot() { vm_again 'systemctl reboot'; }
vm_cut() { vm_again 'echo b >/proc/sysrq-trigger'; } # what was not synced is lost

vm_end() {
	kill -s TERM "$(<"$vm/pid")" 2>/dev/null || true
	wait "$(<"$vm/pid")" 2>/dev/null || true
}
