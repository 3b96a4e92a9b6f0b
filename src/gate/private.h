#pragma once

/*
 * Private files: what an application makes beside the files that it was given. Each is nameless
 * outside (the keeper made it) and lives only in the sandbox, until it is renamed over a given
 * file. One that has the place of a given file of which nothing is there is to become that file: it
 * is put there when it is closed or synced (gate/slot.h).
 */

#include "gate/server.h"

#define PRIVATE_NAME_MAX 255U

struct private
{
	struct private *next;
	uint32_t id; /* of the keeper */
	int fd;	     /* O_RDWR; owned */
	char *sub;   /* the N of "files/N", or "" */
	char *name;
};

/* A new, empty one, where the file of this grant lies outside (NULL: anywhere). -ENOSPC: there are
 * too many. */
int private_make(struct server *s, const struct grant *g, const char *sub, const char *name,
		 struct private **ret);

struct private *private_find(struct server *s, const char *sub, const char *name); /* or NULL */
void private_rename(struct private *p, const char *sub, const char *name);

/* Frees it. `known`: the keeper still knows it. Its handles stay as they are. */
void private_drop(struct server *s, struct private *p, bool known);
