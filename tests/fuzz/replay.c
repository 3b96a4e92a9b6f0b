/* Runs a fuzz target over files, without libFuzzer: a regression test of every input that ever
 * mattered. */

#include <fcntl.h>
#include <stdio.h>

#include "base/fs.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX (2U << 20)

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		_cleanup_(error_freep) struct error *error = NULL;
		_cleanup_free_ char *text = NULL, *copy = NULL;
		size_t size;

		if (fs_read(AT_FDCWD, argv[i], INPUT_MAX, &text, &size, &error) < 0) {
			fprintf(stderr, "%s\n", error->message);
			return 1;
		}
		/* Exactly as large as the input: what is read behind it is seen by a sanitizer. */
		copy = xmalloc(size);
		for (size_t j = 0; j < size; j++)
			copy[j] = text[j];
		LLVMFuzzerTestOneInput((const uint8_t *)copy, size);
	}
	return 0;
}
