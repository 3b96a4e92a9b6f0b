#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "app/doctor-check.h"
#include "app/doctor-text.h"
#include "base/fs.h"

#define SETTING_MAX 64U
#define PLACE	    "/tmp" /* where a check mounts, in a mount namespace of its own */

/* The setting without its newline, owned by the caller; NULL if the kernel does not have it. */
static char *read_setting(const char *path)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	char *text;

	if (fs_read(AT_FDCWD, path, SETTING_MAX, &text, NULL, &ignored) < 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static int write_file(const char *path, const char *text, struct error **err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	r = fs_write_all(fd, text, strlen(text), err);
	return r < 0 ? error_prefix(err, "'%s'", path) : 0;
}

/* Root of a user namespace that maps only this user, with mounts and network of its own. */
static int enter_user_namespace(struct error **err)
{
	_cleanup_free_ char *uids = xasprintf("0 %u 1", getuid()),
			    *gids = xasprintf("0 %u 1", getgid());
	const struct {
		const char *path, *text;
	} files[] = {
		{ "/proc/self/setgroups", "deny" },
		{ "/proc/self/uid_map", uids },
		{ "/proc/self/gid_map", gids },
	};

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) < 0)
		return error_errno(err, "cannot be made");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int r = write_file(files[i].path, files[i].text, err);

		if (r < 0)
			return r;
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return error_errno(err, "can be made, but give no right to mount");
	return 0;
}

