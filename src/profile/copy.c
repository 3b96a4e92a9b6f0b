#include "profile/copy.h"

#include <string.h>

#include "base/strv.h"

/* Values that were read once are valid. */
static void read_again(const struct key *k, struct profile *to, const char *value)
{
	_cleanup_(error_freep) struct error *error = NULL;

	if (k->type->read(k, key_field(k, to), value, &error) < 0)
		abort();
}

void key_copy(const struct key *k, struct profile *to, const struct profile *from)
{
	_cleanup_buf_ struct buf lines = { 0 };
	char *state, *line;

	if (!key_is_supported(k) || !k->type->size)
		return;
	k->type->write(k, key_value(k, from), &lines);
	if (k->type->release)
		k->type->release(key_field(k, to));
	memset(key_field(k, to), 0, k->type->size);
	if (!lines.size)
		return;
	for (line = strtok_r(lines.data, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		read_again(k, to, line + strlen(k->name) + 1);
}

/* The same name in the copy's own list. */
static const char *file_of(const struct profile *copy, const struct profile *p, const char *file)
{
	for (size_t i = 0; p->files && p->files[i]; i++)
		if (p->files[i] == file)
			return copy->files[i];
	return NULL;
}

struct profile *profile_copy(const struct profile *p)
{
	struct profile *copy = profile_new(p->name);

	copy->files = strv_copy(p->files);
	copy->parents = strv_copy(p->parents);
	copy->by_path = p->by_path;
	for (size_t i = 0; i < key_count(); i++) {
		key_copy(key_at(i), copy, p);
		copy->origins[i] = (struct profile_origin){
			.file = file_of(copy, p, p->origins[i].file),
			.line = p->origins[i].line,
		};
	}
	return copy;
}
