#include "app/denials.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/loop.h"
#include "base/parse.h"
#include "base/spawn.h"
#include "base/strv.h"

/* A piece of text whose lines, each with '\n', are looked at one by one. */
#define CHUNK	      65536U
#define TOLD_MAX      64
#define LINE_MAX_KEPT (1U << 20) /* a longer one is given up */

/* How much the time of the start, as it is reckoned now, may be wrong. */
#define CLOCK_SET_MS 60000

#define AUDIT_DIR  "/var/log/audit"
#define AUDIT_LOG  "audit.log"
#define AUDIT_OLD  "audit.log.1"
#define JOURNALCTL "/usr/bin/journalctl"
#define KMSG	   "/dev/kmsg"
#define APPARMOR   "/sys/module/apparmor/parameters/enabled"

struct denials {
	const struct source_kind *kind;
	bool following;
	uint64_t boot_ms; /* when the machine was started */
	int dir;	  /* of audit.log */
	int fd;		  /* the file, pipe or device that is read; -EBADF: none (yet) */
	int watch;	  /* inotify(7) */
	bool ended;
	struct child journalctl;
	struct buf rest;     /* the beginning of a line */
	struct denial *held; /* of this round: what comes after may tell whose they are */
	size_t n_held;
	/* What was told last, in a ring: the journal has many of them twice, as the kernel has put
	 * them into its buffer and sent them to auditors. */
	struct denial told[TOLD_MAX];
	size_t n_told;
};

/* A place to read from. */
struct source_kind {
	const char *where;
	bool (*is_readable)(void);
	int (*open)(struct denials *d, struct error **err);
	int (*read)(struct denials *d, struct error **err);
};

/* --- lines -------------------------------------------------------------------------------------
 */

static void hold(struct denials *d, struct denial *one)
{
	d->held = xreallocarray(d->held, d->n_held + 1, sizeof *d->held);
	d->held[d->n_held++] = *one;
	*one = DENIAL_NONE;
}

static void take_line(struct denials *d, const char *line, size_t size)
{
	_cleanup_(denial_release) struct denial one = DENIAL_NONE;
	uint64_t serial, uid;

	if (denial_parse(line, size, &one)) {
		hold(d, &one);
		return;
	}
	if (!denial_parse_caller(line, size, &serial, &uid))
		return;
	for (size_t i = 0; i < d->n_held; i++)
		if (d->held[i].serial == serial && d->held[i].uid == DENIAL_NO_ID)
			d->held[i].uid = uid;
}

/* The journal has time and serial beside the text, for lines that have none. */
static void take_entry(struct denials *d, const char *line, size_t size)
{
	json_auto_t *entry = json_loadb(line, size, 0, NULL);
	const json_t *message = json_object_get(entry, "MESSAGE");
	const char *micro = json_string_value(json_object_get(entry, "_SOURCE_REALTIME_TIMESTAMP"));
	const char *serial = json_string_value(json_object_get(entry, "_AUDIT_ID"));
	_cleanup_(denial_release) struct denial one = DENIAL_NONE;
	uint64_t us, number;

	if (!micro)
		micro = json_string_value(json_object_get(entry, "__REALTIME_TIMESTAMP"));
	if (!json_is_string(message) ||
	    !denial_parse(json_string_value(message), json_string_length(message), &one))
		return;
	if (!one.time_ms && micro && parse_u64(micro, &us) == 0)
		one.time_ms = us / 1000;
	if (!one.serial && serial && parse_u64(serial, &number) == 0)
		one.serial = number;
	hold(d, &one);
}

/* Adds to what was read before, and takes the lines that are whole. */
static void take_lines(struct denials *d, const char *data, size_t size,
		       void (*take)(struct denials *, const char *, size_t))
{
	_cleanup_buf_ struct buf text = d->rest;
	const char *at, *end;

	d->rest = (struct buf){ 0 };
	buf_add(&text, data, size);
	for (at = text.data; (end = memchr(at, '\n', text.size - (size_t)(at - text.data)));
	     at = end + 1)
		take(d, at, (size_t)(end - at));
	size = text.size - (size_t)(at - text.data);
	if (size < LINE_MAX_KEPT)
		buf_add(&d->rest, at, size);
}

/* Reads what can be read without waiting (with a blocking pipe: all). Sets d->ended at its end. */
static int read_lines(struct denials *d, void (*take)(struct denials *, const char *, size_t),
		      struct error **err)
{
	_cleanup_free_ char *chunk = xmalloc(CHUNK);
	ssize_t n;

	while ((n = read(d->fd, chunk, CHUNK)) > 0)
		take_lines(d, chunk, (size_t)n, take);
	if (n < 0 && errno != EAGAIN)
		return error_errno(err, "cannot read %s", d->kind->where);
	d->ended = n == 0;
	return 0;
}

