#pragma once

/* What the operations of FUSE (server.c, server-io.c, server-dir.c) have in common. */

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include "gate/server.h"

/*
 * Seconds for which the kernel believes what it was told. What changes outside is seen at once, as
 * people count it; yet one stat(2), which asks twice, costs one request, and many reads of a file
 * ask once in a while how large it is. In a given tree, what has been at rest is believed for
 * longer where its changes are told (gate/watch.h).
 */
#define REQUEST_BELIEF	       0.01
#define REQUEST_BELIEF_WATCHED 10.0
#define REQUEST_REST_S	       5

static inline struct server *request_server(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* -ESTALE: the kernel was never told of it; -ENOENT: it was revoked; -EIO: while it is open. */
int request_node(fuse_req_t req, fuse_ino_t ino, struct node **ret);

/* The same of a directory that a name is meant in; what cannot be a name is -EINVAL. */
int request_name(fuse_req_t req, fuse_ino_t ino, const char *name, struct node **ret);

/* -EBADF: it is not open; -EIO: it was revoked. */
int request_handle(fuse_req_t req, fuse_ino_t ino, const struct fuse_file_info *fi,
		   struct handle **ret);

ino_t request_show_inode(struct server *s, const struct stat *st);

/* Numbers for entries: what `r` says, or the node, which the kernel then knows once more. */
int request_entry(struct server *s, int r, struct node *n, struct fuse_entry_param *ret);

/* The operations, put into the table of server.c. */
void request_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void request_create(fuse_req_t req, fuse_ino_t dir, const char *name, mode_t mode,
		    struct fuse_file_info *fi);
void request_mknod(fuse_req_t req, fuse_ino_t dir, const char *name, mode_t mode, dev_t device);
void request_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at, struct fuse_file_info *fi);
void request_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t at,
		   struct fuse_file_info *fi);
void request_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void request_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void request_fsync(fuse_req_t req, fuse_ino_t ino, int only_data, struct fuse_file_info *fi);
void request_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t at, off_t length,
		       struct fuse_file_info *fi);
void request_lseek(fuse_req_t req, fuse_ino_t ino, off_t at, int whence, struct fuse_file_info *fi);
void request_copy(fuse_req_t req, fuse_ino_t from, off_t from_at, struct fuse_file_info *from_fi,
		  fuse_ino_t to, off_t to_at, struct fuse_file_info *to_fi, size_t size, int flags);
void request_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void request_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at,
		     struct fuse_file_info *fi);
void request_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void request_fsyncdir(fuse_req_t req, fuse_ino_t ino, int only_data, struct fuse_file_info *fi);

/* Ends what is open, when the server does. */
void handle_free(struct server *s, struct handle *h);
struct listing;
void listing_free(struct server *s, struct listing *l);
