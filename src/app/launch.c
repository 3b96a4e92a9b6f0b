#include "app/launch.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include "app/sandbox.h"
#include "base/fs.h"
#include "base/spawn.h"
#include "base/strv.h"
#include "box/job.h"
#include "box/lock.h"
#include "emit/lxc.h"
#include "image/store.h"

#define DISPLAY_NUMBER 10U
#define FILTER_FILE    VITRINE_EXEC_DIR "/gui.bpf"
#define DENY_LIST      VITRINE_DATA_DIR "/seccomp-policies/lxc-deny.policy"
#define GRACE_MS       150
#define PROGRAM_MAX    (512U << 20)

/* What happens before the first box: names, places, ids. */

static int open_places(struct sandbox *s, struct error **err)
{
	int r;

	r = facts_gather(&s->facts, err);
	if (r < 0)
		return r;
	r = runtime_open(&s->runtime_dir, err);
	if (r < 0)
		return r;
	r = lock_open(s->runtime_dir, &s->lock, err);
	if (r < 0)
		return r;
	r = registry_add(s->runtime_dir, s->lock, s->launch->profile->name, &s->dir, err);
	if (r < 0)
		return r;
	s->started = state_time_now();
	return log_new(s->dir.fd, &s->log, err);
}

static void on_box_lost(void *user, const char *why)
{
	sandbox_lose(user, why);
}

