#include "base/ini.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define QUOTE_MAX 64 /* bytes of a value that a message shows */

/* Shown to the user, so never as it is. */
static int refuse(struct error **err, const char *what, const char *text)
{
	_cleanup_free_ char *shown = text_escape(text, QUOTE_MAX);

	return error_set(err, EINVAL, "%s: '%s'", what, shown);
}

/* Letters and digits, as in every section and key there is. */
static bool is_word(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

	return n > 0 && !s[n];
}

/* Cuts spaces off both ends, in place. Other white space is a control character and refused. */
static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " ");
	n = strlen(s);
	while (n && s[n - 1] == ' ')
		s[--n] = '\0';
	return s;
}

struct reader {
	char *section;
	unsigned line;
	ini_fn *fn;
	void *user;
};

static int read_section(struct reader *reader, char *line, struct error **err)
{
	size_t n = strlen(line);

	if (line[n - 1] != ']')
		return refuse(err, "']' expected at the end of the line", line);
	line[n - 1] = '\0';
	if (!is_word(line + 1))
		return refuse(err, "not a section name", line + 1);
	free(reader->section);
	reader->section = xstrdup(line + 1);
	return reader->fn(reader->user,
			  &(struct ini_entry){ .section = reader->section, .line = reader->line },
			  err);
}

static int read_entry(const struct reader *reader, char *line, struct error **err)
{
	char *equals = strchr(line, '=');
	struct ini_entry e = { .section = reader->section, .line = reader->line };

	if (!equals)
		return refuse(err, "neither [Section] nor Key=value nor # comment", line);
	*equals = '\0';
	e.key = trim(line);
	e.value = trim(equals + 1);
	if (!is_word(e.key))
		return refuse(err, "not a key", e.key);
	if (!e.section)
		return error_set(err, EINVAL, "%s= stands before the first [Section]", e.key);
	return reader->fn(reader->user, &e, err);
}

static int read_line(struct reader *reader, char *line, struct error **err)
{
	line = trim(line);
	if (!*line || *line == '#')
		return 0;
	if (*line == '[')
		return read_section(reader, line, err);
	return read_entry(reader, line, err);
}

/* A copy of the line, which is text as we want it: checked before anything looks at a byte. */
static int copy_line(const char *start, size_t n, char **ret, struct error **err)
{
	_cleanup_free_ char *line = NULL;

	if (n > INI_LINE_MAX)
		return error_set(err, EINVAL, "line longer than %u bytes", INI_LINE_MAX);
	if (memchr(start, '\0', n))
		return error_set(err, EINVAL, "NUL byte");
	line = xstrndup(start, n);
	if (!text_is_plain(line))
		return refuse(err, "control character, change of direction or invalid UTF-8", line);
	*ret = TAKE_PTR(line);
	return 0;
}

static int read_lines(struct reader *reader, const char *text, size_t size, struct error **err)
{
	const char *end = text + size;

	for (reader->line = 1; text < end; reader->line++) {
		_cleanup_free_ char *line = NULL;
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((stop ? stop : end) - text);
		int r;

		r = copy_line(text, n, &line, err);
		if (r < 0)
			return r;
		r = read_line(reader, line, err);
		if (r < 0)
			return r;
		text = stop ? stop + 1 : end;
	}
	return 0;
}

int ini_read(const char *text, size_t size, const char *file, ini_fn *fn, void *user,
	     struct error **err)
{
	struct reader reader = { .fn = fn, .user = user };
	int r;

	if (size > INI_FILE_MAX)
		return error_set(err, EFBIG, "%s: larger than %u bytes", file, INI_FILE_MAX);
	r = read_lines(&reader, text, size, err);
	free(reader.section);
	return r < 0 ? error_prefix(err, "%s:%u", file, reader.line) : 0;
}
