#include "app/usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>

#include "base/fs.h"
#include "box/holder.h"

#define PROC_FILE_MAX 65536U /* /proc/PID/net/dev has a line for each device */

void processes_release(struct processes *p)
{
	free(p->v);
	*p = (struct processes){ 0 };
}

/* A process that ends meanwhile is as good as one that was never there: false. */
static bool read_proc(pid_t pid, const char *name, char **ret)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *path = xasprintf("/proc/%d/%s", (int)pid, name);

	return fs_read(AT_FDCWD, path, PROC_FILE_MAX, ret, NULL, &ignored) >= 0;
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

int processes_read(struct processes *p, struct error **err)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	const struct dirent *entry;

	if (p->complete)
		return 0;
	dir = opendir("/proc");
	if (!dir)
		return error_errno(err, "cannot read /proc");
	while ((entry = readdir(dir))) {
		_cleanup_free_ char *text = NULL;
		uint64_t pid;

		if (usage_parse_single(entry->d_name, &pid) < 0 || pid > INT32_MAX ||
		    !read_proc((pid_t)pid, "stat", &text))
			continue;
		p->v = xreallocarray(p->v, p->n + 1, sizeof *p->v);
		p->n += usage_parse_stat(text, &p->v[p->n]) == 0;
	}
	p->complete = true;
	return 0;
}

size_t processes_below(const struct processes *p, pid_t ancestor, size_t **ret)
{
	size_t *found = xcalloc(p->n + 1, sizeof *found), n = 0;

	for (size_t i = 0; i < p->n && n == 0; i++)
		if (p->v[i].pid == ancestor)
			found[n++] = i;
	/* Each that is found is asked for its children, in turn. A process is the child of one
	 * other, so that none is found twice, unless the list was read while pids were reused. */
	for (size_t next = 0; next < n && n < p->n; next++)
		for (size_t i = 0; i < p->n && n < p->n; i++)
			if (p->v[i].parent == p->v[found[next]].pid && i != found[0])
				found[n++] = i;
	*ret = found;
	return n;
}

/* False where the supervisor is gone. */
static bool read_processes(const struct usage_subject *s, const struct processes *p,
			   struct usage *u)
{
	_cleanup_free_ size_t *own = NULL;
	size_t n = processes_below(p, s->supervisor, &own);
	uint64_t ticks = 0, threads = 0, pages = 0;

	for (size_t i = 0; i < n; i++) {
		const struct process *one = &p->v[own[i]];
		_cleanup_free_ char *text = NULL;
		uint64_t resident;

		ticks += one->ticks;
		threads += one->threads;
		if (read_proc(one->pid, "statm", &text) && usage_parse_statm(text, &resident) == 0)
			pages += resident;
	}
	if (u->cpu_us == USAGE_UNKNOWN)
		u->cpu_us = ticks * (1000000U / (uint64_t)sysconf(_SC_CLK_TCK));
	if (u->memory == USAGE_UNKNOWN)
		u->memory = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	if (u->tasks == USAGE_UNKNOWN)
		u->tasks = threads;
	return n > 0;
}

static bool read_cgroup_file(int dir, const char *name, char **ret)
{
	_cleanup_(error_freep) struct error *ignored = NULL;

	return fs_read(dir, name, PROC_FILE_MAX, ret, NULL, &ignored) >= 0;
}

/* What a controller would tell that the user was not given stays unknown. */
static void read_cgroup(const char *path, struct usage *u)
{
	const struct {
		const char *file, *key;
		int (*parse)(const char *text, const char *key, uint64_t *ret);
		uint64_t *to;
	} rows[] = {
		{ "cpu.stat", "usage_usec", usage_parse_flat, &u->cpu_us },
		{ "io.stat", "rbytes", usage_parse_nested, &u->io_read },
		{ "io.stat", "wbytes", usage_parse_nested, &u->io_written },
		{ "memory.current", NULL, NULL, &u->memory },
		{ "memory.max", NULL, NULL, &u->memory_limit },
		{ "pids.current", NULL, NULL, &u->tasks },
	};
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_close_ int dir = -EBADF;

	if (fs_open_dir(AT_FDCWD, path, &dir, &ignored) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = NULL;

		if (!read_cgroup_file(dir, rows[i].file, &text))
			continue;
		if (rows[i].parse)
			(void)rows[i].parse(text, rows[i].key, rows[i].to);
		else
			(void)usage_parse_single(text, rows[i].to);
	}
	u->cgroup = u->cpu_us != USAGE_UNKNOWN && u->tasks != USAGE_UNKNOWN;
}

/* The sandbox's tmpfs, where the box's monitor sees it. The monitor is the parent of the init; the
 * user may look through its root, since all namespaces of the session are the user's. */
static void read_disk(const struct usage_subject *s, struct usage *u)
{
	_cleanup_free_ char *text = NULL, *path = NULL;
	struct process init;
	struct statfs fs;

	if (!read_proc(s->init, "stat", &text) || usage_parse_stat(text, &init) < 0)
		return;
	path = xasprintf("/proc/%d/root" HOLDER_TREES "/%s", (int)init.parent, s->id);
	if (statfs(path, &fs) < 0 || fs.f_type != TMPFS_MAGIC)
		return;
	u->disk = (fs.f_blocks - fs.f_bfree) * (uint64_t)fs.f_bsize;
	u->disk_limit = fs.f_blocks * (uint64_t)fs.f_bsize;
}

static void read_network(const struct usage_subject *s, struct usage *u)
{
	_cleanup_free_ char *text = NULL;

	if (read_proc(s->init, "net/dev", &text))
		(void)usage_parse_net(text, &u->received, &u->sent);
}

int usage_read(const struct usage_subject *s, struct processes *p, struct usage *ret,
	       struct error **err)
{
	struct usage u = {
		.cpu_us = USAGE_UNKNOWN,
		.memory = USAGE_UNKNOWN,
		.memory_limit = USAGE_UNKNOWN,
		.tasks = USAGE_UNKNOWN,
		.disk = USAGE_UNKNOWN,
		.disk_limit = USAGE_UNKNOWN,
		.io_read = USAGE_UNKNOWN,
		.io_written = USAGE_UNKNOWN,
		.received = USAGE_UNKNOWN,
		.sent = USAGE_UNKNOWN,
	};
	int r;

	if (s->cgroup)
		read_cgroup(s->cgroup, &u);
	if (s->init > 0) {
		read_disk(s, &u);
		read_network(s, &u);
	}
	if (u.cpu_us == USAGE_UNKNOWN || u.memory == USAGE_UNKNOWN || u.tasks == USAGE_UNKNOWN) {
		r = processes_read(p, err);
		if (r < 0)
			return r;
		if (!read_processes(s, p, &u))
			return error_set(err, ESRCH, "sandbox '%s' has ended", s->id);
	}
	*ret = u;
	return 0;
}

double usage_cpu_percent(const struct usage *before, const struct usage *now, uint64_t elapsed_us)
{
	/* Time of a child that nobody has waited for is lost when it ends. */
	if (before->cgroup != now->cgroup || now->cpu_us <= before->cpu_us || elapsed_us == 0)
		return 0;
	return (double)(now->cpu_us - before->cpu_us) * 100 / (double)elapsed_us;
}
