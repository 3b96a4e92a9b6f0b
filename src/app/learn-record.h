#pragma once

/*
 * Where learn runs of a profile are recorded: ~/.local/state/vitrine/learn/PROFILE/, one file for
 * each run, of which the last LEARN_RUNS_MAX are kept. And where what was learned is written:
 * the user's own drop-in LEARN_DROP_IN of the profile.
 */

#include "app/learn-events.h"

#define LEARN_RUNS_MAX 32U
#define LEARN_DROP_IN  "50-learned.conf"

/* A new file, open for writing; removes the oldest ones beyond the limit. */
int learn_record_new(const char *home, const char *profile, int *ret_fd, struct error **err);

/* Appends one event; `object` is taken. */
int learn_record_add(int fd, json_t *object, struct error **err);

/* All that was recorded, the oldest first, and of how many runs. */
int learn_record_read(const char *home, const char *profile, struct learn_events *ret,
		      size_t *ret_runs, struct error **err);

/* Removes all of it. */
int learn_record_forget(const char *home, const char *profile, struct error **err);

/* Writes the drop-in; *ret_path is owned by the caller. */
int learn_drop_in_write(const char *home, const char *profile, const char *text, char **ret_path,
			struct error **err);
