/*
 * vitrine-build-box run PLACE      makes a layer: prints it as a tar archive on standard output
 * vitrine-build-box remove PATH      removes a directory of the user's sub-ids
 * vitrine-build-box map PID          maps ids (image/box-ids.h), for the two above
 * vitrine-build-box inside PLACE   the first process of the box, for the first of them
 *
 * The box is namespaces of its own, with an overlay of the lower layers that nobody can write and a
 * new upper layer. It ends when its parent does. PLACE holds the job (image/box-job.h); the upper
 * layer is made there, too. Exit status: 0, 1 (a program of the job failed, or the box), 2 (usage).
 */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/parse.h"
#include "base/spawn.h"
#include "base/strv.h"
#include "image/box-ids.h"
#include "image/box-inside.h"
#include "image/box-job.h"

#define SELF	    VITRINE_EXEC_DIR "/vitrine-build-box"
#define TAR	    "/usr/bin/tar"
#define EXIT_USAGE  2
#define OPTIONS_MAX 4000 /* mount(2) takes a page */

/* Of the overlay: what no service may do while packages are installed. It is a layer below the
 * upper one, so nothing of it gets into what is made. */
static const struct {
	const char *path;
	const char *text;
	bool replaces; /* only where the image has it */
} stand_ins[] = {
	{ "usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", false },
	{ "usr/sbin/start-stop-daemon", "#!/bin/sh\nexit 0\n", true },
};

/* Caches, logs, copies and seeds: different each time, and of no use in an image. */
static const char *const left_out[] = {
	"./dev",
	"./proc",
	"./run",
	"./sys",
	"./tmp",
	"./etc/.pwd.lock",
	"./etc/hostname",
	"./etc/machine-id",
	"./etc/resolv.conf",
	"./etc/group-",
	"./etc/gshadow-",
	"./etc/passwd-",
	"./etc/shadow-",
	"./etc/subgid-",
	"./etc/subuid-",
	"./root/.cache",
	"./var/cache/apt/*",
	"./var/cache/debconf/*-old",
	"./var/cache/ldconfig/aux-cache",
	"./var/cache/man/*",
	"./var/lib/apt/lists/*",
	"./var/lib/dbus/machine-id",
	"./var/lib/dpkg/*-old",
	"./var/lib/dpkg/lock",
	"./var/lib/dpkg/lock-frontend",
	"./var/lib/dpkg/triggers/Lock",
	"./var/lib/systemd/random-seed",
	"./var/log/*",
	"./var/tmp/*",
};

static int read_job(const char *place, struct box_job *ret, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("%s/" BOX_JOB_FILE, place);
	_cleanup_free_ char *data = NULL;
	size_t size;
	int r = fs_read(AT_FDCWD, path, BOX_JOB_MAX, &data, &size, err);

	return r < 0 ? r : box_job_unpack(data, size, ret, err);
}

/* --- the overlay ---------------------------------------------------------------------------------
 */

