#pragma once

/*
 * An image from somewhere else: an archive, a directory, what other container programs write. Its
 * files are taken as hostile (image/unpack.h), its documents too (image/oci.h).
 */

#include "base/error.h"
#include "image/transfer.h"

enum import_format {
	IMPORT_TAR,	  /* of a root file system, compressed or not */
	IMPORT_DIRECTORY, /* one */
	IMPORT_OCI,	  /* an OCI image layout: a directory, or a tar archive of it */
	IMPORT_DOCKER,	  /* what "docker save" writes */
	IMPORT_LXC,	  /* of an image server for LXC: a root file system, and a file about it */
	IMPORT_SQUASHFS,
	IMPORT_FORMAT_MAX,
};

extern const char *const import_format_names[IMPORT_FORMAT_MAX + 1]; /* NULL-terminated */

enum import_format import_format_from_string(const char *s);

/* For the user: "an OCI image layout". */
const char *import_format_describe(enum import_format f);

struct import {
	const char *home; /* NULL: for the system, by root */
	const char *name;
	const char *path;
	const char *source;	   /* what the manifest says; NULL: "imported from PATH" */
	enum import_format format; /* IMPORT_FORMAT_MAX: to be recognised */
	const char *metadata;	   /* of IMPORT_LXC: path; else NULL */
	const char *suite;	   /* NULL: as the image itself says it */
	void (*recognised)(void *user, enum import_format f);
	transfer_fn *progress;
	void *user; /* of both */
};

struct import_result {
	unsigned layers;
	uint64_t bytes;
	uint64_t files;
};

/* Makes the next generation of the image. -EINTR: the user ended it. Root has no capability left
 * after it. */
int image_import(const struct import *i, struct import_result *ret, struct error **err);
