#pragma once

/* What the parts of save share. */

#include <stddef.h>

#include "base/buf.h"
#include "base/sha256.h"
#include "image/index-line.h"
#include "image/save.h"
#include "image/store.h"
#include "image/tar.h"
#include "image/transfer.h"

struct saving {
	const struct save *what;
	struct transfer transfer;
	struct image image;
	char **indexes; /* of the layers, the topmost first */
	int *roots;
	size_t n_layers;
};

/* Where the bytes of an archive go. */
struct sink {
	int fd;		    /* borrowed */
	struct sha256 *sum; /* of all bytes; may be NULL */
	struct buf held;
};

void sink_release(struct sink *s);
int sink_add(struct sink *s, const void *data, size_t size, struct error **err);
int sink_flush(struct sink *s, struct error **err);

/* One file of a layer, and its bytes, compared with the index. */
int save_member(struct saving *s, struct sink *to, const struct index_line *line, size_t layer,
		struct error **err);

/* All of it as one tree. */
int save_merged(struct saving *s, int to, struct error **err);

/* One layer, with what it hides as OCI says it. *ret_digest is the archive's. */
int save_layer(struct saving *s, size_t layer, int to, char **ret_digest, struct error **err);

/* An OCI image layout in an empty directory. */
int save_oci(struct saving *s, int dir, struct error **err);

/* The same in an archive; `work` is an empty directory. */
int save_oci_archive(struct saving *s, int work, int to, struct error **err);

/* By another program, into a file that is empty; `work` is an empty directory. */
int save_squashfs(struct saving *s, int file, struct error **err);
int save_erofs(struct saving *s, int work, int file, struct error **err);
