#include "profile/value.h"

#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "profile/choice.h"

#define QUOTE_MAX 64 /* bytes of a value that a message shows */

static int refuse(const struct key *k, const char *expected, const char *text, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(text, QUOTE_MAX);

	return error_set(err, EINVAL, "%s= must be %s, not '%s'", k->name, expected, shown);
}

static int check_text(const struct key *k, const char *text, struct error **err)
{
	if (k->check->is_valid(text))
		return 0;
	if (!k->explain)
		return refuse(k, k->check->expected, text, err);
	(void)k->explain(text, err);
	return error_prefix(err, "%s=", k->name);
}

static int read_string(const struct key *k, void *field, const char *text, struct error **err)
{
	char **s = field;
	int r = check_text(k, text, err);

	if (r < 0)
		return r;
	free(*s);
	*s = xstrdup(text);
	return 0;
}

static void write_string(const struct key *k, const void *field, struct buf *out)
{
	const char *s = *(char *const *)field;

	if (s)
		buf_addf(out, "%s=%s\n", k->name, s);
}

static void release_string(void *field)
{
	free(*(char **)field);
}

static int read_list(const struct key *k, void *field, const char *text, struct error **err)
{
	char ***list = field;
	int r;

	if (!*text) {
		*list = strv_free(*list);
		return 0;
	}
	r = check_text(k, text, err);
	if (r < 0)
		return r;
	if (strv_length(*list) == PROFILE_LIST_MAX)
		return error_set(err, E2BIG, "more than %u values of %s=", PROFILE_LIST_MAX,
				 k->name);
	strv_add(list, text);
	return 0;
}

static void write_list(const struct key *k, const void *field, struct buf *out)
{
	char *const *list = *(char **const *)field;

	for (; list && *list; list++)
		buf_addf(out, "%s=%s\n", k->name, *list);
}

static void release_list(void *field)
{
	strv_free(*(char ***)field);
}

static int read_bool(const struct key *k, void *field, const char *text, struct error **err)
{
	if (parse_bool(text, field) < 0)
		return refuse(k, "yes or no", text, err);
	return 0;
}

static void write_bool(const struct key *k, const void *field, struct buf *out)
{
	buf_addf(out, "%s=%s\n", k->name, *(const bool *)field ? "yes" : "no");
}

static int read_size(const struct key *k, void *field, const char *text, struct error **err)
{
	_cleanup_free_ char *expected = xasprintf("a size such as 512M, from %" PRIu64
						  "M to %" PRIu64 "M",
						  k->min >> 20, k->max >> 20);
	uint64_t value;

	if (parse_size(text, &value) < 0 || value < k->min || value > k->max)
		return refuse(k, expected, text, err);
	memcpy(field, &value, sizeof value);
	return 0;
}

/* With the largest unit that says it exactly. */
static void write_size(const struct key *k, const void *field, struct buf *out)
{
	static const char *const units[] = { "G", "M", "K", "" };
	uint64_t value = *(const uint64_t *)field;
	unsigned shift = 30, i = 0;

	if (!value)
		return;
	for (; shift && value & ((UINT64_C(1) << shift) - 1); shift -= 10)
		i++;
	buf_addf(out, "%s=%" PRIu64 "%s\n", k->name, value >> shift, units[i]);
}

static int read_count(const struct key *k, void *field, const char *text, struct error **err)
{
	_cleanup_free_ char *expected = xasprintf("a number from %" PRIu64 " to %" PRIu64, k->min,
						  k->max);
	uint32_t value;

	if (parse_u32(text, &value) < 0 || value < k->min || value > k->max)
		return refuse(k, expected, text, err);
	memcpy(field, &value, sizeof value);
	return 0;
}

static void write_count(const struct key *k, const void *field, struct buf *out)
{
	buf_addf(out, "%s=%" PRIu32 "\n", k->name, *(const uint32_t *)field);
}

static int read_percent(const struct key *k, void *field, const char *text, struct error **err)
{
	_cleanup_free_ char *expected = xasprintf("a share of one processor such as 150%%, from "
						  "%" PRIu64 "%% to %" PRIu64 "%%",
						  k->min, k->max);
	size_t n = strlen(text);
	_cleanup_free_ char *digits = xstrndup(text, n ? n - 1 : 0);
	uint32_t value;

	if (!n || text[n - 1] != '%' || parse_u32(digits, &value) < 0 || value < k->min ||
	    value > k->max)
		return refuse(k, expected, text, err);
	memcpy(field, &value, sizeof value);
	return 0;
}

