#pragma once

/*
 * The control group of one sandbox:
 *
 *     host/       supervisor, gate, relays, monitors: not limited, so that they can still act
 *     app/ display/ viewer/      the processes of each box, with the limits of the plan
 *
 * A group with children that limit can hold no process itself, hence host/. The group is systemd's
 * (session/scope.h), which removes it when the last process has ended; or it is made here in one
 * that an administrator gave to the user (session/delegation.h), and removed here.
 */

#include "box/box.h"
#include "plan/plan.h"

struct leaves;

/* Begins in a scope that this process is in; `unit` is its name. */
int leaves_new_in_scope(const char *unit, struct leaves **ret, struct error **err);

/* Makes a group beneath the directory `parent`. */
int leaves_new_beneath(const char *parent, const char *sandbox_id, struct leaves **ret,
		       struct error **err);

/* The group's directory, which may not be there yet. Borrowed. */
const char *leaves_directory(const struct leaves *l);

/* The limits that its children can have. Those of a scope are known only when it is there: a
 * manager that runs longer than it has been given a controller does not hand it on. */
unsigned leaves_controllers(const struct leaves *l);

/* Makes the group and its children; this process and `helpers` (ended by 0) go to host/. Processes
 * must be in the group already, or in one that the user may take them out of. */
int leaves_make(struct leaves *l, const struct plan *plan, const pid_t *helpers,
		struct error **err);

/* What the process starts, begins in the leaf of this box. */
int leaves_add(struct leaves *l, enum box_kind kind, pid_t pid, struct error **err);

/* Sets the limits of each box of the plan, and reads them back. No process is left in the group
 * itself by then. */
int leaves_limit(struct leaves *l, const struct plan *plan, struct error **err);

int leaves_add_host(struct leaves *l, pid_t pid, struct error **err);
int leaves_verify(const struct leaves *l, enum box_kind kind, pid_t init, struct error **err);

/* The directory of a box's group. Borrowed; negative: there is none. */
int leaves_of_box(const struct leaves *l, enum box_kind kind);

/* Kills every process of all boxes. */
void leaves_kill(struct leaves *l);

/* Removes what is empty and lets go of it. */
struct leaves *leaves_free(struct leaves *l);

/* What a supervisor that was killed has left of leaves_directory(): nothing of it stays (0), or
 * something does that cannot be removed now. Groups of systemd go by themselves. */
int leaves_sweep(const char *directory, const char *sandbox_id, struct error **err);
