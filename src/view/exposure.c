#include "view/exposure-rows.h"

#include <string.h>

#include "base/text.h"

#define SENTENCE_MAX 4096U

/* As much as the whole network: a row more does not make the others less, so that the number of a
 * profile stays what it was. */
#define WEIGHT_OF_ONE_POINT 25U

const char *fear_to_string(enum fear f)
{
	static const char *const names[] = {
		[FEAR_FILES] = "Your files",
		[FEAR_WINDOWS] = "Your other windows, keys and screen",
		[FEAR_SOUND] = "Microphone and sound",
		[FEAR_NETWORK] = "Internet and home network",
		[FEAR_BUS] = "Other programs on your desktop",
		[FEAR_DEVICES] = "Devices",
		[FEAR_IDENTITY] = "Who and where you are",
		[FEAR_FILLING] = "Filling your machine",
		[FEAR_STAYS] = "What stays afterwards",
		[FEAR_KERNEL] = "The kernel, and programs it brings",
	};

	return names[f];
}

static const struct exposure_part *const parts[] = {
	&exposures_of_files,   &exposures_of_desktop, &exposures_of_identity,
	&exposures_of_machine, &exposures_of_kernel,
};

const struct exposure *exposure_at(size_t i)
{
	for (size_t part = 0; part < ARRAY_SIZE(parts); part++) {
		if (i < parts[part]->n)
			return &parts[part]->rows[i];
		i -= parts[part]->n;
	}
	return NULL;
}

char *exposure_sentence(const struct exposure *e, const struct view *v, bool *ret_can)
{
	_cleanup_buf_ struct buf out = { 0 };
	bool can = e->tell(v, &out);

	if (ret_can)
		*ret_can = can;
	return text_escape(out.data, SENTENCE_MAX);
}

char *exposure_setting(const struct exposure *e)
{
	return e->key ? xasprintf("%s.%s", e->section, e->key) : NULL;
}

static unsigned weighted(const struct exposure *e, const struct view *v)
{
	return e->measure ? e->weight * e->measure(v) : 0;
}

unsigned exposure_points(const struct exposure *e, const struct view *v)
{
	return weighted(e, v) * 100 / (WEIGHT_OF_ONE_POINT * EXPOSURE_WHOLE);
}

unsigned exposure_score(const struct view *v)
{
	unsigned sum = 0, score;

	for (size_t i = 0; exposure_at(i); i++)
		sum += weighted(exposure_at(i), v);
	score = sum * 100 / (WEIGHT_OF_ONE_POINT * EXPOSURE_WHOLE);
	return score < EXPOSURE_SCORE_MAX ? score : EXPOSURE_SCORE_MAX;
}

const char *exposure_word(unsigned score)
{
	static const struct {
		unsigned below;
		const char *word;
	} words[] = { { 200, "tight" }, { 400, "guarded" }, { 700, "open" } };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (score < words[i].below)
			return words[i].word;
	return "exposed";
}

/* --- what rows share --------------------------------------------------------- */

unsigned exposure_of_list(char *const *list)
{
	size_t n = strv_length(list);

	return (unsigned)(EXPOSURE_WHOLE * n / (n + 2));
}

/* The place of the highest bit in thousandths, what is below it in proportion. */
static unsigned logarithm(uint64_t value)
{
	unsigned bit = 63 - (unsigned)__builtin_clzll(value | 1);
	uint64_t rest = value - (UINT64_C(1) << bit);

	return bit * 1000 +
	       (unsigned)(bit ? (double)rest / (double)(UINT64_C(1) << bit) * 1000 : 0);
}

unsigned exposure_of_amount(uint64_t value, uint64_t least, uint64_t most)
{
	if (!value || value >= most)
		return EXPOSURE_WHOLE;
	if (value <= least)
		return 0;
	return (logarithm(value) - logarithm(least)) * EXPOSURE_WHOLE /
	       (logarithm(most) - logarithm(least));
}

void tell_value(const struct view *v, const char *section, const char *key, struct buf *out)
{
	const struct key *k = key_find(section, key);
	_cleanup_buf_ struct buf line = { 0 };
	const char *value;

	k->type->write(k, key_value(k, v->profile), &line);
	value = line.size ? line.data + strlen(key) + 1 : "no limit\n";
	buf_add(out, value, strlen(value) - 1);
}

void tell_list(char *const *list, struct buf *out)
{
	_cleanup_free_ char *text = strv_join(list, ", ");

	buf_adds(out, text);
}
