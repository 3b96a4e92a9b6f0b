#include "box/label.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/text.h"

#define ENABLED_FILE "/sys/module/apparmor/parameters/enabled"
#define POLICIES     "/sys/kernel/security/apparmor"
#define ACCESS_FILE  POLICIES "/.access"
#define NAMESPACES   POLICIES "/policy/namespaces"
#define REPLACE_FILE ".replace" /* in POLICIES */
#define CURRENT_FILE "/proc/self/attr/apparmor/current"
#define CLASS_FILE   2 /* AA_CLASS_FILE of linux/security/apparmor/include/apparmor.h */
#define LABEL_MAX    4096U

bool label_is_supported(void)
{
	_cleanup_close_ int fd = open(ENABLED_FILE, O_RDONLY | O_CLOEXEC);
	char answer;

	return fd >= 0 && read(fd, &answer, 1) == 1 && answer == 'Y';
}

/* "label\0NAME\0" and what is asked: whether it may read "/". The answer is of no interest, only
 * that of an unknown name it is ENOENT. */
bool label_is_loaded(const char *name)
{
	static const char question[] = "label", about[] = { CLASS_FILE, '/' };
	_cleanup_close_ int fd = open(ACCESS_FILE, O_RDWR | O_CLOEXEC);
	_cleanup_buf_ struct buf b = { 0 };

	buf_add(&b, question, sizeof question);
	buf_add(&b, name, strlen(name) + 1);
	buf_add(&b, about, sizeof about);
	return fd < 0 || write(fd, b.data, b.size) >= 0 || errno != ENOENT;
}

char *label_namespace_directory(uid_t uid)
{
	return xasprintf(NAMESPACES "/" LABEL_NAMESPACE "%u", uid);
}

char *label_stack(const char *floor, uid_t uid, const char *own)
{
	return xasprintf("%s//&:" LABEL_NAMESPACE "%u:%s", floor, uid, own);
}

int label_open_policies(void)
{
	int fd = open(POLICIES, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -EBADF : fd;
}

static bool write_file(int dir, const char *path, const void *data, size_t size)
{
	_cleanup_close_ int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, data, size) == (ssize_t)size;
}

/* Returns an errno value. The kernel takes a policy in one write, of who has opened the file as
 * what it is now; one that is loaded already, and the same, it leaves alone. */
static int load(int policies, const char *order, const void *policy, size_t size)
{
	if (!write_file(AT_FDCWD, CURRENT_FILE, order, strlen(order)) ||
	    !write_file(policies, REPLACE_FILE, policy, size))
		return errno ? errno : EIO;
	return 0;
}

int label_load(int policies, const char *name, const void *policy, size_t size, struct error **err)
{
	_cleanup_free_ char *order = xasprintf("changeprofile :%s:unconfined", name);
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return error_errno(err, "cannot load an AppArmor profile");
	if (pid == 0)
		_exit(load(policies, order, policy, size));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_errno(err, "cannot wait for the loader of a profile");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return error_set(err, WIFEXITED(status) ? WEXITSTATUS(status) : EIO,
			 "cannot load the AppArmor profile of the box into '%s': %s", name,
			 WIFEXITED(status) ? strerror(WEXITSTATUS(status)) : "killed");
}

/* The kernel keeps it with the process, and a fork copies it. */
int label_set_on_exec(const char *label, struct error **err)
{
	static const char path[] = "/proc/self/attr/apparmor/exec";
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	_cleanup_free_ char *order = xasprintf("exec %s", label);

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	if (write(fd, order, strlen(order)) < 0)
		return error_errno(err, "cannot change to the AppArmor profile '%s'", label);
	return 0;
}

int label_check(const char *current, const char *want, struct error **err)
{
	_cleanup_free_ char *line = xstrndup(current, strcspn(current, "\n")), *shown = NULL;
	_cleanup_free_ char *enforced = xasprintf("%s (enforce)", want);

	if (!strcmp(line, enforced))
		return 0;
	shown = text_escape(line, LABEL_MAX);
	return error_set(err, EPERM, "AppArmor has it as '%s' instead of '%s'", shown, enforced);
}

int label_verify(pid_t pid, const char *want, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/attr/apparmor/current", pid);
	_cleanup_free_ char *current = NULL;
	int r;

	r = fs_read(AT_FDCWD, path, LABEL_MAX, &current, NULL, err);
	return r < 0 ? r : label_check(current, want, err);
}
