#include "app/fragments.h"

#include <fcntl.h>

#include "base/buf.h"
#include "base/fs.h"

#define FRAGMENT_MAX 65536U

int fragments_read(const char *const *names, char **ret, struct error **err)
{
	_cleanup_buf_ struct buf text = { 0 };

	for (; *names; names++) {
		_cleanup_free_ char *path = xasprintf(VITRINE_DATA_DIR "/lxc-configs/%s", *names),
				    *fragment = NULL;
		int r = fs_read(AT_FDCWD, path, FRAGMENT_MAX, &fragment, NULL, err);

		if (r < 0)
			return r;
		buf_adds(&text, fragment);
	}
	*ret = buf_take(&text);
	return 0;
}
