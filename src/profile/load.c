#include "profile/load.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/fs.h"
#include "base/strv.h"
#include "base/text.h"
#include "profile/drop-ins.h"
#include "profile/file.h"

#define SUFFIX_LENGTH (sizeof PROFILE_SUFFIX - 1)
#define QUOTE_MAX     64 /* bytes of a name that a message shows */

char **profile_dirs(const char *home)
{
	char **dirs = NULL;

	strv_add(&dirs, VITRINE_DATA_DIR "/profiles");
	strv_add(&dirs, VITRINE_CONF_DIR "/profiles");
	strv_addf(&dirs, "%s/.config/vitrine/profiles", home);
	return dirs;
}

/* The profile's name in a file name, or NULL for what is not the file of a profile. */
static char *name_of_file(const char *file)
{
	size_t n = strlen(file);
	_cleanup_free_ char *name = NULL;

	if (n <= SUFFIX_LENGTH || strcmp(file + n - SUFFIX_LENGTH, PROFILE_SUFFIX))
		return NULL;
	name = xstrndup(file, n - SUFFIX_LENGTH);
	return name_is_valid(name) ? TAKE_PTR(name) : NULL;
}

/* The file of a name in one directory. Returns 1 with its path and text, 0 where there is none. */
static int read_from(const char *dir, const char *name, char **ret_path, char **ret_text,
		     size_t *ret_size, struct error **err)
{
	_cleanup_free_ char *file = xasprintf("%s%s", name, PROFILE_SUFFIX);
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, file);
	_cleanup_close_ int dirfd = -EBADF, fd = -EBADF;
	int r;

	r = profile_open_dir(dir, &dirfd, err);
	if (r <= 0)
		return r;
	if (profile_is_mask(dirfd, file))
		return error_set(err, ENOENT, "profile '%s' is masked by '%s'", name, path);
	r = fs_open_file(dirfd, file, &fd, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		return 0;
	}
	if (r < 0)
		return error_prefix(err, "'%s'", dir);
	r = profile_read_file(fd, path, ret_text, ret_size, err);
	if (r < 0)
		return r;
	*ret_path = TAKE_PTR(path);
	return 1;
}

/* The same in all directories; the last one that has it wins. */
static int read_by_name(char *const *dirs, const char *name, char **ret_path, char **ret_text,
			size_t *ret_size, struct error **err)
{
	for (size_t i = strv_length(dirs); i-- > 0;) {
		int r = read_from(dirs[i], name, ret_path, ret_text, ret_size, err);

		if (r)
			return r;
	}
	return 0;
}

struct loader {
	char *const *dirs;
	struct profile *profile;
	const char *chain[PROFILE_INHERIT_MAX]; /* names of those that are being loaded */
	size_t depth;
	bool without_drop_ins; /* of the first */
	const char *left_out;  /* X.conf of the first; NULL: nothing */
};

static int add_by_name(struct loader *l, const char *name, struct error **err);

static int add_drop_in(void *user, int fd, const char *path, struct error **err)
{
	struct loader *l = user;
	_cleanup_free_ char *text = NULL, *parent = NULL;
	size_t size;
	int r;

	if (l->left_out && !l->depth && !strcmp(strrchr(path, '/') + 1, l->left_out))
		return 0;
	r = profile_read_file(fd, path, &text, &size, err);
	if (r < 0)
		return r;
	r = profile_inherits(text, size, path, &parent, err);
	if (r < 0)
		return r;
	if (parent)
		return error_set(err, EINVAL, "%s: Inherit= belongs into a profile, not a drop-in",
				 path);
	return profile_add(l->profile, text, size, path, err);
}

static int add_parent(struct loader *l, const char *name, struct error **err)
{
	int r;

	for (size_t i = 0; i < l->depth; i++)
		if (!strcmp(l->chain[i], name))
			return error_set(err, ELOOP, "Inherit=%s leads back to where it began",
					 name);
	if (l->depth == PROFILE_INHERIT_MAX)
		return error_set(err, ELOOP, "more than %u profiles inherit from each other",
				 PROFILE_INHERIT_MAX);
	r = add_by_name(l, name, err);
	if (r == 0)
		return error_set(err, ENOENT, "Inherit=%s: there is no such profile", name);
	if (r < 0)
		return r;
	profile_disown(l->profile);
	return 0;
}

