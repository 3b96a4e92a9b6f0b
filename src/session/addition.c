#include "session/addition.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/sha256.h"
#include "base/spawn.h"
#include "base/text.h"
#include "box/label.h"

#define PARSER	   "/sbin/apparmor_parser"
#define ABI_FILE   "/etc/apparmor.d/vitrine/abi"
#define CACHE	   ".cache/vitrine/apparmor"
#define POLICY_MAX (1U << 20)
#define COMPLAINT  256U
#define COMPILE_MS 60000

/* The setting is for root to read; with 0 the load fails, and says so. */
bool additions_are_possible(uid_t uid)
{
	_cleanup_free_ char *namespace = label_namespace_directory(uid);
	const char *const needed[] = { namespace, PARSER, ABI_FILE };
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (stat(needed[i], &st) < 0)
			return false;
	return true;
}

/* The name in the cache. */
static char *cache_name(const struct apparmor_profile *p)
{
	_cleanup_free_ char *digest = NULL;
	_cleanup_buf_ struct buf all = { 0 };
	struct utsname kernel = { 0 };
	const char *const files[] = { PARSER, ABI_FILE };

	(void)uname(&kernel);
	buf_addf(&all, "%s\n%s\n", kernel.release, kernel.version);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct stat st = { 0 };

		(void)stat(files[i], &st);
		buf_addf(&all, "%lld %lld.%09ld\n", (long long)st.st_size,
			 (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	}
	buf_adds(&all, p->text);
	digest = sha256_hex(all.data, all.size);
	return xstrdup(digest);
}

/* A memory file for what a program prints. */
static int make_output(int *ret_fd, struct error **err)
{
	*ret_fd = memfd_create("output", MFD_CLOEXEC);
	return *ret_fd < 0 ? error_errno(err, "cannot make a memory file") : 0;
}

static int read_output(int fd, size_t limit, char **ret, size_t *ret_size, struct error **err)
{
	if (lseek(fd, 0, SEEK_SET) < 0)
		return error_errno(err, "cannot read a memory file");
	return fs_read_fd(fd, limit, ret, ret_size, err);
}

/* Text in, policy out; what it complains of is the reason of a failure. */
static int run_parser(const char *text, char **ret, size_t *ret_size, struct error **err)
{
	char *argv[] = { PARSER, "--skip-kernel-load", "--skip-cache", "--stdout", NULL };
	_cleanup_close_ int in = -EBADF, out = -EBADF, said = -EBADF;
	_cleanup_free_ char *complaint = NULL, *shown = NULL;
	_cleanup_(child_end) struct child c = CHILD_NONE;
	int status, r;

	r = fs_memfd("profile", text, strlen(text), &in, err);
	if (r >= 0)
		r = make_output(&out, err);
	if (r >= 0)
		r = make_output(&said, err);
	if (r < 0)
		return r;

	const int fds[] = { in, out, said };
	const struct spawn s = { .argv = argv, .fds = fds, .n_fds = ARRAY_SIZE(fds) };

	r = spawn(&s, &c, err);
	if (r >= 0)
		r = child_wait(&c, COMPILE_MS, &status, err);
	if (r == 0)
		return error_set(err, ETIMEDOUT, "%s does not end", PARSER);
	if (r < 0)
		return r;
	if (status_to_exit_code(status) == 0)
		return read_output(out, POLICY_MAX, ret, ret_size, err);
	r = read_output(said, POLICY_MAX, &complaint, NULL, err);
	if (r < 0)
		return r;
	complaint[strcspn(complaint, "\n")] = '\0';
	shown = text_escape(complaint, COMPLAINT);
	return error_set(err, EIO, "%s: %s", PARSER, shown);
}

int addition_compile(const char *home, const struct apparmor_profile *p, char **ret,
		     size_t *ret_size, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("%s/" CACHE, home), *name = cache_name(p),
			    *policy = NULL;
	_cleanup_close_ int cache = -EBADF;
	size_t size;
	int r;

	r = fs_make_path(path, 0700, &cache, err);
	if (r < 0)
		return r;
	r = fs_read(cache, name, POLICY_MAX, &policy, &size, err);
	if (r < 0) {
		*err = error_free(*err); /* it is not there, or not what it was */
		r = run_parser(p->text, &policy, &size, err);
		if (r >= 0)
			r = fs_write(cache, name, policy, size, 0600, err);
	}
	if (r < 0)
		return error_prefix(err, "AppArmor profile of the box");
	*ret = TAKE_PTR(policy);
	*ret_size = size;
	return 0;
}
