#include "app/watch-text.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "emit/policy-text.h"

#define SHOWN_MAX 500U

static const char *const kinds[] = {
	[WATCH_EVENT_CALL] = "call",	   [WATCH_EVENT_CONNECT] = "connect",
	[WATCH_EVENT_EXECUTE] = "execute", [WATCH_EVENT_WRITE] = "write",
	[WATCH_EVENT_LOST] = "lost",
};

const char *watch_error_name(uint32_t error)
{
	const char *name = strerrorname_np((int)error);

	return name ? name : "an error";
}

char *watch_event_call(const struct watch_policy *p, const struct watch_event *e)
{
	const char *name = e->arch == p->arch ? watch_name(p, e->number) : NULL;

	if (name)
		return xstrdup(name);
	return xasprintf("number %u%s", e->number,
			 e->arch == p->arch ? "" : " of another architecture");
}

static const struct watch_rule *rule_of(const struct watch_policy *p, const struct watch_event *e)
{
	return e->rule && e->rule <= p->n ? &p->rules[e->rule - 1] : NULL;
}

/* The arguments that rules compare; which others a call has is not known here. */
static void add_arguments(const struct watch_policy *p, const struct watch_event *e,
			  struct buf *text)
{
	unsigned compared = e->arch == p->arch ? watch_arguments(p, e->number) : 0;
	const char *between = "";

	buf_adds(text, "(");
	for (unsigned i = 0; i < WATCH_CALL_ARGS; i++) {
		if (!(compared & 1U << i))
			continue;
		buf_addf(text, "%sarg%u 0x%" PRIx64, between, i, e->arguments[i]);
		between = ", ";
	}
	buf_adds(text, ")");
}

static void add_call(const struct watch_policy *p, const struct watch_event *e, struct buf *text)
{
	_cleanup_free_ char *call = watch_event_call(p, e);
	const struct watch_rule *rule = rule_of(p, e);
	_cleanup_free_ char *said = rule ? policy_rule_text(&rule->rule) : NULL;

	buf_adds(text, call);
	add_arguments(p, e, text);
	buf_addf(text, "%s: %s (%s%s%s)", e->answered ? "" : ", which went on",
		 watch_error_name(e->error), rule ? rule->origin : "", rule ? ": " : "",
		 said ? said : "no rule allows it");
}

char *watch_event_describe(const struct watch_policy *p, const struct watch_event *e)
{
	_cleanup_free_ char *program = text_escape(*e->program ? e->program : "?", SHOWN_MAX);
	_cleanup_free_ char *what = text_escape(e->text, SHOWN_MAX);
	_cleanup_buf_ struct buf text = { 0 };

	switch (e->kind) {
	case WATCH_EVENT_LOST:
		return xstrdup("more happened than is told");
	case WATCH_EVENT_CALL:
		buf_addf(&text, "%s: ", program);
		add_call(p, e, &text);
		break;
	case WATCH_EVENT_CONNECT:
		buf_addf(&text, "%s: connects to %s%s", program, what,
			 e->missing ? ", which is not there" : "");
		break;
	case WATCH_EVENT_EXECUTE:
		buf_addf(&text, "%s: executes '%s', where nothing can be executed", program, what);
		break;
	default:
		buf_addf(&text, "%s: opens '%s' for writing", program, what);
	}
	return buf_take(&text);
}

/* JSON has no bytes that are not UTF-8. */
static void set_text(json_t *object, const char *key, const char *text)
{
	_cleanup_free_ char *escaped = text_escape(text, WATCH_TEXT_MAX);

	(void)json_object_set_new(object, key, json_string(escaped));
}

static void set_call(const struct watch_policy *p, const struct watch_event *e, json_t *object)
{
	_cleanup_free_ char *call = watch_event_call(p, e);
	const struct watch_rule *rule = rule_of(p, e);
	_cleanup_free_ char *said = rule ? policy_rule_text(&rule->rule) : NULL;
	unsigned set = e->arch == p->arch ? watch_arguments(p, e->number) : 0;
	json_t *arguments = json_array(), *compared = json_array();

	for (size_t i = 0; i < WATCH_CALL_ARGS; i++) {
		_cleanup_free_ char *number = xasprintf("0x%" PRIx64, e->arguments[i]);

		(void)json_array_append_new(arguments, json_string(number));
		if (set & 1U << i)
			(void)json_array_append_new(compared, json_integer((json_int_t)i));
	}
	set_text(object, "call", call);
	(void)json_object_set_new(object, "arguments", arguments);
	(void)json_object_set_new(object, "compared", compared);
	set_text(object, "error", watch_error_name(e->error));
	(void)json_object_set_new(object, "denied", json_boolean(e->answered));
	(void)json_object_set_new(object, "line", rule ? json_string(rule->origin) : json_null());
	(void)json_object_set_new(object, "rule", said ? json_string(said) : json_null());
}

json_t *watch_event_to_json(const struct watch_policy *p, const struct watch_event *e)
{
	json_t *object = json_object();

	(void)json_object_set_new(object, "event", json_string(kinds[e->kind]));
	if (e->kind == WATCH_EVENT_LOST)
		return object;
	set_text(object, "program", e->program);
	(void)json_object_set_new(object, "pid", json_integer(e->pid));
	if (e->kind == WATCH_EVENT_CALL)
		set_call(p, e, object);
	else
		set_text(object, "target", e->text);
	if (e->kind == WATCH_EVENT_CONNECT)
		(void)json_object_set_new(object, "missing", json_boolean(e->missing));
	return object;
}
