#pragma once

/*
 * mmdebstrap and vitrine-unpack at work: the one's tar is the other's input. Both end when this
 * process does, however it ends; SIGINT, SIGTERM and SIGHUP are pipeline_run()'s for that time.
 */

#include <stdint.h>

#include "base/error.h"
#include "image/progress.h"

/* `p` is borrowed for the call. */
typedef void build_progress_fn(void *user, const struct build_progress *p);

struct pipeline {
	char *const *argv; /* of mmdebstrap */
	char *const *env;
	int lock;      /* held open until the last process of mmdebstrap has ended */
	int root;      /* where the tree goes */
	int log;       /* gets all that is printed */
	uint64_t size; /* roughly, of the tree */
	build_progress_fn *progress;
	void *user;
};

struct pipeline_result {
	uint64_t files;
	uint64_t bytes;
};

/* -EINTR: a signal came. -EPROTO: mmdebstrap failed, and only the log says why. */
int pipeline_run(const struct pipeline *p, struct pipeline_result *ret, struct error **err);
