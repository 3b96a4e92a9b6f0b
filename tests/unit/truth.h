#pragma once

/*
 * A truth table (tests/seccomp/NAME.tests): what a policy says to calls, in rows
 *
 *   ABI CALL|NUMBER ARGUMENT... VERDICT [optional]
 *
 * after lines with `=`, which are those of a profile's section [Seccomp]. Everything else is an
 * error, and so is a table without rows.
 */

#include "emit/policy-verdict.h"

#define TRUTH_ROWS_MAX 4096U

enum truth_abi {
	TRUTH_X86_64,
	TRUTH_X86, /* programs of 32 bits */
	TRUTH_X32,
	TRUTH_ABI_MAX,
};

struct truth_row {
	enum truth_abi abi;
	char *call; /* NULL: by its number alone */
	int64_t number;
	uint64_t args[POLICY_ARGS];
	struct policy_verdict verdict;
	bool optional;
	unsigned line;
};

struct truth {
	char *profile; /* text of the section */
	struct truth_row *rows;
	size_t n_rows;
};

int truth_read(const char *text, const char *file, struct truth **ret, struct error **err);
struct truth *truth_free(struct truth *t);

static inline void truth_freep(struct truth **t)
{
	truth_free(*t);
}
