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

bool watch_never_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (!strcmp(never[i], name))
			return true;
	return false;
}

bool watch_never(const struct watch_policy *p, const struct seccomp_data *call)
{
	const char *name = call->arch == p->arch ? watch_name(p, (uint32_t)call->nr) : NULL;
	struct watch_decision d = watch_decide(p, call);

	/* What the policy does not know may be anything; what it denies of a call that it allows
	 * are the ways out: namespaces, terminals, families of sockets. */
	return !name || watch_never_name(name) ||
	       (d.error && d.rule && policy_rule_has_conditions(&d.rule->rule));
}
