/*
 * The file gate, from both of its sides: messages of a supervisor that has lost its mind, and
 * requests of a kernel that mixes up numbers and names. Requests are well formed otherwise, as
 * libfuse relies on that. There is no mount: requests go straight into the session.
 *
 * An input is a row of records (struct record). Whatever they do, nothing outside of what was given
 * changes, and neither does what was given read-only.
 */

#include <fcntl.h>
#include <limits.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include "base/fs.h"
#include "base/sock.h"
#include "base/wire.h"
#include "gate/path.h"
#include "gate/protocol.h"
#include "gate/revoke.h"
#include "gate/server.h"
#include "tests/fuzz/fuzz.h"

#define LIMIT	     (1U << 20)
#define RECORDS_MAX  64U
#define DATA_MAX     65536U
#define GRANTS_FIRST 5U

/* What a record starts with; its payload follows. */
struct record {
	uint8_t what; /* below ARRAY_SIZE(requests): that request; then enum other */
	uint8_t node, other_node, handle;
	uint8_t fd; /* enum fds; of a request: odd for the last of those that came in one go */
	uint8_t size;
};

enum other {
	HEAR = 200, /* the payload is a message of the supervisor */
	ANSWER,	    /* the payload is the next answer about temporaries */
	REAP,	    /* the notifier has ended */
	END,	    /* the supervisor is gone */
};

enum fds {
	FD_NONE,
	FD_FILE,
	FD_DIRECTORY,
	FD_FIFO,
	FD_MAX,
};

struct world {
	struct server *server;
	int scratch;	/* "given" (rw), "shown" (ro), "outside" */
	int supervisor; /* other end of the gate's control socket */
	int keeper;	/* and of this one */
};

/* --- A place to work in
 * --------------------------------------------------------------------------- */

static void make_file(int dirfd, const char *name)
{
	_cleanup_close_ int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
					0600);

	must(fd >= 0 && write(fd, name, strlen(name)) == (ssize_t)strlen(name));
}

static void fill(int scratch, const char *name)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_close_ int fd = -EBADF;

	must(fs_make_dir(scratch, name, 0700, &fd, &error) == 0);
	must(mkdirat(fd, "d", 0700) == 0 && mkdirat(fd, "d/e", 0700) == 0);
	must(symlinkat("../outside", fd, "l") == 0 && mkfifoat(fd, "p", 0600) == 0);
	make_file(fd, "a");
	make_file(fd, "d/b");
	make_file(fd, "masked");
}

static int scratch_open(void)
{
	const char *parent = getenv("TMPDIR");
	_cleanup_free_ char *path = xasprintf("%s/fuzz-gate.XXXXXX", parent ? parent : "/tmp");
	int fd;

	must(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd >= 0);
	fill(fd, "given");
	fill(fd, "shown");
	fill(fd, "outside");
	return fd;
}

/* All that is in a directory, one line for each, to compare. */
static void describe(int scratch, const char *name, struct buf *ret)
{
	static const char *const names[] = {
		"", "/a", "/d", "/d/b", "/d/e", "/l", "/masked", "/p"
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = xasprintf("%s%s", name, names[i]);
		struct stat st = { 0 };

		(void)fstatat(scratch, path, &st, AT_SYMLINK_NOFOLLOW);
		buf_addf(ret, "%s %lu %o %ld %lu %ld.%09ld\n", path, st.st_ino, st.st_mode,
			 (long)st.st_size, st.st_nlink, st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	}
}

static void remove_scratch(int scratch)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *link = xasprintf("/proc/self/fd/%d", scratch);
	char path[PATH_MAX];
	ssize_t n = readlink(link, path, sizeof path - 1);

	(void)fs_remove_tree(scratch, "given", &ignored);
	(void)fs_remove_tree(scratch, "shown", &ignored);
	(void)fs_remove_tree(scratch, "outside", &ignored);
	if (n > 0) {
		path[n] = '\0';
		(void)rmdir(path);
	}
}

