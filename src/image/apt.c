#include "image/apt.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/copy.h"
#include "base/fs.h"
#include "base/spawn.h"
#include "base/strv.h"
#include "image/names.h"

#define STATE	    "%s/.cache/vitrine/apt/%s"
#define APT_GET	    "/usr/bin/apt-get"
#define DPKG	    "/usr/bin/dpkg"
#define RELEASE_MAX (16U << 20)
#define STATUS	    "status"
#define OUTPUT_MAX  4096U

/* Everything that apt would otherwise take from the host, or write to it. */
static const char configuration[] =
	"Dir \"/\";\n"
	"Dir::Etc::main \"/dev/null\";\n"
	"Dir::Etc::parts \"/dev/null\";\n"
	"Dir::Etc::sourcelist \"/dev/null\";\n"
	"Dir::Etc::preferences \"/dev/null\";\n"
	"Dir::Etc::preferencesparts \"/dev/null\";\n"
	"Dir::Etc::netrc \"/dev/null\";\n"
	"Dir::Etc::netrcparts \"/dev/null\";\n"
	"Dir::Log \"/dev/null\";\n"
	"APT::Install-Recommends \"false\";\n"
	"APT::Sandbox::User \"\";\n"
	"Acquire::Languages \"none\";\n"
	"Acquire::PDiffs \"false\";\n"
	"Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled \"false\";\n"
	"Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n"
	"Binary::apt-get::APT::Keep-Downloaded-Packages \"true\";\n";

static int find_architecture(char **ret, struct error **err)
{
	char *const argv[] = { (char *)DPKG, (char *)"--print-architecture", NULL };
	_cleanup_free_ char *output = NULL;
	int status, r;

	r = spawn_collect(&(struct spawn){ .argv = argv }, OUTPUT_MAX, &output, &status, err);
	if (r < 0)
		return r;
	output[strcspn(output, "\n")] = '\0';
	if (status != 0 || !*output)
		return error_set(err, EINVAL, "'dpkg --print-architecture' fails");
	*ret = TAKE_PTR(output);
	return 0;
}

/* --- the directory -------------------------------------------------------------------------------
 */

static int make_state(struct apt *a, struct error **err)
{
	static const char *const names[] = { "lists/partial", "archives/partial" };
	_cleanup_close_ int dir = -EBADF;
	int r = fs_make_path(a->dir, 0755, &dir, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", a->dir, names[i]);
		_cleanup_close_ int fd = -EBADF;

		r = fs_make_path(path, 0755, &fd, err);
	}
	if (r < 0)
		return r;
	a->lock = TAKE_FD(dir);
	while (flock(a->lock, LOCK_EX) < 0)
		if (errno != EINTR)
			return error_errno(err, "cannot lock '%s'", a->dir);
	return 0;
}

static int write_text(const struct scratch *scratch, const char *dir, const char *name,
		      const char *text, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	int r = fs_make_dir(scratch->dir, dir, 0755, &fd, err);

	return r < 0 || !text ? r : fs_write(fd, name, text, strlen(text), 0644, err);
}

static int write_configuration(struct apt *a, struct error **err)
{
	const struct apt_place *p = a->place;
	_cleanup_buf_ struct buf conf = { 0 };
	int r;

	buf_adds(&conf, configuration);
	buf_addf(&conf, "APT::Architecture \"%s\";\nAPT::Architectures \"%s\";\n", a->architecture,
		 a->architecture);
	buf_addf(&conf, "Dir::Etc::sourceparts \"%s/sources\";\n", p->scratch->path);
	buf_addf(&conf, "Dir::State \"%s\";\n", a->dir);
	buf_addf(&conf, "Dir::State::lists \"%s/lists\";\n", a->dir);
	buf_addf(&conf, "Dir::State::status \"%s/apt/" STATUS "\";\n", p->scratch->path);
	buf_addf(&conf, "Dir::State::extended_states \"%s/apt/extended_states\";\n",
		 p->scratch->path);
	buf_addf(&conf, "Dir::Cache \"%s\";\n", a->dir);
	buf_addf(&conf, "Dir::Cache::archives \"%s/archives\";\n", a->dir);
	for (char **option = p->sources->options; option && *option; option++)
		buf_addf(&conf, "%s\n", *option);
	r = write_text(p->scratch, "sources", "host.list", p->sources->list, err);
	if (r == 0)
		r = write_text(p->scratch, "sources", "host.sources", p->sources->deb822, err);
	if (r == 0)
		r = write_text(p->scratch, "apt", "apt.conf", conf.data, err);
	a->conf = xasprintf("%s/apt/apt.conf", p->scratch->path);
	return r;
}

