#include "session/gate-process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>

#include "base/sock.h"
#include "base/spawn.h"
#include "base/text.h"
#include "gate/protocol.h"

#define GATE_PROGRAM  VITRINE_EXEC_DIR "/vitrine-gate"
#define COMPLAINT_MAX 512U

/* A message that waits for room in the socket. */
struct letter {
	struct letter *next;
	struct buf text;
	int fd; /* owned; may be negative */
};

struct gate_process {
	struct loop *loop;
	const struct gate_process_events *events;
	void *user;
	struct child child;
	int control;
	int complaints; /* memory file: its standard error */
	struct source *control_source, *child_source;
	struct letter *first, **last;
	bool lost;
	struct message inbox;
};

static void letter_free(struct letter *l)
{
	close_fd(l->fd);
	buf_release(&l->text);
	free(l);
}

/* What it said, on one line; owned by the caller. */
static char *complaint(const struct gate_process *p)
{
	char text[COMPLAINT_MAX + 1] = { 0 };
	ssize_t n = pread(p->complaints, text, COMPLAINT_MAX, 0);

	if (n <= 0 || !*text)
		return xstrdup("it gave no reason");
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = c[1] ? ' ' : '\0';
	return text_escape(text, COMPLAINT_MAX);
}

void gate_process_lose(struct gate_process *p, const char *why)
{
	p->control_source = source_remove(p->control_source);
	p->child_source = source_remove(p->child_source);
	if (p->lost)
		return;
	p->lost = true;
	p->events->lost(p->user, why);
}

static void lose_ended(struct gate_process *p)
{
	_cleanup_free_ char *reason = complaint(p),
			    *why = xasprintf("the file gate ended: what was given is gone (%s)",
					     reason);

	gate_process_lose(p, why);
}

static int post(struct gate_process *p, const struct buf *m, int fd, struct error **err)
{
	return sock_send(p->control, m->data, m->size, &fd, fd >= 0, err);
}

/* As far as there is room; negative where a message can never be sent. */
static int post_letters(struct gate_process *p, struct error **err)
{
	while (p->first) {
		struct letter *l = p->first;
		int r = post(p, &l->text, l->fd, err);

		if (r == -EAGAIN) {
			*err = error_free(*err);
			return 0;
		}
		if (r < 0)
			return r;
		p->first = l->next;
		if (!p->first)
			p->last = &p->first;
		letter_free(l);
	}
	source_set_events(p->control_source, POLLIN);
	return 0;
}

static void hear(struct gate_process *p)
{
	_cleanup_(error_freep) struct error *error = NULL;
	uint32_t type;
	struct wire w;
	int r;

	r = sock_receive(p->control, &p->inbox, &error);
	if (r == -EAGAIN)
		return;
	if (r < 0 || p->inbox.size == 0) {
		lose_ended(p);
		return;
	}
	message_close_fds(&p->inbox);
	w = wire_open(p->inbox.data, p->inbox.size);
	type = wire_get_u32(&w);
	if (!p->events->heard(p->user, type, &w))
		gate_process_lose(p, "the file gate broke its protocol");
}

static void on_control(void *user, short revents)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct gate_process *p = user;

	if ((revents & POLLOUT) && post_letters(p, &error) < 0)
		gate_process_lose(p, error->message);
	else if (revents & ~POLLOUT)
		hear(p);
}

static void on_child(void *user, short revents)
{
	(void)revents;
	lose_ended(user);
}

int gate_process_send(struct gate_process *p, const struct buf *m, int fd, struct error **err)
{
	struct letter *l;
	int copy = -EBADF, r;

	if (p->lost)
		return error_set(err, EPIPE, "the file gate has ended");
	r = p->first ? -EAGAIN : post(p, m, fd, err);
	if (r != -EAGAIN)
		return r;
	*err = error_free(*err);
	if (fd >= 0) {
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (copy < 0)
			return error_errno(err, "cannot copy a descriptor");
	}
	l = xcalloc(1, sizeof *l);
	buf_add(&l->text, m->data, m->size);
	l->fd = copy;
	*p->last = l;
	p->last = &l->next;
	source_set_events(p->control_source, POLLIN | POLLOUT);
	return 0;
}

/* Of a fixed size: writing there never blocks nor raises a signal, also after this process has
 * ended, and cannot take more memory. */
static int make_complaints(int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = memfd_create("complaints", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, COMPLAINT_MAX) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return error_errno(err, "cannot make a memory file");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int start_program(struct gate_process *p, int control, int keeper, int inbox,
			 struct error **err)
{
	char *argv[] = { GATE_PROGRAM, NULL };
	const int fds[GATE_FDS] = {
		-EBADF,
		-EBADF,
		p->complaints,
		[GATE_CONTROL] = control,
		[GATE_KEEPER] = keeper,
		[GATE_INBOX] = inbox,
	};
	/* It must take the last writes of a sandbox whose supervisor was killed. It ends by itself
	 * soon after its control socket has closed. */
	const struct spawn s = {
		.argv = argv,
		.fds = fds,
		.n_fds = ARRAY_SIZE(fds),
		.outlive_parent = true,
		.new_session = true,
	};

	return spawn(&s, &p->child, err);
}

int gate_process_start(struct loop *loop, const struct gate_process_events *events, void *user,
		       int *ret_keeper, int *ret_inbox, struct gate_process **ret,
		       struct error **err)
{
	_cleanup_(gate_process_freep) struct gate_process *p = xcalloc(1, sizeof *p);
	/* Of each pair the first is ours. */
	int control[2] = { -EBADF, -EBADF }, keeper[2] = { -EBADF, -EBADF },
	    inbox[2] = { -EBADF, -EBADF }, r;

	*p = (struct gate_process){
		.loop = loop,
		.events = events,
		.user = user,
		.child = CHILD_NONE,
		.control = -EBADF,
		.complaints = -EBADF,
		.last = &p->first,
	};
	r = make_complaints(&p->complaints, err);
	if (r >= 0)
		r = sock_pair(control, err);
	p->control = control[0];
	if (r >= 0 && fcntl(p->control, F_SETFL, O_NONBLOCK) < 0)
		r = error_errno(err, "cannot make a socket non-blocking");
	if (r >= 0)
		r = sock_pair(keeper, err);
	if (r >= 0)
		r = sock_pair(inbox, err);
	if (r >= 0)
		r = start_program(p, control[1], keeper[1], inbox[1], err);
	close_fd(control[1]);
	close_fd(keeper[1]);
	close_fd(inbox[1]);
	if (r < 0) {
		close_fd(keeper[0]);
		close_fd(inbox[0]);
		return r;
	}
	p->control_source = loop_add(loop, p->control, POLLIN, on_control, p);
	p->child_source = loop_add(loop, p->child.pidfd, POLLIN, on_child, p);
	*ret_keeper = keeper[0];
	*ret_inbox = inbox[0];
	*ret = TAKE_PTR(p);
	return 0;
}

pid_t gate_process_pid(const struct gate_process *p)
{
	return p->child.pid;
}

int gate_process_pidfd(const struct gate_process *p)
{
	return p->child.pidfd;
}

void gate_process_close(struct gate_process *p)
{
	p->control_source = source_remove(p->control_source);
	p->child_source = source_remove(p->child_source);
	p->control = close_fd(p->control);
	p->lost = true;
}

struct gate_process *gate_process_free(struct gate_process *p)
{
	if (!p)
		return NULL;
	gate_process_close(p);
	child_end(&p->child);
	while (p->first) {
		struct letter *l = p->first;

		p->first = l->next;
		letter_free(l);
	}
	close_fd(p->complaints);
	free(p);
	return NULL;
}
