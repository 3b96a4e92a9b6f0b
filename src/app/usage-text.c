#include "app/usage-text.h"

#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"

static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* Takes the next word of *rest, up to one of `ends`; NULL where there is none. Changes the text. */
static char *next_word(char **rest, const char *ends)
{
	char *word;

	*rest += strspn(*rest, ends);
	word = *rest;
	*rest += strcspn(*rest, ends);
	if (*rest == word)
		return NULL;
	if (**rest)
		*(*rest)++ = '\0';
	return word;
}

/* The number of a word that must be there. */
static int number(const char *word, uint64_t *ret)
{
	return word && parse_u64(word, ret) == 0 ? 0 : -EINVAL;
}

static int process_id(const char *word, pid_t *ret)
{
	uint64_t value;

	if (number(word, &value) < 0 || value > INT_MAX)
		return -EINVAL;
	*ret = (pid_t)value;
	return 0;
}

int usage_parse_stat(const char *text, struct process *ret)
{
	/* Places behind the name, counted from the state on (which is field 3 of the file). */
	enum { PARENT = 1, TICKS_FIRST = 11, TICKS_LAST = 14, THREADS = 17 };
	_cleanup_free_ char *copy = xstrdup(text);
	char *name = strchr(copy, ' '), *rest = strrchr(copy, ')');
	struct process p = { 0 };

	if (!name || !rest || rest < name)
		return -EINVAL;
	*name = '\0';
	rest++;
	if (process_id(copy, &p.pid) < 0)
		return -EINVAL;
	for (int i = 0; i <= THREADS; i++) {
		const char *word = next_word(&rest, " \n");
		uint64_t value = 0;
		int r = 0;

		if (i == PARENT)
			r = process_id(word, &p.parent);
		else if (i >= TICKS_FIRST && i <= TICKS_LAST)
			r = number(word, &value);
		else if (i == THREADS)
			r = number(word, &p.threads);
		if (!word || r < 0)
			return -EINVAL;
		p.ticks = add(p.ticks, value);
	}
	*ret = p;
	return 0;
}

int usage_parse_statm(const char *text, uint64_t *ret_pages)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy;
	uint64_t size, resident, shared;

	if (number(next_word(&rest, " \n"), &size) < 0 ||
	    number(next_word(&rest, " \n"), &resident) < 0 ||
	    number(next_word(&rest, " \n"), &shared) < 0)
		return -EINVAL;
	*ret_pages = resident > shared ? resident - shared : 0;
	return 0;
}

/* "eth0: 1 2 3 4 5 6 7 8 9 ...": bytes received are the first number, bytes sent the ninth. */
static int parse_device(char *line, uint64_t *ret_received, uint64_t *ret_sent)
{
	enum { RECEIVED = 0, SENT = 8 };

	for (int i = 0; i <= SENT; i++) {
		uint64_t value;

		if (number(next_word(&line, " "), &value) < 0)
			return -EINVAL;
		if (i == RECEIVED)
			*ret_received = add(*ret_received, value);
		if (i == SENT)
			*ret_sent = add(*ret_sent, value);
	}
	return 0;
}

int usage_parse_net(const char *text, uint64_t *ret_received, uint64_t *ret_sent)
{
	enum { HEADINGS = 2 };
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy, *line;
	uint64_t received = 0, sent = 0;
	int n = 0;

	for (; (line = next_word(&rest, "\n")); n++) {
		char *colon = strchr(line, ':');

		if (n < HEADINGS)
			continue;
		if (!colon)
			return -EINVAL;
		*colon = '\0';
		line += strspn(line, " ");
		if (strcmp(line, "lo") != 0 && parse_device(colon + 1, &received, &sent) < 0)
			return -EINVAL;
	}
	if (n < HEADINGS)
		return -EINVAL;
	*ret_received = received;
	*ret_sent = sent;
	return 0;
}

int usage_parse_single(const char *text, uint64_t *ret)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy, *word = next_word(&rest, "\n");

	if (!word || *rest)
		return -EINVAL;
	if (!strcmp(word, "max")) {
		*ret = USAGE_UNKNOWN;
		return 0;
	}
	return number(word, ret);
}

int usage_parse_flat(const char *text, const char *key, uint64_t *ret)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy, *line;

	while ((line = next_word(&rest, "\n"))) {
		char *name = next_word(&line, " ");

		if (name && !strcmp(name, key))
			return number(line, ret);
	}
	return -EINVAL;
}

int usage_parse_nested(const char *text, const char *key, uint64_t *ret)
{
	_cleanup_free_ char *copy = xstrdup(text);
	size_t n = strlen(key);
	char *rest = copy, *line, *word;
	uint64_t sum = 0;

	while ((line = next_word(&rest, "\n"))) {
		while ((word = next_word(&line, " "))) {
			uint64_t value;

			if (strncmp(word, key, n) != 0 || word[n] != '=')
				continue;
			if (number(word + n + 1, &value) < 0)
				return -EINVAL;
			sum = add(sum, value);
		}
	}
	*ret = sum;
	return 0;
}

char *usage_show_bytes(uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	uint64_t tenths, unit = 1024;
	size_t i = 0;

	if (bytes < 1024)
		return xasprintf("%ju", (uintmax_t)bytes);
	/* 1000 of one are shown as 1.0 of the next: four digits would not fit. */
	while (i + 2 < sizeof units && bytes / unit >= 1000) {
		unit *= 1024;
		i++;
	}
	tenths = bytes / (unit / 1024) * 10 / 1024;
	if (tenths < 100)
		return xasprintf("%ju.%ju%c", (uintmax_t)(tenths / 10), (uintmax_t)(tenths % 10),
				 units[i]);
	return xasprintf("%ju%c", (uintmax_t)(tenths / 10), units[i]);
}
