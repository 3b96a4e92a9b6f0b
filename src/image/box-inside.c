#include "image/box-inside.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fs.h"
#include "base/spawn.h"
#include "base/strv.h"
#include "image/box-filter.h"

#define TMP_OPTIONS "mode=1777,size=2g,nr_inodes=400k"
#define RUN_OPTIONS "mode=0755,size=64m,nr_inodes=10k"
#define SHM_OPTIONS "mode=1777,size=64m,nr_inodes=10k"
#define DEV_OPTIONS "mode=0755,size=64k,nr_inodes=64"
#define TREE_FLAGS  (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static const char *const devices[] = {
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
};

static const struct {
	const char *path;
	const char *target;
} links[] = {
	{ "/dev/fd", "/proc/self/fd" },
	{ "/dev/stdin", "/proc/self/fd/0" },
	{ "/dev/stdout", "/proc/self/fd/1" },
	{ "/dev/stderr", "/proc/self/fd/2" },
};

/* What dpkg and maintainer scripts need to install files for any owner. No CAP_SYS_ADMIN, so
 * nothing is mounted; no CAP_SYS_PTRACE, no CAP_NET_ADMIN. */
static const unsigned kept_capabilities[] = {
	CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID,  CAP_KILL,
	CAP_SETGID, CAP_SETUID,	      CAP_MKNOD,  CAP_SETFCAP,
};

/* Pieces of the host that come along, opened while it can still be seen. */
struct pieces {
	int devices[ARRAY_SIZE(devices)];
	int debs, files, proc;
};

static void pieces_release(struct pieces *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		close_fd(p->devices[i]);
	close_fd(p->debs);
	close_fd(p->files);
	close_fd(p->proc);
}

static int open_piece(const char *path, uint64_t flags, int *ret_fd, struct error **err)
{
	struct mount_attr attr = { .attr_set = flags };

	*ret_fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (*ret_fd < 0 || mount_setattr(*ret_fd, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
		return error_errno(err, "cannot bring '%s' into the build box", path);
	return 0;
}

static int open_proc(int *ret_fd, struct error **err)
{
	_cleanup_close_ int fs = fsopen("proc", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return error_errno(err, "cannot make a /proc for the build box");
	*ret_fd = fsmount(fs, FSMOUNT_CLOEXEC,
			  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (*ret_fd < 0)
		return error_errno(err, "cannot make a /proc for the build box");
	return 0;
}

static int open_pieces(const struct box_job *job, struct pieces *p, struct error **err)
{
	int r = open_piece(job->debs, TREE_FLAGS, &p->debs, err);

	if (r == 0 && job->files)
		r = open_piece(job->files, TREE_FLAGS, &p->files, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(devices); i++)
		r = open_piece(devices[i], MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, &p->devices[i],
			       err);
	return r < 0 ? r : open_proc(&p->proc, err);
}

static int leave_host(const char *root, struct error **err)
{
	if (chdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return error_errno(err, "cannot leave the host's tree");
	return 0;
}

/* --- from here on the host is gone, and a link of the image leads nowhere but into it -----------
 */

static int attach(int piece, const char *path, mode_t mode, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;

	if (S_ISDIR(mode)) {
		if (mkdir(path, mode & 07777) < 0 && errno != EEXIST)
			return error_errno(err, "cannot make '%s'", path);
	} else {
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode & 07777);
		if (fd < 0)
			return error_errno(err, "cannot make '%s'", path);
	}
	if (move_mount(piece, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_errno(err, "cannot mount '%s' in the build box", path);
	return 0;
}

static int mount_tmpfs(const char *path, unsigned long flags, const char *options,
		       struct error **err)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return error_errno(err, "cannot make '%s'", path);
	if (mount("vitrine", path, "tmpfs", MS_NOSUID | flags, options) < 0)
		return error_errno(err, "cannot mount '%s' in the build box", path);
	return 0;
}

static int make_dev(const struct pieces *p, struct error **err)
{
	int r = mount_tmpfs("/dev", MS_NOEXEC, DEV_OPTIONS, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(devices); i++)
		r = attach(p->devices[i], devices[i], S_IFREG | 0666, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlink(links[i].target, links[i].path) < 0)
			return error_errno(err, "cannot make '%s'", links[i].path);
	return mount_tmpfs("/dev/shm", MS_NODEV | MS_NOEXEC, SHM_OPTIONS, err);
}

static int make_mounts(const struct pieces *p, struct error **err)
{
	int r = attach(p->proc, "/proc", S_IFDIR | 0755, err);

	if (r == 0)
		r = make_dev(p, err);
	if (r == 0)
		r = mount_tmpfs("/tmp", MS_NODEV, TMP_OPTIONS, err);
	if (r == 0)
		r = mount_tmpfs("/run", MS_NODEV, RUN_OPTIONS, err);
	if (r < 0)
		return r;
	if (mkdir("/run/lock", 01777) < 0 || mkdir(BOX_OUTSIDE, 0755) < 0)
		return error_errno(err, "cannot make directories in /run");
	r = attach(p->debs, BOX_DEBS, S_IFDIR | 0755, err);
	if (r == 0 && p->files >= 0)
		r = attach(p->files, BOX_FILES, S_IFDIR | 0755, err);
	return r;
}

/* The loopback alone, which some scripts ask. */
static int make_network(struct error **err)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return error_errno(err, "cannot make the loopback of the build box");
	return 0;
}

static int forbid_namespaces(struct error **err)
{
	static const char file[] = "/proc/sys/user/max_user_namespaces";
	_cleanup_close_ int fd = open(file, O_WRONLY | O_CLOEXEC);

	/* Only who has CAP_SYS_RESOURCE may write it: nobody, a moment later. */
	if (fd < 0 || write(fd, "0", 1) != 1)
		return error_errno(err, "cannot forbid user namespaces in the build box");
	return 0;
}

static int drop_capabilities(struct error **err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 }, { 0 } };
	uint64_t kept = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kept_capabilities); i++)
		kept |= UINT64_C(1) << kept_capabilities[i];
	for (unsigned c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
		if (!(kept >> c & 1) && prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0)
			return error_errno(err, "cannot give up capability %u", c);
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		data[i].permitted = data[i].effective = (uint32_t)(kept >> 32 * i);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_capset, &header, data) < 0)
		return error_errno(err, "cannot give up capabilities");
	return 0;
}

