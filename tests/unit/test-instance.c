/* app/instance: one of several processes becomes the instance of a profile, the others find it. */

#include "app/instance.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "app/registry.h"
#include "app/state.h"
#include "base/fs.h"
#include "base/loop.h"
#include "box/lock.h"
#include "scratch.h"
#include "unit.h"

#define RACERS 8

/* Makes what registry_add() and a supervisor would: the sandbox `id`, held by this process. */
static void make_sandbox(const struct scratch *s, const char *id, struct sandbox_dir *ret)
{
	_cleanup_close_ int sandboxes = -EBADF;
	_cleanup_free_ char *state = xasprintf("{ \"supervisor\": %d }\n", getpid());
	struct error *error = NULL;

	*ret = (struct sandbox_dir){ .id = xstrdup(id), .lock = -EBADF };
	assert_done(fs_make_dir(s->fd, "sandboxes", 0700, &sandboxes, &error), error);
	assert_done(fs_make_dir(sandboxes, id, 0700, &ret->fd, &error), error);
	assert_done(fs_write(ret->fd, "state", state, strlen(state), 0600, &error), error);
	ret->lock = openat(ret->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(flock(ret->lock, LOCK_EX | LOCK_NB), 0);
}

static void test_alone(void **state)
{
	_cleanup_close_ int lock = -EBADF, again = -EBADF;
	_cleanup_free_ char *id = NULL, *content = NULL;
	const struct scratch *s = *state;
	struct error *error = NULL;
	struct stat st;

	assert_done(instance_claim(s->fd, "alone", &lock, &id, &error), error);
	assert_true(lock >= 0);
	assert_null(id);
	assert_int_equal(fstatat(s->fd, "instances", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_done(instance_announce(lock, "alone-1234", &error), error);
	lock = close_fd(lock);

	/* What the last one has left is gone with the next claim. */
	assert_done(instance_claim(s->fd, "alone", &again, &id, &error), error);
	assert_true(again >= 0);
	assert_done(fs_read(s->fd, "instances/alone", 100, &content, NULL, &error), error);
	assert_string_equal(content, "");
	assert_refused(instance_announce(again, "../x", &error), error, EINVAL, "id");
}

static void test_running(void **state)
{
	_cleanup_close_ int lock = -EBADF, none = -EBADF;
	const struct scratch *s = *state;
	_cleanup_free_ char *id = NULL;
	struct error *error = NULL;
	struct sandbox_dir dir;

	make_sandbox(s, "running-1234", &dir);
	assert_done(instance_claim(s->fd, "running", &lock, &id, &error), error);
	assert_done(instance_announce(lock, dir.id, &error), error);
	assert_done(instance_claim(s->fd, "running", &none, &id, &error), error);
	assert_int_equal(none, -EBADF);
	assert_string_equal(id, "running-1234");
	registry_remove(s->fd, &dir);
}

/* A child that becomes the instance, and tells on the pipe when it is. */
static pid_t start_instance(const struct scratch *s, const char *profile, unsigned announce_ms,
			    unsigned end_ms)
{
	int pipe_fds[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		_cleanup_free_ char *name = xasprintf("%s-1234", profile), *id = NULL;
		struct error *error = NULL;
		struct sandbox_dir dir;
		int lock;

		if (instance_claim(s->fd, profile, &lock, &id, &error) < 0 || lock < 0)
			_exit(1);
		make_sandbox(s, name, &dir);
		if (write(pipe_fds[1], "x", 1) != 1)
			_exit(2);
		usleep(announce_ms * 1000);
		if (announce_ms && instance_announce(lock, name, &error) < 0)
			_exit(3);
		usleep(end_ms * 1000);
		_exit(0);
	}
	close_fd(pipe_fds[1]);
	assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
	close_fd(pipe_fds[0]);
	return pid;
}

static void await(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_starting(void **state)
{
	const struct scratch *s = *state;
	_cleanup_free_ char *id = NULL;
	struct error *error = NULL;
	uint64_t begin = now_ms();
	pid_t pid = start_instance(s, "starting", 200, 2000);
	int lock;

	assert_done(instance_claim(s->fd, "starting", &lock, &id, &error), error);
	assert_int_equal(lock, -EBADF);
	assert_string_equal(id, "starting-1234");
	assert_in_range(now_ms() - begin, 200, 1500);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* It dies before it could announce itself, and after: then its id is in the file all the same. */
static void test_dying(void **state)
{
	const struct scratch *s = *state;
	struct error *error = NULL;

	for (unsigned announce = 0; announce < 2; announce++) {
		const char *profile = announce ? "announced" : "silent";
		_cleanup_close_ int lock = -EBADF;
		_cleanup_free_ char *id = NULL;
		pid_t pid = start_instance(s, profile, announce, 200);

		if (announce)
			assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_done(instance_claim(s->fd, profile, &lock, &id, &error), error);
		assert_true(lock >= 0);
		assert_null(id);
		if (!announce)
			await(pid);
	}
}

/* The id of a dead sandbox behind a lock that is held: the next one is just starting. */
static void test_stale(void **state)
{
	_cleanup_close_ int held = -EBADF;
	const struct scratch *s = *state;
	_cleanup_free_ char *id = NULL;
	struct error *error = NULL;
	uint64_t begin;
	int lock;
	pid_t pid;

	assert_done(instance_claim(s->fd, "stale", &held, &id, &error), error);
	assert_done(instance_announce(held, "stale-dead", &error), error);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) { /* has a copy of the lock, for as long as it lives */
		usleep(200000);
		_exit(0);
	}
	held = close_fd(held);
	begin = now_ms();
	assert_done(instance_claim(s->fd, "stale", &lock, &id, &error), error);
	assert_true(lock >= 0);
	assert_true(now_ms() - begin >= 150);
	close_fd(lock);
	await(pid);
}

/* All at once: one of them is the instance, and the others find its id. */
static void test_race(void **state)
{
	const struct scratch *s = *state;
	int instances = 0, found = 0, go[2], hold[2];
	struct sandbox_dir dir;

	make_sandbox(s, "race-1234", &dir);
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
	for (int i = 0; i < RACERS; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			_cleanup_free_ char *id = NULL;
			struct error *error = NULL;
			int lock;
			char c;

			close_fd(go[1]);
			if (read(go[0], &c, 1) != 0 ||
			    instance_claim(s->fd, "race", &lock, &id, &error) < 0)
				_exit(9);
			if (lock < 0)
				_exit(strcmp(id, "race-1234") ? 9 : 1);
			if (instance_announce(lock, "race-1234", &error) < 0)
				_exit(9);
			close_fd(hold[1]);
			_exit(read(hold[0], &c, 1) == 0 ? 2 : 9);
		}
	}
	close_fd(go[1]);
	for (int i = 0; i < RACERS; i++) {
		int status;

		if (i == RACERS - 1) /* the instance ends last */
			close_fd(hold[1]);
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		instances += WEXITSTATUS(status) == 2;
		found += WEXITSTATUS(status) == 1;
	}
	close_fd(go[0]);
	close_fd(hold[0]);
	assert_int_equal(instances, 1);
	assert_int_equal(found, RACERS - 1);
	registry_remove(s->fd, &dir);
}

static int claim(const struct scratch *s, const char *profile, struct error **err)
{
	_cleanup_free_ char *id = NULL;
	int lock = -EBADF, r = instance_claim(s->fd, profile, &lock, &id, err);

	if (r >= 0)
		close_fd(lock);
	return r;
}

static void test_hostile(void **state)
{
	_cleanup_close_ int instances = -EBADF;
	_cleanup_free_ char *content = NULL;
	const struct scratch *s = *state;
	struct error *error = NULL;

	scratch_file(s, "precious", "content", 0600);
	assert_done(fs_make_dir(s->fd, "instances", 0700, &instances, &error), error);
	assert_int_equal(symlinkat("../precious", instances, "symlink"), 0);
	assert_int_equal(linkat(s->fd, "precious", instances, "hard-link", 0), 0);
	assert_int_equal(mkfifoat(instances, "fifo", 0600), 0);
	assert_int_equal(mkdirat(instances, "directory", 0700), 0);

	assert_refused(claim(s, "symlink", &error), error, ELOOP, "symlink");
	assert_refused(claim(s, "hard-link", &error), error, EPERM, "hard-link");
	assert_refused(claim(s, "fifo", &error), error, EPERM, "fifo");
	assert_refused(claim(s, "directory", &error), error, EISDIR, "directory");
	assert_refused(claim(s, "../precious", &error), error, EINVAL, "name");
	assert_refused(claim(s, "", &error), error, EINVAL, "name");
	assert_done(fs_read(s->fd, "precious", 100, &content, NULL, &error), error);
	assert_string_equal(content, "content");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),	 cmocka_unit_test(test_running),
		cmocka_unit_test(test_starting), cmocka_unit_test(test_dying),
		cmocka_unit_test(test_stale),	 cmocka_unit_test(test_race),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests_name("instance", tests, scratch_make, scratch_remove);
}
