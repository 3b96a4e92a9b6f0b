#pragma once

/*
 * A line of the kernel's audit log that tells what AppArmor has denied, in either of its forms:
 *
 *   type=AVC msg=audit(1690000000.123:45): apparmor="DENIED" operation="open" ...
 *   audit: type=1400 audit(1690000000.123:45): apparmor="DENIED" operation="open" ...
 *
 * Pure. What a program has chosen (names, its own name) the kernel writes in quotation marks, or as
 * hexadecimal digits where it has other bytes than printable ASCII or a quotation mark
 * (audit_log_untrustedstring(), kernel/audit.c); so nothing in it is taken for another field.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DENIAL_LINE_MAX 16384U /* what is behind that is not looked at */
#define DENIAL_NO_ID	UINT64_MAX

/* Strings may hold any byte but NUL; NULL: the line does not have it. */
struct denial {
	uint64_t time_ms; /* since 1970 */
	uint64_t serial;  /* of the event: other lines about it have the same; time and serial are 0
			     where the line has none */
	uint64_t pid;	  /* as the host sees it; these are DENIAL_NO_ID where the line has none */
	uint64_t uid;	  /* of the process, for the use of files, as the host sees it */
	char *operation;  /* "open", "exec", "ptrace", ... */
	char *profile, *policy; /* the label; the policy namespace that it is in */
	char *name;		/* what it was about: mostly a path */
	char *target;		/* the other path of a link or mount, the profile to change to */
	char *program;
	char *mask;	  /* what of it was denied: letters of rules (apparmor.d(5)) or words */
	char *peer;	  /* the label of the other process */
	char *capability; /* its name */
	char *family;	  /* of a socket */
	char *signal;
	char *info;
};

#define DENIAL_NONE ((struct denial){ .pid = DENIAL_NO_ID, .uid = DENIAL_NO_ID })

void denial_release(struct denial *d);

/* True, and *ret is the caller's, if it is such a line. Bytes that are not from the kernel do no
 * harm. */
bool denial_parse(const char *line, size_t size, struct denial *ret);

/* The line that tells, in audit.log, which process made the system call of an event. */
bool denial_parse_caller(const char *line, size_t size, uint64_t *ret_serial, uint64_t *ret_uid);

/* One line of text about it: what was done, to what, by whom, which profile denied it. Without a
 * newline, safe for a terminal. Owned by the caller. */
char *denial_describe(const struct denial *d);

/* As an object; bytes that are not UTF-8 are escaped (text_escape()). The caller's. */
json_t *denial_to_json(const struct denial *d);
