#pragma once

#include "app/control.h"
#include "base/loop.h"
#include "box/box.h"

struct control;

/* A file or directory that a client wants to give. All borrowed for the call; a descriptor that is
 * taken over is replaced by -EBADF. */
struct control_share {
	struct control_wish wish;
	int parent, fd; /* fd is negative if it is new */
	const char *name;
};

/* A walk through what the application has written. All borrowed for the call. */
struct control_walk {
	bool temporary; /* changes: of /tmp and /var/tmp too */
	char **paths;	/* archive: absolute, inside; NULL: it is the changes that are wanted */
	char **names;	/* as many */
	bool links;
	uint64_t bytes_max;
	int out;
};

/* The result of what takes a while, told once: the path inside (of a share), or what went wrong. */
typedef void control_done_fn(void *user, const char *inside, const struct error *error);

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
	/* Unless these fail at once they call `done` later, at the latest before control_free(). */
	int (*share)(void *user, struct control_share *share, control_done_fn *done,
		     void *done_user, struct error **err);
	int (*unshare)(void *user, char *const *meanings, control_done_fn *done, void *done_user,
		       struct error **err);
	/* Here `inside` is what was left out. */
	int (*walk)(void *user, const struct control_walk *walk, control_done_fn *done,
		    void *done_user, struct error **err);
};

int control_new(int dir, struct loop *loop, const struct control_handlers *handlers, void *user,
		struct control **ret, struct error **err);

/* The boxes have ended: from now on only what looks at files is served, and stop. */
void control_hold(struct control *c);

/* Closes every connection. Commands that were entered lose their caller, nothing else. */
struct control *control_free(struct control *c);
