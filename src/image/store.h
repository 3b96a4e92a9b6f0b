#pragma once

/*
 * Where images are: ~/.local/share/vitrine/images of the user, /var/lib/vitrine/images of the
 * system, which root writes and everybody reads. A name that both have is the user's.
 *
 *   lock                     flock(2): held while the two below change, by whoever adds or removes
 *   names/NAME/N.json        generation N of image NAME (image/manifest.h)
 *   names/NAME/current       a link to one of them, switched by rename(2)
 *   layers/DIGEST/           image/layer.h
 *   work/                    image/stage.h
 *
 * A sandbox holds a shared flock(2) on its generation's N.json.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "image/manifest.h"

#define STORE_SYSTEM_DIR "/var/lib/vitrine/images"
#define STORE_KEEP	 2U /* generations beside the current one that gc leaves */

enum store_kind {
	STORE_USER,
	STORE_SYSTEM,
	STORE_KIND_MAX,
};

/* "user", "system" */
const char *store_kind_to_string(enum store_kind k);

struct store {
	enum store_kind kind;
	int dir; /* owned */
	char *path;
};

#define STORE_NONE ((struct store){ .dir = -EBADF })

/* -ENOENT: nothing was ever made there, unless `make`. Without `home` there is only the system's.
 */
int store_open(enum store_kind kind, const char *home, bool make, struct store *ret,
	       struct error **err);
void store_release(struct store *s);

/* Waits for the store's lock; close the descriptor to give it back. */
int store_lock(const struct store *s, int *ret_fd, struct error **err);

/* Is this a name for an image? Sets what is wrong with it. */
int image_check_name(const char *name, struct error **err);

/* An image that is going to be used: one whole generation, locked against removal. */
struct image {
	struct manifest *manifest;
	enum store_kind kind;
	char **roots; /* absolute paths of the layers' trees, the topmost first */
	int lock;
};

#define IMAGE_NONE ((struct image){ .lock = -EBADF })

/* The current generation. -ENOENT, with a suggestion, where there is no such image; -EBADMSG where
 * its manifest is damaged or a layer is missing. */
int image_open(const char *home, const char *name, struct image *ret, struct error **err);
void image_release(struct image *i);

/* Is there a current generation in either store? An error counts as no. */
bool image_is_there(const char *home, const char *name);

/* Generations of one image in one store, ascending; *ret_current is 0 where there is none. */
int image_generations(const struct store *s, const char *name, uint32_t **ret, size_t *ret_n,
		      uint32_t *ret_current, struct error **err);

/* One of them; 0 is the current one. */
int image_read(const struct store *s, const char *name, uint32_t generation, struct manifest **ret,
	       struct error **err);

/* Names of the images that have a current generation, sorted. */
int image_names(const struct store *s, char ***ret, struct error **err);

/* Switches to another generation, that before the current one where 0 is given; *ret is the one
 * that is current now. */
int image_rollback(const struct store *s, const char *name, uint32_t generation, uint32_t *ret,
		   struct error **err);

/* Removes all generations, and the layers that nobody needs then. Refuses (-EBUSY) while a sandbox
 * uses one of them, or another image is made on it. */
int image_remove(const struct store *s, const char *name, struct error **err);
