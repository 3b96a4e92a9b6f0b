#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "app/profile-test-private.h"
#include "app/profile-test-scratch.h"
#include "app/registry.h"
#include "app/state.h"
#include "base/copy.h"
#include "base/fs.h"
#include "base/loop.h"
#include "base/strv.h"

#define POLL_MS	 100U
#define END_MS	 30000U
#define GONE_MS	 10000U
#define HOLDER	 "vitrine-holder" /* serves all sandboxes, and ends with the last */
#define COMM_MAX 15U

/* --- files ------------------------------------------------------------------------------------ */

static int copy_sample(const struct profile_test *t, const char *name, struct error **err)
{
	_cleanup_free_ char *path = xasprintf(TEST_SAMPLES "/%s", name), *data = NULL;
	size_t size;
	int r;

	r = fs_read(AT_FDCWD, path, TEST_FILE_MAX, &data, &size, err);
	if (r >= 0)
		r = fs_write(t->files, name, data, size, 0644, err);
	return r < 0 ? error_prefix(err, "sample '%s'", name) : 0;
}

static int make_files(struct profile_test *t, struct error **err)
{
	int r = test_scratch_make(&t->scratch, &t->files, err);

	if (r >= 0)
		r = fs_make_dir(t->files, ".kept", 0700, &t->kept, err);
	for (char **name = t->profile->test_files; r >= 0 && name && *name; name++)
		r = copy_sample(t, *name, err);
	return r;
}

/* --- start ------------------------------------------------------------------------------------ */

static char **run_argv(const struct profile_test *t)
{
	char **argv = NULL;

	strv_add(&argv, "vitrine");
	strv_add(&argv, "run");
	if (t->request->profile_file) {
		_cleanup_free_ char *here = get_current_dir_name();
		const char *file = t->request->profile_file;
		bool absolute = *file == '/' || !here;

		strv_addf(&argv, "--profile=%s%s%s", absolute ? "" : here, absolute ? "" : "/",
			  file);
		strv_add(&argv, "--"); /* what follows is the application's, whatever it is */
	} else {
		strv_add(&argv, t->profile->name);
	}
	strv_add_all(&argv, t->profile->test_arguments);
	for (char **name = t->profile->test_files; name && *name; name++)
		strv_addf(&argv, "%s/%s", t->scratch, *name);
	return argv;
}

/* As a user's shell would, in the directory of the samples: a word of the command line that names
 * no sample is no file. Nobody is at a terminal. */
static int start_run(struct profile_test *t, struct error **err)
{
	_cleanup_strv_ char **argv = run_argv(t);
	_cleanup_close_ int out = -EBADF, errors = -EBADF;
	int fds[3] = { -EBADF, -EBADF, -EBADF };
	int pair[2];

	for (int i = 0; i < 2; i++) {
		if (pipe2(pair, O_CLOEXEC) < 0)
			return error_errno(err, "cannot make a pipe");
		t->heard[i].fd = pair[0];
		*(i ? &errors : &out) = pair[1];
	}
	fds[1] = out;
	fds[2] = errors;
	return spawn(&(struct spawn){ .path = "/proc/self/exe",
				      .argv = argv,
				      .env = environ,
				      .fds = fds,
				      .n_fds = ARRAY_SIZE(fds),
				      .cwd = t->scratch },
		     &t->child, err);
}

static const char *string_of(const json_t *state, const char *key)
{
	const char *text = json_string_value(json_object_get(state, key));

	return text ? text : "";
}

/* Looks for the sandbox whose supervisor is our child. Its application runs: true. */
static bool look_at(struct profile_test *t, int runtime, const char *id)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_close_ int dir = -EBADF;
	json_auto_t *state = NULL;

	if (registry_open(runtime, id, &dir, &ignored) < 0 || state_read(dir, &state, &ignored) < 0)
		return false; /* it ends, or only begins */
	if (json_integer_value(json_object_get(state, "supervisor")) != t->child.pid)
		return false;
	if (!t->id) {
		t->id = xstrdup(id);
		t->label = xasprintf("[%s]", string_of(state, "label"));
	}
	return !strcmp(string_of(state, "state"), "running");
}

static int find_sandbox(struct profile_test *t, bool *ret_runs, struct error **err)
{
	_cleanup_close_ int runtime = -EBADF;
	_cleanup_strv_ char **ids = NULL;
	int r;

	*ret_runs = false;
	r = runtime_open(&runtime, err);
	if (r >= 0)
		r = registry_list(runtime, &ids, err);
	for (char **id = ids; r >= 0 && id && *id; id++)
		*ret_runs = *ret_runs || look_at(t, runtime, *id);
	return r < 0 ? r : 0;
}

