#pragma once

/*
 * Is this host ready for sandboxes? One row of a table per question, each answered by trying.
 * Every check runs in a process of its own with a time limit: it may make namespaces and mounts,
 * hang or crash, and nothing of it stays.
 */

#include <stddef.h>

#include "app/facts.h"

enum doctor_result {
	DOCTOR_OK,
	DOCTOR_WARNING, /* a feature, or one layer of protection, is missing */
	DOCTOR_FAILURE, /* applications cannot be run */
	DOCTOR_RESULT_MAX,
};

const char *doctor_result_to_string(enum doctor_result r);

struct diagnosis {
	const char *name;
	enum doctor_result result;
	char *detail; /* what was found, one line */
	char *mend;   /* the command that helps; "" when all is well */
};

struct diagnoses {
	struct diagnosis *rows;
	size_t n;
};

/* All checks, in the order of the table. Takes some seconds at most. */
void doctor_examine(const struct facts *facts, struct diagnoses *ret);
void diagnoses_release(struct diagnoses *d);
