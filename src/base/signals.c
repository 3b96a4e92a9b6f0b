#include "base/signals.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIGNALS 64U /* of the kernel (signal(7)) */

/* By system call: the C libraries keep some signals for themselves and leave those as they find
 * them, while a caller's posix_spawn(3) may have made them ignored. */
void signals_reset(void)
{
	static const char default_action[64]; /* at least the kernel's struct sigaction; all zero is
						 SIG_DFL */
	sigset_t none;

	for (unsigned s = 1; s <= SIGNALS; s++)
		(void)syscall(SYS_rt_sigaction, s, default_action, NULL,
			      SIGNALS / 8); /* SIGKILL refuses */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
