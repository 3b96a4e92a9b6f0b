#include "image/progress.h"

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"

static const char *const phase_names[BUILD_PHASE_MAX] = {
	[BUILD_LISTS] = "reading package lists",
	[BUILD_DOWNLOAD] = "downloading",
	[BUILD_INSTALL] = "installing",
	[BUILD_UNPACK] = "unpacking",
	[BUILD_STORE] = "storing",
	[BUILD_DONE] = "done",
};

/* What part of the whole time a phase takes, as measured: from, to in percent. */
static const unsigned char parts[BUILD_PHASE_MAX][2][2] = {
	/*		   essential, others */
	[BUILD_LISTS] = { { 0, 4 }, { 0, 4 } },	     [BUILD_DOWNLOAD] = { { 4, 8 }, { 30, 50 } },
	[BUILD_INSTALL] = { { 8, 25 }, { 50, 85 } }, [BUILD_UNPACK] = { { 25, 30 }, { 85, 95 } },
	[BUILD_STORE] = { { 95, 99 }, { 95, 99 } },  [BUILD_DONE] = { { 100, 100 }, { 100, 100 } },
};

/* Lines of mmdebstrap and of vitrine-build-box, which do not depend on a language. */
static const struct {
	const char *line;
	enum build_phase phase;
} milestones[] = {
	{ "I: extracting archives", BUILD_INSTALL },
	{ "I: creating tarball", BUILD_UNPACK },
	{ "vitrine-build-box: reading the layer", BUILD_UNPACK },
};

/* The first line that is known decides: what comes later are its consequences. */
static const struct {
	const char *part;
	const char *failure;
} failures[] = {
	{ "No space left on device", "the disk is full" },
	{ "You don't have enough free space", "the disk is full" },
	{ "Disk quota exceeded", "your disk quota is used up" },
	{ "Temporary failure resolving",
	  "the package server cannot be found: check the network and /etc/apt" },
	{ "Could not resolve",
	  "the package server cannot be found: check the network and /etc/apt" },
	{ "Could not connect",
	  "the package server cannot be reached: check the network and /etc/apt" },
	{ "Unable to connect",
	  "the package server cannot be reached: check the network and /etc/apt" },
	{ "Network is unreachable",
	  "the package server cannot be reached: check the network and /etc/apt" },
	{ "Connection timed out", "the package server does not answer: check the network" },
	{ "is not signed", "a package source is not signed with a key of this host" },
	{ "NO_PUBKEY", "a package source is not signed with a key of this host" },
	{ "does not have a Release file", "a package source of /etc/apt does not have this suite" },
	{ "Unable to locate package", "the suite lacks a package of the recipe" },
	{ "has no installation candidate", "the suite lacks a package of the recipe" },
	{ "held broken packages", "the packages of the recipe cannot be installed together" },
	{ "unable to pick chroot mode",
	  "you have no sub-ids: run 'usermod --add-subuids 100000-165535 --add-subgids "
	  "100000-165535 USER' as root" },
	{ "/etc/subuid",
	  "you have no sub-ids: run 'usermod --add-subuids 100000-165535 --add-subgids "
	  "100000-165535 USER' as root" },
	{ "/etc/subgid",
	  "you have no sub-ids: run 'usermod --add-subuids 100000-165535 --add-subgids "
	  "100000-165535 USER' as root" },
	{ "unshare syscall failed",
	  "this system does not let users make namespaces: see 'vitrine doctor'" },
};

static bool starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* "29.7 MB", as apt prints sizes (powers of 1000); 0 if it is something else. */
static uint64_t read_size(const char *s)
{
	static const struct {
		const char *unit;
		uint64_t factor;
	} units[] = {
		{ " B", 1 },
		{ " kB", 1000 },
		{ " MB", 1000000 },
		{ " GB", 1000000000 },
	};
	uint64_t tenths = 0;
	bool point = false;

	for (; (*s >= '0' && *s <= '9') || *s == ',' || (*s == '.' && !point); s++) {
		if (*s == '.')
			point = true;
		else if (*s != ',' && tenths < 1000000000)
			tenths = 10 * tenths + (uint64_t)(*s - '0');
	}
	if (!point)
		tenths *= 10;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t n = strlen(units[i].unit);

		if (!strncmp(s, units[i].unit, n) && !strchr("ABKMGkB", s[n] ? s[n] : ' '))
			return tenths * units[i].factor / 10;
	}
	return 0;
}

