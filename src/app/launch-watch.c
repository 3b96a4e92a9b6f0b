#include "app/launch-phases.h"

static void on_event(void *user, const struct watch_policy *p, const struct watch_event *e)
{
	const struct launch_watch *watch = ((struct sandbox *)user)->launch->watch;

	watch->event(watch->user, p, e);
}

/* Nobody answers the application's filter any more. */
static void on_lost(void *user, const char *why)
{
	sandbox_lose(user, why);
}

/* Before the application, which must not be asked about before somebody answers. What serves it
 * (sound, a bus) is under the box's own filter: it is vitrine's choice, and has no part in what the
 * application needs. */
int launch_watch(struct sandbox *s, struct error **err)
{
	static const struct watcher_events events = { .event = on_event, .lost = on_lost };
	const struct launch_watch *watch = s->launch->watch;

	if (!watch)
		return 0;
	return watcher_start(watch->mode, s->holder.user_ns, watch->folders, s->loop, &events, s,
			     &s->watcher, err);
}

void on_application_asks(void *user, int listener)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct sandbox *s = user;

	if (watcher_add(s->watcher, listener, &error) < 0)
		sandbox_lose(s, error->message);
}
