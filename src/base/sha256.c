#include "base/sha256.h"

#include <sha2.h>

#include "base/alloc.h"

char *sha256_hex(const void *data, size_t size)
{
	char digits[SHA256_DIGEST_STRING_LENGTH];

	SHA256Data(data, size, digits);
	return xstrdup(digits);
}
