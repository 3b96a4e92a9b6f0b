#pragma once

/*
 * What a profile file says, and nothing else: no defaults of the host, no decisions. The key table
 * in keys.c is the one truth.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

#define PROFILE_LIST_MAX 256U /* values of one list key */
#define PROFILE_SUFFIX	 ".vitrine"

enum display_backend {
	DISPLAY_NONE,	/* no display at all */
	DISPLAY_XPRA,	/* windows of their own on the desktop */
	DISPLAY_XEPHYR, /* one window that holds a whole screen: one box less between */
	DISPLAY_BACKEND_MAX,
};

enum display_viewer {
	VIEWER_BOX,  /* xpra's client in a box of its own */
	VIEWER_HOST, /* the host's own xpra */
	VIEWER_MAX,
};

enum clipboard {
	CLIPBOARD_NONE,
	CLIPBOARD_TO_DESKTOP, /* the application may offer, not read */
	CLIPBOARD_TO_SANDBOX, /* the application may read, not offer */
	CLIPBOARD_BOTH,
	CLIPBOARD_MAX,
};

enum network_mode {
	NETWORK_NONE,	 /* not even the desktop's loopback */
	NETWORK_PRIVATE, /* own stack, outgoing only */
	NETWORK_MODE_MAX,
};

enum root_mode {
	ROOT_READ_ONLY,
	ROOT_WRITABLE, /* a throw-away upper layer */
	ROOT_MODE_MAX,
};

enum home_mode {
	HOME_EMPTY,
	HOME_PREPARED, /* a copy of a tree of the user's (session/homes.h) */
	HOME_KEPT,     /* the same for every sandbox of the profile, one at a time */
	HOME_MODE_MAX,
};

enum file_arguments {
	FILE_ARGUMENTS_NONE, /* words of the command line are data */
	FILE_ARGUMENTS_READ_ONLY,
	FILE_ARGUMENTS_READ_WRITE,
	FILE_ARGUMENTS_MAX,
};

enum uid_mode {
	UID_ISOLATED, /* a subordinate id that nobody else has */
	UID_USER,     /* the user's own */
	UID_MODE_MAX,
};

enum viewer_lost {
	VIEWER_LOST_END,
	VIEWER_LOST_KEEP, /* until `vitrine attach` */
	VIEWER_LOST_MAX,
};

enum seccomp_answer {
	SECCOMP_ANSWER_ERRNO,
	SECCOMP_ANSWER_KILL,
	SECCOMP_ANSWER_LOG, /* as errno, and the kernel logs it */
	SECCOMP_ANSWER_MAX,
};

enum seccomp_abi {
	SECCOMP_ABI_NATIVE,
	SECCOMP_ABI_I386, /* programs of 32 bits, too */
	SECCOMP_ABI_MAX,
};

/* Where a key was set last. */
struct profile_origin {
	const char *file; /* one of profile.files; NULL: it has its fallback */
	unsigned line;
};

struct profile {
	char *name;	/* the file's name without its suffix */
	char **files;	/* that it was read from, the weakest first */
	char **parents; /* names of those that it inherits from, the nearest first */
	bool by_path;	/* the user named its file */
	struct profile_origin *origins; /* one for each key, in the order of the table */

	/* [App] */
	char *command;	  /* program, found in the image's PATH */
	char **arguments; /* before those of the command line */
	char **aliases;	  /* other names for `vitrine run` */
	char *image;
	char **packages;      /* of Debian, that the image must have */
	char *title;	      /* shown in the window's label; default: name */
	bool single_instance; /* a second run hands its files to the first */

	/* [Files] */
	enum root_mode root;
	enum home_mode home;
	char **kept; /* directories beneath a throw-away home that are not thrown away */
	enum file_arguments file_arguments; /* what words that name files give */
	char **read_only;		    /* paths of the host, as written: profile/host-path.h */
	char **read_write;

	/* [Exec] */
	bool writable_mounts; /* may programs on writable mounts be executed? */

	/* [Display] */
	enum display_backend display;
	enum display_viewer viewer;
	enum clipboard clipboard;
	char *border; /* #rrggbb */
	char *screen; /* Xephyr: WIDTHxHEIGHT */

