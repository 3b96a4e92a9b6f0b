#include <string.h>

#include "emit/watch.h"

/* What no application should need: denied while learning too, and proposed by nobody. */
static const char *const never[] = {
	"_sysctl",
	"acct",
	"add_key",
	"afs_syscall",
	"bpf",
	"chroot",
	"clock_adjtime",
	"clock_settime",
	"adjtimex",
	"create_module",
	"delete_module",
	"fanotify_init",
	"fanotify_mark",
	"finit_module",
	"fsconfig",
	"fsmount",
	"fsopen",
	"fspick",
	"get_kernel_syms",
	"getpmsg",
	"init_module",
	"io_uring_enter",
	"io_uring_register",
	"io_uring_setup",
	"ioperm",
	"iopl",
	"kcmp",
	"kexec_file_load",
	"kexec_load",
	"keyctl",
	"listmount",
	"lookup_dcookie",
	"lsm_set_self_attr",
	"migrate_pages",
	"mount",
	"mount_setattr",
	"move_mount",
	"move_pages",
	"name_to_handle_at",
	"nfsservctl",
	"open_by_handle_at",
	"open_tree",
	"open_tree_attr",
	"perf_event_open",
	"pidfd_getfd",
	"pivot_root",
	"process_madvise",
	"process_mrelease",
	"process_vm_readv",
	"process_vm_writev",
	"ptrace",
	"putpmsg",
	"query_module",
	"quotactl",
	"quotactl_fd",
	"reboot",
	"request_key",
	"security",
	"setdomainname",
	"sethostname",
	"setns",
	"settimeofday",
	"statmount",
	"swapoff",
	"swapon",
	"syslog",
	"tuxcall",
	"umount2",
	"uselib",
	"userfaultfd",
	"vhangup",
	"vserver",
	/* Its flags lie in memory, where they can be changed after they were looked at; libc falls
	 * back to clone. */
	"clone3",
};

/* The same for some arguments: bits of arg0 that make namespaces, requests to terminals, families
 * of sockets that reach the machine or rarely used parts of the kernel. */
static const struct {
	const char *name;
	unsigned argument;
	enum policy_operator how;
	uint64_t value;
} never_with[] = {
	{ "clone", 0, POLICY_BITS, 0x00000080 },
	{ "clone", 0, POLICY_BITS, 0x00020000 },
	{ "clone", 0, POLICY_BITS, 0x02000000 },
	{ "clone", 0, POLICY_BITS, 0x04000000 },
	{ "clone", 0, POLICY_BITS, 0x08000000 },
	{ "clone", 0, POLICY_BITS, 0x10000000 },
	{ "clone", 0, POLICY_BITS, 0x20000000 },
	{ "clone", 0, POLICY_BITS, 0x40000000 },
	{ "unshare", 0, POLICY_BITS, 0x00000080 },
	{ "unshare", 0, POLICY_BITS, 0x00020000 },
	{ "unshare", 0, POLICY_BITS, 0x02000000 },
	{ "unshare", 0, POLICY_BITS, 0x04000000 },
	{ "unshare", 0, POLICY_BITS, 0x08000000 },
	{ "unshare", 0, POLICY_BITS, 0x10000000 },
	{ "unshare", 0, POLICY_BITS, 0x20000000 },
	{ "unshare", 0, POLICY_BITS, 0x40000000 },
	{ "ioctl", 1, POLICY_LOW, 0x5412 },
	{ "ioctl", 1, POLICY_LOW, 0x541c },
	{ "ioctl", 1, POLICY_LOW, 0x541d },
	{ "ioctl", 1, POLICY_LOW, 0x5423 },
	{ "socket", 0, POLICY_GT, 10 },
};

bool watch_never_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (!strcmp(never[i], name))
			return true;
	return false;
}

static bool matches(size_t row, const struct seccomp_data *call)
{
	uint64_t value = call->args[never_with[row].argument], want = never_with[row].value;

	switch (never_with[row].how) {
	case POLICY_LOW:
		return (uint32_t)value == want;
	case POLICY_BITS:
		return (value & want) == want;
	default:
		return (uint32_t)value > want;
	}
}

bool watch_never(const struct watch_policy *p, const struct seccomp_data *call)
{
	const char *name = call->arch == p->arch ? watch_name(p, (uint32_t)call->nr) : NULL;

	/* What the policy does not know may be anything. */
	if (!name || watch_never_name(name))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(never_with); i++)
		if (!strcmp(never_with[i].name, name) && matches(i, call))
			return true;
	return false;
}
