#include "image/beneath.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/buf.h"
#include "base/text.h"

#define SHOWN_MAX 200 /* bytes of a name in a message */

static int refuse_as(struct error **err, int code, const char *raw, const char *why)
{
	_cleanup_free_ char *shown = text_escape(raw, SHOWN_MAX);

	return error_set(err, code, "refusing '%s': %s", shown, why);
}

static int refuse(struct error **err, const char *raw, const char *why)
{
	return refuse_as(err, EINVAL, raw, why);
}

static int fail(struct error **err, const char *name)
{
	int code = errno;
	_cleanup_free_ char *shown = text_escape(name, SHOWN_MAX);

	errno = code;
	return error_errno(err, "directory '%s'", shown);
}

int beneath_name(const char *raw, char **ret, struct error **err)
{
	_cleanup_buf_ struct buf name = { 0 };
	unsigned depth = 0;

	if (*raw == '/')
		return refuse(err, raw, "an absolute name");
	for (const char *p = raw; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");
		bool is_dot = n == 1 && *p == '.';

		if (n == 2 && p[0] == '.' && p[1] == '.')
			return refuse(err, raw, "a name with '..'");
		if (n > NAME_MAX || name.size + n > BENEATH_NAME_MAX)
			return refuse(err, raw, "a name that is too long");
		if (!is_dot && ++depth > BENEATH_DEPTH_MAX)
			return refuse(err, raw, "nested too deeply");
		if (!is_dot) {
			if (name.size)
				buf_add(&name, "/", 1);
			buf_add(&name, p, n);
		}
		p += n;
	}
	*ret = buf_take(&name);
	return 0;
}

static int open_existing(int root, const char *name)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_XDEV,
	};

	return (int)syscall(SYS_openat2, root, *name ? name : ".", &how, sizeof how);
}

static int open_failed(struct error **err, const char *name)
{
	switch (errno) {
	case ELOOP:
		return refuse_as(err, ELOOP, name, "it leads through a symbolic link");
	case ENOTDIR:
		return refuse_as(err, ENOTDIR, name,
				 "it leads through something that is no directory");
	default:
		return fail(err, name);
	}
}

int beneath_open_dir(int root, const char *name, int *ret_fd, struct error **err)
{
	int fd = open_existing(root, name);

	if (fd < 0)
		return open_failed(err, name);
	*ret_fd = fd;
	return 0;
}

int beneath_make_dir(int root, const char *name, size_t *ret_there, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = open_existing(root, name);
	const char *start = name + strlen(name);
	size_t there = strlen(name);

	if (fd < 0 && errno != ENOENT)
		return open_failed(err, name);
	if (fd < 0) {
		fd = open_existing(root, "");
		start = name;
		there = 0;
	}
	/* Each missing part is made in the one that was opened before. */
	for (const char *p = start; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");
		_cleanup_free_ char *part = xstrndup(p, n);
		bool made = mkdirat(fd, part, 0755) == 0;
		int next;

		if (!made && errno != EEXIST)
			return open_failed(err, name);
		next = open_existing(fd, part);
		if (next < 0)
			return open_failed(err, name);
		close_fd(fd);
		fd = next;
		if (made && fchmod(fd, 0755) < 0) /* whatever the umask is */
			return open_failed(err, name);
		p += n;
		if (!made)
			there = (size_t)(p - name);
	}
	if (fd < 0)
		return open_failed(err, name);
	*ret_there = there;
	*ret_fd = TAKE_FD(fd);
	return 0;
}
