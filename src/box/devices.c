#include "box/devices.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

static const char *const nodes[] = { "full", "null", "random", "tty", "urandom", "zero" };
static const char *const places[] = { "pts", "shm" };
static const struct {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" },	 { "ptmx", "pts/ptmx" },
	{ "stderr", "/proc/self/fd/2" }, { "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },
};

/* A device node cannot be made without being the host's root: the host's own is mounted over a
 * file. */
static int bind_node(int dir, const char *name, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("/dev/%s", name);
	_cleanup_close_ int node = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
				   .propagation = MS_PRIVATE };

	if (node < 0 || mount_setattr(node, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
		return error_errno(err, "cannot take '%s' into the boxes", path);
	if (mknodat(dir, name, S_IFREG | 0444, 0) < 0 ||
	    move_mount(node, "", dir, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_errno(err, "cannot mount '%s' for the boxes", path);
	return 0;
}

static int fill(int dir, struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		int r = bind_node(dir, nodes[i], err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (mkdirat(dir, places[i], 0755) < 0)
			return error_errno(err, "cannot make /dev/%s for the boxes", places[i]);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlinkat(links[i].target, dir, links[i].name) < 0)
			return error_errno(err, "cannot make /dev/%s for the boxes", links[i].name);
	return 0;
}

int devices_make(struct error **err)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
	_cleanup_close_ int dir = -EBADF;
	int r;

	if (mkdir(DEVICES_DIR, 0755) < 0 ||
	    mount("vitrine", DEVICES_DIR, "tmpfs", MS_NOSUID | MS_NOEXEC,
		  "size=64k,nr_inodes=32,mode=0755") < 0)
		return error_errno(err, "cannot make the /dev of the boxes");
	dir = open(DEVICES_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_errno(err, "cannot open the /dev of the boxes");
	r = fill(dir, err);
	if (r < 0)
		return r;
	if (mount_setattr(dir, "", AT_EMPTY_PATH, &read_only, sizeof read_only) < 0)
		return error_errno(err, "cannot make the /dev of the boxes read-only");
	return 0;
}
