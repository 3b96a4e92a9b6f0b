#include "image/apt-plan.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"

#define DIGITS	 "0123456789"
#define LOWER	 "abcdefghijklmnopqrstuvwxyz"
#define LETTERS	 LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define WORD_MAX 255U

static const char *const action_words[APT_ACTION_MAX] = {
	[APT_UNPACK] = "Inst ",
	[APT_CONFIGURE] = "Conf ",
	[APT_REMOVE] = "Remv ",
	[APT_PURGE] = "Purg ",
};

static const char *const months[] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
};

void apt_plan_release(struct apt_plan *p)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		free(p->steps[i].name);
		free(p->steps[i].version);
		free(p->steps[i].arch);
	}
	free(p->steps);
	*p = (struct apt_plan){ 0 };
}

/* Debian Policy 5.6: what a name, a version and an architecture are made of. */
static bool is_made_of(const char *s, size_t n, const char *characters)
{
	return n > 0 && n <= WORD_MAX && strspn(s, characters) >= n &&
	       strchr(LETTERS DIGITS, *s) != NULL;
}

static bool is_name(const char *s, size_t n)
{
	return is_made_of(s, n, LOWER DIGITS "+-.");
}

static bool is_version(const char *s, size_t n)
{
	return is_made_of(s, n, LETTERS DIGITS "+-.~:");
}

static bool is_arch(const char *s, size_t n)
{
	return is_made_of(s, n, LOWER DIGITS "-");
}

static int not_understood(const char *line, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(line, 200);

	return error_set(err, EPROTO, "apt plans a step that is not understood: '%s'", shown);
}

/* "VERSION ORIGIN... [ARCH])", behind the opening parenthesis. */
static bool read_candidate(const char *s, struct apt_step *step)
{
	size_t version = strcspn(s, " )"), arch;
	const char *end = strchr(s, ')'), *start;

	if (!end || !is_version(s, version) || end - s < 2 || end[-1] != ']')
		return false;
	for (start = end - 1; start > s && *start != '['; start--)
		;
	if (*start != '[')
		return false;
	arch = (size_t)(end - start) - 2;
	if (!is_arch(start + 1, arch))
		return false;
	step->version = xstrndup(s, version);
	step->arch = xstrndup(start + 1, arch);
	return true;
}

static void add_step(struct apt_plan *p, const struct apt_step *step)
{
	p->steps = xreallocarray(p->steps, p->n_steps + 1, sizeof *p->steps);
	p->steps[p->n_steps++] = *step;
}

static int add_line(struct apt_plan *p, enum apt_action action, const char *line,
		    struct error **err)
{
	const char *name = line + strlen(action_words[action]), *at;
	size_t n = strcspn(name, " :");
	struct apt_step step = { .action = action };

	if (!is_name(name, n))
		return not_understood(line, err);
	if (p->n_steps >= APT_STEPS_MAX)
		return error_set(err, E2BIG, "apt plans more than %u steps", APT_STEPS_MAX);
	if (action == APT_UNPACK || action == APT_CONFIGURE) {
		at = strchr(name, '(');
		if (!at || !read_candidate(at + 1, &step))
			return not_understood(line, err);
	}
	step.name = xstrndup(name, n);
	add_step(p, &step);
	return 0;
}

int apt_plan_line(struct apt_plan *p, const char *line, struct error **err)
{
	for (enum apt_action a = 0; a < APT_ACTION_MAX; a++)
		if (!strncmp(line, action_words[a], strlen(action_words[a])))
			return add_line(p, a, line, err);
	return 0;
}

static void add_quoted(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '_' || *s == ':' || *s == '%')
			buf_addf(b, "%%%02x", (unsigned)(unsigned char)*s);
		else
			buf_add(b, s, 1);
	}
}

char *apt_file_name(const struct apt_step *s)
{
	struct buf b = { 0 };

	add_quoted(&b, s->name);
	buf_adds(&b, "_");
	add_quoted(&b, s->version);
	buf_adds(&b, "_");
	add_quoted(&b, s->arch);
	buf_adds(&b, ".deb");
	return buf_take(&b);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **apt_plan_versions(const struct apt_plan *p)
{
	char **all = NULL;

	for (size_t i = 0; i < p->n_steps; i++) {
		const struct apt_step *s = &p->steps[i];

		if (s->action == APT_UNPACK)
			strv_addf(&all, "%s=%s/%s", s->name, s->version, s->arch);
		else if (s->action != APT_CONFIGURE)
			strv_addf(&all, "%s-", s->name);
	}
	if (all)
		qsort(all, strv_length(all), sizeof *all, by_text);
	return all;
}

/* Two digits, or up to four; moves behind them. */
static bool read_number(const char **at, int *ret)
{
	size_t n = strspn(*at, DIGITS);
	_cleanup_free_ char *digits = xstrndup(*at, n);
	uint32_t value;

	if (n > 4 || parse_u32(digits, &value) < 0)
		return false;
	*at += n;
	*ret = (int)value;
	return true;
}

static bool read_month(const char **at, int *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(months); i++)
		if (!strncmp(*at, months[i], 3)) {
			*at += 3;
			*ret = (int)i;
			return true;
		}
	return false;
}

static bool read_char(const char **at, char wanted)
{
	if (**at != wanted)
		return false;
	++*at;
	return true;
}

/* "Sat, 16 May 2026 10:12:13 UTC" */
static uint64_t read_date(const char *at)
{
	struct tm tm = { 0 };
	time_t seconds;

	at += strspn(at, LETTERS);
	if (!read_char(&at, ',') || !read_char(&at, ' ') || !read_number(&at, &tm.tm_mday) ||
	    !read_char(&at, ' ') || !read_month(&at, &tm.tm_mon) || !read_char(&at, ' ') ||
	    !read_number(&at, &tm.tm_year) || !read_char(&at, ' ') ||
	    !read_number(&at, &tm.tm_hour) || !read_char(&at, ':') ||
	    !read_number(&at, &tm.tm_min) || !read_char(&at, ':') || !read_number(&at, &tm.tm_sec))
		return 0;
	if (strncmp(at, " UTC", 4) != 0 && strncmp(at, " GMT", 4) != 0 &&
	    strncmp(at, " +0000", 6) != 0)
		return 0;
	tm.tm_year -= 1900;
	seconds = timegm(&tm);
	return seconds > 0 ? (uint64_t)seconds : 0;
}

uint64_t apt_release_date(const char *text)
{
	static const char field[] = "Date: ";

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, field, strlen(field)))
			return read_date(line + strlen(field));
	}
	return 0;
}
