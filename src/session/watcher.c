#include "session/watcher.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "base/fs.h"
#include "base/sock.h"
#include "base/spawn.h"
#include "base/text.h"
#include "emit/policy-text.h"
#include "session/compiler.h"

#define WATCHER	   VITRINE_EXEC_DIR "/vitrine-watch"
#define COMPILER   VITRINE_EXEC_DIR "/vitrine-filter"
#define REASON_MAX 4096U

struct watcher {
	struct watch_policy policy;
	int filter;
	int socket;
	int reason; /* what it prints */
	struct child child;
	struct source *socket_source, *child_source;
	struct watcher_events events; /* lost is NULL once it was said */
	void *user;
	struct message inbox;
};

static int number_policy(struct watcher *w, const struct policy *p, enum watch_mode mode,
			 struct error **err)
{
	char *argv[] = { (char *)COMPILER, (char *)"--numbers", NULL };
	_cleanup_free_ char *text = policy_render(p), *numbers = NULL;
	const struct compiler c = { argv, text, WATCH_FILE_MAX };
	_cleanup_buf_ struct buf filter = { 0 };
	size_t size;
	int r;

	if (p->i386)
		return error_set(err, ENOTSUP,
				 "the calls of 32-bit programs cannot be watched: "
				 "the profile has Abi=i386");
	r = compiler_run(&c, &numbers, &size, err);
	if (r >= 0)
		r = watch_policy_make(p, numbers, size, &w->policy, err);
	if (r < 0)
		return r;
	r = watch_filter_render(&w->policy, mode, &filter, err);
	if (r < 0)
		return r;
	return fs_memfd("filter", filter.data, filter.size, &w->filter, err);
}

static int start_child(struct watcher *w, const struct watch_order *o, int user_ns,
		       struct error **err)
{
	char *argv[] = { (char *)WATCHER, NULL };
	_cleanup_close_ int order = -EBADF, theirs = -EBADF, reason_write = -EBADF;
	_cleanup_buf_ struct buf data = { 0 };
	int pair[2], r;

	watch_order_write(o, &data);
	r = fs_memfd("order", data.data, data.size, &order, err);
	if (r >= 0)
		r = sock_pair(pair, err);
	if (r < 0)
		return r;
	w->socket = pair[0];
	theirs = pair[1];
	if (pipe2(pair, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	w->reason = pair[0];
	reason_write = pair[1];

	const int fds[WATCH_INHERITED_END] = {
		[0] = -EBADF,	       [1] = reason_write,	  [2] = reason_write,
		[WATCH_ORDER] = order, [WATCH_USER_NS] = user_ns, [WATCH_SOCKET] = theirs,
	};
	const struct spawn s = {
		.argv = argv, .fds = fds, .n_fds = WATCH_INHERITED_END, .new_session = true
	};

	return spawn(&s, &w->child, err);
}

/* Its last line, for the user; owned by the caller. */
static char *reason_of(struct watcher *w)
{
	_cleanup_free_ char *text = xcalloc(1, REASON_MAX + 1);
	char *line;
	ssize_t n;

	(void)fcntl(w->reason, F_SETFL, O_NONBLOCK);
	n = read(w->reason, text, REASON_MAX);
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	return *line ? text_escape(line, REASON_MAX) : xstrdup("it ended without a word");
}

static void lose(struct watcher *w, const char *what)
{
	watcher_lost_fn *lost = w->events.lost;
	_cleanup_free_ char *why = xasprintf("vitrine-watch: %s", what);

	w->socket_source = source_remove(w->socket_source);
	w->child_source = source_remove(w->child_source);
	w->events.lost = NULL;
	if (lost)
		lost(w->user, why);
}

/* 1 when there may be more. */
static int take_event(struct watcher *w)
{
	_cleanup_(watch_event_release) struct watch_event e = { 0 };
	_cleanup_(error_freep) struct error *error = NULL;
	int r = sock_receive(w->socket, &w->inbox, &error);

	if (r >= 0 && w->inbox.size == 0)
		return 0; /* its end is heard of by its process */
	if (r >= 0) {
		message_close_fds(&w->inbox);
		r = watch_event_read(w->inbox.data, w->inbox.size, &e, &error);
	}
	if (r == -EAGAIN)
		return 0;
	if (r < 0 || e.rule > w->policy.n) {
		lose(w, error ? error->message : "it names a rule that there is not");
		return 0;
	}
	w->events.event(w->user, &w->policy, &e);
	return 1;
}

void watcher_drain(struct watcher *w)
{
	while (w && w->events.lost && take_event(w) > 0)
		;
}

static void on_socket(void *user, short revents)
{
	struct watcher *w = user;

	watcher_drain(w);
	if (revents & POLLHUP)
		w->socket_source = source_remove(w->socket_source);
}

static void on_ended(void *user, short revents)
{
	struct watcher *w = user;
	_cleanup_free_ char *reason = NULL;

	(void)revents;
	watcher_drain(w);
	reason = reason_of(w);
	lose(w, reason);
}

int watcher_start(const struct policy *policy, enum watch_mode mode, int user_ns,
		  char *const *files, struct loop *loop, const struct watcher_events *events,
		  void *user, struct watcher **ret, struct error **err)
{
	struct watcher *w = xcalloc(1, sizeof *w);
	struct watch_order o = {
		.supervisor = (uint32_t)getpid(),
		.mode = mode,
		.files = (char **)files,
	};
	int r;

	w->filter = w->socket = w->reason = -EBADF;
	w->child = CHILD_NONE;
	w->events = *events;
	w->user = user;
	r = number_policy(w, policy, mode, err);
	o.policy = w->policy;
	if (r >= 0)
		r = start_child(w, &o, user_ns, err);
	if (r >= 0 && fcntl(w->socket, F_SETFL, O_NONBLOCK) < 0)
		r = error_errno(err, "cannot use a socket");
	if (r < 0) {
		watcher_end(w);
		return r;
	}
	w->socket_source = loop_add(loop, w->socket, POLLIN, on_socket, w);
	w->child_source = loop_add(loop, w->child.pidfd, POLLIN, on_ended, w);
	*ret = w;
	return 0;
}

int watcher_filter(const struct watcher *w)
{
	return w->filter;
}

int watcher_add(struct watcher *w, int listener, struct error **err)
{
	int r = sock_send(w->socket, "", 1, &listener, 1, err);

	/* Only one process has it: when that one ends, the filter's questions end too. */
	close_fd(listener);
	return r;
}

struct watcher *watcher_end(struct watcher *w)
{
	if (!w)
		return NULL;
	watcher_drain(w);
	source_remove(w->socket_source);
	source_remove(w->child_source);
	child_end(&w->child);
	close_fd(w->filter);
	close_fd(w->socket);
	close_fd(w->reason);
	watch_policy_release(&w->policy);
	free(w);
	return NULL;
}
