#include "cli/logs-denials.h"

#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>

#include "app/bus-denial.h"
#include "app/denial-owner.h"
#include "app/denials.h"
#include "app/registry.h"
#include "box/holder-protocol.h"
#include "base/strv.h"
#include "base/subid.h"
#include "cli/cli.h"

/* What is shown, and how. */
struct report {
	int runtime;
	char *id; /* of the only sandbox; NULL: all */
	struct id_range sub_ids;
	bool lines;  /* an object in each line; otherwise an array, or text where that is NULL */
	json_t *all; /* the array */
	struct denial_owners owners;
	int status; /* of writing */
};

/* What one sandbox was denied on the desktop's bus, as far as that was told. */
struct bus_report {
	struct report *r;
	const char *id;
	int dir;
	size_t offset;
};

static void report_release(struct report *r)
{
	denial_owners_release(&r->owners);
	json_decref(r->all);
	free(r->id);
	close_fd(r->runtime);
}

static void print_text(struct report *r, uint64_t time_ms, const char *whose, const char *what)
{
	time_t seconds = (time_t)(time_ms / 1000);
	_cleanup_free_ char *line = NULL;
	char when[32] = "?";
	struct tm tm;

	if (time_ms)
		(void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
	line = xasprintf("%-20s %s %s\n", when, whose, what);
	r->status |= cli_print(line);
}

/* Takes the object over. `id` and `box` may be NULL. */
static void print_json(struct report *r, json_t *json, const char *id, const char *box)
{
	_cleanup_free_ char *text = NULL, *line = NULL;

	(void)json_object_set_new(json, "id", id ? json_string(id) : json_null());
	(void)json_object_set_new(json, "box", box ? json_string(box) : json_null());
	if (r->all) {
		(void)json_array_append_new(r->all, json);
		return;
	}
	text = json_dumps(json, JSON_COMPACT);
	line = xasprintf("%s\n", text ? text : "{}");
	r->status |= cli_print(line);
	json_decref(json);
}

static void on_denial(void *user, const struct denial *d)
{
	struct report *r = user;
	const struct denial_owner *owner = denial_owner_find(&r->owners, d);
	const char *id = owner ? owner->id : NULL;
	const char *box = owner ? box_kind_to_string(owner->kind) : NULL;
	_cleanup_free_ char *whose = NULL, *what = NULL;

	if (r->id ? !owner || strcmp(owner->id, r->id) != 0
		  : !owner && !denial_is_of_user(d, r->owners.uid, &r->sub_ids))
		return;
	if (r->lines || r->all) {
		print_json(r, denial_to_json(d), id, box);
		return;
	}
	whose = owner ? xasprintf("%s/%s", id, box) : xstrdup("?");
	what = denial_describe(d);
	print_text(r, d->time_ms, whose, what);
}

static void on_bus_denial(void *user, const json_t *object, const char *text)
{
	const struct bus_report *b = user;
	json_int_t time_ms = json_integer_value(json_object_get(object, "time_ms"));
	_cleanup_free_ char *whose = xasprintf("%s/app", b->id);

	if (b->r->lines || b->r->all)
		print_json(b->r, json_deep_copy(object), b->id, box_kind_to_string(BOX_APP));
	else
		print_text(b->r, time_ms > 0 ? (uint64_t)time_ms : 0, whose, text);
}

static int read_bus(struct bus_report *b, struct error **err)
{
	return bus_denials_read(b->dir, &b->offset, on_bus_denial, b, err);
}

/* Boxes come and go. */
static int look_again(struct report *r, struct error **err)
{
	denial_owners_release(&r->owners);
	return denial_owners_read(r->runtime, &r->owners, err);
}

static int watch_bus(int dir, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	_cleanup_free_ char *path = xasprintf("/proc/self/fd/%d", dir);

	if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE | IN_ONLYDIR) < 0)
		return error_errno(err, "cannot watch the sandbox");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static void drain(int fd)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	while (fd >= 0 && read(fd, events, sizeof events) > 0)
		;
}

/* Until the sandbox or the source ends. `d` NULL: there are no denials of AppArmor; `bus` NULL and
 * `supervisor` negative: there is no one sandbox. */
