#pragma once

/*
 * AppArmor labels, as the kernel tells and takes them. A label is the name of a loaded profile, or
 * several in a stack: "FLOOR//&:NAMESPACE:NAME". Sources: apparmor(7),
 * Documentation/admin-guide/LSM/apparmor.rst, security/apparmor/apparmorfs.c.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* A user's own policy namespace, which root has made: this and the number. */
#define LABEL_NAMESPACE "vitrine-"

/* Has this kernel AppArmor, and is it enabled? */
bool label_is_supported(void);

/* Is a profile of this name loaded? Anybody may ask. Where the kernel cannot be asked it is taken
 * to be: then the change to it fails, and tells. */
bool label_is_loaded(const char *name);

/* Where the kernel shows the user's namespace, if there is one; owned by the caller. */
char *label_namespace_directory(uid_t uid);

/* What a box is labelled with: the floor, and on it `own` of the user's namespace. Owned by the
 * caller. */
char *label_stack(const char *floor, uid_t uid, const char *own);

/* The kernel's directory for policies; -EBADF where there is none. To be opened where it can be
 * written: the session's own view of /sys is read-only. */
int label_open_policies(void);

/* Loads compiled profiles into the namespace of this name. For root of a user namespace that is a
 * child of the first one (unprivileged_userns_apparmor_policy). Forks, since who loads must be in
 * the policy namespace, and comes never back from there. */
int label_load(int policies, const char *name, const void *policy, size_t size, struct error **err);

/* Whatever this process, or a child of it, executes next runs under this label. */
int label_set_on_exec(const char *label, struct error **err);

/* The text of /proc/PID/attr/apparmor/current must say `want`, enforced. */
int label_check(const char *current, const char *want, struct error **err);

/* The same of a process. */
int label_verify(pid_t pid, const char *want, struct error **err);
