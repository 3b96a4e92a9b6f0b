#include "cli/held.h"

#include "base/strv.h"

int held_start(char *const *words, struct child *ret, struct error **err)
{
	static const char *const variables[] = {
		"HOME", "LANG", "NO_COLOR", "TERM", "XDG_RUNTIME_DIR", NULL
	};
	_cleanup_strv_ char **argv = NULL, **env = spawn_env(variables);
	const int fds[] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };

	strv_add(&argv, "vitrine");
	strv_add_all(&argv, words);
	return spawn(&(struct spawn){ .path = "/proc/self/exe",
				      .argv = argv,
				      .env = env,
				      .fds = fds,
				      .n_fds = ARRAY_SIZE(fds) },
		     ret, err);
}
