#pragma once

#include "app/control.h"
#include "base/error.h"

/* Connects to the supervisor of a running sandbox: an id, a unique beginning, or its profile's
 * name. */
int control_connect(const char *name, int *ret_fd, char **ret_id, struct error **err);

/* Sends a request without arguments and waits for its answer. */
int control_ask(int fd, enum control_message request, struct error **err);

/* Asks it to stop and waits (at most some seconds) until nothing is left of it. */
int control_stop(int fd, struct error **err);

/* Runs a command in the sandbox with this process's stdin, stdout and stderr; returns its exit
 * code. */
int control_enter(int fd, char *const *argv, int *ret_code, struct error **err);
