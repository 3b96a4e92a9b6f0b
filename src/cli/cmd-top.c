#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "app/registry.h"
#include "app/state.h"
#include "app/usage.h"
#include "base/buf.h"
#include "base/loop.h"
#include "base/parse.h"
#include "base/strv.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/screen.h"

#define ONCE_MS	      500 /* between the two readings that processor time is taken from */
#define DELAY_SECONDS 2
#define DELAY_MAX     3600U

/* One sandbox in one reading. */
struct row {
	char *id;
	json_t *state;
	struct usage usage;
	uint64_t time_us; /* when it was read */
	double cpu;	  /* percent of one processor since the reading before */
};

struct reading {
	struct row *rows;
	size_t n;
};

static void reading_release(struct reading *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->rows[i].id);
		json_decref(r->rows[i].state);
	}
	free(r->rows);
	*r = (struct reading){ 0 };
}

static pid_t process_of(const json_t *number)
{
	json_int_t pid = json_integer_value(number);

	return pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

/* One that ends meanwhile is left out. */
static void read_one(int runtime, const char *id, struct processes *p, struct reading *to)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_close_ int dir = -EBADF;
	struct usage_subject subject = { .id = id };
	struct row row = { 0 };

	if (registry_open(runtime, id, &dir, &ignored) < 0 ||
	    state_read(dir, &row.state, &ignored) < 0)
		return;
	subject.cgroup = json_string_value(json_object_get(row.state, "cgroup"));
	subject.supervisor = process_of(json_object_get(row.state, "supervisor"));
	subject.init = process_of(json_object_get(json_object_get(row.state, "inits"), "app"));
	row.time_us = now_us();
	if (usage_read(&subject, p, &row.usage, &ignored) < 0) {
		json_decref(row.state);
		return;
	}
	row.id = xstrdup(id);
	to->rows = xreallocarray(to->rows, to->n + 1, sizeof *to->rows);
	to->rows[to->n++] = row;
}

/* `wanted` NULL: all. */
static int take_reading(int runtime, char *const *wanted, struct reading *ret, struct error **err)
{
	_cleanup_(processes_release) struct processes p = { 0 };
	_cleanup_strv_ char **ids = NULL;
	int r;

	r = registry_list(runtime, &ids, err);
	if (r < 0)
		return r;
	for (char **id = ids; id && *id; id++)
		if (!wanted || strv_contains(wanted, *id))
			read_one(runtime, *id, &p, ret);
	return 0;
}

static const struct row *find_row(const struct reading *r, const char *id)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->rows[i].id, id))
			return &r->rows[i];
	return NULL;
}

/* By processor time, and where that is the same by name. */
static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? 1 : -1;
	return strcmp(x->id, y->id);
}

/* Fills in what has happened since the reading before, and takes the place of that. */
static void advance(struct reading *before, struct reading *now)
{
	for (size_t i = 0; i < now->n; i++) {
		struct row *row = &now->rows[i];
		const struct row *old = find_row(before, row->id);

		if (old)
			row->cpu = usage_cpu_percent(&old->usage, &row->usage,
						     row->time_us - old->time_us);
	}
	if (now->n)
		qsort(now->rows, now->n, sizeof *now->rows, compare_rows);
	reading_release(before);
	*before = *now;
	*now = (struct reading){ 0 };
}

/* --- output ------------------------------------------------------------------------------------
 */

/* The figures, as they are named in JSON and headed in the table. */
static const struct figure {
	const char *name;
	const char *title; /* NULL: not in the table */
	size_t offset;	   /* of the uint64_t in struct usage */
	bool bytes;
} figures[] = {
	/* clang-format off */
	{ "cpu_us", NULL, offsetof(struct usage, cpu_us), false },
	{ "memory", "MEMORY", offsetof(struct usage, memory), true },
	{ "memory_limit", NULL, offsetof(struct usage, memory_limit), true },
	{ "tasks", "TASKS", offsetof(struct usage, tasks), false },
	{ "disk", "DISK", offsetof(struct usage, disk), true },
	{ "disk_limit", NULL, offsetof(struct usage, disk_limit), true },
	{ "io_read", "READ", offsetof(struct usage, io_read), true },
	{ "io_written", "WRITE", offsetof(struct usage, io_written), true },
	{ "received", "RECV", offsetof(struct usage, received), true },
	{ "sent", "SENT", offsetof(struct usage, sent), true },
	/* clang-format on */
};

static uint64_t value_of(const struct usage *u, const struct figure *f)
{
	uint64_t value;

	memcpy(&value, (const char *)u + f->offset, sizeof value);
	return value;
}

static char *show_value(const struct usage *u, const struct figure *f)
{
	uint64_t value = value_of(u, f);

	if (value == USAGE_UNKNOWN)
		return xstrdup("-");
	return f->bytes ? usage_show_bytes(value) : xasprintf("%ju", (uintmax_t)value);
}

static char *render_table(const struct reading *r)
{
	struct buf text = { 0 };

	buf_addf(&text, "%-20s %6s", "ID", "CPU%");
	for (size_t f = 0; f < ARRAY_SIZE(figures); f++)
		if (figures[f].title)
			buf_addf(&text, " %6s", figures[f].title);
	buf_adds(&text, "\n");
	for (size_t i = 0; i < r->n; i++) {
		buf_addf(&text, "%-20s %6.1f", r->rows[i].id, r->rows[i].cpu);
		for (size_t f = 0; f < ARRAY_SIZE(figures); f++) {
			_cleanup_free_ char *shown = show_value(&r->rows[i].usage, &figures[f]);

			if (figures[f].title)
				buf_addf(&text, " %6s", shown);
		}
		buf_adds(&text, "\n");
	}
	return buf_take(&text);
}

