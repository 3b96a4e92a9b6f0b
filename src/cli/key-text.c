#include "cli/key-text.h"

#include <string.h>

/* A bound as it is written in a profile. The type knows how, and puts the key before it. */
static void add_number(const struct key *k, uint64_t number, struct buf *text)
{
	uint32_t small = (uint32_t)number;
	_cleanup_buf_ struct buf line = { 0 };

	k->type->write(k, k->type->size == sizeof small ? (const void *)&small : &number, &line);
	if (line.size)
		buf_add(text, line.data + strlen(k->name) + 1, line.size - strlen(k->name) - 2);
	else
		buf_adds(text, "0");
}

void key_allowed(const struct key *k, struct buf *text)
{
	if (!key_is_supported(k)) {
		buf_adds(text, "not supported in this version");
		return;
	}
	for (const char *const *choice = k->choices; choice && *choice; choice++)
		buf_addf(text, "%s%s", choice == k->choices ? "" : ", ", *choice);
	if (k->choices)
		return;
	if (k->check) {
		buf_addf(text, "%s%s", k->type->is_list ? "any number of times: " : "",
			 k->check->expected);
		return;
	}
	buf_adds(text, k->type->form);
	if (k->max) {
		buf_adds(text, ", ");
		add_number(k, k->min, text);
		buf_adds(text, " to ");
		add_number(k, k->max, text);
	}
}
