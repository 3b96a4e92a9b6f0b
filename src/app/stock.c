#include "app/stock.h"

#include <fcntl.h>
#include <string.h>
#include <sys/random.h>

#include "app/fragments.h"
#include "base/fs.h"
#include "base/sha256.h"
#include "base/strv.h"
#include "base/subid.h"
#include "emit/lxc-seccomp.h"
#include "emit/lxc-stock.h"
#include "emit/policy-load.h"
#include "emit/policy-profile.h"
#include "image/names.h"
#include "image/store.h"

#define SUB_IDS (LXC_STOCK_USERS + 2 * LXC_STOCK_COUNT)

/* What a profile may ask for, and why not here. */
typedef bool asked_fn(const struct profile *p);

struct wish {
	asked_fn *is_asked;
	const char *text;
};

static bool always(const struct profile *p)
{
	return p;
}

static bool windows(const struct profile *p)
{
	return p->display != DISPLAY_NONE;
}

static bool sound(const struct profile *p)
{
	return p->playback;
}

static bool network(const struct profile *p)
{
	return p->network != NETWORK_NONE;
}

static bool files(const struct profile *p)
{
	return p->file_arguments != FILE_ARGUMENTS_NONE || p->read_only || p->read_write;
}

static bool writable_root(const struct profile *p)
{
	return p->root == ROOT_WRITABLE;
}

static bool own_uid(const struct profile *p)
{
	return p->uid_mode == UID_USER;
}

static bool apparmor(const struct profile *p)
{
	return p->apparmor_required;
}

static bool limits(const struct profile *p)
{
	return p->limits_required;
}

static const struct wish refused[] = {
	{ writable_root, "Root=writable" },
	{ own_uid, "UidMode=user" },
	{ apparmor, "Required=yes of [AppArmor]" },
	{ limits, "Required=yes of [Limits]" },
};

static const struct wish left_out[] = {
	{ windows, "windows: the X server and the viewer are vitrine's" },
	{ sound, "sound" },
	{ network, "the network" },
	{ files, "files of yours: the gate is vitrine's" },
	{ always, "limits on memory, tasks, processor and disk traffic; Disk= and Inodes= are "
		  "shared out equally" },
};

static int check_wishes(const struct profile *p, struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (refused[i].is_asked(p))
			return error_set(err, ENOTSUP,
					 "profile '%s' has %s, which the stock tools of LXC cannot "
					 "do: use 'vitrine run'",
					 p->name, refused[i].text);
	return 0;
}

/* What of the profile, and then what of the policy. */
static char **list_left_out(const struct profile *p, char *const *differences)
{
	char **list = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(left_out); i++)
		if (left_out[i].is_asked(p))
			strv_addf(&list, "left out: %s", left_out[i].text);
	for (; differences && *differences; differences++)
		strv_addf(&list, "left out: %s", *differences);
	return list;
}

/* --- the directory over the image --------------------------------------------- */

