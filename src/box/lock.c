#include "box/lock.h"

#include <fcntl.h>

#define HOLDER_BYTE 0
#define SLICE_BYTES 1 /* the first; byte SLICE_BYTES + n is slice n */

static int lock_byte(int fd, int command, short type, off_t byte)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };
	int r;

	do
		r = fcntl(fd, command, &l);
	while (r < 0 && errno == EINTR);
	return r;
}

int lock_open(int runtime_dir, int *ret_fd, struct error **err)
{
	int fd = openat(runtime_dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_errno(err, "cannot open the lock file");
	*ret_fd = fd;
	return 0;
}

int lock_holder(int lock_fd, struct error **err)
{
	if (lock_byte(lock_fd, F_OFD_SETLKW, F_WRLCK, HOLDER_BYTE) < 0)
		return error_errno(err, "cannot lock the session holder");
	return 0;
}

void lock_holder_done(int lock_fd)
{
	(void)lock_byte(lock_fd, F_OFD_SETLK, F_UNLCK, HOLDER_BYTE);
}

int slice_claim(int lock_fd, uint32_t number, struct slice *ret, struct error **err)
{
	if (lock_byte(lock_fd, F_OFD_SETLK, F_WRLCK, SLICE_BYTES + (off_t)number) == 0) {
		*ret = (struct slice){ .number = number,
				       .first = SLICE_FIRST + number * SLICE_IDS };
		return 0;
	}
	if (errno != EAGAIN && errno != EACCES)
		return error_errno(err, "cannot lock ids for a box");
	return error_set(err, EBUSY, "id slice %u is in use", number);
}

int slice_take(int lock_fd, struct slice *ret, struct error **err)
{
	int r;

	for (uint32_t n = 0; n < SLICE_TAKEN; n++) {
		/* A lock of our own description would be granted again: ask the number after the
		 * last one. */
		if (ret->first && n <= ret->number)
			continue;
		r = slice_claim(lock_fd, n, ret, err);
		if (r != -EBUSY)
			return r;
		*err = error_free(*err);
	}
	return error_set(err, EUSERS, "all %u id slices are in use: stop some sandboxes",
			 SLICE_TAKEN);
}
