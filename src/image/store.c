#include "image/store.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/gc.h"
#include "image/generation.h"
#include "image/layer.h"
#include "image/names.h"

#define USER_DIR "%s/.local/share/vitrine/images"
#define TRIES	 1000U /* of a millisecond each, while a generation is being removed */

static const char *const parts[] = { "names", "layers", "work" };

const char *store_kind_to_string(enum store_kind k)
{
	static const char *const names[] = {
		[STORE_USER] = "user",
		[STORE_SYSTEM] = "system",
	};

	return names[k];
}

int image_check_name(const char *name, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(name, NAME_LENGTH_MAX);

	if (name_is_valid(name))
		return 0;
	return error_set(err, EINVAL,
			 "'%s' is no name for an image: use up to %d letters a-z, digits and '-'",
			 shown, NAME_LENGTH_MAX);
}

/* --- the store -----------------------------------------------------------------------------------
 */

/* Whoever could write there could have every sandbox run what he likes. */
static int check_owner(const struct store *s, struct error **err)
{
	uid_t owner = s->kind == STORE_SYSTEM ? 0 : getuid();
	struct stat st;

	if (fstat(s->dir, &st) < 0)
		return error_errno(err, "cannot read '%s'", s->path);
	if (st.st_uid == owner && !(st.st_mode & 022))
		return 0;
	return error_set(err, EPERM,
			 "'%s' must belong to user %u, and only he may write there: see its owner "
			 "and mode",
			 s->path, owner);
}

static int make_parts(const struct store *s, mode_t mode, struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		_cleanup_close_ int dir = -EBADF;
		int r = fs_make_dir(s->dir, parts[i], mode, &dir, err);

		if (r < 0)
			return error_prefix(err, "'%s'", s->path);
	}
	return 0;
}

int store_open(enum store_kind kind, const char *home, bool make, struct store *ret,
	       struct error **err)
{
	_cleanup_(store_release) struct store s = STORE_NONE;
	mode_t mode = kind == STORE_SYSTEM ? 0755 : 0700;
	int r;

	if (kind == STORE_USER && !home)
		return error_set(err, ENOENT, "the system has no user's images");
	s.kind = kind;
	s.path = kind == STORE_SYSTEM ? xstrdup(STORE_SYSTEM_DIR) : xasprintf(USER_DIR, home);
	r = make ? fs_make_path(s.path, mode, &s.dir, err)
		 : fs_open_dir(AT_FDCWD, s.path, &s.dir, err);
	if (r == 0)
		r = check_owner(&s, err);
	if (r == 0 && make)
		r = make_parts(&s, mode, err);
	if (r < 0)
		return r;
	*ret = s;
	s = STORE_NONE;
	return 0;
}

void store_release(struct store *s)
{
	close_fd(s->dir);
	free(s->path);
	*s = STORE_NONE;
}

