/* What gate-model.c does to both worlds: one function for each kind of operation. */

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "gate-model.h"

#define DATA_MAX (512 << 10)

static char buffer[DATA_MAX];

static void done(struct outcome *ret, int64_t value)
{
	ret->error = value < 0 ? errno : 0;
	ret->value = value;
}

static void put_data(struct outcome *ret, const void *data, size_t size)
{
	ret->data = hash_add(ret->data, data, size);
}

static void put_stat(struct outcome *ret, const struct stat *st)
{
	bool directory = S_ISDIR(st->st_mode);
	uint64_t words[] = { st->st_mode, st->st_uid, st->st_gid,
			     directory ? 0 : (uint64_t)st->st_size, directory ? 0 : st->st_nlink };

	put_data(ret, words, sizeof words);
	ret->has_time = true;
	ret->time = st->st_mtim;
	ret->st = *st;
}

/* --- descriptors --------------------------------------------------------------------------------
 */

static void do_open(struct world *w, const struct order *o, struct outcome *ret)
{
	int fd = openat(w->root, o->path, o->flags | O_CLOEXEC, o->mode);
	struct stat st = { 0 };

	done(ret, fd < 0 ? -1 : 0);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0)
		put_stat(ret, &st);
	/* One that is open and then removed cannot be asked for anything through a gate. */
	if (S_ISDIR(st.st_mode)) {
		close_fd(fd);
		return;
	}
	close_fd(w->fds[o->fd]);
	w->fds[o->fd] = fd;
}

static void do_create(struct world *w, const struct order *o, struct outcome *ret)
{
	struct order create = *o;

	create.flags = O_RDWR | O_CREAT | (o->flags & (O_EXCL | O_TRUNC | O_APPEND));
	do_open(w, &create, ret);
}

static void do_close(struct world *w, const struct order *o, struct outcome *ret)
{
	done(ret, w->fds[o->fd] < 0 ? 0 : close(w->fds[o->fd]));
	w->fds[o->fd] = -EBADF;
}

static void do_dup(struct world *w, const struct order *o, struct outcome *ret)
{
	int fd = fcntl(w->fds[o->fd], F_DUPFD_CLOEXEC, 0);

	done(ret, fd < 0 ? -1 : 0);
	if (fd < 0)
		return;
	close_fd(w->fds[o->fd2]);
	w->fds[o->fd2] = fd;
}

/* --- reading and writing ------------------------------------------------------------------------
 */

static void do_read(struct world *w, const struct order *o, struct outcome *ret)
{
	done(ret, read(w->fds[o->fd], buffer, o->size));
	if (ret->value > 0)
		put_data(ret, buffer, (size_t)ret->value);
}

static void do_pread(struct world *w, const struct order *o, struct outcome *ret)
{
	done(ret, pread(w->fds[o->fd], buffer, o->size, o->offset));
	if (ret->value > 0)
		put_data(ret, buffer, (size_t)ret->value);
}

static void do_readv(struct world *w, const struct order *o, struct outcome *ret)
{
	struct iovec v[] = { { buffer, o->size / 3 }, { buffer + o->size / 3, o->size / 2 } };

	done(ret, readv(w->fds[o->fd], v, 2));
	if (ret->value > 0)
		put_data(ret, buffer, (size_t)ret->value);
}

static void do_write(struct world *w, const struct order *o, struct outcome *ret)
{
	random_fill(o->word, buffer, o->size);
	done(ret, write(w->fds[o->fd], buffer, o->size));
}

static void do_pwrite(struct world *w, const struct order *o, struct outcome *ret)
{
	random_fill(o->word, buffer, o->size);
	done(ret, pwrite(w->fds[o->fd], buffer, o->size, o->offset));
}

static void do_writev(struct world *w, const struct order *o, struct outcome *ret)
{
	struct iovec v[] = { { buffer, o->size / 3 },
			     { buffer + o->size / 3, o->size / 2 },
			     { buffer + DATA_MAX / 2, o->size / 7 } };

	random_fill(o->word, buffer, DATA_MAX / 2 + o->size / 7);
	done(ret, writev(w->fds[o->fd], v, 3));
}

