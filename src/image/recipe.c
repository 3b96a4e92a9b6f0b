#include "image/recipe.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "base/fs.h"
#include "base/ini.h"
#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/names.h"

#define SUFFIX ".image"

struct recipe *recipe_free(struct recipe *r)
{
	if (!r)
		return NULL;
	free(r->description);
	free(r->base);
	free(r->suite);
	strv_free(r->packages);
	strv_free(r->locales);
	strv_free(r->commands);
	free(r->files);
	free(r);
	return NULL;
}

/* Debian Policy 5.6.1; the first character also keeps apt from seeing an option or a pattern, and a
 * last '-' would mean removal. */
bool recipe_is_package(const char *s)
{
	size_t n = strlen(s);

	return n > 1 && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789+-.") == n &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789") > 0 && s[n - 1] != '-';
}

static int set_description(struct recipe *r, const char *value, struct error **err)
{
	if (r->description)
		return error_set(err, EINVAL, "Description= is there twice");
	r->description = xstrdup(value);
	return 0;
}

static int set_suite(struct recipe *r, const char *value, struct error **err)
{
	if (r->suite)
		return error_set(err, EINVAL, "Suite= is there twice");
	if (!strcmp(value, "host"))
		return 0;
	if (!recipe_is_package(value)) /* the same letters */
		return error_set(err, EINVAL, "Suite= must be 'host' or the name of a release");
	r->suite = xstrdup(value);
	return 0;
}

static int set_base(struct recipe *r, const char *value, struct error **err)
{
	if (r->base)
		return error_set(err, EINVAL, "Base= is there twice");
	if (!name_is_valid(value))
		return error_set(err, EINVAL, "Base= must be the name of an image, not '%s'",
				 value);
	r->base = xstrdup(value);
	return 0;
}

static int add_package(struct recipe *r, const char *name, struct error **err)
{
	if (!recipe_is_package(name))
		return error_set(err, EINVAL, "'%s' is not the name of a package", name);
	if (strv_length(r->packages) >= RECIPE_PACKAGES_MAX)
		return error_set(err, E2BIG, "more than %u packages", RECIPE_PACKAGES_MAX);
	strv_add(&r->packages, name);
	return 0;
}

static int add_packages(struct recipe *r, const char *value, struct error **err)
{
	_cleanup_free_ char *copy = xstrdup(value);
	char *state, *name;
	int e = 0;

	for (name = strtok_r(copy, " ", &state); name && e == 0; name = strtok_r(NULL, " ", &state))
		e = add_package(r, name, err);
	return e;
}

/* "dejavu-core" is the package fonts-dejavu-core. */
static int add_fonts(struct recipe *r, const char *value, struct error **err)
{
	_cleanup_free_ char *copy = xstrdup(value);
	char *state, *name;
	int e = 0;

	for (name = strtok_r(copy, " ", &state); name && e == 0;
	     name = strtok_r(NULL, " ", &state)) {
		bool whole = !strncmp(name, "fonts-", 6) || !strncmp(name, "xfonts-", 7);
		_cleanup_free_ char *package = xasprintf("%s%s", whole ? "" : "fonts-", name);

		e = add_package(r, package, err);
	}
	return e;
}

/* "de_DE", "de_DE.UTF-8", "sr_RS.UTF-8@latin": how localedef(1) names them, in UTF-8 only. */
static bool is_locale(const char *s)
{
	static const char lower[] = "abcdefghijklmnopqrstuvwxyz", utf8[] = ".UTF-8";
	size_t n = strspn(s, lower);

	if (n < 2 || n > 3 || s[n] != '_' || strspn(s + n + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2)
		return false;
	s += n + 3;
	if (!strncmp(s, utf8, strlen(utf8)))
		s += strlen(utf8);
	if (*s == '@' && strspn(s + 1, lower) > 0)
		s += 1 + strspn(s + 1, lower);
	return !*s;
}

static int add_locales(struct recipe *r, const char *value, struct error **err)
{
	_cleanup_free_ char *copy = xstrdup(value);
	char *state, *name;

	for (name = strtok_r(copy, " ", &state); name; name = strtok_r(NULL, " ", &state)) {
		if (!is_locale(name))
			return error_set(err, EINVAL, "'%s' is no locale such as de_DE.UTF-8",
					 name);
		if (strv_length(r->locales) >= RECIPE_LOCALES_MAX)
			return error_set(err, E2BIG, "more than %u locales", RECIPE_LOCALES_MAX);
		strv_add(&r->locales, name);
	}
	return 0;
}

static int add_command(struct recipe *r, const char *value, struct error **err)
{
	if (!*value)
		return error_set(err, EINVAL, "Command= is empty");
	if (strv_length(r->commands) >= RECIPE_COMMANDS_MAX)
		return error_set(err, E2BIG, "more than %u commands", RECIPE_COMMANDS_MAX);
	strv_add(&r->commands, value);
	return 0;
}

/* Made a path when the recipe's own is known. */
static int set_files(struct recipe *r, const char *value, struct error **err)
{
	if (r->files)
		return error_set(err, EINVAL, "Files= is there twice");
	if (!*value || strchr(value, '/') || *value == '.')
		return error_set(err, EINVAL,
				 "Files= must be the name of a directory beside the recipe");
	r->files = xstrdup(value);
	return 0;
}

static int set_size(struct recipe *r, const char *value, struct error **err)
{
	if (parse_size(value, &r->size) < 0)
		return error_set(err, EINVAL, "Size= must be a size such as 900M, not '%s'", value);
	return 0;
}

static int set_minutes(struct recipe *r, const char *value, struct error **err)
{
	if (parse_u32(value, &r->minutes) < 0)
		return error_set(err, EINVAL, "Minutes= must be a number, not '%s'", value);
	return 0;
}

static const struct {
	const char *key;
	int (*set)(struct recipe *r, const char *value, struct error **err);
} keys[] = {
	{ "Base", set_base },
	{ "Command", add_command },
	{ "Description", set_description },
	{ "Files", set_files },
	{ "Fonts", add_fonts },
	{ "Locale", add_locales },
	{ "Minutes", set_minutes },
	{ "Packages", add_packages },
	{ "Size", set_size },
	{ "Suite", set_suite },
};

static int set_key(void *user, const struct ini_entry *e, struct error **err)
{
	if (strcmp(e->section, "Image") != 0)
		return error_set(err, EINVAL, "unknown section [%s]", e->section);
	if (!e->key) /* the section itself */
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(e->key, keys[i].key))
			return keys[i].set(user, e->value, err);
	return error_set(err, EINVAL, "unknown key %s= in [Image]", e->key);
}

