#pragma once

/*
 * All commands, options and profile keys as text, of which the completions are made when vitrine is
 * built, and which the lints read: `vitrine --table`, which no manual names. Fields are separated
 * by tabs; "-" is an empty one.
 *
 *     noun     CALL PAGE SUMMARY
 *     command  CALL PAGE SUMMARY
 *     option   --NAME -LETTER WHAT SUMMARY    of the command before it
 *     argument WORD WHAT 1|more               of the command before it, in their order
 *     key      SECTION.KEY
 *
 * WHAT says what the value is, or the argument: "-" for a switch, "=A B C" for one of these words,
 * or a kind, such as "sandbox", that completions know.
 */

#include "cli/options.h"

/* Behind a command, this prints the rows of its options. */
#define TABLE_OPTION "--help=table"

int table_print(void);
int table_print_options(const struct command *c, const struct option_row *rows);
