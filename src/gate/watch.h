#pragma once

/*
 * Directories outside whose changes the kernel tells (inotify(7)), so that what was said of their
 * entries may be believed for longer: when something changes, the box's kernel is told to ask
 * again. To forget attributes never waits for anything, and contents follow from them; names that
 * lead to something else now are left to the notifier (gate/revoke.h). What cannot be watched (too
 * many, no right to read it, a file system of another machine) is believed for less long. Writing
 * through a mapping is not told: size and content are right all the same, the time is late.
 */

#include <stdbool.h>

struct server;
struct node;

/* What is watched for the attributes of this node: a directory of a given tree, or NULL. */
struct node *watch_of(struct node *n);

/* Begins to watch a directory; `fd` is O_PATH of it. What was found out before does not count. */
void watch_begin(struct server *s, struct node *dir, int fd);
void watch_end(struct server *s, struct node *dir);

/* s->watch_fd is readable. */
void watch_hear(struct server *s);
