#include "session/walker.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

#include "base/fs.h"
#include "base/text.h"

#define WALKER	   VITRINE_EXEC_DIR "/vitrine-walk"
#define REASON_MAX 65536U

struct walker {
	struct child child;
	int reason; /* what it prints, which always fits into a pipe */
	struct source *source;
	walker_done_fn *done;
	void *user;
};

/* All lines, or of a failure the last one. */
static int collect(struct walker *w, int status, char **ret_left_out, struct error **err)
{
	_cleanup_free_ char *text = NULL, *line = NULL;
	char *last;
	size_t n;
	int r;

	r = fs_read_fd(w->reason, REASON_MAX, &text, &n, err);
	if (r < 0)
		return r;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		if (ret_left_out)
			*ret_left_out = TAKE_PTR(text);
		return 0;
	}
	while (n && text[n - 1] == '\n')
		text[--n] = '\0';
	last = strrchr(text, '\n');
	line = text_escape(last ? last + 1 : text, REASON_MAX);
	return error_set(err, EIO, "%s", *line ? line : "the walk through the files was ended");
}

static int finish(struct walker *w, char **ret_left_out, struct error **err)
{
	int status, r;

	w->source = source_remove(w->source);
	r = child_wait(&w->child, -1, &status, err);
	return r < 0 ? r : collect(w, status, ret_left_out, err);
}

static void on_ended(void *user, short revents)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *left_out = NULL;
	struct walker *w = user;
	walker_done_fn *done = w->done;

	(void)revents;
	w->done = NULL;
	(void)finish(w, &left_out, &error);
	if (done)
		done(w->user, left_out, error); /* may free w */
}

int walker_start(const struct walk_order *order, const struct walker_fds *fds, struct loop *loop,
		 walker_done_fn *done, void *user, struct walker **ret, struct error **err)
{
	char *argv[] = { (char *)WALKER, NULL };
	_cleanup_close_ int order_fd = -EBADF, reason = -EBADF, reason_write = -EBADF;
	_cleanup_buf_ struct buf data = { 0 };
	struct walk_order o = *order;
	struct walker *w;
	int pipe_fds[2], r;

	o.supervisor = (uint32_t)getpid();
	o.has_snapshot = fds->old >= 0;
	walk_order_write(&o, &data);
	r = fs_memfd("order", data.data, data.size, &order_fd, err);
	if (r < 0)
		return r;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	reason = pipe_fds[0];
	reason_write = pipe_fds[1];

	const int inherited[WALK_INHERITED_END] = {
		[0] = -EBADF,
		[1] = fds->out,
		[2] = reason_write,
		[WALK_ORDER] = order_fd,
		[WALK_USER_NS] = fds->user_ns,
		[WALK_OLD] = fds->old,
		[WALK_BASES] = fds->bases[0],
		[WALK_BASES + 1] = fds->bases[1],
	};
	const struct spawn s = {
		.argv = argv, .fds = inherited, .n_fds = WALK_INHERITED_END, .new_session = true
	};

	w = xcalloc(1, sizeof *w);
	w->child = CHILD_NONE;
	r = spawn(&s, &w->child, err);
	if (r < 0) {
		free(w);
		return r;
	}
	w->reason = TAKE_FD(reason);
	w->done = done;
	w->user = user;
	if (loop)
		w->source = loop_add(loop, w->child.pidfd, POLLIN, on_ended, w);
	*ret = w;
	return 0;
}

struct walker *walker_end(struct walker *w)
{
	_cleanup_(error_freep) struct error *error = NULL;

	if (!w)
		return NULL;
	source_remove(w->source);
	child_end(&w->child);
	close_fd(w->reason);
	if (w->done) {
		error_set(&error, ESHUTDOWN, "the sandbox ended");
		w->done(w->user, NULL, error);
	}
	free(w);
	return NULL;
}

int walker_await(struct walker *w, char **ret_left_out, struct error **err)
{
	w->done = NULL;
	return finish(w, ret_left_out, err);
}
