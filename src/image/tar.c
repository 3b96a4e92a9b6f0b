#include "image/tar.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "image/whiteout.h"

#define SIZE_MAX_PLAIN 077777777777ULL

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], modified[12], checksum[8], type;
	char target[100], magic[8], user[32], group[32], major[8], minor[8], prefix[155],
		unused[12];
};

_Static_assert(sizeof(struct header) == TAR_BLOCK, "a block of a tar archive");

/* What does not fit is in the pax header. */
static void set_text(char *field, size_t room, const char *text)
{
	size_t n = strlen(text);

	memcpy(field, text, n < room ? n : room);
}

/* Octal digits, and a NUL at the end. */
static void set_number(char *field, size_t room, uint64_t value)
{
	field[--room] = '\0';
	for (; room; value >>= 3)
		field[--room] = (char)('0' + (value & 7));
}

static void add_header(struct buf *out, enum tar_type type, const char *name, const char *target,
		       mode_t mode, uint64_t modified, uint64_t size)
{
	static const char magic[8] = { 'u', 's', 't', 'a', 'r', '\0', '0', '0' };
	struct header h = { .type = (char)type };
	unsigned sum = 0;

	memcpy(h.magic, magic, sizeof h.magic);
	set_text(h.name, sizeof h.name, name);
	set_text(h.target, sizeof h.target, target ? target : "");
	set_number(h.mode, sizeof h.mode, mode);
	set_number(h.uid, sizeof h.uid, 0);
	set_number(h.gid, sizeof h.gid, 0);
	set_number(h.size, sizeof h.size, size <= SIZE_MAX_PLAIN ? size : 0);
	set_number(h.modified, sizeof h.modified, modified);
	set_number(h.major, sizeof h.major, 0);
	set_number(h.minor, sizeof h.minor, 0);
	memset(h.checksum, ' ', sizeof h.checksum);
	for (size_t i = 0; i < sizeof h; i++)
		sum += ((const unsigned char *)&h)[i];
	set_number(h.checksum, sizeof h.checksum - 1, sum);
	buf_add(out, &h, sizeof h);
}

static void add_padding(struct buf *out, uint64_t size)
{
	static const char zeros[TAR_BLOCK];

	buf_add(out, zeros, tar_padding(size));
}

/* "LENGTH KEY=VALUE\n"; the length counts itself. */
static void add_record(struct buf *records, const char *key, const char *value)
{
	size_t rest = strlen(" =\n") + strlen(key) + strlen(value), length = rest, before;

	do {
		before = length;
		length = rest + (size_t)snprintf(NULL, 0, "%zu", before);
	} while (length != before);
	buf_addf(records, "%zu %s=%s\n", length, key, value);
}

static bool is_ascii(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

/* Values of pax are UTF-8, unless it is said that they are not. */
static void add_name(struct buf *records, const char *key, const char *value)
{
	if (!is_ascii(value) && !text_is_clean(value))
		add_record(records, "hdrcharset", "BINARY");
	add_record(records, key, value);
}

static void add_pax(struct buf *out, const struct tar_member *m, const char *name)
{
	_cleanup_buf_ struct buf records = { 0 };

	if (strlen(name) > sizeof((struct header *)0)->name)
		add_name(&records, "path", name);
	if (m->target && strlen(m->target) > sizeof((struct header *)0)->target)
		add_name(&records, "linkpath", m->target);
	if (m->size > SIZE_MAX_PLAIN) {
		_cleanup_free_ char *size = xasprintf("%llu", (unsigned long long)m->size);

		add_record(&records, "size", size);
	}
	if (m->opaque)
		add_record(&records, "SCHILY.xattr." OPAQUE_ATTRIBUTE, OPAQUE_VALUE);
	if (!records.size)
		return;
	add_header(out, (enum tar_type)'x', "pax", NULL, 0644, 0, records.size);
	buf_add(out, records.data, records.size);
	add_padding(out, records.size);
}

void tar_add(struct buf *out, const struct tar_member *m)
{
	_cleanup_free_ char *name = xasprintf("%s%s", m->name, m->type == TAR_DIR ? "/" : "");

	add_pax(out, m, name);
	add_header(out, m->type, name, m->target, m->mode, m->modified,
		   m->type == TAR_FILE ? m->size : 0);
}

void tar_end(struct buf *out)
{
	static const char zeros[2 * TAR_BLOCK];

	buf_add(out, zeros, sizeof zeros);
}
