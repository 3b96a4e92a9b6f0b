#include "filter-of.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <string.h>

#include "base/fs.h"
#include "emit/policy-i386.h"
#include "emit/policy-load.h"
#include "emit/policy-profile.h"

#define X32_BIT 0x40000000

int filter_of_policy(struct policy *p, struct filter_of *ret, struct error **err)
{
	int r;

	*ret = (struct filter_of){ .native = p };
	ret->i386 = p->i386 ? policy_for_i386(p) : NULL;
	r = seccomp_compile(p, &ret->file, err);
	if (r < 0)
		return r;
	r = filter_parse(ret->file.data, ret->file.size, &ret->filter);
	return r < 0 ? error_set(err, EINVAL, "not a filter") : 0;
}

int filter_of_profile(const char *text, const char *policies, struct filter_of *ret,
		      struct error **err)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_(policy_freep) struct policy *p = NULL;
	_cleanup_close_ int directory = -EBADF;
	int r;

	*ret = (struct filter_of){ 0 };
	r = profile_read(text, strlen(text), "table", "table", &profile, err);
	if (r >= 0)
		r = fs_open_dir(AT_FDCWD, policies, &directory, err);
	if (r >= 0)
		r = policy_load(directory, profile->seccomp_policy, &p, err);
	if (r >= 0)
		r = policy_apply(p, profile, err);
	return r < 0 ? r : filter_of_policy(TAKE_PTR(p), ret, err);
}

void filter_of_release(struct filter_of *f)
{
	policy_free(f->i386);
	policy_free(f->native);
	buf_release(&f->file);
}

static const uint32_t architectures[] = {
	[TRUTH_X86_64] = SCMP_ARCH_X86_64,
	[TRUTH_X86] = SCMP_ARCH_X86,
	[TRUTH_X32] = SCMP_ARCH_X86_64,
};

char *call_name(enum truth_abi abi, int64_t number)
{
	return seccomp_syscall_resolve_num_arch(architectures[abi], (int)number);
}

/* Of a call that is also a part of another one the library tells only that. */
static int64_t find_number(enum truth_abi abi, const char *name)
{
	for (int64_t n = 0; n < CALLS_MAX; n++) {
		_cleanup_free_ char *found = call_name(abi, n);

		if (found && !strcmp(found, name))
			return n;
	}
	return -1;
}

int64_t call_number(enum truth_abi abi, const char *name)
{
	int number = seccomp_syscall_resolve_name_arch(architectures[abi], name);

	return number >= 0 ? number : find_number(abi, name);
}

struct policy_verdict filter_answer(const struct filter_of *f, enum truth_abi abi, int64_t number,
				    const uint64_t args[POLICY_ARGS])
{
	struct seccomp_data data = {
		.nr = (int)number,
		.arch = abi == TRUTH_X86 ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64,
	};
	uint32_t action;

	if (abi == TRUTH_X32)
		data.nr |= X32_BIT;
	memcpy(data.args, args, sizeof data.args);
	action = bpf_run_all(&f->filter, &data);
	if (action == SECCOMP_RET_ALLOW)
		return (struct policy_verdict){ POLICY_ALLOWED, 0 };
	if (action == SECCOMP_RET_KILL_PROCESS)
		return (struct policy_verdict){ POLICY_KILLED, 0 };
	return (struct policy_verdict){ POLICY_DENIED, (int)(action & SECCOMP_RET_DATA) };
}

struct policy_verdict filter_meant(const struct filter_of *f, enum truth_abi abi, const char *name,
				   const uint64_t args[POLICY_ARGS])
{
	static const struct policy_verdict unknown = { POLICY_DENIED, POLICY_ERRNO_OTHERS };

	if (abi == TRUTH_X86_64)
		return policy_judge(f->native, name, args);
	return abi == TRUTH_X86 && f->i386 ? policy_judge(f->i386, name, args) : unknown;
}
