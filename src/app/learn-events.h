#pragma once

/*
 * What a learn run has recorded: one JSON object in each line, those of app/watch-text.h and a few
 * of the supervisor's own. The files are the user's, but what is in them was chosen by
 * applications: they are read as hostile. Pure.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "box/watch.h"

#define LEARN_FILE_MAX	 (16U << 20)
#define LEARN_LINE_MAX	 65536U
#define LEARN_EVENTS_MAX 262144U /* of all runs */

enum learn_kind {
	LEARN_CALL,	/* denied by the policy */
	LEARN_CONNECT,	/* `target`: an address */
	LEARN_EXECUTE,	/* `target`: a program that lies where nothing can be executed */
	LEARN_WRITE,	/* `target`: opened for writing; `word`: the file of the command line it is
			   about */
	LEARN_WORD,	/* `target`: a file that a word of the command line names */
	LEARN_ADDRESS,	/* `target`: an address on the network that a word of the command line is */
	LEARN_BUS_CALL, /* `call` of `target`, a name on the desktop's bus */
	LEARN_BUS_OWN,	/* it wanted `target` for itself */
	LEARN_BUS_LOOK, /* asked about `target` by `call` of the bus */
	LEARN_LIMIT,	/* `target`: "disk", "memory" or "tasks", which was reached */
	LEARN_LOST,	/* there was more */
	LEARN_MAX,
};

struct learn_event {
	enum learn_kind kind;
	char *program, *target, *word; /* NULL where there is none */
	char *call, *line, *rule;
	uint64_t arguments[WATCH_CALL_ARGS];
	unsigned compared; /* set of the arguments that rules of the call look at */
	bool denied;	   /* it was denied while learning, too */
	bool missing;	   /* there was no such socket */
};

struct learn_events {
	struct learn_event *list;
	size_t n;
};

/* Adds those of one file; messages are "file:line: ...". Kinds that are not known are left out:
 * a later version has more. */
int learn_events_read(const char *text, size_t size, const char *file, struct learn_events *ret,
		      struct error **err);
void learn_events_release(struct learn_events *e);

/* One line about it without a newline, escaped. Owned by the caller. */
char *learn_event_describe(const struct learn_event *e);

/* The supervisor's own, as objects; the caller's. */
json_t *learn_word_to_json(const char *path);
json_t *learn_address_to_json(const char *address);
json_t *learn_limit_to_json(const char *limit);

/* Which word an event of writing is about: the index of its path in `files`, or -1. A mere lock
 * beside a file is none. */
int learn_written_file(char *const *files, const char *path);
