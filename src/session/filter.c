#include "session/filter.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/sha256.h"
#include "emit/filter.h"
#include "emit/policy-load.h"
#include "emit/policy-profile.h"
#include "emit/policy-text.h"
#include "session/compiler.h"

#define COMPILER	"vitrine-filter"
#define LIBRARIES	"/etc/ld.so.cache" /* made again whenever a library comes or goes */
#define CACHED_MAX	(FILTER_FILE_MAX + SHA256_HEX)
#define DIRECTORY_WRITE (S_IWGRP | S_IWOTH)

/* --- the cache ---------------------------------------------------------------------------------
 */

/* Nobody else can have written it. */
static bool is_ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == geteuid() && !(st.st_mode & DIRECTORY_WRITE);
}

/* Negative: nothing is kept then, and each start compiles. That is slower, and as strict. */
static int open_cache(const char *home)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *path = xasprintf("%s/" FILTER_CACHE, home);
	_cleanup_close_ int fd = -EBADF;

	if (fs_make_path(path, 0700, &fd, &ignored) < 0 || !is_ours(fd))
		return -EBADF;
	return TAKE_FD(fd);
}

/* A digest of what follows it, then a filter file. */
static bool is_whole(const char *data, size_t size)
{
	_cleanup_free_ char *digest = NULL;
	struct filter f;

	if (size <= SHA256_HEX)
		return false;
	digest = sha256_hex(data + SHA256_HEX, size - SHA256_HEX);
	return !memcmp(digest, data, SHA256_HEX) &&
	       filter_parse(data + SHA256_HEX, size - SHA256_HEX, &f) == 0;
}

/* False where there is none, or it is not what was written. */
static bool read_cached(int cache, const char *name, char **ret, size_t *ret_size)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *data = NULL;
	size_t size;

	if (cache < 0 || fs_open_file(cache, name, &fd, &ignored) < 0 || !is_ours(fd) ||
	    fs_read_fd(fd, CACHED_MAX, &data, &size, &ignored) < 0 || !is_whole(data, size))
		return false;
	*ret_size = size - SHA256_HEX;
	*ret = xmalloc(*ret_size);
	memcpy(*ret, data + SHA256_HEX, *ret_size);
	return true;
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static DIR *list(int cache)
{
	int fd = openat(cache, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		close_fd(fd);
	return d;
}

/* The file that was written first; *ret_count files there are. */
static char *find_oldest(int cache, unsigned *ret_count)
{
	_cleanup_(closedirp) DIR *d = list(cache);
	_cleanup_free_ char *oldest = NULL;
	struct timespec then = { 0 };
	const struct dirent *e;
	struct stat st;

	*ret_count = 0;
	while (d && (e = readdir(d))) {
		if (*e->d_name == '.' || fstatat(cache, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		++*ret_count;
		if (oldest &&
		    (st.st_mtim.tv_sec > then.tv_sec ||
		     (st.st_mtim.tv_sec == then.tv_sec && st.st_mtim.tv_nsec >= then.tv_nsec)))
			continue;
		free(oldest);
		oldest = xstrdup(e->d_name);
		then = st.st_mtim;
	}
	return TAKE_PTR(oldest);
}

static void make_room(int cache)
{
	for (;;) {
		unsigned count;
		_cleanup_free_ char *oldest = find_oldest(cache, &count);

		if (count < FILTER_CACHE_MAX || !oldest || unlinkat(cache, oldest, 0) < 0)
			return;
	}
}

/* Without it the next start compiles again. */
static void keep(int cache, const char *name, const char *data, size_t size)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *digest = sha256_hex(data, size);
	_cleanup_buf_ struct buf file = { 0 };

	if (cache < 0)
		return;
	make_room(cache);
	buf_add(&file, digest, SHA256_HEX);
	buf_add(&file, data, size);
	(void)fs_write(cache, name, file.data, file.size, 0600, &ignored);
}

/* --- what is kept ------------------------------------------------------------------------------
 */

/* A compiler that was replaced, or its library, is another one. */
static char *cache_name(const char *text, const char *compiler)
{
	const char *const files[] = { compiler, LIBRARIES };
	_cleanup_free_ char *digest = NULL;
	_cleanup_buf_ struct buf all = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct stat st = { 0 };

		(void)stat(files[i], &st);
		buf_addf(&all, "%lld %lld.%09ld\n", (long long)st.st_size,
			 (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	}
	buf_adds(&all, text);
	digest = sha256_hex(all.data, all.size);
	return xasprintf("%s.bpf", digest);
}

int filter_resolve(const struct filter_places *places, const struct profile *p, struct policy **ret,
		   struct error **err)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	_cleanup_close_ int directory = -EBADF;
	int r;

	r = policy_check_name(p->seccomp_policy, err);
	if (r >= 0)
		r = fs_open_dir(AT_FDCWD, places->policies, &directory, err);
	if (r >= 0)
		r = policy_load(directory, p->seccomp_policy, &policy, err);
	if (r >= 0)
		r = policy_apply(policy, p, err);
	if (r >= 0)
		*ret = TAKE_PTR(policy);
	return r;
}

int filter_text(const struct filter_places *places, const struct profile *p, char **ret,
		struct error **err)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	int r = filter_resolve(places, p, &policy, err);

	if (r >= 0)
		*ret = policy_render(policy);
	return r;
}

static int compile(const char *program, const char *text, char **ret, size_t *ret_size,
		   struct error **err)
{
	char *argv[] = { (char *)program, NULL };
	const struct compiler c = { argv, text, FILTER_FILE_MAX };
	_cleanup_free_ char *data = NULL;
	struct filter f;
	int r;

	r = compiler_run(&c, &data, ret_size, err);
	if (r < 0)
		return r;
	if (filter_parse(data, *ret_size, &f) < 0)
		return error_set(err, EIO, "%s: what it made is not a filter", program);
	*ret = TAKE_PTR(data);
	return 0;
}

static int open_changed(const struct filter_places *places, const struct profile *p, int *ret_fd,
			struct error **err)
{
	_cleanup_free_ char *program = xasprintf("%s/" COMPILER, places->programs), *text = NULL,
			    *name = NULL, *data = NULL;
	_cleanup_close_ int cache = -EBADF;
	size_t size;
	int r;

	r = filter_text(places, p, &text, err);
	if (r < 0)
		return r;
	name = cache_name(text, program);
	cache = open_cache(places->home);
	if (!read_cached(cache, name, &data, &size)) {
		r = compile(program, text, &data, &size, err);
		if (r < 0)
			return r;
		keep(cache, name, data, size);
	}
	/* What was looked at is what is loaded. */
	return fs_memfd("filter", data, size, ret_fd, err);
}

static int open_named(const struct filter_places *places, const char *policy, int *ret_fd,
		      struct error **err)
{
	_cleanup_free_ char *path = xasprintf("%s/%s.bpf", places->programs, policy);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int filter_open_default(const struct filter_places *places, int *ret_fd, struct error **err)
{
	return open_named(places, POLICY_DEFAULT, ret_fd, err);
}

int filter_open(const struct filter_places *places, const struct profile *p, int *ret_fd,
		struct error **err)
{
	int r = policy_check_name(p->seccomp_policy, err);

	if (r < 0)
		return r;
	return policy_is_changed(p) ? open_changed(places, p, ret_fd, err)
				    : open_named(places, p->seccomp_policy, ret_fd, err);
}