static int follow(struct report *r, struct denials *d, struct bus_report *bus, int supervisor,
		  struct error **err)
{
	_cleanup_close_ int changes = -EBADF;
	int done = bus ? watch_bus(bus->dir, &changes, err) : 0;
	struct pollfd p[] = {
		{ .fd = d ? denials_poll_fd(d) : -1, .events = POLLIN },
		{ .fd = supervisor, .events = POLLIN },
		{ .fd = changes, .events = POLLIN },
	};

	if (done < 0)
		return done;
	while (!done && r->status == EXIT_OK) {
		/* A box is still known when its last denials are told. */
		done = look_again(r, err);
		drain(changes);
		if (done >= 0 && bus)
			done = read_bus(bus, err);
		if (done >= 0 && d)
			done = denials_read(d, on_denial, r, err);
		if (done < 0)
			return done;
		if (p[1].revents)
			break;
		if (!done && poll(p, ARRAY_SIZE(p), -1) < 0)
			return error_errno(err, "cannot wait for denials");
	}
	return 0;
}

/* Sandboxes that end meanwhile are left out. */
static int read_every_bus(struct report *r, struct error **err)
{
	_cleanup_strv_ char **ids = NULL;
	int result = registry_list(r->runtime, &ids, err);

	for (char **id = ids; result >= 0 && id && *id; id++) {
		_cleanup_(error_freep) struct error *gone = NULL;
		_cleanup_close_ int dir = -EBADF;
		struct bus_report bus = { .r = r, .id = *id };

		if (registry_open(r->runtime, *id, &dir, &gone) < 0)
			continue;
		bus.dir = dir;
		result = read_bus(&bus, err);
	}
	return result;
}

static int print_all(struct report *r, struct denials *d, struct bus_report *bus,
		     struct error **err)
{
	_cleanup_free_ char *text = NULL, *line = NULL;
	int done = look_again(r, err);

	if (done >= 0 && d)
		done = denials_read(d, on_denial, r, err);
	if (done >= 0)
		done = bus ? read_bus(bus, err) : read_every_bus(r, err);
	if (done < 0)
		return done;
	if (r->all) {
		text = json_dumps(r->all, JSON_INDENT(2));
		line = xasprintf("%s\n", text ? text : "[]");
		r->status |= cli_print(line);
	}
	return 0;
}

/* Without AppArmor there are none of its denials, and of one sandbox, or so far, nothing is
 * missing.
 */
static int open_denials(bool following, bool of_one, struct denials **ret, struct error **err)
{
	_cleanup_(error_freep) struct error *none = NULL;
	int r = denials_open(following, ret, &none);

	if (r == -EOPNOTSUPP && (of_one || !following)) {
		fprintf(stderr, "vitrine: %s\n", none->message);
		return 0;
	}
	return r < 0 ? error_move(err, TAKE_PTR(none)) : 0;
}

static int show(struct report *r, const char *name, bool following, struct error **err)
{
	_cleanup_(error_freep) struct error *unreadable = NULL;
	_cleanup_(denials_freep) struct denials *d = NULL;
	_cleanup_close_ int dir = -EBADF, supervisor = -EBADF;
	struct bus_report bus = { .r = r };
	uint32_t first;
	int result;

	result = runtime_open(&r->runtime, err);
	if (result >= 0 && name)
		result = registry_open_named(name, &dir, &r->id, err);
	if (result >= 0 && name && following)
		result = registry_supervisor(dir, &supervisor, err);
	if (result >= 0)
		result = subid_find("/etc/subuid", HOLDER_IDS, &first, err);
	if (result < 0)
		return result;
	r->sub_ids = (struct id_range){ first, HOLDER_IDS };
	bus.id = r->id;
	bus.dir = dir;
	/* What can be told is told, before the error. */
	if (open_denials(following, name, &d, &unreadable) < 0)
		following = false;
	else if (!r->lines && !r->all)
		fputs("vitrine: what a system call filter denies by an error is not logged: "
		      "'vitrine "
		      "run --trace' and 'vitrine profile learn' name it\n",
		      stderr);
	result = following ? follow(r, d, name ? &bus : NULL, supervisor, err)
			   : print_all(r, d, name ? &bus : NULL, err);
	if (result >= 0 && unreadable)
		return error_move(err, TAKE_PTR(unreadable));
	return result;
}

int logs_denials(const char *name, bool json, bool following)
{
	_cleanup_(report_release) struct report r = {
		.runtime = -EBADF,
		.lines = json && following,
		.all = json && !following ? json_array() : NULL,
	};
	struct error *error = NULL;

	if (show(&r, name, following, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	return r.status;
}
