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

/* launch-parts.c: what runs for the application */
int launch_monitors(struct sandbox *s, struct error **err);
int launch_boxes(struct sandbox *s, struct error **err);
int launch_network(struct sandbox *s, struct error **err);
int launch_sound(struct sandbox *s, struct error **err);
int launch_display(struct sandbox *s, struct error **err);

/* launch-application.c: the application, and what its user can do to it */
int launch_application(struct sandbox *s, struct error **err);
