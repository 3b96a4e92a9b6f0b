#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "box/box-private.h"
#include "box/label.h"
#include "box/nested.h"

#define PROC_FILE_MAX 65536U

static int read_proc(pid_t pid, const char *name, char **ret, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/%s", pid, name);

	return fs_read(AT_FDCWD, path, PROC_FILE_MAX, ret, NULL, err);
}

static int read_user_ns(pid_t pid, char **ret, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/ns/user", pid);
	char name[64] = "";

	if (readlink(path, name, sizeof name - 1) < 0)
		return error_errno(err, "cannot read '%s'", path);
	*ret = xstrdup(name);
	return 0;
}

/* The ids as the kernel shows them here: the holder's base plus the slice; with UidMode=user those
 * of this process. */
static int learn_ids(struct box *b, const struct box_plan *plan, struct error **err)
{
	static const char *const maps[] = { "uid_map", "gid_map" };
	const uint32_t inside[] = { plan->uid, plan->gid }, own[] = { getuid(), getgid() };
	uint32_t outside[2];

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		_cleanup_free_ char *session = NULL, *of_box = NULL;
		uint32_t base;
		int r;

		r = read_proc(b->monitor.pid, maps[i], &session, err);
		if (r < 0)
			return r;
		r = id_map_base(session, &base, err);
		if (r < 0)
			return r;
		r = read_proc(b->init_pid, maps[i], &of_box, err);
		if (r < 0)
			return r;
		outside[i] = plan->user == OWNER_USER ? own[i] : base + plan->user;
		r = id_map_check(of_box, maps[i], inside[i], outside[i], base + plan->slice.first,
				 err);
		if (r < 0)
			return r;
	}
	b->confinement.uid = outside[0];
	b->confinement.gid = outside[1];
	return 0;
}

int box_verify_process(struct box *b, pid_t pid, uint32_t filters, struct error **err)
{
	_cleanup_free_ char *status = NULL, *user_ns = NULL;
	struct confinement want = b->confinement;
	int r;

	want.filters = filters;
	r = read_proc(pid, "status", &status, err);
	if (r < 0)
		return r;
	r = confinement_check(status, &want, err);
	if (r < 0)
		return r;
	r = b->label ? label_verify(pid, b->label, err) : 0;
	if (r < 0)
		return r;
	r = read_user_ns(pid, &user_ns, err);
	if (r < 0)
		return r;
	if (strcmp(user_ns, b->user_ns))
		return error_set(err, EPERM, "it is in another user namespace than its box");
	return 0;
}

int box_verify(struct box *b, const struct box_plan *plan, struct error **err)
{
	_cleanup_free_ char *session_ns = NULL;
	int r;

	r = learn_ids(b, plan, err);
	if (r < 0)
		return r;
	r = read_user_ns(b->init_pid, &b->user_ns, err);
	if (r < 0)
		return r;
	r = read_user_ns(b->monitor.pid, &session_ns, err);
	if (r < 0)
		return r;
	if (!strcmp(b->user_ns, session_ns))
		return error_set(err, EPERM, "the box has no user namespace of its own");
	r = nested_limit(b->init_pid, plan->namespaces, err);
	if (r < 0)
		return r;
	return box_verify_process(b, b->init_pid, 1, err);
}
