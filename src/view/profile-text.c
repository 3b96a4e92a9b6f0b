#include "view/profile-text.h"

#include <string.h>

#include "view/diff.h"

/* Comments stand on lines of their own, before the setting. */
char *profile_text(const struct profile *p, bool origins)
{
	_cleanup_buf_ struct buf out = { 0 };
	const char *section = NULL;

	if (!origins)
		return profile_write(p);
	for (size_t i = 0; key_at(i); i++) {
		const struct key *k = key_at(i);
		_cleanup_free_ char *origin = origin_text(&p->origins[i]);
		_cleanup_buf_ struct buf lines = { 0 };

		k->type->write(k, key_value(k, p), &lines);
		if (!lines.size)
			continue;
		if (!section || strcmp(section, k->section))
			buf_addf(&out, "%s[%s]\n", section ? "\n" : "", k->section);
		section = k->section;
		buf_addf(&out, "# %s\n", origin);
		buf_add(&out, lines.data, lines.size);
	}
	return buf_take(&out);
}
