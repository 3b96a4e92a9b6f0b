#include "box/tree.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/strv.h"
#include "box/devices.h"
#include "box/gate-mount.h"
#include "box/init-protocol.h"
#include "box/keep.h"

#define INIT_PROGRAM  VITRINE_EXEC_DIR "/vitrine-init"
#define TERMINALS_MAX "16"

/* Directories that every box needs over its image, whatever is in it. */
static const char *const standard_dirs[] = { "/proc", "/sys", "/dev",	  "/etc",
					     "/tmp",  "/run", "/var/tmp", "/.vitrine" };

/* Descriptors of the directories that a box's tree is made of. */
struct layers {
	int shared;   /* of the sandbox */
	int identity; /* of the box, as all below */
	int scratch;
	int root;
	int gate; /* the root of its file system; -EBADF: there is none */
};

static void layers_release(struct layers *l)
{
	close_fd(l->shared);
	close_fd(l->identity);
	close_fd(l->scratch);
	close_fd(l->root);
	close_fd(l->gate);
}

/* False with errno. A directory that is there, or cannot be, is left to whoever opens it. */
static bool make_dir(int dir, const char *name, uint32_t owner)
{
	if (mkdirat(dir, name, 0755) < 0)
		return errno == EEXIST || errno == EROFS;
	return owner == 0 || fchownat(dir, name, owner, owner, AT_SYMLINK_NOFOLLOW) == 0;
}

#define NOT_MADE UINT32_MAX /* an owner of nothing */

/* Opens the directory `path` beneath `base`, component by component; no link is followed. What is
 * missing is made and belongs to `owner`; with NOT_MADE, or on a read-only file system, it is an
 * error. */
