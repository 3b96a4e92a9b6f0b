#pragma once

/* One sandbox from its profile to nothing left: what `vitrine run` does. */

#include "app/arguments.h"
#include "app/permit.h"
#include "base/spawn.h"
#include "box/watch.h"
#include "plan/plan.h"
#include "session/bus-log.h"

/* The application is watched (box/watch.h). All borrowed. */
struct launch_watch {
	enum watch_mode mode;
	char **files; /* as in struct watch_order */
	void (*event)(void *user, const struct watch_policy *p, const struct watch_event *e);
	/* A message that was kept from the desktop's bus, each once (app/bus-denial.h). May be
	 * NULL.
	 */
	void (*bus)(void *user, const struct profile *p, const struct bus_blocked *b);
	/* "disk", "memory" or "tasks": the application has reached that limit. NULL: nobody asks.
	 */
	void (*limit)(void *user, const char *name);
	void (*ended)(void *user); /* nothing more comes; only if the watch began */
	void *user;
};

struct launch {
	const struct permit *permit;
	struct run_request request;	   /* its arguments do not count where there are these: */
	struct arguments_given *arguments; /* what is opened is taken over; NULL: none */
	bool detached;			   /* no terminal, no pipes: output goes to the log alone */
	int instance; /* the claim of app/instance.h, announced when requests are served; negative:
			 none. Borrowed */
	const struct launch_watch *watch; /* NULL: it is not */
	bool timings;			  /* print how long each phase took, on stderr */
	/* Called once, when the application runs, or when its program cannot be executed; that has
	 * been said on its standard error too. May be NULL. */
	void (*running)(void *user, const char *id);
	void (*failed)(void *user, const char *why);
	/* Called for each note of the plan, before anything starts. May be NULL. */
	void (*noted)(void *user, const char *note);
	/* Called when the application, or a part that it needs, has ended by itself, and nothing
	 * runs any more but for the process that this starts: until that ends too, the files of the
	 * sandbox are held, and can be looked at and copied out. May be NULL. */
	int (*held)(void *user, const char *id, struct child *ret, struct error **err);
	/* Called once everything has ended, if there is more to say of the application's end than
	 * its exit code. May be NULL. */
	void (*explained)(void *user, const char *why);
	void *user;
};

/* Runs to the end. On success *ret_code is the exit code of the application (128 + signal where one
 * killed it, or where one told us to end). */
int launch_run(const struct launch *l, int *ret_code, struct error **err);
