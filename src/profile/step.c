#include "profile/step.h"

#include <string.h>

#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"

#define WAIT_MAX      60U
#define PERCENT_MAX   100U
#define PIXELS_MAX    16384U
#define KEY_MAX	      63U
#define NAME_MAX_STEP 127U

/* `rest` is what follows the verb. */
typedef bool words_fn(const char *rest, struct step *s);

/* Takes the first word off; spaces between words do not count. False: there is none. */
static bool next_word(const char **at, char **ret)
{
	size_t n;

	*at += strspn(*at, " \t");
	n = strcspn(*at, " \t");
	if (!n)
		return false;
	*ret = xstrndup(*at, n);
	*at += n;
	*at += strspn(*at, " \t");
	return true;
}

/* Names of keys as X has them, joined by '+': never an option, never a second word. */
static bool read_key(const char *rest, struct step *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_";
	const char *at = rest;

	for (;;) {
		size_t n = strspn(at, letters);

		if (!n)
			return false;
		at += n;
		if (!*at)
			break;
		if (*at++ != '+')
			return false;
	}
	if ((size_t)(at - rest) > KEY_MAX)
		return false;
	s->text = xstrdup(rest);
	return true;
}

static bool read_text(const char *rest, struct step *s)
{
	if (!*rest)
		return false;
	s->text = xstrdup(rest);
	return true;
}

static bool read_place(const char **at, struct step_place *ret)
{
	_cleanup_free_ char *word = NULL;
	size_t n;

	if (!next_word(at, &word))
		return false;
	n = strlen(word);
	ret->percent = word[n - 1] == '%';
	if (ret->percent)
		word[n - 1] = '\0';
	return parse_u32(word, &ret->n) == 0 && ret->n <= (ret->percent ? PERCENT_MAX : PIXELS_MAX);
}

static bool read_point(const char *rest, struct step *s)
{
	return read_place(&rest, &s->x) && read_place(&rest, &s->y) && !*rest;
}

static bool read_way(const char *rest, struct step *s)
{
	return read_place(&rest, &s->x) && read_place(&rest, &s->y) &&
	       read_place(&rest, &s->to_x) && read_place(&rest, &s->to_y) && !*rest;
}

static bool read_seconds(const char *rest, struct step *s)
{
	return parse_u32(rest, &s->number) == 0 && s->number > 0 && s->number <= WAIT_MAX;
}

static bool read_percent(const char *rest, struct step *s)
{
	if (!*rest) {
		s->number = 1;
		return true;
	}
	return parse_u32(rest, &s->number) == 0 && s->number > 0 && s->number <= PERCENT_MAX;
}

static bool read_hex(const char *s, uint32_t *ret)
{
	static const char digits[] = "0123456789abcdef";

	*ret = 0;
	for (size_t i = 0; i < 6; i++) {
		const char *digit = s[i] ? strchr(digits, s[i]) : NULL;

		if (!digit)
			return false;
		*ret = *ret << 4 | (uint32_t)(digit - digits);
	}
	return s[6] == '\0';
}

static bool read_colour(const char *rest, struct step *s)
{
	_cleanup_free_ char *word = NULL;

	return next_word(&rest, &word) && *word == '#' && read_hex(word + 1, &s->colour) &&
	       read_percent(rest, s);
}

/* "contains TEXT" */
static bool read_contains(const char *rest, struct step *s)
{
	_cleanup_free_ char *word = NULL;

	return next_word(&rest, &word) && !strcmp(word, "contains") && read_text(rest, s);
}

static bool read_file(const char *rest, struct step *s)
{
	if (!next_word(&rest, &s->name) || !sample_name_is_valid(s->name))
		return false;
	s->changed = !strcmp(rest, "changed");
	return s->changed || read_contains(rest, s);
}

/* Beneath the home, and said so that nothing else can be meant. */
static bool read_home(const char *rest, struct step *s)
{
	_cleanup_free_ char *absolute = NULL;

	if (!next_word(&rest, &s->name))
		return false;
	absolute = xasprintf("/%s", s->name);
	return *s->name != '~' && *s->name != '-' && path_is_shortest(absolute) &&
	       (!*rest || read_contains(rest, s));
}

