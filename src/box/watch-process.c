#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/fs.h"
#include "box/watch-private.h"

#define PAGE 4096U

static int open_proc(const struct watched *w, const char *name, int flags)
{
	_cleanup_free_ char *path = xasprintf("%d/%s", w->pid, name);

	return openat(w->proc, path, flags | O_CLOEXEC);
}

static size_t read_memory(const struct watched *w, uint64_t address, void *ret, size_t size,
			  bool until_nul)
{
	_cleanup_close_ int fd = open_proc(w, "mem", O_RDONLY);
	size_t have = 0;

	if (fd < 0 || address > INT64_MAX)
		return 0;
	/* Page by page: what comes behind the string need not be there. */
	while (have < size) {
		size_t room = PAGE - (address + have) % PAGE;
		ssize_t n = pread(fd, (char *)ret + have, room < size - have ? room : size - have,
				  (off_t)(address + have));

		if (n <= 0)
			break;
		have += (size_t)n;
		if (until_nul && memchr((char *)ret + have - n, '\0', (size_t)n))
			break;
	}
	return have;
}

size_t watched_memory(const struct watched *w, uint64_t address, void *ret, size_t size)
{
	return read_memory(w, address, ret, size, false);
}

char *watched_string(const struct watched *w, uint64_t address)
{
	_cleanup_free_ char *text = xcalloc(1, WATCH_TEXT_MAX + 1);
	size_t n = read_memory(w, address, text, WATCH_TEXT_MAX, true);

	return n && strlen(text) < n ? TAKE_PTR(text) : NULL;
}

static char *read_link(const struct watched *w, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%d/%s", w->pid, name);
	_cleanup_free_ char *text = xcalloc(1, WATCH_TEXT_MAX + 1);

	return readlinkat(w->proc, path, text, WATCH_TEXT_MAX) > 0 ? TAKE_PTR(text) : NULL;
}

char *watched_program(const struct watched *w)
{
	char *text = read_link(w, "exe");

	return text ? text : xstrdup("");
}

char *watched_path(const struct watched *w, uint64_t directory, uint64_t address)
{
	_cleanup_free_ char *path = watched_string(w, address), *from = NULL, *link = NULL;

	if (!path || !*path)
		return NULL;
	link = (int)directory == AT_FDCWD ? xstrdup("cwd") : xasprintf("fd/%d", (int)directory);
	from = *path == '/' ? NULL : read_link(w, link);
	return watch_path(from ? from : "", path);
}

/* As the process itself would find it; -errno. No link leads out of its root. */
static int find(const struct watched *w, const char *path)
{
	_cleanup_close_ int root = open_proc(w, "root", O_PATH | O_DIRECTORY);

	return root < 0 ? -errno
			: fs_open_beneath(root, path, O_PATH,
					  RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, 0);
}

bool watched_misses(const struct watched *w, const char *path)
{
	int fd = find(w, path);
	bool missing = fd == -ENOENT || fd == -ENOTDIR;

	close_fd(fd);
	return missing;
}

bool watched_cannot_execute(const struct watched *w, const char *path)
{
	_cleanup_close_ int fd = find(w, path);
	struct statvfs fs;
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && fstatvfs(fd, &fs) == 0 && S_ISREG(st.st_mode) &&
	       st.st_mode & 0111 && fs.f_flag & ST_NOEXEC;
}
