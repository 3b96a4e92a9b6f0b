#include "session/leaves.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/strv.h"
#include "session/cgroup.h"

#define HOST	  "host"
#define PREFIX	  "vitrine-"
#define GONE_MS	  1000
#define SWEEP_MS  2000
#define BLOCK_DIR "/sys/block"

struct leaves {
	char *directory;
	bool ours; /* made here, and so removed here */
	int fd;	   /* O_PATH; negative until it is there */
	int host;
	int boxes[BOX_KIND_MAX];

	/* of a group that is ours */
	int parent;
	char *name;
	int origin; /* where this process was, and goes back to */
};

static struct leaves *new_leaves(void)
{
	struct leaves *l = xcalloc(1, sizeof *l);

	*l = (struct leaves){
		.fd = -EBADF,
		.host = -EBADF,
		.boxes = { -EBADF, -EBADF, -EBADF },
		.parent = -EBADF,
		.origin = -EBADF,
	};
	return l;
}

static void leaves_freep(struct leaves **l)
{
	leaves_free(*l);
}

int leaves_new_in_scope(const char *unit, struct leaves **ret, struct error **err)
{
	_cleanup_(leaves_freep) struct leaves *l = new_leaves();
	const char *slash;
	int r;

	r = cgroup_of(getpid(), &l->directory, err);
	if (r < 0)
		return r;
	slash = strrchr(l->directory, '/');
	if (!slash || strcmp(slash + 1, unit))
		return error_set(err, EIO, "systemd has put this process into '%s', not '%s'",
				 l->directory, unit);
	r = cgroup_open(l->directory, &l->fd, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(l);
	return 0;
}

int leaves_new_beneath(const char *parent, const char *sandbox_id, struct leaves **ret,
		       struct error **err)
{
	_cleanup_(leaves_freep) struct leaves *l = new_leaves();
	_cleanup_free_ char *origin = NULL;
	int r;

	l->name = xasprintf(PREFIX "%s", sandbox_id);
	l->directory = xasprintf("%s/%s", parent, l->name);
	r = cgroup_open(parent, &l->parent, err);
	if (r < 0)
		return r;
	r = cgroup_of(getpid(), &origin, err);
	if (r < 0)
		return r;
	r = cgroup_open(origin, &l->origin, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(l);
	return 0;
}

const char *leaves_directory(const struct leaves *l)
{
	return l->directory;
}

unsigned leaves_controllers(const struct leaves *l)
{
	return cgroup_controllers(l->name ? l->parent : l->fd, "cgroup.controllers");
}

int leaves_of_box(const struct leaves *l, enum box_kind kind)
{
	return l->boxes[kind];
}

static int make_child(int fd, const char *name, int *ret_fd, struct error **err)
{
	int child;

	if (mkdirat(fd, name, 0755) < 0)
		return error_errno(err, "cannot make control group '%s'", name);
	child = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (child < 0)
		return error_errno(err, "cannot open control group '%s'", name);
	*ret_fd = child;
	return 0;
}

/* Processors are shared out between groups, and not between processes, where that can be had: a
 * thousand of them in a box leave the supervisor half of what the sandbox gets. */
static unsigned to_enable(const struct leaves *l, const struct plan *plan)
{
	return plan->limits.enforced | (leaves_controllers(l) & 1U << LIMIT_CPU);
}

static int make_all(struct leaves *l, const struct plan *plan, struct error **err)
{
	int r;

	if (l->name) {
		r = cgroup_enable(l->parent, to_enable(l, plan), err);
		if (r < 0)
			return r;
		r = make_child(l->parent, l->name, &l->fd, err);
		if (r < 0)
			return r;
		l->ours = true;
	}
	r = make_child(l->fd, HOST, &l->host, err);
	for (enum box_kind k = 0; k < BOX_KIND_MAX && r >= 0; k++)
		if (plan->has_box[k])
			r = make_child(l->fd, box_kind_to_string(k), &l->boxes[k], err);
	return r;
}

static int list_disks(const struct plan *plan, char ***ret, struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	int r;

	if (!(plan->limits.enforced & 1U << LIMIT_IO))
		return 0;
	r = fs_open_dir(AT_FDCWD, BLOCK_DIR, &dir, err);
	return r < 0 ? r : cgroup_disks(dir, ret, err);
}

int leaves_limit(struct leaves *l, const struct plan *plan, struct error **err)
{
	_cleanup_strv_ char **disks = NULL;
	/* What the application reads and writes of the user's files the gate reads and writes. */
	const struct limits of_host = { .io = plan->boxes[BOX_APP].limits.io };
	int r;

	r = list_disks(plan, &disks, err);
	if (r >= 0)
		r = cgroup_enable(l->fd, to_enable(l, plan), err);
	if (r >= 0)
		r = cgroup_limit(l->host, &of_host, plan->limits.enforced, disks, err);
	for (enum box_kind k = 0; k < BOX_KIND_MAX && r >= 0; k++)
		if (plan->has_box[k])
			r = cgroup_limit(l->boxes[k], &plan->boxes[k].limits, plan->limits.enforced,
					 disks, err);
	return r;
}

int leaves_make(struct leaves *l, const struct plan *plan, const pid_t *helpers, struct error **err)
{
	int r;

	r = make_all(l, plan, err);
	if (r >= 0)
		r = cgroup_add(l->host, getpid(), err);
	for (; r >= 0 && *helpers; helpers++)
		r = cgroup_add(l->host, *helpers, err);
	return r;
}

int leaves_add(struct leaves *l, enum box_kind kind, pid_t pid, struct error **err)
{
	return cgroup_add(l->boxes[kind], pid, err);
}

int leaves_add_host(struct leaves *l, pid_t pid, struct error **err)
{
	return cgroup_add(l->host, pid, err);
}

int leaves_verify(const struct leaves *l, enum box_kind kind, pid_t init, struct error **err)
{
	_cleanup_free_ char *want = xasprintf("%s/%s", l->directory, box_kind_to_string(kind));
	_cleanup_free_ char *is = NULL;
	int r;

	r = cgroup_of(init, &is, err);
	if (r < 0)
		return r;
	if (strcmp(is, want))
		return error_set(err, EPERM, "it is in control group '%s', not '%s'", is, want);
	return 0;
}

void leaves_kill(struct leaves *l)
{
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++)
		if (l->boxes[k] >= 0)
			cgroup_kill(l->boxes[k]);
}

struct leaves *leaves_free(struct leaves *l)
{
	_cleanup_(error_freep) struct error *ignored = NULL; /* what stays is swept */

	if (!l)
		return NULL;
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++) {
		if (l->boxes[k] < 0)
			continue;
		(void)cgroup_remove(l->fd, box_kind_to_string(k), GONE_MS, &ignored);
		ignored = error_free(ignored);
		close_fd(l->boxes[k]);
	}
	if (l->ours && cgroup_add(l->origin, getpid(), &ignored) >= 0 &&
	    cgroup_remove(l->fd, HOST, GONE_MS, &ignored) >= 0)
		(void)cgroup_remove(l->parent, l->name, GONE_MS, &ignored);
	close_fd(l->host);
	close_fd(l->fd);
	close_fd(l->parent);
	close_fd(l->origin);
	free(l->directory);
	free(l->name);
	free(l);
	return NULL;
}

/* The names that leaves_make() makes, and no others. */
static int sweep_children(int fd, struct error **err)
{
	int r = cgroup_remove(fd, HOST, SWEEP_MS, err);

	for (enum box_kind k = 0; k < BOX_KIND_MAX && r >= 0; k++)
		r = cgroup_remove(fd, box_kind_to_string(k), SWEEP_MS, err);
	return r;
}

int leaves_sweep(const char *directory, const char *sandbox_id, struct error **err)
{
	_cleanup_free_ char *name = xasprintf(PREFIX "%s", sandbox_id), *above = NULL;
	_cleanup_close_ int parent = -EBADF, fd = -EBADF;
	const char *slash = strrchr(directory, '/');
	int r;

	if (!slash || strcmp(slash + 1, name))
		return 0; /* systemd's */
	above = xstrndup(directory, (size_t)(slash - directory));
	r = cgroup_open(above, &parent, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		return 0;
	}
	if (r < 0)
		return r;
	fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : error_errno(err, "cannot open '%s'", directory);
	cgroup_kill(fd);
	r = sweep_children(fd, err);
	return r < 0 ? r : cgroup_remove(parent, name, SWEEP_MS, err);
}
