#include "app/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"

struct log {
	int dir; /* borrowed */
	int fd;
	size_t size;
};

static int open_log(int dir)
{
	return openat(dir, LOG_FILE,
		      O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
}

int log_new(int dir, struct log **ret, struct error **err)
{
	int fd = open_log(dir);

	if (fd < 0)
		return error_errno(err, "cannot open the log of the sandbox");
	*ret = xmalloc(sizeof **ret);
	**ret = (struct log){ .dir = dir, .fd = fd };
	return 0;
}

void log_write(struct log *l, const char *data, size_t size)
{
	_cleanup_(error_freep) struct error *ignored = NULL;

	if (!l)
		return;
	if (l->size + size > LOG_SIZE_MAX) {
		(void)renameat(l->dir, LOG_FILE, l->dir, LOG_FILE_OLD);
		close_fd(l->fd);
		l->fd = open_log(l->dir);
		l->size = 0;
	}
	if (l->fd >= 0 && fs_write_all(l->fd, data, size, &ignored) >= 0)
		l->size += size;
}

void log_line(struct log *l, const char *format, ...)
{
	_cleanup_free_ char *text = NULL, *line = NULL;
	va_list ap;

	va_start(ap, format);
	text = xvasprintf(format, ap);
	va_end(ap);
	line = xasprintf("vitrine: %s\n", text);
	log_write(l, line, strlen(line));
}

struct log *log_free(struct log *l)
{
	if (l)
		close_fd(l->fd);
	free(l);
	return NULL;
}
