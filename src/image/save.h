#pragma once

/*
 * An image for other programs. What goes out is what the layers' indexes say, which the manifest
 * names by their digests; each file is hashed while it is read, so that a damaged layer is an error
 * and never a wrong archive. The same image makes the same bytes.
 */

#include <stdbool.h>

#include "base/error.h"
#include "image/transfer.h"

enum save_format {
	SAVE_TAR, /* one root file system, of all layers */
	SAVE_SQUASHFS,
	SAVE_EROFS,
	SAVE_OCI, /* an OCI image layout, in a tar archive or a directory */
	SAVE_FORMAT_MAX,
};

extern const char *const save_format_names[SAVE_FORMAT_MAX + 1]; /* NULL-terminated */

enum save_format save_format_from_string(const char *s);

struct save {
	const char *home;
	const char *name;
	enum save_format format;
	const char *output; /* NULL: standard output; with a slash at the end, of SAVE_OCI: a
			       directory */
	bool force;	    /* what is there is replaced */
	transfer_fn *progress;
	void *user;
};

/* -EBADMSG: a layer is not as it was made; -EEXIST: something is there; -EINTR: the user ended it.
 */
int image_save(const struct save *s, struct error **err);
