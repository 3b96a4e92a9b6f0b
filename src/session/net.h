#pragma once

/*
 * `Network=private`: slirp4netns(1) gives the app box's network namespace a way out, and only out.
 * It runs outside with the user's rights; the box has a tap device and the addresses of
 * slirp4netns(1): 10.0.2.100, gateway 10.0.2.2, name server 10.0.2.3. The host's loopback stays
 * shut.
 */

#include "base/loop.h"
#include "box/box.h"

struct net;

/* How slirp4netns is started for a box whose init has this process id. Owned by the caller. */
char **net_command(const char *init);

/* Waits until the network is up. `lost` is called from the loop when slirp4netns ends by itself. */
int net_start(const struct box *app, struct loop *loop, box_lost_fn *lost, void *user,
	      struct net **ret, struct error **err);

struct net *net_end(struct net *n);