static bool has_file(const struct box_job *job, const char *path)
{
	for (char **lower = job->lowers; *lower; lower++) {
		_cleanup_close_ int dir = open(*lower, O_PATH | O_DIRECTORY | O_CLOEXEC);
		struct stat st;

		if (dir >= 0 && fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return S_ISREG(st.st_mode);
	}
	return false;
}

static int make_stand_ins(const struct box_job *job, int place, struct error **err)
{
	_cleanup_close_ int dir = -EBADF, usr = -EBADF, sbin = -EBADF;
	int r = fs_make_dir(place, "stand-in", 0755, &dir, err);

	if (r == 0)
		r = fs_make_dir(dir, "usr", 0755, &usr, err);
	if (r == 0)
		r = fs_make_dir(usr, "sbin", 0755, &sbin, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(stand_ins); i++)
		if (!stand_ins[i].replaces || has_file(job, stand_ins[i].path))
			r = fs_write(sbin, strrchr(stand_ins[i].path, '/') + 1, stand_ins[i].text,
				     strlen(stand_ins[i].text), 0755, err);
	return r;
}

static int mount_overlay(const struct box_job *job, struct error **err)
{
	_cleanup_free_ char *lowers = strv_join(job->lowers, ":");
	_cleanup_free_ char *options = NULL;

	options = xasprintf("userxattr,volatile,lowerdir=%s/stand-in:%s,upperdir=%s/upper,"
			    "workdir=%s/work",
			    job->place, lowers, job->place, job->place);
	for (char **lower = job->lowers; *lower; lower++)
		if (strpbrk(*lower, ":,\\"))
			return error_set(err, EINVAL, "'%s' cannot be a layer of an overlay",
					 *lower);
	if (strlen(options) > OPTIONS_MAX)
		return error_set(err, E2BIG, "too many layers to build on");
	if (mount("vitrine", "root", "overlay", MS_NOSUID | MS_NODEV, options) < 0)
		return error_errno(err, "cannot mount an overlay for the build box");
	return 0;
}

static int make_overlay(const struct box_job *job, struct error **err)
{
	static const char *const names[] = { "upper", "work", "root" };
	_cleanup_close_ int place = -EBADF;
	int r;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_errno(err, "cannot make the mounts of the build box its own");
	if (chdir(job->place) < 0)
		return error_errno(err, "cannot enter '%s'", job->place);
	r = fs_open_dir(AT_FDCWD, ".", &place, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (mkdir(names[i], 0755) < 0)
			return error_errno(err, "cannot make '%s/%s'", job->place, names[i]);
	r = make_stand_ins(job, place, err);
	return r < 0 ? r : mount_overlay(job, err);
}

/* --- the verbs -----------------------------------------------------------------------------------
 */

static int start_inside(const struct box_job *job, int *ret_status, struct error **err)
{
	char *const argv[] = { (char *)SELF, (char *)"inside", job->place, NULL };
	_cleanup_(child_end) struct child c = CHILD_NONE;
	/* The parent of the first process of a PID namespace has no number there, so that sets its
	 * death signal itself. Standard output is the archive's, none of its business. */
	int r = spawn(&(struct spawn){ .argv = argv,
				       .fds = (int[]){ -EBADF, STDERR_FILENO, STDERR_FILENO },
				       .n_fds = 3,
				       .outlive_parent = true },
		      &c, err);

	return r < 0 ? r : child_wait(&c, -1, ret_status, err);
}

/* GNU tar of the host: it reads names and data, and follows no link. */
static int print_layer(const struct box_job *job, struct error **err)
{
	_cleanup_free_ char *upper = xasprintf("%s/upper", job->place);
	_cleanup_strv_ char **argv = NULL;
	char *const env[] = { (char *)"PATH=/usr/bin:/bin", (char *)"LC_ALL=C", NULL };

	strv_add(&argv, TAR);
	strv_add(&argv, "--create");
	strv_add(&argv, "--file=-");
	strv_add(&argv, "--format=posix");
	strv_add(&argv, "--pax-option=delete=atime,delete=ctime");
	strv_add(&argv, "--numeric-owner");
	strv_add(&argv, "--sort=name");
	strv_add(&argv, "--sparse");
	strv_addf(&argv, "--mtime=@%u", job->newest);
	strv_add(&argv, "--clamp-mtime");
	strv_add(&argv, "--xattrs");
	strv_add(&argv, "--xattrs-include=user.overlay.opaque");
	strv_add(&argv, "--anchored");
	strv_add(&argv, "--wildcards");
	strv_add(&argv, "--no-wildcards-match-slash");
	for (size_t i = 0; i < ARRAY_SIZE(left_out); i++)
		strv_addf(&argv, "--exclude=%s", left_out[i]);
	strv_addf(&argv, "--directory=%s", upper);
	strv_add(&argv, ".");
	execve(TAR, argv, env);
	return error_errno(err, "cannot start '" TAR "'");
}

static int run(const char *place, struct error **err)
{
	_cleanup_(box_job_release) struct box_job job = { 0 };
	int r, status;

	umask(022);
	r = read_job(place, &job, err);
	if (r == 0)
		r = box_ids_enter(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
					  CLONE_NEWUTS | CLONE_NEWCGROUP,
				  err);
	if (r == 0)
		r = make_overlay(&job, err);
	if (r == 0)
		r = start_inside(&job, &status, err);
	if (r < 0)
		return r;
	if (status != 0)
		return error_set(err, ECANCELED, "nothing was made");
	if (umount2("root", 0) < 0)
		return error_errno(err, "cannot unmount the overlay of the build box");
	dprintf(STDERR_FILENO, "vitrine-build-box: reading the layer\n");
	return print_layer(&job, err);
}

static int inside(const char *place, struct error **err)
{
	_cleanup_(box_job_release) struct box_job job = { 0 };
	_cleanup_free_ char *root = xasprintf("%s/root", place);
	int r, status;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return error_errno(err, "cannot watch the parent of the build box");
	r = read_job(place, &job, err);
	if (r == 0)
		r = box_inside_run(&job, root, &status, err);
	if (r == 0 && status != 0)
		return error_set(err, ECANCELED, "the image cannot be made");
	return r;
}

static int map(const char *text, struct error **err)
{
	uint32_t pid;

	if (parse_u32(text, &pid) < 0)
		return error_set(err, EINVAL, "'%s' is no process", text);
	return box_ids_map((pid_t)pid, err);
}

static int remove_tree(const char *path, struct error **err)
{
	char *const argv[] = { (char *)"/usr/bin/rm", (char *)"-rf", (char *)"--one-file-system",
			       (char *)"--",	      (char *)path,  NULL };
	int r = box_ids_enter(CLONE_NEWNS, err);

	if (r < 0)
		return r;
	execve(argv[0], argv, (char *const[]){ NULL });
	return error_errno(err, "cannot start '%s'", argv[0]);
}

static const struct {
	const char *name;
	int (*run)(const char *argument, struct error **err);
} verbs[] = {
	{ "run", run },
	{ "inside", inside },
	{ "map", map },
	{ "remove", remove_tree },
};

int main(int argc, char **argv)
{
	_cleanup_(error_freep) struct error *err = NULL;

	for (size_t i = 0; argc == 3 && i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		if (verbs[i].run(argv[2], &err) == 0)
			return EXIT_SUCCESS;
		dprintf(STDERR_FILENO, "vitrine-build-box: %s\n", err->message);
		return EXIT_FAILURE;
	}
	dprintf(STDERR_FILENO, "usage: vitrine-build-box run|remove|map|inside ARGUMENT\n");
	return EXIT_USAGE;
}
