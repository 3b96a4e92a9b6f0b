/*
 * The supervisor's half of saving, and a gate that has lost its mind: each message of the input
 * (its size in a byte, then its bytes) comes over the socket of enum keeper_message. Whatever it
 * says, what may only be read and what was not given stay as they are, and no name is left behind.
 */

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/sock.h"
#include "session/keeper.h"
#include "tests/fuzz/fuzz.h"

#define MESSAGES_MAX 64U

enum { WRITABLE = 1, SHOWN, NEW };

struct world {
	int dir, gate;
	bool lost;
};

static void on_replaced(void *user, uint32_t grant, int fd)
{
	(void)user;
	must(grant >= WRITABLE && grant <= NEW);
	close_fd(fd);
}

static void on_lost(void *user, const char *why)
{
	must(why && !strchr(why, '\n'));
	((struct world *)user)->lost = true;
}

static void make(int dir, const char *name)
{
	_cleanup_(error_freep) struct error *error = NULL;

	must(fs_write(dir, name, name, strlen(name), 0600, &error) == 0);
}

static int scratch_open(void)
{
	const char *parent = getenv("TMPDIR");
	_cleanup_free_ char *path = xasprintf("%s/fuzz-keeper.XXXXXX", parent ? parent : "/tmp");
	int fd;

	must(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd >= 0);
	return fd;
}

static void remove_scratch(int dir)
{
	_cleanup_free_ char *link = xasprintf("/proc/self/fd/%d", dir),
			    *path = realpath(link, NULL);
	struct error *ignored = NULL;

	must(path && fs_remove_tree(AT_FDCWD, path, &ignored) == 0);
}

static void expect_content(int dir, const char *name)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *text = NULL;

	must(fs_read(dir, name, 64, &text, NULL, &error) == 0 && !strcmp(text, name));
}

static void expect_no_other_name(int dir)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fdopendir(copy);
	struct dirent *e;

	must(d);
	while ((e = readdir(d)))
		must(*e->d_name != '.' || !e->d_name[1] || !strcmp(e->d_name, ".."));
	closedir(d);
}

static struct given give(int dir, const char *name)
{
	return (struct given){
		.parent = fcntl(dir, F_DUPFD_CLOEXEC, 0),
		.name = xstrdup(name),
		.path = xasprintf("/given/%s", name),
		.fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC),
	};
}

static void take_answers(int gate)
{
	char byte;

	while (recv(gate, &byte, 1, MSG_DONTWAIT) > 0)
		;
}

static void say_all(struct world *w, struct loop *loop, const uint8_t *data, size_t size)
{
	const bool one_round = true;

	for (unsigned i = 0; i < MESSAGES_MAX && size > 1 && !w->lost; i++) {
		_cleanup_(error_freep) struct error *error = NULL, *ignored = NULL;
		size_t n = data[0] < size ? data[0] : size - 1;

		if (n == 0)
			n = 1;
		must(sock_send(w->gate, data + 1, n, NULL, 0, &error) == 0);
		(void)loop_run(loop, &one_round, 10, &ignored);
		take_answers(w->gate);
		data += n + 1 < size ? n + 1 : size;
		size -= n + 1 < size ? n + 1 : size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct keeper_events events = { on_replaced, on_lost };
	static const char *const names[] = {
		[WRITABLE] = "given", [SHOWN] = "shown", [NEW] = "new"
	};
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_(loop_freep) struct loop *loop = loop_new();
	struct given given[NEW + 1];
	struct keeper *keeper;
	struct world w = { 0 };
	_cleanup_close_ int dir = scratch_open();
	int pair[2];

	make(dir, "given");
	make(dir, "shown");
	make(dir, "outside");
	must(sock_pair(pair, &error) == 0);
	w = (struct world){ .dir = dir, .gate = pair[0] };
	must(keeper_new(loop, pair[1], &events, &w, &keeper, &error) == 0);
	for (uint32_t id = WRITABLE; id <= NEW; id++) {
		given[id] = give(dir, names[id]);
		must(keeper_add(keeper, id, &given[id], id != SHOWN, &error) == 0);
	}
	say_all(&w, loop, data, size);
	keeper_free(keeper);
	close_fd(w.gate);
	for (uint32_t id = WRITABLE; id <= NEW; id++)
		given_release(&given[id]);
	expect_content(dir, "shown");
	expect_content(dir, "outside");
	expect_no_other_name(dir);
	remove_scratch(dir);
	return 0;
}