static bool read_status(const char *rest, struct step *s)
{
	return !*rest || (parse_u32(rest, &s->number) == 0 && s->number <= 255);
}

static bool read_nothing(const char *rest, struct step *s)
{
	(void)s;
	return !*rest;
}

#define WINDOW	true
#define ANYTIME false

/* clang-format off */
static const struct {
	const char *name;
	enum step_role role;
	bool window;
	words_fn *read;
	const char *wanted;
} verbs[STEP_VERB_MAX] = {
	[STEP_KEY]          = { "key",          STEP_ACTION, WINDOW,  read_key,      "keys such as ctrl+s or Return" },
	[STEP_TYPE]         = { "type",         STEP_ACTION, WINDOW,  read_text,     "a text" },
	[STEP_CLICK]        = { "click",        STEP_ACTION, WINDOW,  read_point,    "X Y, each pixels or a percentage" },
	[STEP_DOUBLE_CLICK] = { "double-click", STEP_ACTION, WINDOW,  read_point,    "X Y, each pixels or a percentage" },
	[STEP_RIGHT_CLICK]  = { "right-click",  STEP_ACTION, WINDOW,  read_point,    "X Y, each pixels or a percentage" },
	[STEP_DRAG]         = { "drag",         STEP_ACTION, WINDOW,  read_way,      "X Y X Y, each pixels or a percentage" },
	[STEP_WAIT]         = { "wait",         STEP_PAUSE,  ANYTIME, read_seconds,  "1 to 60 seconds" },
	[STEP_TITLE]        = { "title",        STEP_EFFECT, WINDOW,  read_text,     "a title, in which * is any text" },
	[STEP_NO_TITLE]     = { "no-title",     STEP_EFFECT, WINDOW,  read_text,     "a title, in which * is any text" },
	[STEP_CHANGED]      = { "changed",      STEP_EFFECT, WINDOW,  read_percent,  "nothing, or a percentage of the window" },
	[STEP_SHOWS]        = { "shows",        STEP_EFFECT, WINDOW,  read_colour,   "a colour such as #c02020, and a percentage of the window" },
	[STEP_SOUND]        = { "sound",        STEP_EFFECT, ANYTIME, read_nothing,  "nothing" },
	[STEP_FILE]         = { "file",         STEP_EFFECT, ANYTIME, read_file,     "NAME contains TEXT, or NAME changed" },
	[STEP_HOME]         = { "home",         STEP_EFFECT, ANYTIME, read_home,     "PATH, or PATH contains TEXT" },
	[STEP_OUTPUT]       = { "output",       STEP_EFFECT, ANYTIME, read_contains, "contains TEXT" },
	[STEP_EXIT]         = { "exit",         STEP_EFFECT, ANYTIME, read_status,   "nothing, or an exit status" },
};
/* clang-format on */

enum step_role step_role(enum step_verb v)
{
	return verbs[v].role;
}

bool step_needs_window(enum step_verb v)
{
	return verbs[v].window;
}

static int refuse_verb(const char *verb, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(verb, NAME_LENGTH_MAX);
	_cleanup_strv_ char **names = NULL;
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		strv_add(&names, verbs[i].name);
	near = text_suggest(verb, names);
	if (near)
		return error_set(err, EINVAL, "unknown step '%s'; did you mean '%s'?", shown, near);
	return error_set(err, EINVAL, "unknown step '%s'", shown);
}

int step_read(const char *text, struct step *ret, struct error **err)
{
	_cleanup_free_ char *verb = NULL;
	const char *rest = text;
	struct step s = { 0 };

	if (!next_word(&rest, &verb))
		return error_set(err, EINVAL, "a step begins with a verb");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].name, verb))
			continue;
		s.verb = (enum step_verb)i;
		if (verbs[i].read(rest, &s)) {
			*ret = s;
			return 0;
		}
		step_release(&s);
		return error_set(err, EINVAL, "'%s' takes %s", verb, verbs[i].wanted);
	}
	return refuse_verb(verb, err);
}

void step_release(struct step *s)
{
	free(s->name);
	free(s->text);
}

int step_check(const char *text, struct error **err)
{
	struct step s;
	int r = step_read(text, &s, err);

	if (r >= 0)
		step_release(&s);
	return r;
}

/* --- all of a profile ------------------------------------------------------------------------- */

