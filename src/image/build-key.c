#include "image/build-key.h"

#include <string.h>

#include "base/buf.h"
#include "base/sha256.h"
#include "base/strv.h"

/* Counts up when the same packages and commands make another layer than before. */
#define FORMAT 1

static void add_all(struct buf *b, const char *what, char *const *list)
{
	for (; list && *list; list++)
		buf_addf(b, "%s %s\n", what, *list);
}

char *build_key_make(const struct build_key *k)
{
	_cleanup_strv_ char **packages = apt_plan_versions(k->plan);
	_cleanup_buf_ struct buf b = { 0 };

	buf_addf(&b, "format %d\nkind %s\narchitecture %s\nsuite %s\n", FORMAT, k->kind,
		 k->architecture, k->suite);
	add_all(&b, "lower", k->lowers);
	add_all(&b, "package", packages);
	if (k->recipe) {
		add_all(&b, "locale", k->recipe->locales);
		add_all(&b, "command", k->recipe->commands);
	}
	if (k->files) {
		_cleanup_free_ char *digest = sha256_hex(k->files, strlen(k->files));

		buf_addf(&b, "files %s\n", digest);
	}
	return sha256_hex(b.data, b.size);
}
