/* session/keeper: real files, real inotify, and a gate that may be hostile. */

#include "session/keeper.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>

#include "base/copy.h"
#include "base/fs.h"
#include "base/sock.h"
#include "base/wire.h"
#include "gate/protocol.h"
#include "session/replace.h"

#include "scratch.h"
#include "unit.h"

#define OTHER_FILE_SYSTEM "/dev/shm"
#define LARGE		  (20U << 20) /* more than is copied at once */
#define WAIT_MS		  5000
#define QUIET_MS	  50
#define KILLS		  150

enum { DOCUMENT = 1, READ_ONLY, NEW, FAR, GRANTS };

struct fixture {
	struct scratch *scratch;
	struct loop *loop;
	struct keeper *keeper;
	struct given given[GRANTS];
	int gate;
	struct source *source;
	struct message answer;
	bool answered, told, is_lost;
	uint32_t told_grant;
	int told_fd;
	unsigned n_told, n_lost;
	char *why;
};

static void on_replaced(void *user, uint32_t grant, int fd)
{
	struct fixture *f = user;

	close_fd(f->told_fd);
	f->told_grant = grant;
	f->told_fd = fd;
	f->told = true;
	f->n_told++;
}

static void on_lost(void *user, const char *why)
{
	struct fixture *f = user;

	free(f->why);
	f->why = xstrdup(why);
	f->is_lost = true;
	f->n_lost++;
}

static void on_answer(void *user, short revents)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct fixture *f = user;

	(void)revents;
	assert_done(sock_receive(f->gate, &f->answer, &error), error);
	f->answered = true;
	if (!f->answer.size)
		f->source = source_remove(f->source);
}

static struct given name_file(int parent, const char *name)
{
	return (struct given){
		.parent = fcntl(parent, F_DUPFD_CLOEXEC, 0),
		.name = xstrdup(name),
		.fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC),
	};
}

static void add(struct fixture *f, uint32_t id, int parent, const char *name, bool writable)
{
	struct error *error = NULL;

	f->given[id] = name_file(parent, name);
	assert_done(keeper_add(f->keeper, id, &f->given[id], writable, &error), error);
}

