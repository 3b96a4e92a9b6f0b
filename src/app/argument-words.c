#include "app/argument-words.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"

#define MARK_PATHS "@@"
#define MARK_URIS  "@@u"

/* RFC 3986: what may stand in a path as it is. */
#define URI_PLAIN                    \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789-._~/"

static bool has_scheme(const char *word)
{
	const char *c = word;

	while (isalnum((unsigned char)*c) || *c == '+' || *c == '-' || *c == '.')
		c++;
	return isalpha((unsigned char)*word) && *c == ':';
}

static bool has_file_scheme(const char *word)
{
	return !strncasecmp(word, "file:", 5);
}

static bool is_beneath(const char *word, const char *directory)
{
	size_t n = strlen(directory);

	return !strncmp(word, directory, n) && (!word[n] || word[n] == '/');
}

/* What is the system's own has the same meaning inside, and is never given: /dev/null, /proc/self.
 */
static bool is_of_system(const char *word)
{
	static const char *const directories[] = { "/dev", "/proc", "/sys" };

	if (!strcmp(word, "/"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (is_beneath(word, directories[i]))
			return true;
	return false;
}

static struct word read_uri(const char *word, bool marked)
{
	return (struct word){ .kind = WORD_URI, .marked = marked, .path = file_uri_to_path(word) };
}

static struct word read_path(const char *word, bool marked)
{
	return (struct word){ .kind = WORD_PATH, .marked = marked, .path = xstrdup(word) };
}

/* Behind a mark nothing is an option: desktops pass on whatever name a file has. */
static struct word read_marked(struct word_place *place, const char *word)
{
	if (!strcmp(word, MARK_PATHS)) {
		place->marked = false;
		return (struct word){ .kind = WORD_MARK };
	}
	if (place->uris && has_file_scheme(word))
		return read_uri(word, true);
	if (place->uris && has_scheme(word))
		return (struct word){ .kind = WORD_DATA };
	return read_path(word, true);
}

struct word word_read(struct word_place *place, const char *word)
{
	if (place->marked)
		return read_marked(place, word);
	if (!strcmp(word, MARK_PATHS) || !strcmp(word, MARK_URIS)) {
		place->marked = true;
		place->uris = !strcmp(word, MARK_URIS);
		return (struct word){ .kind = WORD_MARK };
	}
	if ((*word == '-' || *word == '+') && !place->behind_dashes) {
		place->behind_dashes = !strcmp(word, "--");
		return (struct word){ .kind = WORD_DATA };
	}
	if (has_file_scheme(word))
		return read_uri(word, false);
	if (!*word || has_scheme(word) || is_of_system(word))
		return (struct word){ .kind = WORD_DATA };
	return read_path(word, false);
}

void word_release(struct word *w)
{
	free(w->path);
	*w = (struct word){ 0 };
}

int word_place_end(const struct word_place *place, struct error **err)
{
	if (!place->marked)
		return 0;
	return error_set(err, EINVAL, "'%s' has no '%s' behind it",
			 place->uris ? MARK_URIS : MARK_PATHS, MARK_PATHS);
}

bool word_may_be_new(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	if (strspn(path, "0123456789") == strlen(path))
		return false;
	for (const char *c = path; *c; c++)
		if (iscntrl((unsigned char)*c))
			return false;
	return true;
}

static int digit_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* The byte that is written as %XX at s, or -1. */
static int encoded_byte(const char *s)
{
	int high = digit_value(s[1]), low = high < 0 ? -1 : digit_value(s[2]);

	return low < 0 ? -1 : high << 4 | low;
}

/* Behind "file:" and a host that is this one: there the path begins. */
static const char *skip_host(const char *s)
{
	static const char host[] = "localhost";

	if (s[0] != '/' || s[1] != '/')
		return s;
	s += 2;
	if (!strncasecmp(s, host, strlen(host)))
		s += strlen(host);
	return s;
}

char *file_uri_to_path(const char *uri)
{
	_cleanup_buf_ struct buf path = { 0 };
	const char *c, *end = file_uri_tail(uri);

	if (!has_file_scheme(uri))
		return NULL;
	c = skip_host(uri + strlen("file:"));
	if (*c != '/')
		return NULL;
	for (; c < end; c++) {
		char byte = *c;

		if (byte == '%') {
			int value = encoded_byte(c);

			if (value <= 0 || value == '/')
				return NULL;
			byte = (char)value;
			c += 2;
		}
		buf_add(&path, &byte, 1);
	}
	return buf_take(&path);
}

char *file_uri_from_path(const char *path)
{
	_cleanup_buf_ struct buf uri = { 0 };

	buf_adds(&uri, "file://");
	for (; *path; path++)
		if (strchr(URI_PLAIN, *path))
			buf_add(&uri, path, 1);
		else
			buf_addf(&uri, "%%%02X", (unsigned char)*path);
	return buf_take(&uri);
}

const char *file_uri_tail(const char *uri)
{
	return uri + strcspn(uri, "?#");
}
