/* Whatever the proxy prints, what is told has names that D-Bus allows, in whatever pieces it comes.
 */

#include <string.h>

#include "app/bus-denial.h"
#include "base/buf.h"
#include "base/text.h"
#include "tests/fuzz/fuzz.h"

#define NAMES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-:/"

static void on_blocked(void *user, const struct bus_blocked *b)
{
	_cleanup_(profile_freep) struct profile *p = profile_new("fuzz");
	_cleanup_free_ char *text = bus_denial_describe(b, p);
	json_auto_t *event = bus_denial_to_event(b);

	must(b->deed < BUS_DEED_MAX && text_is_plain(text) && event);
	must(*b->name && !b->name[strspn(b->name, NAMES)]);
	must(*b->member && !b->member[strspn(b->member, NAMES)]);
	must(*b->path && !b->path[strspn(b->path, NAMES)]);
	buf_addf(user, "%d %s %s %s\n", b->deed, b->name, b->member, b->path);
}

/* What is told when it comes in pieces of this size; owned by the caller. */
static char *told_in_pieces(const uint8_t *data, size_t size, size_t piece)
{
	struct buf told = { 0 };
	struct bus_log *l = bus_log_new(on_blocked, &told);

	for (size_t at = 0; at < size; at += piece)
		bus_log_take(l, (const char *)data + at, piece < size - at ? piece : size - at);
	bus_log_free(l);
	return buf_take(&told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *whole = told_in_pieces(data, size, size + 1);
	_cleanup_free_ char *parts = told_in_pieces(data, size, 3);

	must(!strcmp(whole, parts));
	return 0;
}
