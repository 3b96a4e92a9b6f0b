#include "app/trust-record.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "app/trust.h"
#include "base/fs.h"
#include "base/ini.h"
#include "base/owner.h"
#include "base/sha256.h"
#include "base/strv.h"
#include "base/text.h"

#define DIR_NAME "/.local/state/vitrine/trust"
#define HEADER	 "vitrine-trust 1 "
#define NONE	 "-" /* instead of a digest */

void trust_record_release(struct trust_record *r)
{
	free(r->confirmed);
	profile_free(r->shipped);
	*r = (struct trust_record){ 0 };
}

char *trust_record_text(const struct trust_record *r)
{
	_cleanup_free_ char *profile = profile_write(r->shipped);

	return xasprintf(HEADER "%s\n%s", r->confirmed ? r->confirmed : NONE, profile);
}

int trust_record_parse(const char *text, size_t size, struct trust_record *ret, struct error **err)
{
	const char *begin = text + sizeof HEADER - 1, *end = memchr(text, '\n', size);
	_cleanup_free_ char *digest = NULL;
	int r;

	if (!end || end < begin || strncmp(text, HEADER, sizeof HEADER - 1) != 0)
		return error_set(err, EINVAL, "not a record of this version");
	digest = xstrndup(begin, (size_t)(end - begin));
	if (strcmp(digest, NONE) != 0 && !sha256_is_hex(digest))
		return error_set(err, EINVAL, "not a record of this version");
	r = profile_read(end + 1, size - (size_t)(end + 1 - text), "record", "record",
			 &ret->shipped, err);
	if (r >= 0 && strcmp(digest, NONE) != 0)
		ret->confirmed = TAKE_PTR(digest);
	return r;
}

/* Whoever else could write there could confirm. */
static int check_own(int fd, const char *path, struct error **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(err, "cannot stat '%s'", path);
	if (st.st_uid != getuid() || others_may_write(fd, &st))
		return error_set(err, EPERM, "'%s' is not yours alone (chown, chmod go-w)", path);
	return 0;
}

/* Returns 0 where there is none and none is made. */
static int open_dir(const char *home, bool make, int *ret_fd, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("%s" DIR_NAME, home);
	_cleanup_(error_freep) struct error *missing = NULL;
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (make)
		r = fs_make_path(path, 0700, &fd, &missing);
	else
		r = fs_open_dir(AT_FDCWD, path, &fd, &missing);
	if (r == -ENOENT && !make)
		return 0;
	if (r < 0)
		return error_move(err, TAKE_PTR(missing));
	r = check_own(fd, path, err);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 1;
}

static int read_at(int dir, const char *name, struct trust_record *ret, struct error **err)
{
	_cleanup_(error_freep) struct error *missing = NULL;
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r;

	r = fs_open_file(dir, name, &fd, &missing);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return error_move(err, TAKE_PTR(missing));
	r = check_own(fd, name, err);
	if (r >= 0)
		r = fs_read_fd(fd, INI_FILE_MAX, &text, &size, err);
	return r < 0 ? r : trust_record_parse(text, size, ret, err);
}

int trust_record_read(const char *home, const char *name, struct trust_record *ret,
		      struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	int r = open_dir(home, false, &dir, err);

	return r <= 0 ? r : read_at(dir, name, ret, err);
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_at(int dir, char ***ret, struct error **err)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedirp) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	_cleanup_strv_ char **names = NULL;
	struct dirent *e;

	if (!d) {
		close_fd(fd);
		return error_errno(err, "cannot list the records");
	}
	while ((e = readdir(d)))
		if (name_is_valid(e->d_name) && strv_length(names) <= TRUST_RECORDS_MAX)
			strv_add(&names, e->d_name);
	if (names)
		qsort(names, strv_length(names), sizeof *names, compare);
	*ret = TAKE_PTR(names);
	return 0;
}

/* Records of profiles that are gone are small, and few; but there is an end. */
static int check_room(int dir, const char *name, struct error **err)
{
	_cleanup_strv_ char **names = NULL;
	int r = list_at(dir, &names, err);

	if (r < 0 || strv_contains(names, name) || strv_length(names) < TRUST_RECORDS_MAX)
		return r;
	return error_set(err, ENOSPC,
			 "there are %u records: 'vitrine profile trust --forget NAME' "
			 "for profiles that are gone",
			 TRUST_RECORDS_MAX);
}

static int write_at(int dir, const char *name, const struct trust_record *r, struct error **err)
{
	_cleanup_(trust_record_release) struct trust_record there = { 0 };
	_cleanup_(error_freep) struct error *ignored = NULL; /* what is damaged is replaced */
	_cleanup_free_ char *text = NULL;
	struct trust_record record = *r;

	if (!r->confirmed && read_at(dir, name, &there, &ignored) >= 0)
		record.confirmed = there.confirmed;
	text = trust_record_text(&record);
	return fs_write(dir, name, text, strlen(text), 0600, err);
}

int trust_record_write(const char *home, const char *name, const struct trust_record *r,
		       struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	int result = open_dir(home, true, &dir, err);

	if (result < 0)
		return result;
	/* Until the descriptor is closed. */
	if (flock(dir, LOCK_EX) < 0)
		return error_errno(err, "cannot lock the records");
	result = check_room(dir, name, err);
	return result < 0 ? result : write_at(dir, name, r, err);
}

int trust_record_list(const char *home, char ***ret, struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	int r = open_dir(home, false, &dir, err);

	if (r > 0)
		return list_at(dir, ret, err);
	*ret = NULL;
	return r;
}

int trust_record_remove(const char *home, const char *name, struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	int r = open_dir(home, false, &dir, err);

	if (r < 0)
		return r;
	if (r == 0 || (unlinkat(dir, name, 0) < 0 && errno == ENOENT))
		return error_set(err, ENOENT, "there is no record of profile '%s'", name);
	if (faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return error_set(err, EIO, "the record of profile '%s' could not be removed", name);
	return 0;
}
