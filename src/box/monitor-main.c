/*
 * vitrine-monitor: the process in which liblxc runs, one for each box. It joins the holder's
 * namespaces, becomes root there, prepares the tree and starts the container in the foreground.
 * What it prints on stderr is the reason of a failure; its exit ends the box.
 */

#include <fcntl.h>
#include <grp.h>
#include <lxc/lxccontainer.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/sock.h"
#include "box/holder.h"
#include "box/init-protocol.h"
#include "box/job.h"
#include "box/label.h"
#include "box/orphan.h"
#include "box/tree.h"

#define JOB_MAX (8U << 20)

static struct message inbox;  /* its descriptors stay open to the end */
static int policies = -EBADF; /* label_open_policies() */

/* Waits for the job. A supervisor that has none after all closes the socket. */
static int receive_job(struct job *ret, struct error **err)
{
	_cleanup_free_ char *data = NULL;
	size_t size;
	int r;

	r = sock_receive(MONITOR_INBOX, &inbox, err);
	if (r < 0)
		return r;
	if (inbox.n_fds != MONITOR_FDS && inbox.n_fds != MONITOR_FDS_MAX)
		return error_set(err, EPROTO, "there is no job for the monitor");
	r = fs_read_fd(inbox.fds[MONITOR_JOB], JOB_MAX, &data, &size, err);
	if (r < 0)
		return error_prefix(err, "job of the monitor");
	return job_read(data, size, ret, err);
}

static int join_namespaces(struct error **err)
{
	static const struct {
		enum monitor_fd fd;
		int type;
	} namespaces[] = {
		{ MONITOR_USER_NS, CLONE_NEWUSER },
		{ MONITOR_MOUNT_NS, CLONE_NEWNS },
		{ MONITOR_NET_NS, CLONE_NEWNET },
	};

	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
		if (setns(inbox.fds[namespaces[i].fd], namespaces[i].type) < 0)
			return error_errno(err, "cannot join the session's namespaces");
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_errno(err, "cannot become root of the session's user namespace");
	/* The box's mounts go with this process, and no box's start has to copy those of all the
	 * others. */
	if (unshare(CLONE_NEWNS) < 0)
		return error_errno(err, "cannot have mounts of its own");
	/* liblxc reads /proc/self, which a process that changed its ids may not. */
	if (prctl(PR_SET_DUMPABLE, 1) < 0)
		return error_errno(err, "cannot become dumpable");
	return 0;
}

/* Only now: a change of ids clears the death signal. */
static int die_with(uint32_t supervisor, struct error **err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return error_errno(err, "cannot set the death signal");
	if (getppid() != (pid_t)supervisor)
		return error_set(err, ESRCH, "the supervisor is gone");
	return 0;
}

/* liblxc takes a configuration by path only. */
static int load_config(struct lxc_container *c, const char *config, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *path = NULL;
	int r;

	r = fs_memfd("lxc.conf", config, strlen(config), &fd, err);
	if (r < 0)
		return r;
	path = xasprintf("/proc/self/fd/%d", fd);
	if (!c->load_config(c, path))
		return error_set(err, EINVAL, "liblxc refuses the configuration of the box");
	return 0;
}

/* liblxc keeps what LISTEN_FDS counts from 3 on (sd_listen_fds(3)); everything else is closed. */
static int keep_lifeline(struct error **err)
{
	if (dup2(inbox.fds[MONITOR_LIFELINE], INIT_LIFELINE) < 0)
		return error_errno(err, "cannot hand over the lifeline");
	inbox.fds[MONITOR_LIFELINE] = close_fd(inbox.fds[MONITOR_LIFELINE]);
	return 0;
}

static int set_environment(struct error **err)
{
	/* No newuidmap on PATH: liblxc, root of its user namespace, writes the id maps itself. No
	 * sandbox is named like this. */
	if (clearenv() != 0 || setenv("PATH", HOLDER_TREES "/.none", 1) < 0 ||
	    setenv("LISTEN_FDS", "1", 1) < 0)
		return error_errno(err, "cannot set the environment");
	return 0;
}

static void container_freep(struct lxc_container **c)
{
	if (*c)
		lxc_container_put(*c);
}

static int run_container(const struct job *j, struct error **err)
{
	_cleanup_(container_freep) struct lxc_container *c = NULL;
	char *argv[] = { (char *)INIT_PATH, NULL };
	struct lxc_log log = { .name = j->name,
			       .lxcpath = j->tree,
			       .file = "/proc/self/fd/2",
			       .level = "ERROR",
			       .prefix = "vitrine",
			       .quiet = true };
	int r;

	if (lxc_log_init(&log) < 0)
		return error_set(err, EIO, "liblxc cannot log");
	c = lxc_container_new(j->name, j->tree);
	if (!c)
		return error_set(err, ENOMEM, "liblxc cannot make a container");
	c->clear_config(c);
	r = load_config(c, j->config, err);
	if (r < 0)
		return r;
	r = keep_lifeline(err);
	if (r < 0)
		return r;
	r = orphan_guard();
	if (r < 0)
		return error_set(err, -r, "cannot watch over the box's first process");
	r = j->policy_size ? label_load(policies, j->namespace, j->policy, j->policy_size, err) : 0;
	if (r < 0)
		return r;
	/* The one program that is executed from here on is the init. */
	r = *j->label ? label_set_on_exec(j->label, err) : 0;
	if (r < 0)
		return r;
	c->want_daemonize(c, false);
	if (!c->start(c, 0, argv) && c->error_num != 0)
		return error_set(err, EIO, "liblxc could not start the box");
	return 0;
}

static int run(struct error **err)
{
	_cleanup_(job_release) struct job j = { 0 };
	int r;

	r = receive_job(&j, err);
	if (r < 0)
		return r;
	policies = label_open_policies();
	r = join_namespaces(err);
	if (r < 0)
		return r;
	r = die_with(j.supervisor, err);
	if (r < 0)
		return r;
	umask(0);
	if (chdir("/") < 0)
		return error_errno(err, "cannot change to /");
	r = set_environment(err);
	if (r < 0)
		return r;
	r = tree_make(&j, inbox.n_fds > MONITOR_GATE ? inbox.fds[MONITOR_GATE] : -EBADF, err);
	if (r < 0)
		return r;
	return run_container(&j, err);
}

int main(void)
{
	_cleanup_(error_freep) struct error *error = NULL;

	if (fcntl(MONITOR_INBOX, F_SETFD, FD_CLOEXEC) < 0)
		return 2;
	if (run(&error) < 0) {
		fprintf(stderr, "%s\n", error->message);
		return 1;
	}
	return 0;
}
