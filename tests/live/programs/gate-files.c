/*
 * gate-files [--seed N] [--operations N] [--every N] INSIDE OUTSIDE
 *
 * Random operations on the directory of given files, compared with what the protocol of the gate
 * says must come of them. INSIDE shows files of the directory OUTSIDE: `one` and `two` may be
 * written, `three` read, and `four` and `five` are not there yet. What is renamed over such a name
 * is outside at once; what is made at one of which nothing is there, when it is closed or synced;
 * moving or removing one inside changes nothing outside; any other name is private.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "gate-model.h"

#define SLOTS	      5
#define READ_ONLY     2
#define HANDLES	      8
#define FILE_SIZE_MAX 200000
#define REMEMBERED    30
#define PATIENCE_MS   5000

static const char *const names[] = { "one",  "two",    "three", "four",	   "five",
				     "4913", ".swp\n", "one~",	"\xff\xfe" };
#define NAMES ARRAY_SIZE(names)

/* What a file holds, wherever it has a name. */
struct object {
	char *data;
	size_t size;
	mode_t mode;
};

/* An inode inside. */
struct file {
	struct object *object;
	bool pending; /* to be put at its place outside by the next close(2) or fsync(2) */
};

struct opened {
	int fd; /* -EBADF: none */
	struct file *file;
	bool writable, append;
};

struct model {
	uint64_t seed, state;
	int inside, outside;
	struct file *files[NAMES];
	struct object *objects[SLOTS]; /* outside */
	struct opened handles[HANDLES];
	char log[REMEMBERED][160];
	uint64_t number;
	const char *wrong;
};

static char buffer[2 * FILE_SIZE_MAX];

static struct object *new_object(mode_t mode)
{
	struct object *o = xcalloc(1, sizeof *o);

	o->data = xcalloc(1, 2 * FILE_SIZE_MAX);
	o->mode = mode;
	return o;
}

/* Is nothing of it reachable any more? Few are made, and a leak of a test ends with it. */
static void collect(struct model *m, struct object *o)
{
	for (size_t i = 0; i < NAMES; i++)
		if (m->files[i] && m->files[i]->object == o)
			return;
	for (size_t i = 0; i < SLOTS; i++)
		if (m->objects[i] == o)
			return;
	for (size_t i = 0; i < HANDLES; i++)
		if (m->handles[i].fd >= 0 && m->handles[i].file->object == o)
			return;
	free(o->data);
	free(o);
}

static struct file *new_file(struct object *o, bool pending)
{
	struct file *f = xcalloc(1, sizeof *f);

	*f = (struct file){ .object = o, .pending = pending };
	return f;
}

static bool expect(struct model *m, bool same, const char *what)
{
	if (!same && !m->wrong)
		m->wrong = what;
	return same;
}

/* The result of a call must be -1 with this error, or not an error if it is 0. */
static bool expect_error(struct model *m, long value, int error)
{
	int got = value < 0 ? errno : 0;

	if (got != error)
		printf("%s instead of %s: ", got ? strerrorname_np(got) : "no error",
		       error ? strerrorname_np(error) : "no error");
	return expect(m, got == error, "error");
}

/* --- what must come of it -----------------------------------------------------------------------
 */

static bool is_slot(unsigned name)
{
	return name < SLOTS;
}

/* It has the name outside now; the mode stays that of what was there. */
static void commit(struct model *m, unsigned slot, struct file *f)
{
	struct object *old = m->objects[slot];
	struct stat st;

	f->pending = false;
	m->objects[slot] = f->object;
	if (old && old != f->object) {
		f->object->mode = old->mode;
		collect(m, old);
	} else if (!old && fstatat(m->outside, names[slot], &st, AT_SYMLINK_NOFOLLOW) == 0) {
		f->object->mode = st.st_mode & 0777;
	}
}

static void commit_pending(struct model *m, struct file *f)
{
	for (unsigned i = 0; i < SLOTS && f->pending; i++)
		if (m->files[i] == f)
			commit(m, i, f);
}

static bool is_open(const struct model *m, const struct file *f)
{
	for (size_t i = 0; i < HANDLES; i++)
		if (m->handles[i].fd >= 0 && m->handles[i].file == f)
			return true;
	return false;
}

