#include "app/profile-test.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>

#include "app/profile-test-private.h"
#include "base/fs.h"
#include "base/loop.h"
#include "base/text.h"

#define LOOK_MS	    200U
#define HEAR_OUT_MS 5000U
#define LINES_MAX   20U

typedef int part_fn(struct profile_test *t, const struct step *s, struct error **err);

/* --- parts ------------------------------------------------------------------------------------ */

static int start(struct profile_test *t, const struct step *s, struct error **err)
{
	(void)s;
	return profile_test_start(t, err);
}

static int end(struct profile_test *t, const struct step *s, struct error **err)
{
	(void)s;
	return profile_test_end(t, err);
}

/* An application that has ended has no effects any more but those that last. */
static int check_alive(struct profile_test *t, const struct step *s, struct error **err)
{
	if (s->verb == STEP_EXIT || s->verb == STEP_OUTPUT || s->verb == STEP_FILE ||
	    s->verb == STEP_WAIT || !profile_test_has_ended(t))
		return 0;
	return error_set(err, ECHILD, "the application ended with status %d",
			 status_to_exit_code(t->status));
}

/* All that an application has printed before its end, however little time is left. */
static int hear_out(struct profile_test *t, struct error **err)
{
	const uint64_t end = now_ms() + HEAR_OUT_MS;
	const struct patience p = {
		.signals = t->patience.signals,
		.deadline = UINT64_MAX,
		.heard = t->heard,
		.n_heard = ARRAY_SIZE(t->heard),
	};
	int r = 0;

	while (r >= 0 && (t->heard[0].fd >= 0 || t->heard[1].fd >= 0) && now_ms() < end)
		r = patience_wait(&p, -EBADF, 0, err);
	return r;
}

/* One that is out of time failed for what was seen last. */
static int look(struct profile_test *t, const struct step *s, uint32_t ms, struct error **err)
{
	const uint64_t limit = now_ms() + ms;
	const bool ended = profile_test_has_ended(t); /* then this look is the last one */
	_cleanup_free_ char *last = NULL;
	int r = ended ? hear_out(t, err) : 0;

	while (r >= 0) {
		char *why = NULL;

		r = profile_test_look(t, s, &why, err);
		if (r == 0) {
			free(last);
			last = TAKE_PTR(why);
		}
		free(why);
		if (r > 0)
			return 0;
		if (r == 0 && (ended || now_ms() > limit))
			return error_set(err, ETIME, "%s", last);
		if (r == 0)
			r = check_alive(t, s, err);
		if (r == 0)
			r = patience_wait(&t->patience, -EBADF, LOOK_MS, err);
	}
	if (r == -ETIMEDOUT && last) {
		*err = error_free(*err);
		return error_set(err, ETIME, "%s", last);
	}
	return r;
}

/* A first window and the end of an application may take as long as the whole test. */
static int await(struct profile_test *t, const struct step *s, struct error **err)
{
	return look(t, s, UINT32_MAX, err);
}

static int perform(struct profile_test *t, const struct step *s, struct error **err)
{
	int r = check_alive(t, s, err);

	if (r < 0)
		return r;
	if (s->verb == STEP_EXIT)
		return await(t, s, err);
	if (step_role(s->verb) == STEP_EFFECT)
		return look(t, s, TEST_EFFECT_MS, err);
	return profile_test_act(t, s, err);
}

/* --- telling ---------------------------------------------------------------------------------- */

/* Does one part, and tells of it; a part that failed is told of, and is no error. */
static int tell(struct profile_test *t, const char *what, part_fn *part, const struct step *s,
		bool *ret_passed, struct error **err)
{
	_cleanup_(error_freep) struct error *problem = NULL;
	_cleanup_free_ char *shown = text_escape(what, strlen(what)), *why = NULL;
	const uint64_t begin = now_ms();
	int r;

	r = part(t, s, &problem);
	if (r == -EINTR)
		return error_move(err, TAKE_PTR(problem));
	if (r < 0)
		why = text_escape(problem->message, strlen(problem->message));
	*ret_passed = r >= 0;
	t->request->told(t->request->user, &(struct test_line){ .passed = r >= 0,
								.what = shown,
								.why = why,
								.ms = now_ms() - begin });
	return 0;
}

static int tell_step(struct profile_test *t, size_t i, bool *ret_passed, struct error **err)
{
	int r = tell(t, t->profile->test_steps[i], perform, &t->steps.list[i], ret_passed, err);

	if (r >= 0 && (t->request->pictures || !*ret_passed) && !profile_test_has_ended(t))
		profile_test_keep_picture(t);
	return r;
}

