#include "scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "unit.h"

int scratch_make(void **state)
{
	const char *base = getenv("TMPDIR");
	struct scratch *s = xcalloc(1, sizeof *s);

	s->path = xasprintf("%s/vitrine-test-XXXXXX", base && *base == '/' ? base : "/tmp");
	if (!mkdtemp(s->path))
		return -1;
	s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = s;
	return s->fd < 0 ? -1 : 0;
}

int scratch_remove(void **state)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct scratch *s = *state;
	int r;

	r = fs_remove_tree(AT_FDCWD, s->path, &error);
	close_fd(s->fd);
	free(s->path);
	free(s);
	return r;
}

void scratch_file(const struct scratch *s, const char *name, const char *content, unsigned mode)
{
	struct error *error = NULL;

	assert_done(fs_write(s->fd, name, content, strlen(content), mode, &error), error);
	assert_int_equal(fchmodat(s->fd, name, mode, 0), 0);
}
