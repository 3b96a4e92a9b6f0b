#pragma once

/* Printing what an application is denied, while it runs: `run --trace`. */

#include <stdbool.h>

#include "app/launch.h"

struct trace {
	struct launch_watch watch; /* for struct launch */
	int fd;
	bool json;
	unsigned denied;
	char **calls, **names; /* of calls and programs, each once */
};

/* To stderr, or to a new file; `json`: an object in each line. -errno where the file cannot be
 * made.
 */
int trace_open(struct trace *t, const char *file, bool json, struct error **err);

void trace_release(struct trace *t);
