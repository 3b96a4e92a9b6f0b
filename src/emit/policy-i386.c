#include "emit/policy-i386.h"

#include <string.h>

/* Calls of i386 that are decided by a call of x86_64. Its rules hold as far as they are about the
 * first arguments, which are the same in both; otherwise it is denied. */
static const struct twin {
	const char *i386, *native;
	size_t same; /* arguments */
} twins[] = {
	/* clang-format off */
	{ "_llseek", "lseek", 1 },
	{ "_newselect", "select", 6 },
	{ "chown32", "chown", 6 },
	{ "clock_adjtime64", "clock_adjtime", 6 },
	{ "clock_getres_time64", "clock_getres", 6 },
	{ "clock_gettime64", "clock_gettime", 6 },
	{ "clock_nanosleep_time64", "clock_nanosleep", 6 },
	{ "clock_settime64", "clock_settime", 6 },
	{ "clone", "clone", 3 },
	{ "fadvise64", "fadvise64", 1 },
	{ "fadvise64_64", "fadvise64", 1 },
	{ "fallocate", "fallocate", 2 },
	{ "fanotify_mark", "fanotify_mark", 2 },
	{ "fchown32", "fchown", 6 },
	{ "fcntl64", "fcntl", 6 },
	{ "fstat64", "fstat", 6 },
	{ "fstatat64", "newfstatat", 6 },
	{ "fstatfs64", "fstatfs", 1 },
	{ "ftruncate64", "ftruncate", 1 },
	{ "futex_time64", "futex", 6 },
	{ "get_thread_area", "arch_prctl", 0 },
	{ "getegid32", "getegid", 6 },
	{ "geteuid32", "geteuid", 6 },
	{ "getgid32", "getgid", 6 },
	{ "getgroups32", "getgroups", 6 },
	{ "getresgid32", "getresgid", 6 },
	{ "getresuid32", "getresuid", 6 },
	{ "getuid32", "getuid", 6 },
	{ "io_pgetevents_time64", "io_pgetevents", 6 },
	{ "lchown32", "lchown", 6 },
	{ "lookup_dcookie", "lookup_dcookie", 0 },
	{ "lstat64", "lstat", 6 },
	{ "mmap", "mmap", 0 },
	{ "mmap2", "mmap", 5 },
	{ "mq_timedreceive_time64", "mq_timedreceive", 6 },
	{ "mq_timedsend_time64", "mq_timedsend", 6 },
	{ "nice", "setpriority", 0 },
	{ "oldfstat", "fstat", 6 },
	{ "oldlstat", "lstat", 6 },
	{ "oldolduname", "uname", 6 },
	{ "oldstat", "stat", 6 },
	{ "olduname", "uname", 6 },
	{ "ppoll_time64", "ppoll", 6 },
	{ "pread64", "pread64", 3 },
	{ "preadv", "preadv", 3 },
	{ "preadv2", "preadv2", 3 },
	{ "pselect6_time64", "pselect6", 6 },
	{ "pwrite64", "pwrite64", 3 },
	{ "pwritev", "pwritev", 3 },
	{ "pwritev2", "pwritev2", 3 },
	{ "quotactl", "quotactl", 6 },
	{ "readahead", "readahead", 1 },
	{ "readdir", "getdents", 2 },
	{ "recvmmsg_time64", "recvmmsg", 6 },
	{ "rt_sigtimedwait_time64", "rt_sigtimedwait", 6 },
	{ "sched_rr_get_interval_time64", "sched_rr_get_interval", 6 },
	{ "select", "select", 0 },
	{ "semtimedop_time64", "semtimedop", 6 },
	{ "sendfile64", "sendfile", 6 },
	{ "set_thread_area", "arch_prctl", 0 },
	{ "setfsgid32", "setfsgid", 6 },
	{ "setfsuid32", "setfsuid", 6 },
	{ "setgid32", "setgid", 6 },
	{ "setgroups32", "setgroups", 6 },
	{ "setregid32", "setregid", 6 },
	{ "setresgid32", "setresgid", 6 },
	{ "setresuid32", "setresuid", 6 },
	{ "setreuid32", "setreuid", 6 },
	{ "setuid32", "setuid", 6 },
	{ "sgetmask", "rt_sigprocmask", 0 },
	{ "sigaction", "rt_sigaction", 3 },
	{ "signal", "rt_sigaction", 1 },
	{ "sigpending", "rt_sigpending", 1 },
	{ "sigprocmask", "rt_sigprocmask", 3 },
	{ "sigreturn", "rt_sigreturn", 0 },
	{ "sigsuspend", "rt_sigsuspend", 0 },
	{ "ssetmask", "rt_sigprocmask", 0 },
	{ "stat64", "stat", 6 },
	{ "statfs64", "statfs", 1 },
	{ "stime", "settimeofday", 0 },
	{ "sync_file_range", "sync_file_range", 1 },
	{ "timer_gettime64", "timer_gettime", 6 },
	{ "timer_settime64", "timer_settime", 6 },
	{ "timerfd_gettime64", "timerfd_gettime", 6 },
	{ "timerfd_settime64", "timerfd_settime", 6 },
	{ "truncate64", "truncate", 1 },
	{ "ugetrlimit", "getrlimit", 6 },
	{ "umount", "umount2", 1 },
	{ "utimensat_time64", "utimensat", 6 },
	{ "waitpid", "wait4", 3 },
	/* clang-format on */
};

