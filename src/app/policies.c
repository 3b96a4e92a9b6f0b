#include "app/policies.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/parse.h"
#include "base/spawn.h"
#include "base/strv.h"
#include "base/text.h"
#include "box/label.h"
#include "plan/plan.h"

#define SOURCES	      VITRINE_DATA_DIR "/apparmor"
#define TARGETS	      "etc/apparmor.d" /* AppArmor's own place, whatever our prefix is */
#define UNITS	      "etc/systemd/system"
#define WANTS	      UNITS "/multi-user.target.wants"
#define UNIT	      "vitrine-apparmor.service"
#define PARSER	      "/sbin/apparmor_parser"
#define REMOVE_FILE   "/sys/kernel/security/apparmor/.remove"
#define NAMESPACES    "/sys/kernel/security/apparmor/policy/namespaces"
#define SUBID_FILE    "/etc/subuid"
#define SUBIDS_NEEDED 65536U
#define TEXT_MAX      (1U << 20)
#define OUTPUT_MAX    65536U
#define QUOTE_MAX     256U
#define FIRST_USER_ID 1000U /* useradd(8) */

/* --- the texts ---------------------------------------------------------------------------------
 */

/* Which AppArmor a text is for. */
enum generation {
	ANY,
	APPARMOR_3,
	APPARMOR_4,
};

/* clang-format off */
static const struct text {
	const char *source;    /* in SOURCES */
	const char *directory; /* beneath the root */
	const char *name;
	enum generation generation;
	bool is_policy; /* loaded; the others are included by these */
} texts[] = {
	{ "abi-3.0",          TARGETS "/vitrine", "abi",              APPARMOR_3, false },
	{ "abi-4.0",          TARGETS "/vitrine", "abi",              APPARMOR_4, false },
	{ "userns-3.0",       TARGETS "/vitrine", "userns",           APPARMOR_3, false },
	{ "userns-4.0",       TARGETS "/vitrine", "userns",           APPARMOR_4, false },
	{ "app",              TARGETS "/vitrine", "app",              ANY,        false },
	{ "app-exec",         TARGETS "/vitrine", "app-exec",         ANY,        false },
	{ "box",              TARGETS "/vitrine", "box",              ANY,        false },
	{ "nested",           TARGETS "/vitrine", "nested",           ANY,        false },
	{ "vitrine-boxes",    TARGETS,            "vitrine-boxes",    ANY,        true },
	{ "vitrine-programs", TARGETS,            "vitrine-programs", ANY,        true },
};
/* clang-format on */

/* Only root, or who does this, can change what is in it: not what lies there, nor what is put there
 * in place of it. */
