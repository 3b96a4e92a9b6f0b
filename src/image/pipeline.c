#include "image/pipeline.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "base/fs.h"
#include "base/loop.h"
#include "base/parse.h"
#include "base/spawn.h"
#include "base/strv.h"
#include "image/lines.h"

#define GUARD		 VITRINE_EXEC_DIR "/vitrine-guard"
#define UNPACK		 VITRINE_EXEC_DIR "/vitrine-unpack"
#define UNPACK_TRUNCATED 3 /* its exit status for an archive that ends too early */
#define ROOT_FD		 "3"
#define PROGRESS_MS	 100

enum stream {
	STREAM_LOG,	 /* what the program prints */
	STREAM_UNPACKED, /* progress of vitrine-unpack */
	STREAM_REFUSED,	 /* its error */
	STREAM_MAX,
};

struct run;

struct input {
	struct run *run;
	int fd;
	struct source *source;
	struct lines lines;
};

struct run {
	const struct pipeline *p;
	struct loop *loop;
	struct child builder, unpacker;
	struct source *builder_source, *unpacker_source;
	int lifeline; /* the builder ends when it is closed */
	struct input inputs[STREAM_MAX];
	int signals;
	sigset_t old_mask;
	bool done;
	bool interrupted;
	int builder_status, unpacker_status;
	char *refusal;
	uint64_t shown_ms;
	struct pipeline_result result;
};

void pipeline_show(struct pipeline_view *v)
{
	v->progress(v->user, &v->state);
}

static void show(struct run *r, bool always)
{
	if (!always && now_ms() - r->shown_ms < PROGRESS_MS)
		return;
	r->shown_ms = now_ms();
	pipeline_show(r->p->view);
}

/* --- what the two print
 * --------------------------------------------------------------------------- */

static void on_log_line(void *user, const char *line)
{
	struct run *r = user;
	struct build_progress *state = &r->p->view->state;
	enum build_phase before = state->phase;

	if (build_progress_line(state, line))
		show(r, state->phase != before);
	if (r->p->line)
		r->p->line(r->p->user, line);
}

/* "ENTRIES BYTES DROPPED" */
static void on_unpacked_line(void *user, const char *line)
{
	struct run *r = user;
	_cleanup_free_ char *copy = xstrdup(line);
	char *state, *entries = strtok_r(copy, " ", &state), *bytes = strtok_r(NULL, " ", &state);
	struct pipeline_result now;

	if (!entries || !bytes || parse_u64(entries, &now.files) < 0 ||
	    parse_u64(bytes, &now.bytes) < 0)
		return;
	r->result = now;
	build_progress_unpacked(&r->p->view->state, now.bytes, r->p->size);
	show(r, false);
}

static void on_refused_line(void *user, const char *line)
{
	struct run *r = user;

	free(r->refusal);
	r->refusal = xstrdup(line);
}

static lines_fn *const on_line[STREAM_MAX] = {
	[STREAM_LOG] = on_log_line,
	[STREAM_UNPACKED] = on_unpacked_line,
	[STREAM_REFUSED] = on_refused_line,
};

/* The log is a help for later; a full disk is reported by those who have to write there. */
static void log_bytes(struct run *r, const char *data, size_t size)
{
	struct error *error = NULL;

	if (fs_write_all(r->p->view->log, data, size, &error) < 0)
		error_free(error);
}

/* Returns false at the end, or if there is nothing now. */
static bool read_some(struct input *in)
{
	char data[4096];
	ssize_t n = read(in->fd, data, sizeof data);

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0) {
		if (n == 0)
			in->source = source_remove(in->source);
		return false;
	}
	if (in != &in->run->inputs[STREAM_UNPACKED])
		log_bytes(in->run, data, (size_t)n);
	lines_add(&in->lines, data, (size_t)n);
	return true;
}

static void on_input(void *user, short revents)
{
	(void)revents;
	(void)read_some(user);
}

/* --- the two themselves
 * --------------------------------------------------------------------------- */

/* In its own time: it removes what it made. */
static void stop_builder(struct run *r)
{
	r->lifeline = close_fd(r->lifeline);
}

static void check_done(struct run *r)
{
	r->done = r->builder.pid < 0 && r->unpacker.pid < 0;
}

static void on_builder_ended(void *user, short revents)
{
	struct run *r = user;
	struct error *error = NULL;

	(void)revents;
	r->builder_source = source_remove(r->builder_source);
	if (child_wait(&r->builder, -1, &r->builder_status, &error) < 0) {
		error_free(error);
		child_end(&r->builder);
	}
	check_done(r);
}

static void on_unpacker_ended(void *user, short revents)
{
	struct run *r = user;
	struct error *error = NULL;

	(void)revents;
	r->unpacker_source = source_remove(r->unpacker_source);
	if (child_wait(&r->unpacker, -1, &r->unpacker_status, &error) < 0) {
		error_free(error);
		child_end(&r->unpacker);
	}
	if (r->unpacker_status != 0)
		stop_builder(r); /* its work is for nothing */
	check_done(r);
}

static void on_signal(void *user, short revents)
{
	struct run *r = user;
	struct signalfd_siginfo info;

	(void)revents;
	if (read(r->signals, &info, sizeof info) != sizeof info)
		return;
	r->interrupted = true;
	stop_builder(r);
}

static int open_signals(struct run *r, struct error **err)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, &r->old_mask);
	r->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r->signals < 0)
		return error_errno(err, "cannot wait for signals");
	loop_add(r->loop, r->signals, POLLIN, on_signal, r);
	return 0;
}

static int make_pipe(int *ret_read, int *ret_write, struct error **err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	*ret_read = fds[0];
	*ret_write = fds[1];
	return 0;
}

