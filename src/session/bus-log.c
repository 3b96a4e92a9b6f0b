#include "session/bus-log.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"

#define LINE_MAX_KEPT 4096U /* a name has at most 255 bytes; a longer line is left out */
#define LETTERS	      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
#define NAME_MAX_SIZE 255U
#define BUS_ITSELF    "org.freedesktop.DBus"
#define NOT_FOR	      "Filtering message due to arg0 "
#define OWN_POLICY    "(required 3)" /* the proxy's number of --own */

struct bus_log {
	bus_blocked_fn *fn;
	void *user;
	struct buf line; /* the beginning of one */
	bool too_long;	 /* its rest is left out, too */

	/* The last message of the application, whose fate the next line tells; NULL: none. */
	char *name, *member, *path;
};

struct bus_log *bus_log_new(bus_blocked_fn *fn, void *user)
{
	struct bus_log *l = xcalloc(1, sizeof *l);

	l->fn = fn;
	l->user = user;
	return l;
}

static void forget(struct bus_log *l)
{
	free(l->name);
	free(l->member);
	free(l->path);
	l->name = l->member = l->path = NULL;
}

struct bus_log *bus_log_free(struct bus_log *l)
{
	if (!l)
		return NULL;
	forget(l);
	buf_release(&l->line);
	free(l);
	return NULL;
}

static bool is_made_of(const char *s, const char *letters, size_t most)
{
	size_t n = strspn(s, letters);

	return n > 0 && n <= most && !s[n];
}

/* Takes `text` off the beginning of *at. */
static bool skip(char **at, const char *text)
{
	size_t n = strlen(text);

	if (strncmp(*at, text, n) != 0)
		return false;
	*at += n;
	return true;
}

/* Up to `end`, which goes; NULL where there is none. */
static char *cut(char **at, const char *end)
{
	char *word = *at, *stop = strstr(word, end);

	if (!stop)
		return NULL;
	*stop = '\0';
	*at = stop + strlen(end);
	return word;
}

/* "C6: -> NAME call INTERFACE.METHOD at PATH" */
static void take_message(struct bus_log *l, char *line)
{
	char *name, *member;

	forget(l);
	if (*line != 'C' || !cut(&line, ": -> "))
		return;
	name = cut(&line, " ");
	if (!name || (!skip(&line, "call ") && !skip(&line, "signal ")))
		return;
	member = cut(&line, " at ");
	if (!member || !is_made_of(name, LETTERS ".-:", NAME_MAX_SIZE) ||
	    !is_made_of(member, LETTERS ".", 2 * NAME_MAX_SIZE) ||
	    !is_made_of(line, LETTERS "/", LINE_MAX_KEPT))
		return;
	l->name = xstrdup(name);
	l->member = xstrdup(member);
	l->path = xstrdup(line);
}

static void tell(struct bus_log *l, enum bus_deed deed, const char *name)
{
	const struct bus_blocked b = { deed, name, l->member, l->path };

	l->fn(l->user, &b);
	forget(l);
}

/* "Filtering message due to arg0 NAME, policy: 0 (required 3)" */
static void take_argument(struct bus_log *l, char *line)
{
	char *name = cut(&line, ", policy: ");

	if (!l->name || strcmp(l->name, BUS_ITSELF) != 0 || !name ||
	    !is_made_of(name, LETTERS ".-:", NAME_MAX_SIZE))
		forget(l);
	else
		tell(l, strstr(line, OWN_POLICY) ? BUS_OWN : BUS_LOOK_UP, name);
}

static void take_line(struct bus_log *l, char *line)
{
	if (skip(&line, NOT_FOR))
		take_argument(l, line);
	else if (*line != '*')
		take_message(l, line);
	else if (l->name && (skip(&line, "*HIDDEN*") || skip(&line, "*DENIED*")))
		tell(l, BUS_CALL, l->name);
}

static void add(struct bus_log *l, const char *data, size_t size)
{
	l->too_long = l->too_long || l->line.size + size > LINE_MAX_KEPT || memchr(data, 0, size);
	if (!l->too_long)
		buf_add(&l->line, data, size);
}

void bus_log_take(struct bus_log *l, const char *data, size_t size)
{
	const char *end = data + size, *stop;

	while ((stop = memchr(data, '\n', (size_t)(end - data)))) {
		_cleanup_free_ char *line = NULL;
		bool whole;

		add(l, data, (size_t)(stop - data));
		whole = !l->too_long;
		line = buf_take(&l->line);
		l->too_long = false;
		if (whole)
			take_line(l, line);
		else
			forget(l);
		data = stop + 1;
	}
	add(l, data, (size_t)(end - data));
}
