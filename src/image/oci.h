#pragma once

/*
 * The documents of an OCI image layout (opencontainers/image-spec) and of what "docker save" makes.
 * They are hostile until proven otherwise. Text in, structures out; no files.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define OCI_TEXT_MAX	(4U << 20) /* bytes of a document */
#define OCI_ENTRIES_MAX 1000U	   /* of an index */
#define OCI_NESTED_MAX	4U	   /* indexes in indexes */

#define OCI_LAYOUT_FILE	     "oci-layout"
#define OCI_INDEX_FILE	     "index.json"
#define DOCKER_MANIFEST_FILE "manifest.json"

enum oci_media {
	OCI_INDEX,
	OCI_MANIFEST,
	OCI_CONFIG,
	OCI_LAYER,
	OCI_LAYER_PACKED, /* compressed */
	OCI_MEDIA_MAX,
};

/* A part of an image, named by what is in it. */
struct oci_blob {
	enum oci_media media;
	char *digest; /* SHA-256, DIGEST_HEX digits */
	uint64_t size;
};

void oci_blob_release(struct oci_blob *b);

struct oci_manifest {
	struct oci_blob config;
	struct oci_blob *layers; /* the lowest first */
	size_t n_layers;
};

void oci_manifest_release(struct oci_manifest *m);

struct oci_config {
	char *architecture; /* Go's name; "" where it is not said */
	char **layers;	    /* SHA-256 of each layer's plain tar, the lowest first */
};

void oci_config_release(struct oci_config *c);

/* What "docker save" writes: names of files in the archive, which need not be any. */
struct docker_manifest {
	char *config;
	char **layers;
};

void docker_manifest_release(struct docker_manifest *m);

/* In all of these `what` names the text in messages. -EINVAL, -E2BIG: it is refused. */

/* The version of the layout. */
int oci_read_layout(const char *text, size_t size, const char *what, struct error **err);

/* The one manifest, or index in an index, for this architecture (Go's name). -ENOENT: there is
 * none; -ENOTUNIQ: there are several. */
int oci_read_index(const char *text, size_t size, const char *what, const char *architecture,
		   struct oci_blob *ret, struct error **err);

int oci_read_manifest(const char *text, size_t size, const char *what, struct oci_manifest *ret,
		      struct error **err);

int oci_read_config(const char *text, size_t size, const char *what, struct oci_config *ret,
		    struct error **err);

int docker_read_manifest(const char *text, size_t size, const char *what,
			 struct docker_manifest *ret, struct error **err);
