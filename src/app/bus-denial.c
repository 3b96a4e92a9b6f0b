#include "app/bus-denial.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "base/strv.h"
#include "base/text.h"
#include "profile/keys.h"

#define FILE_MAX (2U << 20) /* more than BUS_DENIALS_MAX lines can be */

struct bus_denials {
	int dir; /* borrowed */
	const struct profile *profile;
	int fd;
	char **known;
};

static const char *const operations[BUS_DEED_MAX] = {
	[BUS_CALL] = "dbus_call",
	[BUS_OWN] = "dbus_own",
	[BUS_LOOK_UP] = "dbus_look_up",
};

struct bus_denials *bus_denials_new(int dir, const struct profile *p)
{
	struct bus_denials *d = xmalloc(sizeof *d);

	*d = (struct bus_denials){ .dir = dir, .profile = p, .fd = -EBADF };
	return d;
}

struct bus_denials *bus_denials_free(struct bus_denials *d)
{
	if (!d)
		return NULL;
	close_fd(d->fd);
	strv_free(d->known);
	free(d);
	return NULL;
}

/* --- words ------------------------------------------------------------------- */

static bool has_rule_for(const struct profile *p, const char *name)
{
	size_t n = strlen(name);

	for (char **rule = p->bus_call; rule && *rule; rule++)
		if (!strncmp(*rule, name, n) && (*rule)[n] == '=')
			return true;
	return false;
}

/* Which line, or which default, has kept it back. Owned by the caller. */
static char *reason(const struct bus_blocked *b, const struct profile *p)
{
	const struct key *k = key_find("Bus", "Call");
	const struct profile_origin *o = &p->origins[key_index(k)];

	if (b->deed == BUS_OWN)
		return xasprintf("no Own= of [Bus] in profile '%s' gives this name", p->name);
	if (b->deed == BUS_CALL && has_rule_for(p, b->name) && o->file)
		return xasprintf("the Call= lines of [Bus] give other calls of it (%s:%u)", o->file,
				 o->line);
	return xasprintf("no key of [Bus] in profile '%s' gives this name", p->name);
}

char *bus_denial_describe(const struct bus_blocked *b, const struct profile *p)
{
	_cleanup_free_ char *why = reason(b, p), *text = NULL;

	if (b->deed == BUS_OWN)
		text = xasprintf("may not own '%s' on the desktop's D-Bus: %s", b->name, why);
	else if (b->deed == BUS_LOOK_UP)
		text = xasprintf("may not ask the desktop's D-Bus about '%s' (%s): %s", b->name,
				 b->member, why);
	else
		text = xasprintf("may not call '%s' of '%s' at '%s' on the desktop's D-Bus: %s",
				 b->member, b->name, b->path, why);
	return text_escape(text, strlen(text));
}

json_t *bus_denial_to_event(const struct bus_blocked *b)
{
	static const char *const events[BUS_DEED_MAX] = { "bus-call", "bus-own", "bus-look-up" };

	return json_pack("{s:s, s:s, s:s, s:s}", "event", events[b->deed], "target", b->name,
			 "call", b->member, "path", b->path);
}

/* --- the file ------------------------------------------------------------------ */

static uint64_t time_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A full disk loses lines, and no more. */
static void write_line(struct bus_denials *d, const struct bus_blocked *b)
{
	_cleanup_free_ char *text = bus_denial_describe(b, d->profile), *dumped = NULL,
			    *line = NULL;
	_cleanup_(error_freep) struct error *ignored = NULL;
	json_auto_t *object = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s}", "time_ms",
					(json_int_t)time_ms(), "operation", operations[b->deed],
					"name", b->name, "member", b->member, "path", b->path,
					"text", text);

	if (d->fd < 0)
		d->fd = openat(d->dir, BUS_DENIALS_FILE,
			       O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	dumped = json_dumps(object, JSON_COMPACT);
	if (d->fd < 0 || !dumped)
		return;
	line = xasprintf("%s\n", dumped);
	(void)fs_write_all(d->fd, line, strlen(line), &ignored);
}

bool bus_denials_add(struct bus_denials *d, const struct bus_blocked *b)
{
	_cleanup_free_ char *what = xasprintf("%d %s %s", b->deed, b->name, b->member);

	if (strv_contains(d->known, what) || strv_length(d->known) == BUS_DENIALS_MAX)
		return false;
	strv_add(&d->known, what);
	write_line(d, b);
	return true;
}

static void tell_line(const char *line, size_t size, bus_denial_fn *fn, void *user)
{
	json_auto_t *object = json_loadb(line, size, 0, NULL);
	_cleanup_free_ char *text = NULL;
	const char *value = json_string_value(json_object_get(object, "text"));

	if (!value)
		return;
	text = text_escape(value, strlen(value));
	(void)json_object_del(object, "text");
	fn(user, object, text);
}

int bus_denials_read(int dir, size_t *offset, bus_denial_fn *fn, void *user, struct error **err)
{
	_cleanup_free_ char *data = NULL;
	const char *line, *end;
	size_t size;
	int r = fs_read(dir, BUS_DENIALS_FILE, FILE_MAX, &data, &size, err);

	if (r == -ENOENT) {
		*err = error_free(*err);
		return 0;
	}
	if (r < 0)
		return r;
	for (line = data + *offset; *offset < size && (end = strchr(line, '\n')); line = end + 1) {
		tell_line(line, (size_t)(end - line), fn, user);
		*offset = (size_t)(end + 1 - data);
	}
	return 0;
}