/* Early: they load their libraries while this process goes on. */
static int start_monitors(struct sandbox *s, struct error **err)
{
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++) {
		int r = 0;

		if (plan_needs_box(s->launch->profile, &s->launch->request, k))
			r = box_new(k, s->loop, on_box_lost, s, &s->boxes[k], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int take_images_and_ids(struct sandbox *s, struct error **err)
{
	const struct profile *p = s->launch->profile;
	struct slice last = { 0 };

	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++) {
		const char *image = plan_image(p, k);
		int r;

		if (!plan_needs_box(p, &s->launch->request, k))
			continue;
		r = image_find(s->facts.home, image, &s->image_dirs[k], err);
		if (r < 0)
			return r;
		r = image_lock(s->facts.home, image, &s->image_locks[k], err);
		if (r < 0)
			return r;
		r = slice_take(s->lock, &last, err);
		if (r < 0)
			return r;
		s->slices[k] = last;
	}
	return 0;
}

static int find_desktop(struct sandbox *s, struct error **err)
{
	const struct launch *l = s->launch;
	int r;

	if ((l->request.display >= 0 ? l->request.display : (int)l->profile->display) ==
	    DISPLAY_NONE)
		return 0;
	r = x11_desktop_find(getenv("DISPLAY"), getenv("XAUTHORITY"), s->facts.home, &s->desktop,
			     err);
	if (r < 0)
		return r;
	s->facts.host.desktop_socket = s->desktop.socket;
	s->facts.host.desktop_display = s->desktop.number;
	return 0;
}

/* The same everywhere, since every sandbox has an X socket directory of its own; only Xephyr's
 * socket may come to lie beside that of the desktop. */
static uint32_t choose_display_number(const struct sandbox *s)
{
	return s->facts.host.desktop_display == DISPLAY_NUMBER ? DISPLAY_NUMBER + 1
							       : DISPLAY_NUMBER;
}

static int make_plan(struct sandbox *s, struct error **err)
{
	struct plan_inputs in = { .id = s->dir.id, .display_number = choose_display_number(s) };
	int r;

	if (getrandom(in.machine_id, sizeof in.machine_id, 0) != sizeof in.machine_id)
		return error_errno(err, "cannot get random bytes");
	for (size_t k = 0; k < BOX_KIND_MAX; k++) {
		in.slices[k] = s->slices[k];
		in.image_dirs[k] = s->image_dirs[k];
	}
	r = plan_make(s->launch->profile, &s->launch->request, &s->facts.host, &in, &s->plan, err);
	if (r < 0)
		return r;
	return state_write(s->dir.fd, s->plan, STATE_STARTING, s->started, err);
}

/* A program of the user's, copied while nothing can change it, for `run -- ./PROGRAM`. */
static int copy_program(struct sandbox *s, const char *path, struct error **err)
{
	_cleanup_close_ int dir = -EBADF,
			    fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_free_ char *data = NULL;
	const char *slash = strrchr(path, '/');
	struct stat st;
	size_t size;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot open program '%s'", path);
	if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		return error_set(err, EACCES, "'%s' is not an executable file: chmod +x", path);
	r = fs_read_fd(fd, PROGRAM_MAX, &data, &size, err);
	if (r < 0)
		return error_prefix(err, "program '%s'", path);
	r = fs_make_dir(s->shared, "program", 0755, &dir, err);
	if (r < 0)
		return r;
	return fs_write(dir, slash ? slash + 1 : path, data, size, 0555, err);
}

static int write_cookie(struct sandbox *s, const char *directory, const void *data, size_t size,
			struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	int r;

	r = fs_make_dir(s->shared, directory, 0755, &dir, err);
	if (r < 0)
		return r;
	return fs_write(dir, "Xauthority", data, size, 0644, err);
}

static int join_session(struct sandbox *s, struct error **err)
{
	const struct plan *p = s->plan;
	int r;

	r = holder_connect(s->runtime_dir, s->lock, p->id, p->disk, p->inodes, &s->holder, err);
	if (r < 0)
		return r;
	r = fs_open_dir(s->holder.tree, "shared", &s->shared, err);
	if (r < 0)
		return r;
	if (p->program)
		return copy_program(s, p->program, err);
	return 0;
}

/* One cookie for the sandbox's own display, and for the viewer the one of the desktop. */
static int write_cookies(struct sandbox *s, struct error **err)
{
	const struct x11_authority *desktop = &s->desktop.authority;
	struct x11_authority own;
	int r;

	if (s->plan->display == DISPLAY_NONE)
		return 0;
	r = x11_authority_make(s->plan->display_number, &own, err);
	if (r < 0)
		return r;
	r = write_cookie(s, "auth", own.data, own.size, err);
	if (r < 0)
		return r;
	return write_cookie(s, "desktop-auth", desktop->data, desktop->size, err);
}

static int read_fragments(enum box_kind kind, enum network_mode network, char **ret,
			  struct error **err)
{
	const char *names[LXC_FRAGMENTS_MAX + 1];
	_cleanup_buf_ struct buf text = { 0 };

	lxc_fragments(kind, network, names);
	for (const char **name = names; *name; name++) {
		_cleanup_free_ char *path = xasprintf(VITRINE_DATA_DIR "/lxc-configs/%s", *name),
				    *fragment = NULL;
		int r = fs_read(AT_FDCWD, path, 65536, &fragment, NULL, err);

		if (r < 0)
			return r;
		buf_adds(&text, fragment);
	}
	*ret = buf_take(&text);
	return 0;
}

static int begin_box(struct sandbox *s, enum box_kind kind, struct error **err)
{
	const struct box_plan *box = &s->plan->boxes[kind];
	_cleanup_free_ char *tree = xasprintf(HOLDER_TREES "/%s", s->plan->id),
			    *root = box_root_path(tree, kind);
	_cleanup_free_ char *fragments = NULL, *config = NULL;
	struct lxc_inputs in = { .root = root, .seccomp_profile = DENY_LIST };
	int r;

	r = read_fragments(kind, s->plan->network, &fragments, err);
	if (r < 0)
		return r;
	in.fragments = fragments;
	r = lxc_config_render(box, &in, &config, err);
	if (r < 0)
		return r;

	const struct box_start start = {
		.plan = box,
		.config = config,
		.filter = s->filter,
		.holder = &s->holder,
		.lock = s->lock,
		.sandbox_id = s->plan->id,
	};

	return box_begin(s->boxes[kind], &start, err);
}

/* All at once: each waits mostly for the kernel. */
static int start_boxes(struct sandbox *s, struct error **err)
{
	int r = 0;

	s->filter = open(FILTER_FILE, O_RDONLY | O_CLOEXEC);
	if (s->filter < 0)
		return error_errno(err, "cannot open '%s'", FILTER_FILE);
	for (enum box_kind k = 0; k < BOX_KIND_MAX && r >= 0; k++)
		if (s->boxes[k])
			r = begin_box(s, k, err);
	for (enum box_kind k = 0; k < BOX_KIND_MAX && r >= 0; k++)
		if (s->boxes[k])
			r = box_await(s->boxes[k], &s->plan->boxes[k], err);
	return r;
}

static int start_network(struct sandbox *s, struct error **err)
{
	if (s->plan->network != NETWORK_PRIVATE)
		return 0;
	return net_start(s->boxes[BOX_APP], s->loop, on_box_lost, s, &s->net, err);
}

static int start_sound(struct sandbox *s, struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	int r;

	if (!s->plan->playback)
		return 0;
	r = fs_open_dir(s->shared, "sound", &dir, err);
	if (r < 0)
		return r;
	r = sound_start(s->boxes[BOX_APP], s->plan, dir, s->plan->label, s->loop, on_box_lost, s,
			&s->sound, err);
	return r < 0 ? error_prefix(err, "sound") : 0;
}

static void on_viewer_lost(void *user, const char *why)
{
	struct sandbox *s = user;
	_cleanup_(error_freep) struct error *ignored = NULL;

	if (s->plan->viewer_lost == VIEWER_LOST_END) {
		sandbox_lose(s, why);
		return;
	}
	log_line(s->log, "%s; 'vitrine attach %s' brings the windows back", why, s->plan->id);
	(void)state_write(s->dir.fd, s->plan, STATE_DETACHED, s->started, &ignored);
}

static const struct display_events display_events = { .lost = on_box_lost,
						      .viewer_lost = on_viewer_lost };

static int start_display(struct sandbox *s, struct error **err)
{
	int r = display_start(s->plan, s->boxes[BOX_DISPLAY], s->boxes[BOX_VIEWER], s->shared,
			      s->loop, &display_events, s, &s->display, err);

	return r < 0 ? error_prefix(err, "display") : 0;
}

/* The application and what its user can do to it while it runs. */

static void on_output(void *user, const char *data, size_t size)
{
	log_write(((struct sandbox *)user)->log, data, size);
}

static void on_application_terminal(void *user, int master)
{
	stdio_terminal(((struct sandbox *)user)->stdio, master);
}

static void on_application_started(void *user)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct sandbox *s = user;

	if (state_write(s->dir.fd, s->plan, STATE_RUNNING, s->started, &error) < 0) {
		sandbox_lose(s, error->message);
		return;
	}
	if (s->launch->running)
		s->launch->running(s->launch->user, s->plan->id);
	registry_sweep(s->runtime_dir);
}

