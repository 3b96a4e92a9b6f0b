#include "session/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/vfs.h>

#include "base/fs.h"
#include "base/loop.h"
#include "base/parse.h"
#include "base/strv.h"

#define DISKS_MAX  256U
#define CPU_PERIOD 100000U /* microseconds: the kernel's own choice */

/* --- which, and where -------------------------------------------------------- */

char *cgroup_in_text(const char *text)
{
	while (text && *text) {
		const char *end = strchrnul(text, '\n');

		if (!strncmp(text, "0::/", 4)) {
			_cleanup_free_ char *path = xstrndup(text + 3, (size_t)(end - text) - 3);

			return strstr(path, "/..") ? NULL : TAKE_PTR(path);
		}
		text = *end ? end + 1 : end;
	}
	return NULL;
}

const char *cgroup_mount(void)
{
	/* The second is systemd's hybrid hierarchy; it rarely has controllers. */
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (statfs(places[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
			return places[i];
	return NULL;
}

static int no_cgroups(struct error **err)
{
	return error_set(err, ENOTSUP, "control groups of version 2 are not mounted");
}

int cgroup_of(pid_t pid, char **ret, struct error **err)
{
	_cleanup_free_ char *file = xasprintf("/proc/%d/cgroup", pid), *text = NULL, *path = NULL;
	const char *mount = cgroup_mount();
	int r;

	if (!mount)
		return no_cgroups(err);
	r = fs_read(AT_FDCWD, file, CGROUP_FILE_MAX, &text, NULL, err);
	if (r < 0)
		return r;
	path = cgroup_in_text(text);
	if (!path)
		return error_set(err, ENOENT, "process %d is in no control group that can be seen",
				 pid);
	*ret = xasprintf("%s%s", mount, strcmp(path, "/") ? path : "");
	return 0;
}

int cgroup_open(const char *directory, int *ret_fd, struct error **err)
{
	const char *mount = cgroup_mount();
	_cleanup_close_ int root = -EBADF, fd = -EBADF;
	struct statfs fs;
	size_t n;

	if (!mount)
		return no_cgroups(err);
	n = strlen(mount);
	if (strncmp(directory, mount, n) || (directory[n] != '/' && directory[n]))
		return error_set(err, EINVAL, "'%s' is no control group", directory);
	root = open(mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return error_errno(err, "cannot open '%s'", mount);
	fd = fs_open_beneath(root, directory[n] ? directory + n + 1 : ".", O_PATH | O_DIRECTORY,
			     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS, 0);
	if (fd < 0) {
		errno = -fd;
		return error_errno(err, "cannot open control group '%s'", directory);
	}
	if (fstatfs(fd, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return error_set(err, EINVAL, "'%s' is no control group", directory);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* --- files ------------------------------------------------------------------- */

static int write_file(int fd, const char *name, const char *text, struct error **err)
{
	_cleanup_close_ int file = openat(fd, name, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
	size_t size = strlen(text);

	/* One write(2): what is refused is refused as a whole. */
	if (file < 0 || write(file, text, size) != (ssize_t)size)
		return error_errno(err, "cannot write '%s' to %s", text, name);
	return 0;
}

/* Without the newline at its end. Owned by the caller. */
static int read_file(int fd, const char *name, char **ret, struct error **err)
{
	size_t size;
	int r = fs_read(fd, name, CGROUP_FILE_MAX, ret, &size, err);

	if (r >= 0 && size && (*ret)[size - 1] == '\n')
		(*ret)[size - 1] = '\0';
	return r;
}

unsigned cgroup_controllers(int fd, const char *file)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *text = NULL;
	char *state, *word;
	unsigned set = 0;

	if (read_file(fd, file, &text, &ignored) < 0)
		return 0;
	for (word = strtok_r(text, " ", &state); word; word = strtok_r(NULL, " ", &state))
		for (enum limit l = 0; l < LIMIT_MAX; l++)
			if (!strcmp(word, limit_to_controller(l)))
				set |= 1U << l;
	return set;
}

int cgroup_enable(int fd, unsigned limits, struct error **err)
{
	static const char file[] = "cgroup.subtree_control";
	unsigned missing = limits & ~cgroup_controllers(fd, file);
	_cleanup_strv_ char **words = NULL;
	_cleanup_free_ char *text = NULL;
	int r;

	if (!missing)
		return 0;
	for (enum limit l = 0; l < LIMIT_MAX; l++)
		if (missing & 1U << l)
			strv_addf(&words, "+%s", limit_to_controller(l));
	text = strv_join(words, " ");
	r = write_file(fd, file, text, err);
	if (r < 0)
		return r;
	if (limits & ~cgroup_controllers(fd, file))
		return error_set(err, EIO, "%s did not take '%s'", file, text);
	return 0;
}

int cgroup_add(int fd, pid_t pid, struct error **err)
{
	_cleanup_free_ char *text = xasprintf("%d", pid);

	return write_file(fd, "cgroup.procs", text, err);
}

bool cgroup_has_processes(int fd)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *text = NULL;

	return read_file(fd, "cgroup.procs", &text, &ignored) < 0 || *text;
}

/* --- limits ------------------------------------------------------------------ */

/* What is read back is what was written; numbers of bytes may be rounded down to pages. */
static int set(int fd, const char *name, const char *text, const char *expected, struct error **err)
{
	_cleanup_free_ char *now = NULL;
	int r;

	r = write_file(fd, name, text, err);
	if (r < 0)
		return r;
	r = read_file(fd, name, &now, err);
	if (r < 0)
		return r;
	if (strcmp(now, expected))
		return error_set(err, EIO, "%s is '%s' after '%s' was written", name, now, text);
	return 0;
}

static int limit_memory(int fd, uint64_t bytes, struct error **err)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	_cleanup_free_ char *text = xasprintf("%" PRIu64, bytes);
	_cleanup_free_ char *rounded = xasprintf("%" PRIu64, bytes / page * page);
	int r;

	r = set(fd, "memory.max", text, rounded, err);
	if (r < 0)
		return r;
	/* Otherwise a hog goes on in the swap of all the others. A kernel that accounts for no
	 * swap does not have the file. */
	r = set(fd, "memory.swap.max", "0", "0", err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		r = 0;
	}
	return r;
}

static int limit_tasks(int fd, uint32_t tasks, struct error **err)
{
	_cleanup_free_ char *text = xasprintf("%" PRIu32, tasks);

	return set(fd, "pids.max", text, text, err);
}

static int limit_cpu(int fd, uint32_t percent, struct error **err)
{
	_cleanup_free_ char *text = xasprintf("%" PRIu64 " %u",
					      (uint64_t)percent * CPU_PERIOD / 100, CPU_PERIOD);

	return set(fd, "cpu.max", text, text, err);
}

/* The file has a line for each disk with a limit. */
static bool has_line(const char *text, const char *line)
{
	size_t n = strlen(line);

	while (text && *text) {
		if (!strncmp(text, line, n) && (text[n] == ' ' || text[n] == '\n' || !text[n]))
			return true;
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return false;
}

static int limit_io(int fd, uint64_t bytes, char *const *disks, struct error **err)
{
	for (; disks && *disks; disks++) {
		_cleanup_free_ char *line = xasprintf("%s rbps=%" PRIu64 " wbps=%" PRIu64, *disks,
						      bytes, bytes);
		_cleanup_free_ char *now = NULL;
		int r;

		r = write_file(fd, "io.max", line, err);
		if (r < 0)
			return r;
		r = read_file(fd, "io.max", &now, err);
		if (r < 0)
			return r;
		if (!has_line(now, line))
			return error_set(err, EIO, "io.max did not take '%s'", line);
	}
	return 0;
}

int cgroup_limit(int fd, const struct limits *l, unsigned set_of, char *const *disks,
		 struct error **err)
{
	int r = 0;

	if (set_of & 1U << LIMIT_MEMORY && l->memory)
		r = limit_memory(fd, l->memory, err);
	if (r >= 0 && set_of & 1U << LIMIT_TASKS && l->tasks)
		r = limit_tasks(fd, l->tasks, err);
	if (r >= 0 && set_of & 1U << LIMIT_CPU && l->cpu)
		r = limit_cpu(fd, l->cpu, err);
	if (r >= 0 && set_of & 1U << LIMIT_IO && l->io)
		r = limit_io(fd, l->io, disks, err);
	return r;
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* Memory that looks like a disk, a file that does, or a drive without a disk. */
static bool is_no_disk(int sys_block, const char *name)
{
	static const char *const prefixes[] = { "loop", "ram", "zram" };
	_cleanup_free_ char *file = xasprintf("%s/size", name), *size = NULL;
	_cleanup_(error_freep) struct error *ignored = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return read_file(sys_block, file, &size, &ignored) < 0 || !strcmp(size, "0");
}

int cgroup_disks(int sys_block, char ***ret, struct error **err)
{
	int copy = openat(sys_block, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedirp) DIR *d = fdopendir(copy);
	_cleanup_strv_ char **disks = NULL;
	struct dirent *e;

	if (!d) {
		close_fd(copy);
		return error_errno(err, "cannot list the disks");
	}
	while ((e = readdir(d))) {
		_cleanup_free_ char *file = xasprintf("%s/dev", e->d_name), *number = NULL;
		int r;

		if (*e->d_name == '.' || is_no_disk(sys_block, e->d_name))
			continue;
		r = read_file(sys_block, file, &number, err);
		if (r < 0)
			return error_prefix(err, "disk '%s'", e->d_name);
		if (strv_length(disks) == DISKS_MAX)
			return error_set(err, E2BIG, "more than %u disks", DISKS_MAX);
		strv_take(&disks, TAKE_PTR(number));
	}
	*ret = TAKE_PTR(disks);
	return 0;
}

/* --- what happens in it, and its end ----------------------------------------- */

uint64_t cgroup_count(int fd, const char *file, const char *event)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *text = NULL;
	size_t n = strlen(event);
	char *state, *line;
	uint64_t value;

	if (read_file(fd, file, &text, &ignored) < 0)
		return 0;
	for (line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		if (!strncmp(line, event, n) && line[n] == ' ' &&
		    parse_u64(line + n + 1, &value) == 0)
			return value;
	return 0;
}

void cgroup_kill(int fd)
{
	_cleanup_(error_freep) struct error *ignored = NULL; /* there are other killers */

	(void)write_file(fd, "cgroup.kill", "1", &ignored);
}

int cgroup_remove(int fd, const char *name, int timeout_ms, struct error **err)
{
	const uint64_t deadline = now_ms() + (uint64_t)timeout_ms;

	while (unlinkat(fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
		if (errno != EBUSY || now_ms() >= deadline)
			return error_errno(err, "cannot remove control group '%s'", name);
		(void)poll(NULL, 0, 2);
	}
	return 0;
}