/* A second run of such a profile would go to the sandbox that is there. */
static int refuse_second(const struct profile_test *t, struct error **err)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_close_ int runtime = -EBADF;
	_cleanup_free_ char *id = NULL;
	int r;

	r = runtime_open(&runtime, err);
	if (r < 0 || !t->profile->single_instance)
		return r;
	if (registry_find(runtime, t->profile->name, &id, &ignored) < 0)
		return 0;
	return error_set(err, EBUSY, "sandbox '%s' runs already: 'vitrine stop %s' first", id, id);
}

int profile_test_start(struct profile_test *t, struct error **err)
{
	bool runs = false;
	int r;

	r = refuse_second(t, err);
	if (r >= 0)
		r = make_files(t, err);
	if (r >= 0)
		r = start_run(t, err);
	while (r >= 0 && !runs) {
		r = find_sandbox(t, &runs, err);
		if (r >= 0 && !runs && profile_test_has_ended(t)) {
			/* Without windows an application may be quicker than a look. */
			if (!t->profile->test_window && status_to_exit_code(t->status) != 125)
				return 0;
			return error_set(err, ECHILD, "'vitrine run' ended with status %d",
					 status_to_exit_code(t->status));
		}
		if (r >= 0 && !runs)
			r = patience_wait(&t->patience, t->child.pidfd, POLL_MS, err);
	}
	return r < 0 ? r : 0;
}

bool profile_test_has_ended(struct profile_test *t)
{
	_cleanup_(error_freep) struct error *ignored = NULL;

	if (t->child.pid > 0)
		(void)child_wait(&t->child, 0, &t->status, &ignored);
	return t->child.pid <= 0;
}

/* --- end -------------------------------------------------------------------------------------- */

/* What our descendants have left: it became ours, since we are their reaper. Owned by the caller;
 * NULL: nothing. */
static char *left_process(void)
{
	_cleanup_free_ char *path = xasprintf("/proc/self/task/%d/children", (int)getpid());
	_cleanup_free_ char *text = NULL;
	_cleanup_(error_freep) struct error *ignored = NULL;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	if (fs_read(AT_FDCWD, path, 65536, &text, NULL, &ignored) < 0)
		return NULL;
	for (char *save = NULL, *pid = strtok_r(text, " ", &save); pid;
	     pid = strtok_r(NULL, " ", &save)) {
		_cleanup_free_ char *file = xasprintf("/proc/%s/comm", pid), *comm = NULL;
		_cleanup_(error_freep) struct error *gone = NULL;

		if (fs_read(AT_FDCWD, file, 64, &comm, NULL, &gone) < 0)
			continue;
		comm[strcspn(comm, "\n")] = '\0';
		if (strncmp(comm, HOLDER, COMM_MAX))
			return xasprintf("%s (%s)", comm, pid);
	}
	return NULL;
}

static bool is_listed(const struct profile_test *t)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_close_ int runtime = -EBADF;
	_cleanup_strv_ char **ids = NULL;

	return t->id && runtime_open(&runtime, &ignored) >= 0 &&
	       registry_list(runtime, &ids, &ignored) >= 0 && strv_contains(ids, t->id);
}

static int await_nothing_left(struct profile_test *t, const struct patience *p, struct error **err)
{
	const uint64_t end = now_ms() + GONE_MS;

	for (;;) {
		_cleanup_free_ char *left = left_process();
		int r;

		if (!left && !is_listed(t))
			return 0;
		if (now_ms() > end)
			return error_set(err, EBUSY, "this is left of it: %s", left ? left : t->id);
		r = patience_wait(p, -EBADF, POLL_MS, err);
		if (r < 0)
			return r;
	}
}

/* Even after an interruption, and when the time of the test is over. */
int profile_test_end(struct profile_test *t, struct error **err)
{
	const struct patience p = {
		.signals = -EBADF,
		.deadline = now_ms() + END_MS + GONE_MS,
		.heard = t->heard,
		.n_heard = ARRAY_SIZE(t->heard),
	};
	int r;

	if (!profile_test_has_ended(t)) {
		(void)syscall(SYS_pidfd_send_signal, t->child.pidfd, SIGTERM, NULL, 0);
		r = patience_wait(&p, t->child.pidfd, END_MS, err);
		if (r < 0)
			return r;
		if (!profile_test_has_ended(t)) {
			child_end(&t->child);
			return error_set(err, ETIMEDOUT, "it did not end within %u s",
					 END_MS / 1000);
		}
	}
	return await_nothing_left(t, &p, err);
}
