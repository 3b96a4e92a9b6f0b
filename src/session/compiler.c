#include "session/compiler.h"

#include <string.h>
#include <sys/mman.h>

#include "base/fs.h"
#include "base/spawn.h"
#include "base/text.h"

#define COMPLAINT_MAX (1U << 20)
#define COMPLAINT     256U /* bytes of it that are shown */
#define COMPILE_MS    60000

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

static int complain(const char *program, int said, struct error **err)
{
	_cleanup_free_ char *complaint = NULL, *shown = NULL;
	int r;

	r = read_output(said, COMPLAINT_MAX, &complaint, NULL, err);
	if (r < 0)
		return r;
	complaint[strcspn(complaint, "\n")] = '\0';
	shown = text_escape(complaint, COMPLAINT);
	return error_set(err, EIO, "%s: %s", program, *shown ? shown : "it failed without a word");
}

int compiler_run(const struct compiler *c, char **ret, size_t *ret_size, struct error **err)
{
	_cleanup_close_ int in = -EBADF, out = -EBADF, said = -EBADF;
	_cleanup_(child_end) struct child child = CHILD_NONE;
	int status, r;

	r = fs_memfd("text", c->text, strlen(c->text), &in, err);
	if (r >= 0)
		r = make_output(&out, err);
	if (r >= 0)
		r = make_output(&said, err);
	if (r < 0)
		return r;

	const int fds[] = { in, out, said };
	const struct spawn s = { .argv = c->argv, .fds = fds, .n_fds = ARRAY_SIZE(fds) };

	r = spawn(&s, &child, err);
	if (r >= 0)
		r = child_wait(&child, COMPILE_MS, &status, err);
	if (r == 0)
		return error_set(err, ETIMEDOUT, "%s does not end", c->argv[0]);
	if (r < 0)
		return r;
	if (status_to_exit_code(status) != 0)
		return complain(c->argv[0], said, err);
	return read_output(out, c->limit, ret, ret_size, err);
}
