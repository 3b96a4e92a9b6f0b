#include "app/learn-words.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/argument-words.h"
#include "base/strv.h"
#include "box/watch.h"
#include "session/gate.h"

#define ADDRESSES_MAX 64U

/* "scheme://host...", and not one of a file. An option's value is none. */
static bool is_address(const char *word)
{
	size_t n = strspn(word,
			  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+.-");

	return n && *word != '-' && !strncmp(word + n, "://", 3) && word[n + 3] &&
	       strncmp(word, "file:", 5);
}

static void add_name(struct learn_words *w, char *path, const char *real)
{
	_cleanup_free_ char *owned = path;
	const char *name = path ? strrchr(path, '/') : NULL;

	if (!name || !name[1] || strv_length(w->named) >= WATCH_FILES_MAX)
		return;
	strv_take(&w->named, TAKE_PTR(owned));
	strv_add(&w->owner, real);
}

/* Only what is there; not what is data for every profile, which word_read() knows. */
static void add_file(struct learn_words *w, const char *path, const char *home)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	const char *name = real ? strrchr(real, '/') + 1 : NULL;
	_cleanup_free_ char *place = xasprintf(GATE_FILES "/%s", name ? name : "");
	struct stat st;

	if (!real || !*name || stat(real, &st) < 0 ||
	    (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) || strv_contains(w->real, real))
		return;
	strv_add(&w->real, real);
	add_name(w, xstrdup(real), real);
	add_name(w, watch_path(home, path), real);
	add_name(w, gate_path_inside(home, place), real);
}

void learn_words_find(char *const *words, const char *home, struct learn_words *ret)
{
	struct word_place place = { 0 };

	*ret = (struct learn_words){ 0 };
	for (; words && *words; words++) {
		_cleanup_(word_release) struct word w = word_read(&place, *words);

		if (w.kind == WORD_DATA && is_address(*words) &&
		    strv_length(ret->addresses) < ADDRESSES_MAX)
			strv_add(&ret->addresses, *words);
		else if (w.kind != WORD_DATA && w.kind != WORD_MARK && w.path)
			add_file(ret, w.path, home);
	}
}

void learn_words_release(struct learn_words *w)
{
	strv_free(w->addresses);
	strv_free(w->real);
	strv_free(w->named);
	strv_free(w->owner);
	*w = (struct learn_words){ 0 };
}