static void on_application_failed(void *user, int code)
{
	struct sandbox *s = user;
	_cleanup_free_ char *why = xasprintf("cannot execute '%s': %s", s->plan->command[0],
					     strerror(code));

	if (s->launch->failed)
		s->launch->failed(s->launch->user, why);
}

static void on_time_over(void *user, short revents)
{
	struct sandbox *s = user;

	(void)revents;
	sandbox_stop(s, s->code);
}

/* An application whose display dies fails as well, and may be heard of first: the status that
 * counts is that of the cause, which follows at once if it is not the application's own. */
static int await_other_end(struct sandbox *s)
{
	const struct itimerspec grace = { .it_value.tv_nsec = GRACE_MS * 1000000L };

	s->grace = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (s->grace < 0 || timerfd_settime(s->grace, 0, &grace, NULL) < 0)
		return -errno;
	loop_add(s->loop, s->grace, POLLIN, on_time_over, s);
	return 0;
}

static void on_application_ended(void *user, int status)
{
	struct sandbox *s = user;

	s->ended = true;
	s->code = status_to_exit_code(status);
	if (s->code == 0 || s->plan->display == DISPLAY_NONE || await_other_end(s) < 0)
		sandbox_stop(s, s->code);
}

static int control_stop_request(void *user, struct error **err)
{
	(void)err;
	sandbox_stop(user, 128 + SIGTERM);
	return 0;
}

static int set_shown(struct sandbox *s, bool shown, struct error **err)
{
	int r = shown ? display_attach(s->display, err) : display_detach(s->display, err);

	if (r < 0)
		return r;
	return state_write(s->dir.fd, s->plan, shown ? STATE_RUNNING : STATE_DETACHED, s->started,
			   err);
}

static int control_attach_request(void *user, struct error **err)
{
	return set_shown(user, true, err);
}

static int control_detach_request(void *user, struct error **err)
{
	return set_shown(user, false, err);
}

