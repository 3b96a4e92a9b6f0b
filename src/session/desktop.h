#pragma once

/*
 * The desktop as a person has it: its windows, what they show, keys and the pointer. For tests of
 * profiles. The display is that of the environment.
 *
 * Titles are what applications say; whose a window is, the X server knows from the kernel.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/patience.h"
#include "session/picture.h"

#define DESKTOP_WINDOWS_MAX 256U
#define DESKTOP_TITLE_MAX   1024U /* bytes, before they are escaped */
#define DESKTOP_PIXELS_MAX  (8192U * 4320U)

struct desktop_window {
	uint32_t id;
	uint32_t pid; /* of the program that made it; 0: not known */
	bool active;
	uint32_t x, y, width, height;
	char *title; /* without control characters (text_escape()) */
};

struct desktop_windows {
	struct desktop_window *list;
	size_t n;
};

/* All that are shown and have a title. */
int desktop_list(const struct patience *p, struct desktop_windows *ret, struct error **err);
void desktop_windows_release(struct desktop_windows *w);

/* Pure: what vitrine-windows prints. */
int desktop_windows_parse(const char *text, struct desktop_windows *ret, struct error **err);

int desktop_picture(const struct patience *p, uint32_t window, struct picture *ret,
		    struct error **err);

/* The same as a PNG file. */
int desktop_png(const struct patience *p, uint32_t window, struct buf *ret, struct error **err);

/* Runs xdotool(1) with these words. -ENOENT, with the package's name, where it is not installed. */
int desktop_input(const struct patience *p, char *const *words, struct error **err);
