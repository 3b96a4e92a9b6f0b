#pragma once

/* The names of the enums of a profile, as they stand in the file: one table each, NULL-terminated,
 * in the order of the enum. */

#include "profile/profile.h"

extern const char *const display_backend_names[DISPLAY_BACKEND_MAX + 1];
extern const char *const display_viewer_names[VIEWER_MAX + 1];
extern const char *const clipboard_names[CLIPBOARD_MAX + 1];
extern const char *const network_mode_names[NETWORK_MODE_MAX + 1];
extern const char *const root_mode_names[ROOT_MODE_MAX + 1];
extern const char *const home_mode_names[HOME_MODE_MAX + 1];
extern const char *const file_arguments_names[FILE_ARGUMENTS_MAX + 1];
extern const char *const uid_mode_names[UID_MODE_MAX + 1];
extern const char *const viewer_lost_names[VIEWER_LOST_MAX + 1];
extern const char *const seccomp_answer_names[SECCOMP_ANSWER_MAX + 1];
extern const char *const seccomp_abi_names[SECCOMP_ABI_MAX + 1];

/* The place of s in such a table, or -EINVAL. */
int choice_find(const char *const *names, const char *s);
