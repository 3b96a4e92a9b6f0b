#include "box/box.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/sock.h"
#include "base/spawn.h"
#include "base/text.h"
#include "base/wire.h"
#include "box/init-protocol.h"
#include "box/job.h"
#include "box/verify.h"
#include "emit/filter.h"

#define READY_TIMEOUT_MS 10000
#define END_TIMEOUT_MS	 3000
#define PROC_FILE_MAX	 65536U
#define REASON_MAX	 4096U

struct command {
	struct command *next;
	uint32_t id;
	struct box *box;
	int gate; /* -EBADF once it runs, or never will */
	bool let_through;
	struct source *gate_source;
	struct box_command_events events;
	void *user;
};

struct box {
	enum box_kind kind;
	struct loop *loop;
	box_lost_fn *lost; /* NULL once it was said */
	void *user;

	struct child monitor;
	int reason; /* read end of the monitor's stderr */
	int orders; /* the monitor's inbox; it waits as long as this is open */
	int lifeline;
	int init_pidfd;
	pid_t init_pid;
	struct source *lifeline_source, *monitor_source;

	int filter; /* borrowed */
	struct confinement confinement;
	char *user_ns; /* name of the init's user namespace: "user:[N]" */
	struct command *commands;
	uint32_t last_id;
	struct message inbox;
};

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
	return *line ? text_escape(line, REASON_MAX) : xstrdup("no reason given");
}

static void box_lose(struct box *b, const char *what)
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

static void close_gate(struct command *c)
{
	c->gate_source = source_remove(c->gate_source);
	c->gate = close_fd(c->gate);
}

static void command_free(struct command *c)
{
	close_gate(c);
	free(c);
}

static struct command **find_command(struct box *b, uint32_t id)
{
	struct command **c = &b->commands;

	while (*c && (*c)->id != id)
		c = &(*c)->next;
	return c;
}

static int read_proc(pid_t pid, const char *name, char **ret, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/%s", pid, name);

	return fs_read(AT_FDCWD, path, PROC_FILE_MAX, ret, NULL, err);
}

static int read_user_ns(pid_t pid, char **ret, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/ns/user", pid);
	char name[64] = "";

	if (readlink(path, name, sizeof name - 1) < 0)
		return error_errno(err, "cannot read '%s'", path);
	*ret = xstrdup(name);
	return 0;
}

/* The ids as the kernel shows them here: the holder's base plus the slice. */
static int learn_ids(struct box *b, const struct box_plan *plan, struct error **err)
{
	static const struct {
		const char *file;
	} maps[] = { { "uid_map" }, { "gid_map" } };
	const uint32_t inside[] = { plan->uid, plan->gid };
	uint32_t outside[2];

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		_cleanup_free_ char *session = NULL, *own = NULL;
		uint32_t base;
		int r;

		r = read_proc(b->monitor.pid, maps[i].file, &session, err);
		if (r < 0)
			return r;
		r = id_map_base(session, &base, err);
		if (r < 0)
			return r;
		r = read_proc(b->init_pid, maps[i].file, &own, err);
		if (r < 0)
			return r;
		r = id_map_check(own, maps[i].file, inside[i], base + plan->slice.first, err);
		if (r < 0)
			return r;
		outside[i] = base + plan->slice.first + 1;
	}
	b->confinement.uid = outside[0];
	b->confinement.gid = outside[1];
	return 0;
}

static int verify_process(struct box *b, pid_t pid, uint32_t filters, struct error **err)
{
	_cleanup_free_ char *status = NULL, *user_ns = NULL;
	struct confinement want = b->confinement;
	int r;

	want.filters = filters;
	r = read_proc(pid, "status", &status, err);
	if (r < 0)
		return r;
	r = confinement_check(status, &want, err);
	if (r < 0)
		return r;
	r = read_user_ns(pid, &user_ns, err);
	if (r < 0)
		return r;
	if (strcmp(user_ns, b->user_ns))
		return error_set(err, EPERM, "it is in another user namespace than its box");
	return 0;
}

static int verify_box(struct box *b, const struct box_plan *plan, struct error **err)
{
	_cleanup_free_ char *session_ns = NULL;
	int r;

	r = learn_ids(b, plan, err);
	if (r < 0)
		return r;
	r = read_user_ns(b->init_pid, &b->user_ns, err);
	if (r < 0)
		return r;
	r = read_user_ns(b->monitor.pid, &session_ns, err);
	if (r < 0)
		return r;
	if (!strcmp(b->user_ns, session_ns))
		return error_set(err, EPERM, "the box has no user namespace of its own");
	return verify_process(b, b->init_pid, 1, err);
}

