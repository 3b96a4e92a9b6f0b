#pragma once

/*
 * The command lines and environments of the display's programs, and what their output means.
 * Pure: from the plan to text. Vectors are owned by the caller.
 *
 * Written for xpra 3.1 (Debian 12) and X servers of 1.20 and later.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/strv.h"
#include "plan/plan.h"

#define XPRA_PROGRAM "/usr/bin/xpra" /* in the image, and on a host with Viewer=host */

struct screen_size {
	uint32_t width, height; /* pixels; 0: not known */
};

/* An X server as large as a desktop can be expected to grow to while it runs: RandR makes a screen
 * smaller, but never larger than it was at the start. */
char **xvfb_argv(uint32_t display, struct screen_size desktop);

char **xephyr_argv(const struct plan *p);

/* xpra's server manages the windows on the X server of its own box. Standard input of server and
 * viewer is the memory file that pictures go through. */
char **xpra_server_argv(const struct plan *p);
char **xpra_server_env(const struct plan *p);

/* xpra's viewer waits for the server's socket in `socket_dir`, connects and shows the windows on
 * the display that is named in `base`, the environment. */
char **xpra_viewer_argv(const struct plan *p, const char *socket_dir);
char **xpra_viewer_env(char *const *base);

/* Asks a display for its size: xrandr_read_size() on each line of the output. */
char **xrandr_query_argv(void);
bool xrandr_read_size(const char *line, struct screen_size *ret);

/* The commands that give the X server the size of the desktop, one after the other; NULL after the
 * last. xpra does this as well, but then it sleeps for half a second. */
char **xrandr_resize_argv(unsigned step, struct screen_size size);

/* Does this line of output say that the program is ready? */
bool x_server_says_ready(const char *line, uint32_t display);
bool xpra_server_says_ready(const char *line);
