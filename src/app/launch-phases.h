#pragma once

/* The phases of a launch, in the order in which launch.c runs them. Each fills its part of the
 * sandbox; what one has made, sandbox_end() undoes. */

#include "app/sandbox.h"

/* launch-plan.c: what is going to be done */
int launch_places(struct sandbox *s, struct error **err);
int launch_desktop(struct sandbox *s, struct error **err);
int launch_ids(struct sandbox *s, struct error **err);
int launch_plan(struct sandbox *s, struct error **err);
int launch_session(struct sandbox *s, struct error **err);
int launch_cookies(struct sandbox *s, struct error **err);

/* launch-apparmor.c: what the boxes run under */
int launch_apparmor(struct sandbox *s, struct error **err);

/* launch-given.c: what the profile and the command line give */
int launch_given(struct sandbox *s, struct error **err);

/* Does the profile give this path (real) already? *ret is NULL where it does not. What is mounted
 * read-only inside stays so: asked for to be written, it is -EROFS. */
int given_by_profile(const struct sandbox *s, const char *path, bool writable,
		     const struct plan_grant **ret, struct error **err);

/* launch-parts.c: what runs for the application */
int launch_monitors(struct sandbox *s, struct error **err);
int launch_filters(struct sandbox *s, struct error **err);
int launch_boxes(struct sandbox *s, struct error **err);
int launch_network(struct sandbox *s, struct error **err);
int launch_bus(struct sandbox *s, struct error **err);
int launch_sound(struct sandbox *s, struct error **err);
int launch_display(struct sandbox *s, struct error **err);

/* launch-limits.c: control groups, and what happens at their limits */
int launch_scope(struct sandbox *s, struct error **err);
int launch_limits(struct sandbox *s, struct error **err); /* after everything that runs for a box */
/* A holder may be started once this process is in its scope: from there the user's own systemd can
 * move it, whatever ids it has; out of a login session it could not. */
int limits_await_scope(struct sandbox *s, struct error **err);
void limits_on_holder_started(void *user, pid_t pid);
int limits_begin(struct sandbox *s, struct error **err); /* before the boxes get their jobs */
int limits_check(struct sandbox *s, struct error **err); /* once they are up */

/* Was a process of this box killed for want of memory? Then what people are told of it; owned by
 * the caller. */
char *limits_explain(struct sandbox *s, enum box_kind kind);

/* launch-files.c: the file gate, and what the user gives to the running sandbox */
int launch_gate(struct sandbox *s, struct error **err); /* after launch_places() */
int control_share_request(void *user, struct control_share *share, control_done_fn *done,
			  void *done_user, struct error **err);
int control_unshare_request(void *user, char *const *meanings, control_done_fn *done,
			    void *done_user, struct error **err);

/* launch-walks.c: what the application writes */
int launch_snapshot(struct sandbox *s, struct error **err);
int launch_snapshot_await(struct sandbox *s, struct error **err);
int control_walk_request(void *user, const struct control_walk *walk, control_done_fn *done,
			 void *done_user, struct error **err);

/* launch-watch.c: what the application is denied */
int launch_watch(struct sandbox *s, struct error **err);
void on_application_asks(void *user, int listener);

/* launch-application.c: the application, and what its user can do to it */
int launch_application(struct sandbox *s, struct error **err);

/* A part of the sandbox ended by itself: so does the sandbox. */
void launch_part_lost(void *user, const char *why);

/* The same of what shows the windows. An application that ends takes its windows away first, which
 * xpra's server does not always survive: if it has ended well, that is what happened. */
void launch_display_lost(void *user, const char *why);