/* Every command of the app box has the same environment; one with a terminal is told so. */
static int spawn_in_app(struct sandbox *s, struct box_command *c,
			const struct box_command_events *events, void *user, struct error **err)
{
	const struct box_plan *box = &s->plan->boxes[BOX_APP];
	_cleanup_strv_ char **env = strv_copy(box->environment);

	if (c->terminal)
		strv_add(&env, "TERM=xterm-256color");
	c->env = env;
	c->cwd = box->home;
	return box_spawn(s->boxes[BOX_APP], c, events, user, err);
}

static int control_enter_request(void *user, struct box_command *c,
				 const struct box_command_events *events, void *command_user,
				 struct error **err)
{
	return spawn_in_app(user, c, events, command_user, err);
}

static const struct control_handlers control_handlers = {
	.stop = control_stop_request,
	.attach = control_attach_request,
	.detach = control_detach_request,
	.enter = control_enter_request,
};

static int start_application(struct sandbox *s, struct error **err)
{
	static const struct box_command_events events = {
		.terminal = on_application_terminal,
		.started = on_application_started,
		.failed = on_application_failed,
		.ended = on_application_ended,
	};
	struct box_command c = { .argv = s->plan->command };
	struct stdio_ends ends;
	int r;

	r = control_new(s->dir.fd, s->loop, &control_handlers, s, &s->control, err);
	if (r < 0)
		return r;
	r = stdio_new(s->loop, s->launch->detached, on_output, s, &ends, &s->stdio, err);
	if (r < 0)
		return r;
	memcpy(c.stdio, ends.fds, sizeof c.stdio);
	c.terminal = ends.terminal;
	c.rows = ends.rows;
	c.columns = ends.columns;
	r = spawn_in_app(s, &c, &events, s, err);
	stdio_ends_release(&ends);
	return r;
}

static void on_signal(void *user, short revents)
{
	struct signalfd_siginfo info;
	struct sandbox *s = user;

	(void)revents;
	if (read(s->signals, &info, sizeof info) != sizeof info)
		return;
	if (info.ssi_signo == SIGWINCH)
		stdio_resize(s->stdio);
	else
		sandbox_stop(s, 128 + (int)info.ssi_signo);
}

static int watch_signals(struct sandbox *s, struct error **err)
{
	static const int watched[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
		sigaddset(&set, watched[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return error_errno(err, "cannot block signals");
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0)
		return error_errno(err, "cannot wait for signals");
	loop_add(s->loop, s->signals, POLLIN, on_signal, s);
	return 0;
}

/* The way of a launch, in this order. */
static const struct phase {
	const char *name;
	int (*start)(struct sandbox *s, struct error **err);
} phases[] = {
	/* clang-format off */
	{ "signals", watch_signals },
	{ "monitors", start_monitors },
	{ "places", open_places },
	{ "desktop", find_desktop },
	{ "ids", take_images_and_ids },
	{ "plan", make_plan },
	{ "session", join_session },
	{ "cookies", write_cookies },
	{ "boxes", start_boxes },
	{ "network", start_network },
	{ "sound", start_sound },
	{ "display", start_display },
	{ "application", start_application },
	/* clang-format on */
};

static int start(struct sandbox *s, struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		uint64_t begin = now_us();
		int r = phases[i].start(s, err);

		if (s->launch->timings)
			fprintf(stderr, "%-12s %7.1f ms\n", phases[i].name,
				(double)(now_us() - begin) / 1000);
		if (r < 0)
			return r;
	}
	return 0;
}

int launch_run(const struct launch *l, int *ret_code, struct error **err)
{
	struct sandbox s = {
		.launch = l,
		.loop = loop_new(),
		.runtime_dir = -EBADF,
		.lock = -EBADF,
		.dir = SANDBOX_DIR_NONE,
		.image_locks = { -EBADF, -EBADF, -EBADF },
		.filter = -EBADF,
		.holder = HOLDER_NONE,
		.shared = -EBADF,
		.signals = -EBADF,
		.grace = -EBADF,
	};
	int r;

	r = start(&s, err);
	if (r >= 0)
		r = loop_run(s.loop, &s.done, -1, err);
	/* Cancelled means that the reason is in s, and it is the better one. */
	if (s.done)
		*err = error_free(*err);
	if (s.lost)
		r = error_set(err, EIO, "%s", s.lost);
	else if (s.done)
		r = 0;
	if (s.done)
		*ret_code = s.code;
	sandbox_end(&s);
	return r;
}
