#include "app/desktop-entry.h"

#include <string.h>

#include "base/strv.h"
#include "base/text.h"

#define GROUP "[Desktop Entry]"

struct raw_entry {
	char *exec;
	char *name;
	bool hidden; /* or in need of a terminal */
};

static void raw_entry_release(struct raw_entry *r)
{
	free(r->exec);
	free(r->name);
}

/* The value of a line `key=value`, with blanks around the '='; NULL for any other line. */
static const char *value_of(const char *line, const char *key)
{
	size_t n = strlen(key);

	if (strncmp(line, key, n) != 0)
		return NULL;
	line += n;
	line += strspn(line, " \t");
	return *line == '=' ? line + 1 + strspn(line + 1, " \t") : NULL;
}

static void take_line(struct raw_entry *r, const char *line)
{
	static const char *const hiding[] = { "Hidden", "NoDisplay", "Terminal" };
	const char *value = value_of(line, "Exec");

	if (value && !r->exec)
		r->exec = xstrdup(value);
	value = value_of(line, "Name");
	if (value && !r->name)
		r->name = xstrdup(value);
	for (size_t i = 0; i < ARRAY_SIZE(hiding); i++) {
		value = value_of(line, hiding[i]);
		r->hidden |= value && !strncmp(value, "true", 4);
	}
}

static void read_group(const char *text, struct raw_entry *ret)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy, *line;
	bool inside = false;

	while ((line = strsep(&rest, "\n"))) {
		line[strcspn(line, "\r")] = '\0';
		if (*line == '[')
			inside = !strncmp(line, GROUP, strlen(GROUP));
		else if (inside)
			take_line(ret, line);
	}
}

/* Words with quotes or escapes are rare, and not worth a second grammar. */
static bool split_command(char *exec, struct desktop_entry *ret)
{
	char *state, *word;

	if (strpbrk(exec, "\"'\\`$") || !text_is_clean(exec))
		return false;
	for (word = strtok_r(exec, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
		if (*word == '%') {
			ret->takes_files |= word[1] && strchr("fFuU", word[1]);
			continue;
		}
		if (strchr(word, '%'))
			return false;
		strv_add(&ret->command, word);
	}
	return ret->command && *ret->command[0] != '-';
}

bool desktop_entry_read(const char *text, struct desktop_entry *ret)
{
	_cleanup_(raw_entry_release) struct raw_entry raw = { 0 };
	struct desktop_entry e = { 0 };

	read_group(text, &raw);
	if (!raw.exec || raw.hidden || !split_command(raw.exec, &e)) {
		desktop_entry_release(&e);
		return false;
	}
	if (raw.name && *raw.name && text_is_clean(raw.name))
		e.name = TAKE_PTR(raw.name);
	*ret = e;
	return true;
}

void desktop_entry_release(struct desktop_entry *e)
{
	strv_free(e->command);
	free(e->name);
	*e = (struct desktop_entry){ 0 };
}
