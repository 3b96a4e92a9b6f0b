#include "app/home-walk.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "app/registry.h"
#include "base/fs.h"
#include "base/parse.h"
#include "base/strv.h"
#include "box/lock.h"
#include "plan/plan.h"

#define TREE_SIZE   (1U << 20)
#define TREE_INODES 1024U

static void nobody_cares(void *user, pid_t pid)
{
	(void)user;
	(void)pid;
}

int home_walk_begin(const char *user_home, struct home_walk *ret, struct error **err)
{
	/* No sandbox has such an id: four digits end that. */
	_cleanup_free_ char *id = xasprintf("walk-%010d", getpid());
	_cleanup_(home_walk_release) struct home_walk h = HOME_WALK_NONE;
	int r;

	r = homes_open(user_home, &h.homes, err);
	if (r >= 0)
		r = runtime_open(&h.runtime_dir, err);
	if (r >= 0)
		r = lock_open(h.runtime_dir, &h.lock, err);
	if (r >= 0)
		r = holder_connect(h.runtime_dir, h.lock, id, TREE_SIZE, TREE_INODES, nobody_cares,
				   NULL, &h.holder, err);
	if (r < 0)
		return r;
	*ret = h;
	h = HOME_WALK_NONE;
	return 0;
}

void home_walk_release(struct home_walk *h)
{
	holder_release(&h->holder);
	close_fd(h->homes);
	close_fd(h->lock);
	close_fd(h->runtime_dir);
	*h = HOME_WALK_NONE;
}

static int start(const struct home_walk *h, const struct walk_order *o, int out,
		 struct walker **ret, struct error **err)
{
	const struct walker_fds fds = {
		.user_ns = h->holder.user_ns,
		.old = -EBADF,
		.bases = { h->homes, -EBADF },
		.out = out,
	};

	return walker_start(o, &fds, NULL, NULL, NULL, ret, err);
}

static void add_root(struct walk_order *o, const char *name, const char *part)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", name, part);

	walk_order_add_root(o, 0, path, "/", false);
}

/* --- sizes ------------------------------------------------------------------- */

/* "ENTRIES BYTES", a line for each root: two of each home. */
static int parse_sizes(char *text, struct home_size *sizes, size_t n, struct error **err)
{
	char *state, *line = strtok_r(text, "\n", &state);

	for (size_t i = 0; i < 2 * n; i++, line = strtok_r(NULL, "\n", &state)) {
		char *space = line ? strchr(line, ' ') : NULL;
		uint64_t files, bytes;

		if (space)
			*space = '\0';
		if (!space || parse_u64(line, &files) < 0 || parse_u64(space + 1, &bytes) < 0)
			return error_set(err, EPROTO, "the sizes of the homes cannot be read");
		sizes[i / 2].files += files;
		sizes[i / 2].bytes += bytes;
	}
	return 0;
}

int home_walk_sizes(const struct home_walk *h, char *const *names, struct home_size **ret,
		    struct error **err)
{
	_cleanup_(walk_order_release) struct walk_order o = { .verb = WALK_SIZES };
	_cleanup_free_ struct home_size *sizes = xcalloc(strv_length(names) + 1, sizeof *sizes);
	_cleanup_close_ int out = memfd_create("sizes", MFD_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	struct walker *w = NULL;
	int r;

	if (out < 0)
		return error_errno(err, "cannot make a memory file");
	for (char *const *name = names; name && *name; name++) {
		add_root(&o, *name, KEPT_HOME);
		add_root(&o, *name, KEPT_PATHS);
	}
	r = start(h, &o, out, &w, err);
	if (r >= 0)
		r = walker_await(w, NULL, err);
	walker_end(w);
	if (r >= 0 && lseek(out, 0, SEEK_SET) < 0)
		r = error_errno(err, "cannot read a memory file");
	if (r >= 0)
		r = fs_read_fd(out, 1U << 20, &text, NULL, err);
	if (r >= 0)
		r = parse_sizes(text, sizes, strv_length(names), err);
	if (r >= 0)
		*ret = TAKE_PTR(sizes);
	return r;
}

/* --- archives ---------------------------------------------------------------- */

int home_walk_archive(const struct home_walk *h, const char *name, const struct home_facts *facts,
		      const char *prefix, int out, struct walker **ret, struct error **err)
{
	_cleanup_(walk_order_release) struct walk_order o = {
		.verb = WALK_ARCHIVE,
		.links = true,
		.bytes_max = WALK_BYTES_MAX,
	};

	add_root(&o, name, KEPT_HOME);
	add_root(&o, name, KEPT_PATHS);
	if (facts->home)
		walk_order_add_item(&o, 0, "", prefix);
	for (char **path = facts->kept; path && *path; path++) {
		_cleanup_free_ char *stored = plan_kept_name(*path);
		_cleanup_free_ char *shown = xasprintf("%s%s%s", prefix, *prefix ? "/" : "", *path);

		walk_order_add_item(&o, 1, stored, shown);
	}
	return start(h, &o, out, ret, err);
}

/* --- the end ----------------------------------------------------------------- */

static int remove_condemned(const struct home_walk *h, const char *name, struct error **err)
{
	_cleanup_(walk_order_release) struct walk_order o = { .verb = WALK_REMOVE };
	struct walker *w = NULL;
	int r;

	add_root(&o, name, KEPT_HOME);
	add_root(&o, name, KEPT_PATHS);
	/* Of a directory that was just being made. */
	add_root(&o, name, KEPT_NEW);
	r = start(h, &o, -EBADF, &w, err);
	if (r >= 0)
		r = walker_await(w, NULL, err);
	walker_end(w);
	return r < 0 ? r : home_forget(h->homes, name, err);
}

int home_walk_remove(const struct home_walk *h, const char *name, struct error **err)
{
	_cleanup_free_ char *condemned = NULL;
	_cleanup_close_ int lock = -EBADF;
	int r;

	r = home_condemn(h->homes, name, &condemned, &lock, err);
	return r < 0 ? r : remove_condemned(h, condemned, err);
}

void home_walk_sweep(const struct home_walk *h)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_strv_ char **names = NULL;

	(void)homes_list(h->homes, true, &names, &ignored);
	for (char **name = names; name && *name; name++) {
		_cleanup_(error_freep) struct error *stays = NULL; /* for the next */
		_cleanup_close_ int lock = -EBADF;

		if (home_condemned_lock(h->homes, *name, &lock, &stays) >= 0)
			(void)remove_condemned(h, *name, &stays);
	}
}
