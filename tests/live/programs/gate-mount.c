/*
 * gate-mount [GRANT...] MOUNTPOINT -- COMMAND [ARGUMENT...]
 *
 * A gate without a sandbox: starts vitrine-gate (VITRINE_GATE, or what is installed) as an ordinary
 * user, mounts its file system at MOUNTPOINT in a namespace of its own, runs COMMAND there, with
 * the user's own ids and everything else of the host in its sight, and returns its exit status.
 *
 *   --tree DIRECTORY[:rw[:LIMIT]]      at trees/0, trees/1, ...
 *   --subtree DIRECTORY[:rw[:LIMIT]]   at files/NAME
 *   --mask PATH                        beneath the tree before it
 *   --file PATH[:rw|:new]              at files/NAME
 *   --hide DIRECTORY                   empty for the command: not reached but through the gate
 *
 * The grants are numbered from 1. COMMAND finds GATE_PID, the gate's process, and GATE_DIR, a
 * directory with two pipes: a line written to `ask` ("revoke ID", "tree PATH:rw", "file PATH", ...)
 * is answered by a line in `answer`, and the file `opened`: what the gate said was opened.
 */

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fs.h"
#include "base/loop.h"
#include "base/parse.h"
#include "base/sock.h"
#include "base/spawn.h"
#include "base/strv.h"
#include "base/wire.h"
#include "gate/protocol.h"
#include "session/given.h"
#include "session/keeper.h"

#define GRANTS_MAX	 32
#define LINE_BYTES_MAX	 8192
#define GATE_PATIENCE_MS 8000 /* it serves what is left for 5 s at most */

struct grant_file {
	uint32_t id;
	struct given given;
};

struct supervisor {
	struct loop *loop;
	struct keeper *keeper;
	struct protection protection;
	struct child gate, command;
	int control, inbox, ask, answer, opened;
	char *dir;
	char **hidden;
	struct grant_file files[GRANTS_MAX];
	size_t n_files;
	uint32_t n_grants, n_trees;
	uint32_t waiting; /* grant whose answer is awaited; 0: none */
	bool by_line;	  /* and goes to `answer` */
	bool answered, gate_gone, command_gone, refused;
	int status;
	struct source *control_source, *gate_source;
};

static void __attribute__((noreturn)) die(struct error *e)
{
	fprintf(stderr, "gate-mount: %s\n", e->message);
	exit(125);
}

/* --- grants
 * --------------------------------------------------------------------------------------- */

struct wish {
	char *path;
	bool writable, missing;
	uint64_t limit;
};

/* PATH[:rw[:LIMIT]] or PATH[:new]; a path with a colon in it cannot be named. */
static struct wish parse_wish(const char *text)
{
	struct wish w = { .path = xstrdup(text) };
	char *colon = strchr(w.path, ':');
	char *how = colon ? colon + 1 : NULL;

	if (!colon)
		return w;
	*colon = '\0';
	w.missing = strcmp(how, "new") == 0;
	w.writable = w.missing || strncmp(how, "rw", 2) == 0;
	colon = strchr(how, ':');
	if (colon)
		w.limit = strtoull(colon + 1, NULL, 10);
	return w;
}

static int send_grant(struct supervisor *s, enum gate_kind kind, const struct wish *w,
		      const char *place, char *const *masks, int fd, struct error **err)
{
	_cleanup_buf_ struct buf b = { 0 };

	s->waiting = s->n_grants;
	s->answered = s->refused = false;
	wire_put_u32(&b, GATE_GRANT);
	wire_put_u32(&b, s->n_grants);
	wire_put_u32(&b, kind);
	wire_put_u32(&b, w->writable);
	wire_put_u32(&b, (uint32_t)w->limit);
	wire_put_u32(&b, (uint32_t)(w->limit >> 32));
	wire_put_string(&b, place);
	wire_put_strv(&b, masks);
	return sock_send(s->control, b.data, b.size, &fd, fd >= 0, err);
}

