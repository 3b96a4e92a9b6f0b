#pragma once

/*
 * What the words of a command line look like, before anything is opened: options, URLs, file://
 * URIs, the marks of desktop files. Pure. Words have any bytes but NUL.
 */

#include <stdbool.h>

#include "base/error.h"

enum word_kind {
	WORD_DATA, /* the application's business */
	WORD_MARK, /* "@@", "@@u": nobody gets it */
	WORD_PATH, /* names a file if there is one */
	WORD_URI,  /* the same as a file: URI */
};

struct word {
	enum word_kind kind;
	bool marked; /* stands between marks: a path or URI there must be a file */
	char *path;  /* of a path or URI; NULL for a URI of something else than a file of this host
		      */
};

/* Where in a command line a word stands. Begins as { 0 }. */
struct word_place {
	bool behind_dashes; /* "--" came: no word is an option any more */
	bool marked, uris;  /* behind "@@" or "@@u" */
};

/* Reads the next word and moves on. */
struct word word_read(struct word_place *place, const char *word);
void word_release(struct word *w);

/* After the last word: -EINVAL where "@@" has no end. */
int word_place_end(const struct word_place *place, struct error **err);

/* May a file of this name be made because a word says so? Not where it looks like a number, or like
 * a text of several lines. */
bool word_may_be_new(const char *path);

/* The absolute path of a file: URI of this host; its query and fragment are left out. NULL for
 * anything else, also for an encoded '/' or NUL, which no file name has. Owned by the caller. */
char *file_uri_to_path(const char *uri);

/* The URI of an absolute path, which file_uri_to_path() turns back into the same. Owned by the
 * caller. */
char *file_uri_from_path(const char *path);

/* The query and fragment ("?x", "#page=3") at the end of a URI; may be empty. Points into it. */
const char *file_uri_tail(const char *uri);
