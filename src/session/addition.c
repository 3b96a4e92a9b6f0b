#include "session/addition.h"

#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/sha256.h"
#include "box/label.h"
#include "session/compiler.h"

#define PARSER	   "/sbin/apparmor_parser"
#define ABI_FILE   "/etc/apparmor.d/vitrine/abi"
#define CACHE	   ".cache/vitrine/apparmor"
#define POLICY_MAX (1U << 20)

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

int addition_compile(const char *home, const struct apparmor_profile *p, char **ret,
		     size_t *ret_size, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("%s/" CACHE, home), *name = cache_name(p),
			    *policy = NULL;
	char *argv[] = { PARSER, "--skip-kernel-load", "--skip-cache", "--stdout", NULL };
	const struct compiler parser = { argv, p->text, POLICY_MAX };
	_cleanup_close_ int cache = -EBADF;
	size_t size;
	int r;

	r = fs_make_path(path, 0700, &cache, err);
	if (r < 0)
		return r;
	r = fs_read(cache, name, POLICY_MAX, &policy, &size, err);
	if (r < 0) {
		*err = error_free(*err); /* it is not there, or not what it was */
		r = compiler_run(&parser, &policy, &size, err);
		if (r >= 0)
			r = fs_write(cache, name, policy, size, 0600, err);
	}
	if (r < 0)
		return error_prefix(err, "AppArmor profile of the box");
	*ret = TAKE_PTR(policy);
	*ret_size = size;
	return 0;
}