/* What it inherits, then the text itself, then the drop-ins. */
static int add_text(struct loader *l, const char *name, const char *path, const char *text,
		    size_t size, struct error **err)
{
	_cleanup_free_ char *parent = NULL;
	int r;

	r = profile_inherits(text, size, path, &parent, err);
	if (r < 0)
		return r;
	if (parent)
		strv_add(&l->profile->parents, parent);
	l->chain[l->depth++] = name;
	r = parent ? add_parent(l, parent, err) : 0;
	l->depth--;
	if (r < 0)
		return error_prefix(err, "%s", path);
	r = profile_add(l->profile, text, size, path, err);
	if (r < 0 || (l->without_drop_ins && !l->depth))
		return r;
	return drop_ins_read(l->dirs, name, add_drop_in, l, err);
}

/* Returns 1, or 0 where no directory has it. */
static int add_by_name(struct loader *l, const char *name, struct error **err)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	size_t size;
	int r;

	r = read_by_name(l->dirs, name, &path, &text, &size, err);
	if (r <= 0)
		return r;
	r = add_text(l, name, path, text, size, err);
	return r < 0 ? r : 1;
}

/* Returns 1 with the profile, 0 where no directory has it. */
static int load_by_name(char *const *dirs, const char *name, struct profile **ret,
			struct error **err)
{
	_cleanup_(profile_freep) struct profile *p = profile_new(name);
	struct loader l = { .dirs = dirs, .profile = p };
	int r;

	r = add_by_name(&l, name, err);
	if (r <= 0)
		return r;
	r = profile_check(p, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(p);
	return 1;
}

/* Every profile that can be read. One that cannot must not stand in the way of another's alias:
 * its error shows when it is asked for itself. */
static int load_all(char *const *dirs, struct profile ***ret, size_t *ret_n, struct error **err)
{
	_cleanup_strv_ char **names = NULL;
	struct profile **all;
	size_t n = 0;
	int r;

	r = profile_list_in(dirs, &names, err);
	if (r < 0)
		return r;
	all = xcalloc(strv_length(names), sizeof(struct profile *));
	for (char **name = names; name && *name; name++) {
		_cleanup_(error_freep) struct error *ignored = NULL;

		if (load_by_name(dirs, *name, &all[n], &ignored) == 1)
			n++;
	}
	*ret = all;
	*ret_n = n;
	return 0;
}

static int refuse_unknown(const char *name, struct profile *const *all, size_t n,
			  struct error **err)
{
	_cleanup_strv_ char **candidates = NULL;
	const char *near;

	for (size_t i = 0; i < n; i++) {
		strv_add(&candidates, all[i]->name);
		strv_add_all(&candidates, all[i]->aliases);
	}
	near = text_suggest(name, candidates);
	for (size_t i = 0; near && i < n; i++)
		if (!strcmp(all[i]->name, near) || strv_contains(all[i]->aliases, near))
			return error_set(err, ENOENT, "unknown profile '%s'; did you mean '%s'?",
					 name, all[i]->name);
	return error_set(err, ENOENT, "unknown profile '%s'; `vitrine profile list` shows all",
			 name);
}

static int pick_alias(const char *name, struct profile **all, size_t n, struct profile **ret,
		      struct error **err)
{
	size_t found = n;

	for (size_t i = 0; i < n; i++) {
		if (!strv_contains(all[i]->aliases, name))
			continue;
		if (found < n)
			return error_set(err, EEXIST, "'%s' is an alias of both '%s' and '%s'",
					 name, all[found]->name, all[i]->name);
		found = i;
	}
	if (found == n)
		return refuse_unknown(name, all, n, err);
	*ret = TAKE_PTR(all[found]);
	return 0;
}

int profile_load_in(char *const *dirs, const char *name, struct profile **ret, struct error **err)
{
	struct profile **all;
	size_t n;
	int r;

	/* Before any path is made of it. */
	if (!name_is_valid(name)) {
		_cleanup_free_ char *shown = text_escape(name, QUOTE_MAX);

		return error_set(err, EINVAL, "'%s' is not a profile name (a-z, 0-9 and -)", shown);
	}
	r = load_by_name(dirs, name, ret, err);
	if (r)
		return r < 0 ? r : 0;
	r = load_all(dirs, &all, &n, err);
	if (r < 0)
		return r;
	r = pick_alias(name, all, n, ret, err);
	for (size_t i = 0; i < n; i++)
		profile_free(all[i]);
	free(all);
	return r;
}

int profile_load_shipped(char *const *dirs, const char *name, struct profile **ret,
			 struct error **err)
{
	_cleanup_strv_ char **shipped = NULL;

