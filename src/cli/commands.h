#pragma once

/* All commands there are, and what is said of them as a whole. */

#include "cli/cli.h"

/* Daily verbs and nouns, NULL-terminated, in the order of --help. */
extern const struct command *const commands[];

/* The command of that name in such a table, or NULL. */
const struct command *commands_find(const struct command *const *table, const char *name);

/* Prints all commands, or the verbs of a noun; the exit status. */
int commands_help(void);
int commands_help_noun(const struct command *noun);

/* Reports that there is no such verb, or no such command where `noun` is NULL; the exit status. */
int commands_unknown(const struct command *noun, const char *name);
