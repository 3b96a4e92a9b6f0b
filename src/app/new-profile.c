#include "app/new-profile.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "app/desktop-entry.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/recipe.h"
#include "image/store.h"
#include "profile/load.h"
#include "profile/specifier.h"

#define LIST_MAX     (16U << 20) /* bytes of the list of a package's files */
#define APPLICATIONS "/usr/share/applications/"

/* --- what the package says ------------------------------------------------------ */

/* The files of a package, as dpkg lists them; NULL where it is not installed. */
static char *read_list(const char *root, const char *package)
{
	_cleanup_free_ char *pattern = xasprintf("%s/var/lib/dpkg/info/%s{,:*}.list", root,
						 package);
	_cleanup_(error_freep) struct error *ignored = NULL;
	char *text = NULL;
	glob_t found;

	if (glob(pattern, GLOB_BRACE, NULL, &found) != 0)
		return NULL;
	if (fs_read(AT_FDCWD, found.gl_pathv[0], LIST_MAX, &text, NULL, &ignored) < 0)
		text = NULL;
	globfree(&found);
	return text;
}

static bool is_desktop_file(const char *path)
{
	size_t n = strlen(path), suffix = strlen(".desktop");

	return !strncmp(path, APPLICATIONS, strlen(APPLICATIONS)) && n > suffix &&
	       !strcmp(path + n - suffix, ".desktop");
}

static bool read_entry(const char *root, const char *path, struct desktop_entry *ret)
{
	_cleanup_free_ char *whole = xasprintf("%s%s", root, path), *text = NULL;
	_cleanup_(error_freep) struct error *ignored = NULL;

	return fs_read(AT_FDCWD, whole, DESKTOP_ENTRY_MAX, &text, NULL, &ignored) == 0 &&
	       desktop_entry_read(text, ret);
}

/* The program of that name, or the first one. */
static void find_program(const char *list, const char *package, struct desktop_entry *ret)
{
	static const char *const dirs[] = { "/usr/bin/", "/usr/games/" };
	_cleanup_free_ char *copy = xstrdup(list), *first = NULL;
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n")))
		for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
			const char *name = line + strlen(dirs[i]);

			if (strncmp(line, dirs[i], strlen(dirs[i])) != 0 || !*name || *name == '-')
				continue;
			if (!first || !strcmp(name, package)) {
				free(first);
				first = xstrdup(name);
			}
			if (!strcmp(name, package))
				goto found;
		}
found:
	strv_add(&ret->command, first ? first : package);
}

static bool starts(const struct desktop_entry *e, const char *program)
{
	const char *slash = strrchr(e->command[0], '/');

	return !strcmp(slash ? slash + 1 : e->command[0], program);
}

/* Of several desktop files that which starts the program with the package's name, or the first one.
 */
static void suggest(const struct new_profile *n, const char *root, struct desktop_entry *ret)
{
	_cleanup_free_ char *list = read_list(root, n->package), *copy = xstrdup(list ? list : "");
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		_cleanup_(desktop_entry_release) struct desktop_entry e = { 0 };

		if (!is_desktop_file(line) || !read_entry(root, line, &e))
			continue;
		if (ret->command && !starts(&e, n->package))
			continue;
		desktop_entry_release(ret);
		*ret = e;
		e = (struct desktop_entry){ 0 };
		if (starts(ret, n->package))
			return;
	}
	if (!ret->command)
		find_program(list ? list : "", n->package, ret);
}

/* --- texts -------------------------------------------------------------------------- */

#define TITLE_MAX 63

static void add_app(struct buf *out, const struct new_profile *n, const struct desktop_entry *e)
{
	buf_addf(out,
		 "# Gives: a window on the desktop%s. No network, no sound, no clipboard; all that "
		 "it writes\n# is gone when it is closed. vitrine.profile(5) has all keys.\n"
		 "[App]\nCommand=%s\n",
		 e->takes_files
			 ? ", and the files that it is started with,\n# which it cannot change"
			 : "",
		 e->command[0]);
	for (char **word = e->command + 1; *word; word++) {
		_cleanup_free_ char *text = specifiers_escape(*word);

		buf_addf(out, "Argument=%s\n", text);
	}
	if (e->name && strlen(e->name) <= TITLE_MAX)
		buf_addf(out, "Title=%s\n", e->name);
	buf_addf(out, "Image=%s\n", n->name);
}

