#pragma once

/*
 * What the supervisor and vitrine-watch say to each other. vitrine-watch answers the filters of an
 * application that is watched (emit/watch.h), and tells what was asked: it becomes root of the
 * holder's user namespace for that, since only so it may look at the memory that arguments point
 * to, and gives up every other right.
 *
 * Everything it tells was chosen by the application, and is bounded: each thing is told once for
 * each program, and of all together WATCH_EVENTS_MAX.
 */

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "emit/watch.h"

#define WATCH_EVENTS_MAX 4096U
#define WATCH_TEXT_MAX	 4096U /* bytes of a path, with what it begins with */
#define WATCH_ORDER_MAX	 (WATCH_FILE_MAX + (1U << 20))
#define WATCH_FILES_MAX	 512U
#define WATCH_CALL_ARGS	 6U

/* Descriptors that vitrine-watch inherits. Over the socket come descriptors to answer at, one in
 * each message, and go events. What failed stands on standard error, the last line. */
enum {
	WATCH_ORDER = 3, /* memory file */
	WATCH_USER_NS,	 /* the holder's */
	WATCH_SOCKET,
	WATCH_INHERITED_END,
};

struct watch_order {
	uint32_t supervisor; /* pid: vitrine-watch ends with it */
	enum watch_mode mode;
	char **files; /* absolute paths inside: who opens these for writing, or a file beside one
			 with a name made of its name, is told of, and no other */
	struct watch_policy policy;
};

enum watch_event_kind {
	WATCH_EVENT_CALL,    /* denied by the policy */
	WATCH_EVENT_CONNECT, /* to `text`, an address as of watch_address() */
	WATCH_EVENT_EXECUTE, /* `text`, a path inside, that lies where nothing can be executed */
	WATCH_EVENT_WRITE,   /* `text`, a path inside, was opened for writing */
	WATCH_EVENT_LOST,    /* once: there was more, that is not told of */
	WATCH_EVENT_MAX,
};

struct watch_event {
	enum watch_event_kind kind;
	uint32_t pid; /* of the thread, as the host sees it */
	uint32_t arch, number;
	uint64_t arguments[WATCH_CALL_ARGS];
	uint32_t error; /* that the policy answers; 0: none, it is allowed */
	bool answered;	/* with that error; otherwise it went on */
	bool missing;	/* there is no socket at that address */
	uint32_t rule;	/* 1 + index of the deciding rule; 0: no rule names it */
	char *program;	/* path inside of what the process executes; "": not known */
	char *text;	/* without a NUL; other bytes are as they are */
};

void watch_order_write(const struct watch_order *o, struct buf *ret);
int watch_order_read(const void *data, size_t size, struct watch_order *ret, struct error **err);
void watch_order_release(struct watch_order *o);

void watch_event_write(const struct watch_event *e, struct buf *ret);

/* What an application has chosen of it is hostile, the rest is vitrine-watch's. */
int watch_event_read(const void *data, size_t size, struct watch_event *ret, struct error **err);
void watch_event_release(struct watch_event *e);

/* An address of connect(2) as text: "unix:PATH", "unix:@NAME", "inet:ADDRESS:PORT",
 * "inet6:[ADDRESS]:PORT", or "family:N". Owned by the caller. Pure. */
char *watch_address(const void *address, size_t size);

/* Where a path leads that a process gave together with its working directory or that of a
 * descriptor, by its text alone; NULL where that is not absolute or too long. Owned by the caller.
 */
char *watch_path(const char *directory, const char *path);