/* A call that stands for others. */
static const struct multiplexer {
	const char *name;
	bool stated; /* allowed only where a rule names it: its parts have rules for arguments */
	const char *parts[24];
} multiplexers[] = {
	/* clang-format off */
	{ "ipc", false,
	  { "msgctl", "msgget", "msgrcv", "msgsnd", "semctl", "semget", "semop", "semtimedop",
	    "shmat", "shmctl", "shmdt", "shmget" } },
	{ "socketcall", true,
	  { "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt",
	    "listen", "recvfrom", "recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto",
	    "setsockopt", "shutdown", "socket", "socketpair" } },
	/* clang-format on */
};

static const struct twin *find_twin(const char *i386)
{
	for (size_t i = 0; i < ARRAY_SIZE(twins); i++)
		if (!strcmp(twins[i].i386, i386))
			return &twins[i];
	return NULL;
}

static const struct multiplexer *find_multiplexer(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(multiplexers); i++)
		if (!strcmp(multiplexers[i].name, name))
			return &multiplexers[i];
	return NULL;
}

bool policy_is_multiplexer(const char *name)
{
	return find_multiplexer(name) != NULL;
}

/* Once: rules can become the same when conditions are taken away. */
static void add(struct policy *p, const struct policy_rule *r)
{
	for (size_t i = 0; i < p->n_rules; i++)
		if (!strcmp(p->rules[i].name, r->name) && p->rules[i].allow == r->allow &&
		    policy_rule_same_conditions(&p->rules[i], r))
			return;
	p->rules = xreallocarray(p->rules, p->n_rules + 1, sizeof *p->rules);
	p->rules[p->n_rules++] = *r;
}

/* Arguments have 32 bits here. Takes away a condition that always holds; false: never holds. */
static bool narrow(struct policy_rule *r)
{
	for (size_t i = 0; i < POLICY_ARGS; i++) {
		if (!r->has_condition[i] || r->conditions[i].value <= UINT32_MAX)
			continue;
		if (r->conditions[i].how != POLICY_LT)
			return false;
		r->has_condition[i] = false;
	}
	return true;
}

/* Otherwise some rule is about an argument that is another one here. */
static bool is_exact(const struct policy *p, const struct twin *twin)
{
	for (size_t i = 0; i < p->n_rules; i++)
		for (size_t j = twin->same; j < POLICY_ARGS; j++)
			if (!strcmp(p->rules[i].name, twin->native) && p->rules[i].has_condition[j])
				return false;
	return true;
}

static void add_twin(struct policy *out, const struct policy *p, const struct twin *twin)
{
	if (!is_exact(p, twin))
		return;
	for (size_t i = 0; i < p->n_rules; i++) {
		struct policy_rule r = p->rules[i];

		if (strcmp(r.name, twin->native) || !narrow(&r))
			continue;
		memcpy(r.name, twin->i386, strlen(twin->i386) + 1);
		r.optional = true;
		add(out, &r);
	}
}

static bool has_conditions(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_rules; i++)
		if (!strcmp(p->rules[i].name, name) && policy_rule_has_conditions(&p->rules[i]))
			return true;
	return false;
}

/* All of its parts, or nothing. */
static bool is_allowed(const struct policy *p, const struct multiplexer *m)
{
	if (m->stated && (!policy_allows_call(p, m->name) || has_conditions(p, m->name)))
		return false;
	for (const char *const *part = m->parts; *part; part++)
		if (!policy_allows_call(p, *part) || (!m->stated && has_conditions(p, *part)))
			return false;
	return true;
}

static bool is_part(const struct multiplexer *m, const char *name)
{
	for (const char *const *part = m->parts; *part; part++)
		if (!strcmp(*part, name))
			return true;
	return false;
}

static void add_multiplexer(struct policy *out, const struct policy *p, const struct multiplexer *m)
{
	struct policy_rule r = { .optional = true, .error = POLICY_ERRNO_OTHERS, .file = "" };

	memcpy(r.name, m->name, strlen(m->name) + 1);
	r.allow = is_allowed(p, m);
	if (r.allow)
		r.error = 0;
	add(out, &r);
}

/* What a multiplexer lets through cannot be denied by the direct call. */
static bool is_vain(const struct policy *p, const struct policy_rule *r)
{
	if (r->allow || !policy_rule_has_conditions(r))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(multiplexers); i++)
		if (is_part(&multiplexers[i], r->name) && is_allowed(p, &multiplexers[i]))
			return true;
	return false;
}

struct policy *policy_for_i386(const struct policy *p)
{
	struct policy *out = xcalloc(1, sizeof *out);

	out->answer = p->answer;
	for (size_t i = 0; i < p->n_rules; i++) {
		struct policy_rule r = p->rules[i];

		if (find_twin(r.name) || policy_is_multiplexer(r.name) || is_vain(p, &r) ||
		    !narrow(&r))
			continue;
		add(out, &r);
	}
	for (size_t i = 0; i < ARRAY_SIZE(twins); i++)
		add_twin(out, p, &twins[i]);
	for (size_t i = 0; i < ARRAY_SIZE(multiplexers); i++)
		add_multiplexer(out, p, &multiplexers[i]);
	return out;
}
