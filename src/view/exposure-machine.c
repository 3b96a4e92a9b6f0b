#include "view/exposure-rows.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* A limit that this machine cannot enforce is none. */
static bool is_missing(const struct view *v, enum limit l)
{
	return v->plan->limits.missing & 1U << l;
}

static bool tell_limit(const struct view *v, enum limit l, const char *key, bool is_limited,
		       const char *what, struct buf *out)
{
	if (!is_limited) {
		buf_addf(out, "It can use %s without a limit.", what);
		return true;
	}
	buf_addf(out, "It %s use more %s than ", is_missing(v, l) ? "can" : "cannot", what);
	tell_value(v, "Limits", key, out);
	buf_adds(out, is_missing(v, l) ? ": this machine cannot enforce the limit." : ".");
	return is_missing(v, l);
}

static unsigned measure_disk(const struct view *v)
{
	return exposure_of_amount(v->plan->disk, MIB, 64 * GIB);
}

static bool tell_disk(const struct view *v, struct buf *out)
{
	buf_adds(out, "It cannot write more than ");
	tell_value(v, "Limits", "Disk", out);
	buf_adds(out, " of throw-away files, which are in memory.");
	return false;
}

static unsigned measure_inodes(const struct view *v)
{
	return exposure_of_amount(v->plan->inodes, 1024, 16777216);
}

static bool tell_inodes(const struct view *v, struct buf *out)
{
	buf_adds(out, "It cannot make more throw-away files than ");
	tell_value(v, "Limits", "Inodes", out);
	buf_adds(out, ".");
	return false;
}

static unsigned measure_memory(const struct view *v)
{
	return exposure_of_amount(is_missing(v, LIMIT_MEMORY) ? 0 : v->profile->memory, 64 * MIB,
				  1024 * GIB);
}

static bool tell_memory(const struct view *v, struct buf *out)
{
	return tell_limit(v, LIMIT_MEMORY, "Memory", v->profile->memory, "memory", out);
}

static unsigned measure_tasks(const struct view *v)
{
	return exposure_of_amount(is_missing(v, LIMIT_TASKS) ? 0 : v->profile->tasks, 32, 4194304);
}

static bool tell_tasks(const struct view *v, struct buf *out)
{
	return tell_limit(v, LIMIT_TASKS, "Tasks", v->profile->tasks, "processes and threads", out);
}

static unsigned measure_cpu(const struct view *v)
{
	return exposure_of_amount(is_missing(v, LIMIT_CPU) ? 0 : v->profile->cpu, 1, 102400);
}

static bool tell_cpu(const struct view *v, struct buf *out)
{
	return tell_limit(v, LIMIT_CPU, "Cpu", v->profile->cpu, "processor time", out);
}

static unsigned measure_io(const struct view *v)
{
	return exposure_of_amount(is_missing(v, LIMIT_IO) ? 0 : v->profile->io, MIB, 1024 * GIB);
}

static bool tell_io(const struct view *v, struct buf *out)
{
	return tell_limit(v, LIMIT_IO, "Io", v->profile->io, "disk traffic in a second", out);
}

static unsigned measure_open_files(const struct view *v)
{
	return exposure_of_amount(v->profile->open_files, 256, 1048576);
}

static bool tell_open_files(const struct view *v, struct buf *out)
{
	buf_adds(out, "It cannot have more open files in a process than ");
	tell_value(v, "Limits", "OpenFiles", out);
	buf_adds(out, ".");
	return false;
}

static unsigned measure_limits_required(const struct view *v)
{
	if (v->profile->limits_required)
		return 0;
	return v->plan->limits.missing ? EXPOSURE_WHOLE : 300;
}

static bool tell_limits_required(const struct view *v, struct buf *out)
{
	buf_adds(out, v->profile->limits_required
			      ? "It cannot start where its limits cannot be enforced."
			      : "It can start where its limits cannot be enforced.");
	return !v->profile->limits_required;
}

static unsigned measure_lifetime(const struct view *v)
{
	return exposure_of_amount(v->plan->lifetime, 1, 31536000);
}

static bool tell_lifetime(const struct view *v, struct buf *out)
{
	if (!v->plan->lifetime) {
		buf_adds(out, "It can run as long as you let it.");
		return true;
	}
	buf_adds(out, "It cannot run longer than ");
	tell_value(v, "Session", "Lifetime", out);
	buf_adds(out, ".");
	return false;
}

static unsigned measure_home(const struct view *v)
{
	static const unsigned shares[] = {
		[HOME_EMPTY] = 0,
		[HOME_PREPARED] = 300,
		[HOME_KEPT] = EXPOSURE_WHOLE,
	};

	return shares[v->plan->home];
}

static bool tell_home(const struct view *v, struct buf *out)
{
	static const char *const sentences[] = {
		[HOME_EMPTY] = "It cannot leave anything behind in its home, which begins empty.",
		[HOME_PREPARED] = "It can read what you have prepared for its home, a copy of "
				  "which it gets; what it changes there is gone when it ends.",
		[HOME_KEPT] = "It can keep its home: what it writes there is there again the next "
			      "time, within no limit but your disk's.",
	};

	buf_adds(out, sentences[v->plan->home]);
	return v->plan->home != HOME_EMPTY;
}

static unsigned measure_kept(const struct view *v)
{
	return exposure_of_list(v->profile->kept);
}

static bool tell_kept(const struct view *v, struct buf *out)
{
	if (!v->profile->kept) {
		buf_adds(out, "It cannot keep single directories from one run to the next.");
		return false;
	}
	buf_adds(out, "It can keep what it writes beneath these directories of its home: ");
	tell_list(v->profile->kept, out);
	buf_adds(out, ".");
	return true;
}

static const struct exposure rows[] = {
	/* clang-format off */
	{ "Limits",  "Disk",      FEAR_FILLING, 2, measure_disk,            tell_disk },
	{ "Limits",  "Inodes",    FEAR_FILLING, 1, measure_inodes,          tell_inodes },
	{ "Limits",  "Memory",    FEAR_FILLING, 4, measure_memory,          tell_memory },
	{ "Limits",  "Tasks",     FEAR_FILLING, 3, measure_tasks,           tell_tasks },
	{ "Limits",  "Cpu",       FEAR_FILLING, 1, measure_cpu,             tell_cpu },
	{ "Limits",  "Io",        FEAR_FILLING, 1, measure_io,              tell_io },
	{ "Limits",  "OpenFiles", FEAR_FILLING, 1, measure_open_files,      tell_open_files },
	{ "Limits",  "Required",  FEAR_FILLING, 2, measure_limits_required, tell_limits_required },
	{ "Session", "Lifetime",  FEAR_FILLING, 1, measure_lifetime,        tell_lifetime },
	{ "Files",   "Home",      FEAR_STAYS,   8, measure_home,            tell_home },
	{ "Files",   "Kept",      FEAR_STAYS,   6, measure_kept,            tell_kept },
	/* clang-format on */
};

const struct exposure_part exposures_of_machine = { rows, ARRAY_SIZE(rows) };
