#include "session/scope.h"

#include <poll.h>
#include <string.h>

#include "base/sock.h"
#include "base/spawn.h"
#include "base/strv.h"
#include "base/text.h"
#include "base/wire.h"

#define PROGRAM	   VITRINE_EXEC_DIR "/vitrine-scope"
#define TIMEOUT_MS 10000
#define WHY_MAX	   512U

struct scope {
	struct child child;
	int fd;
	unsigned waiting; /* for so many answers */
};

/* In the name of an application '-' is escaped, since it parts the fields (systemd.unit(5)). */
char *scope_name(const char *profile, pid_t pid)
{
	_cleanup_buf_ struct buf name = { 0 };

	buf_adds(&name, "app-vitrine-");
	for (; *profile; profile++) {
		if (*profile == '-')
			buf_adds(&name, "\\x2d");
		else
			buf_add(&name, profile, 1);
	}
	buf_addf(&name, "-%d.scope", pid);
	return buf_take(&name);
}

int scope_new(struct scope **ret, struct error **err)
{
	static const char *const names[] = { "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", NULL };
	char *argv[] = { (char *)PROGRAM, NULL };
	_cleanup_strv_ char **env = spawn_env(names);
	_cleanup_close_ int ours = -EBADF, theirs = -EBADF;
	struct child child = CHILD_NONE;
	int pair[2], r;

	r = sock_pair(pair, err);
	if (r < 0)
		return r;
	ours = pair[0];
	theirs = pair[1];

	const int fds[] = { -EBADF, -EBADF, -EBADF, [SCOPE_SOCKET] = theirs };
	const struct spawn s = {
		.argv = argv, .env = env, .fds = fds, .n_fds = ARRAY_SIZE(fds), .new_session = true
	};

	r = spawn(&s, &child, err);
	if (r < 0)
		return r;
	*ret = xcalloc(1, sizeof **ret);
	**ret = (struct scope){ .child = child, .fd = TAKE_FD(ours) };
	return 0;
}

int scope_ask(struct scope *s, const struct scope_request *q, struct error **err)
{
	_cleanup_buf_ struct buf m = { 0 };
	_cleanup_strv_ char **pids = NULL;
	int r;

	for (const pid_t *pid = q->pids; *pid; pid++)
		strv_addf(&pids, "%d", *pid);
	wire_put_string(&m, q->name);
	wire_put_string(&m, q->description);
	wire_put_u32(&m, q->delegate);
	wire_put_strv(&m, pids);
	r = sock_send(s->fd, m.data, m.size, NULL, 0, err);
	if (r < 0)
		return error_prefix(err, "control group from systemd");
	s->waiting++;
	return 0;
}

static int hear(struct scope *s, struct error **err)
{
	_cleanup_free_ struct message *m = xmalloc(sizeof *m);
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	_cleanup_free_ char *why = NULL, *shown = NULL;
	struct wire w;
	int r;

	do
		r = poll(&p, 1, TIMEOUT_MS);
	while (r < 0 && errno == EINTR);
	if (r <= 0)
		return error_set(err, ETIMEDOUT, "no answer in time");
	r = sock_receive(s->fd, m, err);
	if (r < 0)
		return r;
	w = wire_open(m->data, m->size);
	why = wire_get_string(&w);
	message_close_fds(m);
	if (m->size == 0 || !wire_end(&w))
		return error_set(err, EPIPE, "vitrine-scope ended");
	if (*why) {
		shown = text_escape(why, WHY_MAX);
		return error_set(err, EIO, "%s", shown);
	}
	return 0;
}

int scope_await(struct scope *s, struct error **err)
{
	for (; s->waiting; s->waiting--) {
		int r = hear(s, err);

		if (r < 0)
			return error_prefix(err, "control group from systemd");
	}
	return 0;
}

struct scope *scope_free(struct scope *s)
{
	if (!s)
		return NULL;
	close_fd(s->fd);
	child_end(&s->child);
	free(s);
	return NULL;
}
