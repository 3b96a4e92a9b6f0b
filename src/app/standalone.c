#include "app/standalone.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/spawn.h"
#include "base/strv.h"

#define DIR_NAME   "/.local/share/vitrine/standalone"
#define USERNSEXEC "/usr/bin/lxc-usernsexec" /* a stock tool, too: lxc-usernsexec(1) */
#define OUTPUT_MAX 4096U

/* Runs a command as root of a user namespace: as the user with the container's root as number 1, or
 * as the container's root alone. Returns its exit status. */
static int run_mapped(const struct stock_root *root, bool as_user, char *const *command,
		      char **ret_output, struct error **err)
{
	_cleanup_strv_ char **argv = NULL;
	struct spawn s = { .path = USERNSEXEC };
	int status, r;

	strv_add(&argv, USERNSEXEC);
	if (as_user) {
		strv_addf(&argv, "-mu:0:%u:1", getuid());
		strv_addf(&argv, "-mg:0:%u:1", getgid());
	}
	strv_addf(&argv, "-mu:%d:%u:1", as_user, root->uid);
	strv_addf(&argv, "-mg:%d:%u:1", as_user, root->gid);
	strv_add(&argv, "--");
	strv_add_all(&argv, command);
	s.argv = argv;
	if (access(USERNSEXEC, X_OK) < 0)
		return error_set(err, ENOENT,
				 "there is no " USERNSEXEC ": install the stock tools of LXC (sudo "
				 "apt install lxc)");
	r = spawn_collect(&s, OUTPUT_MAX, ret_output, &status, err);
	return r < 0 ? r : status_to_exit_code(status);
}

static int change(const struct stock_root *root, char *const *command, struct error **err)
{
	_cleanup_free_ char *output = NULL;
	int r = run_mapped(root, true, command, &output, err);

	if (r > 0)
		return error_set(err, EIO, "'%s' failed in a namespace of your subordinate ids",
				 command[0]);
	return r;
}

/* --- the directory -------------------------------------------------------------- */

struct place {
	int base;   /* owned; locked */
	char *path; /* BASE/PROFILE */
	char *root; /* BASE/PROFILE/rootfs */
	char *work; /* BASE/PROFILE/work, which an overlay of liblxc's wants beside it */
};

#define PLACE_NONE ((struct place){ .base = -EBADF })

static void place_release(struct place *p)
{
	close_fd(p->base);
	free(p->path);
	free(p->root);
	free(p->work);
}

/* Others may pass: the container's root is one of them, and there are no secrets. */
static int place_open(const struct facts *facts, const char *name, struct place *ret,
		      struct error **err)
{
	_cleanup_free_ char *base = xasprintf("%s" DIR_NAME, facts->home);
	int r = fs_make_path(base, 0711, &ret->base, err);

	if (r < 0)
		return r;
	ret->path = xasprintf("%s/%s", base, name);
	ret->root = xasprintf("%s/rootfs", ret->path);
	ret->work = xasprintf("%s/work", ret->path);
	if (flock(ret->base, LOCK_EX) < 0)
		return error_errno(err, "cannot lock '%s'", base);
	return 0;
}

static int make_dir(const char *path, struct error **err)
{
	if (mkdir(path, 0755) < 0)
		return error_errno(err, "cannot make '%s'", path);
	return 0;
}

static int place_remove(const struct place *p, const struct stock_root *root, struct error **err)
{
	char *const command[] = { (char *)"rm", (char *)"-rf", (char *)"--one-file-system",
				  (char *)"--", p->path,       NULL };
	struct stat st;

	return lstat(p->path, &st) < 0 ? 0 : change(root, command, err);
}

static int place_give(const struct place *p, const struct stock_root *root, struct error **err)
{
	char *const command[] = { (char *)"chown", (char *)"-Rh", (char *)"1:1", (char *)"--",
				  p->root,	   p->work,	  NULL };

	return change(root, command, err);
}

/* --- the way there ---------------------------------------------------------------- */

/* Of the directories above `path`, those of the user's that others may not pass. */
static void add_closed(char ***list, const char *path)
{
	_cleanup_free_ char *dir = xstrdup(path);
	struct stat st;
	char *slash;

	while ((slash = strrchr(dir, '/')) && slash != dir) {
		*slash = '\0';
		if (stat(dir, &st) == 0 && st.st_uid == getuid() && !(st.st_mode & S_IXOTH) &&
		    !strv_contains(*list, dir))
			strv_add(list, dir);
	}
}

/* Can the container's root come to all of it? Whoever knows ACLs is asked: the kernel. */
static int look_at_way(const struct place *p, const struct stock_root *root, struct stock *s,
		       struct error **err)
{
	static const char *const test[] = { "sh", "-c", "for d; do test -x \"$d\" || exit 1; done",
					    "sh", NULL };
	_cleanup_strv_ char **command = strv_copy((char *const *)test), **closed = NULL;
	_cleanup_free_ char *output = NULL, *all = NULL;
	int r;

	strv_add(&command, p->root);
	strv_add_all(&command, s->layers);
	r = run_mapped(root, false, command, &output, err);
	if (r <= 0)
		return r;
	add_closed(&closed, p->root);
	for (char **layer = s->layers; *layer; layer++)
		add_closed(&closed, *layer);
	all = strv_join(closed, " ");
	strv_addf(&s->notes,
		  "the container's root may not enter where its files are, so let it: setfacl -m "
		  "u:%u:x %s",
		  root->uid, all);
	return 0;
}

static int fill(const struct permit *permit, const struct facts *facts, char *const *arguments,
		const struct place *p, const struct stock_root *root, struct stock *ret,
		struct error **err)
{
	int r = make_dir(p->path, err);

	if (r >= 0)
		r = make_dir(p->root, err);
	if (r >= 0)
		r = make_dir(p->work, err);
	if (r >= 0)
		r = stock_make(permit, facts, arguments, p->root, ret, err);
	if (r >= 0)
		r = place_give(p, root, err);
	return r < 0 ? r : look_at_way(p, root, ret, err);
}

int standalone_make(const struct permit *permit, const struct facts *facts, char *const *arguments,
		    struct stock *ret, struct error **err)
{
	_cleanup_(stock_release) struct stock made = { 0 };
	_cleanup_(place_release) struct place p = PLACE_NONE;
	_cleanup_(error_freep) struct error *ignored = NULL;
	struct stock_root root = { 0 };
	int r;

	r = place_open(facts, permit_profile(permit)->name, &p, err);
	if (r >= 0)
		r = stock_root_find(&root, err);
	if (r >= 0)
		r = place_remove(&p, &root, err);
	if (r < 0)
		return r;
	r = fill(permit, facts, arguments, &p, &root, &made, err);
	if (r < 0) {
		(void)place_remove(&p, &root, &ignored);
		return r;
	}
	*ret = made;
	made = (struct stock){ 0 };
	return 0;
}
