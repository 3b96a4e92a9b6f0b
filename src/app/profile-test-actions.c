#include "app/profile-test-private.h"
#include "base/strv.h"

#define TYPE_DELAY_MS "30" /* between letters: as fast as a person */
#define DRAG_PAUSE    "0.2"

static void add_all(char ***v, const char *const *words)
{
	for (; *words; words++)
		strv_add(v, *words);
}

static uint32_t pixels(const struct step_place *p, uint32_t length)
{
	const uint32_t n = p->percent ? (uint32_t)((uint64_t)length * p->n / 100) : p->n;

	return length && n >= length ? length - 1 : n;
}

static void add_move(char ***v, const struct desktop_window *w, const struct step_place *x,
		     const struct step_place *y)
{
	add_all(v, (const char *const[]){ "mousemove", "--window", NULL });
	strv_addf(v, "%u", w->id);
	strv_addf(v, "%u", pixels(x, w->width));
	strv_addf(v, "%u", pixels(y, w->height));
}

/* --- the words of xdotool(1) ------------------------------------------------------------------ */

typedef void words_fn(char ***v, const struct step *s, const struct desktop_window *w);

static void key_words(char ***v, const struct step *s, const struct desktop_window *w)
{
	(void)w;
	add_all(v, (const char *const[]){ "key", s->text, NULL });
}

static void type_words(char ***v, const struct step *s, const struct desktop_window *w)
{
	(void)w;
	add_all(v, (const char *const[]){ "type", "--delay", TYPE_DELAY_MS, "--", s->text, NULL });
}

static void click_words(char ***v, const struct step *s, const struct desktop_window *w)
{
	add_move(v, w, &s->x, &s->y);
	add_all(v, (const char *const[]){ "click", "1", NULL });
}

static void double_click_words(char ***v, const struct step *s, const struct desktop_window *w)
{
	add_move(v, w, &s->x, &s->y);
	add_all(v, (const char *const[]){ "click", "--repeat", "2", "--delay", "100", "1", NULL });
}

static void right_click_words(char ***v, const struct step *s, const struct desktop_window *w)
{
	add_move(v, w, &s->x, &s->y);
	add_all(v, (const char *const[]){ "click", "3", NULL });
}

/* Some programs take a button that moves at once for a click. */
static void drag_words(char ***v, const struct step *s, const struct desktop_window *w)
{
	add_move(v, w, &s->x, &s->y);
	add_all(v, (const char *const[]){ "mousedown", "1", "sleep", DRAG_PAUSE, NULL });
	add_move(v, w, &s->to_x, &s->to_y);
	add_all(v, (const char *const[]){ "sleep", DRAG_PAUSE, "mouseup", "1", NULL });
}

static words_fn *const words_of[STEP_VERB_MAX] = {
	[STEP_KEY] = key_words,
	[STEP_TYPE] = type_words,
	[STEP_CLICK] = click_words,
	[STEP_DOUBLE_CLICK] = double_click_words,
	[STEP_RIGHT_CLICK] = right_click_words,
	[STEP_DRAG] = drag_words,
};

int profile_test_act(struct profile_test *t, const struct step *s, struct error **err)
{
	_cleanup_strv_ char **words = NULL;
	struct desktop_window w;
	int r;

	if (s->verb == STEP_WAIT)
		return patience_wait(&t->patience, -EBADF, s->number * 1000, err);
	r = profile_test_window(t, &w, err);
	if (r >= 0)
		r = profile_test_activate(t, w.id, err);
	if (r >= 0)
		r = profile_test_remember(t, &w, err);
	if (r < 0)
		return r;
	words_of[s->verb](&words, s, &w);
	return desktop_input(&t->patience, words, err);
}
