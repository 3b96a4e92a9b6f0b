#pragma once

/* The names of a processor's architecture: each world has its own. */

struct machine {
	const char *kernel; /* uname(2) */
	const char *oci;    /* Go's */
	const char *debian;
};

/* NULL for one that is in no table. */
const struct machine *machine_by_kernel(const char *name);
const struct machine *machine_by_debian(const char *name);

/* This one; NULL as above. */
const struct machine *machine_here(void);