static json_t *row_to_json(const struct row *row)
{
	const char *profile = json_string_value(json_object_get(row->state, "profile"));
	json_t *json = json_pack("{s:s, s:s?, s:s, s:f}", "id", row->id, "profile", profile,
				 "source", row->usage.cgroup ? "cgroup" : "processes",
				 "cpu_percent", row->cpu);

	for (size_t f = 0; json && f < ARRAY_SIZE(figures); f++) {
		uint64_t value = value_of(&row->usage, &figures[f]);

		(void)json_object_set_new(json, figures[f].name,
					  value > INT64_MAX ? json_null()
							    : json_integer((json_int_t)value));
	}
	return json;
}

static int print_json(const struct reading *r)
{
	json_auto_t *all = json_array();
	_cleanup_free_ char *text = NULL, *line = NULL;

	for (size_t i = 0; i < r->n; i++)
		(void)json_array_append_new(all, row_to_json(&r->rows[i]));
	text = json_dumps(all, JSON_INDENT(2));
	line = xasprintf("%s\n", text ? text : "[]");
	return cli_print(line);
}

static int print_table(const struct reading *r)
{
	_cleanup_free_ char *text = render_table(r);

	return cli_print(text);
}

/* --- once, or again and again ------------------------------------------------------------------
 */

static int read_twice(int runtime, char *const *wanted, struct reading *ret, struct error **err)
{
	const struct timespec pause = { .tv_nsec = ONCE_MS * 1000000L };
	struct reading now = { 0 };
	int r;

	r = take_reading(runtime, wanted, ret, err);
	if (r < 0)
		return r;
	(void)nanosleep(&pause, NULL);
	r = take_reading(runtime, wanted, &now, err);
	if (r < 0)
		return r;
	advance(ret, &now);
	return 0;
}

static int print_once(int runtime, char *const *wanted, bool json)
{
	_cleanup_(reading_release) struct reading r = { 0 };
	struct error *error = NULL;

	if (read_twice(runtime, wanted, &r, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	return json ? print_json(&r) : print_table(&r);
}

static int watch_rounds(struct screen *s, int runtime, char *const *wanted, unsigned milliseconds,
			struct reading *shown, struct error **err)
{
	enum screen_event event = SCREEN_TIME;
	/* The first figures are there soon. */
	unsigned wait = ONCE_MS;

	while (event != SCREEN_QUIT) {
		_cleanup_(reading_release) struct reading now = { 0 };
		_cleanup_free_ char *text = NULL;
		int r = 0;

		if (event == SCREEN_TIME) {
			r = take_reading(runtime, wanted, &now, err);
			if (r < 0)
				return r;
			advance(shown, &now);
		}
		text = render_table(shown);
		r = screen_draw(s, text, err);
		if (r >= 0)
			r = screen_wait(s, wait, &event, err);
		if (r < 0)
			return r;
		if (event == SCREEN_TIME)
			wait = milliseconds;
	}
	return 0;
}

static int watch(int runtime, char *const *wanted, unsigned milliseconds)
{
	_cleanup_(reading_release) struct reading shown = { 0 };
	struct error *error = NULL;
	struct screen s;
	int r = screen_start(&s, &error);

	if (r < 0)
		return cli_fail(error, EXIT_FAILED);
	r = watch_rounds(&s, runtime, wanted, milliseconds, &shown, &error);
	screen_end(&s);
	if (r < 0)
		return cli_fail(error, EXIT_FAILED);
	return s.signal ? 128 + s.signal : EXIT_OK;
}

static int find_all(int runtime, char *const *names, char ***ret_ids, struct error **err)
{
	_cleanup_strv_ char **ids = NULL;

	for (; *names; names++) {
		char *id;
		int r = registry_find(runtime, *names, &id, err);

		if (r < 0)
			return r;
		strv_take(&ids, id);
	}
	*ret_ids = TAKE_PTR(ids);
	return 0;
}

static int run(int argc, char **argv)
{
	bool json = false, once = false;
	const char *delay = NULL;
	const struct option_row rows[] = {
		{ .name = "delay",
		  .value = "SECONDS",
		  .help = "how often the screen is drawn anew",
		  .text = &delay },
		{ .name = "json", .help = "an array of objects, for programs", .flag = &json },
		{ .name = "once", .help = "print a table and end", .flag = &once },
		{ 0 },
	};
	_cleanup_close_ int runtime = -EBADF;
	_cleanup_strv_ char **wanted = NULL;
	struct error *error = NULL;
	uint32_t seconds = DELAY_SECONDS;
	int first = options_parse(&cmd_top, rows, argc, argv);

	if (first < 0)
		return options_status(first);
	if (delay && (parse_u32(delay, &seconds) < 0 || !seconds || seconds > DELAY_MAX))
		return cli_usage(&cmd_top, "--delay takes 1 to %u seconds", DELAY_MAX);
	if (runtime_open(&runtime, &error) < 0 ||
	    find_all(runtime, argv + first, &wanted, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	if (json || once || !screen_is_there())
		return print_once(runtime, wanted, json);
	return watch(runtime, wanted, seconds * 1000);
}

const struct command cmd_top = {
	.name = "top",
	.arguments = "[ID...]",
	.summary = "Show what the running sandboxes use",
	.run = run,
};
