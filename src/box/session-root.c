#include "box/session-root.h"

#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int become_root(int user_ns, struct error **err)
{
	if (setns(user_ns, CLONE_NEWUSER) < 0)
		return error_errno(err, "cannot join the session's user namespace");
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_errno(err, "cannot become root of the session's user namespace");
	return 0;
}

/* Only now: a change of ids clears the death signal. */
static int die_with(uint32_t supervisor, struct error **err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return error_errno(err, "cannot set the death signal");
	if (getppid() != (pid_t)supervisor)
		return error_set(err, ESRCH, "who asked for it is gone");
	return 0;
}

static int limit(const struct session_root *s, struct error **err)
{
#ifdef __SANITIZE_ADDRESS__
	const rlim_t memory = RLIM_INFINITY; /* it maps terabytes that it does not use */
#else
	const rlim_t memory = s->memory;
#endif
	const struct {
		int resource;
		rlim_t most;
	} limits[] = {
		{ RLIMIT_AS, memory },
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_NOFILE, s->files },
		{ RLIMIT_NPROC, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		const struct rlimit l = { limits[i].most, limits[i].most };

		/* A lower limit that is there already is as good. */
		if (setrlimit(limits[i].resource, &l) < 0 && errno != EPERM)
			return error_errno(err, "cannot limit this process");
	}
	return 0;
}

static int drop_rights(uint32_t kept, struct error **err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = kept, .permitted = kept },
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_capset, &header, data) < 0)
		return error_errno(err, "cannot give up rights");
	return 0;
}

int session_root_become(const struct session_root *s, struct error **err)
{
	int r = become_root(s->user_ns, err);

	if (r >= 0)
		r = die_with(s->supervisor, err);
	if (r >= 0)
		r = limit(s, err);
	return r < 0 ? r : drop_rights(s->capabilities, err);
}
