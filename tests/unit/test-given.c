/* session/given: what a name leads to, and that nothing can be put in its way. */

#include "session/given.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/fs.h"
#include "base/strv.h"
#include "scratch.h"
#include "unit.h"

#define ROUNDS 5000

/* A home in the scratch directory, and what was gathered of it. */
struct home {
	struct scratch *scratch;
	char *path;
	int fd;
	struct protection protection;
};

static const char *const variables[] = {
	"BASH_ENV",	     "ENV",
	"GIT_CONFIG_GLOBAL", "GNUPGHOME",
	"ICEAUTHORITY",	     "XAUTHORITY",
	"PYTHONSTARTUP",     "XDG_CACHE_HOME",
	"XDG_CONFIG_HOME",   "XDG_DATA_HOME",
	"ZDOTDIR",	     "XDG_STATE_HOME",
	"SSH_AUTH_SOCK",     "XDG_RUNTIME_DIR",
	"CONTAINER_HOST",    "DBUS_SESSION_BUS_ADDRESS",
	"DOCKER_HOST",	     "GPG_AGENT_INFO",
	"PULSE_SERVER",	     "WAYLAND_DISPLAY",
};

static int make_home(void **state)
{
	struct home *h = xcalloc(1, sizeof *h);
	struct error *error = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		(void)unsetenv(variables[i]);
	if (scratch_make((void **)&h->scratch) < 0)
		return -1;
	h->path = xasprintf("%s/home", h->scratch->path);
	if (fs_make_dir(h->scratch->fd, "home", 0700, &h->fd, &error) < 0 ||
	    protection_gather(h->path, &h->protection, &error) < 0)
		return -1;
	/* Links that root puts into a directory of its own would be followed. */
	if (getuid() == 0 && fchown(h->fd, 65534, 65534) < 0)
		return -1;
	*state = h;
	return 0;
}

static int remove_home(void **state)
{
	struct home *h = *state;
	void *scratch = h->scratch;
	int r = scratch_remove(&scratch);

	protection_release(&h->protection);
	close_fd(h->fd);
	free(h->path);
	free(h);
	return r;
}

static void write_file(int dir, const char *name, const char *text)
{
	_cleanup_free_ char *temporary = xasprintf("%s.new", name);
	_cleanup_close_ int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(renameat(dir, temporary, dir, name), 0);
}

static void make_dir(int dir, const char *name)
{
	assert_int_equal(mkdirat(dir, name, 0700), 0);
}

static int give(const struct home *h, const char *name, bool missing, struct given *ret,
		struct error **err)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", h->path, name);

	return given_open(path, missing, &h->protection, ret, err);
}

static void refused(const struct home *h, const char *name, int code, const char *part)
{
	_cleanup_(given_release) struct given g = GIVEN_NONE;
	struct error *error = NULL;

	assert_refused(give(h, name, true, &g, &error), error, code, part);
	assert_int_equal(g.parent, -EBADF);
	assert_int_equal(g.fd, -EBADF);
}

static void path_refused(const struct home *h, const char *path, int code, const char *part)
{
	_cleanup_(given_release) struct given g = GIVEN_NONE;
	struct error *error = NULL;

	assert_refused(given_open(path, false, &h->protection, &g, &error), error, code, part);
}

static void expect_content(const struct given *g, const char *wanted)
{
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *text = NULL;
	struct error *error = NULL;

	assert_done(given_reopen(g, false, &fd, &error), error);
	assert_done(fs_read_fd(fd, 100, &text, NULL, &error), error);
	assert_string_equal(text, wanted);
}

