#include "box/box.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/fs.h"
#include "base/text.h"
#include "base/wire.h"
#include "box/box-private.h"
#include "box/init-protocol.h"
#include "box/job.h"
#include "box/label.h"

#define READY_TIMEOUT_MS 10000
#define END_TIMEOUT_MS	 3000
#define REASON_MAX	 4096U

/* The last line that the monitor or liblxc wrote, for the user; owned by the caller. */
static char *monitor_reason(struct box *b)
{
	_cleanup_free_ char *text = xcalloc(1, REASON_MAX + 1);
	char *line;
	ssize_t n;

	(void)fcntl(b->reason, F_SETFL, O_NONBLOCK);
	n = read(b->reason, text, REASON_MAX);
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	return *line ? text_escape(line, REASON_MAX) : xstrdup("it ended without a word");
}

void box_lose(struct box *b, const char *what)
{
	_cleanup_free_ char *reason = NULL, *why = NULL;
	box_lost_fn *lost = b->lost;

	b->lifeline_source = source_remove(b->lifeline_source);
	b->monitor_source = source_remove(b->monitor_source);
	b->lost = NULL;
	if (!lost)
		return;
	reason = monitor_reason(b);
	why = xasprintf("%s box: %s (%s)", box_kind_to_string(b->kind), what, reason);
	lost(b->user, why);
}

static void on_lifeline(void *user, short revents)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct box *b = user;
	uint32_t type, id;
	struct wire w;

	(void)revents;
	if (sock_receive(b->lifeline, &b->inbox, &error) < 0 || b->inbox.size == 0) {
		box_lose(b, "it ended");
		return;
	}
	w = wire_open(b->inbox.data, b->inbox.size);
	type = wire_get_u32(&w);
	id = wire_get_u32(&w);
	if (type == INIT_TERMINAL)
		box_command_terminal(b, id);
	else if (type == INIT_ENDED)
		box_command_ended(b, id, (int)wire_get_u32(&w));
	message_close_fds(&b->inbox);
}

static void on_monitor(void *user, short revents)
{
	(void)revents;
	box_lose(user, "its monitor ended");
}

