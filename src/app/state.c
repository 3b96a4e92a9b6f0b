#include "app/state.h"

#include <string.h>
#include <time.h>

#include "base/fs.h"

#define STATE_FILE     "state"
#define STATE_FILE_MAX 65536U

static const char *const names[STATE_MAX] = {
	[STATE_STARTING] = "starting",
	[STATE_RUNNING] = "running",
	[STATE_DETACHED] = "detached",
	[STATE_ENDING] = "ending",
};

char *state_time_now(void)
{
	time_t now = time(NULL);
	char text[32];
	struct tm tm;

	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	return xstrdup(text);
}

int state_write(int dir, const struct plan *p, enum sandbox_state state, const char *started,
		struct error **err)
{
	json_auto_t *json = json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:b, s:s, s:[]}",
				      "id", p->id, "profile", p->profile, "image", p->image,
				      "supervisor", (int)getpid(), "state", names[state], "started",
				      started, "display", display_backend_to_string(p->display),
				      "label", p->label, "sound", (int)p->playback, "network",
				      network_mode_to_string(p->network), "grants");
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
