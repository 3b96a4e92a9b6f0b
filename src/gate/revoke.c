#include "gate/revoke.h"

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define STALE_MAX 4096U

struct stale {
	struct stale *next;
	uint64_t dir;
	char name[];
};

/* The directory and the name at which the grant is seen; NULL: the kernel never asked for it. */
static struct node *find_place(struct server *s, const char *place, const char **ret_name)
{
	struct node *n = node_find(s, FUSE_ROOT_ID);
	_cleanup_free_ char *copy = xstrdup(place);
	char *at = copy, *slash;

	while (n && (slash = strchr(at, '/'))) {
		*slash = '\0';
		n = node_peek(s, n, at);
		at = slash + 1;
	}
	*ret_name = place + (at - copy);
	return n;
}

/* What comes to the same place later is another node. */
static void forget_place(struct server *s, const struct grant *g)
{
	const char *name;
	struct node *parent = find_place(s, g->place, &name), *n;

	n = parent ? node_peek(s, parent, name) : NULL;
	if (!n || n->grant != g)
		return;
	node_unlink(s, n);
	node_release(s, n);
}

/* What the kernel does not know any more it answers with ENOENT, and when it is gone itself with
 * ENODEV: fine, both. */
static void tell(struct server *s)
{
	for (const struct stale *n = s->stale; n; n = n->next)
		(void)fuse_lowlevel_notify_inval_entry(s->session, n->dir, n->name,
						       strlen(n->name));
	for (const struct grant *g = s->grants; g; g = g->next) {
		const char *name;
		struct node *parent = g->telling ? find_place(s, g->place, &name) : NULL;

		if (parent)
			(void)fuse_lowlevel_notify_inval_entry(s->session, parent->id, name,
							       strlen(name));
	}
	for (uint64_t id = 1; id < s->nodes.room; id++) {
		const struct node *n = node_find(s, id);

		if (n && n->grant && n->grant->telling)
			(void)fuse_lowlevel_notify_inval_inode(s->session, id, 0, 0);
	}
}

static bool anything_waits(const struct server *s)
{
	const struct grant *g = s->grants;

	while (g && !g->waiting)
		g = g->next;
	return g;
}

/* Answers and forgets what was told. */
static void finish(struct server *s)
{
	for (struct grant *g = s->grants, *next; g; g = next) {
		next = g->next;
		if (!g->telling)
			continue;
		g->telling = false;
		server_answer(s, GATE_REVOKED, g->id, NULL);
		grant_release(s, g);
	}
}

static int start(struct server *s)
{
	pid_t parent = getpid();

	for (struct grant *g = s->grants; g; g = g->next) {
		g->telling |= g->waiting;
		g->waiting = false;
	}
	if (!s->session || !s->connected) {
		finish(s); /* the kernel knows nothing yet */
		return 0;
	}
	s->notifier = fork();
	if (s->notifier < 0)
		return -errno;
	if (s->notifier == 0) {
		/* Nobody would answer what it may have to wait for. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(1);
		/* What it waits for ends with the gate only if nobody but the gate has this open.
		 */
		if (s->notifier_fuse >= 0 &&
		    dup3(s->notifier_fuse, fuse_session_fd(s->session), O_CLOEXEC) < 0)
			_exit(1);
		tell(s);
		_exit(0);
	}
	revoke_nothing(s);
	s->notifier_fd = pidfd_open(s->notifier, 0);
	return s->notifier_fd < 0 ? -errno : 0;
}

int revoke_grant(struct server *s, struct grant *g)
{
	g->revoked = g->waiting = true;
	if (strncmp(g->place, GATE_FILES "/", strlen(GATE_FILES "/")) == 0)
		files_revoke(s, g);
	forget_place(s, g);
	return s->notifier < 0 ? start(s) : 0;
}

void revoke_name(struct server *s, const struct node *dir, const char *name)
{
	struct stale *n;

	if (s->n_stale >= STALE_MAX)
		return;
	n = xmalloc(sizeof *n + strlen(name) + 1);
	n->dir = dir->id;
	n->next = s->stale;
	strcpy(n->name, name);
	s->stale = n;
	s->n_stale++;
	if (s->notifier < 0)
		(void)start(s);
}

void revoke_nothing(struct server *s)
{
	while (s->stale) {
		struct stale *next = s->stale->next;

		free(s->stale);
		s->stale = next;
	}
	s->n_stale = 0;
}

int revoke_told(struct server *s)
{
	int status;

	if (waitpid(s->notifier, &status, 0) < 0)
		return -errno;
	s->notifier = -1;
	s->notifier_fd = close_fd(s->notifier_fd);
	if (status != 0)
		return -ECHILD;
	finish(s);
	return anything_waits(s) || s->stale ? start(s) : 0;
}
