/* session/desktop, picture, recorder, patience: what is read of a desktop, and waiting. */

#include "session/desktop.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/loop.h"
#include "session/recorder.h"
#include "unit.h"

static void test_windows(void **state)
{
	static const char text[] = "41943043 77 1 10 20 640 480 [Terminal] a  b\n"
				   "5 0 0 0 0 1 1 \n";
	_cleanup_(desktop_windows_release) struct desktop_windows all = { 0 };
	struct error *error = NULL;

	(void)state;
	assert_done(desktop_windows_parse(text, &all, &error), error);
	assert_int_equal(all.n, 2);
	assert_int_equal(all.list[0].id, 41943043);
	assert_int_equal(all.list[0].pid, 77);
	assert_true(all.list[0].active);
	assert_int_equal(all.list[0].x, 10);
	assert_int_equal(all.list[0].height, 480);
	assert_string_equal(all.list[0].title, "[Terminal] a  b");
	assert_false(all.list[1].active);
	assert_string_equal(all.list[1].title, "");
}

static void test_bad_windows(void **state)
{
	static const char *const rows[] = {
		"1 2 0 0 0 1 1 title",	  "1 2 0 0 0 1 1\n",	"1 2 2 0 0 1 1 a\n",
		"x 2 0 0 0 1 1 a\n",	  "1 2 0 -1 0 1 1 a\n", "\n",
		"1 2 0 0 0 1 1 \x1b[m\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct desktop_windows all;
		struct error *error = NULL;

		assert_refused(desktop_windows_parse(rows[i], &all, &error), error, EINVAL,
			       "not a list");
	}
}

static struct picture make_picture(const char *text, size_t size)
{
	struct error *error = NULL;
	struct picture p;

	assert_done(picture_parse(text, size, &p, &error), error);
	return p;
}

static void test_pictures(void **state)
{
	static const char one[] = "2 2\n\x31\xc7\xb2\x31\xc7\xb2\x31\xc7\xb2\0\0\0";
	static const char two[] = "2 2\n\x31\xc7\xb2\x35\xc0\xb9\xff\xc7\xb2\0\0\0";
	static const char wide[] = "4 1\n\x31\xc7\xb2\x31\xc7\xb2\x31\xc7\xb2\0\0\0";
	struct picture a = make_picture(one, sizeof one - 1), b = make_picture(two, sizeof two - 1),
		       c = make_picture(wide, sizeof wide - 1);

	(void)state;
	assert_int_equal(picture_difference(&a, &a), 0);
	assert_int_equal(picture_difference(&a, &b), 25);
	assert_int_equal(picture_difference(&a, &c), 100);
	assert_int_equal(picture_share(&a, 0x31c7b2), 75);
	assert_int_equal(picture_share(&b, 0x31c7b2), 50);
	assert_int_equal(picture_share(&a, 0), 25);
	assert_int_equal(picture_share(&a, 0xb2c731), 0);
	picture_release(&a);
	picture_release(&b);
	picture_release(&c);
}

static void test_bad_pictures(void **state)
{
	static const struct {
		const char *text;
		size_t size;
	} rows[] = {
		{ "", 0 },
		{ "2 2", 3 },
		{ "1 1\nab", 6 },
		{ "1 1\nabcd", 8 },
		{ "0 1\n", 4 },
		{ "1\n1\nabc", 7 },
		{ "-1 1\nabc", 8 },
		{ "99999 99999\na", 13 },
		{ "4294967295 4294967295\nabc", 25 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error *error = NULL;
		struct picture p;

		assert_refused(picture_parse(rows[i].text, rows[i].size, &p, &error), error, EINVAL,
			       "picture");
	}
}

static void test_streams(void **state)
{
	static const char text[] = "Sink Input #7\n\tDriver: x\n"
				   "\t\tapplication.process.id = \"12\"\n"
				   "\t\tapplication.process.id = \"13\"\n"
				   "Sink Input #8\n\tProperties:\n"
				   "Sink Input #9\n\t\tapplication.process.id = \"14\"\n"
				   "Sink Input #x\n\t\tapplication.process.id = \"15\"\n";
	struct sound_stream streams[STREAMS_MAX];

	(void)state;
	assert_int_equal(sound_streams_parse("", streams), 0);
	assert_int_equal(sound_streams_parse(text, streams), 2);
	assert_int_equal(streams[0].index, 7);
	assert_int_equal(streams[0].pid, 12);
	assert_int_equal(streams[1].index, 9);
	assert_int_equal(streams[1].pid, 14);
}

static void test_sound(void **state)
{
	static const uint8_t silence[8] = { 0, 0, 1, 0, 0xff, 0xff }, loud[] = { 0, 0, 0, 4 },
			     low[] = { 0, 0xfc }, odd[] = { 0, 0, 0xff };

	(void)state;
	assert_false(samples_are_sound(silence, sizeof silence));
	assert_true(samples_are_sound(loud, sizeof loud));
	assert_true(samples_are_sound(low, sizeof low));
	assert_false(samples_are_sound(odd, sizeof odd));
	assert_false(samples_are_sound(NULL, 0));
}

/* --- waiting ---------------------------------------------------------------------------------- */

static int shell(const struct patience *p, const char *script, uint32_t ms, bool enough,
		 struct buf *out, int *status, struct error **err)
{
	char *const argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)script, NULL };
	const struct spawn s = { .argv = argv };
	const struct collect c = { .spawn = &s, .limit = 1000, .ms = ms, .enough = enough };

	return patience_collect(p, &c, out, status, err);
}