/* A byte from the gate carries the pid of the waiting process, as the kernel knows it. */
static int hear_pid(int fd, pid_t *ret, struct error **err)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control = { 0 };
	char bytes[64];
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof bytes };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.room,
			    .msg_controllen = sizeof control.room };
	struct cmsghdr *c;
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return error_errno(err, "cannot hear from the box");
	if (n == 0)
		return error_set(err, EPIPE, "the box ended");
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_CREDENTIALS)
		return error_set(err, EPROTO, "the box does not say who speaks");
	*ret = ((struct ucred *)CMSG_DATA(c))->pid;
	return 0;
}

static int pass_credentials(int fd, bool on, struct error **err)
{
	int value = on;

	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &value, sizeof value) < 0)
		return error_errno(err, "cannot ask for credentials");
	return 0;
}

static void let_through(struct command *c)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *why = NULL;
	pid_t pid;
	int r;

	r = hear_pid(c->gate, &pid, &error);
	if (r == -EPIPE) {
		/* It failed before the gate; its end is reported over the lifeline. */
		close_gate(c);
		return;
	}
	if (r >= 0)
		r = verify_process(c->box, pid, 1 + (uint32_t)filter_count(c->box->filter), &error);
	if (r >= 0 && send(c->gate, "g", 1, MSG_NOSIGNAL) == 1) {
		c->let_through = true;
		return;
	}
	close_gate(c);
	why = xasprintf("a command is not confined as planned: %s",
			error ? error->message : "it is gone");
	box_lose(c->box, why);
}

