#include "image/sources.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/spawn.h"
#include "base/strv.h"
#include "image/names.h"

#define SOURCES_MAX (1U << 20) /* bytes of one file */
#define OPTIONS_MAX (1U << 20)
#define APT_CONFIG  "/usr/bin/apt-config"
#define WHITE_SPACE " \t"

/* Of a release: what is installed from it, what replaces that. */
static const char *const pockets[] = { "", "-updates", "-security", "/updates" };

/* Names that move from release to release. Servers have each release under its own name as well. */
static const char *const moving_suites[] = { "stable", "oldstable", "testing" };

/* What decides how servers are reached; nothing that says what is trusted or fetched. */
static const char *const network_options[] = {
	"Acquire::Check-Date", "Acquire::Check-Valid-Until",
	"Acquire::ForceIPv",   "Acquire::Max-",
	"Acquire::Retries",    "Acquire::http",
	"Acquire::socks",      "Acquire::tor",
};

/* Suites `from` and its pockets are taken, and named `to` instead. */
struct selection {
	const char *from;
	const char *to;
	struct buf list;
	struct buf deb822;
};

void sources_release(struct sources *s)
{
	free(s->list);
	free(s->deb822);
	strv_free(s->options);
	*s = (struct sources){ 0 };
}

/* The name under which a suite of the host is taken, or NULL. */
static char *taken_suite(const struct selection *sel, const char *suite)
{
	size_t n = strlen(sel->from);

	if (strncmp(suite, sel->from, n) != 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(pockets); i++)
		if (!strcmp(suite + n, pockets[i]))
			return xasprintf("%s%s", sel->to, suite + n);
	return NULL;
}

/* Can the keys be read? Fingerprints and keys in the text itself need no file. */
static bool has_keys(const char *signed_by)
{
	_cleanup_free_ char *copy = xstrdup(signed_by ? signed_by : "");
	char *state, *word;

	for (word = strtok_r(copy, ", \t\n", &state); word; word = strtok_r(NULL, ", \t\n", &state))
		if (*word == '/' && access(word, R_OK) < 0)
			return false;
	return true;
}

/* --- one-line format: deb [option=value ...] URI SUITE COMPONENT...
 * ------------------------------- */

static char *next_word(char **at)
{
	char *word = *at + strspn(*at, WHITE_SPACE);

	if (!*word)
		return NULL;
	*at = word + strcspn(word, WHITE_SPACE);
	if (**at)
		*(*at)++ = '\0';
	return word;
}

/* "[a=b c=d]", cut out of the line; an empty text where there is none. */
static char *next_options(char **at)
{
	char *options = *at + strspn(*at, WHITE_SPACE), *end = strchr(options, ']');

	if (*options != '[' || !end)
		return xstrdup("");
	*at = end + 1;
	return xstrndup(options + 1, (size_t)(end - options - 1));
}

static bool options_have_keys(const char *options)
{
	static const char name[] = "signed-by=";
	const char *value = strstr(options, name);
	_cleanup_free_ char *copy = NULL;

	if (!value)
		return true;
	value += strlen(name);
	copy = xstrndup(value, strcspn(value, WHITE_SPACE));
	return has_keys(copy);
}

static bool is_usable_uri(const char *uri)
{
	return strncmp(uri, "cdrom:", 6) != 0;
}

static void take_line(struct selection *sel, char *line)
{
	_cleanup_free_ char *options = NULL;
	_cleanup_free_ char *taken = NULL;
	const char *type, *uri, *suite;
	char *at = line;

	line[strcspn(line, "#")] = '\0';
	type = next_word(&at);
	if (!type || strcmp(type, "deb") != 0)
		return;
	options = next_options(&at);
	uri = next_word(&at);
	suite = uri ? next_word(&at) : NULL;
	if (!suite || !is_usable_uri(uri) || !options_have_keys(options))
		return;
	taken = taken_suite(sel, suite);
	if (!taken || !strstr(at, "main"))
		return;
	buf_addf(&sel->list, "deb %s%s%s%s %s %s\n", *options ? "[" : "", options,
		 *options ? "] " : "", uri, taken, at);
}

static void take_list(struct selection *sel, char *text)
{
	char *state, *line;

	for (line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		take_line(sel, line);
}

/* --- deb822 format: stanzas of "Field: value", continued by lines that start with a space
 * --------- */

/* The value of a field, or NULL. */
static const char *field(char *const *stanza, const char *name)
{
	size_t n = strlen(name);

	for (; stanza && *stanza; stanza++)
		if (!strncasecmp(*stanza, name, n) && (*stanza)[n] == ':')
			return *stanza + n + 1;
	return NULL;
}

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = text; p && (p = strstr(p, word)); p += n)
		if ((p == text || strchr(" \t\n", p[-1])) && strchr(" \t\n", p[n]))
			return true;
	return false;
}

static char *taken_suites(const struct selection *sel, const char *suites)
{
	_cleanup_free_ char *copy = xstrdup(suites);
	_cleanup_strv_ char **taken = NULL;
	char *state, *word;

	for (word = strtok_r(copy, " \t\n", &state); word; word = strtok_r(NULL, " \t\n", &state)) {
		char *name = taken_suite(sel, word);

		if (name)
			strv_take(&taken, name);
	}
	return taken ? strv_join(taken, " ") : NULL;
}

