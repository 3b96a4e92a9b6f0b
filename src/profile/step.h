#pragma once

/*
 * Steps of a profile's [Test]: a small language of one verb and its words to a line, such as
 * "key ctrl+s" or "file notes.txt contains hello". An action is something that a person does; an
 * effect is something that must be seen afterwards. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "profile/profile.h"

enum step_verb {
	STEP_KEY,
	STEP_TYPE,
	STEP_CLICK,
	STEP_DOUBLE_CLICK,
	STEP_RIGHT_CLICK,
	STEP_DRAG,
	STEP_WAIT,
	STEP_TITLE,
	STEP_NO_TITLE,
	STEP_CHANGED,
	STEP_SHOWS,
	STEP_SOUND,
	STEP_FILE,
	STEP_HOME,
	STEP_OUTPUT,
	STEP_EXIT,
	STEP_VERB_MAX,
};

enum step_role {
	STEP_PAUSE,
	STEP_ACTION,
	STEP_EFFECT,
};

/* From the left or upper edge of a window. */
struct step_place {
	uint32_t n;
	bool percent; /* of its width or height; otherwise pixels */
};

struct step {
	enum step_verb verb;
	char *name;		/* of a file */
	char *text;		/* key, text, glob */
	bool changed;		/* of a file: it is another one than before; else it has the text */
	struct step_place x, y; /* of a click */
	struct step_place to_x, to_y; /* where a drag ends */
	uint32_t colour;	      /* 0xrrggbb */
	uint32_t number;	      /* seconds, percent of the window, exit status */
};

int step_read(const char *text, struct step *ret, struct error **err);
void step_release(struct step *s);

/* Only looks whether it can be read. */
int step_check(const char *text, struct error **err);

enum step_role step_role(enum step_verb v);

/* Does it need a window of the application? */
bool step_needs_window(enum step_verb v);

/* All steps of a profile's [Test]; owned by the caller. They make a test: something is done
 * (without Window=: the start itself), and an effect is looked for afterwards; nothing needs what
 * is not there. -ENOENT: the profile has no [Test]. */
struct steps {
	struct step *list;
	size_t n;
};

int steps_read(const struct profile *p, struct steps *ret, struct error **err);
void steps_release(struct steps *s);

/* Does a text match, where '*' stands for any text? In time that grows with the product of both
 * lengths at most. */
bool glob_matches(const char *glob, const char *text);

/* A name of a sample file: no path, not hidden. */
bool sample_name_is_valid(const char *s);