/* The name goes; what is open of it stays. */
static void drop_name(struct model *m, unsigned name)
{
	struct file *f = m->files[name];
	struct object *o;

	m->files[name] = NULL;
	if (!f || is_open(m, f))
		return;
	o = f->object;
	free(f);
	collect(m, o);
}

/* The user's own file stays where it is: the application goes on with a copy. */
static void copy_away(struct model *m, struct file *f)
{
	struct object *copy = new_object(f->object->mode), *old = f->object;

	memcpy(copy->data, old->data, old->size);
	copy->size = old->size;
	f->object = copy;
	collect(m, old);
}

static bool is_open_for_writing(const struct model *m, const struct file *f)
{
	for (size_t i = 0; i < HANDLES; i++)
		if (m->handles[i].fd >= 0 && m->handles[i].file == f && m->handles[i].writable)
			return true;
	return false;
}

static void move(struct model *m, unsigned from, unsigned to)
{
	struct file *f = m->files[from];

	if (is_slot(from) && !f->pending)
		copy_away(m, f);
	f->pending = false;
	m->files[from] = NULL;
	drop_name(m, to);
	m->files[to] = f;
	if (is_slot(to))
		commit(m, to, f);
}

/* --- operations ---------------------------------------------------------------------------------
 */

static struct opened *a_handle(struct model *m)
{
	return &m->handles[random_below(&m->state, HANDLES)];
}

static unsigned a_name(struct model *m)
{
	return random_below(&m->state, NAMES);
}

static void note(struct model *m, const char *what, unsigned name, size_t a, size_t b)
{
	char *line = m->log[m->number % REMEMBERED];

	snprintf(line, sizeof m->log[0], "%llu %s %s %zu %zu", (unsigned long long)m->number, what,
		 names[name], a, b);
}

static unsigned index_of(struct model *m, const struct opened *h)
{
	return (unsigned)(h - m->handles);
}

static void close_handle(struct model *m, struct opened *h)
{
	struct file *f = h->file;
	bool named = false;

	if (h->fd < 0)
		return;
	expect_error(m, close(h->fd), 0);
	h->fd = -EBADF;
	if (h->writable)
		commit_pending(m, f);
	for (size_t i = 0; i < NAMES; i++)
		named |= m->files[i] == f;
	if (!named && !is_open(m, f)) {
		struct object *o = f->object;

		free(f);
		collect(m, o);
	}
}