static int open_beneath(int base, const char *path, uint32_t owner, int *ret_fd, struct error **err)
{
	_cleanup_free_ char *copy = xstrdup(path);
	_cleanup_close_ int fd = openat(base, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *state, *part;

	for (part = strtok_r(copy, "/", &state); part && fd >= 0;
	     part = strtok_r(NULL, "/", &state)) {
		int next;

		if (!strcmp(part, ".."))
			return error_set(err, EINVAL, "'%s' leaves the box", path);
		if (owner != NOT_MADE && !make_dir(fd, part, owner))
			return error_errno(err, "cannot make '%s' for the box", path);
		next = openat(fd, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close_fd(fd);
		fd = next;
	}
	if (fd < 0)
		return error_errno(err, "cannot open '%s' of the box", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* The directory that holds `path`, and the last component (points into path). */
static int open_parent(int base, const char *path, uint32_t owner, int *ret_fd,
		       const char **ret_name, struct error **err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent = xstrndup(path, (size_t)(slash - path));

	*ret_name = slash + 1;
	return open_beneath(base, parent, owner, ret_fd, err);
}

static int make_file(int base, const char *path, const char *content, mode_t mode,
		     struct error **err)
{
	_cleanup_close_ int parent = -EBADF, fd = -EBADF;
	const char *name;
	int r;

	r = open_parent(base, path, 0, &parent, &name, err);
	if (r < 0)
		return r;
	fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return error_errno(err, "cannot make '%s' for the box", path);
	r = fs_write_all(fd, content, strlen(content), err);
	if (r < 0)
		return error_prefix(err, "'%s' of the box", path);
	return 0;
}

/* A mount point: a directory, or an empty file for something that is not one. */
static int make_target(int base, const char *path, bool directory, uint32_t owner,
		       struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	const char *name;
	int r;

	if (directory)
		return open_beneath(base, path, owner, &fd, err);
	r = open_parent(base, path, owner, &fd, &name, err);
	if (r < 0)
		return r;
	if (mknodat(fd, name, S_IFREG | 0444, 0) < 0 && errno != EEXIST && errno != EROFS)
		return error_errno(err, "cannot make '%s' for the box", path);
	return 0;
}

/* What a mount shows, as a detached copy with its flags set (open_tree(2), mount_setattr(2)). */
static int clone_mount(int source, bool read_only, bool exec, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = open_tree(source, "",
					   AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    (read_only ? MOUNT_ATTR_RDONLY : 0) | (exec ? 0 : MOUNT_ATTR_NOEXEC),
		.propagation = MS_PRIVATE,
	};

	if (fd < 0)
		return error_errno(err, "cannot clone a mount");
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
		return error_errno(err, "cannot restrict a mount");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int attach_mount(int mount_fd, int base, const char *path, bool directory,
			struct error **err)
{
	_cleanup_close_ int parent = -EBADF, target = -EBADF;
	const char *name;
	int r;

	if (directory) {
		r = open_beneath(base, path, 0, &target, err);
		if (r < 0)
			return r;
	} else {
		r = open_parent(base, path, 0, &parent, &name, err);
		if (r < 0)
			return r;
		target = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (target < 0)
			return error_errno(err, "cannot open '%s' of the box", path);
	}
	if (move_mount(mount_fd, "", target, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_errno(err, "cannot mount '%s' in the box", path);
	return 0;
}

/* A scratch or shared directory; the first box that names a shared one makes it. */
static int make_owned_dir(int base, const struct box_mount *m, const char *name, int *ret_fd,
			  struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	uid_t owner = m->owner < 0 ? 0 : (uid_t)m->owner;
	bool made = mkdirat(base, name, 0700) == 0;
	int r;

	if (!made && errno != EEXIST)
		return error_errno(err, "cannot make directory '%s'", name);
	r = fs_open_dir(base, name, &fd, err);
	if (r < 0)
		return r;
	if (made && (fchown(fd, owner, owner) < 0 || fchmod(fd, m->mode) < 0))
		return error_errno(err, "cannot hand over directory '%s'", name);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int make_copy(int scratch, const struct box_mount *m, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = make_owned_dir(scratch, m, BOX_HOME_SCRATCH, &fd, err);
	if (r >= 0)
		r = keep_copy(m->name, fd, (uint32_t)m->owner, err);
	if (r >= 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}

/* Waits for vitrine-gate, which knows the grants of the plan before it answers anything. */
static int open_in_gate(int gate, const struct box_mount *m, int *ret_fd, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("/%s", m->name);
	_cleanup_close_ int parent = -EBADF;
	const char *name;
	int fd, r;

	r = open_parent(gate, path, NOT_MADE, &parent, &name, err);
	if (r < 0)
		return r;
	fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot open '%s' of the gate", m->name);
	*ret_fd = fd;
	return 0;
}

static int open_host(const char *path, int *ret_fd, struct error **err)
{
	int r = fs_open_beneath(AT_FDCWD, path, O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS, 0);

	if (r < 0)
		return error_set(err, -r, "cannot open '%s': %s", path, strerror(-r));
	*ret_fd = r;
	return 0;
}

static int open_source(const struct layers *l, const struct box_mount *m, int *ret_fd,
		       struct error **err)
{
	switch (m->source) {
	case MOUNT_SCRATCH:
		return make_owned_dir(l->scratch, m, m->name, ret_fd, err);
	case MOUNT_SHARED:
		return make_owned_dir(l->shared, m, m->name, ret_fd, err);
	case MOUNT_HOST:
		return open_host(m->name, ret_fd, err);
	case MOUNT_GATE:
		return open_in_gate(l->gate, m, ret_fd, err);
	case MOUNT_KEPT:
		return keep_open(m->name, (uint32_t)m->owner, ret_fd, err);
	case MOUNT_COPY:
		return make_copy(l->scratch, m, ret_fd, err);
	}
	return error_set(err, EPROTO, "unknown kind of mount");
}

static int is_directory(int fd, bool *ret, struct error **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(err, "cannot stat a mount");
	*ret = S_ISDIR(st.st_mode);
	return 0;
}

/* Above what is given the application finds directories of its own; the others are not for it. */
static uint32_t owner_above(const struct box_mount *m)
{
	return m->source == MOUNT_HOST || m->source == MOUNT_GATE || m->source == MOUNT_KEPT
		       ? (uint32_t)m->owner
		       : 0;
}

static int make_mount(const struct layers *l, const struct box_mount *m, struct error **err)
{
	_cleanup_close_ int source = -EBADF, clone = -EBADF;
	bool directory;
	int r;

	r = open_source(l, m, &source, err);
	if (r < 0)
		return r;
	r = is_directory(source, &directory, err);
	if (r < 0)
		return r;
	r = clone_mount(source, m->read_only, m->exec, &clone, err);
	if (r < 0)
		return error_prefix(err, "'%s'", m->name);
	r = make_target(l->root, m->target, directory, owner_above(m), err);
	if (r < 0)
		return r;
	return attach_mount(clone, l->root, m->target, directory, err);
}

static int target_is_directory(const struct box_mount *m, bool *ret, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	*ret = !m->file;
	if (m->source != MOUNT_HOST)
		return 0;
	r = open_host(m->name, &fd, err);
	return r < 0 ? r : is_directory(fd, ret, err);
}

static int fill_identity(const struct job *j, int identity, struct error **err)
{
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(standard_dirs); i++) {
		r = make_target(identity, standard_dirs[i], true, 0, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < j->box.n_mounts; i++) {
		bool directory;

		r = target_is_directory(&j->box.mounts[i], &directory, err);
		if (r < 0)
			return r;
		r = make_target(identity, j->box.mounts[i].target, directory, 0, err);
		if (r < 0)
			return r;
	}
	r = make_target(identity, INIT_PATH, false, 0, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < j->box.n_files; i++) {
		const struct box_file *f = &j->box.files[i];

		r = make_file(identity, f->path, f->content, f->mode, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Layers are named by descriptor: no character of a path can be taken for an option. `userxattr` is
 * what an unprivileged overlay needs to remove and rename directories of the image. */
static int mount_overlay(const struct job *j, int box_dir, const char *lower, struct error **err)
{
	_cleanup_free_ char *target = xasprintf("/proc/self/fd/%d/root", box_dir), *options = NULL;
	unsigned long flags = MS_NOSUID | MS_NODEV;

	if (j->box.root_writable) {
		options = xasprintf("%s,upperdir=/proc/self/fd/%d/upper,"
				    "workdir=/proc/self/fd/%d/work,userxattr",
				    lower, box_dir, box_dir);
	} else {
		options = xasprintf("%s,userxattr", lower);
		flags |= MS_RDONLY;
	}
	if (mount("vitrine", target, "overlay", flags, options) < 0)
		return error_errno(err, "cannot mount the root of the box");
	return 0;
}

static int mount_root(const struct job *j, int box_dir, int identity, struct error **err)
{
	size_t n = strv_length(j->box.image_layers), open_layers = 0;
	_cleanup_free_ int *layers = xcalloc(n, sizeof *layers);
	_cleanup_buf_ struct buf lower = { 0 };
	int r = 0;

	buf_addf(&lower, "lowerdir=/proc/self/fd/%d", identity);
	for (; r == 0 && open_layers < n; open_layers += r == 0) {
		int *fd = &layers[open_layers];

		*fd = open(j->box.image_layers[open_layers], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (*fd < 0)
			r = error_errno(err, "cannot open image directory '%s'",
					j->box.image_layers[open_layers]);
		else
			buf_addf(&lower, ":/proc/self/fd/%d", *fd);
	}
	if (r == 0)
		r = mount_overlay(j, box_dir, lower.data, err);
	while (open_layers > 0)
		close_fd(layers[--open_layers]);
	return r;
}

static int make_layers(const struct job *j, struct layers *l, int *ret_box_dir, struct error **err)
{
	static const char *const parts[] = {
		"identity", "scratch", "upper", "work", "root", "gate"
	};
	_cleanup_close_ int tree = -EBADF, box_dir = -EBADF;
	int r;

	r = fs_open_dir(AT_FDCWD, j->tree, &tree, err);
	if (r < 0)
		return r;
	r = fs_open_dir(tree, "shared", &l->shared, err);
	if (r < 0)
		return r;
	if (mkdirat(tree, box_kind_to_string(j->box.kind), 0711) < 0)
		return error_errno(err, "cannot make the directory of the box");
	r = fs_open_dir(tree, box_kind_to_string(j->box.kind), &box_dir, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (mkdirat(box_dir, parts[i], 0755) < 0)
			return error_errno(err, "cannot make '%s' of the box", parts[i]);
	r = fs_open_dir(box_dir, "identity", &l->identity, err);
	if (r < 0)
		return r;
	r = fs_open_dir(box_dir, "scratch", &l->scratch, err);
	if (r < 0)
		return r;
	*ret_box_dir = TAKE_FD(box_dir);
	return 0;
}

static int mount_init(int root, struct error **err)
{
	_cleanup_close_ int program = open(INIT_PROGRAM, O_PATH | O_NOFOLLOW | O_CLOEXEC),
			    clone = -EBADF;
	int r;

	if (program < 0)
		return error_errno(err, "cannot open '%s'", INIT_PROGRAM);
	r = clone_mount(program, true, true, &clone, err);
	if (r < 0)
		return r;
	return attach_mount(clone, root, INIT_PATH, false, err);
}

/* Pseudo-terminals of the box's own. Their group is "tty" (5) inside: the slice's third id. */
static int mount_terminals(int root, const struct slice *slice, struct error **err)
{
	_cleanup_free_ char *group = xasprintf("%u", slice->first + 2);
	const struct {
		const char *name, *value;
	} options[] = {
		{ "gid", group },
		{ "max", TERMINALS_MAX },
		{ "mode", "0620" },
		{ "ptmxmode", "0666" },
	};
	_cleanup_close_ int fs = fsopen("devpts", FSOPEN_CLOEXEC), mount_fd = -EBADF;

	for (size_t i = 0; i < ARRAY_SIZE(options) && fs >= 0; i++)
		if (fsconfig(fs, FSCONFIG_SET_STRING, options[i].name, options[i].value, 0) < 0)
			return error_errno(err, "cannot configure the terminals of the box");
	if (fs >= 0 && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mount_fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (mount_fd < 0)
		return error_errno(err, "cannot make the terminals of the box");
	return attach_mount(mount_fd, root, "/dev/pts", true, err);
}

/* With the mounts in it. */
static int mount_devices(int root, const struct slice *slice, struct error **err)
{
	_cleanup_close_ int clone = open_tree(AT_FDCWD, DEVICES_DIR,
					      AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int r;

	if (clone < 0)
		return error_errno(err, "cannot clone the /dev of the boxes");
	r = attach_mount(clone, root, "/dev", true, err);
	if (r < 0)
		return r;
	return mount_terminals(root, slice, err);
}

/* Opened again: what was opened before the mount is the directory beneath it. */
static int mount_gate(int box_dir, int socket, int *ret_root, struct error **err)
{
	_cleanup_close_ int at = -EBADF;
	int root, r;

	r = fs_open_dir(box_dir, "gate", &at, err);
	if (r < 0)
		return r;
	r = gate_mount(at, socket, err);
	if (r < 0)
		return r;
	root = openat(box_dir, "gate", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return error_errno(err, "cannot open the gate");
	*ret_root = root;
	return 0;
}

int tree_make(const struct job *j, int gate, struct error **err)
{
	_cleanup_(layers_release) struct layers l = { -EBADF, -EBADF, -EBADF, -EBADF, -EBADF };
	_cleanup_close_ int box_dir = -EBADF;
	int r;

	r = make_layers(j, &l, &box_dir, err);
	if (r < 0)
		return r;
	r = fill_identity(j, l.identity, err);
	if (r < 0)
		return r;
	r = mount_root(j, box_dir, l.identity, err);
	if (r < 0)
		return r;
	r = fs_open_dir(box_dir, "root", &l.root, err);
	if (r < 0)
		return r;
	r = mount_init(l.root, err);
	if (r < 0)
		return r;
	r = mount_devices(l.root, &j->box.slice, err);
	if (r < 0)
		return r;
	r = gate < 0 ? 0 : mount_gate(box_dir, gate, &l.gate, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < j->box.n_mounts; i++) {
		r = make_mount(&l, &j->box.mounts[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}
