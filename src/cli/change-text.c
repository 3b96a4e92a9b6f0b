#include "cli/change-text.h"

#include <string.h>

#include "app/usage-text.h"
#include "base/text.h"

void change_describe(struct buf *out, const struct changes *c, size_t i, size_t *ret_within)
{
	const struct change *one = &c->list[i];
	_cleanup_free_ char *shown = text_escape(one->path, strlen(one->path)), *size = NULL;
	uint64_t bytes;

	*ret_within = changes_within(c, i, &bytes);
	size = usage_show_bytes(one->type == 'd' ? bytes : one->size);
	buf_addf(out, "%-8s %10s  %s%s", change_kind_to_string(one->kind),
		 one->kind == 'r' || one->type == 'l' ? "-" : size, shown,
		 one->type == 'd' ? "/" : "");
	if (*ret_within)
		buf_addf(out, " (%zu %s)", *ret_within, *ret_within == 1 ? "entry" : "entries");
	if (one->type == 'l')
		buf_adds(out, " (a link)");
	if (one->type == 'o')
		buf_adds(out, " (a device, socket or FIFO)");
}