static void write_percent(const struct key *k, const void *field, struct buf *out)
{
	uint32_t value = *(const uint32_t *)field;

	if (value)
		buf_addf(out, "%s=%" PRIu32 "%%\n", k->name, value);
}

static int read_choice(const struct key *k, void *field, const char *text, struct error **err)
{
	_cleanup_free_ char *names = strv_join((char *const *)k->choices, ", ");
	_cleanup_free_ char *expected = xasprintf("one of %s", names);
	int i = choice_find(k->choices, text);
	unsigned value = (unsigned)i;

	if (i < 0)
		return refuse(k, expected, text, err);
	memcpy(field, &value, sizeof value);
	return 0;
}

static void write_choice(const struct key *k, const void *field, struct buf *out)
{
	buf_addf(out, "%s=%s\n", k->name, k->choices[*(const unsigned *)field]);
}

static int read_time(const struct key *k, void *field, const char *text, struct error **err)
{
	uint32_t value;

	if (parse_duration(text, &value) < 0 || value < k->min || value > k->max)
		return refuse(k, "a time such as 90s, 15min or 8h", text, err);
	memcpy(field, &value, sizeof value);
	return 0;
}

/* With the largest unit that says it exactly. */
static void write_time(const struct key *k, const void *field, struct buf *out)
{
	static const struct {
		uint32_t seconds;
		const char *name;
	} units[] = { { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	uint32_t value = *(const uint32_t *)field;
	size_t i = 0;

	if (!value)
		return;
	while (value % units[i].seconds)
		i++;
	buf_addf(out, "%s=%" PRIu32 "%s\n", k->name, value / units[i].seconds, units[i].name);
}

static int read_inherit(const struct key *k, void *field, const char *text, struct error **err)
{
	(void)field;
	return check_text(k, text, err);
}

static int read_unsupported(const struct key *k, void *field, const char *text, struct error **err)
{
	(void)field;
	(void)text;
	return error_set(err, ENOTSUP, "%s= is not supported in this version", k->name);
}

static void write_nothing(const struct key *k, const void *field, struct buf *out)
{
	(void)k;
	(void)field;
	(void)out;
}

static uint64_t number_of_bool(const void *field)
{
	return *(const bool *)field;
}

static uint64_t number_of_choice(const void *field)
{
	return *(const unsigned *)field;
}

static uint64_t number_of_count(const void *field)
{
	return *(const uint32_t *)field;
}

/* Of those that are not set when they are 0. */
static uint64_t number_of_limit(const void *field)
{
	uint32_t value = *(const uint32_t *)field;

	return value ? value : UINT64_MAX;
}

static uint64_t number_of_size(const void *field)
{
	uint64_t value = *(const uint64_t *)field;

	return value ? value : UINT64_MAX;
}

const struct value_type value_bool = {
	.size = sizeof(bool),
	.form = "yes or no",
	.read = read_bool,
	.write = write_bool,
	.number = number_of_bool,
};
const struct value_type value_choice = {
	.size = sizeof(unsigned),
	.form = "choice",
	.read = read_choice,
	.write = write_choice,
	.number = number_of_choice,
};
const struct value_type value_count = {
	.size = sizeof(uint32_t),
	.form = "number",
	.read = read_count,
	.write = write_count,
	.number = number_of_count,
};
const struct value_type value_inherit = {
	.form = "name",
	.read = read_inherit,
	.write = write_nothing,
};
const struct value_type value_list = {
	.size = sizeof(char **),
	.form = "list",
	.is_list = true,
	.read = read_list,
	.write = write_list,
	.release = release_list,
};
const struct value_type value_percent = {
	.size = sizeof(uint32_t),
	.form = "percentage",
	.read = read_percent,
	.write = write_percent,
	.number = number_of_limit,
};
const struct value_type value_size = {
	.size = sizeof(uint64_t),
	.form = "size",
	.read = read_size,
	.write = write_size,
	.number = number_of_size,
};
const struct value_type value_string = {
	.size = sizeof(char *),
	.form = "text",
	.read = read_string,
	.write = write_string,
	.release = release_string,
};
const struct value_type value_time = {
	.size = sizeof(uint32_t),
	.form = "time",
	.read = read_time,
	.write = write_time,
	.number = number_of_limit,
};
const struct value_type value_unsupported = {
	.form = "not supported",
	.read = read_unsupported,
	.write = write_nothing,
};
