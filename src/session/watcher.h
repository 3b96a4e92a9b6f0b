#pragma once

/* The application's filter asks: a vitrine-watch (box/watch.h) that answers, and tells what it was
 * asked. */

#include "base/loop.h"
#include "box/watch.h"

struct watcher;

/* An event, from the loop; borrowed. `policy` names its calls and rules. */
typedef void watcher_event_fn(void *user, const struct watch_policy *policy,
			      const struct watch_event *e);

/* It ended, or tells nonsense: nothing is answered any more. `why` is one line. Once. */
typedef void watcher_lost_fn(void *user, const char *why);

struct watcher_events {
	watcher_event_fn *event;
	watcher_lost_fn *lost;
};

/* `user_ns` is the holder's; `files` as in struct watch_order. All borrowed for the call. */
int watcher_start(const struct policy *policy, enum watch_mode mode, int user_ns,
		  char *const *files, struct loop *loop, const struct watcher_events *events,
		  void *user, struct watcher **ret, struct error **err);

/* The filter that a command has to be started with; borrowed until watcher_end(). */
int watcher_filter(const struct watcher *w);

/* Takes over the descriptor at which such a filter asks. */
int watcher_add(struct watcher *w, int listener, struct error **err);

/* Takes what was told already, without waiting. */
void watcher_drain(struct watcher *w);

struct watcher *watcher_end(struct watcher *w);
