#pragma once

/*
 * One build, from its recipe to its commit, as the parts of it share it: build-setup.c has what a
 * build needs, build-layers.c finds and makes layers, build.c puts them together.
 */

#include "image/apt.h"
#include "image/build.h"
#include "image/recipe.h"
#include "image/reuse.h"
#include "image/scratch.h"
#include "image/sources.h"
#include "image/stage.h"
#include "image/store.h"

/* An image in the making. */
struct work {
	const struct build *b;
	struct recipe *recipe;
	struct store store;
	struct stage stage;
	struct scratch scratch;
	struct sources sources;
	struct pipeline_view view;
	struct apt_place place;
	struct apt apt;
	struct image base; /* what the recipe names as such */
	struct reuse essential, same;
	struct manifest *manifest; /* of what is made */
	char *suite;
	char **env;
	uint32_t newest;
	char **lowers;	/* keys, or digests, of the layers so far, the lowest first */
	char **digests; /* their digests, as long as all of them are in the store */
	char **roots;	/* absolute paths of their trees, the topmost first */
};

/* build-setup.c: programs, room on the disks, the log; apt with the lists of today. */
int build_check_tools(struct error **err);
int work_check_disk(const struct work *w, struct error **err);
int work_open_log(const struct build *b, int *ret_fd, struct error **err);
int work_open_apt(struct work *w, struct error **err);

/* build-layers.c: puts a layer on those so far. One that is there is added as it is; the others are
 * made, unless one from the same key is there. */
int work_add_stored(struct work *w, const struct manifest_layer *l, struct error **err);
int work_add_essential(struct work *w, struct error **err);
int work_add_packages(struct work *w, struct error **err);

void work_begin_phase(struct work *w, enum build_phase phase, bool essential);