static char *place_in_files(const char *path)
{
	const char *slash = strrchr(path, '/');

	return xasprintf(GATE_FILES "/%s", slash ? slash + 1 : path);
}

static int give_tree(struct supervisor *s, const char *text, bool in_files, char *const *masks,
		     struct error **err)
{
	struct wish w = parse_wish(text);
	_cleanup_free_ char *path = w.path;
	_cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *place = in_files ? place_in_files(path)
					      : xasprintf(GATE_TREES "/%u", s->n_trees);

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	s->n_grants++;
	s->n_trees += !in_files;
	return send_grant(s, GATE_TREE, &w, place, masks, fd, err);
}

static int give_file(struct supervisor *s, const char *text, struct error **err)
{
	struct wish w = parse_wish(text);
	_cleanup_free_ char *path = w.path;
	_cleanup_free_ char *place = place_in_files(path);
	_cleanup_close_ int fd = -EBADF;
	struct grant_file *f = &s->files[s->n_files];
	int r;

	if (s->n_files == GRANTS_MAX)
		return error_set(err, E2BIG, "too many files");
	r = given_open(path, w.missing, &s->protection, &f->given, err);
	if (r < 0)
		return r;
	s->n_files++;
	f->id = ++s->n_grants;
	if (f->given.fd >= 0) {
		r = given_reopen(&f->given, w.writable, &fd, err);
		if (r < 0)
			return r;
	}
	r = keeper_add(s->keeper, f->id, &f->given, w.writable, err);
	if (r < 0)
		return r;
	return send_grant(s, GATE_FILE, &w, place, NULL, fd, err);
}

static int take_back(struct supervisor *s, uint32_t id, struct error **err)
{
	_cleanup_buf_ struct buf b = { 0 };

	for (size_t i = 0; i < s->n_files; i++)
		if (s->files[i].id == id)
			keeper_remove(s->keeper, id);
	s->waiting = id;
	s->answered = s->refused = false;
	wire_put_u32(&b, GATE_REVOKE);
	wire_put_u32(&b, id);
	return sock_send(s->control, b.data, b.size, NULL, 0, err);
}

/* --- what the gate and its keeper say -----------------------------------------------------------
 */

static void answer(struct supervisor *s, const char *format, uint32_t id, const char *why)
{
	_cleanup_free_ char *line = xasprintf("%s %u%s%s\n", format, id, *why ? " " : "", why);
	struct error *err = NULL;

	s->answered = true;
	s->waiting = 0;
	if (s->by_line && fs_write_all(s->answer, line, strlen(line), &err) < 0)
		die(err);
	if (!s->by_line && s->refused)
		fprintf(stderr, "gate-mount: %s", line);
}

static void hear_gate(struct supervisor *s, const struct message *m)
{
	struct wire w = wire_open(m->data, m->size);
	uint32_t type = wire_get_u32(&w), id = wire_get_u32(&w);
	bool writable = type == GATE_OPENED && wire_get_u32(&w);
	_cleanup_free_ char *text = type == GATE_OPENED || type == GATE_REFUSED
					    ? wire_get_string(&w)
					    : xstrdup("");

	if (!wire_end(&w) || type < GATE_GRANTED || type > GATE_OPENED ||
	    (type != GATE_OPENED && id != s->waiting)) {
		fprintf(stderr, "gate-mount: the gate broke its protocol (message %u)\n", type);
		exit(125);
	}
	if (type == GATE_OPENED) {
		(void)!dprintf(s->opened, "%u %s %s\n", id, writable ? "rw" : "ro", text);
		return;
	}
	s->refused = type == GATE_REFUSED;
	answer(s,
	       type == GATE_GRANTED   ? "granted"
	       : type == GATE_REVOKED ? "revoked"
				      : "refused",
	       id, text);
}

