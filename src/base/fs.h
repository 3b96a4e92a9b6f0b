#pragma once

/*
 * Files, always named beneath a directory descriptor and never through a symbolic link in the last
 * component. Reading refuses what is not a regular file, and never blocks.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Opens a directory; -ENOTDIR or -ELOOP where it is something else. Pass AT_FDCWD for absolute
 * paths. */
int fs_open_dir(int dirfd, const char *name, int *ret_fd, struct error **err);

/* As fs_open_dir(), made first if it is missing. */
int fs_make_dir(int dirfd, const char *name, mode_t mode, int *ret_fd, struct error **err);

/* The same for each component of an absolute path; components that exist may be links. */
int fs_make_path(const char *path, mode_t mode, int *ret_fd, struct error **err);

/* openat2(2) with O_CLOEXEC; `resolve` as in linux/openat2.h. Returns the descriptor or -errno. */
int fs_open_beneath(int dirfd, const char *path, int flags, uint64_t resolve, mode_t mode);

/* Opens a regular file for reading. */
int fs_open_file(int dirfd, const char *name, int *ret_fd, struct error **err);

/* Do both descriptors stand for one file? */
bool fs_is_same(int a, int b);

/* The whole file, NUL-terminated (ret_size may be NULL); more than `limit` bytes is -EFBIG. */
int fs_read_fd(int fd, size_t limit, char **ret, size_t *ret_size, struct error **err);
int fs_read(int dirfd, const char *name, size_t limit, char **ret, size_t *ret_size,
	    struct error **err);

/* Replaces the file as a whole: a reader sees the old or the new one. */
int fs_write(int dirfd, const char *name, const void *data, size_t size, mode_t mode,
	     struct error **err);

int fs_write_all(int fd, const void *data, size_t size, struct error **err);

/* Removes name and what is below it, never following a link or leaving its file system; missing is
 * no error. */
int fs_remove_tree(int dirfd, const char *name, struct error **err);

/* A sealed, read-only memory file (memfd_create(2)) that holds `data`. */
int fs_memfd(const char *name, const void *data, size_t size, int *ret_fd, struct error **err);
