#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <sys/xattr.h>

#include "app/launch-phases.h"
#include "base/fs.h"
#include "box/lock.h"

#define ATTRIBUTE	  "user.vitrine"
#define DISPLAY_NUMBER	  10U
#define PROGRAM_MAX	  (512U << 20)
#define LATE_BOX_MS	  3000U
#define LATE_BOX_PAUSE_MS 20

int launch_places(struct sandbox *s, struct error **err)
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
	r = registry_add(s->runtime_dir, s->lock, s->profile->name, &s->dir, err);
	if (r < 0)
		return r;
	s->started = state_time_now();
	return log_new(s->dir.fd, &s->log, err);
}

static void sleep_ms(long ms)
{
	const struct timespec time = { .tv_nsec = ms * 1000000L };

	(void)nanosleep(&time, NULL); /* woken early, it only looks earlier */
}

/* The ids that the kept files belong to. After a supervisor was killed its box may end a little
 * later than its lock. */
static int take_home(struct sandbox *s, struct error **err)
{
	const struct profile *p = s->profile;
	const uint64_t deadline = now_ms() + LATE_BOX_MS;
	int r;

	r = home_claim(s->facts.home, p->name, s->dir.id, &s->home, err);
	if (r < 0)
		return r;
	while ((r = slice_claim(s->lock, s->home.slice, &s->slices[BOX_APP], err)) == -EBUSY &&
	       now_ms() < deadline) {
		*err = error_free(*err);
		sleep_ms(LATE_BOX_PAUSE_MS);
	}
	return r < 0 ? error_prefix(err, "home '%s'", p->name) : 0;
}

int launch_ids(struct sandbox *s, struct error **err)
{
	const struct profile *p = s->profile;
	struct slice last = { 0 };
	int r = 0;

	if (p->home == HOME_PREPARED)
		r = prepared_open(s->facts.home, p->name, &s->prepared, &s->prepared_dir, err);
	if (r < 0)
		return r;
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++) {
		if (!plan_needs_box(p, k))
			continue;
		r = image_open(s->facts.home, plan_image(p, k), &s->images[k], err);
		if (r < 0)
			return r;
		if (k == BOX_APP && plan_keeps_files(p)) {
			r = take_home(s, err);
		} else {
			r = slice_take(s->lock, &last, err);
			s->slices[k] = last;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

int launch_desktop(struct sandbox *s, struct error **err)
{
	int r;

	if (s->profile->display == DISPLAY_NONE)
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

static void tell_notes(struct sandbox *s)
{
	if (permit_note(s->launch->permit))
		sandbox_note(s, permit_note(s->launch->permit));
	for (char **note = s->plan->notes; note && *note; note++)
		sandbox_note(s, *note);
}

int launch_plan(struct sandbox *s, struct error **err)
{
	struct plan_inputs in = {
		.id = s->dir.id,
		.display_number = choose_display_number(s),
		.kept_dir = s->home.path,
		.prepared_dir = s->prepared_dir,
		.grants = s->grants,
		.n_grants = s->n_grants,
	};
	struct run_request request = s->launch->request;
	int r;

	if (s->launch->arguments)
		request.arguments = s->arguments;

	if (getrandom(in.machine_id, sizeof in.machine_id, 0) != sizeof in.machine_id)
		return error_errno(err, "cannot get random bytes");
	for (size_t k = 0; k < BOX_KIND_MAX; k++) {
		in.slices[k] = s->slices[k];
		in.image_layers[k] = s->images[k].roots;
	}
	r = plan_make(s->profile, &request, &s->facts.host, &in, &s->plan, err);
	if (r < 0)
		return r;
	tell_notes(s);
	return sandbox_tell(s, STATE_STARTING, err);
}

/* The program is a file of the user's like any other that is given. */
static int check_program(const struct sandbox *s, int fd, struct error **err)
{
	_cleanup_free_ char *link = xasprintf("/proc/self/fd/%d", fd), *path = realpath(link, NULL);

	if (!path)
		return error_errno(err, "cannot find out where the program lies");
	return permit_check_given(s->launch->permit, path, false, true, err);
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
	r = check_program(s, fd, err);
	if (r < 0)
		return r;
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

/* An overlay hides the image's directories by attributes of what lies over them. The kernel is
 * asked, with the tmpfs that all of it will lie in: it was taught that in Linux 6.6, and
 * distributions change kernels. */
static int check_attributes(const struct sandbox *s, struct error **err)
{
	const struct plan *p = s->plan;

	if (!p->boxes[BOX_APP].root_writable)
		return 0;
	if (fsetxattr(s->shared, ATTRIBUTE, "", 0, 0) == 0 &&
	    fremovexattr(s->shared, ATTRIBUTE) == 0)
		return 0;
	return error_set(
		err, ENOTSUP,
		"profile '%s' has Root=writable, and this kernel cannot keep changes to an "
		"image in memory (see 'vitrine doctor')",
		p->profile);
}

int launch_session(struct sandbox *s, struct error **err)
{
	const struct plan *p = s->plan;
	int r;

	r = limits_await_scope(s, err);
	if (r < 0)
		return r;
	r = holder_connect(s->runtime_dir, s->lock, p->id, p->disk, p->inodes,
			   limits_on_holder_started, s, &s->holder, err);
	if (r < 0)
		return r;
	r = fs_open_dir(s->holder.tree, "shared", &s->shared, err);
	if (r < 0)
		return r;
	r = check_attributes(s, err);
	if (r < 0)
		return r;
	if (p->program)
		return copy_program(s, p->program, err);
	return 0;
}

/* One cookie for the sandbox's own display, and for the viewer the one of the desktop. */
int launch_cookies(struct sandbox *s, struct error **err)
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