static int open_fd(const struct world *w, uint8_t which)
{
	switch (which % FD_MAX) {
	case FD_FILE:
		return openat(w->scratch, "given/a", O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	case FD_DIRECTORY:
		return openat(w->scratch, "given", O_PATH | O_DIRECTORY | O_CLOEXEC);
	case FD_FIFO:
		return openat(w->scratch, "outside/p", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	default:
		return -EBADF;
	}
}

/* --- The supervisor
 * ------------------------------------------------------------------------------- */

static int hear(struct world *w, const void *data, size_t size, int fd)
{
	static struct message m;

	m = (struct message){ .size = size, .n_fds = fd >= 0, .fds = { fd } };
	memcpy(m.data, data, size);
	return server_hear(w->server, &m);
}

static void give(struct world *w, uint32_t id, enum gate_kind kind, bool writable,
		 const char *place, const char *path)
{
	static char *const masks[] = { (char *)"masked", (char *)"d/e/masked", NULL };
	_cleanup_buf_ struct buf b = { 0 };
	int flags = kind == GATE_TREE ? O_PATH | O_DIRECTORY : writable ? O_RDWR : O_RDONLY;

	wire_put_u32(&b, GATE_GRANT);
	wire_put_u32(&b, id);
	wire_put_u32(&b, kind);
	wire_put_u32(&b, writable);
	wire_put_u32(&b, kind == GATE_TREE ? LIMIT : 0);
	wire_put_u32(&b, 0);
	wire_put_string(&b, place);
	wire_put_strv(&b, kind == GATE_TREE ? masks : NULL);
	must(hear(w, b.data, b.size, openat(w->scratch, path, flags | O_CLOEXEC)) == 0);
}

static void give_first(struct world *w)
{
	_cleanup_buf_ struct buf serve = { 0 };

	give(w, 1, GATE_TREE, true, "trees/0", "given");
	give(w, 2, GATE_TREE, false, "trees/1", "shown");
	give(w, 3, GATE_FILE, true, "files/a", "given/a");
	give(w, 4, GATE_FILE, false, "files/2/a", "shown/a");
	give(w, GRANTS_FIRST, GATE_TREE, true, "files/t", "given/d");
	wire_put_u32(&serve, GATE_SERVE);
	wire_put_u32(&serve, 1000);
	wire_put_u32(&serve, 1000);
	must(hear(w, serve.data, serve.size, -EBADF) == 0);
}

static void answer(struct world *w, const struct record *r, const uint8_t *payload)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_close_ int fd = open_fd(w, r->fd);

	(void)sock_send(w->keeper, payload, r->size, &fd, fd >= 0, &ignored);
}

/* --- The kernel
 * ----------------------------------------------------------------------------------- */

#define AT(type, field) (offsetof(type, field) + 1) /* 0: it has none */

static const struct {
	uint32_t opcode;
	size_t fixed;		   /* of what comes before names */
	size_t handle, other_node; /* where in it these numbers are */
	size_t bounded[2];	   /* and sizes, which must not fill the disk */
	unsigned names;
} requests[] = {
	{ FUSE_LOOKUP, 0, 0, 0, { 0 }, 1 },
	{ FUSE_FORGET, sizeof(struct fuse_forget_in), 0, 0, { 0 }, 0 },
	{ FUSE_GETATTR,
	  sizeof(struct fuse_getattr_in),
	  AT(struct fuse_getattr_in, fh),
	  0,
	  { 0 },
	  0 },
	{ FUSE_SETATTR,
	  sizeof(struct fuse_setattr_in),
	  AT(struct fuse_setattr_in, fh),
	  0,
	  { AT(struct fuse_setattr_in, size) },
	  0 },
	{ FUSE_READLINK, 0, 0, 0, { 0 }, 0 },
	{ FUSE_SYMLINK, 0, 0, 0, { 0 }, 2 },
	{ FUSE_MKNOD, sizeof(struct fuse_mknod_in), 0, 0, { 0 }, 1 },
	{ FUSE_MKDIR, sizeof(struct fuse_mkdir_in), 0, 0, { 0 }, 1 },
	{ FUSE_UNLINK, 0, 0, 0, { 0 }, 1 },
	{ FUSE_RMDIR, 0, 0, 0, { 0 }, 1 },
	{ FUSE_RENAME2,
	  sizeof(struct fuse_rename2_in),
	  0,
	  AT(struct fuse_rename2_in, newdir),
	  { 0 },
	  2 },
	{ FUSE_LINK, sizeof(struct fuse_link_in), 0, AT(struct fuse_link_in, oldnodeid), { 0 }, 1 },
	{ FUSE_OPEN, sizeof(struct fuse_open_in), 0, 0, { 0 }, 0 },
	{ FUSE_READ, sizeof(struct fuse_read_in), AT(struct fuse_read_in, fh), 0, { 0 }, 0 },
	{ FUSE_WRITE, sizeof(struct fuse_write_in), AT(struct fuse_write_in, fh), 0, { 0 }, 0 },
	{ FUSE_FLUSH, sizeof(struct fuse_flush_in), AT(struct fuse_flush_in, fh), 0, { 0 }, 0 },
	{ FUSE_RELEASE,
	  sizeof(struct fuse_release_in),
	  AT(struct fuse_release_in, fh),
	  0,
	  { 0 },
	  0 },
	{ FUSE_FSYNC, sizeof(struct fuse_fsync_in), AT(struct fuse_fsync_in, fh), 0, { 0 }, 0 },
	{ FUSE_OPENDIR, sizeof(struct fuse_open_in), 0, 0, { 0 }, 0 },
	{ FUSE_READDIR, sizeof(struct fuse_read_in), AT(struct fuse_read_in, fh), 0, { 0 }, 0 },
	{ FUSE_RELEASEDIR,
	  sizeof(struct fuse_release_in),
	  AT(struct fuse_release_in, fh),
	  0,
	  { 0 },
	  0 },
	{ FUSE_FSYNCDIR, sizeof(struct fuse_fsync_in), AT(struct fuse_fsync_in, fh), 0, { 0 }, 0 },
	{ FUSE_STATFS, 0, 0, 0, { 0 }, 0 },
	{ FUSE_ACCESS, sizeof(struct fuse_access_in), 0, 0, { 0 }, 0 },
	{ FUSE_CREATE, sizeof(struct fuse_create_in), 0, 0, { 0 }, 1 },
	{ FUSE_FALLOCATE,
	  sizeof(struct fuse_fallocate_in),
	  AT(struct fuse_fallocate_in, fh),
	  0,
	  { AT(struct fuse_fallocate_in, offset), AT(struct fuse_fallocate_in, length) },
	  0 },
	{ FUSE_LSEEK, sizeof(struct fuse_lseek_in), AT(struct fuse_lseek_in, fh), 0, { 0 }, 0 },
	{ FUSE_COPY_FILE_RANGE,
	  sizeof(struct fuse_copy_file_range_in),
	  AT(struct fuse_copy_file_range_in, fh_in),
	  AT(struct fuse_copy_file_range_in, nodeid_out),
	  { AT(struct fuse_copy_file_range_in, off_out), AT(struct fuse_copy_file_range_in, len) },
	  0 },
	{ FUSE_BATCH_FORGET, sizeof(struct fuse_batch_forget_in), 0, 0, { 0 }, 0 },
};

/* Low numbers are those that are handed out first; the highest are none. */
static uint64_t number(uint8_t n)
{
	return n < 250 ? n : UINT64_MAX - n;
}

static void put_u64(char *fixed, size_t at, uint64_t value)
{
	if (at)
		memcpy(fixed + at - 1, &value, sizeof value);
}

static void bound_u64(char *fixed, size_t at)
{
	uint64_t value;

	if (!at)
		return;
	memcpy(&value, fixed + at - 1, sizeof value);
	put_u64(fixed, at, value % (2 * LIMIT));
}

/* Names are what is between slashes, so that they can have any byte but that; one more than that is
 * how a slash gets into one. */
static void put_names(struct buf *b, unsigned n, const char *at, size_t size)
{
	for (; n; n--) {
		const char *end = n > 1 ? memchr(at, '/', size) : NULL;
		size_t length = end ? (size_t)(end - at) : size;

		for (size_t i = 0; i < length; i++)
			if (at[i])
				buf_add(b, at + i, 1);
		buf_add(b, "", 1);
		at += end ? length + 1 : length;
		size -= end ? length + 1 : length;
	}
}

/* Sizes that libfuse does not compare with what is there. */
static void bound_sizes(uint32_t opcode, char *fixed, size_t size)
{
	struct fuse_write_in *out = (struct fuse_write_in *)fixed;
	struct fuse_read_in *in = (struct fuse_read_in *)fixed;
	struct fuse_batch_forget_in *forget = (struct fuse_batch_forget_in *)fixed;

	if (opcode == FUSE_WRITE) {
		out->size = (uint32_t)size;
		out->offset %= 2 * LIMIT;
	}
	if (opcode == FUSE_READ || opcode == FUSE_READDIR)
		in->size %= DATA_MAX;
	if (opcode == FUSE_BATCH_FORGET)
		forget->count = (uint32_t)(size / sizeof(struct fuse_forget_one));
}

static void request(struct world *w, const struct record *r, const uint8_t *payload)
{
	_Alignas(8) char fixed[128] = { 0 };
	_cleanup_buf_ struct buf b = { 0 };
	size_t size = r->size, length = requests[r->what].fixed;
	struct fuse_in_header header = {
		.opcode = requests[r->what].opcode,
		.unique = 2,
		.nodeid = number(r->node),
		.uid = 1000,
		.gid = 1000,
	};
	struct fuse_buf request_buf;

	memcpy(fixed, payload, size < length ? size : length);
	payload += size < length ? size : length;
	size -= size < length ? size : length;
	put_u64(fixed, requests[r->what].handle, number(r->handle));
	put_u64(fixed, requests[r->what].other_node, number(r->other_node));
	bound_u64(fixed, requests[r->what].bounded[0]);
	bound_u64(fixed, requests[r->what].bounded[1]);
	bound_sizes(header.opcode, fixed, size);
	buf_add(&b, &header, sizeof header);
	buf_add(&b, fixed, length);
	if (requests[r->what].names)
		put_names(&b, requests[r->what].names, (const char *)payload, size);
	else
		buf_add(&b, payload, size);
	header.len = (uint32_t)b.size;
	memcpy(b.data, &header, sizeof header);
	request_buf = (struct fuse_buf){ .mem = b.data, .size = b.size };
	fuse_session_process_buf(w->server->session, &request_buf);
	if (r->fd % 2)
		path_forget(w->server); /* the next one does not come in the same go */
}

static ssize_t take_reply(int fd, struct iovec *iov, int count, void *user)
{
	const struct fuse_out_header *h = iov[0].iov_base;
	size_t size = 0;

	(void)fd;
	(void)user;
	for (int i = 0; i < count; i++)
		size += iov[i].iov_len;
	must(size == h->len && size >= sizeof *h);
	must(h->error <= 0 || h->unique == 0); /* a notification has its code there */
	return (ssize_t)size;
}

static ssize_t no_request(int fd, void *data, size_t size, void *user)
{
	(void)fd;
	(void)data;
	(void)size;
	(void)user;
	errno = EAGAIN;
	return -1;
}

static void connect_kernel(struct world *w)
{
	static const struct fuse_custom_io io = { .writev = take_reply, .read = no_request };
	struct {
		struct fuse_in_header header;
		struct fuse_init_in init;
	} first = {
		.header = { .len = sizeof first, .opcode = FUSE_INIT, .unique = 1 },
		.init = { .major = FUSE_KERNEL_VERSION,
			  .minor = FUSE_KERNEL_MINOR_VERSION,
			  .flags = UINT32_MAX & ~(uint32_t)FUSE_INIT_EXT },
	};
	struct fuse_buf b = { .mem = &first, .size = sizeof first };
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	must(fd >= 0 && server_start(w->server) == 0);
	must(fuse_session_custom_io(w->server->session, &io, fd) == 0);
	fuse_session_process_buf(w->server->session, &b);
	must(w->server->connected);
}

/* --- Records
 * -------------------------------------------------------------------------------------- */

/* Nobody reads what the gate asks for; an answer is there already, or does not come. */
static int impatient_pair(int *ret_other)
{
	const struct timeval soon = { .tv_usec = 1 };
	_cleanup_(error_freep) struct error *error = NULL;
	int pair[2];

	must(sock_pair(pair, &error) == 0);
	must(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon) == 0);
	must(setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon) == 0);
	must(setsockopt(pair[1], SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon) == 0);
	*ret_other = pair[1];
	return pair[0];
}

