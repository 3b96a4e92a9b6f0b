#include "cli/transfer-view.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

#define MEGABYTE 1000000U
#define ERASE	 "\r\033[K"

void transfer_view_begin(struct transfer_view *v, const char *name)
{
	const char *term = getenv("TERM");

	*v = (struct transfer_view){
		.name = name,
		.redraws = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0,
	};
}

/* "unpacking layer 2 of 5, 34 of 120 MB" */
static void describe(struct buf *text, const struct transfer_progress *p, bool amounts)
{
	buf_adds(text, p->doing);
	if (p->parts)
		buf_addf(text, " %u of %u", p->part, p->parts);
	if (amounts && p->done)
		buf_addf(text, ", %llu", (unsigned long long)(p->done / MEGABYTE));
	if (amounts && p->done && p->total)
		buf_addf(text, " of %llu", (unsigned long long)(p->total / MEGABYTE));
	if (amounts && p->done)
		buf_adds(text, " MB");
}

void transfer_view_show(void *user, const struct transfer_progress *p)
{
	struct transfer_view *v = user;
	_cleanup_buf_ struct buf text = { 0 };

	describe(&text, p, v->redraws);
	if (v->redraws) {
		fprintf(stderr, ERASE "%s: %s", v->name, text.data);
		v->drawn = true;
		return;
	}
	if (p->part == v->last_part && p->doing == v->last_doing)
		return;
	v->last_part = p->part;
	v->last_doing = p->doing;
	fprintf(stderr, "%s: %s\n", v->name, text.data);
}

void transfer_view_end(struct transfer_view *v)
{
	if (v->drawn)
		fputs(ERASE, stderr);
	v->drawn = false;
}
