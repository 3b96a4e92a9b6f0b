#pragma once

/*
 * How far a build is, read from what apt, mmdebstrap and dpkg print; and, if it fails, why. Pure:
 * lines in, numbers out.
 */

#include <stdbool.h>
#include <stdint.h>

enum build_phase {
	BUILD_LISTS,
	BUILD_DOWNLOAD,
	BUILD_INSTALL,
	BUILD_UNPACK,
	BUILD_STORE, /* every byte is read and named by what it is */
	BUILD_DONE,
	BUILD_PHASE_MAX,
};

struct build_progress {
	const char *image; /* that is being made: the base comes first */
	enum build_phase phase;
	bool essential;	   /* the first packages, which the others need to be installed */
	uint32_t packages; /* in this phase */
	uint32_t packages_done;
	uint64_t bytes; /* downloaded or unpacked in this phase; 0: not known */
	uint64_t bytes_done;
	uint32_t steps_done; /* of dpkg: each package has two */
	const char *failure; /* what to tell the user; NULL: no line said it clearly */
};

/* A phase begins that no line tells of. */
void build_progress_begin(struct build_progress *p, enum build_phase phase, bool essential);

/* Takes in one line (without its end). Returns true if something to show has changed. */
bool build_progress_line(struct build_progress *p, const char *line);

/* The bytes that were unpacked so far, of about `bytes`. */
void build_progress_unpacked(struct build_progress *p, uint64_t done, uint64_t bytes);

/* 0 to 100 over all phases, never going back. */
unsigned build_progress_percent(const struct build_progress *p);

/* Of a phase, for the user: "installing". */
const char *build_phase_to_string(enum build_phase p);