/* --- auditd's file -----------------------------------------------------------------------------
 */

static bool audit_is_readable(void)
{
	return access(AUDIT_DIR "/" AUDIT_LOG, R_OK) == 0;
}

static int audit_open(struct denials *d, struct error **err)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	int r;

	r = fs_open_dir(AT_FDCWD, AUDIT_DIR, &d->dir, err);
	if (r < 0)
		return r;
	d->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (d->watch < 0 ||
	    inotify_add_watch(d->watch, AUDIT_DIR, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return error_errno(err, "cannot watch " AUDIT_DIR);
	/* What was before the last rotation; there need not be one. */
	if (fs_open_file(d->dir, AUDIT_OLD, &d->fd, &ignored) >= 0)
		return 0;
	return fs_open_file(d->dir, AUDIT_LOG, &d->fd, err);
}

/* First the rest of what is open, then, where the name stands for another file by now, that. */
static int audit_read(struct denials *d, struct error **err)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	_cleanup_close_ int now = -EBADF;
	int r;

	while (read(d->watch, events, sizeof events) > 0)
		;
	r = fs_open_file(d->dir, AUDIT_LOG, &now, err);
	if (r == -ENOENT) { /* for a moment, while it is rotated */
		*err = error_free(*err);
		r = 0;
	}
	if (r < 0)
		return r;
	r = read_lines(d, take_line, err);
	if (r >= 0 && now >= 0 && !fs_is_same(now, d->fd)) {
		close_fd(d->fd);
		d->fd = TAKE_FD(now);
		r = read_lines(d, take_line, err);
	}
	return r;
}

/* --- the journal -------------------------------------------------------------------------------
 */

/* The system's own file of this machine; an ordinary user always has one that may be read, and
 * journalctl(1) then shows that without an error. */
static bool has_system_journal(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		_cleanup_free_ char *file = xasprintf("%s/%s/system.journal", path, entry->d_name);

		found = access(file, R_OK) == 0;
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool journal_is_readable(void)
{
	return access(JOURNALCTL, X_OK) == 0 &&
	       (has_system_journal("/var/log/journal") || has_system_journal("/run/log/journal"));
}

/* Only what the kernel wrote, to its buffer or for auditors: programs may log any text. */
static int journal_open(struct denials *d, struct error **err)
{
	_cleanup_strv_ char **argv = NULL;
	_cleanup_close_ int from = -EBADF, to = -EBADF;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	from = ends[0];
	to = ends[1];
	strv_add_all(&argv, (char *[]){ (char *)JOURNALCTL, (char *)"--quiet", (char *)"--no-pager",
					(char *)"--boot", (char *)"--output=json", (char *)"--all",
					NULL });
	if (d->following)
		strv_add_all(&argv, (char *[]){ (char *)"--follow", (char *)"--lines=all", NULL });
	strv_add_all(&argv, (char *[]){ (char *)"_TRANSPORT=kernel", (char *)"+",
					(char *)"_TRANSPORT=audit", NULL });
	if (d->following && fcntl(from, F_SETFL, O_NONBLOCK) < 0)
		return error_errno(err, "cannot read the journal");
	d->fd = TAKE_FD(from);
	return spawn(&(const struct spawn){ .argv = argv,
					    .fds = (const int[]){ -EBADF, to, -EBADF },
					    .n_fds = 3 },
		     &d->journalctl, err);
}

static int journal_read(struct denials *d, struct error **err)
{
	return read_lines(d, take_entry, err);
}

/* --- the kernel's buffer -----------------------------------------------------------------------
 */

static bool kmsg_is_readable(void)
{
	_cleanup_close_ int fd = open(KMSG, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0;
}

static int kmsg_open(struct denials *d, struct error **err)
{
	d->fd = open(KMSG, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return d->fd < 0 ? error_errno(err, "cannot open " KMSG) : 0;
}

/* Each read(2) is one record; EPIPE tells that older ones were overwritten
 * (Documentation/ABI/testing/dev-kmsg). */
static int kmsg_read(struct denials *d, struct error **err)
{
	char record[8192];
	ssize_t n;

	while ((n = read(d->fd, record, sizeof record)) > 0 || (n < 0 && errno == EPIPE)) {
		const char *text = n > 0 ? memchr(record, ';', (size_t)n) : NULL;

		if (text)
			take_line(d, text, (size_t)(record + n - text));
	}
	if (n < 0 && errno != EAGAIN)
		return error_errno(err, "cannot read " KMSG);
	d->ended = !d->following;
	return 0;
}

/* --- all of them -------------------------------------------------------------------------------
 */

static const struct source_kind kinds[] = {
	{ AUDIT_DIR "/" AUDIT_LOG, audit_is_readable, audit_open, audit_read },
	{ "the system's journal", journal_is_readable, journal_open, journal_read },
	{ KMSG, kmsg_is_readable, kmsg_open, kmsg_read },
};

static const struct source_kind *find_kind(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].is_readable())
			return &kinds[i];
	return NULL;
}

/* On Debian auditd's file belongs to root alone or to the group of log_group (auditd.conf(5)), and
 * journal and group adm go together (tmpfiles.d/systemd.conf). */
static char *mend(void)
{
	const struct passwd *user = getpwuid(getuid());
	const char *name = user ? user->pw_name : "$USER";
	struct stat st;

	if (stat(AUDIT_DIR, &st) == 0 && st.st_gid == 0)
		return xasprintf("set 'log_group = adm' in /etc/audit/auditd.conf, then 'sudo "
				 "systemctl restart auditd; sudo adduser %s adm' and log in again",
				 name);
	return xasprintf("'sudo adduser %s adm' and log in again", name);
}

static bool has_apparmor(void)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *text = NULL;

	return fs_read(AT_FDCWD, APPARMOR, 16, &text, NULL, &ignored) >= 0 && text[0] == 'Y';
}