static int start_monitor(struct box *b, struct error **err)
{
	char *argv[] = { VITRINE_EXEC_DIR "/vitrine-monitor", NULL };
	_cleanup_close_ int theirs = -EBADF, reason_write = -EBADF;
	int pair[2], r;

	r = sock_pair(pair, err);
	if (r < 0)
		return r;
	b->orders = pair[0];
	theirs = pair[1];
	if (pipe2(pair, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	b->reason = pair[0];
	reason_write = pair[1];

	const int fds[] = { -EBADF, reason_write, reason_write, [MONITOR_INBOX] = theirs };
	/* A session of its own: Ctrl-C at the caller's terminal is the supervisor's alone to
	 * answer. */
	const struct spawn s = {
		.argv = argv, .fds = fds, .n_fds = ARRAY_SIZE(fds), .new_session = true
	};

	return spawn(&s, &b->monitor, err);
}

int box_new(enum box_kind kind, struct loop *loop, box_lost_fn *lost, void *user, struct box **ret,
	    struct error **err)
{
	_cleanup_(box_endp) struct box *b = xcalloc(1, sizeof *b);
	int r;

	*b = (struct box){
		.kind = kind,
		.loop = loop,
		.lost = lost,
		.user = user,
		.monitor = CHILD_NONE,
		.reason = -EBADF,
		.orders = -EBADF,
		.lifeline = -EBADF,
		.init_pidfd = -EBADF,
	};
	r = start_monitor(b, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(b);
	return 0;
}

static int send_job(struct box *b, const struct box_start *start, int lifeline, struct error **err)
{
	_cleanup_free_ char *name = xasprintf("%s-%s", start->sandbox_id,
					      box_kind_to_string(b->kind));
	_cleanup_free_ char *tree = xasprintf(HOLDER_TREES "/%s", start->sandbox_id);
	_cleanup_free_ char *namespace = start->policy_size
						 ? xasprintf(LABEL_NAMESPACE "%u", getuid())
						 : NULL;
	_cleanup_close_ int job_fd = -EBADF;
	_cleanup_buf_ struct buf data = { 0 };
	const struct job job = {
		.supervisor = (uint32_t)getpid(),
		.name = name,
		.tree = tree,
		.config = (char *)start->config,
		.label = b->label ? b->label : (char *)"",
		.namespace = namespace ? namespace : (char *)"",
		.policy = (void *)start->policy,
		.policy_size = start->policy_size,
		.box = *start->plan,
	};
	int r;

	job_write(&job, &data);
	r = fs_memfd("job", data.data, data.size, &job_fd, err);
	if (r < 0)
		return r;

	const int fds[MONITOR_FDS_MAX] = {
		[MONITOR_JOB] = job_fd,
		[MONITOR_USER_NS] = start->holder->user_ns,
		[MONITOR_MOUNT_NS] = start->holder->mount_ns,
		[MONITOR_NET_NS] = start->holder->net_ns,
		[MONITOR_LIFELINE] = lifeline,
		[MONITOR_LOCK] = start->lock,
		[MONITOR_GATE] = start->gate,
	};

	return sock_send(b->orders, "", 1, fds, start->gate < 0 ? MONITOR_FDS : MONITOR_FDS_MAX,
			 err);
}

int box_begin(struct box *b, const struct box_start *start, struct error **err)
{
	_cleanup_close_ int theirs = -EBADF;
	int pair[2], r;

	b->filter = start->filter;
	b->label = start->label ? xstrdup(start->label) : NULL;
	r = sock_pair(pair, err);
	if (r < 0)
		return r;
	b->lifeline = pair[0];
	theirs = pair[1];
	r = sock_pass_credentials(b->lifeline, true, err);
	if (r >= 0)
		r = send_job(b, start, theirs, err);
	return r < 0 ? error_prefix(err, "%s box", box_kind_to_string(b->kind)) : 0;
}

/* The init's first message, or the end of the monitor, whichever comes first. */
static int await_ready(struct box *b, struct error **err)
{
	struct pollfd p[] = {
		{ .fd = b->lifeline, .events = POLLIN },
		{ .fd = b->monitor.pidfd, .events = POLLIN },
	};
	_cleanup_free_ char *reason = NULL;
	int r;

	do
		r = poll(p, ARRAY_SIZE(p), READY_TIMEOUT_MS);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return error_errno(err, "cannot wait for the box");
	if (p[0].revents & POLLIN) {
		r = sock_receive_pid(b->lifeline, &b->init_pid, err);
		if (r >= 0)
			return sock_pass_credentials(b->lifeline, false, err);
		*err = error_free(*err);
	}
	reason = monitor_reason(b);
	return error_set(err, EIO, "%s",
			 r == 0 && !p[0].revents ? "it is not ready in time" : reason);
}

int box_await(struct box *b, const struct box_plan *plan, struct error **err)
{
	int r;

	r = await_ready(b, err);
	if (r >= 0)
		r = box_verify(b, plan, err);
	if (r < 0)
		return error_prefix(err, "%s box", box_kind_to_string(b->kind));
	b->init_pidfd = (int)syscall(SYS_pidfd_open, b->init_pid, 0);
	if (b->init_pidfd < 0)
		return error_errno(err, "%s box: cannot watch its init",
				   box_kind_to_string(b->kind));
	b->lifeline_source = loop_add(b->loop, b->lifeline, POLLIN, on_lifeline, b);
	b->monitor_source = loop_add(b->loop, b->monitor.pidfd, POLLIN, on_monitor, b);
	return 0;
}

pid_t box_init_pid(const struct box *b)
{
	return b->init_pid;
}

pid_t box_monitor_pid(const struct box *b)
{
	return b->monitor.pid;
}

bool box_is_gone(const struct box *b)
{
	struct pollfd p[] = {
		{ .fd = b->init_pidfd, .events = POLLIN },
		{ .fd = b->monitor.pidfd, .events = POLLIN },
	};

	return poll(p, ARRAY_SIZE(p), 0) > 0;
}

/* The init ends when its lifeline closes, and with it every process of its pid namespace. */
int box_close(struct box *b)
{
	b->lifeline_source = source_remove(b->lifeline_source);
	b->monitor_source = source_remove(b->monitor_source);
	b->orders = close_fd(b->orders);
	b->lifeline = close_fd(b->lifeline);
	return b->init_pidfd;
}

struct box *box_end(struct box *b)
{
	struct error *ignored = NULL;

	if (!b)
		return NULL;
	(void)box_close(b);
	if (b->init_pidfd >= 0) {
		struct pollfd p = { .fd = b->init_pidfd, .events = POLLIN };

		if (poll(&p, 1, END_TIMEOUT_MS) == 0)
			(void)syscall(SYS_pidfd_send_signal, b->init_pidfd, SIGKILL, NULL, 0);
	}
	if (b->monitor.pid > 0 && child_wait(&b->monitor, END_TIMEOUT_MS, NULL, &ignored) <= 0)
		child_end(&b->monitor);
	error_free(ignored);
	box_forget_commands(b);
	close_fd(b->init_pidfd);
	close_fd(b->reason);
	free(b->user_ns);
	free(b->label);
	free(b);
	return NULL;
}
