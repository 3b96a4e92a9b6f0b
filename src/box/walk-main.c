/*
 * vitrine-walk: looks at what a box has written, or removes it (box/walk.h). It joins the holder's
 * user namespace alone, becomes root there, and gives up everything but the right to read what
 * belongs to its ids, or to remove it. It sees the host's mounts, and reaches what its order names.
 */

#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/text.h"
#include "box/session-root.h"
#include "box/walk.h"

#define LEFT_SHOWN 20U
#define SHOWN_MAX  300

#define MEMORY_MAX (2ULL << 30)

static unsigned n_left;

static void on_left(void *user, const char *name, const char *why)
{
	_cleanup_free_ char *shown = text_escape(name, SHOWN_MAX);

	(void)user;
	if (n_left++ < LEFT_SHOWN)
		dprintf(STDERR_FILENO, "left out '%s': %s\n", shown, why);
}

static int become_root(const struct walk_order *o, struct error **err)
{
	const uint32_t reading = 1U << CAP_DAC_READ_SEARCH,
		       removing = reading | 1U << CAP_DAC_OVERRIDE | 1U << CAP_FOWNER;
	const struct session_root root = {
		.user_ns = WALK_USER_NS,
		.supervisor = o->supervisor,
		.capabilities = o->verb == WALK_REMOVE ? removing : reading,
		.memory = MEMORY_MAX,
		.files = 2 * WALK_DEPTH_MAX,
	};

	return session_root_become(&root, err);
}

static int run(struct error **err)
{
	_cleanup_(walk_order_release) struct walk_order o = { 0 };
	_cleanup_free_ char *data = NULL;
	int bases[WALK_BASES_MAX], r;
	size_t size;

	for (int i = 0; i < (int)WALK_BASES_MAX; i++)
		bases[i] = WALK_BASES + i;
	r = fs_read_fd(WALK_ORDER, WALK_ORDER_MAX, &data, &size, err);
	if (r >= 0)
		r = walk_order_read(data, size, &o, err);
	if (r >= 0)
		r = become_root(&o, err);
	if (r < 0)
		return r;
	umask(077);
	return walk_run(&o, bases, o.has_snapshot ? WALK_OLD : -EBADF, STDOUT_FILENO, on_left, NULL,
			err);
}

int main(void)
{
	_cleanup_(error_freep) struct error *error = NULL;
	int r;

	for (int fd = WALK_ORDER; fd < WALK_INHERITED_END; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return 2;
	r = run(&error);
	if (n_left > LEFT_SHOWN)
		dprintf(STDERR_FILENO, "left out %u more\n", n_left - LEFT_SHOWN);
	if (r >= 0)
		return 0;
	dprintf(STDERR_FILENO, "%s\n", error->message);
	return 1;
}