int new_profile_render(const struct new_profile *n, const char *root, char **ret,
		       struct error **err)
{
	_cleanup_(desktop_entry_release) struct desktop_entry e = { 0 };
	_cleanup_(profile_freep) struct profile *p = NULL;
	_cleanup_buf_ struct buf out = { 0 };
	int r;

	suggest(n, root, &e);
	add_app(&out, n, &e);
	buf_addf(&out,
		 "\n[Files]\n# Words of the command line that name files give them: read-only or "
		 "read-write.\n%sArguments=read-only\n",
		 e.takes_files ? "" : "#");
	buf_adds(&out, "\n[Sound]\n#Playback=yes\n"
		       "\n[Network]\n#Mode=private\n"
		       "\n[Limits]\n# Of all files that it writes.\n#Disk=2G\n");
	r = profile_read(out.data, out.size, "the new profile", n->name, &p, err);
	if (r < 0)
		return r;
	*ret = buf_take(&out);
	return 0;
}

char *new_recipe_render(const struct new_profile *n)
{
	return xasprintf("# The package %s and what it needs, over the image %s: it costs its own "
			 "files only.\n[Image]\nDescription=%s\nBase=%s\nPackages=%s\n",
			 n->package, n->base, n->package, n->base, n->package);
}

/* --- files -------------------------------------------------------------------------- */

/* A whole file under a name that nothing has. */
static int write_new(const char *dir, const char *file, const char *text, struct error **err)
{
	_cleanup_free_ char *temporary = xasprintf(".%s.%d", file, getpid());
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = fs_make_path(dir, 0755, &fd, err);
	if (r < 0)
		return r;
	r = fs_write(fd, temporary, text, strlen(text), 0644, err);
	if (r < 0)
		return error_prefix(err, "'%s'", dir);
	if (renameat2(fd, temporary, fd, file, RENAME_NOREPLACE) < 0) {
		r = error_errno(err, "cannot make '%s/%s'", dir, file);
		(void)unlinkat(fd, temporary, 0);
		return r;
	}
	return 0;
}

/* 0: there is none. What cannot be read is there, too. */
static int check_free(const struct new_profile *n, const char *home, struct error **err)
{
	_cleanup_(profile_freep) struct profile *p = NULL;
	_cleanup_(recipe_freep) struct recipe *recipe = NULL;
	_cleanup_(error_freep) struct error *missing = NULL;

	if (profile_load(n->name, home, &p, &missing) != -ENOENT)
		return error_set(err, EEXIST, "there is a profile '%s' already", n->name);
	missing = error_free(missing);
	if (recipe_load(home, n->name, &recipe, &missing) != -ENOENT)
		return error_set(err, EEXIST, "there is a recipe for an image '%s' already",
				 n->name);
	return 0;
}

static int check_base(const struct new_profile *n, const char *home, struct error **err)
{
	_cleanup_(recipe_freep) struct recipe *recipe = NULL;

	return image_is_there(home, n->base) ? 0 : recipe_load(home, n->base, &recipe, err);
}

int new_profile_write(const struct new_profile *n, const char *home, char **ret_profile,
		      char **ret_recipe, struct error **err)
{
	_cleanup_free_ char *profiles = xasprintf("%s/.config/vitrine/profiles", home),
			    *recipes = xasprintf("%s/.config/vitrine/images", home),
			    *profile_file = xasprintf("%s" PROFILE_SUFFIX, n->name),
			    *recipe_file = xasprintf("%s.image", n->name), *profile = NULL,
			    *recipe = new_recipe_render(n), *recipe_path = NULL;
	int r;

	r = check_free(n, home, err);
	if (r < 0)
		return r;
	r = check_base(n, home, err);
	if (r < 0)
		return r;
	r = new_profile_render(n, "", &profile, err);
	if (r < 0)
		return r;
	r = write_new(recipes, recipe_file, recipe, err);
	if (r < 0)
		return r;
	recipe_path = xasprintf("%s/%s", recipes, recipe_file);
	r = write_new(profiles, profile_file, profile, err);
	if (r < 0) {
		(void)unlink(recipe_path);
		return r;
	}
	*ret_profile = xasprintf("%s/%s", profiles, profile_file);
	*ret_recipe = TAKE_PTR(recipe_path);
	return 0;
}
