#include "image/transfer.h"

#include <stdbool.h>
#include <time.h>

#include "base/loop.h"

#define SHOW_MS 100

static void set_of_interrupts(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

/* Takes what is pending of these. */
static bool take(const sigset_t *set)
{
	static const struct timespec at_once = { 0 };

	return sigtimedwait(set, NULL, &at_once) > 0;
}

void interrupts_begin(struct interrupts *i)
{
	sigset_t set;

	set_of_interrupts(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, &i->before);
}

void interrupts_end(struct interrupts *i)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	while (take(&set))
		;
	sigprocmask(SIG_SETMASK, &i->before, NULL);
}

static void show(struct transfer *t)
{
	t->shown_ms = now_ms();
	if (t->show && t->now.doing)
		t->show(t->user, &t->now);
}

void transfer_begin(struct transfer *t, const char *doing, unsigned part, unsigned parts,
		    uint64_t total)
{
	t->now = (struct transfer_progress){
		.doing = doing, .part = part, .parts = parts, .total = total
	};
	show(t);
}

int transfer_add(struct transfer *t, uint64_t bytes, struct error **err)
{
	sigset_t set;

	t->now.done += bytes;
	if (now_ms() - t->shown_ms < SHOW_MS)
		return 0;
	show(t);
	set_of_interrupts(&set);
	return take(&set) ? error_set(err, EINTR, "interrupted: nothing was changed") : 0;
}
