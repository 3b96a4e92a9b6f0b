#include "base/tar.h"

#include <string.h>

#define NAME_SIZE   100U
#define LONG_NAME   'L' /* of GNU: the next entry's name is the content of this one */
#define LONG_TARGET 'K'

static const char zeros[TAR_BLOCK];

/* As octal digits and a NUL; what does not fit as big-endian binary number, marked by its first
 * bit. */
static void put_number(char *field, size_t size, uint64_t value)
{
	if (value >> (3 * (size - 1)) && size > sizeof value) {
		for (size_t i = size; i--; value >>= 8)
			field[i] = (char)(value & 0xff);
		field[0] = (char)0x80;
		return;
	}
	field[size - 1] = '\0';
	for (size_t i = size - 1; i--; value >>= 3)
		field[i] = (char)('0' + (value & 7));
}

static void add_block(struct buf *out, char type, const char *name, const char *target, mode_t mode,
		      uint64_t size, int64_t modified)
{
	/* clang-format off */
	struct {
		char name[NAME_SIZE], mode[8], uid[8], gid[8], size[12], modified[12], sum[8], type,
			target[NAME_SIZE], magic[8], user[32], group[32], major[8], minor[8],
			prefix[155], rest[12];
	} h = { 0 };
	/* clang-format on */
	unsigned sum = 0;

	_Static_assert(sizeof h == TAR_BLOCK, "a block");
	memcpy(h.name, name, strnlen(name, sizeof h.name));
	memcpy(h.target, target, strnlen(target, sizeof h.target));
	put_number(h.mode, sizeof h.mode, mode & 07777);
	put_number(h.uid, sizeof h.uid, 0);
	put_number(h.gid, sizeof h.gid, 0);
	put_number(h.size, sizeof h.size, size);
	put_number(h.modified, sizeof h.modified, modified < 0 ? 0 : (uint64_t)modified);
	put_number(h.major, sizeof h.major, 0);
	put_number(h.minor, sizeof h.minor, 0);
	h.type = type;
	memcpy(h.magic, "ustar  ", sizeof h.magic);
	memset(h.sum, ' ', sizeof h.sum);
	for (size_t i = 0; i < sizeof h; i++)
		sum += ((const unsigned char *)&h)[i];
	put_number(h.sum, sizeof h.sum - 1, sum);
	buf_add(out, &h, sizeof h);
}

static void add_long(struct buf *out, char type, const char *text)
{
	size_t size = strlen(text) + 1;

	if (size <= NAME_SIZE)
		return;
	add_block(out, type, "././@LongLink", "", 0, size, 0);
	buf_add(out, text, size);
	buf_add(out, zeros, tar_padding(size));
}

void tar_add_header(struct buf *out, const struct tar_entry *e)
{
	const char *target = e->target ? e->target : "";
	_cleanup_free_ char *slash = e->type == TAR_DIR ? xasprintf("%s/", e->name) : NULL;
	const char *name = slash ? slash : e->name;

	add_long(out, LONG_NAME, name);
	add_long(out, LONG_TARGET, target);
	add_block(out, (char)e->type, name, target, e->mode, e->type == TAR_FILE ? e->size : 0,
		  e->modified);
}

size_t tar_padding(uint64_t size)
{
	return (size_t)(-size % TAR_BLOCK);
}

void tar_add_end(struct buf *out)
{
	buf_add(out, zeros, sizeof zeros);
	buf_add(out, zeros, sizeof zeros);
}
