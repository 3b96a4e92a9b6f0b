#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "box/watch-private.h"

#define ADDRESS_MAX sizeof(struct sockaddr_storage)

/* What is told of a call that is allowed: an event or nothing; the text is owned by the caller. */
struct look {
	const char *name;
	enum watch_event_kind kind;
	bool (*look)(const struct watch *w, const struct watched *p, const uint64_t *arguments,
		     struct watch_event *e);
};

static bool look_at_address(const struct watched *p, uint64_t at, uint64_t size,
			    struct watch_event *e)
{
	char address[ADDRESS_MAX];
	size_t n = watched_memory(p, at, address, size < sizeof address ? size : sizeof address);

	if (n < sizeof(sa_family_t))
		return false;
	e->text = watch_address(address, n);
	if (strncmp(e->text, "unix:", 5))
		return true;
	/* What is there was given. A name without a path is known to this box alone. */
	e->missing = e->text[5] == '/' && watched_misses(p, e->text + 5);
	return e->missing;
}

static bool look_at_connect(const struct watch *w, const struct watched *p,
			    const uint64_t *arguments, struct watch_event *e)
{
	(void)w;
	return look_at_address(p, arguments[1], arguments[2], e);
}

static bool look_at_sendto(const struct watch *w, const struct watched *p,
			   const uint64_t *arguments, struct watch_event *e)
{
	(void)w;
	return look_at_address(p, arguments[4], arguments[5], e);
}

static bool look_at_execve(const struct watch *w, const struct watched *p,
			   const uint64_t *arguments, struct watch_event *e)
{
	(void)w;
	e->text = watched_path(p, (uint64_t)AT_FDCWD, arguments[0]);
	return e->text && watched_cannot_execute(p, e->text);
}

static bool look_at_execveat(const struct watch *w, const struct watched *p,
			     const uint64_t *arguments, struct watch_event *e)
{
	(void)w;
	e->text = watched_path(p, arguments[0], arguments[1]);
	return e->text && watched_cannot_execute(p, e->text);
}

/* Editors save into a new file beside, and rename it. */
static bool is_about_file(const struct watch *w, const char *path)
{
	const char *name = strrchr(path, '/');

	for (char *const *file = w->order->files; file && *file; file++) {
		const char *its = strrchr(*file, '/');

		if (its[1] && its - *file == name - path && strstr(name + 1, its + 1) &&
		    !strncmp(path, *file, (size_t)(name - path)))
			return true;
	}
	return false;
}

static bool look_at_open(const struct watch *w, const struct watched *p, const uint64_t *arguments,
			 struct watch_event *e)
{
	e->text = watched_path(p, (uint64_t)AT_FDCWD, arguments[0]);
	return e->text && is_about_file(w, e->text);
}

static bool look_at_openat(const struct watch *w, const struct watched *p,
			   const uint64_t *arguments, struct watch_event *e)
{
	e->text = watched_path(p, arguments[0], arguments[1]);
	return e->text && is_about_file(w, e->text);
}

static const struct look looks[] = {
	{ "connect", WATCH_EVENT_CONNECT, look_at_connect },
	{ "sendto", WATCH_EVENT_CONNECT, look_at_sendto },
	{ "execve", WATCH_EVENT_EXECUTE, look_at_execve },
	{ "execveat", WATCH_EVENT_EXECUTE, look_at_execveat },
	{ "open", WATCH_EVENT_WRITE, look_at_open },
	{ "creat", WATCH_EVENT_WRITE, look_at_open },
	{ "openat", WATCH_EVENT_WRITE, look_at_openat },
};

/* --- telling ----------------------------------------------------------------- */

static bool look(const struct watch *w, const struct watched *p, struct watch_event *e)
{
	const char *name = watch_name(&w->order->policy, e->number);

	if (e->error)
		return true; /* denied, whatever the arguments point to */
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
		if (!name || strcmp(looks[i].name, name))
			continue;
		e->kind = looks[i].kind;
		return looks[i].look(w, p, e->arguments, e);
	}
	return false;
}

static uint64_t hash(uint64_t h, const void *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		h = (h ^ ((const unsigned char *)data)[i]) * 0x100000001b3; /* FNV-1a */
	return h;
}

/* Events of one program that differ in nothing that a rule could look at are one. */
static uint64_t hash_event(const struct watch *w, const struct watch_event *e)
{
	unsigned compared = watch_arguments(&w->order->policy, e->number);
	const uint32_t numbers[] = { e->kind, e->arch, e->number, e->rule };
	uint64_t h = hash(0xcbf29ce484222325, numbers, sizeof numbers);

	for (unsigned i = 0; i < WATCH_CALL_ARGS && e->kind == WATCH_EVENT_CALL; i++)
		if (compared & 1U << i)
			h = hash(h, &e->arguments[i], sizeof e->arguments[i]);
	h = hash(h, e->program, strlen(e->program) + 1);
	return e->text ? hash(h, e->text, strlen(e->text)) : h;
}

static bool is_new(struct watch *w, const struct watch_event *e)
{
	uint64_t h = hash_event(w, e);

	for (uint32_t i = 0; i < w->n_told; i++)
		if (w->told[i] == h)
			return false;
	if (w->n_told == WATCH_EVENTS_MAX) {
		w->lost = true;
		return false;
	}
	w->told[w->n_told++] = h;
	return true;
}

/* Nobody waits for the supervisor here: what it does not take in time is lost, and that is said. */
static bool send_event(const struct watch *w, const struct watch_event *e)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_buf_ struct buf data = { 0 };

	watch_event_write(e, &data);
	return sock_send(w->socket, data.data, data.size, NULL, 0, &error) >= 0;
}

static void tell(struct watch *w, const struct watch_event *e)
{
	const struct watch_event lost = { .kind = WATCH_EVENT_LOST };

	if (is_new(w, e))
		w->lost |= !send_event(w, e);
	if (w->lost && !w->said_lost)
		w->said_lost = send_event(w, &lost);
}

/* --- answering --------------------------------------------------------------- */

/* What the real policy would say; while learning only where no application should need it. */
static int decide(const struct watch *w, const struct seccomp_data *call, struct watch_event *e)
{
	const struct watch_policy *p = &w->order->policy;
	struct watch_decision d = watch_decide(p, call);

	e->error = (uint32_t)d.error;
	e->rule = d.rule ? 1 + (uint32_t)(d.rule - p->rules) : 0;
	if (w->order->mode == WATCH_LEARN && d.error && !watch_never(p, call))
		return 0;
	e->answered = d.error != 0;
	return d.error;
}

/* What was read belongs to this call only if it waits still: its process may have ended, and
 * another one have its number. */
static bool still_waits(int listener, uint64_t id)
{
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

bool watch_answer(struct watch *w, int listener)
{
	_cleanup_(watch_event_release) struct watch_event e = { .kind = WATCH_EVENT_CALL };
	struct seccomp_notif_resp answer = { 0 };
	struct seccomp_notif question = { 0 };
	struct watched p = { .proc = w->proc };
	bool told;

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question) < 0)
		return errno == EINTR || errno == ENOENT;
	p.pid = (pid_t)question.pid;
	e.pid = question.pid;
	e.arch = question.data.arch;
	e.number = (uint32_t)question.data.nr;
	memcpy(e.arguments, question.data.args, sizeof e.arguments);
	answer.id = question.id;
	answer.error = -decide(w, &question.data, &e);
	if (!answer.error)
		answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	told = look(w, &p, &e);
	e.program = told ? watched_program(&p) : NULL;
	if (told && still_waits(listener, question.id))
		tell(w, &e);
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0 || errno == ENOENT;
}
