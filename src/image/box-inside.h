#pragma once

/*
 * A build box from its inside: this process, the first one of a new PID namespace and root of its
 * user namespace, leaves the host's tree for the merged one, gives up what could lead back, and
 * runs what the job says. No code of a package runs before that.
 */

#include "image/box-job.h"

/* `root` is a mount point. *ret_status is the exit status of the first program that failed, or 0.
 */
int box_inside_run(const struct box_job *job, const char *root, int *ret_status,
		   struct error **err);
