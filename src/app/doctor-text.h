#pragma once

/* What the doctor reads and writes, as text. Pure. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/doctor.h"

/* The number in ":N", "unix:N", ":N.S"; -EINVAL for anything else, such as a display of another
 * host. */
int display_number(const char *display, uint32_t *ret);

/* The path of the sound server's socket from PULSE_SERVER (may be NULL) and XDG_RUNTIME_DIR (may be
 * NULL): owned by the caller, NULL where it has none on this host. */
char *pulse_socket(const char *server, const char *runtime_dir);

/* The first of `count` ids above all that are given away in the text of /etc/subuid or
 * /etc/subgid. */
uint32_t free_sub_ids(const char *text, uint32_t count);

/* Settings that forbid user namespaces; NULL where the kernel does not have the setting. */
struct userns_settings {
	const char *clone;    /* kernel.unprivileged_userns_clone */
	const char *max;      /* user.max_user_namespaces */
	const char *apparmor; /* kernel.apparmor_restrict_unprivileged_userns */
};

/* The command that allows them. Owned by the caller. */
char *userns_mend(const struct userns_settings *s);

/* The table for people, and the array for programs. */
char *diagnoses_render(const struct diagnoses *d, bool colours);
json_t *diagnoses_to_json(const struct diagnoses *d);

bool diagnoses_have_failure(const struct diagnoses *d);
