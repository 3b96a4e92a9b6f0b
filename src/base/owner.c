#include "base/owner.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/alloc.h"

#define ACL "system.posix_acl_access"

static bool has_other_member(gid_t gid, const char *owner)
{
	const struct group *g = getgrgid(gid);

	if (!g)
		return true;
	for (char *const *member = g->gr_mem; *member; member++)
		if (strcmp(*member, owner) != 0)
			return true;
	return false;
}

static bool is_group_of_another(gid_t gid, uid_t owner)
{
	const struct passwd *p;
	bool found = false;

	setpwent();
	while (!found && (p = getpwent()))
		found = p->pw_gid == gid && p->pw_uid != owner;
	endpwent();
	return found;
}

static bool is_private_group(gid_t gid, uid_t owner)
{
	const struct passwd *p = getpwuid(owner);
	_cleanup_free_ char *name = p ? xstrdup(p->pw_name) : NULL;

	return p && p->pw_gid == gid && !has_other_member(gid, name) &&
	       !is_group_of_another(gid, owner);
}

bool others_may_write(int fd, const struct stat *st)
{
	if (st->st_mode & S_IWOTH)
		return true;
	if (!(st->st_mode & S_IWGRP))
		return false;
	return fgetxattr(fd, ACL, NULL, 0) > 0 || !is_private_group(st->st_gid, st->st_uid);
}
