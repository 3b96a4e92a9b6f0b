/*
 * vitrine-walk: looks at what a box has written, or removes it (box/walk.h). It joins the holder's
 * user namespace alone, becomes root there, and gives up everything but the right to read what
 * belongs to its ids, or to remove it. It sees the host's mounts, and reaches what its order names.
 */

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fs.h"
#include "base/text.h"
#include "box/walk.h"

#define LEFT_SHOWN 20U
#define SHOWN_MAX  300

#ifdef __SANITIZE_ADDRESS__
#define MEMORY_MAX RLIM_INFINITY /* it maps terabytes that it does not use */
#else
#define MEMORY_MAX (2ULL << 30)
#endif

static unsigned n_left;

static void on_left(void *user, const char *name, const char *why)
{
	_cleanup_free_ char *shown = text_escape(name, SHOWN_MAX);

	(void)user;
	if (n_left++ < LEFT_SHOWN)
		dprintf(STDERR_FILENO, "left out '%s': %s\n", shown, why);
}

static int become_root(struct error **err)
{
	if (setns(WALK_USER_NS, CLONE_NEWUSER) < 0)
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

static int drop_rights(enum walk_verb verb, struct error **err)
{
	static const struct {
		int resource;
		rlim_t limit;
	} limits[] = {
		{ RLIMIT_AS, MEMORY_MAX },
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_NOFILE, 2 * WALK_DEPTH_MAX },
	};
	const uint32_t reading = 1U << CAP_DAC_READ_SEARCH,
		       removing = reading | 1U << CAP_DAC_OVERRIDE | 1U << CAP_FOWNER;
	const uint32_t kept = verb == WALK_REMOVE ? removing : reading;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = kept, .permitted = kept },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		const struct rlimit l = { limits[i].limit, limits[i].limit };

		/* A lower limit that is there already is as good. */
		if (setrlimit(limits[i].resource, &l) < 0 && errno != EPERM)
			return error_errno(err, "cannot limit this process");
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_capset, &header, data) < 0)
		return error_errno(err, "cannot give up rights");
	return 0;
}

static int run(struct error **err)
{
	_cleanup_(walk_order_release) struct walk_order o = { 0 };
	_cleanup_free_ char *data = NULL;
	int bases[WALK_BASES_MAX], r;
	size_t size;

	for (int i = 0; i < (int)WALK_BASES_MAX; i++)
		bases[i] = WALK_BASES + i;
	r = fs_read_fd(WALK_ORDER, WALK_ORDER_MAX, &data, &size, err);
	if (r >= 0)
		r = walk_order_read(data, size, &o, err);
	if (r >= 0)
		r = become_root(err);
	if (r >= 0)
		r = die_with(o.supervisor, err);
	if (r >= 0)
		r = drop_rights(o.verb, err);
	if (r < 0)
		return r;
	umask(077);
	return walk_run(&o, bases, o.has_snapshot ? WALK_OLD : -EBADF, STDOUT_FILENO, on_left, NULL,
			err);
}

int main(void)
{
	_cleanup_(error_freep) struct error *error = NULL;
	int r;

	for (int fd = WALK_ORDER; fd < WALK_INHERITED_END; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return 2;
	r = run(&error);
	if (n_left > LEFT_SHOWN)
		dprintf(STDERR_FILENO, "left out %u more\n", n_left - LEFT_SHOWN);
	if (r >= 0)
		return 0;
	dprintf(STDERR_FILENO, "%s\n", error->message);
	return 1;
}