static int tell_window(struct profile_test *t, bool *ret_passed, struct error **err)
{
	const struct step s = { .verb = STEP_TITLE, .text = t->profile->test_window };
	_cleanup_free_ char *what = xasprintf("window %s", s.text);
	int r = tell(t, what, await, &s, ret_passed, err);

	if (r >= 0 && (t->request->pictures || !*ret_passed))
		profile_test_keep_picture(t);
	return r;
}

static int tell_all(struct profile_test *t, bool *ret_passed, struct error **err)
{
	int r = tell(t, "start", start, NULL, ret_passed, err);

	if (r >= 0 && *ret_passed && t->profile->test_window)
		r = tell_window(t, ret_passed, err);
	for (size_t i = 0; r >= 0 && *ret_passed && i < t->steps.n; i++)
		r = tell_step(t, i, ret_passed, err);
	return r;
}

/* --- begin and end ---------------------------------------------------------------------------- */

/* The last lines, so that no hostile output fills a screen. */
static char *last_lines(const struct buf *tail)
{
	_cleanup_buf_ struct buf shown = { 0 };
	const char *from = tail->data + tail->size;

	if (!tail->size)
		return NULL;
	for (unsigned lines = 0; from > tail->data && lines <= LINES_MAX; from--)
		lines += from[-1] == '\n' && from != tail->data + tail->size;
	if (from > tail->data)
		from++;
	(void)text_escape_lines(&shown, from, (size_t)(tail->data + tail->size - from));
	return buf_take(&shown);
}

static void release(struct profile_test *t)
{
	_cleanup_(error_freep) struct error *ignored = NULL;

	child_end(&t->child);
	for (size_t i = 0; i < ARRAY_SIZE(t->heard); i++)
		heard_release(&t->heard[i]);
	picture_release(&t->before);
	steps_release(&t->steps);
	close_fd(t->files);
	close_fd(t->kept);
	if (t->scratch)
		(void)fs_remove_tree(AT_FDCWD, t->scratch, &ignored);
	free(t->scratch);
	free(t->picture);
	free(t->label);
	free(t->id);
}

/* What a test is interrupted by. */
static int block_signals(sigset_t *ret_before, struct error **err)
{
	sigset_t signals;
	int fd;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0 || sigprocmask(SIG_BLOCK, &signals, ret_before) < 0)
		return error_errno(err, "cannot receive signals");
	return fd;
}

static int run(struct profile_test *t, struct test_result *ret, struct error **err)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	const uint64_t begin = now_ms();
	bool passed = false, gone = false;
	int r, ended;

	r = tell_all(t, &passed, err);
	/* Whatever happened; an interruption is told of, and not the end. */
	ended = tell(t, "end", end, NULL, &gone, r < 0 ? &ignored : err);
	if (r < 0 || ended < 0)
		return r < 0 ? r : ended;
	r = hear_out(t, err);
	if (r < 0)
		return r;
	*ret = (struct test_result){
		.passed = passed && gone,
		.picture = TAKE_PTR(t->picture),
		.printed = passed && gone ? NULL : last_lines(&t->heard[1].tail),
		.ms = now_ms() - begin,
	};
	return 0;
}

int profile_test_run(const struct test_request *q, struct test_result *ret, struct error **err)
{
	_cleanup_(release) struct profile_test t = {
		.request = q,
		.profile = q->profile,
		.heard = { { .fd = -EBADF }, { .fd = -EBADF } },
		.child = CHILD_NONE,
		.files = -EBADF,
		.kept = -EBADF,
	};
	_cleanup_close_ int signals = -EBADF;
	sigset_t before;
	int r;

	r = steps_read(q->profile, &t.steps, err);
	if (r < 0)
		return r;
	signals = block_signals(&before, err);
	if (signals < 0)
		return signals;
	t.patience = (struct patience){
		.signals = signals,
		.deadline = now_ms() + q->profile->test_timeout * UINT64_C(1000),
		.heard = t.heard,
		.n_heard = ARRAY_SIZE(t.heard),
	};
	/* What a descendant leaves becomes ours, and so is seen. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	r = run(&t, ret, err);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 0);
	/* The one that interrupted was taken care of. */
	while (read(signals, &(struct signalfd_siginfo){ 0 }, sizeof(struct signalfd_siginfo)) > 0)
		;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

void test_result_release(struct test_result *r)
{
	free(r->picture);
	free(r->printed);
}
