#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "session/x11-auth.h"

#define COOKIE_NAME "MIT-MAGIC-COOKIE-1"
#define HOST	    "museum"

static const char cookie[] = "0123456789abcdef";
static const char other_cookie[] = "fedcba9876543210";

enum {
	LOCAL = 256,
	INTERNET = 0,
	WILD = 65535,
};

struct entry {
	unsigned family;
	const char *address, *number, *name, *data;
};

static void add_u16(struct buf *b, size_t value)
{
	const char bytes[] = { (char)(value >> 8), (char)value };

	buf_add(b, bytes, sizeof bytes);
}

static void add_counted(struct buf *b, const char *text)
{
	add_u16(b, strlen(text));
	buf_adds(b, text);
}

static void add_entry(struct buf *b, const struct entry *e)
{
	add_u16(b, e->family);
	add_counted(b, e->address);
	add_counted(b, e->number);
	add_counted(b, e->name);
	add_counted(b, e->data);
}

static const char *cookie_of(const struct x11_authority *a)
{
	return (const char *)a->data + a->size - X11_COOKIE_SIZE;
}

static void test_one_entry_has_46_bytes(void **state)
{
	struct x11_authority a, again, found;
	struct error *err = NULL;

	(void)state;
	assert_int_equal(x11_authority_make(10, &a, &err), 0);
	assert_int_equal(a.size, 46);
	assert_memory_equal(a.data,
			    "\xff\xff\0\0\0\02"
			    "10\0\22MIT-MAGIC-COOKIE-1\0\20",
			    30);
	assert_int_equal(x11_authority_make(10, &again, &err), 0);
	assert_memory_not_equal(cookie_of(&a), cookie_of(&again), X11_COOKIE_SIZE);

	assert_int_equal(x11_authority_find(a.data, a.size, HOST, 10, &found), 0);
	assert_int_equal(found.size, a.size);
	assert_memory_equal(found.data, a.data, a.size);
	assert_int_equal(x11_authority_find(a.data, a.size, HOST, 11, &found), -ENOENT);

	assert_int_equal(x11_authority_make(UINT32_MAX, &a, &err), 0);
	assert_int_equal(x11_authority_find(a.data, a.size, HOST, UINT32_MAX, &found), 0);
	assert_int_equal(found.size, 54);
}

