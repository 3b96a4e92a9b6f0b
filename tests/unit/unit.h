#pragma once

/* What every unit test needs: cmocka with the headers it wants before it, and errors. */

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "base/error.h"

/* The call failed with this code (as a positive errno value), and says `part`. Frees the error. */
#define assert_refused(result, error, wanted, part)                              \
	do {                                                                     \
		int _result = (result);                                          \
                                                                                 \
		assert_int_equal(_result, -(wanted));                            \
		assert_non_null(error);                                          \
		assert_int_equal((error)->code, wanted);                         \
		if (!strstr((error)->message, part))                             \
			fail_msg("'%s' is not in '%s'", part, (error)->message); \
		(error) = error_free(error);                                     \
	} while (0)

/* The call succeeded; otherwise the test shows why it did not. */
#define assert_done(result, error)                                 \
	do {                                                       \
		int _result = (result);                            \
                                                                   \
		if (_result < 0)                                   \
			fail_msg("refused: %s", (error)->message); \
		assert_null(error);                                \
	} while (0)
