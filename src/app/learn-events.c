#include "app/learn-events.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"

#define SHOWN_MAX 300U

static const char *const kinds[] = {
	[LEARN_CALL] = "call",
	[LEARN_CONNECT] = "connect",
	[LEARN_EXECUTE] = "execute",
	[LEARN_WRITE] = "write",
	[LEARN_WORD] = "word",
	[LEARN_ADDRESS] = "address",
	[LEARN_BUS_CALL] = "bus-call",
	[LEARN_BUS_OWN] = "bus-own",
	[LEARN_BUS_LOOK] = "bus-look-up",
	[LEARN_LIMIT] = "limit",
	[LEARN_LOST] = "lost",
};

static void event_release(struct learn_event *e)
{
	char *const texts[] = { e->program, e->target, e->word, e->call, e->line, e->rule };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(texts[i]);
	*e = (struct learn_event){ 0 };
}

void learn_events_release(struct learn_events *e)
{
	for (size_t i = 0; i < e->n; i++)
		event_release(&e->list[i]);
	free(e->list);
	*e = (struct learn_events){ 0 };
}

/* --- reading ----------------------------------------------------------------- */

/* A text that must be there, if `needed`. False: it is none. */
static bool take_text(const json_t *object, const char *key, bool needed, char **ret)
{
	const json_t *value = json_object_get(object, key);

	if (!value || json_is_null(value))
		return !needed;
	if (!json_is_string(value) || json_string_length(value) > 4 * WATCH_TEXT_MAX ||
	    !text_is_clean(json_string_value(value)))
		return false;
	*ret = xstrdup(json_string_value(value));
	return true;
}

/* "0x", hexadecimal digits. */
static bool read_number(const json_t *value, uint64_t *ret)
{
	const char *text = json_string_value(value);

	if (!text || strncmp(text, "0x", 2) || !text[2] || strlen(text + 2) > 16 ||
	    strspn(text + 2, "0123456789abcdef") != strlen(text + 2))
		return false;
	*ret = 0;
	for (text += 2; *text; text++)
		*ret = *ret << 4 |
		       (uint64_t)(isdigit((unsigned char)*text) ? *text - '0' : *text - 'a' + 10);
	return true;
}

static bool take_call(const json_t *object, struct learn_event *e)
{
	const json_t *arguments = json_object_get(object, "arguments"),
		     *compared = json_object_get(object, "compared");

	if (!take_text(object, "call", true, &e->call) ||
	    !take_text(object, "line", false, &e->line) ||
	    !take_text(object, "rule", false, &e->rule) ||
	    json_array_size(arguments) != WATCH_CALL_ARGS ||
	    json_array_size(compared) > WATCH_CALL_ARGS)
		return false;
	for (size_t i = 0; i < WATCH_CALL_ARGS; i++)
		if (!read_number(json_array_get(arguments, i), &e->arguments[i]))
			return false;
	for (size_t i = 0; i < json_array_size(compared); i++) {
		json_int_t which = json_integer_value(json_array_get(compared, i));

		if (which < 0 || which >= (json_int_t)WATCH_CALL_ARGS)
			return false;
		e->compared |= 1U << which;
	}
	e->denied = json_is_true(json_object_get(object, "denied"));
	return true;
}

static bool is_of_bus(enum learn_kind kind)
{
	return kind == LEARN_BUS_CALL || kind == LEARN_BUS_OWN || kind == LEARN_BUS_LOOK;
}

static bool take_event(const json_t *object, struct learn_event *e)
{
	bool named = e->kind != LEARN_CALL && e->kind != LEARN_LOST;

	e->missing = json_is_true(json_object_get(object, "missing"));
	return take_text(object, "program", false, &e->program) &&
	       take_text(object, "target", named, &e->target) &&
	       take_text(object, "word", false, &e->word) &&
	       (!is_of_bus(e->kind) || take_text(object, "call", true, &e->call)) &&
	       (e->kind != LEARN_CALL || take_call(object, e));
}

static enum learn_kind kind_of(const json_t *object)
{
	const char *name = json_string_value(json_object_get(object, "event"));
	enum learn_kind kind = 0;

	while (kind < LEARN_MAX && (!name || strcmp(kinds[kind], name)))
		kind++;
	return kind;
}