static void do_lseek(struct world *w, const struct order *o, struct outcome *ret)
{
	static const int whences[] = { SEEK_SET, SEEK_CUR, SEEK_END };
	off_t offset = o->word % 2 ? o->offset : -o->offset;

	done(ret, lseek(w->fds[o->fd], offset, whences[o->word / 2 % 3]));
}

/* Or may not be read. */
static bool is_zero(int fd, off_t at, off_t end)
{
	while (at < end) {
		size_t size = end - at < DATA_MAX ? (size_t)(end - at) : DATA_MAX;
		ssize_t n = pread(fd, buffer, size, at);

		for (ssize_t i = 0; i < n; i++)
			if (buffer[i])
				return false;
		if (n <= 0)
			return true;
		at += n;
	}
	return true;
}

/* Where exactly a hole is, the file system outside may decide anew after each write back; that
 * there is nothing but zeros in what is called one can be seen. */
static void do_seek_data(struct world *w, const struct order *o, struct outcome *ret)
{
	int fd = w->fds[o->fd];
	off_t old, at, end;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	old = lseek(fd, 0, SEEK_CUR);
	at = lseek(fd, o->offset, SEEK_DATA);
	done(ret, at < 0 && o->offset >= st.st_size ? -1 : 0);
	end = at < 0 ? st.st_size : at;
	if (at >= 0 && (at < o->offset || lseek(fd, 0, SEEK_CUR) != at))
		ret->value = 1;
	if (!is_zero(fd, o->offset, end))
		ret->value = 2;
	at = lseek(fd, o->offset, SEEK_HOLE);
	if (at >= 0 && (at < o->offset || at > st.st_size))
		ret->value = 3;
	(void)lseek(fd, old, SEEK_SET);
}

static void do_map_read(struct world *w, const struct order *o, struct outcome *ret)
{
	int fd = w->fds[o->fd];
	struct stat st;
	char *p;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0)
		return;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, o->word % 2 ? MAP_SHARED : MAP_PRIVATE, fd,
		 0);
	done(ret, p == MAP_FAILED ? -1 : 0);
	if (p == MAP_FAILED)
		return;
	put_data(ret, p, (size_t)st.st_size);
	(void)munmap(p, (size_t)st.st_size);
}

static void do_map_write(struct world *w, const struct order *o, struct outcome *ret)
{
	int fd = w->fds[o->fd];
	size_t size, at, n;
	struct stat st;
	char *p;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0)
		return;
	size = (size_t)st.st_size;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	done(ret, p == MAP_FAILED ? -1 : 0);
	if (p == MAP_FAILED)
		return;
	at = o->word % size;
	n = o->size < size - at ? o->size : size - at;
	random_fill(o->word, buffer, n);
	memcpy(p + at, buffer, n);
	done(ret, msync(p, size, MS_SYNC));
	put_data(ret, p, size);
	(void)munmap(p, size);
}

static void do_copy_range(struct world *w, const struct order *o, struct outcome *ret)
{
	off_t from = o->offset, to = o->offset2;
	size_t left = o->size;
	ssize_t n = 0;

	while (left > 0) {
		n = copy_file_range(w->fds[o->fd], &from, w->fds[o->fd2], &to, left, 0);
		if (n <= 0)
			break;
		left -= (size_t)n;
	}
	done(ret, n < 0 ? -1 : (int64_t)(o->size - left));
}

static void do_sendfile(struct world *w, const struct order *o, struct outcome *ret)
{
	off_t from = o->offset;

	done(ret, sendfile(w->fds[o->fd2], w->fds[o->fd], &from, o->size));
}

/* --- sizes --------------------------------------------------------------------------------------
 */

static void do_ftruncate(struct world *w, const struct order *o, struct outcome *ret)
{
	done(ret, ftruncate(w->fds[o->fd], o->offset));
}

static void do_truncate(struct world *w, const struct order *o, struct outcome *ret)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", w->path, o->path);

	done(ret, truncate(path, o->offset));
}

static void do_fallocate(struct world *w, const struct order *o, struct outcome *ret)
{
	static const int modes[] = {
		0,
		FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
		FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
	};

	done(ret, fallocate(w->fds[o->fd], modes[o->word % 5], o->offset, (off_t)o->size));
}

