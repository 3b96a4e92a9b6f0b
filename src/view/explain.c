#include "view/explain.h"

#include <string.h>

#include "base/text.h"

static void add_title(struct buf *out, const struct view *v)
{
	const char *title = v->profile->title ? v->profile->title : v->profile->name;
	_cleanup_free_ char *shown = text_escape(title, strlen(title));

	buf_addf(out, "%s (profile %s, image %s)\n", shown, v->profile->name, v->plan->image);
}

char *explain_text(const struct view *v)
{
	_cleanup_buf_ struct buf out = { 0 };

	add_title(&out, v);
	for (enum fear f = 0; f < FEAR_MAX; f++) {
		buf_addf(&out, "\n%s\n", fear_to_string(f));
		for (size_t i = 0; exposure_at(i); i++) {
			const struct exposure *e = exposure_at(i);
			_cleanup_free_ char *sentence = NULL;
			bool can;

			if (e->fear != f)
				continue;
			sentence = exposure_sentence(e, v, &can);
			buf_addf(&out, "  %c %s\n", can ? '+' : '-', sentence);
		}
	}
	return buf_take(&out);
}
