#pragma once

/* What the parts of import share. */

#include "image/import.h"
#include "image/manifest.h"
#include "image/stage.h"
#include "image/transfer.h"
#include "image/unpacker.h"

struct importing {
	const struct import *what;
	struct transfer transfer;
	struct stage stage;
	struct manifest *manifest;
};

/* All of an open file goes to the unpacker. *ret_digest, unless it is NULL, is the SHA-256 of every
 * byte, also of those that the unpacker did not want any more. */
int import_feed(struct importing *i, int from, struct unpacker *u, char **ret_digest,
		struct error **err);

/* A tar archive becomes a tree. *ret_digest is set, unless it is NULL, also where it is refused;
 * *ret_text is what the unpacker has printed. */
int import_unpack(struct importing *i, int from, const struct unpacker_options *o,
		  char **ret_digest, char **ret_text, struct error **err);

/* A directory becomes one layer. */
int import_directory(struct importing *i, int dir, struct error **err);

/* An OCI image layout, or what docker save writes, in a directory. */
int import_layout(struct importing *i, int dir, struct error **err);
