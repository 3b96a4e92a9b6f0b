#include "app/doctor-text.h"

#include <string.h>

#include "base/buf.h"
#include "base/parse.h"
#include "base/text.h"

#define FIRST_SUB_ID 100000U
#define SHOWN_MAX    400U

static const struct {
	const char *name, *colour;
} results[DOCTOR_RESULT_MAX] = {
	[DOCTOR_OK] = { "ok", "\033[32m" },
	[DOCTOR_WARNING] = { "warning", "\033[33m" },
	[DOCTOR_FAILURE] = { "failure", "\033[31m" },
};

const char *doctor_result_to_string(enum doctor_result r)
{
	return results[r].name;
}

static bool is_number(const char *s, size_t n, uint32_t *ret)
{
	_cleanup_free_ char *digits = xstrndup(s, n);

	return parse_u32(digits, ret) == 0;
}

int display_number(const char *display, uint32_t *ret)
{
	size_t host = strcspn(display, ":"), digits;
	const char *number = display + host + 1;
	uint32_t screen, value;

	if (display[host] != ':' || (host && strncmp(display, "unix:", host + 1)))
		return -EINVAL;
	digits = strcspn(number, ".");
	if (!is_number(number, digits, &value))
		return -EINVAL;
	if (number[digits] == '.' && parse_u32(number + digits + 1, &screen) < 0)
		return -EINVAL;
	*ret = value;
	return 0;
}

char *pulse_socket(const char *server, const char *runtime_dir)
{
	if (!server || !*server)
		return runtime_dir ? xasprintf("%s/pulse/native", runtime_dir) : NULL;
	if (*server == '{') { /* "{machine-id}unix:/path": only valid on that machine */
		server = strchr(server, '}');
		if (!server)
			return NULL;
		server++;
	}
	if (!strncmp(server, "unix:", 5))
		server += 5;
	return *server == '/' ? xstrndup(server, strcspn(server, " ")) : NULL;
}

/* The end of the range in a line "owner:first:count"; 0 if it is none. */
static uint32_t range_end(char *line)
{
	char *state, *first_text, *count_text;
	uint32_t first, count, end;

	strtok_r(line, ":", &state);
	first_text = strtok_r(NULL, ":", &state);
	count_text = strtok_r(NULL, ":", &state);
	if (!count_text || parse_u32(first_text, &first) < 0 || parse_u32(count_text, &count) < 0 ||
	    __builtin_add_overflow(first, count, &end))
		return 0;
	return end;
}

uint32_t free_sub_ids(const char *text, uint32_t count)
{
	_cleanup_free_ char *copy = xstrdup(text);
	uint32_t first = FIRST_SUB_ID;
	char *line, *state;

	for (line = strtok_r(copy, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
		uint32_t end = range_end(line);

		if (end > first && end <= UINT32_MAX - count)
			first = end;
	}
	return first;
}

char *userns_mend(const struct userns_settings *s)
{
	if (s->clone && !strcmp(s->clone, "0"))
		return xstrdup("sudo sysctl -w kernel.unprivileged_userns_clone=1");
	if (s->max && !strcmp(s->max, "0"))
		return xstrdup("sudo sysctl -w user.max_user_namespaces=15000");
	if (s->apparmor && strcmp(s->apparmor, "0"))
		return xstrdup("sudo vitrine admin install-policies");
	return xstrdup(
		"use a kernel with CONFIG_USER_NS; inside a container or virtual machine, ask "
		"who runs it to allow user namespaces");
}

static size_t name_width(const struct diagnoses *d)
{
	size_t width = 0;

	for (size_t i = 0; i < d->n; i++)
		if (strlen(d->rows[i].name) > width)
			width = strlen(d->rows[i].name);
	return width;
}

static void render_row(struct buf *text, const struct diagnosis *d, int width, bool colours)
{
	_cleanup_free_ char *detail = text_escape(d->detail, SHOWN_MAX);
	_cleanup_free_ char *mend = text_escape(d->mend, SHOWN_MAX);

	buf_addf(text, "%s%-7s%s  %-*s  %s\n", colours ? results[d->result].colour : "",
		 results[d->result].name, colours ? "\033[0m" : "", width, d->name, detail);
	if (*mend)
		buf_addf(text, "%-7s  %-*s  -> %s\n", "", width, "", mend);
}

static size_t count_results(const struct diagnoses *d, enum doctor_result r)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		n += d->rows[i].result == r;
	return n;
}

char *diagnoses_render(const struct diagnoses *d, bool colours)
{
	size_t warnings = count_results(d, DOCTOR_WARNING),
	       failures = count_results(d, DOCTOR_FAILURE);
	struct buf text = { 0 };

	for (size_t i = 0; i < d->n; i++)
		render_row(&text, &d->rows[i], (int)name_width(d), colours);
	buf_addf(&text, "\n%zu checks: %zu ok, %zu warning%s, %zu failure%s. %s\n", d->n,
		 count_results(d, DOCTOR_OK), warnings, warnings == 1 ? "" : "s", failures,
		 failures == 1 ? "" : "s",
		 failures ? "Applications cannot be run until the failures are mended."
			  : "Applications can be run in sandboxes.");
	return buf_take(&text);
}

json_t *diagnoses_to_json(const struct diagnoses *d)
{
	json_t *all = json_array();

	for (size_t i = 0; i < d->n; i++) {
		const struct diagnosis *one = &d->rows[i];
		_cleanup_free_ char *detail = text_escape(one->detail, SHOWN_MAX);
		_cleanup_free_ char *mend = text_escape(one->mend, SHOWN_MAX);

		json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:s}", "name", one->name,
						     "result", results[one->result].name, "detail",
						     detail, "mend", mend));
	}
	return all;
}

bool diagnoses_have_failure(const struct diagnoses *d)
{
	return count_results(d, DOCTOR_FAILURE) > 0;
}
