#pragma once

/*
 * A program at work that makes a tree, and vitrine-unpack, which takes it: the one's tar is the
 * other's input. Or a program alone, whose lines are read. All end when this process does, however
 * it ends; SIGINT, SIGTERM and SIGHUP are pipeline_run()'s for that time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "image/lines.h"
#include "image/progress.h"

/* `p` is borrowed for the call. */
typedef void build_progress_fn(void *user, const struct build_progress *p);

/* What the programs of one build have in common. */
struct pipeline_view {
	int lock; /* held open until the last process of a program has ended */
	int log;  /* gets all that is printed */
	struct build_progress state;
	build_progress_fn *progress;
	void *user;
};

struct pipeline {
	struct pipeline_view *view;
	char *const *argv; /* of the program */
	char *const *env;
	int root;      /* where the tree goes; negative: no tree is made, and all output is lines */
	bool layer;    /* the tree is a layer, with whiteouts */
	uint64_t size; /* roughly, of the tree */
	uint64_t newest; /* no file of the tree is younger */
	lines_fn *line;	 /* may be NULL: gets each line that the program prints to its log */
	void *user;
};

struct pipeline_result {
	uint64_t files;
	uint64_t bytes;
};

/* Tells how far the build is, where nothing prints it. */
void pipeline_show(struct pipeline_view *v);

/* -EINTR: a signal came. -EPROTO: the program failed, and only the log says why. `ret` may be NULL.
 */
int pipeline_run(const struct pipeline *p, struct pipeline_result *ret, struct error **err);
