#pragma once

/*
 * Memory and ownership. Out of memory aborts: there are no untested recovery paths.
 * Locals that own something are declared with a _cleanup_ attribute and initialised on the same
 * line; TAKE_PTR() and TAKE_FD() hand ownership on.
 */

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f)	__attribute__((cleanup(f)))
#define _cleanup_free_	_cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)

#define TAKE_PTR(p)                        \
	({                                 \
		__typeof__(p) *_pp = &(p); \
		__typeof__(p) _p = *_pp;   \
		*_pp = NULL;               \
		_p;                        \
	})
#define TAKE_FD(fd)                \
	({                         \
		int *_fdp = &(fd); \
		int _fd = *_fdp;   \
		*_fdp = -EBADF;    \
		_fd;               \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xreallocarray(void *p, size_t count, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *format, va_list ap) __attribute__((format(printf, 1, 0)));

static inline void freep(void *p)
{
	free(*(void **)p);
}

/* Closes the descriptor if it is one, keeps errno, always returns -EBADF for re-assignment. */
static inline int close_fd(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return -EBADF;
}

static inline void closep(int *fd)
{
	close_fd(*fd);
}
