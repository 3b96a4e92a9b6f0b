#pragma once

/*
 * Where the kernel's audit lines can be read: auditd's file, the system's journal, or the kernel's
 * own buffer, in this order, since each has what the next one lacks. An ordinary user needs the
 * administrator's leave for any of them.
 */

#include "app/denial.h"
#include "base/error.h"

struct denials;

/* One denial; borrowed for the call. */
typedef void denials_fn(void *user, const struct denial *d);

/* What has happened since the machine was started; with `following`, what happens from now on too.
 * -EACCES with what an administrator has to do, -EOPNOTSUPP where the kernel runs without AppArmor.
 */
int denials_open(bool following, struct denials **ret, struct error **err);
struct denials *denials_free(struct denials *d);

/* Tells all that is there. Does not wait for more with `following`. Returns 1 when no more will
 * come. */
int denials_read(struct denials *d, denials_fn *fn, void *user, struct error **err);

/* A descriptor to poll(2) for more; borrowed. */
int denials_poll_fd(const struct denials *d);

/* Could denials be read? Sets one of both: where, or what an administrator has to do. Owned by the
 * caller. */
bool denials_are_readable(char **ret_where, char **ret_mend);

static inline void denials_freep(struct denials **d)
{
	denials_free(*d);
}
