/*
 * odd-caller COMMAND [ARGUMENT...]: runs it as the worst of callers would: every signal blocked,
 * those that can be are ignored, files open on the descriptors 3 to 200, umask 0, a low priority.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int secret = open("/etc/passwd", O_RDONLY);
	sigset_t all;

	if (argc < 2 || secret < 0)
		return 2;
	for (int fd = 3; fd <= 200; fd++)
		if (fd != secret && dup2(secret, fd) < 0)
			return 2;
	for (int s = 1; s < NSIG; s++)
		(void)signal(s, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	umask(0);
	if (setpriority(PRIO_PROCESS, 0, 5) < 0)
		return 2;
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 2;
}
