#include "session/chooser.h"

#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/spawn.h"
#include "base/strv.h"

#define OUTPUT_MAX 65536U

/* What a program needs to show a window that looks like the others, in the user's language. */
static char **chooser_env(void)
{
	static const char *const names[] = {
		"DBUS_SESSION_BUS_ADDRESS",
		"DISPLAY",
		"HOME",
		"LANG",
		"LANGUAGE",
		"LC_ALL",
		"LC_CTYPE",
		"LC_MESSAGES",
		"WAYLAND_DISPLAY",
		"XAUTHORITY",
		"XDG_CONFIG_HOME",
		"XDG_CURRENT_DESKTOP",
		"XDG_RUNTIME_DIR",
		NULL,
	};

	return spawn_env(names);
}

/* The first of them that can be started. Toolkits complain on standard error about the desktop, not
 * about what was asked: nobody reads that. */
static int start(const char *programs, enum choice choice, const char *title, int output,
		 const struct chooser **ret, struct child *ret_child, struct error **err)
{
	const struct chooser *choosers[CHOOSERS];
	const int fds[] = { -EBADF, output, -EBADF };
	_cleanup_strv_ char **env = chooser_env();

	chooser_order(getenv("XDG_CURRENT_DESKTOP"), choosers);
	for (size_t i = 0; i < CHOOSERS; i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", programs, choosers[i]->program);
		_cleanup_strv_ char **argv = chooser_argv(choosers[i], choice, title);
		const struct spawn s = {
			.path = path, .argv = argv, .env = env, .fds = fds, .n_fds = ARRAY_SIZE(fds)
		};
		int r = spawn(&s, ret_child, err);

		if (r != -ENOENT) {
			*ret = choosers[i];
			return r;
		}
		*err = error_free(*err);
	}
	return error_set(err, ENOENT, "no file chooser is installed: apt install zenity");
}

/* The path is all of the output but one newline: a name may end with more of them. */
static int read_path(char *output, size_t size, const char *program, char **ret, struct error **err)
{
	if (size && output[size - 1] == '\n')
		output[--size] = '\0';
	if (*output != '/' || strlen(output) != size)
		return error_set(err, EPROTO, "'%s' printed no path", program);
	*ret = xstrdup(output);
	return 0;
}

int chooser_run(const char *programs, enum choice choice, const char *title, char **ret_path,
		struct error **err)
{
	_cleanup_(child_end) struct child child = CHILD_NONE;
	_cleanup_close_ int ours = -EBADF, theirs = -EBADF;
	_cleanup_free_ char *output = NULL;
	const struct chooser *c = NULL;
	int pipe_fds[2], r, status = 0;
	size_t size;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	ours = pipe_fds[0];
	theirs = pipe_fds[1];
	r = start(programs, choice, title, theirs, &c, &child, err);
	if (r < 0)
		return r;
	theirs = close_fd(theirs);
	r = fs_read_fd(ours, OUTPUT_MAX, &output, &size, err);
	if (r >= 0)
		r = child_wait(&child, -1, &status, err);
	if (r < 0)
		return error_prefix(err, "'%s'", c->program);
	status = status_to_exit_code(status);
	if (chooser_is_cancelled(c, status))
		return error_set(err, ECANCELED, "nothing was picked");
	if (status)
		return error_set(err, EIO, "'%s' failed (status %d)", c->program, status);
	return read_path(output, size, c->program, ret_path, err);
}