static void do_fsync(struct world *w, const struct order *o, struct outcome *ret)
{
	done(ret, o->word % 2 ? fsync(w->fds[o->fd]) : fdatasync(w->fds[o->fd]));
}

/* --- what is known of a file --------------------------------------------------------------------
 */

static void do_fstat(struct world *w, const struct order *o, struct outcome *ret)
{
	struct stat st;

	done(ret, fstat(w->fds[o->fd], &st));
	if (ret->value == 0)
		put_stat(ret, &st);
}

static void stat_with(struct world *w, const struct order *o, struct outcome *ret, int flags)
{
	struct stat st;

	done(ret, fstatat(w->root, o->path, &st, flags));
	if (ret->value == 0)
		put_stat(ret, &st);
}

static void do_stat(struct world *w, const struct order *o, struct outcome *ret)
{
	stat_with(w, o, ret, 0);
}

static void do_lstat(struct world *w, const struct order *o, struct outcome *ret)
{
	stat_with(w, o, ret, AT_SYMLINK_NOFOLLOW);
}

/* The gate is mounted noexec: no file there can be executed. */
static void do_access(struct world *w, const struct order *o, struct outcome *ret)
{
	int mode = (int)(o->word % 8);
	struct stat st;

	if (fstatat(w->root, o->path, &st, 0) == 0 && S_ISREG(st.st_mode))
		mode &= ~X_OK;
	done(ret, faccessat(w->root, o->path, mode, 0));
}

static void do_readlink(struct world *w, const struct order *o, struct outcome *ret)
{
	done(ret, readlinkat(w->root, o->path, buffer, sizeof buffer));
	if (ret->value > 0)
		put_data(ret, buffer, (size_t)ret->value);
}

static void do_list(struct world *w, const struct order *o, struct outcome *ret)
{
	list_directory(w->root, o->path, ret);
}

static void do_statfs(struct world *w, const struct order *o, struct outcome *ret)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", w->path, o->path);
	struct statfs st;

	done(ret, statfs(path, &st));
	if (ret->value == 0) {
		uint64_t words[] = { (uint64_t)st.f_bsize, st.f_blocks, (uint64_t)st.f_namelen };

		put_data(ret, words, sizeof words);
	}
}

/* --- what changes it ----------------------------------------------------------------------------
 */

/* A directory is mostly left open for what comes. What is in one that may not be searched any more,
 * the kernel inside goes on believing in for a while. */
static mode_t chosen_mode(const struct stat *st, const struct order *o)
{
	if (!S_ISDIR(st->st_mode))
		return o->mode;
	return o->word % 8 ? 0755 : o->mode | S_IXUSR;
}

static void do_chmod(struct world *w, const struct order *o, struct outcome *ret)
{
	struct stat st = { 0 };

	(void)fstatat(w->root, o->path, &st, 0);
	done(ret, fchmodat(w->root, o->path, chosen_mode(&st, o), 0));
}

static void do_fchmod(struct world *w, const struct order *o, struct outcome *ret)
{
	struct stat st = { 0 };

	(void)fstat(w->fds[o->fd], &st);
	done(ret, fchmod(w->fds[o->fd], chosen_mode(&st, o)));
}

static void random_times(const struct order *o, struct timespec ret[2])
{
	for (int i = 0; i < 2; i++) {
		ret[i].tv_sec = 1000000000 + (time_t)(o->word >> (8 * i)) % 500000000;
		ret[i].tv_nsec = (o->word >> (40 + 4 * i)) % 4 == 0 ? UTIME_NOW
				 : (o->word >> (40 + 4 * i)) % 4 == 1
					 ? UTIME_OMIT
					 : (long)(o->word % 1000000000);
	}
}

