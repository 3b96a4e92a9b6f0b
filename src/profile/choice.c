#include "profile/choice.h"

#include <string.h>

const char *const display_backend_names[] = {
	[DISPLAY_NONE] = "none",
	[DISPLAY_XPRA] = "xpra",
	[DISPLAY_XEPHYR] = "xephyr",
	NULL,
};

const char *const display_viewer_names[] = {
	[VIEWER_BOX] = "box",
	[VIEWER_HOST] = "host",
	NULL,
};

const char *const clipboard_names[] = {
	[CLIPBOARD_NONE] = "none",
	[CLIPBOARD_TO_DESKTOP] = "to-desktop",
	[CLIPBOARD_TO_SANDBOX] = "to-sandbox",
	[CLIPBOARD_BOTH] = "both",
	NULL,
};

const char *const network_mode_names[] = {
	[NETWORK_NONE] = "none",
	[NETWORK_PRIVATE] = "private",
	NULL,
};

const char *const root_mode_names[] = {
	[ROOT_READ_ONLY] = "read-only",
	[ROOT_WRITABLE] = "writable",
	NULL,
};

const char *const home_mode_names[] = {
	[HOME_EMPTY] = "empty",
	[HOME_PREPARED] = "prepared",
	[HOME_KEPT] = "kept",
	NULL,
};

const char *const file_arguments_names[] = {
	[FILE_ARGUMENTS_NONE] = "none",
	[FILE_ARGUMENTS_READ_ONLY] = "read-only",
	[FILE_ARGUMENTS_READ_WRITE] = "read-write",
	NULL,
};

const char *const uid_mode_names[] = {
	[UID_ISOLATED] = "isolated",
	[UID_USER] = "user",
	NULL,
};

const char *const viewer_lost_names[] = {
	[VIEWER_LOST_END] = "end",
	[VIEWER_LOST_KEEP] = "keep",
	NULL,
};

const char *const seccomp_answer_names[] = {
	[SECCOMP_ANSWER_ERRNO] = "errno",
	[SECCOMP_ANSWER_KILL] = "kill",
	[SECCOMP_ANSWER_LOG] = "log",
	NULL,
};

const char *const seccomp_abi_names[] = {
	[SECCOMP_ABI_NATIVE] = "native",
	[SECCOMP_ABI_I386] = "i386",
	NULL,
};

int choice_find(const char *const *names, const char *s)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(names[i], s))
			return i;
	return -EINVAL;
}

const char *display_backend_to_string(enum display_backend v)
{
	return display_backend_names[v];
}

const char *display_viewer_to_string(enum display_viewer v)
{
	return display_viewer_names[v];
}

const char *clipboard_to_string(enum clipboard v)
{
	return clipboard_names[v];
}

const char *network_mode_to_string(enum network_mode v)
{
	return network_mode_names[v];
}

const char *root_mode_to_string(enum root_mode v)
{
	return root_mode_names[v];
}

const char *home_mode_to_string(enum home_mode v)
{
	return home_mode_names[v];
}

const char *file_arguments_to_string(enum file_arguments v)
{
	return file_arguments_names[v];
}

const char *uid_mode_to_string(enum uid_mode v)
{
	return uid_mode_names[v];
}

const char *viewer_lost_to_string(enum viewer_lost v)
{
	return viewer_lost_names[v];
}

const char *seccomp_answer_to_string(enum seccomp_answer v)
{
	return seccomp_answer_names[v];
}

const char *seccomp_abi_to_string(enum seccomp_abi v)
{
	return seccomp_abi_names[v];
}

int display_backend_from_string(const char *s, enum display_backend *ret)
{
	int i = choice_find(display_backend_names, s);

	if (i >= 0)
		*ret = (enum display_backend)i;
	return i < 0 ? i : 0;
}

int network_mode_from_string(const char *s, enum network_mode *ret)
{
	int i = choice_find(network_mode_names, s);

	if (i >= 0)
		*ret = (enum network_mode)i;
	return i < 0 ? i : 0;
}