void build_progress_begin(struct build_progress *p, enum build_phase phase, bool essential)
{
	*p = (struct build_progress){
		.image = p->image,
		.phase = phase,
		.essential = essential,
		.packages = phase == BUILD_INSTALL ? p->packages : 0,
		.failure = p->failure,
	};
}

/* "0 upgraded, 361 newly installed, 0 to remove and 0 not upgraded." */
static bool count_packages(struct build_progress *p, const char *line)
{
	static const char after[] = " newly installed";
	const char *end = strstr(line, after), *start = end;
	_cleanup_free_ char *number = NULL;
	uint32_t n;

	if (!end || !strstr(line, " upgraded, "))
		return false;
	while (start > line && start[-1] >= '0' && start[-1] <= '9')
		start--;
	number = xstrndup(start, (size_t)(end - start));
	if (parse_u32(number, &n) < 0 || n == 0)
		return false;
	p->packages = n;
	return true;
}

static bool fetched_one(struct build_progress *p, const char *line)
{
	const char *size = strrchr(line, '[');

	p->packages_done++;
	p->bytes_done += size ? read_size(size + 1) : 0;
	return true;
}

/* Each package is unpacked and then set up. */
static bool installed_one(struct build_progress *p)
{
	if (p->phase == BUILD_DOWNLOAD)
		build_progress_begin(p, BUILD_INSTALL, p->essential);
	if (p->phase != BUILD_INSTALL) /* a hook of mmdebstrap's */
		return false;
	p->steps_done++;
	p->packages_done = p->steps_done / 2;
	if (p->packages && p->packages_done > p->packages)
		p->packages_done = p->packages;
	return true;
}

static void note_failure(struct build_progress *p, const char *line)
{
	for (size_t i = 0; !p->failure && i < ARRAY_SIZE(failures); i++)
		if (strstr(line, failures[i].part))
			p->failure = failures[i].failure;
}

bool build_progress_line(struct build_progress *p, const char *line)
{
	static const char need[] = "Need to get ";

	note_failure(p, line);
	for (size_t i = 0; i < ARRAY_SIZE(milestones); i++)
		if (starts_with(line, milestones[i].line)) {
			build_progress_begin(p, milestones[i].phase, p->essential);
			return true;
		}
	if (starts_with(line, "Unpacking ") || starts_with(line, "Setting up "))
		return installed_one(p);
	if (p->phase != BUILD_DOWNLOAD)
		return false;
	if (starts_with(line, "Get:"))
		return fetched_one(p, line);
	if (starts_with(line, need)) {
		p->bytes = read_size(line + strlen(need));
		return true;
	}
	return count_packages(p, line);
}

void build_progress_unpacked(struct build_progress *p, uint64_t done, uint64_t bytes)
{
	if (p->phase != BUILD_UNPACK)
		build_progress_begin(p, BUILD_UNPACK, p->essential);
	p->bytes_done = done;
	p->bytes = bytes > done ? bytes : done;
}

/* How much of the phase is done, in thousandths. */
static uint64_t share(const struct build_progress *p)
{
	uint64_t all = p->phase == BUILD_UNPACK ? p->bytes : 2 * (uint64_t)p->packages;
	uint64_t done = p->phase == BUILD_UNPACK    ? p->bytes_done
			: p->phase == BUILD_INSTALL ? p->steps_done
						    : 2 * (uint64_t)p->packages_done;

	if (!all)
		return 0;
	return done >= all ? 1000 : done * 1000 / all;
}

unsigned build_progress_percent(const struct build_progress *p)
{
	const unsigned char *part = parts[p->phase][!p->essential];

	return part[0] + (unsigned)((part[1] - part[0]) * share(p) / 1000);
}

const char *build_phase_to_string(enum build_phase p)
{
	return phase_names[p];
}