/* What a step needs and the profile does not give. */
static int check_needs(const struct profile *p, const struct step *s, struct error **err)
{
	if (!p->test_window && verbs[s->verb].window)
		return error_set(err, EINVAL, "needs Window=, the title to wait for");
	if (s->verb == STEP_SOUND && !p->playback)
		return error_set(err, EINVAL, "there is no sound without Playback=yes in [Sound]");
	if (s->verb == STEP_FILE && p->file_arguments != FILE_ARGUMENTS_READ_WRITE)
		return error_set(err, EINVAL,
				 "no file can change without Arguments=read-write in [Files]");
	return 0;
}

static bool needs_application(enum step_verb v)
{
	return verbs[v].window || v == STEP_SOUND || v == STEP_HOME || v == STEP_EXIT;
}

/* An effect that was looked for before anything was done may have been there all the time; so each
 * test needs one behind its last action. Where there are no windows the start is an action. */
static int check_order(const struct profile *p, const struct steps *steps, struct error **err)
{
	bool acted = !p->test_window, seen = false, ended = false;

	for (size_t i = 0; i < steps->n; i++) {
		const enum step_verb v = steps->list[i].verb;

		if (ended && needs_application(v))
			return error_set(err, EINVAL,
					 "[Test] Step=: '%s' after 'exit': nothing runs then",
					 verbs[v].name);
		if (verbs[v].role == STEP_ACTION) {
			acted = true;
			seen = false;
		}
		if (verbs[v].role == STEP_EFFECT)
			seen = acted;
		ended = ended || v == STEP_EXIT;
	}
	if (!acted)
		return error_set(err, EINVAL,
				 "[Test] does nothing: it needs a Step= such as 'key' or 'click'");
	if (!seen)
		return error_set(err, EINVAL,
				 "[Test] looks for no effect of its last action: add a Step= such "
				 "as 'title' or 'file'");
	return 0;
}

static int check_start(const struct profile *p, struct error **err)
{
	if (!strv_length(p->test_steps) && !p->test_window && !strv_length(p->test_files) &&
	    !strv_length(p->test_arguments))
		return error_set(err, ENOENT, "there is no [Test]");
	if (strv_length(p->test_files) && p->file_arguments == FILE_ARGUMENTS_NONE)
		return error_set(err, EINVAL, "[Test] File= needs Arguments= in [Files]");
	if (p->display == DISPLAY_NONE && p->test_window)
		return error_set(err, EINVAL,
				 "[Test] Window= cannot be with Backend=none in [Display]");
	return 0;
}

int steps_read(const struct profile *p, struct steps *ret, struct error **err)
{
	const size_t n = strv_length(p->test_steps);
	_cleanup_(steps_release) struct steps steps = {
		.list = xcalloc(n + 1, sizeof *steps.list),
	};
	int r;

	r = check_start(p, err);
	while (r >= 0 && steps.n < n) {
		const char *text = p->test_steps[steps.n];
		struct step *s = &steps.list[steps.n];

		r = step_read(text, s, err);
		if (r < 0)
			return error_prefix(err, "[Test] Step=%s", text);
		steps.n++;
		r = check_needs(p, s, err);
		if (r < 0)
			return error_prefix(err, "[Test] Step=%s", text);
	}
	if (r >= 0)
		r = check_order(p, &steps, err);
	if (r < 0)
		return r;
	*ret = steps;
	steps = (struct steps){ 0 };
	return 0;
}

void steps_release(struct steps *s)
{
	for (size_t i = 0; i < s->n; i++)
		step_release(&s->list[i]);
	free(s->list);
}

/* --- words ------------------------------------------------------------------------------------ */

/* A star that did not fit is stretched by one; only the last one ever needs to be. */
bool glob_matches(const char *glob, const char *text)
{
	const char *star = NULL, *from = NULL;

	while (*text) {
		if (*glob == '*') {
			star = glob++;
			from = text;
		} else if (*glob == *text) {
			glob++;
			text++;
		} else if (star) {
			glob = star + 1;
			text = ++from;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return !*glob;
}

bool sample_name_is_valid(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	return *s && *s != '.' && *s != '-' && strlen(s) <= NAME_MAX_STEP && !s[strspn(s, letters)];
}