/* False: the gate would end now. */
static bool play(struct world *w, const struct record *r, const uint8_t *payload)
{
	if (r->what < ARRAY_SIZE(requests))
		request(w, r, payload);
	else if (r->what == HEAR)
		return hear(w, payload, r->size, open_fd(w, r->fd)) == 0;
	else if (r->what == ANSWER)
		answer(w, r, payload);
	else if (r->what == REAP && w->server->notifier >= 0)
		return revoke_told(w->server) == 0;
	else if (r->what == END)
		w->server->ending = true;
	return true;
}

static void play_all(struct world *w, const uint8_t *data, size_t size)
{
	struct record r;

	for (unsigned i = 0; i < RECORDS_MAX && size >= sizeof r; i++) {
		memcpy(&r, data, sizeof r);
		data += sizeof r;
		size -= sizeof r;
		if (r.size > size)
			r.size = (uint8_t)size;
		if (!play(w, &r, data))
			break;
		data += r.size;
		size -= r.size;
	}
	while (w->server->notifier >= 0 && revoke_told(w->server) == 0)
		;
	for (const struct grant *g = w->server->grants; g; g = g->next)
		must(g->limit == GATE_NO_LIMIT || g->used <= g->limit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf before = { 0 }, after = { 0 };
	struct world w = { .scratch = scratch_open() };
	int control = impatient_pair(&w.supervisor), keeper = impatient_pair(&w.keeper);

	umask(0);
	describe(w.scratch, "outside", &before);
	describe(w.scratch, "shown", &before);
	w.server = server_new(control, keeper);
	give_first(&w);
	connect_kernel(&w);
	play_all(&w, data, size);
	server_free(w.server);
	describe(w.scratch, "outside", &after);
	describe(w.scratch, "shown", &after);
	must(strcmp(before.data, after.data) == 0);
	remove_scratch(w.scratch);
	close_fd(control);
	close_fd(keeper);
	close_fd(w.supervisor);
	close_fd(w.keeper);
	close_fd(w.scratch);
	return 0;
}
