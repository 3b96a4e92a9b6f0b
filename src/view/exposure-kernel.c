#include <string.h>

#include "view/exposure-rows.h"

static bool has_usual_policy(const struct view *v)
{
	return !strcmp(v->profile->seccomp_policy, key_find("Seccomp", "Policy")->fallback);
}

static unsigned measure_policy(const struct view *v)
{
	return has_usual_policy(v) ? 0 : EXPOSURE_WHOLE;
}

static bool tell_policy(const struct view *v, struct buf *out)
{
	bool usual = has_usual_policy(v);

	buf_addf(out, "It can%s call what the policy '%s' of system calls %s.", usual ? "not" : "",
		 v->profile->seccomp_policy,
		 usual ? "leaves out: only what desktop applications need is left"
		       : "allows, which is not the one that others have");
	return !usual;
}

static unsigned measure_allow(const struct view *v)
{
	return exposure_of_list(v->profile->seccomp_allow);
}

static bool tell_allow(const struct view *v, struct buf *out)
{
	if (!v->profile->seccomp_allow) {
		buf_adds(out, "It cannot make any system call beyond that policy.");
		return false;
	}
	buf_adds(out, "It can make these system calls beyond that policy: ");
	tell_list(v->profile->seccomp_allow, out);
	buf_adds(out, ".");
	return true;
}

/* The fewer are denied, the more is given. */
static unsigned measure_deny(const struct view *v)
{
	return EXPOSURE_WHOLE - exposure_of_list(v->profile->seccomp_deny);
}

static bool tell_deny(const struct view *v, struct buf *out)
{
	if (!v->profile->seccomp_deny) {
		buf_adds(out, "It can make every system call of that policy: none is denied.");
		return true;
	}
	buf_adds(out, "It cannot make these system calls, whatever the policy allows: ");
	tell_list(v->profile->seccomp_deny, out);
	buf_adds(out, ".");
	return false;
}

static unsigned measure_abi(const struct view *v)
{
	return v->profile->seccomp_abi == SECCOMP_ABI_NATIVE ? 0 : EXPOSURE_WHOLE;
}

static bool tell_abi(const struct view *v, struct buf *out)
{
	bool both = v->profile->seccomp_abi != SECCOMP_ABI_NATIVE;

	buf_adds(out, both ? "It can use the system calls of 32-bit programs, too."
			   : "It cannot use the system calls of 32-bit programs.");
	return both;
}

static unsigned measure_namespaces(const struct view *v)
{
	uint32_t n = v->profile->user_namespaces;

	return n ? 700 + exposure_of_amount(n, 1, 1024) * 3 / 10 : 0;
}

static bool tell_namespaces(const struct view *v, struct buf *out)
{
	uint32_t n = v->profile->user_namespaces;

	if (!n) {
		buf_adds(out, "It cannot make user namespaces, in which it would be root.");
		return false;
	}
	buf_addf(out,
		 "It can make up to %u user namespaces, and use what the kernel lets root of "
		 "one do.",
		 n);
	return true;
}

static unsigned measure_required(const struct view *v)
{
	if (v->profile->apparmor_required)
		return 0;
	return view_app(v)->floor ? 200 : EXPOSURE_WHOLE;
}

static bool tell_required(const struct view *v, struct buf *out)
{
	if (v->profile->apparmor_required)
		buf_adds(out, "It cannot start without AppArmor.");
	else if (view_app(v)->floor)
		buf_adds(out, "It can start without AppArmor, which confines it here.");
	else
		buf_adds(out, "It can start without AppArmor, as on this machine.");
	return !v->profile->apparmor_required;
}

static unsigned measure_writable(const struct view *v)
{
	return v->profile->writable_mounts ? EXPOSURE_WHOLE : 0;
}

static bool tell_writable(const struct view *v, struct buf *out)
{
	bool can = v->profile->writable_mounts;

	buf_adds(out, can ? "It can start programs that it has written or downloaded."
			  : "It cannot start programs that it has written or downloaded.");
	return can;
}

static unsigned measure_root(const struct view *v)
{
	return view_app(v)->root_writable ? EXPOSURE_WHOLE : 0;
}

static bool tell_root(const struct view *v, struct buf *out)
{
	bool can = view_app(v)->root_writable;

	buf_adds(out, can ? "It can change the system that it sees; the changes are gone when it "
			    "ends."
			  : "It cannot change the system that it sees.");
	return can;
}

static bool tell_capabilities(const struct view *v, struct buf *out)
{
	(void)v;
	buf_adds(out, "It cannot become root, gain a capability, or see other processes than its "
		      "own.");
	return false;
}

static const struct exposure rows[] = {
	/* clang-format off */
	{ "Seccomp",  "Policy",         FEAR_KERNEL, 10, measure_policy,     tell_policy },
	{ "Seccomp",  "Allow",          FEAR_KERNEL, 15, measure_allow,      tell_allow },
	{ "Seccomp",  "Deny",           FEAR_KERNEL, 1,  measure_deny,       tell_deny },
	{ "Seccomp",  "Abi",            FEAR_KERNEL, 8,  measure_abi,        tell_abi },
	{ "Seccomp",  "UserNamespaces", FEAR_KERNEL, 25, measure_namespaces, tell_namespaces },
	{ "AppArmor", "Required",       FEAR_KERNEL, 6,  measure_required,   tell_required },
	{ "Exec",     "WritableMounts", FEAR_KERNEL, 10, measure_writable,   tell_writable },
	{ "Files",    "Root",           FEAR_KERNEL, 4,  measure_root,       tell_root },
	{ NULL,       NULL,             FEAR_KERNEL, 0,  NULL,               tell_capabilities },
	/* clang-format on */
};

const struct exposure_part exposures_of_kernel = { rows, ARRAY_SIZE(rows) };
