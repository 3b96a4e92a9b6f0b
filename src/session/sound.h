#pragma once

/*
 * Sound of one sandbox: a PulseAudio in the app box that writes samples into a FIFO, and
 * vitrine-sound on the host that plays them. Nothing else crosses, and nothing crosses back: the
 * box never sees the desktop's sound server.
 */

#include "base/error.h"
#include "base/loop.h"
#include "box/box.h"
#include "plan/plan.h"

struct sound;

/* Sound is over while the sandbox runs: `why` is one line. Called at most once, from the loop. */
typedef void sound_lost_fn(void *user, const char *why);

/*
 * Starts both and waits until programs in the box can play; to be called before any of them runs.
 * `dir` (an O_PATH descriptor will do) is what the box sees as BOX_SOUND_DIR. The user makes the
 * FIFO there, so the box need not be able to write in it. Without a sound server on the host it
 * succeeds all the same. After an error the box must be ended: its PulseAudio may still run.
 */
int sound_start(struct box *app, const struct plan *plan, int dir, const char *label,
		struct loop *loop, sound_lost_fn *lost, void *user, struct sound **ret,
		struct error **err);

struct sound *sound_end(struct sound *s);

static inline void sound_endp(struct sound **s)
{
	sound_end(*s);
}
