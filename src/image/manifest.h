#pragma once

/*
 * The description of one generation of an image: names/NAME/N.json. It names the layers by what is
 * in them, so whoever has it and the layers has the whole image. Text in, structure out; no files.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define MANIFEST_MAX	    (16U << 20) /* bytes */
#define MANIFEST_LAYERS_MAX 32U
#define DIGEST_HEX	    64U /* digits of a SHA-256 */

struct manifest_layer {
	char *digest; /* names it in the store (image/layer.h) */
	char *key;    /* digest of what it was built from; "": not built, or not to be used again */
	uint64_t bytes;
	uint64_t files;
};

struct manifest_package {
	char *name;
	char *version;
};

struct manifest {
	char *name;
	uint32_t generation; /* from 1 */
	char *created;	     /* ISO 8601, UTC */
	char *suite;	     /* of its packages; "" where there is none */
	char *architecture;  /* Debian's name, such as "amd64"; "" where it is not known */
	char *source;	     /* in words: "recipe xterm", "imported from FILE" */
	char *base;	     /* the image that the lower layers are of, or NULL */
	uint32_t base_generation;
	struct manifest_layer *layers; /* the lowest first */
	size_t n_layers;
	struct manifest_package *packages; /* sorted by name */
	size_t n_packages;
};

struct manifest *manifest_new(const char *name, const char *source);
struct manifest *manifest_free(struct manifest *m);

static inline void manifest_freep(struct manifest **m)
{
	manifest_free(*m);
}

/* Copies; what is NULL becomes "". */
void manifest_add_layer(struct manifest *m, const struct manifest_layer *layer);

/* Of layers that are the same only the topmost one counts, and overlayfs takes none twice: the
 * others go. */
void manifest_drop_doubles(struct manifest *m);

/* In any order; a package that is there is replaced. */
void manifest_add_package(struct manifest *m, const char *name, const char *version);

/* NULL where it has none of that name. */
const char *manifest_version(const struct manifest *m, const char *package);

/* Sums over all layers. */
uint64_t manifest_bytes(const struct manifest *m);
uint64_t manifest_files(const struct manifest *m);

/* JSON text; owned by the caller. */
int manifest_render(const struct manifest *m, char **ret, struct error **err);

/* Refuses what is no manifest, and digests that are none. `what` is for messages. */
int manifest_parse(const char *text, size_t size, const char *what, struct manifest **ret,
		   struct error **err);
