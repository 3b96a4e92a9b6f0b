#include "session/desktop.h"

#include <string.h>

#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"

#define HELPER	     VITRINE_EXEC_DIR "/vitrine-windows"
#define XDOTOOL	     "/usr/bin/xdotool"
#define HELPER_MS    20000U
#define INPUT_MS     60000U
#define LIST_SIZE    (DESKTOP_WINDOWS_MAX * (4 * DESKTOP_TITLE_MAX + 128))
#define PICTURE_SIZE (3 * (size_t)DESKTOP_PIXELS_MAX + 64)
#define OUTPUT_SIZE  65536U

static char **display_env(void)
{
	static const char *const names[] = {
		"DISPLAY", "HOME", "LANG", "LC_ALL", "XAUTHORITY", NULL
	};

	return spawn_env(names);
}

/* Runs a program to its end; one that fails has said why in its first line. */
static int run(const struct patience *p, char *const *argv, size_t limit, uint32_t ms,
	       struct buf *ret, struct error **err)
{
	_cleanup_strv_ char **env = display_env();
	const struct spawn s = { .argv = argv, .env = env };
	const struct collect c = { .spawn = &s, .limit = limit, .ms = ms };
	_cleanup_buf_ struct buf out = { 0 };
	int status = 0, r;

	r = patience_collect(p, &c, &out, &status, err);
	if (r < 0)
		return r;
	if (status) {
		const char *said = out.data ? out.data : "";
		_cleanup_free_ char *shown = text_escape(said, strcspn(said, "\n"));

		return error_set(err, EIO, "%s: %s", strrchr(argv[0], '/') + 1,
				 *shown ? shown : "failed");
	}
	*ret = out;
	out = (struct buf){ 0 };
	return 0;
}

/* --- windows ---------------------------------------------------------------------------------- */

static bool next_number(const char **at, uint32_t *ret)
{
	const size_t n = strcspn(*at, " ");
	_cleanup_free_ char *word = xstrndup(*at, n);

	if ((*at)[n] != ' ')
		return false;
	*at += n + 1;
	return parse_u32(word, ret) == 0;
}

static bool read_window(const char *line, struct desktop_window *ret)
{
	struct desktop_window w = { 0 };
	uint32_t active;

	if (!next_number(&line, &w.id) || !next_number(&line, &w.pid) ||
	    !next_number(&line, &active) || active > 1 || !next_number(&line, &w.x) ||
	    !next_number(&line, &w.y) || !next_number(&line, &w.width) ||
	    !next_number(&line, &w.height) || !text_is_clean(line))
		return false;
	w.active = active;
	w.title = xstrdup(line);
	*ret = w;
	return true;
}

int desktop_windows_parse(const char *text, struct desktop_windows *ret, struct error **err)
{
	_cleanup_(desktop_windows_release) struct desktop_windows all = {
		.list = xcalloc(DESKTOP_WINDOWS_MAX, sizeof *all.list),
	};

	while (*text) {
		const size_t n = strcspn(text, "\n");
		_cleanup_free_ char *line = xstrndup(text, n);

		if (text[n] != '\n' || all.n == DESKTOP_WINDOWS_MAX ||
		    !read_window(line, &all.list[all.n]))
			return error_set(err, EINVAL, "not a list of windows");
		all.n++;
		text += n + 1;
	}
	*ret = all;
	all = (struct desktop_windows){ 0 };
	return 0;
}

int desktop_list(const struct patience *p, struct desktop_windows *ret, struct error **err)
{
	char *const argv[] = { (char *)HELPER, (char *)"list", NULL };
	_cleanup_buf_ struct buf out = { 0 };
	int r;

	r = run(p, argv, LIST_SIZE, HELPER_MS, &out, err);
	return r < 0 ? r : desktop_windows_parse(out.data ? out.data : "", ret, err);
}

void desktop_windows_release(struct desktop_windows *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->list[i].title);
	free(w->list);
	*w = (struct desktop_windows){ 0 };
}

/* --- pictures --------------------------------------------------------------------------------- */

static int take(const struct patience *p, const char *how, uint32_t window, struct buf *ret,
		struct error **err)
{
	_cleanup_free_ char *id = xasprintf("%u", window);
	char *const argv[] = { (char *)HELPER, (char *)how, id, NULL };

	return run(p, argv, PICTURE_SIZE, HELPER_MS, ret, err);
}

int desktop_picture(const struct patience *p, uint32_t window, struct picture *ret,
		    struct error **err)
{
	_cleanup_buf_ struct buf out = { 0 };
	int r;

	r = take(p, "pixels", window, &out, err);
	return r < 0 ? r : picture_parse(out.data, out.size, ret, err);
}

int desktop_png(const struct patience *p, uint32_t window, struct buf *ret, struct error **err)
{
	return take(p, "png", window, ret, err);
}

/* --- input ------------------------------------------------------------------------------------ */

int desktop_input(const struct patience *p, char *const *words, struct error **err)
{
	_cleanup_strv_ char **argv = NULL;
	_cleanup_buf_ struct buf out = { 0 };
	int r;

	strv_add(&argv, XDOTOOL);
	strv_add_all(&argv, words);
	r = run(p, argv, OUTPUT_SIZE, INPUT_MS, &out, err);
	if (r != -ENOENT)
		return r;
	*err = error_free(*err);
	return error_set(err, ENOENT, "xdotool is missing: apt install xdotool");
}