int apt_open(const struct apt_place *place, struct apt *ret, struct error **err)
{
	_cleanup_(apt_release) struct apt a = {
		.place = place,
		.dir = xasprintf(STATE, place->home, place->suite),
		.lock = -EBADF,
	};
	int r = find_architecture(&a.architecture, err);

	if (r == 0)
		r = make_state(&a, err);
	if (r == 0)
		r = write_configuration(&a, err);
	if (r < 0)
		return r;
	*ret = a;
	a = APT_NONE;
	return 0;
}

void apt_release(struct apt *a)
{
	close_fd(a->lock);
	free(a->dir);
	free(a->conf);
	free(a->architecture);
	*a = APT_NONE;
}

/* --- running it ----------------------------------------------------------------------------------
 */

static int run_apt(struct apt *a, char *const *arguments, lines_fn *line, void *user,
		   struct error **err)
{
	_cleanup_strv_ char **argv = NULL;
	_cleanup_strv_ char **env = strv_copy(a->place->env);

	strv_add(&argv, APT_GET);
	strv_add(&argv, "--quiet");
	strv_add(&argv, "--assume-yes");
	strv_add_all(&argv, arguments);
	strv_addf(&env, "APT_CONFIG=%s", a->conf);
	return pipeline_run(&(struct pipeline){ .view = a->place->view,
						.argv = argv,
						.env = env,
						.root = -EBADF,
						.line = line,
						.user = user },
			    NULL, err);
}

static bool is_list(const char *name)
{
	return name_has_suffix(name, "_Packages");
}

static int check_lists(struct apt *a, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("%s/lists", a->dir);
	_cleanup_strv_ char **lists = NULL;
	int r = names_in(AT_FDCWD, path, is_list, &lists, err);

	if (r == 0 && !lists)
		return error_set(err, ENOENT,
				 "no package lists of '%s' are kept here: build once without "
				 "--offline",
				 a->place->suite);
	return r;
}

int apt_update(struct apt *a, struct error **err)
{
	char *const arguments[] = { (char *)"--error-on=any", (char *)"update", NULL };

	return a->place->offline ? check_lists(a, err) : run_apt(a, arguments, NULL, NULL, err);
}

static bool is_release(const char *name)
{
	return name_has_suffix(name, "Release");
}

int apt_newest(struct apt *a, uint32_t *ret, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("%s/lists", a->dir);
	_cleanup_close_ int dir = -EBADF;
	_cleanup_strv_ char **names = NULL;
	uint64_t newest = 0;
	int r = fs_open_dir(AT_FDCWD, path, &dir, err);

	if (r == 0)
		r = names_in(dir, ".", is_release, &names, err);
	for (char **name = names; r == 0 && name && *name; name++) {
		_cleanup_free_ char *text = NULL;
		uint64_t date;

		r = fs_read(dir, *name, RELEASE_MAX, &text, NULL, err);
		date = r < 0 ? 0 : apt_release_date(text);
		newest = date > newest ? date : newest;
	}
	if (r < 0)
		return r;
	if (newest == 0 || newest > UINT32_MAX)
		return error_set(err, EINVAL, "the package lists of '%s' have no date",
				 a->place->suite);
	*ret = (uint32_t)newest;
	return 0;
}

/* --- plans ---------------------------------------------------------------------------------------
 */

struct simulation {
	struct apt_plan plan;
	struct error *error; /* of the first line that was not understood */
};

static void on_line(void *user, const char *line)
{
	struct simulation *s = user;

	if (!s->error)
		(void)apt_plan_line(&s->plan, line, &s->error);
}

