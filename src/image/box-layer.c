#include "image/box-layer.h"

#include <string.h>

#include "base/strv.h"

#define DPKG	   "/usr/bin/dpkg"
#define GROUP_MAX  500U /* packages that one call of dpkg gets */
#define LOCALE_DIR "/usr/share/locale"

static const char *const dpkg_options[] = {
	"--force-unsafe-io", /* what is interrupted is thrown away */
	"--force-confdef",
	"--force-confold",
	"--log=/dev/null",
	"--path-exclude=/usr/share/doc/*",
	"--path-exclude=/usr/share/gnome/help/*",
	"--path-exclude=/usr/share/help/*",
	"--path-exclude=/usr/share/info/*",
	"--path-exclude=/usr/share/lintian/*",
	"--path-exclude=" LOCALE_DIR "/*",
	"--path-exclude=/usr/share/man/*",
};

/* What dpkg is told for each kind of step. */
static const char *const verbs[APT_ACTION_MAX][3] = {
	[APT_UNPACK] = { "--auto-deconfigure", "--unpack" },
	[APT_CONFIGURE] = { "--configure" },
	[APT_REMOVE] = { "--force-depends", "--remove" },
	[APT_PURGE] = { "--force-depends", "--purge" },
};

/* Caches that hold the times of directories, which become whole seconds and are not after the
 * newest time: made anew, or each start of an application would find them old and make its own. */
static const char fonts[] =
	"command -v fc-cache >/dev/null || exit 0\n"
	"for d in /usr/share/fonts /usr/local/share/fonts /usr/share/texmf/fonts; do\n"
	"  [ ! -d \"$d\" ] || find \"$d\" -type d -newermt \"@$SOURCE_DATE_EPOCH\" "
	"-exec touch -d \"@$SOURCE_DATE_EPOCH\" {} +\n"
	"done\n"
	"exec fc-cache --system-only --force\n";

/* Of a locale's translations: "de" and "de_DE" of de_DE.UTF-8. */
static void keep_translations(char *const *locales, char ***argv)
{
	for (; locales && *locales; locales++) {
		strv_addf(argv, "--path-include=" LOCALE_DIR "/%.*s/*", (int)strcspn(*locales, "_"),
			  *locales);
		strv_addf(argv, "--path-include=" LOCALE_DIR "/%.*s/*",
			  (int)strcspn(*locales, ".@"), *locales);
	}
}

static char **begin_dpkg(const struct recipe *recipe, enum apt_action action)
{
	char **argv = NULL;

	strv_add(&argv, DPKG);
	for (size_t i = 0; i < ARRAY_SIZE(dpkg_options); i++)
		strv_add(&argv, dpkg_options[i]);
	keep_translations(recipe->locales, &argv);
	for (size_t i = 0; verbs[action][i]; i++)
		strv_add(&argv, verbs[action][i]);
	return argv;
}

static void add_package(char ***argv, const struct apt_step *s)
{
	_cleanup_free_ char *file = s->action == APT_UNPACK ? apt_file_name(s) : NULL;

	if (file)
		strv_addf(argv, BOX_DEBS "/%s", file);
	else
		strv_add(argv, s->name);
}

/* One call for consecutive steps of a kind. */
static void add_packages(const struct apt_plan *plan, const struct recipe *recipe,
			 struct box_job *job)
{
	for (size_t i = 0; i < plan->n_steps;) {
		enum apt_action action = plan->steps[i].action;
		char **argv = begin_dpkg(recipe, action);

		for (size_t n = 0;
		     n < GROUP_MAX && i < plan->n_steps && plan->steps[i].action == action;
		     n++, i++)
			add_package(&argv, &plan->steps[i]);
		box_job_add(job, argv);
	}
}

static void add_pending(const struct recipe *recipe, struct box_job *job)
{
	char **argv = begin_dpkg(recipe, APT_CONFIGURE);

	strv_add(&argv, "--pending");
	box_job_add(job, argv);
}

static void add_shell(struct box_job *job, const char *text)
{
	char **argv = NULL;

	strv_add(&argv, "/bin/sh");
	strv_add(&argv, "-c");
	strv_add(&argv, text);
	box_job_add(job, argv);
}

static void add_locale(struct box_job *job, const char *locale)
{
	size_t n = strcspn(locale, ".@");
	const char *variant = strchr(locale, '@');
	char **argv = NULL;

	strv_add(&argv, "/usr/bin/localedef");
	strv_add(&argv, "--no-archive");
	strv_addf(&argv, "--inputfile=%.*s%s", (int)n, locale, variant ? variant : "");
	strv_add(&argv, "--charmap=UTF-8");
	strv_addf(&argv, "%.*s.UTF-8%s", (int)n, locale, variant ? variant : "");
	box_job_add(job, argv);
}

void box_layer_plan(const struct apt_plan *plan, const struct recipe *recipe, struct box_job *job)
{
	add_packages(plan, recipe, job);
	if (plan->n_steps)
		add_pending(recipe, job);
	for (char **locale = recipe->locales; locale && *locale; locale++)
		add_locale(job, *locale);
	if (recipe->files)
		add_shell(job,
			  "tar --directory=" BOX_FILES " --create . | "
			  "tar --directory=/ --extract --no-same-owner --keep-directory-symlink "
			  "--no-overwrite-dir");
	for (char **command = recipe->commands; command && *command; command++)
		add_shell(job, *command);
	add_shell(job, fonts);
}
