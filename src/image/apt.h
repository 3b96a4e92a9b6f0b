#pragma once

/*
 * apt of the host, as the ordinary user that this is, over a state of its own:
 * ~/.cache/vitrine/apt/SUITE/ with package lists and packages that all builds share, under a lock.
 * It resolves and downloads; it never installs. Nothing of the host's configuration counts but its
 * sources, its keys and how it reaches the network (image/sources.h).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "image/apt-plan.h"
#include "image/pipeline.h"
#include "image/scratch.h"
#include "image/sources.h"

/* Borrowed as long as apt is open. */
struct apt_place {
	const char *home;
	const char *suite;
	const struct sources *sources;
	const struct scratch *scratch;
	char *const *env;
	struct pipeline_view *view;
	bool offline; /* only what is there already */
};

struct apt {
	const struct apt_place *place;
	char *dir;  /* absolute path of the state */
	char *conf; /* of the configuration, in the scratch directory */
	char *architecture;
	int lock;
};

#define APT_NONE ((struct apt){ .lock = -EBADF })

/* Waits while another build uses it. */
int apt_open(const struct apt_place *place, struct apt *ret, struct error **err);
void apt_release(struct apt *a);

/* Fetches the lists of today. Offline: -ENOENT where there are none. */
int apt_update(struct apt *a, struct error **err);

/* The newest date of the suite's Release files. */
int apt_newest(struct apt *a, uint32_t *ret, struct error **err);

/* What installing `wanted` (packages or patterns) takes where `status` is what dpkg knows; NULL:
 * nothing is installed. */
int apt_simulate(struct apt *a, const char *status, char *const *wanted, struct apt_plan *ret,
		 struct error **err);

/* Brings the packages of the last plan into the cache, and into the directory `name` of the scratch
 * directory. -ENOENT offline, naming one that is missing. */
int apt_download(struct apt *a, char *const *wanted, const struct apt_plan *plan, const char *name,
		 struct error **err);

/* Brings the lists into a directory of the scratch directory. */
int apt_copy_lists(struct apt *a, const char *name, struct error **err);
