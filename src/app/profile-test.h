#pragma once

/*
 * The [Test] of a profile: its application is started as a user would start it, in its real
 * sandbox, used on the desktop, and ended; each step is told of. Whatever happens, this ends in
 * bounded time and leaves nothing but pictures.
 */

#include <stdbool.h>
#include <stdint.h>

#include "profile/step.h"

/* One line of what was done. All borrowed for the call. */
struct test_line {
	bool passed;
	const char *what; /* "start", "window *", "key ctrl+s", ... */
	const char *why;  /* it failed; NULL where it passed. Without control characters */
	uint64_t ms;
};

struct test_request {
	const struct profile *profile;
	const char *profile_file; /* NULL: it is found by its name */
	const char *pictures;	  /* a directory for a picture after each step; NULL: one, in /tmp,
				     of the step that failed */
	void (*told)(void *user, const struct test_line *line);
	void *user;
};

struct test_result {
	bool passed;
	char *picture; /* path; NULL: there is none */
	char *printed; /* what the application printed last, of a test that failed; lines, escaped
			*/
	uint64_t ms;
};

/* An error: the test could not be made, and nothing was told; -EINTR: a signal came (SIGHUP,
 * SIGINT, SIGTERM), and all was ended. A failed test is a result. */
int profile_test_run(const struct test_request *q, struct test_result *ret, struct error **err);
void test_result_release(struct test_result *r);
