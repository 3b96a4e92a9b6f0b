#include "image/build.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/fs.h"
#include "base/strv.h"
#include "image/manifest.h"
#include "image/recipe.h"
#include "image/scratch.h"
#include "image/sources.h"
#include "image/stage.h"
#include "image/store.h"

#define APT_DIR	   "/etc/apt"
#define MMDEBSTRAP "/usr/bin/mmdebstrap"
#define MERGED_USR "/usr/share/mmdebstrap/hooks/maybe-merged-usr"
#define LOGS	   "%s/.local/state/vitrine"

static const struct {
	const char *path;
	const char *package;
} tools[] = {
	{ MMDEBSTRAP, "mmdebstrap" },
	{ "/usr/bin/newuidmap", "uidmap" },
	{ "/usr/bin/newgidmap", "uidmap" },
	{ VITRINE_EXEC_DIR "/vitrine-guard", "vitrine" },
	{ VITRINE_EXEC_DIR "/vitrine-unpack", "vitrine" },
};

static const char *const mmdebstrap_options[] = {
	"--mode=unshare",
	"--variant=essential", /* no apt inside: an image is never changed */
	"--format=tar",
	"--verbose",
	"--dpkgopt=path-exclude=/usr/share/doc/*",
	"--dpkgopt=path-exclude=/usr/share/gnome/help/*",
	"--dpkgopt=path-exclude=/usr/share/help/*",
	"--dpkgopt=path-exclude=/usr/share/info/*",
	"--dpkgopt=path-exclude=/usr/share/lintian/*",
	"--dpkgopt=path-exclude=/usr/share/locale/*",
	"--dpkgopt=path-exclude=/usr/share/man/*",
	/* The host's network and its name stay out of the image. */
	"--customize-hook=rm -rf \"$1\"/etc/apt/sources.list*",
	"--customize-hook=rm -f \"$1/etc/apt/apt.conf.d/99mmdebstrap\"",
	"--customize-hook=rm -f \"$1/etc/hostname\" \"$1/etc/resolv.conf\"",
};

/* How apt reaches the network, besides its own configuration. */
static const char *const kept_variables[] = {
	"http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy",
};

static int check_tools(struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(tools); i++)
		if (access(tools[i].path, X_OK) < 0)
			return error_set(err, ENOENT,
					 "%s is missing: 'apt install %s' as root brings it",
					 tools[i].path, tools[i].package);
	if (getuid() == 0)
		return error_set(err, EPERM, "images are built by ordinary users, not by root");
	return 0;
}

static int check_room(int dir, const char *what, uint64_t needed, struct error **err)
{
	struct statvfs fs;
	uint64_t free_bytes;

	if (fstatvfs(dir, &fs) < 0)
		return error_errno(err, "cannot see how full the file system of %s is", what);
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (free_bytes >= needed)
		return 0;
	return error_set(
		err, ENOSPC, "not enough disk space for %s: %llu MB are needed, %llu MB are free",
		what, (unsigned long long)(needed >> 20), (unsigned long long)(free_bytes >> 20));
}

/* While it works, mmdebstrap holds the tree and all packages; the image comes on top. */
static int check_disk(const struct recipe *recipe, const struct stage *stage,
		      const struct scratch *scratch, struct error **err)
{
	uint64_t work = recipe->size / 2 * 3, image = recipe->size;
	struct stat a, b;
	int r;

	if (fstat(stage->dir, &a) == 0 && fstat(scratch->dir, &b) == 0 && a.st_dev == b.st_dev)
		return check_room(stage->dir, "the image", work + image, err);
	r = check_room(scratch->dir, "the work in /var/tmp", work, err);
	if (r < 0)
		return r;
	return check_room(stage->dir, "the image", image, err);
}

char *image_build_log(const char *home, const char *name)
{
	return xasprintf(LOGS "/image-%s.log", home, name);
}

static int open_log(const struct build *b, int *ret_fd, struct error **err)
{
	_cleanup_free_ char *dir_path = xasprintf(LOGS, b->home);
	_cleanup_free_ char *path = image_build_log(b->home, b->name);
	_cleanup_close_ int dir = -EBADF;
	int r;

	r = fs_make_path(dir_path, 0700, &dir, err);
	if (r < 0)
		return r;
	*ret_fd = openat(dir, strrchr(path, '/') + 1,
			 O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*ret_fd < 0)
		return error_errno(err, "cannot write '%s'", path);
	return 0;
}

static int find_suite(const struct build *b, const struct recipe *recipe, char **ret_suite,
		      char **ret_host, struct error **err)
{
	const char *named = b->suite ? b->suite : recipe->suite;
	int r = sources_host_suite(ret_host, err);

	if (r < 0 && !named)
		return r;
	*err = error_free(*err); /* not needed then */
	*ret_suite = xstrdup(named ? named : *ret_host);
	return 0;
}

