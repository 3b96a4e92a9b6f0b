#include "emit/filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The next u32, or `missing`, which the caller refuses. */
static uint32_t take(const char **at, const char *end, uint32_t missing)
{
	uint32_t value;

	if ((size_t)(end - *at) < sizeof value)
		return missing;
	memcpy(&value, *at, sizeof value);
	*at += sizeof value;
	return value;
}

int filter_parse(const void *data, size_t size, struct filter *ret)
{
	const char *at = data, *end = at + size;
	struct filter f = { .n = take(&at, end, 0) };

	if (f.n == 0 || f.n > FILTER_PROGRAMS_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < f.n; i++) {
		uint32_t flags = take(&at, end, ~0U), length = take(&at, end, 0);

		if ((flags & ~FILTER_LOG) || length == 0 || length > BPF_MAXINSNS ||
		    length > (size_t)(end - at) / sizeof(struct sock_filter))
			return -EINVAL;
		f.flags[i] = flags;
		f.programs[i] = (struct sock_fprog){
			.len = (unsigned short)length,
			.filter = (struct sock_filter *)at, /* the kernel copies it */
		};
		at += length * sizeof(struct sock_filter);
	}
	if (at != end)
		return -EINVAL;
	*ret = f;
	return 0;
}

/* Calls `use` on the programs of an open file; its result is handed on. */
static int with_filter(int fd, int (*use)(const struct filter *f))
{
	struct filter f;
	struct stat st;
	void *data;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0 || st.st_size > FILTER_FILE_MAX)
		return -EINVAL;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	r = filter_parse(data, (size_t)st.st_size, &f);
	if (r == 0)
		r = use(&f);
	(void)munmap(data, (size_t)st.st_size);
	return r;
}

static int count(const struct filter *f)
{
	return (int)f->n;
}

/* The last program first: once the allow-list is in force, the call that loads another one is
 * subject to it. */
static int load(const struct filter *f)
{
	for (uint32_t i = f->n; i-- > 0;) {
		unsigned flags = f->flags[i] & FILTER_LOG ? SECCOMP_FILTER_FLAG_LOG : 0;

		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &f->programs[i]) < 0)
			return -errno;
	}
	return 0;
}

static int load_watched(const struct filter *f)
{
	long fd;

	if (f->n != 1)
		return -EINVAL;
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
		     &f->programs[0]);
	return fd < 0 ? -errno : (int)fd;
}

int filter_count(int fd)
{
	return with_filter(fd, count);
}

int filter_load(int fd)
{
	return with_filter(fd, load);
}

int filter_load_watched(int fd)
{
	return with_filter(fd, load_watched);
}