enum doctor_result check_user_namespaces(const struct check *c,
					 const struct doctor_context *context, char **ret_detail,
					 char **ret_mend)
{
	_cleanup_free_ char *clone = read_setting("/proc/sys/kernel/unprivileged_userns_clone");
	_cleanup_free_ char *max = read_setting("/proc/sys/user/max_user_namespaces");
	_cleanup_free_ char *apparmor = read_setting(
		"/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
	_cleanup_(error_freep) struct error *error = NULL;

	(void)c;
	(void)context;
	if (enter_user_namespace(&error) >= 0) {
		*ret_detail = xstrdup("with mounts and network: can be made");
		return DOCTOR_OK;
	}
	*ret_detail = xstrdup(error->message);
	*ret_mend = userns_mend(
		&(struct userns_settings){ .clone = clone, .max = max, .apparmor = apparmor });
	return DOCTOR_FAILURE;
}

/* A tmpfs at PLACE that only this process sees, with these directories, separated by spaces. */
static int make_place(const char *directories, struct error **err)
{
	_cleanup_close_ int place = -EBADF;
	_cleanup_free_ char *copy = xstrdup(directories);
	char *name, *state;
	int r;

	r = enter_user_namespace(err);
	if (r < 0)
		return error_prefix(err, "user namespaces");
	if (mount("vitrine", PLACE, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=0755") < 0)
		return error_errno(err, "cannot mount a tmpfs");
	r = fs_open_dir(AT_FDCWD, PLACE, &place, err);
	if (r < 0)
		return r;
	for (name = strtok_r(copy, " ", &state); name; name = strtok_r(NULL, " ", &state))
		if (mkdirat(place, name, 0755) < 0)
			return error_errno(err, "cannot make directory '%s'", name);
	return 0;
}

static int mount_overlay(unsigned long flags, const char *options, struct error **err)
{
	if (mount("vitrine", PLACE "/root", "overlay", MS_NOSUID | MS_NODEV | flags, options) < 0)
		return error_errno(err, "cannot be mounted by an ordinary user");
	return 0;
}

static int try_overlay(struct error **err)
{
	int r = make_place("over image root", err);

	if (r < 0)
		return r;
	return mount_overlay(MS_RDONLY, "lowerdir=" PLACE "/over:" PLACE "/image,userxattr", err);
}

enum doctor_result check_overlay(const struct check *c, const struct doctor_context *context,
				 char **ret_detail, char **ret_mend)
{
	_cleanup_(error_freep) struct error *error = NULL;

	(void)c;
	(void)context;
	if (try_overlay(&error) >= 0) {
		*ret_detail = xstrdup("can be mounted by an ordinary user");
		return DOCTOR_OK;
	}
	*ret_detail = xstrdup(error->message);
	*ret_mend = xstrdup(error->code == ENODEV ? "sudo modprobe overlay"
						  : "use Linux 5.11 or later");
	return DOCTOR_FAILURE;
}

static int try_fuse(struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *options = NULL;
	int r = make_place("gate", err);

	if (r < 0)
		return r;
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "'/dev/fuse' cannot be opened");
	options = xasprintf("fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd);
	if (mount("vitrine", PLACE "/gate", "fuse", MS_NOSUID | MS_NODEV, options) < 0)
		return error_errno(err, "cannot be mounted by an ordinary user");
	return 0;
}

enum doctor_result check_fuse(const struct check *c, const struct doctor_context *context,
			      char **ret_detail, char **ret_mend)
{
	_cleanup_(error_freep) struct error *error = NULL;

	(void)c;
	(void)context;
	if (try_fuse(&error) >= 0) {
		*ret_detail = xstrdup("can be mounted by an ordinary user");
		return DOCTOR_OK;
	}
	*ret_detail = xstrdup(error->message);
	*ret_mend = xstrdup(error->code == EACCES ? "sudo chmod 0666 /dev/fuse"
						  : "sudo modprobe fuse");
	return DOCTOR_FAILURE;
}

/* A directory of the image that is not empty is removed and made again: only with an attribute of
 * the upper layer can the new one hide what is below. */
static int try_overlay_upper(struct error **err)
{
	int r = make_place("image image/directory image/directory/more upper work root", err);

	if (r < 0)
		return r;
	r = mount_overlay(0,
			  "lowerdir=" PLACE "/image,upperdir=" PLACE "/upper,workdir=" PLACE
			  "/work,userxattr",
			  err);
	if (r < 0)
		return r;
	if (rmdir(PLACE "/root/directory/more") < 0 || rmdir(PLACE "/root/directory") < 0 ||
	    mkdir(PLACE "/root/directory", 0755) < 0 ||
	    setxattr(PLACE "/upper/directory", "user.vitrine", "", 0, 0) < 0)
		return error_errno(err, "tmpfs keeps no attributes, so directories of an image "
					"cannot be replaced");
	return 0;
}

enum doctor_result check_overlay_upper(const struct check *c, const struct doctor_context *context,
				       char **ret_detail, char **ret_mend)
{
	_cleanup_(error_freep) struct error *error = NULL;

	(void)c;
	(void)context;
	if (try_overlay_upper(&error) >= 0) {
		*ret_detail = xstrdup("changes to an image can be kept in memory");
		return DOCTOR_OK;
	}
	*ret_detail = xasprintf("%s: profiles with Root=writable are refused", error->message);
	*ret_mend = xstrdup("use Linux 6.6 or later, as Debian 12 has in bookworm-backports");
	return DOCTOR_WARNING;
}

static int try_mount_api(struct error **err)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID };
	_cleanup_close_ int fd = -EBADF;
	int r = make_place("from to", err);

	if (r < 0)
		return r;
	fd = open_tree(AT_FDCWD, PLACE "/from", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "open_tree");
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &read_only, sizeof read_only) < 0)
		return error_errno(err, "mount_setattr");
	if (move_mount(fd, "", AT_FDCWD, PLACE "/to", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_errno(err, "move_mount");
	return 0;
}

enum doctor_result check_mount_api(const struct check *c, const struct doctor_context *context,
				   char **ret_detail, char **ret_mend)
{
	_cleanup_(error_freep) struct error *error = NULL;

	(void)c;
	(void)context;
	if (try_mount_api(&error) >= 0) {
		*ret_detail = xstrdup("open_tree, mount_setattr and move_mount work");
		return DOCTOR_OK;
	}
	*ret_detail = xstrdup(error->message);
	*ret_mend = xstrdup("use Linux 5.12 or later");
	return DOCTOR_FAILURE;
}

enum doctor_result check_device(const struct check *c, const struct doctor_context *context,
				char **ret_detail, char **ret_mend)
{
	_cleanup_close_ int fd = open(c->subject, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	(void)context;
	if (fd >= 0) {
		*ret_detail = xasprintf("%s can be opened", c->subject);
		return DOCTOR_OK;
	}
	*ret_detail = xasprintf("%s: %s: %s", c->subject, strerror(errno), c->purpose);
	*ret_mend = errno == EACCES || errno == EPERM ? xasprintf("sudo chmod 0666 %s", c->subject)
						      : xasprintf("sudo modprobe %s", c->name);
	return DOCTOR_WARNING;
}

enum doctor_result check_seccomp(const struct check *c, const struct doctor_context *context,
				 char **ret_detail, char **ret_mend)
{
	struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog program = { .len = ARRAY_SIZE(allow), .filter = allow };

	(void)c;
	(void)context;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0) {
		*ret_detail = xstrdup("system call filters can be loaded");
		return DOCTOR_OK;
	}
	*ret_detail = xasprintf("system call filters cannot be loaded: %s", strerror(errno));
	*ret_mend = xstrdup("use a kernel with CONFIG_SECCOMP_FILTER");
	return DOCTOR_FAILURE;
}

enum doctor_result check_apparmor(const struct check *c, const struct doctor_context *context,
				  char **ret_detail, char **ret_mend)
{
	const struct host_facts *host = &context->facts->host;
	_cleanup_free_ char *enabled = NULL;

	(void)c;
	for (enum apparmor_floor f = 0; host->apparmor && f < FLOOR_MAX; f++) {
		if (host->floors[f])
			continue;
		*ret_detail = xasprintf("the profile '%s' is not loaded: no box can start",
					apparmor_floor_to_string(f));
		*ret_mend = xstrdup("sudo vitrine admin install-policies");
		return DOCTOR_FAILURE;
	}
	if (host->apparmor) {
		*ret_detail = xasprintf("the profiles of all boxes are loaded; %s",
					host->own_profiles
						? "each box has one of its own, too"
						: "no box has one of its own, which needs a policy "
						  "namespace of yours");
		return DOCTOR_OK;
	}
	enabled = read_setting("/sys/module/apparmor/parameters/enabled");
	*ret_detail = xasprintf("%s: this layer of protection is missing",
				enabled ? "disabled at boot" : "this kernel has none");
	*ret_mend = xstrdup(
		enabled ? "boot with 'apparmor=1 security=apparmor' (GRUB_CMDLINE_LINUX in "
			  "/etc/default/grub, then 'sudo update-grub')"
			: "use a kernel with CONFIG_SECURITY_APPARMOR, such as the distribution's "
			  "own");
	return DOCTOR_WARNING;
}