/* A file of package sources in the scratch directory; its path goes to argv. */
static int add_sources(const struct scratch *scratch, const char *name, const char *text,
		       char ***argv, struct error **err)
{
	int r;

	if (!text)
		return 0;
	r = fs_write(scratch->dir, name, text, strlen(text), 0600, err);
	if (r < 0)
		return r;
	strv_addf(argv, "%s/%s", scratch->path, name);
	return 0;
}

static int make_argv(const struct recipe *recipe, const char *suite, const struct sources *sources,
		     const struct scratch *scratch, char ***ret, struct error **err)
{
	_cleanup_free_ char *packages = strv_join(recipe->packages, ",");
	_cleanup_strv_ char **argv = NULL;
	int r;

	strv_add(&argv, MMDEBSTRAP);
	for (size_t i = 0; i < ARRAY_SIZE(mmdebstrap_options); i++)
		strv_add(&argv, mmdebstrap_options[i]);
	if (access(MERGED_USR, R_OK) == 0)
		strv_add(&argv, "--hook-dir=" MERGED_USR);
	for (char **option = sources->options; option && *option; option++)
		strv_addf(&argv, "--aptopt=%s", *option);
	strv_addf(&argv, "--include=%s", packages);
	strv_add(&argv, "--");
	strv_add(&argv, suite);
	strv_add(&argv, "-"); /* the archive goes to standard output */
	r = add_sources(scratch, "host.list", sources->list, &argv, err);
	if (r == 0)
		r = add_sources(scratch, "host.sources", sources->deb822, &argv, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(argv);
	return 0;
}

static char **make_env(const struct build *b, const struct scratch *scratch)
{
	char **env = NULL;

	strv_add(&env, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	strv_add(&env, "LC_ALL=C.UTF-8"); /* its messages are read */
	strv_addf(&env, "HOME=%s", b->home);
	strv_addf(&env, "TMPDIR=%s", scratch->path);
	for (size_t i = 0; i < ARRAY_SIZE(kept_variables); i++) {
		const char *value = getenv(kept_variables[i]);

		if (value)
			strv_addf(&env, "%s=%s", kept_variables[i], value);
	}
	return env;
}

static int commit(const struct build *b, const char *suite, struct stage *stage, struct error **err)
{
	_cleanup_free_ char *source = xasprintf("recipe %s", b->name);
	_cleanup_(manifest_freep) struct manifest *m = manifest_new(b->name, source);

	free(m->suite);
	m->suite = xstrdup(suite);
	return stage_commit(stage, m, err);
}

static int build_staged(const struct build *b, const struct recipe *recipe, struct stage *stage,
			struct error **err)
{
	_cleanup_(scratch_remove) struct scratch scratch = SCRATCH_NONE;
	_cleanup_(sources_release) struct sources sources = { 0 };
	_cleanup_free_ char *suite = NULL;
	_cleanup_free_ char *host_suite = NULL;
	_cleanup_close_ int log = -EBADF;
	_cleanup_strv_ char **argv = NULL;
	_cleanup_strv_ char **env = NULL;
	struct pipeline_result made;
	int root, r;

	r = find_suite(b, recipe, &suite, &host_suite, err);
	if (r == 0)
		r = sources_read(APT_DIR, suite, host_suite, &sources, err);
	if (r == 0)
		r = sources_read_options(&sources, err);
	if (r == 0)
		r = scratch_make(&scratch, err);
	if (r == 0)
		r = check_disk(recipe, stage, &scratch, err);
	if (r == 0)
		r = open_log(b, &log, err);
	if (r == 0)
		r = make_argv(recipe, suite, &sources, &scratch, &argv, err);
	if (r == 0)
		r = stage_add_layer(stage, NULL, &root, err);
	if (r < 0)
		return r;
	env = make_env(b, &scratch);
	r = pipeline_run(&(struct pipeline){ .argv = argv,
					     .env = env,
					     .lock = scratch.dir,
					     .root = root,
					     .log = log,
					     .size = recipe->size,
					     .progress = b->progress,
					     .user = b->user },
			 &made, err);
	if (r < 0)
		return r;
	r = commit(b, suite, stage, err);
	if (r < 0)
		return r;
	b->progress(b->user, &(struct build_progress){ .phase = BUILD_DONE,
						       .packages_done = 0,
						       .bytes_done = made.bytes });
	return 0;
}

int image_build(const struct build *b, struct error **err)
{
	_cleanup_(recipe_freep) struct recipe *recipe = NULL;
	_cleanup_(store_release) struct store store = STORE_NONE;
	_cleanup_(stage_release) struct stage stage = STAGE_NONE;
	int r;

	r = image_check_name(b->name, err);
	if (r == 0)
		r = recipe_load(b->home, b->name, &recipe, err);
	if (r == 0)
		r = check_tools(err);
	if (r == 0)
		r = store_open(STORE_USER, b->home, true, &store, err);
	if (r == 0)
		r = stage_begin(&store, b->name, &stage, err);
	if (r < 0)
		return r;
	r = build_staged(b, recipe, &stage, err);
	if (r < 0)
		return error_prefix(err, "cannot build image '%s'", b->name);
	return 0;
}
