#include "box/watch.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/strv.h"
#include "base/wire.h"

void watch_order_write(const struct watch_order *o, struct buf *ret)
{
	_cleanup_buf_ struct buf policy = { 0 };

	watch_policy_write(&o->policy, &policy);
	wire_put_u32(ret, o->supervisor);
	wire_put_u32(ret, o->mode);
	wire_put_strv(ret, o->files);
	wire_put_bytes(ret, policy.data, policy.size);
}

int watch_order_read(const void *data, size_t size, struct watch_order *ret, struct error **err)
{
	_cleanup_(watch_order_release) struct watch_order o = { 0 };
	struct wire w = wire_open(data, size);
	const void *policy;
	size_t policy_size;
	int r;

	o.supervisor = wire_get_u32(&w);
	o.mode = wire_get_u32(&w);
	o.files = wire_get_strv(&w);
	policy = wire_get_bytes(&w, &policy_size);
	if (!wire_end(&w) || o.mode >= WATCH_MODE_MAX || strv_length(o.files) > WATCH_FILES_MAX)
		return error_set(err, EPROTO, "bad order for a watch");
	r = watch_policy_read(policy, policy_size, &o.policy, err);
	if (r < 0)
		return r;
	*ret = o;
	o = (struct watch_order){ 0 };
	return 0;
}

void watch_order_release(struct watch_order *o)
{
	strv_free(o->files);
	watch_policy_release(&o->policy);
	*o = (struct watch_order){ 0 };
}

void watch_event_write(const struct watch_event *e, struct buf *ret)
{
	const uint32_t numbers[] = { e->kind,  e->pid,	    e->arch,	e->number,
				     e->error, e->answered, e->missing, e->rule };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		wire_put_u32(ret, numbers[i]);
	for (size_t i = 0; i < WATCH_CALL_ARGS; i++)
		wire_put_u64(ret, e->arguments[i]);
	wire_put_string(ret, e->program);
	wire_put_string(ret, e->text);
}

int watch_event_read(const void *data, size_t size, struct watch_event *ret, struct error **err)
{
	_cleanup_(watch_event_release) struct watch_event e = { 0 };
	struct wire w = wire_open(data, size);

	e.kind = wire_get_u32(&w);
	e.pid = wire_get_u32(&w);
	e.arch = wire_get_u32(&w);
	e.number = wire_get_u32(&w);
	e.error = wire_get_u32(&w);
	e.answered = wire_get_u32(&w);
	e.missing = wire_get_u32(&w);
	e.rule = wire_get_u32(&w);
	for (size_t i = 0; i < WATCH_CALL_ARGS; i++)
		e.arguments[i] = wire_get_u64(&w);
	e.program = wire_get_string(&w);
	e.text = wire_get_string(&w);
	if (!wire_end(&w) || e.kind >= WATCH_EVENT_MAX || strlen(e.program) > WATCH_TEXT_MAX ||
	    strlen(e.text) > WATCH_TEXT_MAX)
		return error_set(err, EPROTO, "bad event of a watch");
	*ret = e;
	e = (struct watch_event){ 0 };
	return 0;
}

void watch_event_release(struct watch_event *e)
{
	free(e->program);
	free(e->text);
	*e = (struct watch_event){ 0 };
}

static char *unix_address(const struct sockaddr_un *a, size_t size)
{
	size_t n = size - offsetof(struct sockaddr_un, sun_path);

	if (n && a->sun_path[0])
		return xasprintf("unix:%.*s", (int)strnlen(a->sun_path, n), a->sun_path);
	/* A name ends with the address, and may have any bytes. */
	return xasprintf("unix:@%.*s", n > 1 ? (int)strnlen(a->sun_path + 1, n - 1) : 0,
			 n > 1 ? a->sun_path + 1 : "");
}

char *watch_address(const void *address, size_t size)
{
	union {
		sa_family_t family;
		struct sockaddr_un local;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} a = { 0 };
	char text[INET6_ADDRSTRLEN] = "";

	memcpy(&a, address, size < sizeof a ? size : sizeof a);
	if (a.family == AF_UNIX && size >= offsetof(struct sockaddr_un, sun_path))
		return unix_address(&a.local, size < sizeof a.local ? size : sizeof a.local);
	if (a.family == AF_INET && size >= sizeof a.in &&
	    inet_ntop(AF_INET, &a.in.sin_addr, text, sizeof text))
		return xasprintf("inet:%s:%u", text, ntohs(a.in.sin_port));
	if (a.family == AF_INET6 && size >= sizeof a.in6 &&
	    inet_ntop(AF_INET6, &a.in6.sin6_addr, text, sizeof text))
		return xasprintf("inet6:[%s]:%u", text, ntohs(a.in6.sin6_port));
	return xasprintf("family:%u", a.family);
}

/* Removes the last component of an absolute path in the making. */
static void go_up(struct buf *b)
{
	while (b->size && b->data[--b->size] != '/')
		;
	if (b->data)
		b->data[b->size] = '\0';
}

static void walk(struct buf *b, const char *path)
{
	while (*path) {
		size_t n = strcspn(path += strspn(path, "/"), "/");

		if (n == 2 && !strncmp(path, "..", 2))
			go_up(b);
		else if (n && !(n == 1 && *path == '.'))
			buf_addf(b, "/%.*s", (int)n, path);
		path += n;
	}
}

char *watch_path(const char *directory, const char *path)
{
	_cleanup_buf_ struct buf b = { 0 };

	if (*path != '/' && *directory != '/')
		return NULL;
	if (*path != '/')
		walk(&b, directory);
	walk(&b, path);
	if (b.size > WATCH_TEXT_MAX)
		return NULL;
	return b.size ? buf_take(&b) : xstrdup("/");
}