static void do_utimens(struct world *w, const struct order *o, struct outcome *ret)
{
	struct timespec times[2];
	struct stat st;

	random_times(o, times);
	done(ret, utimensat(w->root, o->path, times, o->word % 3 ? 0 : AT_SYMLINK_NOFOLLOW));
	if (ret->value < 0)
		return;
	if (fstatat(w->root, o->path, &st, o->word % 3 ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (times[0].tv_nsec < 1000000000)
		put_data(ret, &st.st_atim, sizeof st.st_atim);
	if (times[1].tv_nsec < 1000000000)
		put_data(ret, &st.st_mtim, sizeof st.st_mtim);
}

static void do_futimens(struct world *w, const struct order *o, struct outcome *ret)
{
	struct timespec times[2];

	random_times(o, times);
	done(ret, futimens(w->fds[o->fd], times));
}

static void do_umask(struct world *w, const struct order *o, struct outcome *ret)
{
	static const mode_t masks[] = { 022, 002, 077, 0 };

	(void)w;
	(void)umask(masks[o->word % 4]);
	done(ret, 0);
}

/* --- names --------------------------------------------------------------------------------------
 */

static void do_mkdir(struct world *w, const struct order *o, struct outcome *ret)
{
	done(ret, mkdirat(w->root, o->path, o->word % 16 ? 0755 : o->mode));
}

static void do_rmdir(struct world *w, const struct order *o, struct outcome *ret)
{
	done(ret, unlinkat(w->root, o->path, AT_REMOVEDIR));
}

static void do_unlink(struct world *w, const struct order *o, struct outcome *ret)
{
	done(ret, unlinkat(w->root, o->path, 0));
}

static void do_symlink(struct world *w, const struct order *o, struct outcome *ret)
{
	done(ret, symlinkat(o->path2, w->root, o->path));
}

static void do_rename(struct world *w, const struct order *o, struct outcome *ret)
{
	done(ret, renameat2(w->root, o->path, w->root, o->path2, 0));
}

static void do_rename_new(struct world *w, const struct order *o, struct outcome *ret)
{
	done(ret, renameat2(w->root, o->path, w->root, o->path2, RENAME_NOREPLACE));
}

static void do_exchange(struct world *w, const struct order *o, struct outcome *ret)
{
	done(ret, renameat2(w->root, o->path, w->root, o->path2, RENAME_EXCHANGE));
}

/* As an editor saves: a file beside it, with other content, takes the name. */
static void do_save(struct world *w, const struct order *o, struct outcome *ret)
{
	_cleanup_free_ char *beside = xasprintf("%s.tmp", o->path);
	_cleanup_close_ int fd = openat(w->root, beside,
					O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	random_fill(o->word, buffer, o->size);
	done(ret, fd);
	if (fd < 0)
		return;
	done(ret, write(fd, buffer, o->size));
	if (fsync(fd) < 0 || renameat(w->root, beside, w->root, o->path) < 0) {
		done(ret, -1);
		(void)unlinkat(w->root, beside, 0);
	}
}

/* Refused in a gate by design, so that only there it is tried. */
static void do_forbidden(struct world *w, const struct order *o, struct outcome *ret)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", w->path, o->path);

	if (w->root == w->outside)
		return;
	if (linkat(w->root, o->path, w->root, o->path2, 0) == 0)
		ret->value = 1;
	else if (mkfifoat(w->root, o->path, 0666) == 0)
		ret->value = 2;
	else if (lsetxattr(path, "user.test", "x", 1, 0) == 0)
		ret->value = 3;
}

/* --- locks --------------------------------------------------------------------------------------
 */

static void do_flock(struct world *w, const struct order *o, struct outcome *ret)
{
	static const int kinds[] = { LOCK_SH, LOCK_EX, LOCK_UN };

	done(ret, flock(w->fds[o->fd], kinds[o->word % 3] | LOCK_NB));
}

static void do_lock(struct world *w, const struct order *o, struct outcome *ret)
{
	static const short kinds[] = { F_RDLCK, F_WRLCK, F_UNLCK };
	struct flock lock = { .l_type = kinds[o->word % 3],
			      .l_whence = SEEK_SET,
			      .l_start = o->offset,
			      .l_len = (off_t)o->size };

	done(ret, fcntl(w->fds[o->fd], F_OFD_SETLK, &lock));
	if (ret->value < 0 && ret->error == EAGAIN &&
	    fcntl(w->fds[o->fd], F_OFD_GETLK, &lock) == 0) {
		put_data(ret, &lock.l_type, sizeof lock.l_type);
		put_data(ret, &lock.l_start, sizeof lock.l_start);
		put_data(ret, &lock.l_len, sizeof lock.l_len);
	}
}

/* --- what somebody else does outside meanwhile --------------------------------------------------
 */

static void do_outside_append(struct world *w, const struct order *o, struct outcome *ret)
{
	_cleanup_close_ int fd = openat(w->outside, o->path,
					O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);

	done(ret, fd < 0 ? -1 : 0);
	if (fd < 0)
		return;
	random_fill(o->word, buffer, o->size % 1000 + 1);
	done(ret, write(fd, buffer, o->size % 1000 + 1));
}

static void do_outside_truncate(struct world *w, const struct order *o, struct outcome *ret)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", w->outside_path, o->path);

	done(ret, truncate(path, o->offset));
}

static void do_outside_unlink(struct world *w, const struct order *o, struct outcome *ret)
{
	done(ret, unlinkat(w->outside, o->path, 0));
}

/* What is open of a file that has another name outside is another file to the kernel inside than
 * what it finds at that name; they have nothing but their content in common. */
static void do_outside_rename(struct world *w, const struct order *o, struct outcome *ret)
{
	for (size_t i = 0; i < MODEL_FDS; i++)
		w->fds[i] = close_fd(w->fds[i]);
	done(ret, renameat2(w->outside, o->path, w->outside, o->path2,
			    o->word % 3 ? 0 : RENAME_EXCHANGE));
}

static void do_outside_save(struct world *w, const struct order *o, struct outcome *ret)
{
	struct world other = { .root = w->outside, .outside = w->outside };

	do_save(&other, o, ret);
}

/* clang-format off */
const struct operation operations[] = {
	{ "access", 3,            do_access },
	{ "chmod", 3,             do_chmod },
	{ "close", 2,             do_close },
	{ "copy_file_range", 2,   do_copy_range },
	{ "create", 6,            do_create },
	{ "dup", 1,               do_dup },
	{ "fallocate", 2,         do_fallocate },
	{ "fchmod", 1,            do_fchmod },
	{ "flock", 2,             do_flock },
	{ "forbidden", 1,         do_forbidden },
	{ "fstat", 4,             do_fstat },
	{ "fsync", 1,             do_fsync },
	{ "ftruncate", 3,         do_ftruncate },
	{ "futimens", 1,          do_futimens },
	{ "list", 4,              do_list },
	{ "lock", 2,              do_lock },
	{ "lseek", 3,             do_lseek },
	{ "lstat", 4,             do_lstat },
	{ "map_read", 3,          do_map_read },
	{ "map_write", 3,         do_map_write },
	{ "mkdir", 4,             do_mkdir },
	{ "open", 10,             do_open },
	{ "pread", 6,             do_pread },
	{ "pwrite", 6,            do_pwrite },
	{ "read", 5,              do_read },
	{ "readlink", 1,          do_readlink },
	{ "readv", 2,             do_readv },
	{ "rename", 4,            do_rename },
	{ "rename_exchange", 2,   do_exchange },
	{ "rename_noreplace", 1,  do_rename_new },
	{ "rmdir", 2,             do_rmdir },
	{ "save", 2,              do_save },
	{ "seek_data", 1,         do_seek_data },
	{ "sendfile", 2,          do_sendfile },
	{ "stat", 4,              do_stat },
	{ "statfs", 1,            do_statfs },
	{ "symlink", 2,           do_symlink },
	{ "truncate", 2,          do_truncate },
	{ "umask", 1,             do_umask },
	{ "unlink", 3,            do_unlink },
	{ "utimens", 3,           do_utimens },
	{ "write", 5,             do_write },
	{ "writev", 2,            do_writev },
};
const struct operation outside_operations[] = {
	{ "outside_append", 1,    do_outside_append },
	{ "outside_rename", 1,    do_outside_rename },
	{ "outside_save", 1,      do_outside_save },
	{ "outside_truncate", 1,  do_outside_truncate },
	{ "outside_unlink", 1,    do_outside_unlink },
};
/* clang-format on */
const size_t n_operations = ARRAY_SIZE(operations);
const size_t n_outside_operations = ARRAY_SIZE(outside_operations);