static int confine(struct error **err)
{
	const struct rlimit no_core = { 0, 0 };
	int r;

	if (sethostname("localhost", strlen("localhost")) < 0 ||
	    setrlimit(RLIMIT_CORE, &no_core) < 0)
		return error_errno(err, "cannot prepare the build box");
	r = make_network(err);
	if (r == 0)
		r = forbid_namespaces(err);
	if (r == 0)
		r = drop_capabilities(err);
	if (r < 0)
		return r;
	/* Not dumpable: nothing inside looks into this process, or through its /proc entry. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		return error_errno(err, "cannot prepare the build box");
	return box_filter_load(err);
}

/* --- what the job says ---------------------------------------------------------------------------
 */

static char **make_env(const struct box_job *job)
{
	char **env = NULL;

	strv_add(&env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	strv_add(&env, "HOME=/root");
	strv_add(&env, "LC_ALL=C.UTF-8");
	strv_add(&env, "TERM=dumb");
	strv_add(&env, "DEBIAN_FRONTEND=noninteractive");
	strv_add(&env, "DEBCONF_NONINTERACTIVE_SEEN=true");
	strv_add(&env, "DEBCONF_NOWARNINGS=yes");
	strv_addf(&env, "SOURCE_DATE_EPOCH=%u", job->newest);
	return env;
}

/* Daemons that a script leaves behind are reaped, too: this is process 1. */
static int await(pid_t pid)
{
	for (;;) {
		int status;
		pid_t ended = waitpid(-1, &status, 0);

		if (ended == pid)
			return status_to_exit_code(status);
		if (ended < 0 && errno != EINTR)
			return EXIT_FAILURE;
	}
}

static int run_one(char **argv, char *const *env, int *ret_status, struct error **err)
{
	struct child c = CHILD_NONE;
	int r = spawn(&(struct spawn){ .argv = argv,
				       .env = env,
				       .fds = (int[]){ -EBADF, STDERR_FILENO, STDERR_FILENO },
				       .n_fds = 3 },
		      &c, err);

	if (r < 0)
		return r;
	*ret_status = await(c.pid);
	close_fd(c.pidfd);
	return 0;
}

int box_inside_run(const struct box_job *job, const char *root, int *ret_status, struct error **err)
{
	_cleanup_(pieces_release) struct pieces p = { .debs = -EBADF,
						      .files = -EBADF,
						      .proc = -EBADF };
	_cleanup_strv_ char **env = make_env(job);
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		p.devices[i] = -EBADF;
	umask(022);
	if (unshare(CLONE_NEWNS) < 0)
		return error_errno(err, "cannot make a mount namespace");
	r = open_pieces(job, &p, err);
	if (r == 0)
		r = leave_host(root, err);
	if (r == 0)
		r = make_mounts(&p, err);
	if (r == 0)
		r = confine(err);
	*ret_status = 0;
	for (size_t i = 0; r == 0 && *ret_status == 0 && i < job->n_runs; i++) {
		r = run_one(job->runs[i], env, ret_status, err);
		if (r == 0 && *ret_status != 0)
			dprintf(STDERR_FILENO, "vitrine-build-box: '%s' failed with status %d\n",
				job->runs[i][0], *ret_status);
	}
	/* Whatever runs yet ends with this process. */
	return r;
}
