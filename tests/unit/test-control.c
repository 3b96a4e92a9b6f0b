/* The control socket, both ends: requests that are answered later. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "app/control-server.h"
#include "base/sock.h"
#include "scratch.h"

#define ANSWERS_MAX 4U

/* The sandbox, which keeps what it is asked for and does nothing. */
struct sandbox {
	struct loop *loop;
	struct control *control;
	struct {
		control_done_fn *done;
		void *user;
	} asked[ANSWERS_MAX];
	size_t n;
	enum gate_access access;
	uint64_t limit;
	bool had_parent, had_fd, fails;
	char *name; /* or the first meaning */
};

static int keep(struct sandbox *s, const char *name, control_done_fn *done, void *user,
		struct error **err)
{
	if (s->fails)
		return error_set(err, EPERM, "no");
	assert_true(s->n < ANSWERS_MAX);
	s->asked[s->n].done = done;
	s->asked[s->n++].user = user;
	free(s->name);
	s->name = xstrdup(name);
	return 0;
}

static int share(void *user, struct control_share *share, control_done_fn *done, void *done_user,
		 struct error **err)
{
	struct sandbox *s = user;

	s->access = share->wish.access;
	s->limit = share->wish.limit;
	s->had_parent = fcntl(share->parent, F_GETFD) >= 0;
	s->had_fd = share->fd >= 0;
	return keep(s, share->name, done, done_user, err);
}

static int unshare_it(void *user, char *const *meanings, control_done_fn *done, void *done_user,
		      struct error **err)
{
	return keep(user, meanings[0], done, done_user, err);
}

static void begin(struct sandbox *s, const struct scratch *scratch)
{
	const struct control_handlers handlers = { .share = share, .unshare = unshare_it };
	struct error *error = NULL;

	*s = (struct sandbox){ .loop = loop_new() };
	(void)unlinkat(scratch->fd, CONTROL_SOCKET, 0);
	assert_int_equal(control_new(scratch->fd, s->loop, &handlers, s, &s->control, &error), 0);
}

static void end(struct sandbox *s)
{
	control_free(s->control);
	loop_free(s->loop);
	free(s->name);
}

/* Whatever is to be done is done. */
static void work(struct sandbox *s)
{
	const bool never = false;
	struct error *error = NULL;

	assert_int_equal(loop_run(s->loop, &never, 20, &error), 0);
}

static int connect_to(const struct scratch *scratch)
{
	struct error *error = NULL;
	int fd;

	assert_int_equal(sock_connect(scratch->fd, CONTROL_SOCKET, &fd, &error), 0);
	return fd;
}

/* The request alone, without waiting for its answer. */
static void ask(int fd, uint32_t access, uint32_t is_new, size_t n_fds, uint32_t more)
{
	_cleanup_buf_ struct buf m = { 0 };
	struct error *error = NULL;
	const int fds[] = { fd, fd, fd };

	wire_put_u32(&m, CONTROL_SHARE);
	wire_put_u32(&m, access);
	wire_put_u32(&m, 0);
	wire_put_u32(&m, 7);
	wire_put_u32(&m, 1);
	wire_put_u32(&m, is_new);
	wire_put_string(&m, "a.pdf");
	if (more)
		wire_put_u32(&m, more);
	assert_int_equal(sock_send(fd, m.data, m.size, fds, n_fds, &error), 0);
}

/* The type of the answer that is there, and its text; 0: there is none. */
static uint32_t heard(int fd, char **ret_text)
{
	_cleanup_free_ struct message *m = xmalloc(sizeof *m);
	struct error *error = NULL;
	uint32_t type;
	struct wire w;
	char byte;

	*ret_text = NULL;
	if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
		return 0;
	assert_int_equal(sock_receive(fd, m, &error), 0);
	w = wire_open(m->data, m->size);
	type = wire_get_u32(&w);
	if (type != CONTROL_OK)
		*ret_text = wire_get_string(&w);
	assert_true(wire_end(&w));
	return type;
}

static void test_share_is_answered_later(void **state)
{
	_cleanup_free_ char *text = NULL, *path = NULL;
	const struct scratch *scratch = *state;
	struct sandbox s;
	int fd;

	begin(&s, scratch);
	fd = connect_to(scratch);
	ask(fd, GATE_READ_WRITE, false, 2, 0);
	work(&s);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.access, GATE_READ_WRITE);
	assert_int_equal(s.limit, (UINT64_C(1) << 32) + 7);
	assert_true(s.had_parent && s.had_fd);
	assert_string_equal(s.name, "a.pdf");
	assert_int_equal(heard(fd, &text), 0);
	s.asked[0].done(s.asked[0].user, "/home/u/Files/a.pdf", NULL);
	assert_int_equal(heard(fd, &path), CONTROL_SHARED);
	assert_string_equal(path, "/home/u/Files/a.pdf");
	close_fd(fd);
	end(&s);
}

