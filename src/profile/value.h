#pragma once

/*
 * Typed values of a profile: each type reads, writes and releases one field of struct profile. A
 * row of the key table (keys.h) names the type, the field and what is allowed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "profile/check.h"

struct key;

struct value_type {
	bool is_list; /* may be given several times; empty forgets what came before */
	int (*read)(const struct key *k, void *field, const char *text, struct error **err);
	/* Adds "Key=value" lines, none for what is not set. */
	void (*write)(const struct key *k, const void *field, struct buf *out);
	void (*release)(void *field); /* NULL: owns nothing */
};

struct key {
	const char *section;
	const char *name;
	const char *fallback; /* the value of a key that is not given; NULL: unset */
	const struct value_type *type;
	size_t offset; /* of the field in struct profile */
	/* What is allowed; which of these counts depends on the type. */
	const struct text_check *check;
	const char *const *choices;
	uint64_t min, max;
};

extern const struct value_type value_bool;
extern const struct value_type value_choice;
extern const struct value_type value_count;
extern const struct value_type value_list;
extern const struct value_type value_percent; /* 0 is not set */
extern const struct value_type value_size;    /* 0 is not set */
extern const struct value_type value_string;
