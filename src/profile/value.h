#pragma once

/*
 * Typed values of a profile: each type reads, writes and releases one field of struct profile. A
 * row of the key table (keys.h) names the type, the field, what is allowed, and what is wider.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "profile/check.h"

struct key;

/* Which way of a key gives more to the application. */
enum key_order {
	ORDER_NONE,	/* says nothing about what it may do */
	ORDER_MORE,	/* a greater number, or a later choice; no limit is the greatest */
	ORDER_LESS,	/* a smaller one */
	ORDER_FLAGS,	/* the number of the choice is a set of bits */
	ORDER_CHANGE,	/* whatever is not the fallback */
	ORDER_HOST,	/* what is told of the host; anything else is made up */
	ORDER_SET,	/* a list with more values */
	ORDER_SET_LESS, /* a list with fewer */
	ORDER_PATHS,	/* a list with paths that do not lie at or beneath those of the other */
	ORDER_NAMES,	/* a list with D-Bus names, or calls of them, that those of the other do not
			   stand for */
};

struct value_type {
	size_t size;  /* of the field */
	bool is_list; /* may be given several times; empty forgets what came before */
	int (*read)(const struct key *k, void *field, const char *text, struct error **err);
	/* Adds "Key=value" lines, none for what is not set. */
	void (*write)(const struct key *k, const void *field, struct buf *out);
	void (*release)(void *field); /* NULL: owns nothing */
	/* For ORDER_MORE and ORDER_LESS; NULL: is no number. UINT64_MAX stands for no limit. */
	uint64_t (*number)(const void *field);
	const char *form; /* what is written, in a word: "size" */
};

struct key {
	const char *section;
	const char *name;
	const char *fallback; /* the value of a key that is not given; NULL: unset */
	enum key_order order;
	const struct value_type *type;
	size_t offset;	   /* of the field in struct profile */
	size_t covered_by; /* ORDER_PATHS and ORDER_NAMES: offset of another list that gives as
			      much, or 0 */
	bool own;	   /* not inherited from another profile */
	/* What is allowed; which of these counts depends on the type. */
	const struct text_check *check;
	const char *const *choices;
	uint64_t min, max;
	/* Where check->expected is too little: sets why a text is not valid. May be NULL. */
	int (*explain)(const char *text, struct error **err);
};

#define KEY_HOST "host" /* the value that ORDER_HOST is about */

extern const struct value_type value_bool;
extern const struct value_type value_choice;
extern const struct value_type value_count;
extern const struct value_type value_inherit; /* the reader of files acts on it: stores nothing */
extern const struct value_type value_list;
extern const struct value_type value_percent; /* 0 is not set */
extern const struct value_type value_size;    /* 0 is not set */
extern const struct value_type value_string;
extern const struct value_type value_time;	  /* seconds; 0 is not set */
extern const struct value_type value_unsupported; /* known, and refused in this version */
