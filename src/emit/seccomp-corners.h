#pragma once

/*
 * At which arguments a compiled filter must be asked, to know what it does with a call. Both the
 * rules and the programs tell values apart by comparing halves of arguments with constants; two
 * values that none of these comparisons tells apart are one. The programs are walked for theirs: a
 * wrong one compares with what no rule of the call has. Pure.
 */

#include "emit/filter.h"
#include "emit/policy.h"

#define CORNERS_HALVES 2U /* the lower one, the upper one */

struct corners_half {
	struct corners_comparison *comparisons;
	size_t n_comparisons;
	uint32_t *values; /* one for each way in which the comparisons end */
	size_t n;
};

struct corners {
	struct corners_half halves[POLICY_ARGS][CORNERS_HALVES];
};

struct corners_call {
	const struct policy *rules;
	const struct filter *filter;
	const char *name;
	int number;
	uint32_t arch; /* AUDIT_ARCH_* */
	bool narrow;   /* arguments have 32 bits */
};

void corners_find(const struct corners_call *c, struct corners *ret);
void corners_release(struct corners *c);

/* How many combinations there are; UINT64_MAX where they are more than that. */
uint64_t corners_count(const struct corners *c);

/* The combination of this number. */
void corners_point(const struct corners *c, uint64_t number, uint64_t args[POLICY_ARGS]);