static char **install_words(const char *option, char *const *wanted)
{
	char **words = NULL;

	strv_add(&words, option);
	strv_add(&words, "install");
	strv_add(&words, "--");
	strv_add_all(&words, wanted);
	return words;
}

int apt_simulate(struct apt *a, const char *status, char *const *wanted, struct apt_plan *ret,
		 struct error **err)
{
	_cleanup_strv_ char **words = install_words("--simulate", wanted);
	struct simulation s = { { 0 }, NULL };
	int r = write_text(a->place->scratch, "apt", STATUS, status ? status : "", err);

	if (r == 0 && strv_length(wanted) > 0)
		r = run_apt(a, words, on_line, &s, err);
	if (r == 0 && s.error)
		r = error_move(err, TAKE_PTR(s.error));
	error_free(s.error);
	if (r < 0) {
		apt_plan_release(&s.plan);
		return r;
	}
	*ret = s.plan;
	return 0;
}

/* --- packages ------------------------------------------------------------------------------------
 */

/* A second name where the file system is the same, else a copy: nobody writes either. */
static int bring(int from, int to, const char *name, struct error **err)
{
	_cleanup_close_ int in = -EBADF, out = -EBADF;
	int r;

	if (linkat(from, name, to, name, 0) == 0)
		return 0;
	if (errno == ENOENT)
		return error_set(err, ENOENT, "'%s' is not there", name);
	r = fs_open_file(from, name, &in, err);
	if (r < 0)
		return r;
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (out < 0)
		return error_errno(err, "cannot make '%s' in the scratch directory", name);
	r = copy_all(in, out);
	if (r < 0)
		return error_set(err, -r, "cannot copy '%s'", name);
	return 0;
}

static int missing_package(struct apt *a, const char *name, struct error **err)
{
	*err = error_free(*err);
	if (a->place->offline)
		return error_set(err, ENOENT,
				 "the package %s is not kept here: build once without --offline",
				 name);
	return error_set(err, ENOENT, "apt has not fetched the package %s", name);
}

static int bring_packages(struct apt *a, const struct apt_plan *plan, const char *name,
			  struct error **err)
{
	_cleanup_free_ char *path = xasprintf("%s/archives", a->dir);
	_cleanup_close_ int from = -EBADF, to = -EBADF;
	int r = fs_open_dir(AT_FDCWD, path, &from, err);

	if (r == 0)
		r = fs_make_dir(a->place->scratch->dir, name, 0755, &to, err);
	for (size_t i = 0; r == 0 && i < plan->n_steps; i++) {
		_cleanup_free_ char *file = NULL;

		if (plan->steps[i].action != APT_UNPACK)
			continue;
		file = apt_file_name(&plan->steps[i]);
		r = bring(from, to, file, err);
		if (r == -ENOENT)
			return missing_package(a, file, err);
	}
	return r;
}

int apt_download(struct apt *a, char *const *wanted, const struct apt_plan *plan, const char *name,
		 struct error **err)
{
	_cleanup_strv_ char **words = install_words("--download-only", wanted);
	char *const clean[] = { (char *)"autoclean", NULL };
	bool needed = plan->n_steps > 0;
	int r = 0;

	if (needed && !a->place->offline)
		r = run_apt(a, words, NULL, NULL, err);
	if (r == 0 && needed && !a->place->offline)
		r = run_apt(a, clean, NULL, NULL, err); /* what no list names any more */
	return r < 0 ? r : bring_packages(a, plan, name, err);
}

static bool is_any(const char *name)
{
	return *name && strcmp(name, "lock") != 0;
}

int apt_copy_lists(struct apt *a, const char *name, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("%s/lists", a->dir);
	_cleanup_close_ int from = -EBADF, to = -EBADF;
	_cleanup_strv_ char **names = NULL;
	int r = fs_open_dir(AT_FDCWD, path, &from, err);

	if (r == 0)
		r = fs_make_dir(a->place->scratch->dir, name, 0755, &to, err);
	if (r == 0)
		r = names_in(from, ".", is_any, &names, err);
	for (char **one = names; r == 0 && one && *one; one++) {
		struct stat st;

		if (fstatat(from, *one, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			r = bring(from, to, *one, err);
	}
	return r;
}
