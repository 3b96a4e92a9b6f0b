#include "cli/logs-denials.h"

#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/denial-owner.h"
#include "app/denials.h"
#include "app/registry.h"
#include "box/holder-protocol.h"
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

static void report_release(struct report *r)
{
	denial_owners_release(&r->owners);
	json_decref(r->all);
	free(r->id);
	close_fd(r->runtime);
}

static void print_text(struct report *r, const struct denial *d, const struct denial_owner *owner)
{
	time_t seconds = (time_t)(d->time_ms / 1000);
	_cleanup_free_ char *what = denial_describe(d), *line = NULL;
	char when[32] = "?";
	struct tm tm;

	if (d->time_ms)
		(void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
	line = xasprintf("%-20s %s%s%s %s\n", when, owner ? owner->id : "?", owner ? "/" : "",
			 owner ? box_kind_to_string(owner->kind) : "", what);
	r->status |= cli_print(line);
}

static void print_json(struct report *r, json_t *json)
{
	_cleanup_free_ char *text = json_dumps(json, JSON_COMPACT);
	_cleanup_free_ char *line = xasprintf("%s\n", text ? text : "{}");

	r->status |= cli_print(line);
	json_decref(json);
}

static json_t *to_json(const struct denial *d, const struct denial_owner *owner)
{
	json_t *json = denial_to_json(d);

	(void)json_object_set_new(json, "id", owner ? json_string(owner->id) : json_null());
	(void)json_object_set_new(
		json, "box", owner ? json_string(box_kind_to_string(owner->kind)) : json_null());
	return json;
}

static void on_denial(void *user, const struct denial *d)
{
	struct report *r = user;
	const struct denial_owner *owner = denial_owner_find(&r->owners, d);

	if (r->id ? !owner || strcmp(owner->id, r->id) != 0
		  : !owner && !denial_is_of_user(d, r->owners.uid, &r->sub_ids))
		return;
	if (r->lines)
		print_json(r, to_json(d, owner));
	else if (r->all)
		(void)json_array_append_new(r->all, to_json(d, owner));
	else
		print_text(r, d, owner);
}

/* Boxes come and go. */
static int look_again(struct report *r, struct error **err)
{
	denial_owners_release(&r->owners);
	return denial_owners_read(r->runtime, &r->owners, err);
}

/* Until the sandbox or the source ends. `supervisor` negative: there is no one sandbox. */
static int follow(struct report *r, struct denials *d, int supervisor, struct error **err)
{
	struct pollfd p[] = {
		{ .fd = denials_poll_fd(d), .events = POLLIN },
		{ .fd = supervisor, .events = POLLIN },
	};
	int done = 0;

	while (!done && r->status == EXIT_OK) {
		/* A box is still known when its last denials are told. */
		done = look_again(r, err);
		if (done >= 0)
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

static int print_all(struct report *r, struct denials *d, struct error **err)
{
	_cleanup_free_ char *text = NULL, *line = NULL;
	int done = look_again(r, err);

	if (done >= 0)
		done = denials_read(d, on_denial, r, err);
	if (done < 0)
		return done;
	if (r->all) {
		text = json_dumps(r->all, JSON_INDENT(2));
		line = xasprintf("%s\n", text ? text : "[]");
		r->status |= cli_print(line);
	}
	return 0;
}

static int show(struct report *r, const char *name, bool following, struct error **err)
{
	_cleanup_(denials_freep) struct denials *d = NULL;
	_cleanup_close_ int dir = -EBADF, supervisor = -EBADF;
	uint32_t first;
	int result;

	result = runtime_open(&r->runtime, err);
	if (result >= 0 && name)
		result = registry_open_named(name, &dir, &r->id, err);
	if (result >= 0 && name && following)
		result = registry_supervisor(dir, &supervisor, err);
	if (result >= 0)
		result = subid_find("/etc/subuid", HOLDER_IDS, &first, err);
	if (result >= 0)
		result = denials_open(following, &d, err);
	if (result < 0)
		return result;
	if (!r->lines && !r->all)
		fputs("vitrine: what a system call filter denies by an error is not logged: "
		      "'vitrine "
		      "run --trace' and 'vitrine profile learn' name it\n",
		      stderr);
	r->sub_ids = (struct id_range){ first, HOLDER_IDS };
	return following ? follow(r, d, supervisor, err) : print_all(r, d, err);
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
