#include "base/copy.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_MAX  (64U << 20)
#define BUFFER_MAX (64U << 10)

/* Between file systems where the kernel does not do it. */
static ssize_t copy_by_hand(int from, int to, off_t at, size_t size)
{
	char buffer[BUFFER_MAX];
	ssize_t n = pread(from, buffer, size < sizeof buffer ? size : sizeof buffer, at);

	return n > 0 ? pwrite(to, buffer, (size_t)n, at) : n;
}

static ssize_t copy_some(int from, int to, off_t at, size_t size)
{
	off_t read_at = at, write_at = at;
	ssize_t n = copy_file_range(from, &read_at, to, &write_at, size, 0);

	if (n > 0 || (n < 0 && (errno == EINTR || errno == ENOSPC || errno == EDQUOT)))
		return n;
	return copy_by_hand(from, to, at, size);
}

/* Where the file system knows no holes, all of it is data. */
static off_t seek(int fd, off_t at, int whence, off_t otherwise)
{
	off_t found = lseek(fd, at, whence);

	if (found < 0 && errno == ENXIO)
		return otherwise;
	return found < 0 ? (whence == SEEK_DATA ? at : otherwise) : found;
}

int copy_piece(int from, int to, off_t *at, off_t end, size_t size)
{
	off_t data = seek(from, *at, SEEK_DATA, end), hole;
	ssize_t n = 0;

	if (data < end) {
		*at = data;
		hole = seek(from, data, SEEK_HOLE, end);
		if (hole > end || hole <= data)
			hole = end;
		n = copy_some(from, to, data,
			      hole - data < (off_t)size ? (size_t)(hole - data) : size);
	}
	if (n < 0)
		return errno == EINTR ? 1 : -errno;
	if (n == 0)
		return ftruncate(to, end) < 0 ? -errno : 0;
	*at += n;
	return 1;
}

int copy_all(int from, int to)
{
	struct stat st;
	off_t at = 0;
	int r;

	if (fstat(from, &st) < 0)
		return -errno;
	do
		r = copy_piece(from, to, &at, st.st_size, PIECE_MAX);
	while (r > 0);
	return r;
}