static int make_dirs(int root, const char *path, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *copy = xstrdup(path);
	char *state, *part;

	if (fd < 0)
		return error_errno(err, "cannot open the container's directory");
	for (part = strtok_r(copy, "/", &state); part; part = strtok_r(NULL, "/", &state)) {
		int next, r = fs_make_dir(fd, part, 0755, &next, err);

		if (r < 0)
			return r;
		close_fd(fd);
		fd = next;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int make_file(int root, const struct box_file *f, struct error **err)
{
	const char *slash = strrchr(f->path, '/');
	_cleanup_free_ char *parent = xstrndup(f->path, (size_t)(slash - f->path));
	_cleanup_close_ int dir = -EBADF;
	int r;

	r = make_dirs(root, parent, &dir, err);
	return r < 0 ? r : fs_write(dir, slash + 1, f->content, strlen(f->content), f->mode, err);
}

static bool any(const char *name)
{
	return name;
}

/* Nothing that is there may be taken for ours, a link least of all. */
static int open_empty(const char *path, int *ret_fd, struct error **err)
{
	_cleanup_strv_ char **names = NULL;
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = fs_open_dir(AT_FDCWD, path, &fd, err);
	if (r < 0)
		return r;
	r = names_in(fd, ".", any, &names, err);
	if (r < 0)
		return r;
	if (names && *names)
		return error_set(err, ENOTEMPTY, "directory '%s' is not empty", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* What lxc-start starts (lxc-configs/stock.conf); dash waits for processes that are not its own,
 * too. */
static const struct box_file waiting_init = {
	.path = (char *)BOX_INIT,
	.content = (char *)"#!/bin/sh\nsleep infinity &\nwait\n",
	.mode = 0755,
};

#define POLICY "/.vitrine/seccomp" /* in the directory that lies over the image */

/* What may be called, in the words of liblxc; and what these cannot say. */
static int make_policy(const struct profile *p, const char *rootfs, char ***ret_left_out,
		       struct error **err)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	_cleanup_close_ int dir = -EBADF, root = -EBADF;
	_cleanup_free_ char *text = NULL;
	struct box_file file = { .path = (char *)POLICY, .mode = 0644 };
	int r;

	r = fs_open_dir(AT_FDCWD, VITRINE_DATA_DIR "/seccomp-policies", &dir, err);
	if (r >= 0)
		r = policy_load(dir, p->seccomp_policy, &policy, err);
	if (r >= 0)
		r = policy_apply(policy, p, err);
	if (r >= 0)
		r = seccomp_render_lxc(policy, &text, ret_left_out, err);
	if (r >= 0)
		r = fs_open_dir(AT_FDCWD, rootfs, &root, err);
	if (r < 0)
		return r;
	file.content = text;
	return make_file(root, &file, err);
}

/* Mount points, and who the container is: the image is not writable, and may have links there. */
static int fill_rootfs(const struct box_plan *b, const char *path, struct error **err)
{
	static const char *const standard[] = { "/dev", "/proc", "/sys" };
	_cleanup_close_ int root = -EBADF;
	int r;

	r = open_empty(path, &root, err);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(standard); i++) {
		_cleanup_close_ int fd = -EBADF;

		r = make_dirs(root, standard[i], &fd, err);
	}
	for (size_t i = 0; r >= 0 && i < b->n_mounts; i++) {
		_cleanup_close_ int fd = -EBADF;

		if (b->mounts[i].source == MOUNT_SCRATCH)
			r = make_dirs(root, b->mounts[i].target, &fd, err);
	}
	for (size_t i = 0; r >= 0 && i < b->n_files; i++)
		if (strcmp(b->files[i].path, BOX_BOOT_ID_FILE) != 0)
			r = make_file(root, &b->files[i], err);
	return r < 0 ? r : make_file(root, &waiting_init, err);
}

/* --- the configuration --------------------------------------------------------- */

/* The same directory has the same number; another one has another, most likely. */
static uint32_t choose_number(const char *rootfs)
{
	_cleanup_free_ char *digest = sha256_hex(rootfs, strlen(rootfs));
	uint32_t n = 0;

	for (size_t i = 0; i < 4; i++)
		n = n << 4 | (uint32_t)(strchr("0123456789abcdef", digest[i]) - "0123456789abcdef");
	return n % LXC_STOCK_COUNT;
}

/* Of the profile as it is without what is left out. */
static int make_plan(const struct profile *p, const struct facts *facts, char *const *arguments,
		     const struct image *image, struct plan **ret, struct error **err)
{
	struct profile without = *p;
	struct host_facts host = facts->host;
	const struct run_request request = {
		.arguments = arguments,
	};
	struct plan_inputs in = {
		.id = p->name,
		.slices = { [BOX_APP] = { 0, SLICE_FIRST } },
		.image_layers = { [BOX_APP] = image->roots },
	};

	without.single_instance = false;
	without.display = DISPLAY_NONE;
	without.network = NETWORK_NONE;
	without.playback = false;
	host.apparmor = false;
	host.cgroup_way = CGROUP_NONE;
	host.controllers = 0;
	if (getrandom(in.machine_id, sizeof in.machine_id, 0) != sizeof in.machine_id)
		return error_errno(err, "cannot get random bytes");
	return plan_make(&without, &request, &host, &in, ret, err);
}

int stock_root_find(struct stock_root *ret, struct error **err)
{
	int r = subid_find("/etc/subuid", SUB_IDS, &ret->uid, err);

	if (r >= 0)
		r = subid_find("/etc/subgid", SUB_IDS, &ret->gid, err);
	if (r < 0)
		return r;
	ret->uid += LXC_STOCK_ROOT;
	ret->gid += LXC_STOCK_ROOT;
	return 0;
}

static int render(const struct plan *plan, const char *rootfs, char **ret, struct error **err)
{
	const char *names[LXC_FRAGMENTS_MAX + 1];
	_cleanup_free_ char *fragments = NULL, *policy = xasprintf("%s" POLICY, rootfs);
	struct stock_root root = { 0 };
	struct lxc_stock in = {
		.rootfs = rootfs,
		.seccomp_profile = policy,
		.disk = plan->disk,
		.inodes = plan->inodes,
		.command = plan->command,
		.number = choose_number(rootfs),
	};
	int r;

	r = stock_root_find(&root, err);
	if (r < 0)
		return r;
	in.first_uid = root.uid - LXC_STOCK_ROOT;
	in.first_gid = root.gid - LXC_STOCK_ROOT;
	lxc_stock_fragments(names);
	r = fragments_read(names, &fragments, err);
	if (r < 0)
		return r;
	in.fragments = fragments;
	return lxc_stock_render(&plan->boxes[BOX_APP], &in, ret, err);
}

void stock_release(struct stock *s)
{
	free(s->config);
	strv_free(s->notes);
	strv_free(s->layers);
	*s = (struct stock){ 0 };
}

int stock_make(const struct permit *permit, const struct facts *facts, char *const *arguments,
	       const char *rootfs, struct stock *ret, struct error **err)
{
	_cleanup_(image_release) struct image image = IMAGE_NONE;
	_cleanup_(stock_release) struct stock made = { 0 };
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_cleanup_strv_ char **differences = NULL;
	const struct profile *p = permit_profile(permit);
	int r;

	r = check_wishes(p, err);
	if (r < 0)
		return r;
	r = image_open(facts->home, plan_image(p, BOX_APP), &image, err);
	if (r < 0)
		return r;
	r = make_plan(p, facts, arguments, &image, &plan, err);
	if (r < 0)
		return r;
	r = render(plan, rootfs, &made.config, err);
	if (r < 0)
		return r;
	r = fill_rootfs(&plan->boxes[BOX_APP], rootfs, err);
	if (r >= 0)
		r = make_policy(p, rootfs, &differences, err);
	if (r < 0)
		return r;
	made.notes = list_left_out(p, differences);
	made.layers = strv_copy(image.roots);
	*ret = made;
	made = (struct stock){ 0 };
	return 0;
}
