#include "base/sha256.h"

#include <nettle/sha2.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

#define DIGITS	  "0123456789abcdef"
#define READ_SIZE (256U << 10)

struct sha256 {
	struct sha256_ctx ctx;
};

static char *finish(struct sha256_ctx *ctx)
{
	char *hex = xmalloc(SHA256_HEX + 1);
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_digest(ctx, sizeof digest, digest);
	for (size_t i = 0; i < sizeof digest; i++) {
		hex[2 * i] = DIGITS[digest[i] >> 4];
		hex[2 * i + 1] = DIGITS[digest[i] & 15];
	}
	hex[SHA256_HEX] = '\0';
	return hex;
}

char *sha256_hex(const void *data, size_t size)
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, size, data);
	return finish(&ctx);
}

int sha256_fd(int fd, char **ret, uint64_t *ret_size, struct error **err)
{
	_cleanup_free_ uint8_t *data = xmalloc(READ_SIZE);
	struct sha256_ctx ctx;
	uint64_t size = 0;

	sha256_init(&ctx);
	for (;;) {
		ssize_t n = read(fd, data, READ_SIZE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot read");
		if (n == 0)
			break;
		sha256_update(&ctx, (size_t)n, data);
		size += (uint64_t)n;
	}
	*ret = finish(&ctx);
	if (ret_size)
		*ret_size = size;
	return 0;
}

bool sha256_is_hex(const char *s)
{
	return strspn(s, DIGITS) == SHA256_HEX && !s[SHA256_HEX];
}

struct sha256 *sha256_new(void)
{
	struct sha256 *s = xmalloc(sizeof *s);

	sha256_init(&s->ctx);
	return s;
}

void sha256_add(struct sha256 *s, const void *data, size_t size)
{
	sha256_update(&s->ctx, size, data);
}

char *sha256_end(struct sha256 *s)
{
	return finish(&s->ctx); /* nettle begins anew by itself */
}

struct sha256 *sha256_free(struct sha256 *s)
{
	free(s);
	return NULL;
}
