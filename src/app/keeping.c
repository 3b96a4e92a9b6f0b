#include "app/keeping.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "app/control-client.h"
#include "base/text.h"
#include "session/given.h"

int keeping_begin(struct keeping *k, const char *to, struct error **err)
{
	int r;

	r = facts_gather(&k->facts, err);
	if (r >= 0)
		r = protection_gather(k->facts.home, &k->protection, err);
	if (r < 0 || !to)
		return r;
	k->to = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (k->to < 0) {
		int code = errno;
		_cleanup_free_ char *shown = text_escape(to, strlen(to));

		errno = code;
		return error_errno(err, "cannot open the directory '%s'", shown);
	}
	return 0;
}

void keeping_release(struct keeping *k)
{
	close_fd(k->to);
	close_fd(k->control);
	free(k->name);
	protection_release(&k->protection);
	facts_release(&k->facts);
}

/* In its shortest form: what is in the home may be named from there, with or without "~/". */
static int absolute(const struct keeping *k, const char *word, char **ret, struct error **err)
{
	const char *rest = !strncmp(word, "~/", 2) ? word + 2 : word;
	_cleanup_free_ char *path = *rest == '/' ? xstrdup(rest)
						 : xasprintf("%s/%s", k->facts.home, rest);
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		path[--n] = '\0';
	if (n >= PATH_MAX || !path_is_shortest(path))
		return error_set(err, EINVAL, "name it without '.', '..' and doubled slashes");
	*ret = TAKE_PTR(path);
	return 0;
}

static bool is_in_home(const struct keeping *k, const char *path)
{
	size_t n = strlen(k->facts.home);

	return !strncmp(path, k->facts.home, n) && path[n] == '/';
}

static int start(void *user, int out, struct error **err)
{
	struct keeping *k = user;
	char *const paths[] = { (char *)k->path, NULL }, *const names[] = { k->name, NULL };
	const struct control_archive a = {
		.paths = paths,
		.names = names,
		.bytes_max = k->bytes_max,
		.out = out,
	};

	return control_archive(k->control, &a, err);
}

static int finish(void *user, char **ret_left_out, struct error **err)
{
	return control_walked(((struct keeping *)user)->control, ret_left_out, err);
}

static char *show_place(int dir, const char *name)
{
	_cleanup_free_ char *link = xasprintf("/proc/self/fd/%d", dir);
	char path[PATH_MAX] = "";

	if (readlink(link, path, sizeof path - 1) < 0)
		return xstrdup(name);
	return xasprintf("%s/%s", strcmp(path, "/") ? path : "", name);
}

/* Before a directory is made on the way there. */
static int open_place(struct keeping *k, const char *path, int *ret_fd, struct error **err)
{
	_cleanup_free_ char *real = xasprintf("%s%s", k->protection.home,
					      path + strlen(k->facts.home));
	int r;

	r = protected_check(&k->protection, real, false, err);
	return r < 0 ? r : taking_open_parent(k->facts.home, path, ret_fd, err);
}

int keeping_keep(struct keeping *k, const char *word, char **ret_path, char **ret_left_out,
		 struct error **err)
{
	_cleanup_close_ int parent = -EBADF;
	_cleanup_free_ char *path = NULL;
	struct taking t = {
		.force = k->force,
		.protection = &k->protection,
		.start = start,
		.finish = finish,
		.user = k,
	};
	int r;

	*ret_left_out = NULL;
	r = absolute(k, word, &path, err);
	if (r < 0)
		return r;
	if (k->to < 0 && !is_in_home(k, path))
		return error_set(err, EINVAL, "it does not lie in the home: say where with --to");
	t.name = strrchr(path, '/') + 1;
	/* One connection each, as for what is shared. */
	close_fd(k->control);
	k->control = -EBADF;
	r = control_connect(k->sandbox, &k->control, NULL, err);
	if (r >= 0 && k->to < 0)
		r = open_place(k, path, &parent, err);
	if (r < 0)
		return r;
	free(k->name);
	k->name = xasprintf(TAKING_DIR "/%s", t.name);
	k->path = path;
	t.parent = k->to < 0 ? parent : k->to;
	r = taking_run(&t, ret_left_out, err);
	if (r >= 0)
		*ret_path = show_place(t.parent, t.name);
	return r;
}
