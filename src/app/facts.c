#include "app/facts.h"

#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include "base/text.h"
#include "box/label.h"
#include "session/addition.h"
#include "session/desktop-bus.h"
#include "session/display-commands.h"

#define ZONE_DIR "/usr/share/zoneinfo/"

/* The zone that /etc/localtime points to (localtime(5)); NULL where that tells nothing. */
static char *time_zone(void)
{
	char target[PATH_MAX] = "";
	const char *zone;

	if (readlink("/etc/localtime", target, sizeof target - 1) < 0)
		return NULL;
	zone = strstr(target, ZONE_DIR);
	if (!zone)
		return NULL;
	zone += strlen(ZONE_DIR);
	if (strspn(zone, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") !=
	    strlen(zone))
		return NULL;
	return xstrdup(zone);
}

static char *host_name(void)
{
	char name[HOST_NAME_MAX + 1] = "";

	return gethostname(name, sizeof name - 1) < 0 ? NULL : xstrdup(name);
}

static uint64_t machine_memory(void)
{
	struct sysinfo info;

	return sysinfo(&info) < 0 ? 0 : (uint64_t)info.totalram * info.mem_unit;
}

static uint32_t open_files(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_max > UINT32_MAX)
		return 0;
	return (uint32_t)l.rlim_max;
}

int facts_gather(struct facts *ret, struct error **err)
{
	const struct passwd *p = getpwuid(getuid());
	struct stat st;

	if (!p)
		return error_set(err, ENOENT, "user %u has no entry in the password database",
				 getuid());
	if (*p->pw_dir != '/' || !text_is_clean(p->pw_dir))
		return error_set(err, EINVAL,
				 "the home directory of user '%s' is not an absolute path",
				 p->pw_name);
	if (stat(p->pw_dir, &st) < 0)
		return error_errno(err, "home directory '%s'", p->pw_dir);
	if (st.st_uid != p->pw_uid)
		return error_set(err, EPERM, "home directory '%s' does not belong to user '%s'",
				 p->pw_dir, p->pw_name);
	*ret = (struct facts){ .user = xstrdup(p->pw_name),
			       .home = xstrdup(p->pw_dir),
			       .time_zone = time_zone(),
			       .host_name = host_name(),
			       .desktop_bus = desktop_bus_find() };
	delegation_find(&ret->delegation);
	ret->host = (struct host_facts){
		.apparmor = label_is_supported(),
		.uid = p->pw_uid,
		.gid = p->pw_gid,
		.user = ret->user,
		.home = ret->home,
		.time_zone = ret->time_zone,
		.host_name = ret->host_name,
		.desktop_bus = ret->desktop_bus,
		.cgroup_way = ret->delegation.way,
		.controllers = ret->delegation.controllers,
		.memory = machine_memory(),
		.open_files = open_files(),
		.xpra = access(XPRA_PROGRAM, X_OK) == 0,
	};
	ret->host.own_profiles = ret->host.apparmor && additions_are_possible(p->pw_uid);
	for (enum apparmor_floor f = 0; f < FLOOR_MAX && ret->host.apparmor; f++)
		ret->host.floors[f] = label_is_loaded(apparmor_floor_to_string(f));
	return 0;
}

void facts_release(struct facts *f)
{
	free(f->user);
	free(f->home);
	free(f->time_zone);
	free(f->host_name);
	free(f->desktop_bus);
	delegation_release(&f->delegation);
	*f = (struct facts){ 0 };
}
