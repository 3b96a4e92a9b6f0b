#pragma once

/*
 * Taking away, and what else the kernel must forget. From revoke_grant() on nothing of the grant is
 * answered any more; what the kernel inside still has of it, in its page cache and in mappings, it
 * must drop. It may have to wait for requests of its own meanwhile, which this process answers; so
 * a child tells it, the notifier, which does nothing else. What is revoked while one runs is told
 * by the next.
 */

#include "gate/server.h"

/* -errno: there is no notifier, and the gate must end so that nothing is left to be read. */
int revoke_grant(struct server *s, struct grant *g);

/* A name outside is not this one's any more: the kernel is to look it up again. As soon as it can
 * be told; it finds out by itself before long (REQUEST_BELIEF_WATCHED). */
void revoke_name(struct server *s, const struct node *dir, const char *name);

/* What was not told when the server ends. */
void revoke_nothing(struct server *s);

/* s->notifier_fd is readable: what it told is answered (GATE_REVOKED). -errno as above. */
int revoke_told(struct server *s);