static void take_stanza(struct selection *sel, char *const *stanza)
{
	const char *suites = field(stanza, "Suites"), *enabled = field(stanza, "Enabled");
	const char *uris = field(stanza, "URIs");
	_cleanup_free_ char *taken = suites ? taken_suites(sel, suites) : NULL;

	if (!taken || !uris || strstr(uris, "cdrom:") || (enabled && has_word(enabled, "no")) ||
	    !has_word(field(stanza, "Types"), "deb") ||
	    !has_word(field(stanza, "Components"), "main") || !has_keys(field(stanza, "Signed-By")))
		return;
	buf_addf(&sel->deb822, "Types: deb\nSuites: %s\n", taken);
	for (; *stanza; stanza++)
		if (strncasecmp(*stanza, "Types:", 6) && strncasecmp(*stanza, "Suites:", 7))
			buf_addf(&sel->deb822, "%s\n", *stanza);
	buf_adds(&sel->deb822, "\n");
}

static void take_deb822(struct selection *sel, char *text)
{
	_cleanup_strv_ char **stanza = NULL;
	char *line = text;

	while (line) {
		char *end = strchr(line, '\n'), *next = end ? end + 1 : NULL;
		size_t n = strv_length(stanza);

		if (end)
			*end = '\0';
		if (!line[strspn(line, WHITE_SPACE)]) {
			if (stanza)
				take_stanza(sel, stanza);
			stanza = strv_free(stanza);
		} else if (n && strchr(WHITE_SPACE, *line)) {
			char *longer = xasprintf("%s\n%s", stanza[n - 1], line);

			free(stanza[n - 1]);
			stanza[n - 1] = longer;
		} else if (*line != '#') {
			strv_add(&stanza, line);
		}
		line = next;
	}
	if (stanza)
		take_stanza(sel, stanza);
}

/* --- files
 * ---------------------------------------------------------------------------------------- */

static bool is_sources(const char *name)
{
	return name_has_suffix(name, ".list") || name_has_suffix(name, ".sources");
}

/* A file that cannot be read is somebody else's, and must not break the distribution's. */
static void take_file(struct selection *sel, int dir, const char *name)
{
	struct error *error = NULL;
	_cleanup_free_ char *text = NULL;

	if (fs_read(dir, name, SOURCES_MAX, &text, NULL, &error) < 0)
		error_free(error);
	else if (name_has_suffix(name, ".list"))
		take_list(sel, text);
	else
		take_deb822(sel, text);
}

static void take_dir(struct selection *sel, const char *path)
{
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_strv_ char **names = NULL;
	struct error *error = NULL;

	if (dir >= 0 && names_in(dir, ".", is_sources, &names, &error) < 0)
		error_free(error); /* as above */
	for (char **name = names; name && *name; name++)
		take_file(sel, dir, *name);
}

static bool take_all(struct selection *sel, const char *from, const char *apt_dir)
{
	_cleanup_free_ char *parts = xasprintf("%s/sources.list.d", apt_dir);
	_cleanup_free_ char *list = xasprintf("%s/sources.list", apt_dir);

	sel->from = from;
	take_file(sel, AT_FDCWD, list);
	take_dir(sel, parts);
	return sel->list.size || sel->deb822.size;
}

int sources_read(const char *apt_dir, const char *suite, const char *host_suite,
		 struct sources *ret, struct error **err)
{
	struct selection sel = { .to = suite };
	bool found = take_all(&sel, suite, apt_dir);

	if (!found && host_suite)
		found = take_all(&sel, host_suite, apt_dir);
	for (size_t i = 0; i < ARRAY_SIZE(moving_suites) && !found && host_suite; i++)
		found = take_all(&sel, moving_suites[i], apt_dir);
	if (!found)
		return error_set(err, ENOENT,
				 "no package source in %s offers the suite '%s': "
				 "give the name that is used there with --suite",
				 apt_dir, suite);
	*ret = (struct sources){
		.list = sel.list.size ? buf_take(&sel.list) : NULL,
		.deb822 = sel.deb822.size ? buf_take(&sel.deb822) : NULL,
	};
	return 0;
}

/* Lines read `Name "value";`. Empty values only make lists; a quote inside would not read back. */
static bool is_network_option(const char *line)
{
	const char *value = strchr(line, '"');
	size_t n = strlen(line);

	if (!value || n < 3 || strcmp(line + n - 2, "\";") || value[1] == '"' ||
	    strchr(value + 1, '"') != line + n - 2)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(network_options); i++)
		if (!strncasecmp(line, network_options[i], strlen(network_options[i])))
			return true;
	return false;
}

int sources_read_options(struct sources *s, struct error **err)
{
	char *const argv[] = { (char *)APT_CONFIG, (char *)"dump", NULL };
	const struct spawn apt = { .argv = argv };
	_cleanup_free_ char *output = NULL;
	char *state, *line;
	int r, status;

	r = spawn_collect(&apt, OPTIONS_MAX, &output, &status, err);
	if (r < 0)
		return r;
	if (status != 0)
		return error_set(
			err, EINVAL,
			"'apt-config dump' fails: the configuration in /etc/apt is broken");
	for (line = strtok_r(output, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		if (is_network_option(line))
			strv_add(&s->options, line);
	return 0;
}

int sources_host_suite(char **ret, struct error **err)
{
	static const char name[] = "VERSION_CODENAME=";
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = open("/etc/os-release", O_RDONLY | O_CLOEXEC); /* often a link */
	char *state, *line;
	int r;

	if (fd < 0)
		return error_errno(err, "cannot open /etc/os-release");
	r = fs_read_fd(fd, SOURCES_MAX, &text, NULL, err);
	if (r < 0)
		return error_prefix(err, "/etc/os-release");
	for (line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
		char *value = line + strlen(name);

		if (strncmp(line, name, strlen(name)) != 0)
			continue;
		value += strspn(value, "\"'");
		value[strcspn(value, "\"'")] = '\0';
		*ret = xstrdup(value);
		return 0;
	}
	return error_set(
		err, ENOENT,
		"/etc/os-release does not name this system's suite: give one with --suite");
}
