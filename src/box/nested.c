#include "box/nested.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"

#define NUMBER_MAX 16U /* digits, line end and NUL */

/* One file of /proc/sys/user, which shows the limits of whoever opens it. Made before the fork. */
struct setting {
	char path[64];
	char number[NUMBER_MAX]; /* with a line end */
};

/* What the child says. */
struct outcome {
	int kind; /* of the setting, or negative: it could not enter */
	int error;
};

static int write_number(const struct setting *s)
{
	int fd = open(s->path, O_WRONLY | O_CLOEXEC), r = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, s->number, strlen(s->number));
	if (n < 0)
		r = -errno;
	else if ((size_t)n != strlen(s->number))
		r = -EIO;
	close(fd);
	return r;
}

/* Opened anew: what the kernel has, not what was written. */
static int check_number(const struct setting *s)
{
	int fd = open(s->path, O_RDONLY | O_CLOEXEC);
	char have[NUMBER_MAX] = "";
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, have, sizeof have - 1);
	close(fd);
	return n > 0 && !strcmp(have, s->number) ? 0 : -ENOTSUP;
}

static void say(int fd, int kind, int error)
{
	const struct outcome o = { .kind = kind, .error = error };

	_exit(write(fd, &o, sizeof o) == sizeof o ? 0 : 1);
}

/* In the child: nothing that is not safe after a fork. */
static void enter_and_limit(int user_ns, const struct setting *settings, int fd)
{
	if (setns(user_ns, CLONE_NEWUSER) < 0)
		say(fd, -1, errno);
	for (int k = 0; k < NAMESPACE_KIND_MAX; k++) {
		int r = write_number(&settings[k]);

		if (r == 0)
			r = check_number(&settings[k]);
		if (r < 0)
			say(fd, k, -r);
	}
	say(fd, NAMESPACE_KIND_MAX, 0);
}

static int explain(const struct outcome *o, struct error **err)
{
	if (o->kind == NAMESPACE_KIND_MAX && o->error == 0)
		return 0;
	if (o->kind < 0)
		return error_set(err, o->error, "cannot enter its user namespace: %s",
				 strerror(o->error));
	if (o->error == ENOTSUP)
		return error_set(err, EPERM, "its number of %s namespaces is not limited as asked",
				 namespace_kind_to_string((enum namespace_kind)o->kind));
	return error_set(err, o->error, "cannot limit its number of %s namespaces: %s",
			 namespace_kind_to_string((enum namespace_kind)o->kind),
			 strerror(o->error));
}

int nested_limit(pid_t init, const uint32_t max[NAMESPACE_KIND_MAX], struct error **err)
{
	struct outcome o = { .kind = -1, .error = ECHILD };
	struct setting settings[NAMESPACE_KIND_MAX];
	_cleanup_close_ int user_ns = -EBADF, from = -EBADF, to = -EBADF;
	_cleanup_free_ char *path = xasprintf("/proc/%d/ns/user", init);
	int pair[2];
	pid_t child;

	for (enum namespace_kind k = 0; k < NAMESPACE_KIND_MAX; k++) {
		snprintf(settings[k].path, sizeof settings[k].path,
			 "/proc/sys/user/max_%s_namespaces", namespace_kind_to_string(k));
		snprintf(settings[k].number, sizeof settings[k].number, "%u\n", max[k]);
	}
	user_ns = open(path, O_RDONLY | O_CLOEXEC);
	if (user_ns < 0)
		return error_errno(err, "cannot open '%s'", path);
	if (pipe2(pair, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	from = pair[0];
	to = pair[1];
	child = fork();
	if (child < 0)
		return error_errno(err, "cannot fork");
	if (child == 0)
		enter_and_limit(user_ns, settings, to);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	to = close_fd(to);
	if (read(from, &o, sizeof o) != sizeof o)
		o = (struct outcome){ .kind = -1, .error = ECHILD };
	return explain(&o, err);
}
