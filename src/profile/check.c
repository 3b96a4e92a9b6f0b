#include "profile/check.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "base/text.h"
#include "profile/host-path.h"
#include "profile/specifier.h"
#include "profile/step.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS	"0123456789"

#define BUS_NAME_MAX	255
#define BUS_PATH_MAX	255
#define RULE_MAX	200
#define TITLE_MAX	63
#define WORD_MAX	64
#define KEPT_MAX	84
#define SCREEN_SIDE_MIN 64U
#define SCREEN_SIDE_MAX 16384U

static bool is_something(const char *s)
{
	return *s;
}

static bool is_argument(const char *s)
{
	return *s && specifiers_are_valid(s);
}

static bool is_colour(const char *s)
{
	return *s == '#' && strlen(s) == 7 && strspn(s + 1, "0123456789abcdef") == 6;
}

/* A leading '-' would be an option to any program that starts it. */
static bool is_command(const char *s)
{
	return *s == '/' ? s[1] != '\0' : *s && *s != '-' && !strchr(s, '/');
}

static bool is_screen_side(const char *s)
{
	uint32_t n;

	return parse_u32(s, &n) == 0 && n >= SCREEN_SIDE_MIN && n <= SCREEN_SIDE_MAX;
}

static bool is_screen(const char *s)
{
	_cleanup_free_ char *copy = xstrdup(s);
	char *x = strchr(copy, 'x');

	if (!x)
		return false;
	*x = '\0';
	return is_screen_side(copy) && is_screen_side(x + 1);
}

/* Stored under one name, in which a slash takes three bytes. */
static bool is_kept_path(const char *s)
{
	_cleanup_free_ char *absolute = xasprintf("/%s", s);

	return *s != '~' && strlen(s) <= KEPT_MAX && path_is_shortest(absolute);
}

/* It stands on every window: what reorders the text around it could make the label lie. */
static bool is_title(const char *s)
{
	_cleanup_free_ char *shown = text_escape(s, TITLE_MAX + 1);

	return *s && strlen(s) <= TITLE_MAX && !strcmp(shown, s);
}

static bool consists_of(const char *s, const char *characters, size_t limit)
{
	size_t n = strspn(s, characters);

	return n > 0 && n <= limit && !s[n];
}

/* Parts of a path: it must not lead elsewhere. */
static bool is_time_zone(const char *s)
{
	_cleanup_free_ char *absolute = xasprintf("/%s", s);

	return consists_of(s, LETTERS DIGITS "_+-/", WORD_MAX) && path_is_shortest(absolute);
}

static bool is_locale(const char *s)
{
	return consists_of(s, LETTERS DIGITS "_.@-", WORD_MAX);
}

/* Debian Policy, 5.6.7 */
static bool is_package(const char *s)
{
	return strlen(s) > 1 && strspn(s, "abcdefghijklmnopqrstuvwxyz" DIGITS) > 0 &&
	       consists_of(s, "abcdefghijklmnopqrstuvwxyz" DIGITS "+-.", WORD_MAX);
}

/* Letters only: what a rule means is known to emit/policy.h. */
static bool is_rule(const char *s)
{
	return consists_of(s, LETTERS DIGITS "_@- ", RULE_MAX);
}

/* Names of the D-Bus specification, "Valid Bus Names" and "Valid Member Names": elements between
 * dots, of which none begins with a digit; at least two. */
static bool is_bus_elements(const char *s, size_t n)
{
	size_t dots = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '.') {
			dots++;
			continue;
		}
		if (!strchr(LETTERS DIGITS "_-", s[i]) || s[i] == '\0')
			return false;
		if ((i == 0 || s[i - 1] == '.') && strchr(DIGITS, s[i]))
			return false;
	}
	return n > 0 && n <= BUS_NAME_MAX && dots > 0 && *s != '.' && s[n - 1] != '.' &&
	       !memmem(s, n, "..", 2);
}

/* "a.b", or "a.b.*" for it and all beneath. */
static bool is_bus_name(const char *s)
{
	size_t n = strlen(s);

	if (n > 2 && !strcmp(s + n - 2, ".*"))
		n -= 2;
	return is_bus_elements(s, n);
}

/* NAME=[METHOD][@PATH] of xdg-dbus-proxy(1). */
static bool is_bus_rule(const char *s)
{
	size_t name = strcspn(s, "="), member;
	const char *rule = s + name + (s[name] == '='), *path = strchr(rule, '@');

	member = path ? (size_t)(path - rule) : strlen(rule);
	if (member > 2 && !strncmp(rule + member - 2, ".*", 2))
		member -= 2;
	if (member && !(member == 1 && *rule == '*') && !is_bus_elements(rule, member))
		return false;
	return s[name] == '=' && is_bus_elements(s, name) && (member || path) &&
	       (!path || (path[1] == '/' && strlen(path + 1) <= BUS_PATH_MAX &&
			  strspn(path + 1, LETTERS DIGITS "_/*") == strlen(path + 1)));
}

static bool is_step(const char *s)
{
	_cleanup_(error_freep) struct error *ignored = NULL;

	return step_check(s, &ignored) >= 0;
}

/* LD_*: what the dynamic linker obeys is not for a profile to say. */
static bool is_variable(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return n > 0 && s[n] == '=' && !strchr("0123456789", *s) && strncmp(s, "LD_", 3) &&
	       specifiers_are_valid(s);
}

const struct text_check check_any = { is_something, "a text" };
const struct text_check check_argument = {
	is_argument,
	"an argument, with h, u, i or % after each %",
};
const struct text_check check_bus_name = {
	is_bus_name,
	"a name of D-Bus such as org.example.App or org.example.*",
};
const struct text_check check_bus_rule = {
	is_bus_rule,
	"NAME=METHOD@PATH such as org.example.App=org.example.App.Open@/org/example/App",
};
const struct text_check check_colour = { is_colour, "a colour such as #c02020" };
const struct text_check check_command = {
	is_command,
	"a program's name or an absolute path",
};
const struct text_check check_host_path = {
	host_path_is_valid,
	"a path such as ~/Music, %d (your downloads) or /srv/music",
};
const struct text_check check_kept_path = {
	is_kept_path,
	"a path beneath the home such as .config/xterm, of at most 84 bytes",
};
const struct text_check check_locale = { is_locale, "\"host\" or a locale such as C.UTF-8" };
const struct text_check check_package = { is_package, "the name of a Debian package" };
const struct text_check check_rule = {
	is_rule,
	"a system call, with conditions such as arg0 eq 1, or a set such as @timer",
};
const struct text_check check_step = {
	is_step,
	"a step such as 'key ctrl+s' or 'title *.txt'",
};
const struct text_check check_time_zone = {
	is_time_zone,
	"\"host\" or a time zone such as UTC or Europe/Berlin",
};
const struct text_check check_name = {
	name_is_valid,
	"a name of at most 63 characters a-z, 0-9 and -",
};
const struct text_check check_sample = {
	sample_name_is_valid,
	"the name of a sample file such as sample.pdf",
};
const struct text_check check_screen = {
	is_screen,
	"WIDTHxHEIGHT, each from 64 to 16384",
};
const struct text_check check_title = {
	is_title,
	"1 to 63 bytes of text that can be shown as it is",
};
const struct text_check check_variable = {
	is_variable,
	"NAME=VALUE with NAME of A-Z, 0-9 and _ and not LD_*, and h, u, i or % after each %",
};
