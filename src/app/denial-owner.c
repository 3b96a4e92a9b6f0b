#include "app/denial-owner.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "app/registry.h"
#include "app/state.h"
#include "app/usage-text.h"
#include "base/fs.h"
#include "base/parse.h"
#include "base/strv.h"

#define PROC_FILE_MAX 65536U
#define DEPTH_MAX     64 /* of a process below its init */
#define OWN_PROFILES  "vitrine-"

/* --- pure --------------------------------------------------------------------------------------
 */

int id_map_parse(const char *text, struct id_range **ret, size_t *ret_n)
{
	_cleanup_free_ char *copy = xstrdup(text);
	_cleanup_free_ struct id_range *ids = NULL;
	char *lines, *words;
	size_t n = 0;

	for (char *line = strtok_r(copy, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
		const char *inside = strtok_r(line, " ", &words);
		const char *outside = strtok_r(NULL, " ", &words);
		const char *count = strtok_r(NULL, " ", &words);
		struct id_range one;

		if (!inside || !outside || !count || strtok_r(NULL, " ", &words) ||
		    parse_u64(outside, &one.first) < 0 || parse_u64(count, &one.count) < 0)
			return -EINVAL;
		ids = xreallocarray(ids, n + 1, sizeof *ids);
		ids[n++] = one;
	}
	*ret = TAKE_PTR(ids);
	*ret_n = n;
	return 0;
}

static bool is_in(const struct id_range *r, uint64_t id)
{
	return id >= r->first && id - r->first < r->count;
}

uint64_t state_time_ms(const char *text)
{
	struct tm tm = { 0 };
	const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;
	time_t seconds = end && !*end ? timegm(&tm) : 0;

	return seconds > 0 ? (uint64_t)seconds * 1000 : 0;
}

bool denial_is_of_user(const struct denial *d, uint64_t uid, const struct id_range *sub_ids)
{
	bool own_profile = (d->profile && strstr(d->profile, OWN_PROFILES)) ||
			   (d->policy && strstr(d->policy, OWN_PROFILES));

	if (d->uid == DENIAL_NO_ID || d->uid == uid)
		return own_profile;
	return is_in(sub_ids, d->uid);
}

/* --- running boxes -----------------------------------------------------------------------------
 */

static bool read_proc(pid_t pid, const char *name, char **ret)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *path = xasprintf("/proc/%d/%s", (int)pid, name);

	return fs_read(AT_FDCWD, path, PROC_FILE_MAX, ret, NULL, &ignored) >= 0;
}

static void add_box(struct denial_owners *o, const char *id, enum box_kind kind, pid_t init,
		    uint64_t started_ms)
{
	struct denial_owner one = {
		.kind = kind,
		.init = init,
		.started_ms = started_ms,
	};
	_cleanup_free_ char *map = NULL;

	if (!read_proc(init, "uid_map", &map) || id_map_parse(map, &one.ids, &one.n_ids) < 0)
		return;
	one.id = xstrdup(id);
	o->v = xreallocarray(o->v, o->n + 1, sizeof *o->v);
	o->v[o->n++] = one;
}

static void add_sandbox(struct denial_owners *o, int runtime_dir, const char *id)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_close_ int dir = -EBADF;
	json_auto_t *state = NULL;
	const json_t *inits;
	uint64_t started_ms;

	if (registry_open(runtime_dir, id, &dir, &ignored) < 0 ||
	    state_read(dir, &state, &ignored) < 0)
		return;
	inits = json_object_get(state, "inits");
	started_ms = state_time_ms(json_string_value(json_object_get(state, "started")));
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++) {
		json_int_t pid = json_integer_value(json_object_get(inits, box_kind_to_string(k)));

		if (pid > 0 && pid <= INT32_MAX)
			add_box(o, id, k, (pid_t)pid, started_ms);
	}
}

int denial_owners_read(int runtime_dir, struct denial_owners *ret, struct error **err)
{
	_cleanup_strv_ char **ids = NULL;
	struct denial_owners o = { .uid = getuid() };
	int r;

	r = registry_list(runtime_dir, &ids, err);
	if (r < 0)
		return r;
	for (char **id = ids; id && *id; id++)
		add_sandbox(&o, runtime_dir, *id);
	*ret = o;
	return 0;
}

void denial_owners_release(struct denial_owners *o)
{
	for (size_t i = 0; i < o->n; i++) {
		free(o->v[i].id);
		free(o->v[i].ids);
	}
	free(o->v);
	*o = (struct denial_owners){ 0 };
}

static bool has_id(const struct denial_owner *o, uint64_t uid)
{
	for (size_t i = 0; i < o->n_ids; i++)
		if (is_in(&o->ids[i], uid))
			return true;
	return false;
}

/* Up from parent to parent, as far as an init of a box. */
static const struct denial_owner *find_by_process(const struct denial_owners *o, uint64_t pid)
{
	for (int depth = 0; depth < DEPTH_MAX && pid > 1 && pid <= INT32_MAX; depth++) {
		_cleanup_free_ char *text = NULL;
		struct process p;

		for (size_t i = 0; i < o->n; i++)
			if (o->v[i].init == (pid_t)pid)
				return &o->v[i];
		if (!read_proc((pid_t)pid, "stat", &text) || usage_parse_stat(text, &p) < 0)
			return NULL;
		pid = (uint64_t)p.parent;
	}
	return NULL;
}

const struct denial_owner *denial_owner_find(const struct denial_owners *o, const struct denial *d)
{
	const struct denial_owner *found = NULL;

	if (d->uid == DENIAL_NO_ID || d->uid == o->uid)
		found = find_by_process(o, d->pid);
	else
		for (size_t i = 0; i < o->n && !found; i++)
			if (has_id(&o->v[i], d->uid))
				found = &o->v[i];
	/* Before that the ids, or the number of the process, were somebody else's. */
	return found && (!d->time_ms || d->time_ms >= found->started_ms) ? found : NULL;
}
