#include "cli/left-out.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define BEGIN "left out '"

void left_out_print(const char *text, const char *prefix)
{
	_cleanup_free_ char *copy = xstrdup(text ? text : "");
	char *state, *line;

	for (line = strtok_r(copy, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
		const char *name = line + strlen(BEGIN);

		if (!strncmp(line, BEGIN, strlen(BEGIN)) && !strncmp(name, prefix, strlen(prefix)))
			fprintf(stderr, "vitrine: warning: " BEGIN "%s\n", name + strlen(prefix));
		else
			fprintf(stderr, "vitrine: warning: %s\n", line);
	}
}
