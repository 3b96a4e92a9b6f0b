#pragma once

/* A second run of an application that runs already: its files go to the sandbox that is there, and
 * its command starts once more in it, so that the first instance hears of them. */

#include "app/arguments.h"

/*
 * Gives the files among `args` to the running sandbox `id`, and makes the words for a
 * control_enter() there: those of `command` (the application's own), then those of args with the
 * paths inside. What was opened stays in args, for another sandbox if this one is gone.
 */
int hand_over(const char *id, struct arguments_given *args, char *const *command, char ***ret_argv,
	      struct error **err);

/* Did it fail because the sandbox was about to end, or has ended? Then the next one is to be
 * claimed (app/instance.h). */
bool hand_over_was_too_late(int r);
