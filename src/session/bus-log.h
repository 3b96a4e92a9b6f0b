#pragma once

/*
 * What xdg-dbus-proxy(1) prints with --log of a bus that it filters: a line for each message, and
 * one behind it where the message is kept back. Pure. The names in it were chosen by the
 * application, and only those that D-Bus allows are told (D-Bus specification, "Valid Names").
 */

#include <stddef.h>

enum bus_deed {
	BUS_CALL,    /* a call of a method, or another message to a name */
	BUS_OWN,     /* wanted the name for itself */
	BUS_LOOK_UP, /* asked the bus about the name, or for its start */
	BUS_DEED_MAX,
};

/* What was kept back; borrowed for the call. */
struct bus_blocked {
	enum bus_deed deed;
	const char *name;   /* whom it was for or about */
	const char *member; /* INTERFACE.METHOD */
	const char *path;   /* the object */
};

typedef void bus_blocked_fn(void *user, const struct bus_blocked *b);

struct bus_log;

struct bus_log *bus_log_new(bus_blocked_fn *fn, void *user);
struct bus_log *bus_log_free(struct bus_log *l);

/* The next piece of it, of any size. */
void bus_log_take(struct bus_log *l, const char *data, size_t size);