int store_lock(const struct store *s, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = openat(
		s->dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_errno(err, "cannot open '%s/lock'", s->path);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return error_errno(err, "cannot lock '%s'", s->path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int image_names(const struct store *s, char ***ret, struct error **err)
{
	_cleanup_strv_ char **all = NULL;
	char **names = NULL;
	int r;

	r = names_in(s->dir, "names", name_is_valid, &all, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		*ret = NULL;
		return 0;
	}
	if (r < 0)
		return error_prefix(err, "'%s'", s->path);
	for (char **name = all; name && *name; name++) {
		_cleanup_free_ char *link = xasprintf("names/%s/current", *name);

		if (faccessat(s->dir, link, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			strv_add(&names, *name);
	}
	*ret = names;
	return 0;
}

/* --- an image in use -----------------------------------------------------------------------------
 */

static int suggest(const char *home, const char *name, struct error **err)
{
	_cleanup_strv_ char **names = NULL;
	const char *near;

	for (enum store_kind k = 0; k < STORE_KIND_MAX; k++) {
		_cleanup_(store_release) struct store s = STORE_NONE;
		_cleanup_strv_ char **more = NULL;

		if (store_open(k, home, false, &s, err) < 0 || image_names(&s, &more, err) < 0)
			*err = error_free(*err); /* then there is nothing to suggest */
		strv_add_all(&names, more);
	}
	near = text_suggest(name, names);
	if (near)
		return error_set(err, ENOENT, "no image '%s': did you mean '%s'?", name, near);
	return error_set(err, ENOENT, "no image '%s': make it with 'vitrine image build %s'", name,
			 name);
}

/* The current generation, with a shared lock, and surely the one that is there now: it may have
 * been replaced and removed between the look at the link and the lock. */
static int lock_current(const struct store *s, const char *name, uint32_t *ret, int *ret_fd,
			struct error **err)
{
	for (unsigned i = 0; i < TRIES; i++) {
		int r = generation_current(s, name, ret, err);

		if (r == 0)
			r = generation_lock(s, name, *ret, LOCK_SH, ret_fd, err);
		if (r != -EAGAIN)
			return r;
		*err = error_free(*err);
		(void)poll(NULL, 0, 1);
	}
	return error_set(err, EBUSY, "image '%s' is just being removed", name);
}

static int open_in(enum store_kind kind, const char *home, const char *name, struct image *ret,
		   struct error **err)
{
	_cleanup_(image_release) struct image i = IMAGE_NONE;
	_cleanup_(store_release) struct store s = STORE_NONE;
	uint32_t generation;
	int r;

	i.kind = kind;
	r = store_open(kind, home, false, &s, err);
	if (r == 0)
		r = lock_current(&s, name, &generation, &i.lock, err);
	if (r < 0)
		return r;
	r = image_read(&s, name, generation, &i.manifest, err);
	for (size_t n = r == 0 ? i.manifest->n_layers : 0; r == 0 && n-- > 0;) {
		char *root;

		r = layer_find(home, i.manifest->layers[n].digest, &root, err);
		if (r == 0)
			strv_take(&i.roots, root);
	}
	if (r < 0)
		return error_prefix(err, "image '%s'", name);
	*ret = i;
	i = IMAGE_NONE;
	return 0;
}

int image_open(const char *home, const char *name, struct image *ret, struct error **err)
{
	int r = image_check_name(name, err);

	if (r < 0)
		return r;
	for (enum store_kind k = 0; k < STORE_KIND_MAX; k++) {
		r = open_in(k, home, name, ret, err);
		if (r != -ENOENT)
			return r;
		*err = error_free(*err);
	}
	return suggest(home, name, err);
}

void image_release(struct image *i)
{
	manifest_free(i->manifest);
	strv_free(i->roots);
	close_fd(i->lock);
	*i = IMAGE_NONE;
}

bool image_is_there(const char *home, const char *name)
{
	for (enum store_kind k = 0; k < STORE_KIND_MAX && name_is_valid(name); k++) {
		_cleanup_(store_release) struct store s = STORE_NONE;
		_cleanup_(error_freep) struct error *error = NULL;
		uint32_t generation;

		if (store_open(k, home, false, &s, &error) == 0 &&
		    generation_current(&s, name, &generation, &error) == 0)
			return true;
	}
	return false;
}

int image_read(const struct store *s, const char *name, uint32_t generation, struct manifest **ret,
	       struct error **err)
{
	int r = generation ? 0 : generation_current(s, name, &generation, err);

	return r < 0 ? r : generation_read(s, name, generation, ret, err);
}

/* --- changes -------------------------------------------------------------------------------------
 */

int image_rollback(const struct store *s, const char *name, uint32_t generation, uint32_t *ret,
		   struct error **err)
{
	_cleanup_(manifest_freep) struct manifest *m = NULL;
	_cleanup_close_ int order = -EBADF;
	_cleanup_free_ uint32_t *all = NULL;
	uint32_t current;
	size_t n;
	int r;

	r = store_lock(s, &order, err);
	if (r == 0)
		r = image_generations(s, name, &all, &n, &current, err);
	if (r < 0)
		return r;
	for (size_t i = 0; !generation && i < n && all[i] < current; i++)
		if (i + 1 == n || all[i + 1] >= current)
			generation = all[i];
	if (!generation)
		return error_set(err, ENOENT, "image '%s' has no generation before %u", name,
				 current);
	r = generation_read(s, name, generation, &m, err);
	if (r == 0)
		r = generation_switch(s, name, generation, err);
	if (r < 0)
		return r;
	*ret = generation;
	return 0;
}

/* Is another image made on it? */
static int check_not_a_base(const struct store *s, const char *name, struct error **err)
{
	_cleanup_strv_ char **names = NULL;
	int r = image_names(s, &names, err);

	for (char **other = names; r == 0 && other && *other; other++) {
		_cleanup_(manifest_freep) struct manifest *m = NULL;

		if (image_read(s, *other, 0, &m, err) < 0)
			*err = error_free(*err); /* a damaged one is in nobody's way */
		else if (m->base && !strcmp(m->base, name))
			return error_set(err, EBUSY, "image '%s' is made on '%s': remove it first",
					 *other, name);
	}
	return r;
}

static int remove_generations(const struct store *s, const char *name, struct error **err)
{
	_cleanup_free_ uint32_t *all = NULL;
	_cleanup_free_ int *locks = NULL;
	uint32_t current;
	size_t n, held = 0;
	int r;

	r = image_generations(s, name, &all, &n, &current, err);
	if (r < 0)
		return r;
	locks = xcalloc(n + 1, sizeof *locks);
	for (; r == 0 && held < n; held += r == 0)
		r = generation_lock(s, name, all[held], LOCK_EX, &locks[held], err);
	if (r == -EAGAIN) {
		*err = error_free(*err);
		r = error_set(err, EBUSY, "image '%s' is in use: end its sandboxes first", name);
	}
	if (r == 0)
		r = generation_remove_all(s, name, all, n, err);
	while (held > 0)
		close_fd(locks[--held]);
	return r;
}

int image_remove(const struct store *s, const char *name, struct error **err)
{
	_cleanup_close_ int order = -EBADF;
	struct gc_result removed;
	int r;

	r = store_lock(s, &order, err);
	if (r == 0)
		r = check_not_a_base(s, name, err);
	if (r == 0)
		r = remove_generations(s, name, err);
	if (r < 0)
		return r;
	return store_sweep(s, &removed, err);
}