static int open_error(const struct model *m, unsigned name, int flags)
{
	bool exists = m->files[name];

	if (exists && flags & O_CREAT && flags & O_EXCL)
		return EEXIST;
	if (!exists && !(flags & O_CREAT))
		return ENOENT;
	if (name == READ_ONLY && (!exists || (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC))
		return EROFS;
	return 0;
}

static void do_open(struct model *m)
{
	static const int accesses[] = { O_RDONLY, O_RDWR, O_RDWR, O_RDWR };
	struct opened *h = a_handle(m);
	unsigned name = a_name(m);
	int flags = accesses[random_below(&m->state, 4)], error;
	struct file *f;

	flags |= random_below(&m->state, 2) ? O_CREAT : 0;
	flags |= random_below(&m->state, 6) ? 0 : O_EXCL & -(flags & O_CREAT ? 1 : 0);
	flags |= random_below(&m->state, 4) ? 0 : O_TRUNC;
	flags |= random_below(&m->state, 6) ? 0 : O_APPEND;
	close_handle(m, h);
	error = open_error(m, name, flags);
	note(m, "open", name, index_of(m, h), (size_t)flags);
	h->fd = openat(m->inside, names[name], flags | O_CLOEXEC, 0600);
	if (!expect_error(m, h->fd, error) || h->fd < 0)
		return;
	h->file = f = m->files[name];
	if (!f) {
		h->file = f = m->files[name] = new_file(new_object(0600), is_slot(name));
		/* Nobody who cannot write will close it for that. */
		if ((flags & O_ACCMODE) == O_RDONLY && is_slot(name))
			commit(m, name, f);
	} else if (flags & O_TRUNC) {
		f->object->size = 0;
	}
	h->writable = (flags & O_ACCMODE) != O_RDONLY;
	h->append = flags & O_APPEND;
}

static void do_close(struct model *m)
{
	struct opened *h = a_handle(m);

	note(m, "close", 0, index_of(m, h), 0);
	close_handle(m, h);
}

static void do_fsync(struct model *m)
{
	struct opened *h = a_handle(m);

	if (h->fd < 0)
		return;
	note(m, "fsync", 0, index_of(m, h), 0);
	expect_error(m, fsync(h->fd), 0);
	if (h->writable)
		commit_pending(m, h->file);
}

static void set_size(struct object *o, size_t size)
{
	if (size > o->size)
		memset(o->data + o->size, 0, size - o->size);
	o->size = size;
}

static void do_write(struct model *m)
{
	struct opened *h = a_handle(m);
	size_t size = random_below(&m->state, 9000), at = random_below(&m->state, FILE_SIZE_MAX);
	struct object *o;
	ssize_t n;

	if (h->fd < 0)
		return;
	o = h->file->object;
	if (h->append)
		at = o->size;
	if (at + size > FILE_SIZE_MAX)
		return;
	note(m, "write", 0, index_of(m, h), at);
	random_fill(random_next(&m->state), buffer, size);
	n = pwrite(h->fd, buffer, size, (off_t)at);
	if (!expect_error(m, n, h->writable ? 0 : EBADF) || n < 0)
		return;
	expect(m, n == (ssize_t)size, "not all was written");
	if (size && at + size > o->size)
		set_size(o, at + size);
	memcpy(o->data + at, buffer, size);
}

static bool holds(int fd, const struct object *o)
{
	ssize_t n = pread(fd, buffer, sizeof buffer, 0);

	return n == (ssize_t)o->size && memcmp(buffer, o->data, o->size) == 0;
}

static void do_read(struct model *m)
{
	struct opened *h = a_handle(m);
	struct stat st;

	if (h->fd < 0)
		return;
	note(m, "read", 0, index_of(m, h), 0);
	expect(m, holds(h->fd, h->file->object), "content of what is open");
	if (expect_error(m, fstat(h->fd, &st), 0))
		expect(m, (size_t)st.st_size == h->file->object->size, "size of what is open");
}

static void do_ftruncate(struct model *m)
{
	struct opened *h = a_handle(m);
	size_t size = random_below(&m->state, FILE_SIZE_MAX);

	if (h->fd < 0)
		return;
	note(m, "ftruncate", 0, index_of(m, h), size);
	if (expect_error(m, ftruncate(h->fd, (off_t)size), h->writable ? 0 : EINVAL) && h->writable)
		set_size(h->file->object, size);
}

static void do_chmod(struct model *m)
{
	unsigned name = a_name(m);
	struct file *f = m->files[name];
	mode_t mode = 0600 | (mode_t)random_below(&m->state, 0100);

	note(m, "chmod", name, mode, 0);
	if (expect_error(m, fchmodat(m->inside, names[name], mode, 0),
			 !f		     ? ENOENT
			 : name == READ_ONLY ? EROFS
					     : 0) &&
	    f && name != READ_ONLY)
		f->object->mode = mode;
}

static void do_rename(struct model *m)
{
	unsigned from = a_name(m), to = a_name(m), flags = random_below(&m->state, 5) == 0;
	int error = 0;

	note(m, flags ? "rename-noreplace" : "rename", from, to, 0);
	if (!m->files[from])
		error = ENOENT;
	else if (flags && m->files[to])
		error = EEXIST;
	else if (from == to)
		error = 0;
	else if (from == READ_ONLY || to == READ_ONLY)
		error = EROFS;
	if (expect_error(m, renameat2(m->inside, names[from], m->inside, names[to], flags),
			 error) &&
	    !error && from != to)
		move(m, from, to);
}

static void do_exchange(struct model *m)
{
	unsigned a = a_name(m), b = a_name(m);
	struct file *f = m->files[a];
	int error;

	if (a == b)
		return;
	note(m, "exchange", a, b, 0);
	error = !m->files[a] || !m->files[b]	   ? ENOENT
		: a == READ_ONLY || b == READ_ONLY ? EROFS
		: is_slot(a) || is_slot(b)	   ? EINVAL
						   : 0;
	if (!expect_error(m, renameat2(m->inside, names[a], m->inside, names[b], RENAME_EXCHANGE),
			  error) ||
	    error)
		return;
	m->files[a] = m->files[b];
	m->files[b] = f;
}

static void do_unlink(struct model *m)
{
	unsigned name = a_name(m);
	int error = !m->files[name] ? ENOENT : name == READ_ONLY ? EROFS : 0;

	note(m, "unlink", name, 0, 0);
	if (!expect_error(m, unlinkat(m->inside, names[name], 0), error) || error)
		return;
	if (is_slot(name) && !m->files[name]->pending && is_open_for_writing(m, m->files[name]))
		copy_away(m, m->files[name]);
	drop_name(m, name);
}

static void do_forbidden(struct model *m)
{
	unsigned a = a_name(m), b = a_name(m);

	note(m, "link, mkdir, symlink", a, b, 0);
	expect(m, linkat(m->inside, names[a], m->inside, names[b], 0) < 0, "link(2)");
	expect(m, mkdirat(m->inside, names[b], 0755) < 0, "mkdir(2)");
	expect(m, symlinkat(names[a], m->inside, names[b]) < 0, "symlink(2)");
}

/* The kernel inside believes for a moment what it was told of a file. */
static void settle(void)
{
	nanosleep(&belief, NULL);
}

/* --- somebody else, outside ---------------------------------------------------------------------
 */

static bool shows(const struct model *m, unsigned name, const struct object *o)
{
	_cleanup_close_ int fd = openat(m->inside, names[name], O_RDONLY | O_CLOEXEC);

	return o ? fd >= 0 && holds(fd, o) : fd < 0;
}

/* The supervisor hears of it a little later. */
static void await(struct model *m, unsigned slot, const struct object *o)
{
	for (int i = 0; i < PATIENCE_MS && !shows(m, slot, o); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	expect(m, shows(m, slot, o), "what another has put outside");
}

static void do_outside_save(struct model *m)
{
	unsigned slot = random_below(&m->state, SLOTS);
	struct object *o = new_object(0640), *old = m->objects[slot];
	_cleanup_close_ int fd = openat(m->outside, "beside", O_WRONLY | O_CREAT | O_CLOEXEC, 0640);

	note(m, "outside: save", slot, 0, 0);
	o->size = 100 + random_below(&m->state, 5000);
	random_fill(random_next(&m->state) * 7 + 1, o->data, o->size);
	if (write(fd, o->data, o->size) != (ssize_t)o->size ||
	    renameat(m->outside, "beside", m->outside, names[slot]) < 0)
		expect(m, false, "cannot save outside");
	await(m, slot, o);
	drop_name(m, slot);
	m->objects[slot] = o;
	m->files[slot] = new_file(o, false);
	if (old)
		collect(m, old);
}

/* What is to become the file inside goes on; otherwise there is none. */
static void do_outside_unlink(struct model *m)
{
	unsigned slot = random_below(&m->state, SLOTS);
	struct object *old = m->objects[slot];
	bool pending = m->files[slot] && m->files[slot]->pending;

	if (!old || slot == READ_ONLY)
		return;
	note(m, "outside: unlink", slot, 0, 0);
	expect_error(m, unlinkat(m->outside, names[slot], 0), 0);
	if (pending || !m->files[slot])
		settle(); /* nothing to see */
	else
		await(m, slot, NULL);
	if (!pending)
		drop_name(m, slot);
	m->objects[slot] = NULL;
	collect(m, old);
}

static void do_outside_append(struct model *m)
{
	unsigned slot = random_below(&m->state, SLOTS);
	size_t size = 1 + random_below(&m->state, 1000);
	struct object *o = m->objects[slot];
	_cleanup_close_ int fd = -EBADF;

	if (!o || o->size + size > FILE_SIZE_MAX)
		return;
	note(m, "outside: append", slot, size, 0);
	fd = openat(m->outside, names[slot], O_WRONLY | O_APPEND | O_CLOEXEC);
	random_fill(random_next(&m->state), buffer, size);
	if (!expect_error(m, write(fd, buffer, size), 0))
		return;
	memcpy(o->data + o->size, buffer, size);
	o->size += size;
	settle();
}

/* --- all of it ----------------------------------------------------------------------------------
 */

static bool agrees(struct model *m, int dir, unsigned name, const struct object *o)
{
	_cleanup_close_ int fd = openat(dir, names[name], O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (!o)
		return expect(m, fd < 0 && errno == ENOENT, "there is something");
	if (!expect(m, fd >= 0 && fstat(fd, &st) == 0, "there is nothing"))
		return false;
	if ((st.st_mode & 0777) != o->mode)
		printf("%o instead of %o: ", st.st_mode, o->mode);
	return expect(m, (st.st_mode & 0777) == o->mode, "mode") &&
	       expect(m, st.st_nlink == 1, "number of links") && expect(m, holds(fd, o), "content");
}

static bool all_agree(struct model *m)
{
	struct outcome inside = { 0 }, outside = { 0 };
	int64_t n_inside = 0, n_outside = 0;

	settle();
	for (unsigned i = 0; i < NAMES; i++) {
		n_inside += m->files[i] != NULL;
		if (!agrees(m, m->inside, i, m->files[i] ? m->files[i]->object : NULL))
			printf("inside '%s': ", names[i]);
	}
	for (unsigned i = 0; i < SLOTS; i++) {
		n_outside += m->objects[i] != NULL;
		if (!agrees(m, m->outside, i, m->objects[i]))
			printf("outside '%s': ", names[i]);
	}
	list_directory(m->inside, ".", &inside);
	list_directory(m->outside, ".", &outside);
	return expect(m, inside.value == n_inside, "list inside") &&
	       expect(m, outside.value == n_outside, "list outside") && !m->wrong;
}

static const struct {
	unsigned weight;
	void (*run)(struct model *m);
} kinds[] = {
	{ 2, do_chmod },	  { 8, do_close },	    { 2, do_exchange },
	{ 1, do_forbidden },	  { 3, do_fsync },	    { 4, do_ftruncate },
	{ 12, do_open },	  { 1, do_outside_append }, { 1, do_outside_save },
	{ 1, do_outside_unlink }, { 10, do_read },	    { 8, do_rename },
	{ 3, do_unlink },	  { 12, do_write },
};

static void one(struct model *m)
{
	unsigned all = 0, n;
	size_t i = 0;

	for (size_t j = 0; j < ARRAY_SIZE(kinds); j++)
		all += kinds[j].weight;
	m->log[m->number % REMEMBERED][0] = '\0';
	for (n = random_below(&m->state, all); n >= kinds[i].weight; i++)
		n -= kinds[i].weight;
	kinds[i].run(m);
}

static int give_up(const struct model *m)
{
	printf("%s\nwrong at operation %llu of seed %llu; the last ones:\n", m->wrong,
	       (unsigned long long)m->number, (unsigned long long)m->seed);
	for (uint64_t i = m->number < REMEMBERED ? 0 : m->number + 1 - REMEMBERED; i <= m->number;
	     i++) {
		printf("  ");
		print_escaped(m->log[i % REMEMBERED]);
		printf("\n");
	}
	return 1;
}

static void load(struct model *m)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		_cleanup_close_ int fd = openat(m->outside, names[i], O_RDONLY | O_CLOEXEC);
		struct stat st;

		if (fd < 0 || fstat(fd, &st) < 0)
			continue;
		m->objects[i] = new_object(st.st_mode & 0777);
		m->objects[i]->size = (size_t)read(fd, m->objects[i]->data, FILE_SIZE_MAX);
		m->files[i] = new_file(m->objects[i], false);
	}
	for (size_t i = 0; i < HANDLES; i++)
		m->handles[i].fd = -EBADF;
}

int main(int argc, char **argv)
{
	uint64_t count = 100000, every = 100;
	struct model m = { 0 };
	uint32_t seed = 1;
	int i = 1;

	(void)!getrandom(&seed, sizeof seed, 0);
	m.seed = seed;
	for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
		uint64_t value = strtoull(argv[i + 1], NULL, 10);

		if (strcmp(argv[i], "--seed") == 0)
			m.seed = value;
		else if (strcmp(argv[i], "--operations") == 0)
			count = value;
		else if (strcmp(argv[i], "--every") == 0 && value)
			every = value;
		else
			return 2;
	}
	if (argc != i + 2)
		return 2;
	m.inside = open(argv[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	m.outside = open(argv[i + 1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m.inside < 0 || m.outside < 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %llu\n", (unsigned long long)m.seed);
	m.state = m.seed;
	umask(0);
	load(&m);
	for (; m.number < count; m.number++) {
		one(&m);
		if (m.wrong || (m.number % every == 0 && !all_agree(&m)))
			return give_up(&m);
	}
	printf("%llu operations: as it must be\n", (unsigned long long)count);
	return 0;
}
