#include "cli/show-key.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/cli.h"
#include "profile/keys.h"

static const struct key *find(const char *name, struct error **err)
{
	const char *dot = strchr(name, '.');
	_cleanup_free_ char *section = xstrndup(name, dot ? (size_t)(dot - name) : 0);
	_cleanup_free_ char *shown = text_escape(name, 64);
	const struct key *k = dot ? key_find(section, dot + 1) : NULL;

	if (k && key_is_supported(k))
		return k;
	if (k)
		error_set(err, EINVAL, "%s= is not supported in this version", k->name);
	else
		error_set(err, EINVAL, "there is no key '%s': see 'vitrine profile keys'", shown);
	return NULL;
}

int show_key(const struct profile *p, const char *name)
{
	_cleanup_buf_ struct buf lines = { 0 }, values = { 0 };
	struct error *error = NULL;
	const struct key *k = find(name, &error);

	if (!k)
		return cli_fail(error, EXIT_USAGE);
	k->type->write(k, key_value(k, p), &lines);
	/* Lines of "Key=value", and no value has a newline. */
	for (const char *line = lines.data; line && *line; line = strchr(line, '\n') + 1)
		buf_add(&values, line + strlen(k->name) + 1, strcspn(line, "\n") - strlen(k->name));
	return cli_print(values.data ? values.data : "");
}