static void test_programs_end(void **state)
{
	struct patience p = { .signals = -EBADF, .deadline = now_ms() + 60000 };
	struct error *error = NULL;
	struct buf out = { 0 };
	int status = -1;
	uint64_t begin;

	(void)state;
	assert_done(shell(&p, "echo a; echo b >&2; exit 3", 10000, false, &out, &status, &error),
		    error);
	assert_string_equal(out.data, "a\nb\n");
	assert_int_equal(status_to_exit_code(status), 3);
	buf_release(&out);

	begin = now_ms();
	assert_refused(shell(&p, "exec sleep 30", 100, false, &out, &status, &error), error,
		       ETIMEDOUT, "no answer within 100 ms");
	/* One that closes its output runs on all the same. */
	assert_refused(
		shell(&p, "exec sleep 30 >/dev/null 2>&1", 300, false, &out, &status, &error),
		error, ETIMEDOUT, "no end within");
	assert_refused(shell(&p, "exec yes", 10000, false, &out, &status, &error), error, EFBIG,
		       "too much");
	assert_done(shell(&p, "exec yes", 10000, true, &out, &status, &error), error);
	assert_int_equal(out.size, 1000);
	buf_release(&out);
	p.deadline = now_ms() + 100;
	assert_refused(shell(&p, "exec sleep 30", 10000, false, &out, &status, &error), error,
		       ETIMEDOUT, "out of time");
	assert_true(now_ms() - begin < 10000);
}

static void test_a_signal_interrupts(void **state)
{
	struct error *error = NULL;
	struct buf out = { 0 };
	int ends[2], status;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_refused(patience_wait(&(struct patience){ .signals = ends[0],
							 .deadline = now_ms() + 60000 },
				     -EBADF, 30000, &error),
		       error, EINTR, "interrupted");
	assert_refused(shell(&(struct patience){ .signals = ends[0], .deadline = now_ms() + 60000 },
			     "exec sleep 30", 30000, false, &out, &status, &error),
		       error, EINTR, "interrupted");
	close(ends[0]);
	close(ends[1]);
}

/* However much is printed, the first and the last of it are kept, and no more. */
static void test_all_is_heard(void **state)
{
	char *const argv[] = { (char *)"/bin/sh", (char *)"-c",
			       (char *)"echo first; yes | head -c 3000000; echo last", NULL };
	struct heard heard = { .fd = -EBADF };
	const struct patience p = {
		.signals = -EBADF, .deadline = now_ms() + 60000, .heard = &heard, .n_heard = 1
	};
	struct error *error = NULL;
	struct child child;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	heard.fd = ends[0];
	assert_done(spawn(&(struct spawn){ .argv = argv,
					   .fds = (const int[]){ -EBADF, ends[1], -EBADF },
					   .n_fds = 3 },
			  &child, &error),
		    error);
	close(ends[1]);
	while (heard.fd >= 0)
		assert_done(patience_wait(&p, -EBADF, 10, &error), error);
	assert_int_equal(child_wait(&child, 10000, NULL, &error), 1);
	assert_int_equal(heard.head.size, HEARD_MAX);
	assert_memory_equal(heard.head.data, "first\ny\n", 8);
	assert_true(heard.tail.size >= HEARD_TAIL_MAX / 2 && heard.tail.size <= 2 * HEARD_TAIL_MAX);
	assert_string_equal(heard.tail.data + heard.tail.size - 5, "last\n");
	heard_release(&heard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows),	     cmocka_unit_test(test_bad_windows),
		cmocka_unit_test(test_pictures),     cmocka_unit_test(test_bad_pictures),
		cmocka_unit_test(test_streams),	     cmocka_unit_test(test_sound),
		cmocka_unit_test(test_programs_end), cmocka_unit_test(test_a_signal_interrupts),
		cmocka_unit_test(test_all_is_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
