#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/fs.h"
#include "base/strv.h"
#include "image/build-private.h"

#define APT_DIR "/etc/apt"
#define LOGS	"%s/.local/state/vitrine"

static const struct {
	const char *path;
	const char *package;
} tools[] = {
	{ "/usr/bin/apt-get", "apt" },
	{ "/usr/bin/mmdebstrap", "mmdebstrap" },
	{ "/usr/bin/newuidmap", "uidmap" },
	{ "/usr/bin/newgidmap", "uidmap" },
	{ VITRINE_EXEC_DIR "/vitrine-build-box", "vitrine" },
	{ VITRINE_EXEC_DIR "/vitrine-guard", "vitrine" },
	{ VITRINE_EXEC_DIR "/vitrine-unpack", "vitrine" },
};

/* How apt reaches the network, besides its own configuration. */
static const char *const kept_variables[] = {
	"http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy",
};

int build_check_tools(struct error **err)
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

/* The scratch directory holds the tree, and perhaps a copy of the packages; the image comes on top.
 */
int work_check_disk(const struct work *w, struct error **err)
{
	uint64_t image = w->recipe->size, work = image / 2 * 3;
	struct stat a, b;
	int r;

	if (fstat(w->stage.dir, &a) == 0 && fstat(w->scratch.dir, &b) == 0 && a.st_dev == b.st_dev)
		return check_room(w->stage.dir, "the image", work + image, err);
	r = check_room(w->scratch.dir, "the work in /var/tmp", work, err);
	if (r < 0)
		return r;
	return check_room(w->stage.dir, "the image", image, err);
}

char *image_build_log(const char *home, const char *name)
{
	return xasprintf(LOGS "/image-%s.log", home, name);
}

int work_open_log(const struct build *b, int *ret_fd, struct error **err)
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

static char **make_env(const struct work *w)
{
	char **env = NULL;

	strv_add(&env, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	strv_add(&env, "LC_ALL=C.UTF-8"); /* its messages are read */
	strv_addf(&env, "HOME=%s", w->b->home);
	strv_addf(&env, "TMPDIR=%s", w->scratch.path);
	for (size_t i = 0; i < ARRAY_SIZE(kept_variables); i++) {
		const char *value = getenv(kept_variables[i]);

		if (value)
			strv_addf(&env, "%s=%s", kept_variables[i], value);
	}
	return env;
}

static int find_suite(struct work *w, char **ret_host, struct error **err)
{
	const char *named = w->b->suite ? w->b->suite : w->recipe->suite;
	int r = sources_host_suite(ret_host, err);

	if (w->recipe->base) {
		if (w->b->suite)
			return error_set(err, EINVAL, "the suite is that of its base '%s'",
					 w->recipe->base);
		named = w->base.manifest->suite;
	}
	if (named && !*named)
		return error_set(err, EINVAL,
				 "its base '%s' is not made of packages of a known suite",
				 w->recipe->base);
	if (r < 0 && !named)
		return r;
	*err = error_free(*err); /* not needed then */
	w->suite = xstrdup(named ? named : *ret_host);
	return 0;
}

static bool is_updated(const struct work *w)
{
	return w->b->updated && strv_contains(*w->b->updated, w->suite);
}

int work_open_apt(struct work *w, struct error **err)
{
	_cleanup_free_ char *host_suite = NULL;
	int r = find_suite(w, &host_suite, err);

	if (r == 0)
		r = sources_read(APT_DIR, w->suite, host_suite, &w->sources, err);
	if (r == 0)
		r = sources_read_options(&w->sources, err);
	if (r < 0)
		return r;
	w->env = make_env(w);
	w->place = (struct apt_place){
		.home = w->b->home,
		.suite = w->suite,
		.sources = &w->sources,
		.scratch = &w->scratch,
		.env = w->env,
		.view = &w->view,
		.offline = w->b->offline,
	};
	r = apt_open(&w->place, &w->apt, err);
	if (r == 0 && !is_updated(w))
		r = apt_update(&w->apt, err);
	if (r == 0)
		r = apt_newest(&w->apt, &w->newest, err);
	if (r == 0 && w->b->updated && !is_updated(w))
		strv_add(w->b->updated, w->suite);
	if (r == 0)
		strv_addf(&w->env, "SOURCE_DATE_EPOCH=%u", w->newest);
	w->place.env = w->env;
	return r;
}
