#include "emit/policy-load.h"

#include "base/fs.h"
#include "base/text.h"
#include "emit/policy-read.h"

static int read_file(void *user, const char *name, char **ret, size_t *ret_size, struct error **err)
{
	_cleanup_free_ char *file = xasprintf("%s.policy", name);
	const int *directory = user;

	return fs_read(*directory, file, POLICY_FILE_MAX, ret, ret_size, err);
}

int policy_load(int directory, const char *name, struct policy **ret, struct error **err)
{
	_cleanup_free_ char *file = xasprintf("%s.policy", name), *text = NULL;
	const struct policy_files files = { .read = read_file, .user = &directory };
	size_t size;
	int r;

	if (!name_is_valid(name))
		return error_set(err, EINVAL, "not the name of a policy");
	r = read_file(&directory, name, &text, &size, err);
	return r < 0 ? r : policy_read(text, size, file, &files, ret, err);
}