static int check_directory(int fd, const char *path, struct error **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(err, "cannot stat '%s'", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return error_set(err, EPERM, "'%s' belongs to user %u, not to root", path,
				 st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return error_set(err, EPERM, "'%s' can be written by others than its owner", path);
	return 0;
}

/* Beneath the root, component by component, no link followed. Made where `make`. */
static int open_directory(const char *root, const char *path, bool make, int *ret_fd,
			  struct error **err)
{
	_cleanup_close_ int fd = open(root ? root : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *copy = xstrdup(path);
	char *state, *part;
	int r;

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", root ? root : "/");
	for (part = strtok_r(copy, "/", &state); part; part = strtok_r(NULL, "/", &state)) {
		int next;

		r = make ? fs_make_dir(fd, part, 0755, &next, err)
			 : fs_open_dir(fd, part, &next, err);
		if (r < 0)
			return error_prefix(err, "/%s", path);
		close_fd(fd);
		fd = next;
		r = check_directory(fd, part, err);
		if (r < 0)
			return error_prefix(err, "/%s", path);
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* By what its texts may refer to. */
static enum generation find_generation(const char *root)
{
	_cleanup_free_ char *abi = xasprintf("%s/" TARGETS "/abi/4.0", root ? root : "");
	struct stat st;

	return stat(abi, &st) == 0 ? APPARMOR_4 : APPARMOR_3;
}

static int install_text(const struct text *t, const char *root, struct error **err)
{
	_cleanup_close_ int sources = -EBADF, directory = -EBADF;
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r;

	r = fs_open_dir(AT_FDCWD, SOURCES, &sources, err);
	if (r >= 0)
		r = fs_read(sources, t->source, TEXT_MAX, &text, &size, err);
	if (r >= 0)
		r = open_directory(root, t->directory, true, &directory, err);
	if (r >= 0)
		r = fs_write(directory, t->name, text, size, 0644, err);
	return r;
}

static int install_texts(const char *root, struct error **err)
{
	enum generation generation = find_generation(root);

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		bool is_other = texts[i].generation != ANY && texts[i].generation != generation;
		int r = is_other ? 0 : install_text(&texts[i], root, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* What is not there is removed. */
static int remove_file(const char *root, const char *directory, const char *name, int flags,
		       struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = open_directory(root, directory, false, &fd, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		return 0;
	}
	if (r < 0)
		return r;
	if (unlinkat(fd, name, flags) < 0 && errno != ENOENT)
		return error_errno(err, "cannot remove '/%s/%s'", directory, name);
	return 0;
}

static int remove_texts(const char *root, struct error **err)
{
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		r = remove_file(root, texts[i].directory, texts[i].name, 0, err);
		if (r < 0)
			return r;
	}
	return remove_file(root, TARGETS, "vitrine", AT_REMOVEDIR, err);
}

/* --- the kernel --------------------------------------------------------------------------------
 */

/* What the parser says when it fails is the reason. */
static int load_policies(struct error **err)
{
	_cleanup_strv_ char **argv = NULL;
	_cleanup_free_ char *output = NULL, *shown = NULL;
	struct spawn s = { 0 };
	int status, r;

	strv_add(&argv, PARSER);
	strv_add(&argv, "--replace");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].is_policy)
			strv_addf(&argv, "/%s/%s", texts[i].directory, texts[i].name);
	s.argv = argv;
	r = spawn_collect(&s, OUTPUT_MAX, &output, &status, err);
	if (r < 0)
		return error_prefix(err, "apt install apparmor");
	if (status_to_exit_code(status) == 0)
		return 0;
	output[strcspn(output, "\n")] = '\0';
	shown = text_escape(output, QUOTE_MAX);
	return error_set(err, EIO, "%s: %s", PARSER, *shown ? shown : "it failed without a word");
}

/* The profiles in the texts that belong to no box. The one of this very process goes last: with it
 * go the rights that the others are taken away by. */
static const char *const program_profiles[] = {
	"vitrine-build-box", "vitrine-gate",	"vitrine-gate-serving", "vitrine-guard",
	"vitrine-holder",    "vitrine-monitor", "vitrine-sound",	"vitrine",
};

/* By name, and not by the texts: somebody may have taken some away. */
static int unload_policy(const char *name, struct error **err)
{
	_cleanup_close_ int fd = open(REMOVE_FILE, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", REMOVE_FILE);
	if (write(fd, name, strlen(name) + 1) < 0 && errno != ENOENT)
		return error_errno(err, "cannot unload the profile '%s'", name);
	return 0;
}

static int unload_policies(struct error **err)
{
	int r = 0;

	for (enum apparmor_floor f = 0; f < FLOOR_MAX && r >= 0; f++)
		r = unload_policy(apparmor_floor_to_string(f), err);
	for (size_t i = 0; i < ARRAY_SIZE(program_profiles) && r >= 0; i++)
		r = unload_policy(program_profiles[i], err);
	return r;
}

static bool is_pid(const char *name)
{
	return *name && !name[strspn(name, "0123456789")];
}

static bool is_in_box(const char *pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%s/attr/apparmor/current", pid);
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *label = NULL;

	if (fs_read(AT_FDCWD, path, TEXT_MAX, &label, NULL, &ignored) < 0)
		return false; /* it is gone */
	label[strcspn(label, " /\n")] = '\0';
	for (enum apparmor_floor f = 0; f < FLOOR_MAX; f++)
		if (!strcmp(label, apparmor_floor_to_string(f)))
			return true;
	return false;
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* A process whose profile is taken away is confined no more. */
static int check_unused(struct error **err)
{
	_cleanup_(closedirp) DIR *d = opendir("/proc");
	const struct dirent *e;

	if (!d)
		return error_errno(err, "cannot list /proc");
	while ((e = readdir(d)))
		if (is_pid(e->d_name) && is_in_box(e->d_name))
			return error_set(err, EBUSY,
					 "process %s runs in a sandbox, and would be confined no "
					 "more: end all sandboxes first",
					 e->d_name);
	return 0;
}

/* --- namespaces --------------------------------------------------------------------------------
 */

static int add_user(char ***uids, const struct passwd *p, const char *name, struct error **err)
{
	_cleanup_free_ char *uid = NULL;

	if (!p)
		return error_set(err, ENOENT, "there is no user '%s'", name);
	if (p->pw_uid == 0)
		return error_set(err, EINVAL, "sandboxes are for ordinary users, not for root");
	uid = xasprintf("%u", p->pw_uid);
	if (!strv_contains(*uids, uid))
		strv_take(uids, TAKE_PTR(uid));
	return 0;
}

/* "owner:first:count" of subuid(5); the owner is a name or a number. Who is nobody here has none.
 */
static void add_owner(char ***uids, const char *line)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *owner = xstrndup(line, strcspn(line, ":"));
	const char *count = strrchr(line, ':');
	const struct passwd *p;
	uint32_t n, uid;

	if (!count || parse_u32(count + 1, &n) < 0 || n < SUBIDS_NEEDED)
		return;
	p = parse_u32(owner, &uid) == 0 ? getpwuid(uid) : getpwnam(owner);
	if (p && p->pw_uid >= FIRST_USER_ID)
		(void)add_user(uids, p, owner, &ignored);
}

/* Numbers of users, as text. */
static int find_users(char *const *named, char ***ret, struct error **err)
{
	_cleanup_strv_ char **uids = NULL;
	_cleanup_free_ char *text = NULL;
	char *rest, *line;
	int r = 0;

	for (char *const *name = named; name && *name && r >= 0; name++)
		r = add_user(&uids, getpwnam(*name), *name, err);
	if (r >= 0 && !(named && *named)) {
		r = fs_read(AT_FDCWD, SUBID_FILE, TEXT_MAX, &text, NULL, err);
		rest = text;
		while (r >= 0 && (line = strsep(&rest, "\n")))
			add_owner(&uids, line);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(uids);
	return 0;
}

/* systemd-tmpfiles(8) could not: the way there is a link of the kernel's that has no path. */
static const char unit_head[] = "# Written by 'vitrine admin install-policies'.\n"
				"[Unit]\n"
				"Description=AppArmor policy namespaces of the users of vitrine\n"
				"After=apparmor.service\n"
				"ConditionSecurity=apparmor\n"
				"\n"
				"[Service]\n"
				"Type=oneshot\n";

/* The kernel forgets them when it ends. */
static int make_unit(char *const *uids, struct error **err)
{
	_cleanup_close_ int units = -EBADF, wants = -EBADF;
	_cleanup_buf_ struct buf text = { 0 };
	int r;

	buf_adds(&text, unit_head);
	for (; uids && *uids; uids++)
		buf_addf(&text, "ExecStart=/bin/mkdir -p %s/" LABEL_NAMESPACE "%s\n", NAMESPACES,
			 *uids);
	r = open_directory(NULL, UNITS, true, &units, err);
	if (r >= 0)
		r = fs_write(units, UNIT, text.data, text.size, 0644, err);
	if (r >= 0)
		r = open_directory(NULL, WANTS, true, &wants, err);
	if (r >= 0 && symlinkat("../" UNIT, wants, UNIT) < 0 && errno != EEXIST)
		r = error_errno(err, "cannot make '/%s/%s'", WANTS, UNIT);
	return r;
}

/* Now, and at every boot. */
static int make_namespaces(char *const *uids, struct error **err)
{
	_cleanup_close_ int all = -EBADF;
	int r;

	r = fs_open_dir(AT_FDCWD, NAMESPACES, &all, err);
	if (r < 0)
		return r;
	for (char *const *uid = uids; uid && *uid; uid++) {
		_cleanup_free_ char *name = xasprintf(LABEL_NAMESPACE "%s", *uid);

		if (mkdirat(all, name, 0755) < 0 && errno != EEXIST)
			return error_errno(err, "cannot make '%s/%s'", NAMESPACES, name);
	}
	return make_unit(uids, err);
}

/* Ours are those of this name. With a namespace goes what was loaded into it. */
static int remove_namespaces(struct error **err)
{
	_cleanup_(closedirp) DIR *d = opendir(NAMESPACES);
	const struct dirent *e;

	if (!d)
		return errno == ENOENT ? 0 : error_errno(err, "cannot list '%s'", NAMESPACES);
	while ((e = readdir(d))) {
		if (strncmp(e->d_name, LABEL_NAMESPACE, strlen(LABEL_NAMESPACE)) ||
		    !is_pid(e->d_name + strlen(LABEL_NAMESPACE)))
			continue;
		if (unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR) < 0)
			return error_errno(err, "cannot remove '%s/%s'", NAMESPACES, e->d_name);
	}
	return 0;
}

/* --- the two verbs -----------------------------------------------------------------------------
 */

static int check_caller(const struct policies_wish *w, struct error **err)
{
	if (w->root && *w->root != '/')
		return error_set(err, EINVAL, "'%s' is not an absolute path", w->root);
	if (!w->root && geteuid() != 0)
		return error_set(err, EPERM,
				 "only root can change the policy of this system: sudo");
	return 0;
}

static int load(const struct policies_wish *w, struct buf *report, struct error **err)
{
	_cleanup_strv_ char **uids = NULL;
	int r;

	if (!label_is_supported()) {
		if (!w->if_possible)
			return error_set(err, ENOTSUP,
					 "this kernel has no AppArmor: the profiles are installed, "
					 "and not loaded");
		buf_adds(report, "nothing is loaded: this kernel has no AppArmor\n");
		return 0;
	}
	r = load_policies(err);
	if (r < 0)
		return r;
	buf_adds(report, "the profiles are loaded\n");
	r = find_users(w->users, &uids, err);
	if (r >= 0)
		r = make_namespaces(uids, err);
	for (char **uid = uids; r >= 0 && uid && *uid; uid++)
		buf_addf(report, "user %s may load profiles into " LABEL_NAMESPACE "%s\n", *uid,
			 *uid);
	return r;
}

int policies_install(const struct policies_wish *w, char **ret_report, struct error **err)
{
	_cleanup_buf_ struct buf report = { 0 };
	int r;

	r = check_caller(w, err);
	if (r >= 0)
		r = install_texts(w->root, err);
	if (r < 0)
		return r;
	buf_addf(&report, "the profiles are in %s/" TARGETS "\n", w->root ? w->root : "");
	r = w->root ? 0 : load(w, &report, err);
	if (r < 0)
		return r;
	*ret_report = buf_take(&report);
	return 0;
}

static int unload(struct error **err)
{
	int r = check_unused(err);

	if (r >= 0)
		r = remove_namespaces(err);
	return r < 0 ? r : unload_policies(err);
}

int policies_remove(const struct policies_wish *w, char **ret_report, struct error **err)
{
	int r = check_caller(w, err);

	if (r >= 0 && !w->root && label_is_supported())
		r = unload(err);
	if (r >= 0)
		r = remove_texts(w->root, err);
	if (r >= 0)
		r = remove_file(w->root, WANTS, UNIT, 0, err);
	if (r >= 0)
		r = remove_file(w->root, UNITS, UNIT, 0, err);
	if (r < 0)
		return r;
	*ret_report = xstrdup("the profiles are removed\n");
	return 0;
}
