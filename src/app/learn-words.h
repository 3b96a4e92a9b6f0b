#pragma once

/*
 * Which words of a command line name files that an application could be given, whatever the profile
 * takes so far, and what it will call them.
 */

#include "app/arguments.h"

struct learn_words {
	char **addresses; /* words that are URLs of something else than a file */
	char **real;	  /* absolute paths outside, through no link */
	char **named;	  /* of each, the paths that the application may open it by: see below */
	char **owner;	  /* of each of these, the path outside; as many as `named` */
};

/* `words` as for arguments_parse(), `home` that of the user inside and outside. An application that
 * is not given the file opens the word as it stands, from the home; one that is, a file in the
 * gate.
 */
void learn_words_find(char *const *words, const char *home, struct learn_words *ret);
void learn_words_release(struct learn_words *w);
