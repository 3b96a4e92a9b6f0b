#include "session/sound.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/spawn.h"
#include "base/strv.h"
#include "base/text.h"

#define RELAY_PROGRAM VITRINE_EXEC_DIR "/vitrine-sound"
#define FIFO_NAME     "sink"
#define FIFO_SIZE     8192 /* two blocks of module-pipe-sink; what waits in it is heard late */
#define START_MS      10000
#define END_MS	      1000
#define COMPLAINT_MAX 512U

struct sound {
	struct loop *loop;
	sound_lost_fn *lost; /* NULL once it was said */
	void *user;

	/* PulseAudio's stderr. It hangs up when PulseAudio ends, and is not read while it runs:
	 * whoever writes there gets EAGAIN once it is full. */
	int complaints;
	struct source *complaints_source;

	int opened; /* inotify, until PulseAudio has opened the FIFO */
	struct source *opened_source;
	bool waited; /* for either of the two */

	struct child relay;
	struct source *relay_source;
	int lifeline;
};

/* The FIFO belongs to the user and is open before anything in the box knows it: nothing there can
 * put another file in its place, or fill it before it has its size. */
static int make_fifo(int dir, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat st;

	if (mkfifoat(dir, FIFO_NAME, 0600) < 0)
		return error_errno(err, "cannot make the FIFO");
	fd = openat(dir, FIFO_NAME, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot open the FIFO");
	if (!S_ISFIFO(st.st_mode) || st.st_uid != geteuid())
		return error_set(err, EINVAL, "something else took the place of the FIFO");
	if (fcntl(fd, F_SETPIPE_SZ, FIFO_SIZE) < 0 || fchmod(fd, 0666) < 0)
		return error_errno(err, "cannot prepare the FIFO");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* What PulseAudio said, on one line, as far as it fits; owned by the caller. */
static char *complaint(const struct sound *s)
{
	_cleanup_free_ char *text = xcalloc(1, COMPLAINT_MAX + 1);
	ssize_t n = read(s->complaints, text, COMPLAINT_MAX);

	while (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = ' ';
	return *text ? text_escape(text, COMPLAINT_MAX) : xstrdup("it gave no reason");
}

static void lose(struct sound *s, const char *what, const char *reason)
{
	_cleanup_free_ char *why = xasprintf("%s (%s)", what, reason);
	sound_lost_fn *lost = s->lost;

	s->complaints_source = source_remove(s->complaints_source);
	s->relay_source = source_remove(s->relay_source);
	s->lost = NULL;
	if (lost)
		lost(s->user, why);
}

static void on_server_ended(void *user, short revents)
{
	_cleanup_free_ char *reason = NULL;
	struct sound *s = user;

	(void)revents;
	reason = complaint(s);
	lose(s, "the sound server of the sandbox ended", reason);
}

static void on_relay_ended(void *user, short revents)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *reason = NULL;
	struct sound *s = user;
	int status = 0;

	(void)revents;
	if (child_wait(&s->relay, 0, &status, &error) == 0)
		return;
	reason = error ? xstrdup(error->message)
		       : xasprintf("status %d", status_to_exit_code(status));
	lose(s, "the sound relay ended", reason);
}

static void on_waited(void *user, short revents)
{
	(void)revents;
	((struct sound *)user)->waited = true;
}

/* A user's own daemon.conf and default.pa play no part in it, and nothing is written to the home.
 */
static int spawn_server(struct box *app, const struct plan *plan, int complaints,
			struct error **err)
{
	static char *const argv[] = {
		"pulseaudio",
		"-n",
		"--daemonize=no",
		"--system=no",
		"--use-pid-file=no",
		"--exit-idle-time=-1",
		"--disallow-exit=yes",
		"--disallow-module-loading=yes",
		"--realtime=no",
		"--high-priority=no",
		"--disable-shm=yes",
		"--log-target=stderr",
		"--log-level=error",
		/* Who reaches the socket is in the box: there is nobody else to keep away. */
		"--load=module-native-protocol-unix auth-anonymous=1 auth-cookie-enabled=0",
		/* Otherwise an idle sink writes silence for ever. */
		"--load=module-suspend-on-idle timeout=1",
		/* Last: once the FIFO is open, everything is there. The system's clock, and not
		 * the reader's pace, is the application's clock. */
		"--load=module-pipe-sink file=" BOX_SOUND_DIR "/" FIFO_NAME
		" sink_name=desktop format=s16le rate=44100 channels=2"
		" use_system_clock_for_timing=yes",
		NULL,
	};
	const struct box_plan *box = &plan->boxes[BOX_APP];
	_cleanup_strv_ char **env = NULL;
	struct box_command c = {
		.argv = argv,
		.cwd = "/",
		.stdio = { -EBADF, -EBADF, complaints },
	};

	strv_add(&env, "PATH=/usr/bin:/bin");
	strv_addf(&env, "HOME=%s", box->home);
	strv_addf(&env, "XDG_RUNTIME_DIR=/run/user/%u", box->uid);
	strv_addf(&env, "PULSE_STATE_PATH=/run/user/%u/pulse", box->uid);
	strv_add(&env, "PULSE_CONFIG=/dev/null");
	strv_add(&env, "DBUS_SESSION_BUS_ADDRESS=disabled:");
	c.env = env;
	return box_spawn(app, &c, NULL, NULL, err);
}

static int watch_fifo(struct sound *s, int fifo, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("/proc/self/fd/%d", fifo);

	s->opened = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (s->opened < 0 || inotify_add_watch(s->opened, path, IN_OPEN) < 0)
		return error_errno(err, "cannot watch the FIFO");
	s->opened_source = loop_add(s->loop, s->opened, POLLIN, on_waited, s);
	return 0;
}

static int start_server(struct sound *s, struct box *app, const struct plan *plan,
			struct error **err)
{
	_cleanup_close_ int theirs = -EBADF;
	int pipe_fds[2], r;

	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_errno(err, "cannot make a pipe");
	s->complaints = pipe_fds[0];
	theirs = pipe_fds[1];
	r = spawn_server(app, plan, theirs, err);
	if (r < 0)
		return r;
	s->complaints_source = loop_add(s->loop, s->complaints, 0, on_waited, s);
	return 0;
}

static int await_server(struct sound *s, const struct plan *plan, struct error **err)
{
	struct pollfd hung_up = { .fd = s->complaints };
	_cleanup_free_ char *reason = NULL;
	int r;

	r = loop_run(s->loop, &s->waited, START_MS, err);
	if (r < 0)
		return r;
	if (r == 1 && poll(&hung_up, 1, 0) == 0) {
		s->opened_source = source_remove(s->opened_source);
		s->opened = close_fd(s->opened);
		source_remove(s->complaints_source);
		s->complaints_source = loop_add(s->loop, s->complaints, 0, on_server_ended, s);
		return 0;
	}
	reason = complaint(s);
	return error_set(err, EIO, "PulseAudio of image '%s' %s: %s", plan->image,
			 r == 1 ? "ended" : "was not ready in time", reason);
}

/* What leads to the user's sound server, and nothing else of the environment. */
static char **relay_env(void)
{
	static const char *const names[] = {
		"HOME",		"PULSE_CLIENTCONFIG", "PULSE_COOKIE",	 "PULSE_RUNTIME_PATH",
		"PULSE_SERVER", "PULSE_SINK",	      "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR",
		NULL,
	};

	return spawn_env(names);
}

static int start_relay(struct sound *s, int fifo, const char *label, struct error **err)
{
	char *argv[] = { RELAY_PROGRAM, (char *)label, NULL };
	_cleanup_strv_ char **env = relay_env();
	_cleanup_close_ int theirs = -EBADF;
	int fds[5] = { -EBADF, -EBADF, -EBADF, fifo, -EBADF }, pipe_fds[2], r;
	const struct spawn relay = {
		.argv = argv, .env = env, .fds = fds, .n_fds = ARRAY_SIZE(fds), .new_session = true
	};

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	fds[4] = theirs = pipe_fds[0];
	s->lifeline = pipe_fds[1];
	r = spawn(&relay, &s->relay, err);
	if (r < 0)
		return r;
	s->relay_source = loop_add(s->loop, s->relay.pidfd, POLLIN, on_relay_ended, s);
	return 0;
}

int sound_start(struct box *app, const struct plan *plan, int dir, const char *label,
		struct loop *loop, sound_lost_fn *lost, void *user, struct sound **ret,
		struct error **err)
{
	_cleanup_(sound_endp) struct sound *s = xcalloc(1, sizeof *s);
	_cleanup_close_ int fifo = -EBADF;
	int r;

	*s = (struct sound){
		.loop = loop,
		.lost = lost,
		.user = user,
		.complaints = -EBADF,
		.opened = -EBADF,
		.relay = CHILD_NONE,
		.lifeline = -EBADF,
	};
	r = make_fifo(dir, &fifo, err);
	if (r >= 0)
		r = watch_fifo(s, fifo, err);
	if (r >= 0)
		r = start_server(s, app, plan, err);
	if (r >= 0)
		r = await_server(s, plan, err);
	if (r >= 0)
		r = start_relay(s, fifo, label, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

struct sound *sound_end(struct sound *s)
{
	_cleanup_(error_freep) struct error *ignored = NULL; /* then it is killed */

	if (!s)
		return NULL;
	source_remove(s->complaints_source);
	source_remove(s->opened_source);
	source_remove(s->relay_source);
	close_fd(s->lifeline);
	if (s->relay.pid > 0 && child_wait(&s->relay, END_MS, NULL, &ignored) <= 0)
		child_end(&s->relay);
	close_fd(s->complaints);
	close_fd(s->opened);
	free(s);
	return NULL;
}
