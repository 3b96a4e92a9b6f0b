#pragma once

/*
 * Cookies of X displays. A cookie is carried as a whole Xauthority file with one entry, of family
 * "wild": it is right for its display number under whatever host name (Xsecurity(7)).
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define X11_COOKIE_SIZE	  16U
#define X11_AUTHORITY_MAX 64U	 /* bytes of a file with one entry */
#define X11_USER_FILE_MAX 65536U /* bytes of the user's own file */

struct x11_authority {
	unsigned char data[X11_AUTHORITY_MAX];
	size_t size;
};

/* The display that the user's windows are on. */
struct x11_desktop {
	uint32_t number;
	char *socket; /* /tmp/.X11-unix/XN; owned */
	struct x11_authority authority;
};

/* A new cookie for display `number`. */
int x11_authority_make(uint32_t number, struct x11_authority *ret, struct error **err);

/*
 * Looks up the cookie that a program on host `host` would send to its local display `number`, in
 * the content of an Xauthority file, which need not be well-formed. -ENOENT without one (no error
 * object: the caller knows the file's name).
 */
int x11_authority_find(const void *file, size_t size, const char *host, uint32_t number,
		       struct x11_authority *ret);

/* The number in DISPLAY (NULL if not set). Refuses a display of another host, or reached by TCP. */
int x11_display_parse(const char *display, uint32_t *ret_number, struct error **err);

/* Finds the user's display and the cookie for it. Both variables may be NULL (not set). */
int x11_desktop_find(const char *display, const char *xauthority, const char *home,
		     struct x11_desktop *ret, struct error **err);

void x11_desktop_release(struct x11_desktop *d);
