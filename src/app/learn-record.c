#include "app/learn-record.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "base/strv.h"

#define RECORDS	       "%s/.local/state/vitrine/learn"
#define SUFFIX	       ".jsonl"
#define NAME_MAX_TRIES 100U

static int open_records(const char *home, const char *profile, int *ret_fd, struct error **err)
{
	_cleanup_free_ char *path = xasprintf(RECORDS, home);
	_cleanup_close_ int dir = -EBADF;
	int r = fs_make_path(path, 0700, &dir, err);

	return r < 0 ? r : fs_make_dir(dir, profile, 0700, ret_fd, err);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* The names of all runs; these sort by their time. */
static int list(int dir, char ***ret, struct error **err)
{
	_cleanup_strv_ char **names = NULL;
	_cleanup_(closedirp) DIR *d = NULL;
	const struct dirent *e;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		close_fd(fd);
		return error_errno(err, "cannot list what was recorded");
	}
	while ((e = readdir(d))) {
		size_t n = strlen(e->d_name), suffix = strlen(SUFFIX);

		if (n > suffix && *e->d_name != '.' && !strcmp(e->d_name + n - suffix, SUFFIX))
			strv_add(&names, e->d_name);
	}
	if (names)
		qsort(names, strv_length(names), sizeof *names, compare_names);
	*ret = TAKE_PTR(names);
	return 0;
}

static int remove_oldest(int dir, struct error **err)
{
	_cleanup_strv_ char **names = NULL;
	size_t n;
	int r = list(dir, &names, err);

	n = strv_length(names);
	for (size_t i = 0; r >= 0 && i + LEARN_RUNS_MAX <= n; i++)
		if (unlinkat(dir, names[i], 0) < 0 && errno != ENOENT)
			return error_errno(err, "cannot remove '%s'", names[i]);
	return r;
}

int learn_record_new(const char *home, const char *profile, int *ret_fd, struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	struct timespec now;
	struct tm tm;
	char time[32];
	int r;

	r = open_records(home, profile, &dir, err);
	if (r >= 0)
		r = remove_oldest(dir, err);
	if (r < 0)
		return r;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)strftime(time, sizeof time, "%Y%m%dT%H%M%S", gmtime_r(&now.tv_sec, &tm));
	for (unsigned i = 0; i < NAME_MAX_TRIES; i++) {
		_cleanup_free_ char *name = xasprintf("%s-%03ld-%02u" SUFFIX, time,
						      now.tv_nsec / 1000000, i);
		int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC,
				0600);

		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0)
			return error_errno(err, "cannot make '%s'", name);
		*ret_fd = fd;
		return 0;
	}
	return error_set(err, EEXIST, "cannot find a new name to record at");
}

int learn_record_add(int fd, json_t *object, struct error **err)
{
	_cleanup_free_ char *text = json_dumps(object, JSON_COMPACT);
	_cleanup_free_ char *line = xasprintf("%s\n", text ? text : "{}");

	json_decref(object);
	return fs_write_all(fd, line, strlen(line), err);
}

int learn_record_read(const char *home, const char *profile, struct learn_events *ret,
		      size_t *ret_runs, struct error **err)
{
	_cleanup_(learn_events_release) struct learn_events all = { 0 };
	_cleanup_strv_ char **names = NULL;
	_cleanup_close_ int dir = -EBADF;
	int r;

	r = open_records(home, profile, &dir, err);
	if (r >= 0)
		r = list(dir, &names, err);
	for (char **name = names; r >= 0 && name && *name; name++) {
		_cleanup_free_ char *text = NULL,
				    *path = xasprintf(RECORDS "/%s/%s", home, profile, *name);
		size_t size;

		r = fs_read(dir, *name, LEARN_FILE_MAX, &text, &size, err);
		if (r >= 0)
			r = learn_events_read(text, size, path, &all, err);
	}
	if (r < 0)
		return r;
	*ret = all;
	all = (struct learn_events){ 0 };
	*ret_runs = strv_length(names);
	return 0;
}

int learn_record_forget(const char *home, const char *profile, struct error **err)
{
	_cleanup_free_ char *path = xasprintf(RECORDS, home);
	_cleanup_close_ int dir = -EBADF;
	int r = fs_make_path(path, 0700, &dir, err);

	return r < 0 ? r : fs_remove_tree(dir, profile, err);
}

int learn_drop_in_write(const char *home, const char *profile, const char *text, char **ret_path,
			struct error **err)
{
	_cleanup_free_ char *profiles = xasprintf("%s/.config/vitrine/profiles", home),
			    *name = xasprintf("%s.vitrine.d", profile);
	_cleanup_close_ int dir = -EBADF, drop_ins = -EBADF;
	int r;

	r = fs_make_path(profiles, 0755, &dir, err);
	if (r >= 0)
		r = fs_make_dir(dir, name, 0755, &drop_ins, err);
	if (r >= 0)
		r = fs_write(drop_ins, LEARN_DROP_IN, text, strlen(text), 0644, err);
	if (r < 0)
		return error_prefix(err, "'%s/%s'", profiles, name);
	*ret_path = xasprintf("%s/%s/" LEARN_DROP_IN, profiles, name);
	return 0;
}
