#include "image/box-filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCH	AUDIT_ARCH_X86_64
#define FOREIGN 0x40000000U /* numbers from here on are those of x32 */
#elif defined(__aarch64__)
#define ARCH	AUDIT_ARCH_AARCH64
#define FOREIGN 0xffffffffU
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH	AUDIT_ARCH_RISCV64
#define FOREIGN 0xffffffffU
#else
#error "the number of this architecture for seccomp(2) is missing here"
#endif

#define NUMBER offsetof(struct seccomp_data, nr)
#define OF(a)  offsetof(struct seccomp_data, a)

/* As seccomp-policies/lxc-deny.policy, which liblxc compiles for the other boxes. */
static const unsigned denied[] = {
	SYS_add_key,
	SYS_bpf,
	SYS_delete_module,
	SYS_finit_module,
	SYS_fsopen,
	SYS_init_module,
	SYS_io_uring_setup,
	SYS_kexec_load,
	SYS_keyctl,
	SYS_mount,
	SYS_mount_setattr,
	SYS_move_mount,
	SYS_open_by_handle_at,
	SYS_open_tree,
	SYS_perf_event_open,
	SYS_pivot_root,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_ptrace,
	SYS_request_key,
	SYS_setns,
	SYS_umount2,
	SYS_unshare,
	SYS_userfaultfd,
};

#define HEAD 5
#define SIZE (HEAD + 2 * ARRAY_SIZE(denied) + 1)

int box_filter_load(struct error **err)
{
	static const struct sock_filter head[HEAD] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, OF(arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NUMBER),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FOREIGN, 0, 0),
	};
	struct sock_filter code[SIZE + 1];
	struct sock_fprog program = { .filter = code };
	size_t n = 0;

	for (size_t i = 0; i < HEAD; i++)
		code[n++] = head[i];
	code[n - 1].jf = 1;
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	for (size_t i = 0; i < ARRAY_SIZE(denied); i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, denied[i], 0,
							 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
							 SECCOMP_RET_ERRNO | EPERM);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = (unsigned short)n;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
		return error_errno(err, "cannot load the filter of the build box");
	return 0;
}
