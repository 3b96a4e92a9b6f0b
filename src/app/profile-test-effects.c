#include <fcntl.h>
#include <string.h>

#include "app/keeping.h"
#include "app/profile-test-private.h"
#include "base/fs.h"
#include "base/text.h"
#include "session/recorder.h"

#define HOME_BYTES  (64ULL << 20)
#define SHOWN_MAX   160U
#define COLOUR_MASK 0xffffffU

typedef int look_fn(struct profile_test *t, const struct step *s, char **ret_why,
		    struct error **err);

static bool has_text(const char *data, size_t size, const char *text)
{
	return data && memmem(data, size, text, strlen(text));
}

/* --- windows ---------------------------------------------------------------------------------- */

static char *titles_of(const struct desktop_windows *all)
{
	_cleanup_buf_ struct buf text = { 0 };

	for (size_t i = 0; i < all->n; i++)
		buf_addf(&text, "%s'%.*s'", i ? ", " : "", (int)SHOWN_MAX, all->list[i].title);
	return all->n ? xasprintf("the windows are %s", text.data) : xstrdup("there is no window");
}

static int look_for_title(struct profile_test *t, const struct step *s, char **ret_why,
			  struct error **err)
{
	_cleanup_(desktop_windows_release) struct desktop_windows all = { 0 };
	int r;

	r = profile_test_windows(t, &all, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < all.n; i++) {
		if (!glob_matches(s->text, all.list[i].title))
			continue;
		if (s->verb == STEP_NO_TITLE) {
			*ret_why = titles_of(&all);
			return 0;
		}
		t->window = all.list[i].id;
		r = profile_test_activate(t, t->window, err);
		return r < 0 ? r : 1;
	}
	if (s->verb == STEP_TITLE)
		*ret_why = titles_of(&all);
	return s->verb == STEP_NO_TITLE;
}

/* Of the window that the last action was done to, even if another one is in front of it now. */
static int look_at_change(struct profile_test *t, const struct step *s, char **ret_why,
			  struct error **err)
{
	struct picture now = { 0 };
	uint32_t percent;
	int r;

	if (!t->before.rgb)
		return error_set(err, EINVAL, "nothing was done yet");
	r = desktop_picture(&t->patience, t->before_window, &now, err);
	if (r < 0)
		return r;
	percent = picture_difference(&t->before, &now);
	picture_release(&now);
	*ret_why = xasprintf("%u percent of the window changed, not %u", percent, s->number);
	return percent >= s->number;
}

static int look_for_colour(struct profile_test *t, const struct step *s, char **ret_why,
			   struct error **err)
{
	struct desktop_window w;
	struct picture now = { 0 };
	uint32_t percent;
	int r;

	r = profile_test_window(t, &w, err);
	if (r >= 0)
		r = desktop_picture(&t->patience, w.id, &now, err);
	if (r < 0)
		return r;
	percent = picture_share(&now, s->colour);
	picture_release(&now);
	*ret_why = xasprintf("%u percent of the window have this colour, not %u", percent,
			     s->number);
	return percent >= s->number;
}

/* --- files and sound -------------------------------------------------------------------------- */

static int read_file(int dir, const char *name, char **ret, size_t *ret_size, char **ret_why)
{
	_cleanup_(error_freep) struct error *error = NULL;

	if (fs_read(dir, name, TEST_FILE_MAX, ret, ret_size, &error) >= 0)
		return 1;
	*ret_why = xstrdup(error->message);
	return 0;
}

/* What is there from the start proves nothing. */
static int check_sample(const struct step *s, const char *data, size_t size, struct error **err)
{
	if (!s->changed && has_text(data, size, s->text))
		return error_set(err, EINVAL, "the sample '%s' has this text from the start",
				 s->name);
	return 0;
}

static int look_at_file(struct profile_test *t, const struct step *s, char **ret_why,
			struct error **err)
{
	_cleanup_free_ char *path = xasprintf(TEST_SAMPLES "/%s", s->name);
	_cleanup_free_ char *before = NULL, *now = NULL, *no_sample = NULL;
	size_t before_size = 0, size;
	int r;