/* Makes the pipe of a stream; *ret_write is for the child. */
static int open_stream(struct run *r, enum stream s, int *ret_write, struct error **err)
{
	struct input *in = &r->inputs[s];
	int e = make_pipe(&in->fd, ret_write, err);

	if (e < 0)
		return e;
	if (fcntl(in->fd, F_SETFL, O_NONBLOCK) < 0)
		return error_errno(err, "cannot use a pipe");
	in->source = loop_add(r->loop, in->fd, POLLIN, on_input, in);
	return 0;
}

static int start_unpacker(struct run *r, int tar, struct error **err)
{
	_cleanup_free_ char *newest = xasprintf("%llu", (unsigned long long)r->p->newest);
	_cleanup_strv_ char **argv = NULL;
	_cleanup_close_ int progress = -EBADF, refused = -EBADF;
	int e;

	strv_add(&argv, UNPACK);
	if (r->p->layer)
		strv_add(&argv, "--layer");
	strv_add(&argv, "--newest");
	strv_add(&argv, newest);
	strv_add(&argv, ROOT_FD);
	e = open_stream(r, STREAM_UNPACKED, &progress, err);
	if (e == 0)
		e = open_stream(r, STREAM_REFUSED, &refused, err);
	if (e == 0)
		e = spawn(&(struct spawn){ .argv = argv,
					   .fds = (int[]){ tar, progress, refused, r->p->root },
					   .n_fds = 4,
					   .new_session = true },
			  &r->unpacker, err);
	if (e < 0)
		return e;
	r->unpacker_source = loop_add(r->loop, r->unpacker.pidfd, POLLIN, on_unpacker_ended, r);
	return 0;
}

static int start_builder(struct run *r, int tar, struct error **err)
{
	_cleanup_close_ int log = -EBADF, lifeline = -EBADF;
	_cleanup_strv_ char **argv = NULL;
	int e;

	strv_add(&argv, GUARD);
	strv_add_all(&argv, r->p->argv);
	e = open_stream(r, STREAM_LOG, &log, err);
	if (e == 0)
		e = make_pipe(&lifeline, &r->lifeline, err);
	if (e == 0)
		e = spawn(&(struct spawn){ .argv = argv,
					   .env = r->p->env,
					   .fds = (int[]){ -EBADF, tar < 0 ? log : tar, log,
							   lifeline, r->p->view->lock },
					   .n_fds = 5,
					   .outlive_parent = true,
					   .new_session = true },
			  &r->builder, err);
	if (e < 0)
		return e;
	r->builder_source = loop_add(r->loop, r->builder.pidfd, POLLIN, on_builder_ended, r);
	return 0;
}

static int start(struct run *r, struct error **err)
{
	_cleanup_close_ int tar_read = -EBADF, tar_write = -EBADF;
	int e;

	if (r->p->root < 0)
		return start_builder(r, -EBADF, err);
	e = make_pipe(&tar_read, &tar_write, err);

	if (e == 0)
		e = start_unpacker(r, tar_read, err);
	if (e == 0)
		e = start_builder(r, tar_write, err);
	return e;
}

static void run_release(struct run *r)
{
	struct error *error = NULL;

	for (enum stream s = 0; s < STREAM_MAX; s++)
		close_fd(r->inputs[s].fd);
	child_end(&r->unpacker);
	stop_builder(r);
	if (r->builder.pid > 0 && child_wait(&r->builder, -1, NULL, &error) < 0)
		error_free(error);
	close_fd(r->signals);
	loop_free(r->loop);
	free(r->refusal);
	sigprocmask(SIG_SETMASK, &r->old_mask, NULL);
}

static int judge(struct run *r, struct error **err)
{
	if (r->interrupted)
		return error_set(err, EINTR, "interrupted: nothing was changed");
	/* A builder that fails also leaves the archive unfinished. */
	if (r->unpacker_status != 0 &&
	    !(WIFEXITED(r->unpacker_status) && WEXITSTATUS(r->unpacker_status) == UNPACK_TRUNCATED))
		return error_set(err, EIO, "%s",
				 r->refusal ? r->refusal : "vitrine-unpack was killed");
	if (r->p->view->state.failure && r->builder_status != 0)
		return error_set(err, EIO, "%s", r->p->view->state.failure);
	if (r->builder_status != 0)
		return error_set(err, EPROTO, "%s failed (status %d)",
				 strrchr(r->p->argv[0], '/') + 1,
				 status_to_exit_code(r->builder_status));
	if (r->unpacker_status != 0)
		return error_set(err, EIO, "%s", r->refusal ? r->refusal : "nothing to unpack");
	return 0;
}

int pipeline_run(const struct pipeline *p, struct pipeline_result *ret, struct error **err)
{
	_cleanup_(run_release) struct run r = {
		.p = p,
		.loop = loop_new(),
		.builder = CHILD_NONE,
		.unpacker = CHILD_NONE,
		.lifeline = -EBADF,
		.signals = -EBADF,
	};
	int e;

	sigprocmask(SIG_BLOCK, NULL, &r.old_mask);
	for (enum stream s = 0; s < STREAM_MAX; s++)
		r.inputs[s] = (struct input){
			.run = &r,
			.fd = -EBADF,
			.lines = { .fn = on_line[s], .user = &r },
		};
	e = open_signals(&r, err);
	if (e == 0)
		e = start(&r, err);
	if (e < 0)
		return e;
	show(&r, true);
	e = loop_run(r.loop, &r.done, -1, err);
	if (e < 0)
		return e;
	for (enum stream s = 0; s < STREAM_MAX; s++) {
		while (read_some(&r.inputs[s]))
			;
		lines_end(&r.inputs[s].lines);
	}
	e = judge(&r, err);
	if (e < 0)
		return e;
	if (ret)
		*ret = r.result;
	return 0;
}
