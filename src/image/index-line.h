#pragma once

/* One line of a layer's index (image/index.h), read. */

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

struct index_line {
	char type; /* as in image/index.h */
	mode_t mode;
	uint64_t modified;
	uint64_t size;
	char *data; /* NULL for nothing */
	char *path;
};

/* The line at *text, which moves on. 1; 0 at the end of the text; -EBADMSG: it is none. */
int index_line_read(const char **text, struct index_line *ret, struct error **err);

void index_line_release(struct index_line *l);

/* All lines of a text. */
struct index_lines {
	struct index_line *v;
	size_t n;
};

int index_lines_read(const char *text, struct index_lines *ret, struct error **err);
void index_lines_release(struct index_lines *l);

/* NULL where the path is not there. */
const struct index_line *index_lines_find(const struct index_lines *l, const char *path);

/* The order of lines: a directory, what is in it, what comes after it. */
int index_path_compare(const char *a, const char *b);

/* Paths as they stand in a line. The second returns NULL for what is none. */
void index_escape(struct buf *out, const char *path);
char *index_unescape(const char *s);
