#pragma once

/*
 * A system call policy for who watches instead of only denying: its rules with the numbers of their
 * calls, which vitrine-filter knows (emit/seccomp.h). The supervisor renders the filter of it, and
 * vitrine-watch decides what that filter tells of. Pure, and without libseccomp. Of 32-bit programs
 * it knows nothing: all their calls are denied.
 *
 * The filter allows what the policy allows, and has everything else told (SECCOMP_RET_USER_NOTIF);
 * with WATCH_LEARN some calls more, since they show what an application needs: connections,
 * programs, files that are opened for writing. What is told is decided by watch_decide(), with the
 * same result as the compiled policy.
 *
 * To let a call go on after it was looked at (SECCOMP_USER_NOTIF_FLAG_CONTINUE) is never a decision
 * about security: the process can change what its arguments point to. Where that would matter the
 * call is on the list of watch_never(), which is decided by number and arguments alone.
 */

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "emit/policy.h"

#define WATCH_FILE_MAX	 (4U << 20)
#define WATCH_ORIGIN_MAX 255U
#define WATCH_NUMBER_MAX 4095U /* of a call */
#define WATCH_NO_NUMBER	 UINT32_MAX

enum watch_mode {
	WATCH_TRACE, /* what is denied is denied, and told */
	WATCH_LEARN, /* what is denied is told and goes on, but for what no application needs */
	WATCH_MODE_MAX,
};

struct watch_rule {
	uint32_t number;
	struct policy_rule rule;
	bool never;   /* no profile can allow the call */
	char *origin; /* "FILE:LINE" */
};

struct watch_policy {
	uint32_t arch; /* AUDIT_ARCH_X of the numbers; what is of another one answers ENOSYS */
	struct watch_rule *rules;
	size_t n;
};

/* What becomes of a call. */
struct watch_decision {
	int error;		       /* 0: allowed */
	const struct watch_rule *rule; /* that says so; NULL: there is none, hence ENOSYS */
};

struct watch_decision watch_decide(const struct watch_policy *p, const struct seccomp_data *call);

/* Is it denied while learning too, and never proposed, whatever the policy says of it? */
bool watch_never(const struct watch_policy *p, const struct seccomp_data *call);

/* Appends a filter file (emit/filter.h) with one program. -E2BIG where the kernel takes none of
 * that size. */
int watch_filter_render(const struct watch_policy *p, enum watch_mode mode, struct buf *ret,
			struct error **err);

/* The name of a call as the policy has it, or NULL. */
const char *watch_name(const struct watch_policy *p, uint32_t number);

/* Which arguments of the call its rules look at: a set of bits. */
unsigned watch_arguments(const struct watch_policy *p, uint32_t number);

/* Of a policy and what vitrine-filter --numbers has said of it. */
int watch_policy_make(const struct policy *p, const void *numbers, size_t size,
		      struct watch_policy *ret, struct error **err);

/* One rule more; `origin` is copied. */
void watch_policy_add(struct watch_policy *p, uint32_t number, const struct policy_rule *rule,
		      bool never, const char *origin);

/* The file (base/wire.h), made together with who reads it. */
void watch_policy_write(const struct watch_policy *p, struct buf *ret);
int watch_policy_read(const void *data, size_t size, struct watch_policy *ret, struct error **err);
void watch_policy_release(struct watch_policy *p);