/* Behind the gate: has the program been executed? */
static void hear_outcome(struct command *c)
{
	uint32_t error;
	ssize_t n = recv(c->gate, &error, sizeof error, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	close_gate(c);
	if (n == 0 && c->events.started)
		c->events.started(c->user);
	if (n == sizeof error && c->events.failed)
		c->events.failed(c->user, (int)error);
}

static void on_gate(void *user, short revents)
{
	struct command *c = user;

	(void)revents;
	if (c->let_through)
		hear_outcome(c);
	else
		let_through(c);
}

static void on_terminal(struct box *b, uint32_t id)
{
	struct command *c = *find_command(b, id);

	if (c && c->events.terminal && b->inbox.n_fds)
		c->events.terminal(c->user, TAKE_FD(b->inbox.fds[0]));
}

static void on_ended(struct box *b, uint32_t id, int status)
{
	struct command **place = find_command(b, id), *c = *place;

	if (!c)
		return;
	/* A short life may end before its start was seen. */
	if (c->let_through && c->gate >= 0)
		hear_outcome(c);
	*place = c->next;
	if (c->events.ended)
		c->events.ended(c->user, status);
	command_free(c);
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
		on_terminal(b, id);
	else if (type == INIT_ENDED)
		on_ended(b, id, (int)wire_get_u32(&w));
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
	_cleanup_close_ int job_fd = -EBADF;
	_cleanup_buf_ struct buf data = { 0 };
	const struct job job = {
		.supervisor = (uint32_t)getpid(),
		.name = name,
		.tree = tree,
		.config = (char *)start->config,
		.box = *start->plan,
	};
	int r;

	job_write(&job, &data);
	r = fs_memfd("job", data.data, data.size, &job_fd, err);
	if (r < 0)
		return r;

	const int fds[MONITOR_FD_MAX] = {
		[MONITOR_JOB] = job_fd,
		[MONITOR_USER_NS] = start->holder->user_ns,
		[MONITOR_MOUNT_NS] = start->holder->mount_ns,
		[MONITOR_NET_NS] = start->holder->net_ns,
		[MONITOR_LIFELINE] = lifeline,
		[MONITOR_LOCK] = start->lock,
	};

	return sock_send(b->orders, "", 1, fds, ARRAY_SIZE(fds), err);
}

int box_begin(struct box *b, const struct box_start *start, struct error **err)
{
	_cleanup_close_ int theirs = -EBADF;
	int pair[2], r;

	b->filter = start->filter;
	r = sock_pair(pair, err);
	if (r < 0)
		return r;
	b->lifeline = pair[0];
	theirs = pair[1];
	r = pass_credentials(b->lifeline, true, err);
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
		r = hear_pid(b->lifeline, &b->init_pid, err);
		if (r >= 0)
			return pass_credentials(b->lifeline, false, err);
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
		r = verify_box(b, plan, err);
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

static int make_spec(const struct box_command *c, int *ret_fd, struct error **err)
{
	_cleanup_buf_ struct buf spec = { 0 };

	wire_put_strv(&spec, c->argv);
	wire_put_strv(&spec, c->env);
	wire_put_string(&spec, c->cwd);
	wire_put_u32(&spec, c->rows);
	wire_put_u32(&spec, c->columns);
	return fs_memfd("command", spec.data, spec.size, ret_fd, err);
}

static int send_spawn(struct box *b, uint32_t id, const struct box_command *c, int gate,
		      struct error **err)
{
	_cleanup_close_ int spec = -EBADF, null = -EBADF;
	_cleanup_buf_ struct buf m = { 0 };
	int fds[SPAWN_FD_MAX], r;

	r = make_spec(c, &spec, err);
	if (r < 0)
		return r;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return error_errno(err, "cannot open /dev/null");
	fds[SPAWN_FD_SPEC] = spec;
	fds[SPAWN_FD_FILTER] = b->filter;
	fds[SPAWN_FD_GATE] = gate;
	for (int i = 0; i < 3; i++)
		fds[SPAWN_FD_STDIN + i] = c->stdio[i] >= 0 ? c->stdio[i] : null;

	wire_put_u32(&m, INIT_SPAWN);
	wire_put_u32(&m, id);
	wire_put_u32(&m, c->terminal ? INIT_SPAWN_TERMINAL : 0);
	return sock_send(b->lifeline, m.data, m.size, fds,
			 c->terminal ? SPAWN_FD_STDIN : SPAWN_FD_MAX, err);
}

int box_spawn(struct box *b, const struct box_command *command,
	      const struct box_command_events *events, void *user, struct error **err)
{
	_cleanup_close_ int gate = -EBADF, theirs = -EBADF;
	struct command *c;
	int pair[2], r;

	r = sock_pair(pair, err);
	if (r < 0)
		return r;
	gate = pair[0];
	theirs = pair[1];
	r = pass_credentials(gate, true, err);
	if (r < 0)
		return r;
	r = send_spawn(b, ++b->last_id, command, theirs, err);
	if (r < 0)
		return error_prefix(err, "%s box: cannot start '%s'", box_kind_to_string(b->kind),
				    command->argv[0]);

	c = xcalloc(1, sizeof *c);
	*c = (struct command){
		.next = b->commands,
		.id = b->last_id,
		.box = b,
		.gate = TAKE_FD(gate),
		.user = user,
	};
	if (events)
		c->events = *events;
	c->gate_source = loop_add(b->loop, c->gate, POLLIN, on_gate, c);
	b->commands = c;
	return 0;
}

int box_signal(struct box *b, int signal, struct error **err)
{
	_cleanup_buf_ struct buf m = { 0 };

	wire_put_u32(&m, INIT_SIGNAL);
	wire_put_u32(&m, 0);
	wire_put_u32(&m, (uint32_t)signal);
	return sock_send(b->lifeline, m.data, m.size, NULL, 0, err);
}

pid_t box_init_pid(const struct box *b)
{
	return b->init_pid;
}

/* The init ends when its lifeline closes, and with it every process of its pid namespace. */
struct box *box_end(struct box *b)
{
	struct error *ignored = NULL;

	if (!b)
		return NULL;
	source_remove(b->lifeline_source);
	source_remove(b->monitor_source);
	close_fd(b->orders);
	close_fd(b->lifeline);
	if (b->init_pidfd >= 0) {
		struct pollfd p = { .fd = b->init_pidfd, .events = POLLIN };

		if (poll(&p, 1, END_TIMEOUT_MS) == 0)
			(void)syscall(SYS_pidfd_send_signal, b->init_pidfd, SIGKILL, NULL, 0);
	}
	if (b->monitor.pid > 0 && child_wait(&b->monitor, END_TIMEOUT_MS, NULL, &ignored) <= 0)
		child_end(&b->monitor);
	error_free(ignored);
	while (b->commands) {
		struct command *c = b->commands;

		b->commands = c->next;
		command_free(c);
	}
	close_fd(b->init_pidfd);
	close_fd(b->reason);
	free(b->user_ns);
	free(b);
	return NULL;
}
