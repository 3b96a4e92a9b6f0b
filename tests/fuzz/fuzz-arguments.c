/* The words of a command line, one in each line of the input (NUL ends them too): every word is of
 * one kind, and only marks change what others are; a path has no NUL and comes back from its URI as
 * it was. */

#include <string.h>

#include "app/argument-words.h"
#include "base/buf.h"
#include "tests/fuzz/fuzz.h"

static void check_path(const char *path)
{
	_cleanup_free_ char *uri = file_uri_from_path(path), *back = file_uri_to_path(uri);

	/* What is not absolute would be a host's name in a URI. */
	must(*path == '/' ? back && !strcmp(back, path) : !back || *path);
	must(!*file_uri_tail(uri));
	(void)word_may_be_new(path);
}

static void check_uri(const char *word, const struct word *w)
{
	_cleanup_free_ char *path = file_uri_to_path(word);
	const char *tail = file_uri_tail(word);

	must(tail >= word && tail <= word + strlen(word));
	must(!path == !w->path && (!path || !strcmp(path, w->path)));
	must(!path || (*path == '/' && strlen(path) <= strlen(word)));
}

static void check_word(struct word_place *place, const char *word)
{
	const struct word_place before = *place;
	_cleanup_(word_release) struct word w = word_read(place, word);

	must((w.kind == WORD_MARK) == (before.marked != place->marked));
	must(w.kind != WORD_MARK || !strncmp(word, "@@", 2));
	must(!w.marked || before.marked);
	must(!before.behind_dashes || place->behind_dashes);
	must((w.kind == WORD_PATH) == (w.path && w.kind != WORD_URI));
	must(w.kind != WORD_PATH || !strcmp(w.path, word));
	must(w.kind != WORD_PATH || w.marked || before.behind_dashes || *word != '-');
	if (w.kind == WORD_URI)
		check_uri(word, &w);
	if (w.path)
		check_path(w.path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_buf_ struct buf text = { 0 };
	struct word_place place = { 0 };
	char *next;

	buf_add(&text, data, size);
	next = text.data;
	while (next && next < text.data + text.size) {
		next[strcspn(next, "\n")] = '\0';
		check_word(&place, next);
		next += strlen(next) + 1;
	}
	must((word_place_end(&place, &error) < 0) == place.marked);
	return 0;
}
