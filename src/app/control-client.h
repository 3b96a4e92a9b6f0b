#pragma once

#include "app/changes.h"
#include "app/control.h"
#include "base/error.h"

/* Connects to the supervisor of a running sandbox: an id, a unique beginning, or its profile's
 * name. */
int control_connect(const char *name, int *ret_fd, char **ret_id, struct error **err);

/* Sends a request without arguments and waits for its answer. */
int control_ask(int fd, enum control_message request, struct error **err);

/* After -ETIMEDOUT of these the connection is of no use: the answer may still come. */

/* Gives it something; a new file if given->fd is negative. ret_inside: the path that it has inside.
 */
int control_share(int fd, const struct given *given, const struct control_wish *wish,
		  char **ret_inside, struct error **err);

/* Takes back the first of these paths that was given. When it returns 0 nothing of it can be
 * reached inside any more. */
int control_unshare(int fd, char *const *meanings, struct error **err);

/* What its application has changed; of temporary files too, if that is wanted. */
int control_changes(int fd, bool temporary, struct changes *ret, struct error **err);

/* Lets the supervisor write a tar of these paths inside, under these names, to `out`; returns at
 * once. Then control_walked() waits for the end: *ret_left_out (owned by the caller) has a line for
 * each file that is not in it. */
struct control_archive {
	char *const *paths, *const *names;
	bool links;
	uint64_t bytes_max;
	int out;
};
int control_archive(int fd, const struct control_archive *a, struct error **err);
int control_walked(int fd, char **ret_left_out, struct error **err);

/* Asks it to stop and waits (at most some seconds) until nothing is left of it. */
int control_stop(int fd, struct error **err);

/* Runs a command in the sandbox with this process's stdin, stdout and stderr; returns its exit
 * code. */
int control_enter(int fd, char *const *argv, int *ret_code, struct error **err);
