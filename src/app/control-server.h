#pragma once

#include "app/control.h"
#include "base/loop.h"
#include "box/box.h"

struct control;

/* What the server asks of the sandbox. Each returns 0, or a negative error that is sent to the
 * client. */
struct control_handlers {
	int (*stop)(void *user, struct error **err);
	int (*attach)(void *user, struct error **err);
	int (*detach)(void *user, struct error **err);
	/* Starts a command in the app box as box_spawn() does. */
	int (*enter)(void *user, struct box_command *command,
		     const struct box_command_events *events, void *command_user,
		     struct error **err);
};

int control_new(int dir, struct loop *loop, const struct control_handlers *handlers, void *user,
		struct control **ret, struct error **err);

/* Closes every connection. Commands that were entered lose their caller, nothing else. */
struct control *control_free(struct control *c);
