#include "image/unpacker.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/fs.h"
#include "base/strv.h"

#define UNPACK	   VITRINE_EXEC_DIR "/vitrine-unpack"
#define ROOT_FD	   "3"
#define PRINTS_MAX (64U << 20) /* bytes */
#define SAYS	   "vitrine-unpack: "

static char **make_argv(const struct unpacker_options *o)
{
	char **argv = NULL;

	strv_add(&argv, UNPACK);
	if (o->layer)
		strv_add(&argv, "--layer");
	if (o->implied)
		strv_add(&argv, "--implied");
	if (o->compressed)
		strv_add(&argv, "--compressed");
	strv_add(&argv, o->recognise ? "--recognise" : ROOT_FD);
	return argv;
}

int unpacker_start(const struct unpacker_options *o, struct unpacker *ret, struct error **err)
{
	_cleanup_(unpacker_release) struct unpacker u = UNPACKER_NONE;
	_cleanup_strv_ char **argv = make_argv(o);
	_cleanup_close_ int from = -EBADF;
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	from = ends[0];
	u.to = ends[1];
	(void)fcntl(u.to, F_SETPIPE_SZ, 1 << 20); /* less waking up; what there is will do */
	u.output = memfd_create("output", MFD_CLOEXEC);
	u.refusal = memfd_create("refusal", MFD_CLOEXEC);
	if (u.output < 0 || u.refusal < 0)
		return error_errno(err, "cannot make a file in memory");
	r = spawn(&(struct spawn){ .argv = argv,
				   .fds = (int[]){ from, u.output, u.refusal, o->root },
				   .n_fds = o->recognise ? 3 : 4,
				   .new_session = true },
		  &u.child, err);
	if (r < 0)
		return r;
	*ret = u;
	u = UNPACKER_NONE;
	return 0;
}

int unpacker_write(struct unpacker *u, const void *data, size_t size, struct error **err)
{
	while (size && !u->gone) {
		ssize_t n = write(u->to, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EPIPE) {
			u->gone = true;
			return 0;
		}
		if (n < 0)
			return error_errno(err, "cannot write to vitrine-unpack");
		data = (const char *)data + n;
		size -= (size_t)n;
	}
	return 0;
}

static int read_all(int fd, char **ret, struct error **err)
{
	if (lseek(fd, 0, SEEK_SET) < 0)
		return error_errno(err, "cannot read what vitrine-unpack says");
	return fs_read_fd(fd, PRINTS_MAX, ret, NULL, err);
}

int unpacker_end(struct unpacker *u, char **ret_text, struct error **err)
{
	_cleanup_free_ char *refusal = NULL;
	const char *why;
	int status, r;

	u->to = close_fd(u->to);
	r = child_wait(&u->child, -1, &status, err);
	if (r < 0)
		return r;
	if (status == 0)
		return read_all(u->output, ret_text, err);
	r = read_all(u->refusal, &refusal, err);
	if (r < 0)
		return r;
	refusal[strcspn(refusal, "\n")] = '\0';
	why = *refusal ? refusal : "vitrine-unpack was killed";
	if (!strncmp(why, SAYS, strlen(SAYS)))
		why += strlen(SAYS);
	return error_set(err, EINVAL, "%s", why);
}

void unpacker_release(struct unpacker *u)
{
	close_fd(u->to);
	child_end(&u->child);
	close_fd(u->output);
	close_fd(u->refusal);
	*u = UNPACKER_NONE;
}