static void test_failures_are_said(void **state)
{
	_cleanup_(error_freep) struct error *refusal = NULL;
	_cleanup_free_ char *text = NULL, *at_once = NULL;
	const struct scratch *scratch = *state;
	struct sandbox s;
	int fd;

	begin(&s, scratch);
	fd = connect_to(scratch);
	ask(fd, GATE_READ_ONLY, true, 1, 0);
	work(&s);
	assert_int_equal(s.n, 1);
	assert_false(s.had_fd);
	error_set(&refusal, ENOSPC, "too many");
	s.asked[0].done(s.asked[0].user, NULL, refusal);
	assert_int_equal(heard(fd, &text), CONTROL_ERROR);
	assert_string_equal(text, "too many");
	s.fails = true;
	ask(fd, GATE_READ_ONLY, true, 1, 0);
	work(&s);
	assert_int_equal(heard(fd, &at_once), CONTROL_ERROR);
	assert_string_equal(at_once, "no");
	close_fd(fd);
	work(&s); /* it leaves, and nothing refers to it */
	end(&s);
}

static void test_bad_requests_are_refused(void **state)
{
	static const struct {
		uint32_t access, is_new;
		size_t n_fds;
		uint32_t more;
	} rows[] = {
		{ GATE_ACCESS_MAX, false, 2, 0 },     { GATE_READ_ONLY, false, 1, 0 },
		{ GATE_READ_ONLY, false, 3, 0 },      { GATE_READ_ONLY, true, 2, 0 },
		{ GATE_READ_ONLY, true, 0, 0 },	      { GATE_READ_ONLY, 2, 0, 0 },
		{ GATE_READ_ONLY, UINT32_MAX, 3, 0 }, { GATE_READ_ONLY, false, 2, 1 },
	};
	const struct scratch *scratch = *state;
	struct sandbox s;
	int fd;

	begin(&s, scratch);
	fd = connect_to(scratch);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = NULL;

		ask(fd, rows[i].access, rows[i].is_new, rows[i].n_fds, rows[i].more);
		work(&s);
		assert_int_equal(heard(fd, &text), CONTROL_ERROR);
		assert_string_equal(text, "bad request");
	}
	assert_int_equal(s.n, 0);
	close_fd(fd);
	end(&s);
}

/* The answer finds nobody, and those who stay are served. */
static void test_client_leaves_before_answer(void **state)
{
	_cleanup_free_ char *text = NULL;
	const struct scratch *scratch = *state;
	struct sandbox s;
	int fds[2];

	begin(&s, scratch);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = connect_to(scratch);
		ask(fds[i], GATE_READ_ONLY, true, 1, 0);
		ask(fds[i], GATE_READ_ONLY, true, 1, 0);
		work(&s);
	}
	assert_int_equal(s.n, 4);
	close_fd(fds[0]);
	work(&s);
	for (size_t i = 0; i < s.n; i++)
		s.asked[i].done(s.asked[i].user, "x", NULL);
	assert_int_equal(heard(fds[1], &text), CONTROL_SHARED);
	close_fd(fds[1]);
	end(&s);
}

/* Its caller sees that the sandbox has ended, as with every other request. */
static void test_end_is_not_an_answer(void **state)
{
	_cleanup_(error_freep) struct error *error = NULL;
	const struct scratch *scratch = *state;
	struct sandbox s;
	char byte;
	int fd;

	begin(&s, scratch);
	fd = connect_to(scratch);
	ask(fd, GATE_READ_ONLY, true, 1, 0);
	work(&s);
	error_set(&error, ESHUTDOWN, "the sandbox ends");
	s.asked[0].done(s.asked[0].user, NULL, error);
	end(&s);
	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	close_fd(fd);
}

static void test_unshare(void **state)
{
	char *meanings[] = { "/real/a", "/typed/a", NULL };
	_cleanup_free_ char *nothing = NULL, *text = NULL;
	_cleanup_buf_ struct buf m = { 0 };
	const struct scratch *scratch = *state;
	struct error *error = NULL;
	struct sandbox s;
	int fd;

	begin(&s, scratch);
	fd = connect_to(scratch);
	wire_put_u32(&m, CONTROL_UNSHARE);
	wire_put_strv(&m, meanings);
	assert_int_equal(sock_send(fd, m.data, m.size, NULL, 0, &error), 0);
	work(&s);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.name, "/real/a");
	assert_int_equal(heard(fd, &nothing), 0);
	s.asked[0].done(s.asked[0].user, "/home/u/Files/a", NULL);
	assert_int_equal(heard(fd, &nothing), CONTROL_OK);
	m.size = sizeof(uint32_t);
	wire_put_strv(&m, NULL);
	assert_int_equal(sock_send(fd, m.data, m.size, NULL, 0, &error), 0);
	work(&s);
	assert_int_equal(heard(fd, &text), CONTROL_ERROR);
	close_fd(fd);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_share_is_answered_later),
		cmocka_unit_test(test_failures_are_said),
		cmocka_unit_test(test_bad_requests_are_refused),
		cmocka_unit_test(test_client_leaves_before_answer),
		cmocka_unit_test(test_end_is_not_an_answer),
		cmocka_unit_test(test_unshare),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