static void test_file_and_directory(void **state)
{
	const struct home *h = *state;
	_cleanup_(given_release) struct given file = GIVEN_NONE, dir = GIVEN_NONE, odd = GIVEN_NONE;
	_cleanup_free_ char *path = xasprintf("%s/docs/a.pdf", h->path);
	_cleanup_close_ int docs = -EBADF, fd = -EBADF;
	struct error *error = NULL;

	assert_done(fs_make_dir(h->fd, "docs", 0700, &docs, &error), error);
	write_file(docs, "a.pdf", "one");
	write_file(docs, "\xff (deleted)", "two");
	assert_done(give(h, "docs//./../docs/a.pdf", false, &file, &error), error);
	assert_string_equal(file.path, path);
	assert_string_equal(file.name, "a.pdf");
	assert_false(file.directory);
	expect_content(&file, "one");

	assert_done(give(h, "docs/", false, &dir, &error), error);
	assert_true(dir.directory);
	assert_string_equal(dir.name, "docs");
	assert_done(given_reopen(&dir, true, &fd, &error), error);
	assert_int_equal(fcntl(fd, F_GETFL) & O_PATH, O_PATH);

	assert_done(give(h, "docs/\xff (deleted)", false, &odd, &error), error);
	expect_content(&odd, "two");
	assert_int_equal(fcntl(odd.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

static void test_relative_paths(void **state)
{
	const struct home *h = *state;
	_cleanup_(given_release) struct given here = GIVEN_NONE, file = GIVEN_NONE, up = GIVEN_NONE;
	_cleanup_close_ int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *docs = xasprintf("%s/docs", h->path);
	struct error *error = NULL;

	assert_int_equal(mkdirat(h->fd, "docs/deep", 0700), 0);
	assert_int_equal(chdir(docs), 0);
	assert_done(given_open("a.pdf", false, &h->protection, &file, &error), error);
	expect_content(&file, "one");
	assert_done(given_open(".", false, &h->protection, &here, &error), error);
	assert_string_equal(here.path, docs);
	assert_string_equal(here.name, "docs");
	path_refused(h, "..", EPERM, "is your home");
	assert_done(given_open("deep/..", false, &h->protection, &up, &error), error);
	assert_string_equal(up.path, docs);

	assert_int_equal(chdir("deep"), 0);
	assert_int_equal(unlinkat(h->fd, "docs/deep", AT_REMOVEDIR), 0);
	path_refused(h, ".", ESTALE, "moved or removed");
	path_refused(h, "x", ENOENT, "does not exist");
	/* What the kernel says of it is now the path of another directory. */
	make_dir(h->fd, "docs/deep (deleted)");
	path_refused(h, ".", ESTALE, "moved or removed");
	assert_int_equal(fchdir(before), 0);
}

static void test_what_does_not_exist(void **state)
{
	const struct home *h = *state;
	_cleanup_(given_release) struct given g = GIVEN_NONE, none = GIVEN_NONE;
	struct error *error = NULL;
	int fd = -EBADF;

	assert_refused(give(h, "docs/new", false, &none, &error), error, ENOENT, "does not exist");
	assert_done(give(h, "docs/new", true, &g, &error), error);
	assert_int_equal(g.fd, -EBADF);
	assert_string_equal(g.name, "new");
	assert_refused(given_reopen(&g, true, &fd, &error), error, ENOENT, "does not exist");
	refused(h, "docs/new/", ENOENT, "does not exist");
	refused(h, "nowhere/new", ENOENT, "does not exist");
	refused(h, "docs/a.pdf/new", ENOTDIR, "a.pdf");
	refused(h, "docs/a.pdf/", ENOTDIR, "a.pdf");
	refused(h, ".bashrc", EPERM, "copy");
	path_refused(h, "", ENOENT, "");
}

static void test_what_is_no_file(void **state)
{
	const struct home *h = *state;
	_cleanup_close_ int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	assert_int_equal(mkfifoat(h->fd, "fifo", 0600), 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", h->path);
	assert_int_equal(bind(s, (struct sockaddr *)&address, sizeof address), 0);
	refused(h, "fifo", EINVAL, "neither a file nor a directory");
	refused(h, "socket", EINVAL, "neither a file nor a directory");
	path_refused(h, "/dev/null", EPERM, "system");
}

static void test_what_is_protected(void **state)
{
	const struct home *h = *state;
	make_dir(h->fd, ".ssh");
	refused(h, ".ssh", EPERM, "copy");
	refused(h, "docs/../.ssh/id", EPERM, "copy");
	refused(h, "", EPERM, "is your home");
	refused(h, "..", EPERM, "holds your home");
	path_refused(h, "/", EPERM, "holds your home");
	path_refused(h, "/../..//.", EPERM, "holds your home");
}

/* Wherever it is mounted. */
static void test_what_is_the_kernels_own(void **state)
{
	_cleanup_free_ char *process = xasprintf("/proc/%d", getpid());
	_cleanup_free_ char *status = xasprintf("%s/status", process);
	_cleanup_free_ char *none = xasprintf("%s/none", process);
	const struct protection inside = { .home = process };
	_cleanup_(given_release) struct given g = GIVEN_NONE;
	struct error *error = NULL;

	(void)state;
	assert_refused(given_open(status, false, &inside, &g, &error), error, EPERM, "the kernel");
	assert_refused(given_open(none, true, &inside, &g, &error), error, EPERM, "the kernel");
}

static void test_links_of_others_end_it(void **state)
{
	const struct home *h = *state;
	_cleanup_free_ char *secret = xasprintf("%s/docs/a.pdf", h->path);
	_cleanup_free_ char *to = xasprintf("to '%s': links are not followed", secret);
	_cleanup_free_ char *here = xasprintf("/proc/self/fd/%d/docs/a.pdf", h->fd);
	_cleanup_free_ char *beside = xasprintf("%s-link", h->scratch->path);

	assert_int_equal(symlinkat(secret, h->fd, "absolute"), 0);
	assert_int_equal(symlinkat("docs/a.pdf", h->fd, "relative"), 0);
	assert_int_equal(symlinkat("docs", h->fd, "dir"), 0);
	assert_int_equal(symlinkat("nowhere", h->fd, "dangling"), 0);
	assert_int_equal(symlinkat("loop", h->fd, "loop"), 0);
	assert_int_equal(symlinkat("/proc/self/root", h->fd, "root"), 0);
	refused(h, "absolute", ELOOP, to);
	refused(h, "relative", ELOOP, to);
	refused(h, "dir/a.pdf", ELOOP, to);
	refused(h, "dir/", ELOOP, "symbolic link");
	refused(h, "dir/../docs/a.pdf", ELOOP, to);
	refused(h, "dangling", ELOOP, "leads nowhere");
	refused(h, "loop", ELOOP, "leads nowhere");
	refused(h, "root/etc/passwd", ELOOP, "to '/etc/passwd': links are not followed");
	path_refused(h, "/proc/self/cwd/x", ELOOP, "symbolic link");
	path_refused(h, here, ELOOP, to);
	path_refused(h, "/dev/stdin", ELOOP, "symbolic link");
	/* In a directory of root where everybody may write. */
	assert_int_equal(symlink(secret, beside), 0);
	path_refused(h, beside, ELOOP, to);
	assert_int_equal(unlink(beside), 0);
}

static void test_links_of_root_are_part_of_the_path(void **state)
{
	const struct home *h = *state;
	struct stat st;

	if (lstat("/bin", &st) < 0 || !S_ISLNK(st.st_mode))
		skip();
	path_refused(h, "/bin/true", EPERM, "'/usr/bin/true' belongs to the system");
	path_refused(h, "/bin/../bin/./true", EPERM, "'/usr/bin/true' belongs to the system");
	path_refused(h, "/bin", EPERM, "'/usr/bin' belongs to the system");
	path_refused(h, "/bin/nothing-of-this-name", ENOENT, "does not exist");
}

static void test_home_reached_through_a_link(void **state)
{
	const struct home *h = *state;
	_cleanup_free_ char *link = xasprintf("%s/link", h->scratch->path);
	_cleanup_(protection_release) struct protection p = { 0 };
	struct error *error = NULL;

	assert_int_equal(symlink("home", link), 0);
	assert_done(protection_gather(link, &p, &error), error);
	assert_string_equal(p.home, h->path);
	assert_int_equal(p.uid, getuid());
	assert_refused(protection_gather("/nonexistent", &p, &error), error, ENOENT, "home");
}

static void test_reopening(void **state)
{
	const struct home *h = *state;
	_cleanup_(given_release) struct given g = GIVEN_NONE, read_only = GIVEN_NONE;
	_cleanup_close_ int fd = -EBADF;
	struct error *error = NULL;
	int none = -EBADF;

	write_file(h->fd, "file", "old");
	assert_done(give(h, "file", false, &g, &error), error);
	assert_done(given_reopen(&g, true, &fd, &error), error);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	write_file(h->fd, "file", "new");
	assert_refused(given_reopen(&g, true, &none, &error), error, ESTALE, "replaced");
	assert_int_equal(unlinkat(h->fd, "file", 0), 0);
	assert_refused(given_reopen(&g, true, &none, &error), error, ESTALE, "replaced");
	assert_int_equal(mkfifoat(h->fd, "file", 0600), 0);
	assert_refused(given_reopen(&g, false, &none, &error), error, ESTALE, "replaced");

	if (getuid() == 0)
		return;
	write_file(h->fd, "readable", "x");
	assert_int_equal(fchmodat(h->fd, "readable", 0400, 0), 0);
	assert_done(give(h, "readable", false, &read_only, &error), error);
	assert_refused(given_reopen(&read_only, true, &none, &error), error, EACCES, "readable");
	assert_int_equal(none, -EBADF);
}

/* Descriptors as another process would send them. */
static int receive(const struct home *h, const char *dir, const char *file, const char *name,
		   struct error **err)
{
	_cleanup_(given_release) struct given g = GIVEN_NONE;
	int parent = openat(h->fd, dir, O_RDONLY | O_CLOEXEC);
	int fd = file ? openat(h->fd, file, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -EBADF;
	int r = given_receive(parent, fd, name, &h->protection, &g, err);

	if (r >= 0 && fd >= 0) {
		expect_content(&g, "one");
		assert_int_equal(fcntl(g.fd, F_GETFL) & (O_PATH | O_NOFOLLOW), O_PATH | O_NOFOLLOW);
	}
	return r;
}

static void test_receiving(void **state)
{
	const struct home *h = *state;
	static const char *const names[] = { "", ".", "..", "a/b", "/", "/etc/passwd" };
	struct error *error = NULL;

	write_file(h->fd, "other", "other");
	assert_done(receive(h, "docs", "docs/a.pdf", "a.pdf", &error), error);
	assert_done(receive(h, "docs", NULL, "new", &error), error);
	assert_refused(receive(h, "docs", NULL, "a.pdf", &error), error, ESTALE, "another file");
	assert_refused(receive(h, "docs", "other", "a.pdf", &error), error, ESTALE, "another file");
	assert_refused(receive(h, "docs", "other", "new", &error), error, ENOENT, "new");
	assert_refused(receive(h, "other", "other", "new", &error), error, ENOTDIR, "directory");
	assert_refused(receive(h, ".", ".ssh", ".ssh", &error), error, EPERM, "copy");
	assert_refused(receive(h, ".", "relative", "relative", &error), error, EINVAL, "neither");
	assert_refused(receive(h, ".", "fifo", "fifo", &error), error, EINVAL, "neither");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_refused(receive(h, ".", "other", names[i], &error), error, EINVAL, "name");
}

static void test_no_descriptor_is_left(void **state)
{
	const struct home *h = *state;
	_cleanup_close_ int before = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct error *error = NULL;
	int after;

	for (unsigned i = 0; i < 20; i++) {
		assert_done(receive(h, "docs", "docs/a.pdf", "a.pdf", &error), error);
		assert_true(receive(h, "docs", "other", "a.pdf", &error) < 0);
		error = error_free(error);
		refused(h, "dir/a.pdf", ELOOP, "symbolic link");
		refused(h, "docs/../.ssh/id", EPERM, "copy");
		path_refused(h, "/bin/true", EPERM, "system");
	}
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(after, before + 1);
	close_fd(after);
}

static bool has(const struct protection *p, const struct home *h, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", h->path, name);

	return strv_contains(p->elsewhere, path);
}

static void test_links_of_protected_paths(void **state)
{
	const struct home *h = *state;
	_cleanup_(protection_release) struct protection p = { 0 };
	_cleanup_close_ int dot = -EBADF;
	struct error *error = NULL;

	assert_done(fs_make_dir(h->fd, "dot", 0700, &dot, &error), error);
	write_file(dot, "bashrc", "x");
	write_file(dot, "unit", "x");
	make_dir(h->fd, "dot/git");
	make_dir(h->fd, "dot/config");
	make_dir(h->fd, ".local");
	make_dir(h->fd, ".local/bin");
	assert_int_equal(symlinkat("dot/bashrc", h->fd, ".bashrc"), 0);
	assert_int_equal(symlinkat("dot/to-come", h->fd, ".zshrc"), 0);
	assert_int_equal(symlinkat("dot/config", h->fd, ".config"), 0);
	assert_int_equal(symlinkat("../git", dot, "config/git"), 0);
	assert_int_equal(symlinkat("../../dot/unit", h->fd, ".local/bin/tool"), 0);
	assert_int_equal(symlinkat("/usr/bin/vim", h->fd, ".vimrc"), 0);
	assert_int_equal(symlinkat(".", h->fd, "bin"), 0);
	assert_done(protection_gather(h->path, &p, &error), error);

	assert_true(has(&p, h, "dot/bashrc"));
	assert_true(has(&p, h, "dot/to-come"));
	assert_true(has(&p, h, "dot/git"));
	assert_true(has(&p, h, "dot/unit"));
	assert_true(has(&p, h, "dot/config/autostart"));
	assert_false(strv_contains(p.elsewhere, "/usr/bin/vim"));
	assert_false(strv_contains(p.elsewhere, h->path));
	assert_refused(protected_check(&p, p.elsewhere[0], false, &error), error, EPERM, "copy");
	assert_int_equal(unlinkat(h->fd, ".config", 0), 0);
}

/* Another home beneath the first. */
static char *second_home(const struct home *h, const char *name, int *ret_fd)
{
	struct error *error = NULL;

	assert_done(fs_make_dir(h->fd, name, 0700, ret_fd, &error), error);
	return xasprintf("%s/%s", h->path, name);
}

static void hidden(const struct protection *p, const char *tree, const char *name)
{
	_cleanup_free_ char *dir = xasprintf("%s/%s", p->home, tree);
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	_cleanup_strv_ char **masks = protected_masks(p, dir);
	struct error *error = NULL;

	if (!strv_contains(masks, name))
		fail_msg("'%s' shows '%s'", tree, name);
	assert_done(protected_check(p, dir, true, &error), error);
	if (name[strlen(name) - 1] != '*')
		assert_refused(protected_check(p, path, false, &error), error, EPERM, "copy");
}

struct link {
	const char *at, *to;
};

static void make_links(int dir, const struct link *links, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(symlinkat(links[i].to, dir, links[i].at), 0);
}

/* Whoever can replace a link on the way decides where it ends, as who can write there. */
static void test_every_link_on_the_way_is_protected(void **state)
{
	static const struct link links[] = {
		{ ".zshrc", "dots/zshrc" },
		{ "dots/zshrc", "../real/zshrc" },
		{ ".config/nvim", "../dots/nv" },
		{ "dots/nv", "../real/nv" },
		{ "real/nv/init.lua", "../../more/init.lua" },
		{ ".zprofile", "dots/sub/prof" },
		{ "dots/sub", "../real/sub" },
		{ ".zlogin", "dots/none" },
		{ "dots/none", "../real/none" },
		{ ".zshrc.local", "dots/local" },
		{ "dots/local", "../real/local" },
		{ ".zlogout", "round/a" },
		{ "round/a", "b" },
		{ "round/b", "a" },
		{ ".vimrc", "ways/leave/../vimrc" },
		{ ".local", "dots/local-all" },
		{ "dots/local-all", "../moved" },
		{ "moved/bin", "../more/bin" },
	};
	static const char *const dirs[] = { "dots", "real",  "more",	   ".config", "real/nv",
					    "ways", "round", "ways/leave", "moved" };
	_cleanup_(protection_release) struct protection p = { 0 };
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *path = second_home(*state, "chains", &fd);
	struct error *error = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		make_dir(fd, dirs[i]);
	make_links(fd, links, ARRAY_SIZE(links));
	assert_done(protection_gather(path, &p, &error), error);
	hidden(&p, "dots", "zshrc");
	hidden(&p, "real", "zshrc");
	hidden(&p, "dots", "nv");
	hidden(&p, "real", "nv");
	hidden(&p, "more", "init.lua");
	hidden(&p, "dots", "sub");
	hidden(&p, "real", "sub/prof");
	hidden(&p, "dots", "none");
	hidden(&p, "real", "none");
	hidden(&p, "dots", "local");
	hidden(&p, "real", "local");
	hidden(&p, "round", "a");
	hidden(&p, "round", "b");
	hidden(&p, "ways", "leave");
	hidden(&p, "ways", "vimrc");
	hidden(&p, "dots", "local-all");
	hidden(&p, "moved", "bin");
	hidden(&p, "moved", "share/applications");
	hidden(&p, "more", "bin");
}

/* As many as the kernel follows: the end of more of them is nowhere. */
static void test_a_way_has_an_end(void **state)
{
	_cleanup_(protection_release) struct protection p = { 0 };
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *path = second_home(*state, "long", &fd);
	struct error *error = NULL;

	size_t before;

	make_dir(fd, "dots");
	assert_done(protection_gather(path, &p, &error), error);
	before = strv_length(p.elsewhere); /* of this installation, say */
	protection_release(&p);
	for (unsigned i = 1; i < 50; i++) {
		_cleanup_free_ char *at = xasprintf("dots/%u", i), *to = xasprintf("%u", i + 1);

		assert_int_equal(symlinkat(to, fd, at), 0);
	}
	/* 40 links, and 41 */
	assert_int_equal(symlinkat("dots/11", fd, ".zshrc"), 0);
	assert_done(protection_gather(path, &p, &error), error);
	hidden(&p, "dots", "11");
	hidden(&p, "dots", "49");
	hidden(&p, "dots", "50");
	protection_release(&p);
	assert_int_equal(unlinkat(fd, ".zshrc", 0), 0);
	assert_int_equal(symlinkat("dots/10", fd, ".zshrc"), 0);
	assert_done(protection_gather(path, &p, &error), error);
	hidden(&p, "dots", "49");
	assert_int_equal(strv_length(p.elsewhere) - before, 40);
}

static void test_what_begins_so_in_other_places(void **state)
{
	static const struct link links[] = {
		{ ".cache", "moved" },
		{ "mine/p10k-dump-x.zsh", "../real/p10k" },
		{ "z/.zshrc.local", "../real/local" },
		{ "link", "mine" },
	};
	static const char *const dirs[] = { "moved", "mine", "real", "z" };
	_cleanup_(protection_release) struct protection p = { 0 };
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *path = second_home(*state, "begins", &fd);
	_cleanup_free_ char *cache = xasprintf("%s/link", path);
	_cleanup_free_ char *zsh = xasprintf("%s/z", path);
	_cleanup_free_ char *prompt = xasprintf("%s/mine/p10k-x.zsh", path);
	struct error *error = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		make_dir(fd, dirs[i]);
	make_links(fd, links, ARRAY_SIZE(links));
	assert_int_equal(setenv("XDG_CACHE_HOME", cache, 1), 0);
	assert_int_equal(setenv("ZDOTDIR", zsh, 1), 0);
	assert_done(protection_gather(path, &p, &error), error);
	assert_int_equal(unsetenv("XDG_CACHE_HOME"), 0);
	assert_int_equal(unsetenv("ZDOTDIR"), 0);
	hidden(&p, "moved", "p10k-*");
	hidden(&p, "moved", "vitrine*");
	hidden(&p, "mine", "p10k-*");
	hidden(&p, "mine", "vitrine*");
	hidden(&p, "mine", "zsh");
	hidden(&p, "real", "p10k");
	hidden(&p, "z", ".zshrc*");
	hidden(&p, "real", "local");
	assert_true(strv_contains(p.elsewhere, cache));
	assert_refused(protected_check(&p, prompt, false, &error), error, EPERM, "copy");
}

static void test_directories_that_the_environment_names(void **state)
{
	const struct home *h = *state;
	_cleanup_free_ char *etc = xasprintf("%s/etc", h->path);
	_cleanup_free_ char *cookie = xasprintf("%s/cookie", h->path);
	_cleanup_free_ char *run = xasprintf("%s/run", h->path);
	_cleanup_free_ char *agent = xasprintf("%s/agent", h->path);
	_cleanup_(protection_release) struct protection p = { 0 }, usual = { 0 };
	struct error *error = NULL;

	make_dir(h->fd, "etc");
	assert_int_equal(setenv("XDG_CONFIG_HOME", etc, 1), 0);
	assert_int_equal(setenv("ZDOTDIR", etc, 1), 0);
	assert_int_equal(setenv("GNUPGHOME", etc, 1), 0);
	assert_int_equal(setenv("XAUTHORITY", cookie, 1), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", run, 1), 0);
	assert_int_equal(setenv("SSH_AUTH_SOCK", agent, 1), 0);
	assert_int_equal(setenv("XDG_DATA_HOME", "relative", 1), 0);
	assert_done(protection_gather(h->path, &p, &error), error);
	assert_true(has(&p, h, "cookie"));
	assert_true(has(&p, h, "run"));
	assert_true(has(&p, h, "agent"));
	assert_true(has(&p, h, "etc"));
	assert_int_equal(unsetenv("GNUPGHOME"), 0);
	assert_done(protection_gather(h->path, &usual, &error), error);
	assert_true(has(&usual, h, "etc/autostart"));
	assert_true(has(&usual, h, "etc/.zshrc"));
	assert_false(has(&usual, h, "etc/.bashrc"));
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		(void)unsetenv(variables[i]);
}

static void test_sockets_that_the_environment_names(void **state)
{
	const struct home *h = *state;
	static const struct {
		const char *variable, *before, *name, *after;
	} rows[] = {
		{ "DBUS_SESSION_BUS_ADDRESS", "unix:path=", "bus", ",guid=12;unix:path=/x" },
		{ "DOCKER_HOST", "unix://", "docker.sock", "" },
		{ "CONTAINER_HOST", "unix://", "podman.sock", "" },
		{ "PULSE_SERVER", "unix:", "native", "" },
		{ "GPG_AGENT_INFO", "", "S.gpg-agent", ":12:1" },
		{ "WAYLAND_DISPLAY", "", "wayland-7", "" },
	};
	_cleanup_(protection_release) struct protection p = { 0 };
	struct error *error = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *value = xasprintf("%s%s/%s%s", rows[i].before, h->path,
						       rows[i].name, rows[i].after);

		assert_int_equal(setenv(rows[i].variable, value, 1), 0);
	}
	assert_done(protection_gather(h->path, &p, &error), error);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!has(&p, h, rows[i].name))
			fail_msg("%s", rows[i].variable);
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		(void)unsetenv(variables[i]);
}

/* Swaps two names of the directory until it is killed. */
static pid_t swap(int dir, const char *a, const char *b)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	while (pid == 0)
		if (renameat2(dir, a, dir, b, RENAME_EXCHANGE) < 0)
			_exit(1);
	return pid;
}

static void end(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

/* While another process swaps what is named: whatever was opened is the file that was meant. */
static void race(const struct home *h, const char *swapped, const char *other, const char *name)
{
	pid_t pid = swap(h->fd, swapped, other);
	unsigned given = 0, not_given = 0;

	for (unsigned i = 0; i < ROUNDS || !given || !not_given; i++) {
		_cleanup_(given_release) struct given g = GIVEN_NONE;
		_cleanup_(error_freep) struct error *error = NULL, *late = NULL;
		_cleanup_close_ int fd = -EBADF;
		_cleanup_free_ char *text = NULL;

		if (give(h, name, false, &g, &error) < 0 ||
		    given_reopen(&g, false, &fd, &late) < 0) {
			int code = error ? error->code : late->code;

			assert_true(code == ELOOP || code == ESTALE || code == EINVAL ||
				    code == EPERM);
			not_given++;
			continue;
		}
		assert_done(fs_read_fd(fd, 100, &text, NULL, &error), error);
		assert_string_equal(text, "meant");
		given++;
	}
	end(pid);
}

static void test_race_with_a_link(void **state)
{
	const struct home *h = *state;

	write_file(h->fd, "race", "meant");
	write_file(h->fd, ".ssh/id", "secret");
	assert_int_equal(symlinkat(".ssh/id", h->fd, "trap"), 0);
	race(h, "race", "trap", "race");
}

static void test_race_with_a_link_to_a_directory(void **state)
{
	const struct home *h = *state;

	make_dir(h->fd, "tree");
	write_file(h->fd, "tree/id", "meant");
	assert_int_equal(symlinkat(".ssh", h->fd, "tree-trap"), 0);
	race(h, "tree", "tree-trap", "tree/id");
}

static void test_race_with_a_fifo(void **state)
{
	const struct home *h = *state;

	write_file(h->fd, "calm", "meant");
	assert_int_equal(mkfifoat(h->fd, "blocks", 0600), 0);
	race(h, "calm", "blocks", "calm");
}

/* Passing over a directory would take what its links lead to out of protection. */
static void test_want_of_descriptors(void **state)
{
	const struct home *h = *state;
	_cleanup_(protection_release) struct protection p = { 0 };
	struct error *error = NULL;
	struct rlimit before, tight;
	int free_fd = dup(h->fd), r;

	assert_true(free_fd >= 0);
	assert_int_equal(close(free_fd), 0);
	assert_int_equal(mkdirat(h->fd, ".ssh", 0700) == 0 || errno == EEXIST, 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = before;
	tight.rlim_cur = (rlim_t)free_fd + 1; /* the home itself can be opened */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	r = protection_gather(h->path, &p, &error);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_refused(r, error, EMFILE, "cannot find out what is protected");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_and_directory),
		cmocka_unit_test(test_relative_paths),
		cmocka_unit_test(test_what_does_not_exist),
		cmocka_unit_test(test_what_is_no_file),
		cmocka_unit_test(test_what_is_protected),
		cmocka_unit_test(test_what_is_the_kernels_own),
		cmocka_unit_test(test_links_of_others_end_it),
		cmocka_unit_test(test_links_of_root_are_part_of_the_path),
		cmocka_unit_test(test_home_reached_through_a_link),
		cmocka_unit_test(test_reopening),
		cmocka_unit_test(test_receiving),
		cmocka_unit_test(test_no_descriptor_is_left),
		cmocka_unit_test(test_links_of_protected_paths),
		cmocka_unit_test(test_every_link_on_the_way_is_protected),
		cmocka_unit_test(test_a_way_has_an_end),
		cmocka_unit_test(test_what_begins_so_in_other_places),
		cmocka_unit_test(test_directories_that_the_environment_names),
		cmocka_unit_test(test_sockets_that_the_environment_names),
		cmocka_unit_test(test_want_of_descriptors),
		cmocka_unit_test(test_race_with_a_link),
		cmocka_unit_test(test_race_with_a_link_to_a_directory),
		cmocka_unit_test(test_race_with_a_fifo),
	};

	return cmocka_run_group_tests_name("given", tests, make_home, remove_home);
}