/* Descriptors as given.h says: O_PATH of the directory. */
static int begin(void **state)
{
	static const struct keeper_events events = { on_replaced, on_lost };
	_cleanup_close_ int parent = -EBADF;
	struct fixture *f = xcalloc(1, sizeof *f);
	struct error *error = NULL;
	void *scratch;
	int pair[2];

	if (scratch_make(&scratch) < 0)
		return -1;
	f->scratch = scratch;
	f->told_fd = -EBADF;
	f->loop = loop_new();
	assert_done(sock_pair(pair, &error), error);
	f->gate = pair[1];
	assert_done(keeper_new(f->loop, pair[0], &events, f, &f->keeper, &error), error);
	f->source = loop_add(f->loop, f->gate, POLLIN, on_answer, f);
	scratch_file(f->scratch, "document", "old", 0640);
	scratch_file(f->scratch, "read-only", "old", 0644);
	parent = open(f->scratch->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(parent >= 0);
	for (unsigned i = 0; i < GRANTS; i++)
		f->given[i] = GIVEN_NONE;
	add(f, DOCUMENT, parent, "document", true);
	add(f, READ_ONLY, parent, "read-only", false);
	add(f, NEW, parent, "new", true);
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;
	void *scratch = f->scratch;

	keeper_free(f->keeper);
	loop_free(f->loop);
	close_fd(f->gate);
	close_fd(f->told_fd);
	message_close_fds(&f->answer);
	for (unsigned i = 0; i < GRANTS; i++) {
		close_fd(f->given[i].parent);
		close_fd(f->given[i].fd);
		free(f->given[i].name);
	}
	free(f->why);
	free(f);
	return scratch_remove(&scratch);
}

/* --- The gate's part ----------------------------------------------------------------------------
 */

static void send_words(struct fixture *f, const uint32_t *words, size_t n)
{
	struct error *error = NULL;

	assert_done(sock_send(f->gate, words, n * sizeof *words, NULL, 0, &error), error);
}

#define SEND(f, ...) \
	send_words(f, (const uint32_t[]){ __VA_ARGS__ }, ARRAY_SIZE(((uint32_t[]){ __VA_ARGS__ })))

/* Returns the errno value of the answer; what follows is left in *w. */
static int await_answer(struct fixture *f, struct wire *w)
{
	struct error *error = NULL;

	message_close_fds(&f->answer);
	f->answered = false;
	assert_int_equal(loop_run(f->loop, &f->answered, WAIT_MS, &error), 1);
	*w = wire_open(f->answer.data, f->answer.size);
	return (int)wire_get_u32(w);
}

static int ask_temporary(struct fixture *f, uint32_t grant, uint32_t *ret_id, int *ret_fd)
{
	struct wire w;
	int e;

	SEND(f, KEEPER_TEMPORARY, grant);
	e = await_answer(f, &w);
	*ret_id = wire_get_u32(&w);
	assert_true(wire_end(&w));
	assert_int_equal(f->answer.n_fds, e ? 0 : 1);
	if (!e)
		*ret_fd = TAKE_FD(f->answer.fds[0]);
	return e;
}

static int ask_replace(struct fixture *f, uint32_t grant, uint32_t id)
{
	struct wire w;
	int e;

	SEND(f, KEEPER_REPLACE, grant, id);
	e = await_answer(f, &w);
	assert_true(wire_end(&w));
	assert_int_equal(f->answer.n_fds, e ? 0 : 1);
	return e;
}

/* A temporary with this in it. */
static uint32_t make_filled(struct fixture *f, uint32_t grant, const char *text)
{
	_cleanup_close_ int fd = -EBADF;
	uint32_t id;

	assert_int_equal(ask_temporary(f, grant, &id, &fd), 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return id;
}

static void expect_told(struct fixture *f, uint32_t grant, const char *content)
{
	_cleanup_free_ char *text = NULL;
	struct error *error = NULL;

	assert_int_equal(loop_run(f->loop, &f->told, WAIT_MS, &error), 1);
	f->told = false;
	assert_int_equal(f->told_grant, grant);
	assert_int_equal(f->told_fd >= 0, content != NULL);
	if (!content)
		return;
	assert_done(fs_read_fd(f->told_fd, 100, &text, NULL, &error), error);
	assert_string_equal(text, content);
}

static void expect_quiet(struct fixture *f)
{
	unsigned before = f->n_told;
	struct error *error = NULL;
	bool never = false;

	assert_int_equal(loop_run(f->loop, &never, QUIET_MS, &error), 0);
	assert_int_equal(f->n_told, before);
}

static void expect_content(struct fixture *f, const char *name, const char *content)
{
	_cleanup_free_ char *text = NULL;
	struct error *error = NULL;

	assert_done(fs_read(f->scratch->fd, name, 100, &text, NULL, &error), error);
	assert_string_equal(text, content);
}

static unsigned count_entries(int dir)
{
	DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

/* --- Replacing ----------------------------------------------------------------------------------
 */

static void test_replace_keeps_the_mode(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int old = openat(f->scratch->fd, "document", O_RDONLY | O_CLOEXEC);
	bool has_attributes = fsetxattr(old, "user.tag", "x", 1, 0) == 0;
	struct stat st, st_fd;
	char value;

	expect_quiet(f);
	assert_int_equal(ask_replace(f, DOCUMENT, make_filled(f, DOCUMENT, "new")), 0);
	expect_content(f, "document", "new");
	assert_int_equal(fstatat(f->scratch->fd, "document", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(fstat(f->answer.fds[0], &st_fd), 0);
	assert_int_equal(st_fd.st_ino, st.st_ino);
	if (has_attributes)
		assert_int_equal(fgetxattr(f->answer.fds[0], "user.tag", &value, 1), 1);
	assert_int_equal(pread(old, &value, 1, 0), 1);
	assert_int_equal(value, 'o');
	assert_int_equal(count_entries(f->scratch->fd), 2);
	expect_quiet(f);
	assert_int_equal(f->n_told, 0); /* not what we did ourselves */
}

static void test_set_id_is_not_kept(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(fchmodat(f->scratch->fd, "document", 06755, 0), 0);
	assert_int_equal(ask_replace(f, DOCUMENT, make_filled(f, DOCUMENT, "new")), 0);
	assert_int_equal(fstatat(f->scratch->fd, "document", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0755);
}

static void test_new_file_has_the_mode_of_new_files(void **state)
{
	struct fixture *f = *state;
	mode_t mask = umask(027);
	uint32_t id = make_filled(f, NEW, "first");
	struct stat st;

	umask(mask);
	assert_int_equal(ask_replace(f, NEW, id), 0);
	assert_int_equal(fstatat(f->scratch->fd, "new", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(ask_replace(f, NEW, make_filled(f, 0, "second")), 0);
	expect_content(f, "new", "second");
	assert_int_equal(count_entries(f->scratch->fd), 3);
}

static void test_new_file_overwrites_nothing(void **state)
{
	struct fixture *f = *state;
	uint32_t id = make_filled(f, NEW, "ours");

	scratch_file(f->scratch, "new", "theirs", 0644);
	assert_int_equal(ask_replace(f, NEW, id), EEXIST);
	expect_content(f, "new", "theirs");
	expect_told(f, NEW, "theirs");
	/* Now the application has seen it. */
	assert_int_equal(ask_replace(f, NEW, id), 0);
	expect_content(f, "new", "ours");
}

static void test_what_is_no_file_is_not_overwritten(void **state)
{
	struct fixture *f = *state;
	uint32_t id = make_filled(f, DOCUMENT, "new");
	struct stat st;

	assert_int_equal(unlinkat(f->scratch->fd, "document", 0), 0);
	assert_int_equal(symlinkat("read-only", f->scratch->fd, "document"), 0);
	assert_int_equal(ask_replace(f, DOCUMENT, id), EEXIST);
	assert_int_equal(fstatat(f->scratch->fd, "document", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode));
	expect_content(f, "read-only", "old");
	assert_int_equal(count_entries(f->scratch->fd), 2);
}

static void test_given_file_that_is_gone_is_made_again(void **state)
{
	struct fixture *f = *state;
	uint32_t id = make_filled(f, DOCUMENT, "again");

	assert_int_equal(unlinkat(f->scratch->fd, "document", 0), 0);
	assert_int_equal(ask_replace(f, DOCUMENT, id), 0);
	expect_content(f, "document", "again");
}

/* --- On another file system ---------------------------------------------------------------------
 */

static bool begin_far(struct fixture *f)
{
	_cleanup_close_ int far = open(OTHER_FILE_SYSTEM, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat here, there;

	if (far < 0 || fstat(far, &there) < 0 || fstat(f->scratch->fd, &here) < 0 ||
	    here.st_dev == there.st_dev || faccessat(far, ".", W_OK, 0) < 0) {
		print_message("# no other file system at " OTHER_FILE_SYSTEM "\n");
		return false;
	}
	add(f, FAR, far, "vitrine-test-keeper-not-made", true);
	return true;
}

static uint32_t make_large(struct fixture *f)
{
	_cleanup_free_ char *data = xmalloc(LARGE / 2);
	_cleanup_close_ int fd = -EBADF;
	uint32_t id;

	memset(data, 'x', LARGE / 2);
	assert_int_equal(ask_temporary(f, FAR, &id, &fd), 0);
	assert_int_equal(pwrite(fd, data, LARGE / 2, 0), LARGE / 2);
	assert_int_equal(ftruncate(fd, (off_t)LARGE * 100), 0);
	assert_int_equal(pwrite(fd, data, LARGE / 2, (off_t)LARGE * 100), LARGE / 2);
	assert_int_equal(ftruncate(fd, (off_t)LARGE * 101), 0);
	return id;
}

static void test_copy_keeps_holes(void **state)
{
	struct fixture *f = *state;
	char bytes[2];
	struct stat st;

	if (!begin_far(f))
		return;
	assert_int_equal(ask_replace(f, DOCUMENT, make_large(f)), 0);
	assert_int_equal(fstatat(f->scratch->fd, "document", &st, 0), 0);
	assert_int_equal(st.st_size, (off_t)LARGE * 101);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_true(st.st_blocks * 512 <= (off_t)LARGE + (1 << 20));
	assert_int_equal(pread(f->answer.fds[0], bytes, 2, LARGE / 2 - 1), 2);
	assert_memory_equal(bytes, "x\0", 2);
	assert_int_equal(pread(f->answer.fds[0], bytes, 2, (off_t)LARGE * 100 - 1), 2);
	assert_memory_equal(bytes, "\0x", 2);
	assert_int_equal(count_entries(f->scratch->fd), 2);
	expect_quiet(f);
	assert_int_equal(f->n_told, 0);
}

/* Where the kernel copies by itself. */
static void test_copy_on_one_file_system_keeps_holes(void **state)
{
	const struct fixture *f = *state;
	_cleanup_close_ int from = openat(f->scratch->fd, ".", O_RDWR | O_TMPFILE, 0600);
	_cleanup_close_ int to = openat(f->scratch->fd, ".", O_RDWR | O_TMPFILE, 0600);
	struct stat st;
	char byte;

	assert_int_equal(pwrite(from, "a", 1, 0), 1);
	assert_int_equal(pwrite(from, "b", 1, LARGE), 1);
	assert_int_equal(ftruncate(from, (off_t)2 * LARGE), 0);
	assert_int_equal(copy_all(from, to), 0);
	assert_int_equal(fstat(to, &st), 0);
	assert_int_equal(st.st_size, (off_t)2 * LARGE);
	assert_true(st.st_blocks * 512 <= 1 << 20);
	assert_int_equal(pread(to, &byte, 1, LARGE), 1);
	assert_int_equal(byte, 'b');
}

/* Until it is begun: it goes on in the loop, a piece each round. */
static void await_copy(struct fixture *f)
{
	const bool after_one_round = true;
	struct error *error = NULL;

	assert_int_equal(loop_run(f->loop, &after_one_round, -1, &error), 1);
	assert_false(f->answered);
}

/* A gate does not ask again before it has its answer, but it could. */
static void test_requests_wait_for_the_copy(void **state)
{
	struct fixture *f = *state;
	struct wire w;
	uint32_t id;

	if (!begin_far(f))
		return;
	id = make_large(f);
	f->answered = false;
	SEND(f, KEEPER_REPLACE, DOCUMENT, id);
	SEND(f, KEEPER_TEMPORARY, READ_ONLY);
	await_copy(f);
	assert_int_equal(await_answer(f, &w), 0);
	assert_int_equal(await_answer(f, &w), EROFS);
	assert_int_equal(f->n_lost, 0);
}

/* What the gate asks while the sandbox ends is done, although the loop does not run any more. */
static void test_drain_answers_everything(void **state)
{
	struct fixture *f = *state;
	uint32_t id;
	struct wire w;
	int ready[2];

	if (!begin_far(f))
		return;
	id = make_large(f);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(write(ready[1], "x", 1), 1);
	SEND(f, KEEPER_REPLACE, DOCUMENT, id);
	SEND(f, KEEPER_TEMPORARY, READ_ONLY);
	keeper_drain(f->keeper, ready[0], WAIT_MS);
	close(ready[0]);
	close(ready[1]);
	f->keeper = keeper_free(f->keeper);
	assert_int_equal(await_answer(f, &w), 0);
	assert_int_equal(await_answer(f, &w), EROFS);
	assert_int_equal(count_entries(f->scratch->fd), 2);
}

static void test_copy_overwrites_nothing(void **state)
{
	struct fixture *f = *state;
	struct wire w;
	uint32_t id;

	if (!begin_far(f))
		return;
	expect_quiet(f);
	id = make_large(f);
	f->answered = false;
	SEND(f, KEEPER_REPLACE, NEW, id);
	await_copy(f);
	scratch_file(f->scratch, "new", "theirs", 0644);
	assert_int_equal(await_answer(f, &w), EEXIST);
	expect_content(f, "new", "theirs");
	assert_int_equal(count_entries(f->scratch->fd), 3);
}

static void test_copy_of_what_is_taken_away(void **state)
{
	struct fixture *f = *state;
	struct wire w;
	uint32_t id;

	if (!begin_far(f))
		return;
	expect_quiet(f);
	id = make_large(f);
	f->answered = false;
	SEND(f, KEEPER_REPLACE, DOCUMENT, id);
	await_copy(f);
	keeper_remove(f->keeper, DOCUMENT);
	assert_int_equal(await_answer(f, &w), ENOENT);
	expect_content(f, "document", "old");
	assert_int_equal(count_entries(f->scratch->fd), 2);
}

static void test_copy_that_fails_changes_nothing(void **state)
{
	struct fixture *f = *state;
	const struct rlimit small = { 1 << 20, RLIM_INFINITY };
	struct rlimit before;
	uint32_t id;

	if (!begin_far(f))
		return;
	id = make_large(f);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(ask_replace(f, DOCUMENT, id), EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	expect_content(f, "document", "old");
	assert_int_equal(count_entries(f->scratch->fd), 2);
	assert_int_equal(ask_replace(f, DOCUMENT, id), 0); /* it is still there */
}

/* --- What happens outside -----------------------------------------------------------------------
 */

static void test_gate_hears_of_another_file(void **state)
{
	struct fixture *f = *state;
	int dir = f->scratch->fd;

	scratch_file(f->scratch, "beside", "other", 0644);
	assert_int_equal(renameat(dir, "beside", dir, "document"), 0);
	expect_told(f, DOCUMENT, "other");
	assert_int_equal(fcntl(f->told_fd, F_GETFL) & O_ACCMODE, O_RDWR);

	assert_int_equal(renameat(dir, "read-only", dir, "away"), 0);
	expect_told(f, READ_ONLY, NULL);
	scratch_file(f->scratch, "read-only", "third", 0644);
	expect_told(f, READ_ONLY, "third");
	assert_int_equal(fcntl(f->told_fd, F_GETFL) & O_ACCMODE, O_RDONLY);

	assert_int_equal(unlinkat(dir, "document", 0), 0);
	expect_told(f, DOCUMENT, NULL);
	scratch_file(f->scratch, "new", "made", 0644);
	expect_told(f, NEW, "made");
}

static void test_plain_writes_are_not_told(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int fd = openat(f->scratch->fd, "document", O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write(fd, "more", 4), 4);
	scratch_file(f->scratch, "unrelated", "x", 0644);
	expect_quiet(f);
}

static void test_what_is_no_file_is_not_opened(void **state)
{
	struct fixture *f = *state;
	int dir = f->scratch->fd;

	assert_int_equal(unlinkat(dir, "document", 0), 0);
	expect_told(f, DOCUMENT, NULL);
	assert_int_equal(symlinkat("read-only", dir, "document"), 0);
	expect_quiet(f);
	assert_int_equal(unlinkat(dir, "document", 0), 0);
	assert_int_equal(mkfifoat(dir, "document", 0600), 0);
	expect_quiet(f);
	assert_int_equal(unlinkat(dir, "document", 0), 0);
	assert_int_equal(mkdirat(dir, "document", 0700), 0);
	expect_quiet(f);
}

/* Between given_open() and keeper_add(). */
static void test_change_before_it_is_watched_is_told(void **state)
{
	struct fixture *f = *state;
	struct error *error = NULL;

	keeper_remove(f->keeper, DOCUMENT);
	scratch_file(f->scratch, "document", "other", 0644);
	expect_quiet(f);
	assert_done(keeper_add(f->keeper, DOCUMENT, &f->given[DOCUMENT], true, &error), error);
	expect_told(f, DOCUMENT, "other");
	keeper_remove(f->keeper, DOCUMENT);
	scratch_file(f->scratch, "document", "yet another", 0644);
	expect_quiet(f);
}

/* --- Hostile requests ---------------------------------------------------------------------------
 */

static void test_refusals(void **state)
{
	struct fixture *f = *state;
	uint32_t id = make_filled(f, DOCUMENT, "new"), none;
	int fd;

	assert_int_equal(ask_temporary(f, READ_ONLY, &none, &fd), EROFS);
	assert_int_equal(ask_temporary(f, GRANTS, &none, &fd), ENOENT);
	assert_int_equal(ask_replace(f, READ_ONLY, id), EROFS);
	assert_int_equal(ask_replace(f, GRANTS, id), ENOENT);
	assert_int_equal(ask_replace(f, 0, id), ENOENT);
	keeper_remove(f->keeper, DOCUMENT);
	assert_int_equal(ask_replace(f, DOCUMENT, id), ENOENT);
	keeper_remove(f->keeper, NEW);
	assert_int_equal(ask_temporary(f, 0, &none, &fd), EROFS);
	expect_content(f, "document", "old");
	expect_content(f, "read-only", "old");
	assert_int_equal(f->n_lost, 0);
}

static void test_temporaries_have_a_limit(void **state)
{
	struct fixture *f = *state;
	uint32_t ids[GATE_TEMPORARIES_MAX], id;
	int fd;

	for (unsigned i = 0; i < GATE_TEMPORARIES_MAX; i++)
		ids[i] = make_filled(f, 0, "");
	assert_int_equal(ask_temporary(f, 0, &id, &fd), ENOSPC);
	SEND(f, KEEPER_DROP, ids[7]);
	(void)make_filled(f, 0, "");
	assert_int_equal(ask_temporary(f, 0, &id, &fd), ENOSPC);
	assert_int_equal(count_entries(f->scratch->fd), 2);
}

static void expect_lost(struct fixture *f, const char *part)
{
	struct error *error = NULL;

	assert_int_equal(loop_run(f->loop, &f->is_lost, WAIT_MS, &error), 1);
	assert_int_equal(f->n_lost, 1);
	assert_non_null(strstr(f->why, part));
	expect_content(f, "document", "old");
	assert_int_equal(sock_send(f->gate, "x", 1, NULL, 0, &error), -EPIPE);
	error_free(error);
}

static void test_broken_requests(void **state)
{
	static const struct {
		uint32_t words[4];
		size_t size;
	} cases[] = {
		{ { KEEPER_TEMPORARY }, 4 },
		{ { KEEPER_TEMPORARY, 0 }, 7 },
		{ { KEEPER_TEMPORARY, 0, 0 }, 12 },
		{ { KEEPER_REPLACE, DOCUMENT }, 8 },
		{ { KEEPER_REPLACE, DOCUMENT, 77 }, 12 },
		{ { KEEPER_REPLACE, DOCUMENT, 1, 0 }, 16 },
		{ { KEEPER_DROP, 77 }, 8 },
		{ { KEEPER_DROP }, 4 },
		{ { KEEPER_DROP + 1, 1 }, 8 },
		{ { UINT32_MAX, 1, 1, 1 }, 16 },
		{ { KEEPER_TEMPORARY }, 3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error *error = NULL;
		struct fixture *f;
		void *own;

		assert_int_equal(begin(&own), 0);
		f = own;
		assert_done(sock_send(f->gate, cases[i].words, cases[i].size, NULL, 0, &error),
			    error);
		expect_lost(f, "makes no sense");
		assert_int_equal(end(&own), 0);
	}
}

static void test_descriptors_are_not_taken(void **state)
{
	struct fixture *f = *state;
	const uint32_t words[] = { KEEPER_TEMPORARY, 0 };
	struct error *error = NULL;

	assert_done(sock_send(f->gate, words, sizeof words, &f->scratch->fd, 1, &error), error);
	expect_lost(f, "makes no sense");
}

/* A temporary is forgotten once it has taken a name. */
static void test_temporary_is_used_once(void **state)
{
	struct fixture *f = *state;
	uint32_t id = make_filled(f, NEW, "ours");

	assert_int_equal(ask_replace(f, NEW, id), 0);
	SEND(f, KEEPER_REPLACE, DOCUMENT, id);
	expect_lost(f, "makes no sense");
}

static void test_answers_must_be_read(void **state)
{
	const uint32_t words[] = { KEEPER_TEMPORARY, READ_ONLY };
	struct fixture *f = *state;
	struct error *error = NULL;

	f->source = source_remove(f->source);
	for (unsigned i = 0; i < 10000 && !f->is_lost; i++) {
		bool never = false;

		if (sock_send(f->gate, words, sizeof words, NULL, 0, &error) < 0)
			break;
		assert_int_equal(loop_run(f->loop, &never, 1, &error), 0);
	}
	error = error_free(error);
	expect_lost(f, "does not read");
}

static void test_gate_that_ends_is_no_breach(void **state)
{
	struct fixture *f = *state;

	(void)make_filled(f, DOCUMENT, "new");
	f->source = source_remove(f->source);
	f->gate = close_fd(f->gate);
	expect_quiet(f);
	assert_int_equal(f->n_lost, 0);
}

/* --- SIGKILL ------------------------------------------------------------------------------------
 */

#define KILLED_SIZE 65536

/* Replaces "document" by one letter only or another, for ever. */
static void replace_for_ever(int dir, int from)
{
	static char data[KILLED_SIZE];

	for (char letter = 'a';; letter = letter == 'z' ? 'a' : (char)(letter + 1)) {
		_cleanup_close_ int old = openat(dir, "document", O_PATH | O_NOFOLLOW | O_CLOEXEC);
		struct temporary t;
		struct replace r;
		int e;

		memset(data, letter, sizeof data);
		if (old < 0 || temporary_make(from, &t) < 0 ||
		    write(t.fd, data, sizeof data) != sizeof data)
			_exit(1);
		e = replace_start(&r, dir, "document", old, &t);
		while (e > 0)
			e = replace_step(&r);
		if (e < 0)
			_exit(2);
		replace_release(&r);
		close_fd(t.fd);
	}
}

static void kill_while_replacing(const struct scratch *s, int from)
{
	for (unsigned i = 0; i < KILLS; i++) {
		const struct timespec t = { .tv_nsec = 1000000 + (long)i * 17011 % 3000000 };
		_cleanup_free_ char *text = NULL;
		struct error *error = NULL;
		size_t size;
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			replace_for_ever(s->fd, from);
		}
		assert_true(pid > 0);
		nanosleep(&t, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_done(fs_read(s->fd, "document", KILLED_SIZE, &text, &size, &error), error);
		if (size == 3 && !memcmp(text, "old", 3))
			continue;
		assert_int_equal(size, KILLED_SIZE);
		for (size_t at = 1; at < size; at++)
			if (text[at] != text[0])
				fail_msg("half of '%c', half of '%c'", text[0], text[at]);
	}
}

static void test_kill_leaves_one_or_the_other(void **state)
{
	const struct fixture *f = *state;
	_cleanup_close_ int far = open(OTHER_FILE_SYSTEM, O_PATH | O_DIRECTORY | O_CLOEXEC);

	kill_while_replacing(f->scratch, f->scratch->fd);
	if (far >= 0 && faccessat(far, ".", W_OK, 0) == 0)
		kill_while_replacing(f->scratch, far);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_replace_keeps_the_mode),
		TEST(test_set_id_is_not_kept),
		TEST(test_new_file_has_the_mode_of_new_files),
		TEST(test_new_file_overwrites_nothing),
		TEST(test_what_is_no_file_is_not_overwritten),
		TEST(test_given_file_that_is_gone_is_made_again),
		TEST(test_copy_keeps_holes),
		TEST(test_copy_on_one_file_system_keeps_holes),
		TEST(test_requests_wait_for_the_copy),
		TEST(test_drain_answers_everything),
		TEST(test_copy_overwrites_nothing),
		TEST(test_copy_of_what_is_taken_away),
		TEST(test_copy_that_fails_changes_nothing),
		TEST(test_gate_hears_of_another_file),
		TEST(test_plain_writes_are_not_told),
		TEST(test_what_is_no_file_is_not_opened),
		TEST(test_change_before_it_is_watched_is_told),
		TEST(test_refusals),
		TEST(test_temporaries_have_a_limit),
		cmocka_unit_test(test_broken_requests),
		TEST(test_descriptors_are_not_taken),
		TEST(test_temporary_is_used_once),
		TEST(test_answers_must_be_read),
		TEST(test_gate_that_ends_is_no_breach),
		TEST(test_kill_leaves_one_or_the_other),
	};

	return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