bool denials_are_readable(char **ret_where, char **ret_mend)
{
	const struct source_kind *kind = find_kind();

	if (!has_apparmor())
		*ret_where = xstrdup("nowhere: without AppArmor there are none");
	else if (kind)
		*ret_where = xstrdup(kind->where);
	else
		*ret_mend = mend();
	return *ret_where != NULL;
}

static uint64_t boot_time_ms(void)
{
	struct timespec now, up;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)clock_gettime(CLOCK_BOOTTIME, &up);
	return (uint64_t)(now.tv_sec - up.tv_sec) * 1000;
}

int denials_open(bool following, struct denials **ret, struct error **err)
{
	_cleanup_(denials_freep) struct denials *d = xcalloc(1, sizeof *d);
	_cleanup_free_ char *help = NULL;
	int r;

	*d = (struct denials){ .following = following,
			       .dir = -EBADF,
			       .fd = -EBADF,
			       .watch = -EBADF,
			       .boot_ms = boot_time_ms(),
			       .journalctl = CHILD_NONE };
	if (!has_apparmor())
		return error_set(err, EOPNOTSUPP,
				 "this kernel runs without AppArmor, and only its "
				 "denials are logged");
	d->kind = find_kind();
	if (!d->kind) {
		help = mend();
		return error_set(err, EACCES,
				 "you may not read the system's logs, where AppArmor's "
				 "denials are; an administrator allows it: %s",
				 help);
	}
	r = d->kind->open(d, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(d);
	return 0;
}

struct denials *denials_free(struct denials *d)
{
	if (!d)
		return NULL;
	for (size_t i = 0; i < d->n_held; i++)
		denial_release(&d->held[i]);
	free(d->held);
	for (size_t i = 0; i < TOLD_MAX; i++)
		denial_release(&d->told[i]);
	buf_release(&d->rest);
	child_end(&d->journalctl);
	close_fd(d->dir);
	close_fd(d->fd);
	close_fd(d->watch);
	free(d);
	return NULL;
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* One system call may be denied for two names, or twice for one. */
static bool is_same_denial(const struct denial *a, const struct denial *b)
{
	return a->serial == b->serial && a->time_ms == b->time_ms &&
	       is_same(a->operation, b->operation) && is_same(a->name, b->name) &&
	       is_same(a->mask, b->mask);
}

static bool was_told(const struct denials *d, const struct denial *one)
{
	for (size_t i = 0; i < TOLD_MAX && one->serial; i++)
		if (is_same_denial(&d->told[i], one))
			return true;
	return false;
}

static void tell(struct denials *d, struct denial *one, denials_fn *fn, void *user)
{
	struct denial *place = &d->told[d->n_told % TOLD_MAX];

	/* The clock may have been set since the start. */
	if (was_told(d, one) || (one->time_ms && one->time_ms + CLOCK_SET_MS < d->boot_ms))
		return;
	fn(user, one);
	denial_release(place);
	*place = *one;
	*one = DENIAL_NONE;
	d->n_told++;
}

int denials_read(struct denials *d, denials_fn *fn, void *user, struct error **err)
{
	int r = d->kind->read(d, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < d->n_held; i++) {
		tell(d, &d->held[i], fn, user);
		denial_release(&d->held[i]);
	}
	d->n_held = 0;
	/* A file can always get more. */
	return d->ended && (d->watch < 0 || !d->following);
}

int denials_poll_fd(const struct denials *d)
{
	return d->watch >= 0 ? d->watch : d->fd;
}
