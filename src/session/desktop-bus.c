#include "session/desktop-bus.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/spawn.h"
#include "base/strv.h"
#include "base/text.h"
#include "emit/bus.h"

#define PROXY	 "/usr/bin/xdg-dbus-proxy"
#define UNIX	 "unix:path="
#define READY_MS 10000
#define FILES	 256 /* two for each connection: the desktop's bus is there for others, too */
#define PATH_LEN 100 /* what fits into an address of a socket, unix(7) */

enum {
	PROXY_READY = 3, /* it writes a byte here when its socket is there, and ends when the
			    other end closes: also if the supervisor is killed */
	PROXY_DIR,
	PROXY_FDS,
};

struct desktop_bus {
	struct child proxy;
	int lifeline; /* ours of PROXY_READY */
	struct source *source;
	const struct desktop_bus_events *events;
	void *user;
	int said; /* what the proxy prints; does not block */
	struct source *said_source;
	struct bus_log *log;
};

static void desktop_bus_endp(struct desktop_bus **b)
{
	desktop_bus_end(*b);
}

/* The path in the first part of an address, as far as it needs no escapes. */
static char *path_of(const char *address)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "/._-";
	const char *path = address + strlen(UNIX);
	size_t n;

	if (strncmp(address, UNIX, strlen(UNIX)))
		return NULL;
	n = strspn(path, plain);
	if (n > PATH_LEN || (path[n] && path[n] != ',' && path[n] != ';'))
		return NULL;
	return xstrndup(path, n);
}

char *desktop_bus_find(void)
{
	const char *given = getenv("DBUS_SESSION_BUS_ADDRESS");
	_cleanup_free_ char *usual = xasprintf(UNIX "/run/user/%u/bus", getuid());
	_cleanup_free_ char *path = path_of(given ? given : usual);
	struct stat st;

	if (!path || !path_is_shortest(path) || lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode) ||
	    st.st_uid != getuid())
		return NULL;
	return xasprintf(UNIX "%s", path);
}

static void on_end(void *user, short revents)
{
	struct desktop_bus *b = user;

	(void)revents;
	b->source = source_remove(b->source);
	b->events->lost(b->user, "xdg-dbus-proxy ended: the desktop's D-Bus is gone");
}

/* False when nothing more comes. */
static bool read_said(struct desktop_bus *b)
{
	char text[4096];
	ssize_t n = read(b->said, text, sizeof text);

	if (n > 0)
		bus_log_take(b->log, text, (size_t)n);
	return n > 0;
}

/* Once for each time that the loop comes here: an application that sends without end waits for
 * the others. */
static void on_said(void *user, short revents)
{
	struct desktop_bus *b = user;

	if (!read_said(b) && revents & POLLHUP)
		b->said_source = source_remove(b->said_source);
}

static int await_ready(int fd, struct error **err)
{
	int r = child_await_ready(fd, READY_MS);

	if (r == -ETIMEDOUT)
		return error_set(err, ETIMEDOUT, "xdg-dbus-proxy is not ready in time");
	if (r < 0)
		return error_set(err, EIO, "xdg-dbus-proxy cannot reach the desktop's D-Bus");
	return 0;
}

static int spawn_proxy(const struct plan_bus *plan, int dir, int ready, int said, struct child *ret,
		       struct error **err)
{
	_cleanup_strv_ char **rules = bus_rules_render(plan), **argv = NULL;
	const int fds[PROXY_FDS] = { -EBADF, said, -EBADF, ready, dir };
	struct spawn s = {
		.fds = fds, .n_fds = PROXY_FDS, .new_session = true, .open_files = FILES
	};

	strv_add(&argv, PROXY);
	strv_addf(&argv, "--fd=%d", PROXY_READY);
	strv_add(&argv, plan->address);
	strv_addf(&argv, "/proc/self/fd/%d/" BOX_BUS_SOCKET, PROXY_DIR);
	strv_add(&argv, "--log");
	strv_add_all(&argv, rules);
	s.argv = argv;
	return spawn(&s, ret, err);
}

/* The application has another id outside; nobody else reaches the directory. */
static int open_to_application(int dir, struct error **err)
{
	if (fchmodat(dir, BOX_BUS_SOCKET, 0666, 0) < 0)
		return error_errno(err, "cannot open the socket of xdg-dbus-proxy");
	return 0;
}

int desktop_bus_start(const struct plan_bus *plan, int dir, struct loop *loop,
		      const struct desktop_bus_events *events, void *user, struct desktop_bus **ret,
		      struct error **err)
{
	_cleanup_(desktop_bus_endp) struct desktop_bus *b = xcalloc(1, sizeof *b);
	_cleanup_close_ int theirs = -EBADF, said = -EBADF;
	int pair[2], ends[2], r;

	*b = (struct desktop_bus){ .proxy = CHILD_NONE,
				   .lifeline = -EBADF,
				   .events = events,
				   .user = user,
				   .said = -EBADF,
				   .log = bus_log_new(events->blocked, user) };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_errno(err, "cannot make a pair of sockets");
	b->lifeline = pair[0];
	theirs = pair[1];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	b->said = ends[0];
	said = ends[1];
	if (fcntl(b->said, F_SETFL, O_NONBLOCK) < 0)
		return error_errno(err, "cannot read from a pipe");
	r = spawn_proxy(plan, dir, theirs, said, &b->proxy, err);
	if (r < 0)
		return error_prefix(err, "desktop's D-Bus (apt install xdg-dbus-proxy)");
	theirs = close_fd(theirs);
	r = await_ready(b->lifeline, err);
	if (r >= 0)
		r = open_to_application(dir, err);
	if (r < 0)
		return r;
	b->source = loop_add(loop, b->proxy.pidfd, POLLIN, on_end, b);
	b->said_source = loop_add(loop, b->said, POLLIN, on_said, b);
	*ret = TAKE_PTR(b);
	return 0;
}

struct desktop_bus *desktop_bus_end(struct desktop_bus *b)
{
	if (!b)
		return NULL;
	source_remove(b->source);
	source_remove(b->said_source);
	close_fd(b->lifeline);
	child_end(&b->proxy);
	while (b->said >= 0 && read_said(b))
		;
	close_fd(b->said);
	bus_log_free(b->log);
	free(b);
	return NULL;
}