	/* [Sound] */
	bool playback;

	/* [Network] */
	enum network_mode network;

	/* [Bus]: of the desktop's session bus, as xdg-dbus-proxy(1) takes them */
	char **bus_talk; /* names, or "NAME.*" */
	char **bus_own;
	char **bus_call; /* NAME=RULE */
	char **bus_broadcast;

	/* [Seccomp] */
	char *seccomp_policy; /* name of a policy in seccomp-policies/ */
	char **seccomp_allow; /* rules over it: emit/policy.h */
	char **seccomp_deny;  /* these come last and win */
	enum seccomp_answer seccomp_answer;
	enum seccomp_abi seccomp_abi;
	uint32_t user_namespaces; /* that may exist in the box at a time */

	/* [Limits] */
	uint64_t disk;	 /* bytes of all throw-away files together */
	uint32_t inodes; /* and how many of them */
	/* of the application's box; 0: no limit */
	uint64_t memory;     /* bytes */
	uint32_t tasks;	     /* processes and threads */
	uint32_t cpu;	     /* percent of one processor */
	uint64_t io;	     /* bytes per second, read and written, on each disk */
	uint32_t open_files; /* of each process */
	bool limits_required;

	/* [AppArmor] */
	bool apparmor_required; /* no start on a kernel that has none */

	/* [Identity] */
	enum uid_mode uid_mode;
	char *host_name; /* "host": as outside; NULL: the profile's name */
	char *time_zone; /* "host", or as in /usr/share/zoneinfo */
	char *locale;	 /* "host", or as setlocale(3) takes it */

	/* [Environment] */
	char **environment; /* NAME=VALUE */

	/* [Session] */
	enum viewer_lost viewer_lost;
	uint32_t lifetime; /* seconds until the sandbox is ended; 0: no limit */

	/* [Test]: how it is checked that the application works; gives nothing (profile/step.h) */
	char **test_files;     /* names of samples */
	char **test_arguments; /* before those */
	char *test_window;     /* a title; '*' stands for any text */
	char **test_steps;
	uint32_t test_timeout; /* seconds */
};

/* A profile in which every key has its fallback, the strictest value. */
struct profile *profile_new(const char *name);

/* Reads one file over what `p` has: single keys replace, lists append, an empty value brings the
 * fallback back. `file` is for messages ("file:line: ..."). Unknown keys, bad values, duplicates
 * and wrong sections are errors. After an error `p` is only good for profile_free(). */
int profile_add(struct profile *p, const char *text, size_t size, const char *file,
		struct error **err);

/* The value of Inherit= in a file, or NULL where it has none. The file need not be valid. */
int profile_inherits(const char *text, size_t size, const char *file, char **ret,
		     struct error **err);

/* Gives the keys that are not inherited their fallbacks. */
void profile_disown(struct profile *p);

/* Is all there that a profile needs? */
int profile_check(const struct profile *p, struct error **err);

/* Reads a profile that consists of this one text. Inherit= is refused: see profile/load.h. */
int profile_read(const char *text, size_t size, const char *file, const char *name,
		 struct profile **ret, struct error **err);

/* The text of a profile that reads back to the same profile. Owned by the caller. */
char *profile_write(const struct profile *p);

struct profile *profile_free(struct profile *p);

static inline void profile_freep(struct profile **p)
{
	profile_free(*p);
}

/* Names as in the file; the text of from_string functions comes from a command line: -EINVAL. */
const char *display_backend_to_string(enum display_backend v);
const char *display_viewer_to_string(enum display_viewer v);
const char *clipboard_to_string(enum clipboard v);
const char *network_mode_to_string(enum network_mode v);
const char *root_mode_to_string(enum root_mode v);
const char *home_mode_to_string(enum home_mode v);
const char *file_arguments_to_string(enum file_arguments v);
const char *uid_mode_to_string(enum uid_mode v);
const char *viewer_lost_to_string(enum viewer_lost v);
const char *seccomp_answer_to_string(enum seccomp_answer v);
const char *seccomp_abi_to_string(enum seccomp_abi v);
int display_backend_from_string(const char *s, enum display_backend *ret);
int network_mode_from_string(const char *s, enum network_mode *ret);
