#include "image/box-ids.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#include "base/spawn.h"
#include "base/strv.h"
#include "base/subid.h"

#define SELF	   VITRINE_EXEC_DIR "/vitrine-build-box"
#define IDS	   65536U
#define OUTPUT_MAX (64U << 10)

static int run_mapper(const char *program, const char *file, pid_t pid, uint32_t own,
		      struct error **err)
{
	_cleanup_strv_ char **argv = NULL;
	_cleanup_free_ char *output = NULL;
	uint32_t first;
	int r, status;

	r = subid_find(file, IDS, &first, err);
	if (r < 0)
		return r;
	strv_add(&argv, program);
	strv_addf(&argv, "%d", pid);
	strv_add(&argv, "0");
	strv_addf(&argv, "%u", first);
	strv_addf(&argv, "%u", IDS);
	strv_addf(&argv, "%u", IDS);
	strv_addf(&argv, "%u", own);
	strv_add(&argv, "1");
	r = spawn_collect(&(struct spawn){ .argv = argv }, OUTPUT_MAX, &output, &status, err);
	if (r < 0)
		return r;
	if (status != 0)
		return error_set(err, EPERM, "%s refuses: %s", program, output);
	return 0;
}

int box_ids_map(pid_t pid, struct error **err)
{
	char byte;
	int r;

	if (read(STDIN_FILENO, &byte, 1) != 1)
		return error_set(err, EPIPE, "the build box has ended");
	r = run_mapper("/usr/bin/newuidmap", "/etc/subuid", pid, getuid(), err);
	if (r < 0)
		return r;
	return run_mapper("/usr/bin/newgidmap", "/etc/subgid", pid, getgid(), err);
}

/* It has to stay outside, so it is started before the namespace is there. */
static int start_mapper(struct child *ret, int *ret_go, struct error **err)
{
	_cleanup_free_ char *pid = xasprintf("%d", getpid());
	char *const argv[] = { (char *)SELF, (char *)"map", pid, NULL };
	_cleanup_close_ int listen = -EBADF, go = -EBADF;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	listen = fds[0];
	go = fds[1];
	r = spawn(&(struct spawn){ .argv = argv,
				   .fds = (int[]){ listen, STDERR_FILENO, STDERR_FILENO },
				   .n_fds = 3 },
		  ret, err);
	if (r < 0)
		return r;
	*ret_go = TAKE_FD(go);
	return 0;
}

int box_ids_enter(int flags, struct error **err)
{
	_cleanup_(child_end) struct child mapper = CHILD_NONE;
	_cleanup_close_ int go = -EBADF;
	pid_t parent = getppid();
	int r, status;

	r = start_mapper(&mapper, &go, err);
	if (r < 0)
		return r;
	if (unshare(CLONE_NEWUSER | flags) < 0)
		return error_errno(err, "cannot make a user namespace (see 'vitrine doctor')");
	if (write(go, "", 1) != 1)
		return error_errno(err, "cannot have the ids of the build box mapped");
	r = child_wait(&mapper, -1, &status, err);
	if (r < 0)
		return r;
	if (status != 0)
		return error_set(err, EPERM, "the ids of the build box were not mapped");
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_errno(err, "cannot become root of the build box");
	/* The change of ids took the death signal away, and /proc/self. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0)
		return error_errno(err, "cannot watch the parent of the build box");
	if (getppid() != parent)
		return error_set(err, EPIPE, "the parent of the build box has ended");
	return 0;
}