static int complete(struct recipe *r, const char *file, struct error **err)
{
	const char *slash = strrchr(file, '/');

	if (r->base && r->suite)
		return error_set(err, EINVAL, "%s: Suite= is that of Base=", file);
	if (!r->base && !r->packages)
		return error_set(err, EINVAL, "%s: Packages= is missing", file);
	if (!r->packages && !r->commands && !r->files && !r->locales)
		return error_set(err, EINVAL, "%s: there is nothing to add to Base=", file);
	if (r->locales)
		strv_add(&r->packages, "locales");
	if (r->files) {
		char *path = xasprintf("%.*s%s", slash ? (int)(slash + 1 - file) : 0, file,
				       r->files);

		free(r->files);
		r->files = path;
	}
	return 0;
}

int recipe_read(const char *text, size_t size, const char *file, struct recipe **ret,
		struct error **err)
{
	_cleanup_(recipe_freep) struct recipe *recipe = xcalloc(1, sizeof *recipe);
	int r;

	r = ini_read(text, size, file, set_key, recipe, err);
	if (r < 0)
		return r;
	r = complete(recipe, file, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(recipe);
	return 0;
}

/* The last one wins. */
static char **recipe_dirs(const char *home)
{
	char **dirs = NULL;

	strv_add(&dirs, VITRINE_DATA_DIR "/images");
	strv_add(&dirs, VITRINE_CONF_DIR "/images");
	strv_addf(&dirs, "%s/.config/vitrine/images", home);
	return dirs;
}

static bool is_recipe(const char *name)
{
	return name_has_suffix(name, SUFFIX);
}

/* For a suggestion: a directory that is not there has none. */
static void add_names(const char *dir, char ***ret)
{
	_cleanup_strv_ char **files = NULL;
	struct error *error = NULL;

	if (names_in(AT_FDCWD, dir, is_recipe, &files, &error) < 0)
		error_free(error);
	for (char **file = files; file && *file; file++)
		strv_take(ret, xstrndup(*file, strlen(*file) - strlen(SUFFIX)));
}

static int no_recipe(char *const *dirs, const char *name, struct error **err)
{
	_cleanup_strv_ char **names = NULL;
	const char *near;

	for (; *dirs; dirs++)
		add_names(*dirs, &names);
	near = text_suggest(name, names);
	if (near)
		return error_set(err, ENOENT, "no recipe for an image '%s': did you mean '%s'?",
				 name, near);
	return error_set(err, ENOENT, "no recipe for an image '%s': write one in %s/%s" SUFFIX,
			 name, VITRINE_CONF_DIR "/images", name);
}

int recipe_load(const char *home, const char *name, struct recipe **ret, struct error **err)
{
	_cleanup_strv_ char **dirs = recipe_dirs(home);
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r;

	for (size_t i = strv_length(dirs); i-- > 0 && fd < 0;) {
		free(path);
		path = xasprintf("%s/%s" SUFFIX, dirs[i], name);
		r = fs_open_file(AT_FDCWD, path, &fd, err);
		if (r == -ENOENT)
			*err = error_free(*err);
		else if (r < 0)
			return r;
	}
	if (fd < 0)
		return no_recipe(dirs, name, err);
	r = fs_read_fd(fd, RECIPE_FILE_MAX, &text, &size, err);
	if (r < 0)
		return error_prefix(err, "'%s'", path);
	return recipe_read(text, size, path, ret, err);
}