	for (size_t i = 0; i + 1 < strv_length(dirs); i++)
		strv_add(&shipped, dirs[i]);
	return load_by_name(shipped, name, ret, err);
}

int profile_load(const char *name, const char *home, struct profile **ret, struct error **err)
{
	_cleanup_strv_ char **dirs = profile_dirs(home);

	return profile_load_in(dirs, name, ret, err);
}

int profile_load_without(const char *name, const char *home, const char *drop_in,
			 struct profile **ret, struct error **err)
{
	_cleanup_strv_ char **dirs = profile_dirs(home);
	_cleanup_(profile_freep) struct profile *known = NULL;
	_cleanup_(profile_freep) struct profile *p = NULL;
	struct loader l = { .dirs = dirs, .left_out = drop_in };
	int r;

	/* By its alias, too. */
	r = profile_load_in(dirs, name, &known, err);
	if (r < 0)
		return r;
	p = l.profile = profile_new(known->name);
	r = add_by_name(&l, known->name, err);
	if (r >= 0)
		r = profile_check(p, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(p);
	return 0;
}

static int load_open_file(int fd, const char *path, const char *name, const char *home,
			  struct profile **ret, struct error **err)
{
	_cleanup_(profile_freep) struct profile *p = profile_new(name);
	_cleanup_strv_ char **dirs = profile_dirs(home);
	struct loader l = { .dirs = dirs, .profile = p };
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r;

	r = profile_read_file(fd, path, &text, &size, err);
	if (r < 0)
		return r;
	/* The drop-ins of that name are for the profile that is found by it. */
	l.without_drop_ins = true;
	p->by_path = true;
	r = add_text(&l, name, path, text, size, err);
	if (r < 0)
		return r;
	r = profile_check(p, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(p);
	return 0;
}

int profile_load_file(const char *path, const char *home, struct profile **ret, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(path, PATH_MAX), *name = NULL;
	_cleanup_close_ int fd = -EBADF;
	const char *slash = strrchr(path, '/');
	int r;

	name = name_of_file(slash ? slash + 1 : path);
	if (!name)
		return error_set(err, EINVAL, "'%s' is not named NAME%s (a-z, 0-9 and -)", shown,
				 PROFILE_SUFFIX);
	r = fs_open_file(AT_FDCWD, path, &fd, err);
	if (r < 0)
		return r;
	return load_open_file(fd, shown, name, home, ret, err);
}

/* Adds what one directory decides: names that it has, names that it masks. */
static int list_dir(const char *path, char ***names, char ***masked, struct error **err)
{
	_cleanup_(closedirp) DIR *d = NULL;
	struct dirent *e;
	int r;

	r = profile_list_open(path, &d, err);
	if (r <= 0)
		return r;
	while ((e = readdir(d))) {
		_cleanup_free_ char *name = name_of_file(e->d_name);

		if (!name || strv_contains(*names, name) || strv_contains(*masked, name))
			continue;
		strv_take(profile_is_mask(dirfd(d), e->d_name) ? masked : names, TAKE_PTR(name));
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int profile_list_in(char *const *dirs, char ***ret, struct error **err)
{
	_cleanup_strv_ char **names = NULL, **masked = NULL;

	/* The strongest first: what it has or masks is decided. */
	for (size_t i = strv_length(dirs); i-- > 0;) {
		int r = list_dir(dirs[i], &names, &masked, err);

		if (r < 0)
			return r;
	}
	if (names)
		qsort(names, strv_length(names), sizeof *names, compare);
	*ret = TAKE_PTR(names);
	return 0;
}

int profile_list(const char *home, char ***ret, struct error **err)
{
	_cleanup_strv_ char **dirs = profile_dirs(home);

	return profile_list_in(dirs, ret, err);
}
