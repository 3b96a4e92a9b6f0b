#pragma once

/*
 * How a command line names a profile to look at: a name or an alias; NAME@system, which leaves out
 * the user's own files, so that it is the same for all; or a file (a word with a slash, or that
 * ends with .vitrine).
 */

#include "app/facts.h"
#include "profile/profile.h"

int profile_word_load(const char *word, const struct facts *facts, struct profile **ret,
		      struct error **err);

/* The same as the administrator's rules let it be run; what they refuse is an error. */
int profile_word_load_ruled(const char *word, const struct facts *facts, struct profile **ret,
			    struct error **err);

/* JSON as all commands print it, with a newline; returns the exit status. */
struct json_t;
int cli_print_json(const struct json_t *value);
