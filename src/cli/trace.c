#include "cli/trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "app/bus-denial.h"
#include "app/watch-text.h"
#include "base/fs.h"
#include "base/strv.h"

#define NAMED_MAX 20U

/* Whoever reads it may be gone, which is no reason to end the application. */
static void print(const struct trace *t, const char *line)
{
	_cleanup_(error_freep) struct error *ignored = NULL;

	(void)fs_write_all(t->fd, line, strlen(line), &ignored);
}

static void print_json(const struct trace *t, json_t *object)
{
	_cleanup_free_ char *text = json_dumps(object, JSON_COMPACT);
	_cleanup_free_ char *line = xasprintf("%s\n", text ? text : "{}");

	print(t, line);
	json_decref(object);
}

static void on_event(void *user, const struct watch_policy *p, const struct watch_event *e)
{
	struct trace *t = user;
	_cleanup_free_ char *text = watch_event_describe(p, e), *line = NULL, *call = NULL;

	if (t->json) {
		print_json(t, watch_event_to_json(p, e));
	} else {
		line = xasprintf("vitrine: trace: %s\n", text);
		print(t, line);
	}
	if (e->kind != WATCH_EVENT_CALL)
		return;
	call = watch_event_call(p, e);
	t->denied++;
	if (!strv_contains(t->calls, call))
		strv_add(&t->calls, call);
	if (!strv_contains(t->names, e->program))
		strv_add(&t->names, e->program);
}

static void on_bus(void *user, const struct profile *p, const struct bus_blocked *b)
{
	const struct trace *t = user;
	_cleanup_free_ char *text = bus_denial_describe(b, p), *line = NULL;

	line = xasprintf("vitrine: trace: the application %s\n", text);
	if (t->json)
		print_json(t, bus_denial_to_event(b));
	else
		print(t, line);
}

static void sum_up_in_json(const struct trace *t)
{
	json_t *calls = json_array();

	for (char **call = t->calls; call && *call; call++)
		(void)json_array_append_new(calls, json_string(*call));
	print_json(t, json_pack("{s:s, s:i, s:i, s:o}", "event", "end", "denied", t->denied,
				"programs", (int)strv_length(t->names), "calls", calls));
}

/* The last line: how much there was. */
static void on_ended(void *user)
{
	const struct trace *t = user;
	_cleanup_buf_ struct buf line = { 0 };
	size_t n = strv_length(t->calls), programs = strv_length(t->names);

	if (t->json) {
		sum_up_in_json(t);
		return;
	}
	if (!n) {
		print(t, "vitrine: trace: no system call was denied\n");
		return;
	}
	buf_addf(&line, "vitrine: trace: denied %zu call%s of %zu program%s:", n, n == 1 ? "" : "s",
		 programs, programs == 1 ? "" : "s");
	for (size_t i = 0; i < n && i < NAMED_MAX; i++)
		buf_addf(&line, "%s %s", i ? "," : "", t->calls[i]);
	buf_adds(&line, n > NAMED_MAX ? ", and more\n" : "\n");
	print(t, line.data);
}

int trace_open(struct trace *t, const char *file, bool json, struct error **err)
{
	*t = (struct trace){
		.watch = { .mode = WATCH_TRACE,
			   .event = on_event,
			   .bus = on_bus,
			   .ended = on_ended,
			   .user = t },
		.json = json,
	};
	t->fd = file ? open(file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC,
			    0600)
		     : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (t->fd < 0)
		return error_errno(err, "cannot write '%s'", file ? file : "standard error");
	return 0;
}

void trace_release(struct trace *t)
{
	strv_free(t->calls);
	strv_free(t->names);
	close_fd(t->fd);
}
