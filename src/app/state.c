#include "app/state.h"

#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "base/text.h"

#define STATE_FILE "state"
/* GATE_GRANTS_MAX times two paths of PATH_MAX bytes, each byte escaped as six. */
#define STATE_FILE_MAX (64U << 20)

static const char *const names[STATE_MAX] = {
	[STATE_STARTING] = "starting", [STATE_RUNNING] = "running", [STATE_DETACHED] = "detached",
	[STATE_HELD] = "held",	       [STATE_ENDING] = "ending",
};

char *state_time_now(void)
{
	time_t now = time(NULL);
	char text[32];
	struct tm tm;

	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	return xstrdup(text);
}

char *state_path_inside(const struct plan *p, const char *place)
{
	const struct box_plan *app = &p->boxes[BOX_APP];

	for (size_t i = 0; i < app->n_mounts; i++)
		if (app->mounts[i].source == MOUNT_GATE && !strcmp(app->mounts[i].name, place))
			return xstrdup(app->mounts[i].target);
	return gate_path_inside(app->home, place);
}

static json_t *path_to_json(const char *path)
{
	json_t *json = json_string(path);
	_cleanup_free_ char *shown = json ? NULL : text_escape(path, strlen(path));

	return json ? json : json_string(shown);
}

json_t *state_grant(const struct gate_entry *e, const char *inside)
{
	json_t *json = json_pack("{s:o, s:o, s:s, s:s}", "path", path_to_json(e->path), "inside",
				 path_to_json(inside), "access", gate_access_to_string(e->access),
				 "kind", e->directory ? "directory" : "file");

	if (json && e->limit != GATE_NO_LIMIT)
		(void)json_object_set_new(json, "limit", json_integer((json_int_t)e->limit));
	return json;
}

static json_t *grants_to_json(const struct plan *p, const struct gate_entry *grants)
{
	json_t *all = json_array();

	for (; grants && grants->path; grants++) {
		_cleanup_free_ char *inside = state_path_inside(p, grants->place);

		(void)json_array_append_new(all, state_grant(grants, inside));
	}
	return all;
}

static json_t *inits_to_json(const pid_t inits[BOX_KIND_MAX])
{
	json_t *all = json_object();

	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++)
		if (inits[k] > 0)
			(void)json_object_set_new(all, box_kind_to_string(k),
						  json_integer(inits[k]));
	return all;
}

/* Limits that the profile asks for and nothing here enforces; and AppArmor where there is none. */
static json_t *unenforced_to_json(const struct plan *p)
{
	const unsigned missing = p->limits.missing;
	json_t *all = json_array();

	for (enum limit l = 0; l < LIMIT_MAX; l++)
		if (missing & 1U << l)
			(void)json_array_append_new(all, json_string(limit_to_string(l)));
	if (!p->boxes[BOX_APP].floor)
		(void)json_array_append_new(all, json_string("apparmor"));
	return all;
}

int state_write(int dir, const struct plan *p, const struct state_now *now, struct error **err)
{
	json_auto_t *json = json_pack(
		"{s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:o, s:o, s:s?, s:o}",
		"id", p->id, "profile", p->profile, "image", p->image, "supervisor", (int)getpid(),
		"state", names[now->state], "started", now->started, "display",
		display_backend_to_string(p->display), "label", p->label, "sound", (int)p->playback,
		"network", network_mode_to_string(p->network), "ids",
		uid_mode_to_string(p->uid_mode), "home", home_mode_to_string(p->home), "grants",
		grants_to_json(p, now->grants), "inits", inits_to_json(now->inits), "cgroup",
		now->cgroup, "unenforced", unenforced_to_json(p));
	_cleanup_free_ char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	if (!text)
		return error_set(err, EINVAL, "the state of the sandbox cannot be written as JSON");
	return fs_write(dir, STATE_FILE, text, strlen(text), 0600, err);
}

int state_read(int dir, json_t **ret, struct error **err)
{
	_cleanup_free_ char *text = NULL;
	json_error_t problem;
	size_t size;
	json_t *json;
	int r;

	r = fs_read(dir, STATE_FILE, STATE_FILE_MAX, &text, &size, err);
	if (r < 0)
		return r;
	json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
	if (!json)
		return error_set(err, EINVAL, "state of a sandbox: line %d: %s", problem.line,
				 problem.text);
	*ret = json;
	return 0;
}
