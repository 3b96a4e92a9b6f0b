#pragma once

/* What the files of a gate share. Not for others. */

#include <stdbool.h>

#include "session/gate-process.h"
#include "session/gate.h"
#include "session/keeper.h"

struct waiter {
	struct waiter *next;
	gate_done_fn *done;
	void *user;
};

enum item_state {
	ITEM_WAITS, /* until another one has left its place */
	ITEM_ASKED, /* the gate was asked to show it */
	ITEM_GIVEN,
	ITEM_TAKING, /* the gate was told that it is over */
};

struct item {
	struct item *next;
	struct gate_entry entry;
	struct given given; /* of a file: borrowed by the keeper while it is shown */
	enum item_state state;
	bool unwanted;	    /* ITEM_ASKED: to be taken away as soon as that was answered */
	struct item *after; /* ITEM_WAITS: for this one */
	struct waiter *gives, *takes;
};

struct gate {
	struct loop *loop;
	const char *home;
	struct gate_events events;
	void *user;
	struct gate_process *process;
	struct keeper *keeper;
	int inbox;
	struct item *items; /* oldest first */
	size_t n_items;
	uint32_t last_id;
	struct gate_entry *entries; /* borrows the strings of items */
	int due;		    /* eventfd: some `gives` can be answered */
	struct source *due_source;
};

/* What the process answers: about an item, always. `user` is the gate. */
extern const struct gate_process_events item_events;

/* The newest: an older one of the same path is about to end. */
struct item *item_find(const struct gate *g, const char *path);

void item_append(struct gate *g, struct item *i);
void item_unlink(struct gate *g, struct item *i);
void item_free(struct item *i);

/* Asks the process to show it. The keeper watches before the file is opened: a change of what has
 * its name is seen by either. */
int item_ask(struct gate *g, struct item *i, struct error **err);

/* Tells the process that it is over. From then on nothing of it changes outside by name, whatever
 * the process still asks for. */
int item_take(struct gate *g, struct item *i, struct error **err);

void item_await(struct waiter **list, gate_done_fn *done, void *user);

/* Whoever is answered may ask for more at once: the list is empty by then. */
void item_answer(struct waiter **list, const struct gate_entry *entry, const struct error *error);
void item_refuse(struct waiter **list, int code, const char *why);

/* Makes the list of entries anew. */
void items_list(struct gate *g);
