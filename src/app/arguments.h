#pragma once

/*
 * Words for an application, some of which name files of the user. Those become grants, and the
 * application gets the paths that they have inside.
 *
 * A word is a file if the profile takes arguments for files (Arguments= in [Files]) and it neither
 * looks like an option ("-x", "+12", unless "--" came before) nor like a URL ("scheme:..."), and
 * exists (or, where arguments are writable, could be made: app/argument-words.h); if it is a file:
 * URI of such a file (host part empty or "localhost"; %XX decoded); or if it stands between "@@" or
 * "@@u" and "@@", as desktop files mark what they pass on ("@@u": URIs and paths, of which only
 * files are given; the marks are taken out). Between "@@" a word that is no file that can be given
 * is an error, and so is any file there if the profile takes none. All else is data and reaches the
 * application as it is. A "@@" without its end is an error.
 *
 * A word that names something that exists and must not be given, or cannot be looked at, is an
 * error everywhere: the application would not find it, and its user would not know why. Only "/"
 * and what is beneath /dev, /proc and /sys is data: the box has its own.
 */

#include "profile/profile.h"
#include "session/given.h"

#define ARGUMENT_FILES_MAX 256U /* in one call */

struct argument {
	char *word;	    /* as it came; what was a URI stays one */
	bool is_file;	    /* `given` is set */
	bool is_uri;	    /* the application gets file://PATH, encoded */
	bool writable;	    /* as the profile says, unless its user may only read it */
	struct given given; /* GIVEN_NONE otherwise */
};

struct arguments_given {
	struct argument *list;
	size_t n;
};

int arguments_parse(enum file_arguments mode, char *const *words, const struct protection *p,
		    struct arguments_given *ret, struct error **err);
void arguments_release(struct arguments_given *a);

/* The word that the application gets for a file whose path inside is `inside`. Owned by the caller.
 */
char *argument_inside(const struct argument *a, const char *inside);
