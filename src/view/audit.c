#include <stdlib.h>
#include <string.h>

#include "view/explain.h"

char *audit_number(unsigned hundredths)
{
	unsigned tenths = (hundredths + 5) / 10;

	return xasprintf("%u.%u", tenths / 10, tenths % 10);
}

struct ranked {
	const struct exposure *row;
	unsigned points;
	char *setting;
};

static int compare_names(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return strcmp(x->setting, y->setting);
}

static int compare_points(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->points != y->points ? (x->points < y->points ? 1 : -1) : compare_names(a, b);
}

const struct exposure **audit_rows(const struct view *v, bool by_name)
{
	const struct exposure **rows = xcalloc(KEYS_MAX + 1, sizeof *rows);
	struct ranked ranked[KEYS_MAX];
	size_t n = 0;

	for (size_t i = 0; exposure_at(i); i++) {
		const struct exposure *e = exposure_at(i);

		if (!e->measure || !e->measure(v))
			continue;
		ranked[n++] = (struct ranked){ e, exposure_points(e, v), exposure_setting(e) };
	}
	qsort(ranked, n, sizeof *ranked, by_name ? compare_names : compare_points);
	for (size_t i = 0; i < n; i++) {
		rows[i] = ranked[i].row;
		free(ranked[i].setting);
	}
	return rows;
}

char *audit_text(const struct view *v, bool by_name)
{
	_cleanup_free_ const struct exposure **rows = audit_rows(v, by_name);
	_cleanup_free_ char *score = audit_number(exposure_score(v));
	_cleanup_buf_ struct buf out = { 0 };

	buf_addf(&out, "%-8s %-22s %s\n", "EXPOSURE", "SETTING", "WHAT IT MEANS");
	for (size_t i = 0; rows[i]; i++) {
		_cleanup_free_ char *setting = exposure_setting(rows[i]);
		_cleanup_free_ char *sentence = exposure_sentence(rows[i], v, NULL);
		unsigned points = exposure_points(rows[i], v);

		buf_addf(&out, "%5u.%02u %-22s %s\n", points / 100, points % 100, setting,
			 sentence);
	}
	buf_addf(&out, "\n%s: %s of 10.0, %s\n", v->profile->name, score,
		 exposure_word(exposure_score(v)));
	return buf_take(&out);
}
