#pragma once

/* What a program plays on the desktop's sound server: its own stream, before anything else is mixed
 * to it. With pactl and parec, for tests of profiles. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "session/patience.h"

#define STREAMS_MAX 256U

struct sound_stream {
	uint32_t index;
	uint32_t pid; /* as its program says */
};

/* Pure: what `pactl list sink-inputs` prints; at most STREAMS_MAX. Returns how many there are. */
size_t sound_streams_parse(const char *text, struct sound_stream *ret);

/* Pure: is there more than silence in these samples (signed, 16 bits, little-endian)? */
bool samples_are_sound(const uint8_t *data, size_t size);

/* Does any process that `is_meant` accepts play something that can be heard? Listens for a second.
 * -ENOENT, with the package's name, where the programs are missing. */
int sound_is_heard(const struct patience *p, bool (*is_meant)(void *user, pid_t pid), void *user,
		   bool *ret, struct error **err);