	if (read_file(AT_FDCWD, path, &before, &before_size, &no_sample)) {
		r = check_sample(s, before, before_size, err);
		if (r < 0)
			return r;
	}
	if (!read_file(t->files, s->name, &now, &size, ret_why))
		return 0;
	if (s->changed) {
		*ret_why = xstrdup("it is as it was");
		return !before || size != before_size || memcmp(before, now, size) != 0;
	}
	*ret_why = xasprintf("its %zu bytes do not have this text", size);
	return has_text(now, size, s->text);
}

/* As `vitrine keep` copies it out. */
static int take_out(struct profile_test *t, const char *path, char **ret_why, struct error **err)
{
	_cleanup_(keeping_release) struct keeping k = KEEPING_NONE;
	_cleanup_free_ char *kept = NULL, *left_out = NULL;
	_cleanup_(error_freep) struct error *problem = NULL;
	int r;

	r = keeping_begin(&k, NULL, err);
	if (r < 0)
		return r;
	k.to = fcntl(t->kept, F_DUPFD_CLOEXEC, 0);
	k.force = true;
	k.bytes_max = HOME_BYTES;
	k.sandbox = t->id;
	if (keeping_keep(&k, path, &kept, &left_out, &problem) >= 0)
		return 1;
	*ret_why = xstrdup(problem->message);
	return 0;
}

static int look_at_home(struct profile_test *t, const struct step *s, char **ret_why,
			struct error **err)
{
	const char *slash = strrchr(s->name, '/');
	_cleanup_free_ char *now = NULL;
	size_t size;
	int r;

	r = take_out(t, s->name, ret_why, err);
	if (r <= 0 || !s->text)
		return r;
	if (!read_file(t->kept, slash ? slash + 1 : s->name, &now, &size, ret_why))
		return 0;
	*ret_why = xasprintf("its %zu bytes do not have this text", size);
	return has_text(now, size, s->text);
}

static int look_at_output(struct profile_test *t, const struct step *s, char **ret_why,
			  struct error **err)
{
	(void)err;
	for (size_t i = 0; i < ARRAY_SIZE(t->heard); i++)
		if (has_text(t->heard[i].head.data, t->heard[i].head.size, s->text))
			return 1;
	*ret_why = xstrdup("this text was not printed");
	return 0;
}

static int listen_for_sound(struct profile_test *t, const struct step *s, char **ret_why,
			    struct error **err)
{
	bool heard;
	int r;

	(void)s;
	r = sound_is_heard(&t->patience, profile_test_owns, t, &heard, err);
	if (r < 0)
		return r;
	*ret_why = xstrdup("there is silence");
	return heard;
}

static int look_at_exit(struct profile_test *t, const struct step *s, char **ret_why,
			struct error **err)
{
	int code;

	if (!profile_test_has_ended(t)) {
		*ret_why = xstrdup("the application runs on");
		return 0;
	}
	code = status_to_exit_code(t->status);
	if (code != (int)s->number)
		return error_set(err, ECHILD, "it ended with status %d, not %u", code, s->number);
	return 1;
}

/* ---------------------------------------------------------------------------------------------- */

static look_fn *const looks[STEP_VERB_MAX] = {
	[STEP_TITLE] = look_for_title,	 [STEP_NO_TITLE] = look_for_title,
	[STEP_CHANGED] = look_at_change, [STEP_SHOWS] = look_for_colour,
	[STEP_SOUND] = listen_for_sound, [STEP_FILE] = look_at_file,
	[STEP_HOME] = look_at_home,	 [STEP_OUTPUT] = look_at_output,
	[STEP_EXIT] = look_at_exit,
};

int profile_test_look(struct profile_test *t, const struct step *s, char **ret_why,
		      struct error **err)
{
	return looks[s->verb](t, s, ret_why, err);
}