static void test_entry_is_chosen_as_by_xlib(void **state)
{
	static const struct entry last = { WILD, "", "", COOKIE_NAME, cookie };
	static const struct {
		struct entry first;
		bool taken;
	} cases[] = {
		{ { LOCAL, HOST, "7", COOKIE_NAME, other_cookie }, true },
		{ { LOCAL, HOST, "", COOKIE_NAME, other_cookie }, true },
		{ { WILD, "", "7", COOKIE_NAME, other_cookie }, true },
		{ { WILD, "anything", "7", COOKIE_NAME, other_cookie }, true },
		{ { LOCAL, HOST, "77", COOKIE_NAME, other_cookie }, false },
		{ { LOCAL, HOST, "0", COOKIE_NAME, other_cookie }, false },
		{ { LOCAL, HOST "s", "7", COOKIE_NAME, other_cookie }, false },
		{ { LOCAL, "", "7", COOKIE_NAME, other_cookie }, false },
		{ { INTERNET, "\177\1\1\1", "7", COOKIE_NAME, other_cookie }, false },
		{ { WILD, "", "7", "XDM-AUTHORIZATION-1", other_cookie }, false },
		{ { WILD, "", "7", "MIT-MAGIC-COOKIE", other_cookie }, false },
		{ { WILD, "", "7", COOKIE_NAME, "too short" }, false },
		{ { WILD, "", "7", COOKIE_NAME, "fedcba9876543210x" }, false },
		{ { WILD, "", "7", COOKIE_NAME, "" }, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf file = { 0 };
		struct x11_authority found;

		add_entry(&file, &cases[i].first);
		add_entry(&file, &last);
		assert_int_equal(x11_authority_find(file.data, file.size, HOST, 7, &found), 0);
		assert_memory_equal(cookie_of(&found), cases[i].taken ? other_cookie : cookie,
				    X11_COOKIE_SIZE);
		assert_int_equal(found.size, 45);
	}
}

/* Each copy is exactly as large as it says, so that the sanitizer sees one byte too many. */
static void test_file_that_ends_early_has_no_entry(void **state)
{
	static const struct entry e = { LOCAL, HOST, "7", COOKIE_NAME, cookie };
	_cleanup_buf_ struct buf file = { 0 };
	struct x11_authority found;

	(void)state;
	add_entry(&file, &e);
	for (size_t n = 0; n <= file.size; n++) {
		_cleanup_free_ char *copy = xmalloc(n);

		memcpy(copy, file.data, n);
		assert_int_equal(x11_authority_find(copy, n, HOST, 7, &found),
				 n == file.size ? 0 : -ENOENT);
	}
}

static void test_hostile_lengths(void **state)
{
	static const struct entry e = { WILD, "", "7", COOKIE_NAME, cookie };
	_cleanup_buf_ struct buf file = { 0 };
	struct x11_authority found;

	(void)state;
	add_entry(&file, &e);
	for (size_t i = 0; i < file.size; i++) {
		for (unsigned flip = 1; flip < 256; flip++) {
			_cleanup_free_ char *copy = xmalloc(file.size);

			memcpy(copy, file.data, file.size);
			copy[i] = (char)(copy[i] ^ (char)flip);
			(void)x11_authority_find(copy, file.size, HOST, 7, &found);
		}
	}
	for (size_t i = 0; i < 65536; i++)
		buf_add(&file, "\xff", 1);
	assert_int_equal(x11_authority_find(file.data, file.size, HOST, 7, &found), 0);
	assert_int_equal(x11_authority_find(file.data, file.size, HOST, 8, &found), -ENOENT);
}

static void test_display_names(void **state)
{
	static const struct {
		const char *display;
		int number; /* -1: refused */
	} cases[] = {
		{ ":0", 0 },	      { ":17", 17 },	     { ":0.1", 0 },
		{ "unix:3", 3 },      { "unix:3.0", 3 },     { NULL, -1 },
		{ "", -1 },	      { "0", -1 },	     { ":", -1 },
		{ ":.0", -1 },	      { ":0.", -1 },	     { ":0.x", -1 },
		{ ":0.0.0", -1 },     { ":-1", -1 },	     { ": 1", -1 },
		{ "::1", -1 },	      { ":1:2", -1 },	     { ":99999999999", -1 },
		{ ":../../etc", -1 }, { "host:0", -1 },	     { "localhost:10.0", -1 },
		{ "tcp/host:0", -1 }, { "host/unix:0", -1 }, { "unix", -1 },
		{ "unixx:0", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(error_freep) struct error *err = NULL;
		uint32_t number = 0;
		int r = x11_display_parse(cases[i].display, &number, &err);

		assert_int_equal(r < 0, cases[i].number < 0);
		assert_int_equal(!!err, cases[i].number < 0);
		if (r == 0)
			assert_int_equal(number, cases[i].number);
	}
}

static void test_refusal_names_the_display(void **state)
{
	_cleanup_(error_freep) struct error *err = NULL, *escaped = NULL;
	uint32_t number;

	(void)state;
	assert_int_equal(x11_display_parse("host:0", &number, &err), -EINVAL);
	assert_string_equal(err->message, "DISPLAY=host:0 is not a local display");
	assert_int_equal(x11_display_parse("\033[2J", &number, &escaped), -EINVAL);
	assert_string_equal(escaped->message, "DISPLAY=\\x1b[2J is not a local display");
}

/* A display of our own: its socket lies where only its owner can make it go away again. */
struct place {
	char dir[64];
	char file[96];
	uint32_t number;
	char display[16];
	struct sockaddr_un socket;
	int fd;
};

static int make_place(void **state)
{
	struct place *p = xcalloc(1, sizeof *p);

	strcpy(p->dir, "/tmp/test-x11-auth-XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	snprintf(p->file, sizeof p->file, "%s/.Xauthority", p->dir);
	(void)mkdir("/tmp/.X11-unix", 01777);
	p->socket.sun_family = AF_UNIX;
	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	for (p->number = 60000; p->number < 61000; p->number++) {
		snprintf(p->socket.sun_path, sizeof p->socket.sun_path, "/tmp/.X11-unix/X%u",
			 p->number);
		if (bind(p->fd, (struct sockaddr *)&p->socket, sizeof p->socket) == 0)
			break;
	}
	if (p->number == 61000)
		return -1;
	snprintf(p->display, sizeof p->display, ":%u", p->number);
	*state = p;
	return 0;
}

static int remove_place(void **state)
{
	struct place *p = *state;

	unlink(p->socket.sun_path);
	unlink(p->file);
	rmdir(p->file);
	rmdir(p->dir);
	close(p->fd);
	free(p);
	return 0;
}

static void write_file(const struct place *p, const void *data, size_t size)
{
	FILE *f = fopen(p->file, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static void expect_refusal(const struct place *p, const char *display, const char *part)
{
	_cleanup_(error_freep) struct error *err = NULL;
	struct x11_desktop d;

	assert_true(x11_desktop_find(display, NULL, p->dir, &d, &err) < 0);
	assert_non_null(strstr(err->message, part));
}

static void test_desktop_is_found(void **state)
{
	_cleanup_(x11_desktop_release) struct x11_desktop d = { 0 }, named = { 0 };
	const struct place *p = *state;
	_cleanup_buf_ struct buf file = { 0 };
	struct error *err = NULL;
	char number[16], host[256] = "";

	snprintf(number, sizeof number, "%u", p->number);
	assert_int_equal(gethostname(host, sizeof host - 1), 0);
	add_entry(&file, &(struct entry){ LOCAL, host, number, COOKIE_NAME, cookie });
	write_file(p, file.data, file.size);

	assert_int_equal(x11_desktop_find(p->display, NULL, p->dir, &d, &err), 0);
	assert_int_equal(d.number, p->number);
	assert_string_equal(d.socket, p->socket.sun_path);
	assert_memory_equal(d.authority.data, "\xff\xff\0\0\0\05", 6);
	assert_memory_equal(cookie_of(&d.authority), cookie, X11_COOKIE_SIZE);

	assert_int_equal(x11_desktop_find(p->display, p->file, "/nonexistent", &named, &err), 0);
	assert_memory_equal(named.authority.data, d.authority.data, d.authority.size);
}

static void test_no_cookie_says_how_to_mend(void **state)
{
	const struct place *p = *state;
	_cleanup_free_ char *mend = xasprintf(
		"no cookie of display :%u in '%s': 'xauth generate :%u . trusted timeout 0'",
		p->number, p->file, p->number);

	expect_refusal(p, p->display, mend);
	write_file(p, "", 0);
	expect_refusal(p, p->display, mend);
	write_file(p, "\1\0\0\6", 4);
	expect_refusal(p, p->display, mend);
}

static void test_odd_files_are_refused(void **state)
{
	const struct place *p = *state;
	_cleanup_free_ char *large = xcalloc(1, X11_USER_FILE_MAX + 1);

	write_file(p, large, X11_USER_FILE_MAX + 1);
	expect_refusal(p, p->display, "larger than");
	assert_int_equal(unlink(p->file), 0);
	assert_int_equal(symlink("/etc/passwd", p->file), 0);
	expect_refusal(p, p->display, "cannot open");
	assert_int_equal(unlink(p->file), 0);
	assert_int_equal(mkfifo(p->file, 0600), 0);
	expect_refusal(p, p->display, "not a regular file");
	assert_int_equal(unlink(p->file), 0);
	assert_int_equal(mkdir(p->file, 0700), 0);
	expect_refusal(p, p->display, "not a regular file");
}

static void test_socket_must_be_one(void **state)
{
	const struct place *p = *state;

	assert_int_equal(unlink(p->socket.sun_path), 0);
	expect_refusal(p, p->display, "cannot find its socket");
	assert_int_equal(symlink("/", p->socket.sun_path), 0);
	expect_refusal(p, p->display, "is not a socket");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_entry_has_46_bytes),
		cmocka_unit_test(test_entry_is_chosen_as_by_xlib),
		cmocka_unit_test(test_file_that_ends_early_has_no_entry),
		cmocka_unit_test(test_hostile_lengths),
		cmocka_unit_test(test_display_names),
		cmocka_unit_test(test_refusal_names_the_display),
		cmocka_unit_test_setup_teardown(test_desktop_is_found, make_place, remove_place),
		cmocka_unit_test_setup_teardown(test_no_cookie_says_how_to_mend, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(test_odd_files_are_refused, make_place,
						remove_place),
		cmocka_unit_test_setup_teardown(test_socket_must_be_one, make_place, remove_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
