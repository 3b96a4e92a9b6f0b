#include "app/permit-subject.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>

#include "base/strv.h"

#define GROUPS_MAX 65536 /* the kernel's own limit */

static void add_group(char ***groups, gid_t gid)
{
	const struct group *g;

	strv_addf(groups, "%u", gid);
	g = getgrgid(gid);
	if (g)
		strv_add(groups, g->gr_name);
}

static int add_of_databases(const struct facts *f, char ***groups, struct error **err)
{
	const struct passwd *p = getpwuid(getuid());
	_cleanup_free_ gid_t *gids = xcalloc(GROUPS_MAX, sizeof *gids);
	int n = GROUPS_MAX;

	if (!p || getgrouplist(f->user, p->pw_gid, gids, &n) < 0)
		return error_set(err, EIO, "cannot find the groups of user '%s'", f->user);
	for (int i = 0; i < n; i++)
		add_group(groups, gids[i]);
	return 0;
}

static int add_of_process(char ***groups, struct error **err)
{
	_cleanup_free_ gid_t *gids = xcalloc(GROUPS_MAX, sizeof *gids);
	int n = getgroups(GROUPS_MAX, gids);

	if (n < 0)
		return error_errno(err, "cannot find the groups of this process");
	for (int i = 0; i < n; i++)
		add_group(groups, gids[i]);
	add_group(groups, getgid());
	add_group(groups, getegid());
	return 0;
}

/* What is not there is not given either: then it is enough where it would be. */
static char *resolve(void *data, const char *path)
{
	const struct permit_subject *s = data;
	_cleanup_free_ char *expanded = host_path_expand(path, s->home, s->dirs.paths);
	char *real = realpath(expanded, NULL);

	return real ? real : host_path_expand(path, s->real, s->dirs.paths);
}

static int gather(const struct facts *facts, struct permit_subject *s, struct error **err)
{
	int r;

	s->user = xstrdup(facts->user);
	s->home = xstrdup(facts->home);
	s->real = realpath(facts->home, NULL);
	if (!s->real)
		return error_errno(err, "home directory '%s'", facts->home);
	r = user_dirs_read(facts->home, &s->dirs, err);
	if (r >= 0)
		r = add_of_databases(facts, &s->groups, err);
	return r < 0 ? r : add_of_process(&s->groups, err);
}

int permit_subject_gather(const struct facts *facts, struct permit_subject *ret, struct error **err)
{
	int r;

	*ret = (struct permit_subject){ .user = NULL };
	r = gather(facts, ret, err);
	if (r < 0) {
		permit_subject_release(ret);
		return r;
	}
	ret->to_rules = (struct ceiling_subject){
		.user = ret->user,
		.uid = getuid(),
		.groups = ret->groups,
		.home = ret->real,
		.resolve = resolve,
		.data = ret,
	};
	return 0;
}

void permit_subject_release(struct permit_subject *s)
{
	free(s->user);
	free(s->home);
	free(s->real);
	strv_free(s->groups);
	user_dirs_release(&s->dirs);
	*s = (struct permit_subject){ .user = NULL };
}
