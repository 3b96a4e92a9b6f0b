/*
 * Asks the supervisor for what the gate cannot do itself, and waits: the application that wants it
 * waits as well. All others wait too, which is short, but for a file that must be copied because
 * its file system knows no nameless files.
 */

#include "base/sock.h"
#include "base/wire.h"
#include "gate/server.h"

/* The answer begins with an errno value; *ret_id may be NULL, *ret_fd is set exactly where that is
 * 0. The supervisor is trusted, but may be gone. */
static int ask(struct server *s, const struct buf *question, uint32_t *ret_id, int *ret_fd)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct message m;
	struct wire w;
	uint32_t code, id = 0;

	if (sock_send(s->keeper, question->data, question->size, NULL, 0, &error) < 0 ||
	    sock_receive(s->keeper, &m, &error) < 0)
		return -EIO;
	w = wire_open(m.data, m.size);
	code = wire_get_u32(&w);
	if (ret_id)
		id = wire_get_u32(&w);
	if (!wire_end(&w) || code > INT32_MAX || m.n_fds != (code ? 0 : 1)) {
		message_close_fds(&m);
		return -EIO;
	}
	if (code)
		return -(int)code;
	if (ret_id)
		*ret_id = id;
	*ret_fd = TAKE_FD(m.fds[0]);
	return 0;
}

int keeper_temporary(struct server *s, uint32_t grant, uint32_t *ret_id, int *ret_fd)
{
	_cleanup_buf_ struct buf m = { 0 };

	wire_put_u32(&m, KEEPER_TEMPORARY);
	wire_put_u32(&m, grant);
	return ask(s, &m, ret_id, ret_fd);
}

int keeper_replace(struct server *s, uint32_t grant, uint32_t id, int *ret_fd)
{
	_cleanup_buf_ struct buf m = { 0 };

	wire_put_u32(&m, KEEPER_REPLACE);
	wire_put_u32(&m, grant);
	wire_put_u32(&m, id);
	return ask(s, &m, NULL, ret_fd);
}

void keeper_drop(struct server *s, uint32_t id)
{
	_cleanup_(error_freep) struct error *ignored = NULL; /* then nobody has it any more */
	_cleanup_buf_ struct buf m = { 0 };

	wire_put_u32(&m, KEEPER_DROP);
	wire_put_u32(&m, id);
	(void)sock_send(s->keeper, m.data, m.size, NULL, 0, &ignored);
}