static int read_line(const char *line, size_t size, struct learn_events *ret, struct error **err)
{
	json_auto_t *object = size <= LEARN_LINE_MAX ? json_loadb(line, size, 0, NULL) : NULL;
	struct learn_event e = { .kind = kind_of(object) };

	if (!json_is_object(object) || !json_is_string(json_object_get(object, "event")))
		return error_set(err, EINVAL, "no event");
	if (e.kind == LEARN_MAX)
		return 0;
	if (ret->n == LEARN_EVENTS_MAX)
		return error_set(err, E2BIG, "more than %u events", LEARN_EVENTS_MAX);
	if (!take_event(object, &e)) {
		event_release(&e);
		return error_set(err, EINVAL, "not as an event of this kind is");
	}
	ret->list = xreallocarray(ret->list, ret->n + 1, sizeof *ret->list);
	ret->list[ret->n++] = e;
	return 0;
}

int learn_events_read(const char *text, size_t size, const char *file, struct learn_events *ret,
		      struct error **err)
{
	const char *end = text + size;

	for (unsigned line = 1; text < end; line++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));

		/* A run that was killed leaves half a line. */
		if (!stop)
			return 0;
		if (read_line(text, (size_t)(stop - text), ret, err) < 0)
			return error_prefix(err, "%s:%u", file, line);
		text = stop + 1;
	}
	return 0;
}

/* --- words ------------------------------------------------------------------- */

/* Escaped, and short enough for a line. Owned by the caller. */
static char *shown(const char *text)
{
	return text_escape(text ? text : "?", SHOWN_MAX);
}

static char *describe_call(const struct learn_event *e, const char *program)
{
	_cleanup_free_ char *call = shown(e->call), *line = shown(e->line), *rule = shown(e->rule);
	_cleanup_buf_ struct buf text = { 0 };

	buf_addf(&text, "%s: %s", program, call);
	for (unsigned i = 0; i < WATCH_CALL_ARGS; i++)
		if (e->compared & 1U << i)
			buf_addf(&text, " arg%u 0x%" PRIx64, i, e->arguments[i]);
	if (e->rule)
		buf_addf(&text, " (%s: %s)", line, rule);
	else
		buf_adds(&text, " (no rule allows it)");
	return buf_take(&text);
}

char *learn_event_describe(const struct learn_event *e)
{
	_cleanup_free_ char *program = shown(e->program), *target = shown(e->target),
			    *word = shown(e->word), *call = shown(e->call);

	switch (e->kind) {
	case LEARN_CALL:
		return describe_call(e, program);
	case LEARN_CONNECT:
		return xasprintf("%s: connects to %s%s", program, target,
				 e->missing ? ", which is not there" : "");
	case LEARN_EXECUTE:
		return xasprintf("%s: executes '%s', which lies where nothing can be executed",
				 program, target);
	case LEARN_WRITE:
		return xasprintf("%s: opens '%s' for writing, where the command line names '%s'",
				 program, target, word);
	case LEARN_WORD:
		return xasprintf("the command line names the file '%s'", target);
	case LEARN_ADDRESS:
		return xasprintf("the command line names the address '%s'", target);
	case LEARN_BUS_CALL:
		return xasprintf("the application calls '%s' of '%s' on the desktop's D-Bus", call,
				 target);
	case LEARN_BUS_OWN:
		return xasprintf("the application wants the name '%s' on the desktop's D-Bus",
				 target);
	case LEARN_BUS_LOOK:
		return xasprintf("the application asks for '%s' on the desktop's D-Bus (%s)",
				 target, call);
	case LEARN_LIMIT:
		return xasprintf("the limit of %s was reached", target);
	default:
		return xstrdup("more happened than was recorded");
	}
}

static json_t *own_event(enum learn_kind kind, const char *target)
{
	_cleanup_free_ char *escaped = text_escape(target, WATCH_TEXT_MAX);

	return json_pack("{s:s, s:s}", "event", kinds[kind], "target", escaped);
}

json_t *learn_word_to_json(const char *path)
{
	return own_event(LEARN_WORD, path);
}

json_t *learn_address_to_json(const char *address)
{
	return own_event(LEARN_ADDRESS, address);
}

json_t *learn_limit_to_json(const char *limit)
{
	return own_event(LEARN_LIMIT, limit);
}

int learn_written_file(char *const *files, const char *path)
{
	const char *name = strrchr(path, '/');

	for (int i = 0; files && files[i]; i++) {
		const char *its = strrchr(files[i], '/');

		if (!strcmp(files[i], path))
			return i;
		if (its - files[i] == name - path && strstr(name + 1, its + 1) &&
		    !strstr(name + 1, "lock") && !strncmp(path, files[i], (size_t)(name - path)))
			return i;
	}
	return -1;
}
