#pragma once

/* One test while it runs: what the files profile-test*.c share. */

#include "app/profile-test.h"
#include "base/spawn.h"
#include "session/desktop.h"
#include "session/patience.h"

#define TEST_EFFECT_MS 30000U /* how long an effect may take, unless the whole test ends before */
#define TEST_SAMPLES   VITRINE_DATA_DIR "/samples"
#define TEST_FILE_MAX  (64U << 20) /* bytes of a file that is looked at */

struct profile_test {
	const struct test_request *request;
	const struct profile *profile;
	struct steps steps;
	struct patience patience;
	struct heard heard[2]; /* standard output and error of the application */
	struct child child;    /* the supervisor */
	int status;	       /* of waitpid(2), once it has ended */
	char *scratch;	       /* a directory of this test's own */
	int files, kept; /* in it: what the application gets, what was taken out of its home */
	char *id;	 /* of the sandbox; NULL: not known yet */
	char *label;	 /* what begins the title of each of its windows: "[Label]" */
	uint32_t window; /* that a person would use next; 0: none yet */
	struct picture before; /* of that window, before the last action */
	uint32_t before_window;
	unsigned pictures; /* that were kept */
	char *picture;	   /* the last one's path */
};

/* Is it a process of the sandbox? */
bool profile_test_owns(void *test, pid_t pid);

/* Has the supervisor ended? */
bool profile_test_has_ended(struct profile_test *t);

/* --- profile-test-start.c */

/* A directory with copies of the samples; the application started; its sandbox runs. */
int profile_test_start(struct profile_test *t, struct error **err);

/* Ends it. An error: it did not end by itself in time, or something is left. */
int profile_test_end(struct profile_test *t, struct error **err);

/* --- profile-test-window.c */

/* The sandbox's windows, their titles without the label. */
int profile_test_windows(struct profile_test *t, struct desktop_windows *ret, struct error **err);

/* The active one, else that which was used last, else any; -ENOENT. */
int profile_test_window(struct profile_test *t, struct desktop_window *ret, struct error **err);

int profile_test_activate(struct profile_test *t, uint32_t window, struct error **err);

/* Keeps a picture of the window as a file. What cannot be taken is left out. */
void profile_test_keep_picture(struct profile_test *t);

/* Waits for a window to be still, and remembers what it shows: what an action is compared with. */
int profile_test_remember(struct profile_test *t, const struct desktop_window *w,
			  struct error **err);

/* --- profile-test-actions.c, profile-test-effects.c */

int profile_test_act(struct profile_test *t, const struct step *s, struct error **err);

/* Is it there now? Returns 1; or 0 and what is there instead. *ret_why is the caller's. */
int profile_test_look(struct profile_test *t, const struct step *s, char **ret_why,
		      struct error **err);
