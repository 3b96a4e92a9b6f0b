#include "session/recorder.h"

#include <string.h>

#include "base/loop.h"
#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"

#define PACTL	  "/usr/bin/pactl"
#define PAREC	  "/usr/bin/parec"
#define LIST_SIZE (4U << 20)
#define LIST_MS	  10000U
#define RECORD_MS 5000U
#define RATE	  8000U
#define RECORDED  (RATE * 2) /* one second of one channel */
#define LOUD	  200	     /* of 32768: far beneath any music, far above rounding */

static char **sound_env(void)
{
	static const char *const names[] = {
		"HOME", "PULSE_COOKIE", "PULSE_SERVER", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", NULL
	};
	char **env = spawn_env(names);

	strv_add(&env, "LC_ALL=C.UTF-8"); /* what is printed is read */
	return env;
}

/* "Sink Input #12" */
static bool read_index(const char *line, uint32_t *ret)
{
	static const char before[] = "Sink Input #";

	return !strncmp(line, before, strlen(before)) && parse_u32(line + strlen(before), ret) == 0;
}

/* "		application.process.id = "1234"" */
static bool read_pid(const char *line, uint32_t *ret)
{
	static const char before[] = "application.process.id = \"";
	_cleanup_free_ char *digits = NULL;

	line += strspn(line, " \t");
	if (strncmp(line, before, strlen(before)))
		return false;
	line += strlen(before);
	digits = xstrndup(line, strcspn(line, "\""));
	return parse_u32(digits, ret) == 0;
}

size_t sound_streams_parse(const char *text, struct sound_stream *ret)
{
	struct sound_stream now = { 0 };
	bool inside = false;
	size_t n = 0;

	while (*text && n < STREAMS_MAX) {
		const size_t size = strcspn(text, "\n");
		_cleanup_free_ char *line = xstrndup(text, size);

		if (read_index(line, &now.index)) {
			inside = true;
		} else if (inside && read_pid(line, &now.pid)) {
			ret[n++] = now;
			inside = false;
		}
		text += size + (text[size] == '\n');
	}
	return n;
}

bool samples_are_sound(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i + 1 < size; i += 2) {
		const int sample = (int16_t)(uint16_t)(data[i] | data[i + 1] << 8);

		if (sample > LOUD || sample < -LOUD)
			return true;
	}
	return false;
}

static int run(const struct patience *p, char *const *argv, const struct collect *how,
	       struct buf *ret, struct error **err)
{
	_cleanup_strv_ char **env = sound_env();
	const struct spawn s = { .argv = argv, .env = env };
	_cleanup_buf_ struct buf out = { 0 };
	struct collect c = *how;
	int status = 0, r;

	c.spawn = &s;
	r = patience_collect(p, &c, &out, &status, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		return error_set(err, ENOENT,
				 "pactl and parec are missing: apt install pulseaudio-utils");
	}
	if (r < 0)
		return r;
	if (status) {
		const char *said = out.data ? out.data : "";
		_cleanup_free_ char *shown = text_escape(said, strcspn(said, "\n"));

		return error_set(err, EIO, "%s: %s", argv[0], *shown ? shown : "failed");
	}
	*ret = out;
	out = (struct buf){ 0 };
	return 0;
}

/* A stream that has ended meanwhile gives nothing: that is silence. */
static int listen_to(const struct patience *p, uint32_t index, bool *ret, struct error **err)
{
	_cleanup_free_ char *stream = xasprintf("--monitor-stream=%u", index);
	_cleanup_free_ char *rate = xasprintf("--rate=%u", RATE);
	char *const argv[] = { (char *)PAREC,
			       (char *)"--raw",
			       stream,
			       rate,
			       (char *)"--format=s16le",
			       (char *)"--channels=1",
			       (char *)"--latency-msec=100",
			       NULL };
	const struct collect how = { .limit = RECORDED, .ms = RECORD_MS, .enough = true };
	_cleanup_buf_ struct buf out = { 0 };
	int r;

	r = run(p, argv, &how, &out, err);
	if (r == -EIO || (r == -ETIMEDOUT && now_ms() < p->deadline)) {
		*err = error_free(*err);
		return 0;
	}
	if (r < 0)
		return r;
	*ret = samples_are_sound((const uint8_t *)out.data, out.size);
	return 0;
}

int sound_is_heard(const struct patience *p, bool (*is_meant)(void *user, pid_t pid), void *user,
		   bool *ret, struct error **err)
{
	char *const argv[] = { (char *)PACTL, (char *)"list", (char *)"sink-inputs", NULL };
	const struct collect how = { .limit = LIST_SIZE, .ms = LIST_MS };
	struct sound_stream streams[STREAMS_MAX];
	_cleanup_buf_ struct buf out = { 0 };
	size_t n;
	int r;

	*ret = false;
	r = run(p, argv, &how, &out, err);
	if (r < 0)
		return r;
	n = sound_streams_parse(out.data ? out.data : "", streams);
	for (size_t i = 0; r >= 0 && !*ret && i < n; i++)
		if (is_meant(user, (pid_t)streams[i].pid))
			r = listen_to(p, streams[i].index, ret, err);
	return r < 0 ? r : 0;
}
