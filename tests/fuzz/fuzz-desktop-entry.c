/* Whatever the file says, a command is words that a profile can have. */

#include <string.h>

#include "app/desktop-entry.h"
#include "base/text.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *)data, size);
	struct desktop_entry e = { 0 };

	if (!desktop_entry_read(text, &e)) {
		must(!e.command && !e.name);
		return 0;
	}
	must(e.command && e.command[0] && *e.command[0] != '-');
	for (char **word = e.command; *word; word++) {
		must(**word && text_is_clean(*word));
		must(!strpbrk(*word, " \"'\\`$%"));
	}
	must(!e.name || (*e.name && text_is_clean(e.name)));
	desktop_entry_release(&e);
	return 0;
}
