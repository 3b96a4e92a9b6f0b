#include "image/confine.h"

#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/capabilities.h"

#define VERSION_MIN 2 /* before that no file could get a second name in another directory */

/* What the headers of Debian 12 do not know yet. */
#define TRUNCATE_VERSION 3
#define ACCESS_TRUNCATE	 (1ULL << 14)

/* All but to execute, and what comes with TRUNCATE_VERSION. */
#define ACCESS_TREE                                                    \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |  \
	 LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SYM |   \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_REFER)
#define ACCESS_NEVER                                                     \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR |    \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_SOCK | \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK)

static int allow(int rules, int dir, uint64_t access)
{
	const struct landlock_path_beneath_attr rule = { .allowed_access = access,
							 .parent_fd = dir };

	if (dir < 0)
		return 0;
	return (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

int confine_beneath(int dir, struct error **err)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t tree = ACCESS_TREE | (version >= TRUNCATE_VERSION ? ACCESS_TRUNCATE : 0);
	const struct landlock_ruleset_attr attr = { .handled_access_fs = tree | ACCESS_NEVER };
	_cleanup_close_ int rules = -EBADF;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_errno(err, "cannot give up privileges");
	if (getuid() == 0 && capabilities_drop(err) < 0) /* an ordinary user has none */
		return -(*err)->code;
	if (version < VERSION_MIN)
		return 0;
	rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	if (rules < 0 || allow(rules, dir, tree) < 0 ||
	    syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		return error_errno(err, "cannot confine this process");
	return 0;
}