static void on_control(void *user, short revents)
{
	static struct message m;
	struct supervisor *s = user;
	struct error *err = NULL;

	(void)revents;
	/* Killed, it leaves a socket that is reset: what the pidfd says as well. */
	if (sock_receive(s->control, &m, &err) < 0 || m.size == 0) {
		error_free(err);
		s->control_source = source_remove(s->control_source);
		if (s->waiting) {
			s->refused = true;
			answer(s, "lost", s->waiting, "");
		}
		return;
	}
	hear_gate(s, &m);
	message_close_fds(&m);
}

static void on_gate_gone(void *user, short revents)
{
	struct supervisor *s = user;
	struct error *err = NULL;
	int status = 0;

	(void)revents;
	s->gate_source = source_remove(s->gate_source);
	if (child_wait(&s->gate, 0, &status, &err) < 0)
		die(err);
	s->gate_gone = true;
	if (status && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
		fprintf(stderr, "gate-mount: the gate ended with status %d\n",
			status_to_exit_code(status));
}

static void on_replaced(void *user, uint32_t grant, int fd)
{
	struct supervisor *s = user;
	_cleanup_buf_ struct buf b = { 0 };
	_cleanup_close_ int owned = fd;
	struct error *err = NULL;

	wire_put_u32(&b, GATE_REPLACED);
	wire_put_u32(&b, grant);
	if (sock_send(s->control, b.data, b.size, &owned, owned >= 0, &err) < 0)
		error_free(err); /* the gate was killed: the command sees that for itself */
}

static void on_keeper_lost(void *user, const char *why)
{
	(void)user;
	fprintf(stderr, "gate-mount: keeper: %s\n", why);
}

static const struct keeper_events keeper_events = { on_replaced, on_keeper_lost };

/* --- what the command asks for ------------------------------------------------------------------
 */

static int obey(struct supervisor *s, char *line, struct error **err)
{
	char *argument = strchr(line, ' ');
	uint32_t id = 0;

	if (!argument)
		return error_set(err, EINVAL, "not understood: '%s'", line);
	*argument++ = '\0';
	if (strcmp(line, "tree") == 0)
		return give_tree(s, argument, false, NULL, err);
	if (strcmp(line, "subtree") == 0)
		return give_tree(s, argument, true, NULL, err);
	if (strcmp(line, "file") == 0)
		return give_file(s, argument, err);
	if (strcmp(line, "revoke") == 0 && sscanf(argument, "%u", &id) == 1)
		return take_back(s, id, err);
	return error_set(err, EINVAL, "not understood: '%s'", line);
}

/* One line at a time: who asks waits for the answer. */
static void on_ask(void *user, short revents)
{
	struct supervisor *s = user;
	char line[LINE_BYTES_MAX];
	ssize_t n = read(s->ask, line, sizeof line - 1);
	struct error *err = NULL;

	(void)revents;
	if (n <= 0)
		return;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	s->by_line = true;
	if (obey(s, line, &err) < 0) {
		answer(s, "refused", 0, err->message);
		error_free(err);
	}
}

static void on_command_gone(void *user, short revents)
{
	struct supervisor *s = user;

	(void)revents;
	s->command_gone = true;
}

/* --- the namespace ------------------------------------------------------------------------------
 */

static bool write_text(const char *file, const char *text)
{
	_cleanup_close_ int fd = open(file, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* The part of the monitor: nobody but the gate keeps the descriptor. */
static bool enter_and_mount(const char *where, int inbox)
{
	unsigned uid = getuid(), gid = getgid();
	_cleanup_free_ char *uids = xasprintf("%u %u 1", uid, uid);
	_cleanup_free_ char *gids = xasprintf("%u %u 1", gid, gid);
	_cleanup_close_ int fuse = -EBADF, clone = -EBADF;
	uint32_t from;
	_cleanup_free_ char *options = NULL;
	struct error *err = NULL;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
	    !write_text("/proc/self/setgroups", "deny") ||
	    !write_text("/proc/self/uid_map", uids) || !write_text("/proc/self/gid_map", gids))
		return false;
	fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fuse < 0)
		return false;
	options = xasprintf("fd=%d,rootmode=40000,user_id=%u,group_id=%u,allow_other", fuse, uid,
			    gid);
	if (mount("vitrine", where, "fuse", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) < 0)
		return false;
	from = (uint32_t)fuse;
	clone = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (clone < 0 || ioctl(clone, FUSE_DEV_IOC_CLONE, &from) < 0)
		return false;
	return sock_send(inbox, "", 1, (const int[]){ fuse, clone }, 2, &err) == 0;
}

static bool hide(char *const *directories)
{
	for (; directories && *directories; directories++)
		if (mount("none", *directories, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
			return false;
	return true;
}

static void __attribute__((noreturn))
inside(const struct supervisor *s, const char *where, char **words)
{
	_cleanup_free_ char *pid = xasprintf("%d", s->gate.pid);

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		_exit(125);
	setenv("GATE_PID", pid, true);
	setenv("GATE_DIR", s->dir, true);
	if (!enter_and_mount(where, s->inbox) || !hide(s->hidden)) {
		perror("gate-mount: cannot mount");
		_exit(125);
	}
	execvp(words[0], words);
	perror(words[0]);
	_exit(127);
}

static int start_command(struct supervisor *s, const char *where, char **words, struct error **err)
{
	fflush(NULL);
	s->command.pid = fork();
	if (s->command.pid < 0)
		return error_errno(err, "cannot fork");
	if (s->command.pid == 0)
		inside(s, where, words);
	s->command.pidfd = pidfd_open(s->command.pid, 0);
	if (s->command.pidfd < 0)
		return error_errno(err, "cannot watch the command");
	loop_add(s->loop, s->command.pidfd, POLLIN, on_command_gone, s);
	s->inbox = close_fd(s->inbox);
	return 0;
}

/* --- from begin to end --------------------------------------------------------------------------
 */

static int make_pipes(struct supervisor *s, struct error **err)
{
	const char *tmp = getenv("TMPDIR");
	_cleanup_free_ char *ask = NULL, *reply = NULL, *opened = NULL;

	s->dir = xasprintf("%s/gate-mount-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(s->dir))
		return error_errno(err, "cannot make '%s'", s->dir);
	ask = xasprintf("%s/ask", s->dir);
	reply = xasprintf("%s/answer", s->dir);
	opened = xasprintf("%s/opened", s->dir);
	if (mkfifo(ask, 0600) < 0 || mkfifo(reply, 0600) < 0)
		return error_errno(err, "cannot make pipes in '%s'", s->dir);
	/* Both ends, so that no open(2) here waits for the other side. */
	s->ask = open(ask, O_RDWR | O_CLOEXEC);
	s->answer = open(reply, O_RDWR | O_CLOEXEC);
	s->opened = open(opened, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (s->ask < 0 || s->answer < 0 || s->opened < 0)
		return error_errno(err, "cannot open pipes in '%s'", s->dir);
	loop_add(s->loop, s->ask, POLLIN, on_ask, s);
	return 0;
}

static int start_gate(struct supervisor *s, struct error **err)
{
	const char *program = getenv("VITRINE_GATE");
	char *argv[] = { (char *)(program ? program : VITRINE_EXEC_DIR "/vitrine-gate"), NULL };
	int control[2], keeper[2], inbox[2];
	struct spawn how = { .argv = argv, .n_fds = GATE_FDS };
	int r;

	if (sock_pair(control, err) < 0 || sock_pair(keeper, err) < 0 || sock_pair(inbox, err) < 0)
		return -1;
	how.fds = (int[GATE_FDS]){ -EBADF, 2, 2, control[1], keeper[1], inbox[1] };
	r = spawn(&how, &s->gate, err);
	if (r < 0)
		return r;
	close_fd(control[1]);
	close_fd(keeper[1]);
	close_fd(inbox[1]);
	s->control = control[0];
	s->inbox = inbox[0];
	s->control_source = loop_add(s->loop, s->control, POLLIN, on_control, s);
	s->gate_source = loop_add(s->loop, s->gate.pidfd, POLLIN, on_gate_gone, s);
	return keeper_new(s->loop, keeper[0], &keeper_events, s, &s->keeper, err);
}

static int await(struct supervisor *s, const bool *what, const char *name, int ms,
		 struct error **err)
{
	int r = loop_run(s->loop, what, ms, err);

	return r ? r : error_set(err, ETIMEDOUT, "waited in vain for %s", name);
}

/* Grants of the command line; returns the index of the mount point. */
static int give_all(struct supervisor *s, int argc, char **argv, struct error **err)
{
	int i = 1, r;

	while (i + 1 < argc && strncmp(argv[i], "--", 2) == 0) {
		const char *option = argv[i], *value = argv[i + 1];
		_cleanup_strv_ char **masks = NULL;

		i += 2;
		while (i + 1 < argc && strcmp(argv[i], "--mask") == 0) {
			strv_add(&masks, argv[i + 1]);
			i += 2;
		}
		if (strcmp(option, "--hide") == 0) {
			strv_add(&s->hidden, value);
			continue;
		}
		if (strcmp(option, "--file") == 0)
			r = give_file(s, value, err);
		else if (strcmp(option, "--tree") == 0 || strcmp(option, "--subtree") == 0)
			r = give_tree(s, value, strcmp(option, "--subtree") == 0, masks, err);
		else
			r = error_set(err, EINVAL, "unknown option '%s'", option);
		if (r < 0 || (r = await(s, &s->answered, "the gate", 5000, err)) < 0)
			return r;
		if (s->refused)
			return error_set(err, EPERM, "'%s' was refused", value);
	}
	if (i + 2 >= argc || strcmp(argv[i + 1], "--") != 0)
		return error_set(err, EINVAL,
				 "usage: gate-mount [GRANT...] MOUNTPOINT -- COMMAND...");
	return i;
}

static int serve(struct supervisor *s, struct error **err)
{
	_cleanup_buf_ struct buf b = { 0 };

	wire_put_u32(&b, GATE_SERVE);
	wire_put_u32(&b, getuid());
	wire_put_u32(&b, getgid());
	return sock_send(s->control, b.data, b.size, NULL, 0, err);
}

/* What is still on its way must arrive, and then the gate has nothing left to wait for. */
static int finish(struct supervisor *s, struct error **err)
{
	struct error *remove_error = NULL;
	int r = child_wait(&s->command, -1, &s->status, err);

	if (r < 0)
		return r;
	s->control_source = source_remove(s->control_source);
	s->control = close_fd(s->control);
	r = await(s, &s->gate_gone, "the end of the gate", GATE_PATIENCE_MS, err);
	s->keeper = keeper_free(s->keeper);
	child_end(&s->gate);
	if (fs_remove_tree(AT_FDCWD, s->dir, &remove_error) < 0)
		error_free(remove_error); /* nothing but rubbish in $TMPDIR */
	return r;
}

static int run(struct supervisor *s, int argc, char **argv, struct error **err)
{
	const char *home = getenv("HOME");
	int at, r;

	r = protection_gather(home ? home : "/", &s->protection, err);
	if (r < 0 || (r = start_gate(s, err)) < 0 || (r = make_pipes(s, err)) < 0)
		return r;
	at = give_all(s, argc, argv, err);
	if (at < 0 || (r = serve(s, err)) < 0)
		return at < 0 ? at : r;
	r = start_command(s, argv[at], argv + at + 2, err);
	if (r < 0 || (r = loop_run(s->loop, &s->command_gone, -1, err)) < 0)
		return r;
	return finish(s, err);
}

int main(int argc, char **argv)
{
	struct supervisor s = { .loop = loop_new(), .gate = CHILD_NONE, .command = CHILD_NONE };
	struct error *err = NULL;

	if (run(&s, argc, argv, &err) < 0)
		die(err);
	return status_to_exit_code(s.status);
}
