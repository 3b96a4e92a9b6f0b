/*
 * hog WHAT: takes as much of something as it gets, and never gives it back. Says "full" when it has
 * met a limit for the first time, and goes on.
 *
 *   forks         processes that ignore every signal they can, leave their session, and fork
 *   memory        memory, written to; the process that is killed for it is replaced
 *   cpu           one busy process for each processor, four times over
 *   descriptors   open files, in as many processes as it gets
 *
 * hog beat MILLISECONDS: the other side. Sleeps for a millisecond again and again, as long as is
 * said, and prints how late it was woken, in milliseconds: "median 0.1 p99 2.0 max 8.5".
 */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHUNK	    (16U << 20)
#define CPU_TIMES   4
#define BEATS_MAX   100000
#define DESCRIPTORS 100000

static bool said;

static void say_full(void)
{
	if (!said && write(STDOUT_FILENO, "full\n", 5) == 5)
		said = true;
}

static void hog_forks(void)
{
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_IGN);
	for (;;) {
		pid_t pid = fork();

		if (pid < 0)
			say_full();
		else if (pid == 0)
			setsid();
	}
}

static void fill(void)
{
	for (;;) {
		char *p = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		if (p == MAP_FAILED)
			continue;
		memset(p, 1, CHUNK);
	}
}

static void hog_memory(void)
{
	for (;;) {
		pid_t pid = fork();

		if (pid == 0)
			fill();
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			continue;
		say_full();
	}
}

static void hog_cpu(void)
{
	cpu_set_t cpus;
	int n = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
	volatile unsigned long x = 0;

	for (int i = 1; i < CPU_TIMES * n; i++)
		if (fork() == 0)
			break;
	say_full();
	for (;;)
		x = x * 3 + 1;
}

static void hog_descriptors(void)
{
	for (;;) {
		for (int i = 0; i < DESCRIPTORS && open("/dev/null", O_RDONLY) >= 0; i++)
			;
		say_full();
		if (fork() != 0)
			pause();
		closefrom(STDERR_FILENO + 1);
	}
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int beat(double milliseconds)
{
	static double late[BEATS_MAX];
	const struct timespec pause = { .tv_nsec = 1000000 };
	double end = now_ms() + milliseconds;
	size_t n = 0;

	while (n < BEATS_MAX && now_ms() < end) {
		double begin = now_ms();

		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
		late[n++] = now_ms() - begin - 1;
	}
	if (n == 0)
		return 1;
	qsort(late, n, sizeof *late, by_value);
	printf("median %.1f p99 %.1f max %.1f\n", late[n / 2], late[n * 99 / 100], late[n - 1]);
	return 0;
}

static const struct {
	const char *name;
	void (*hog)(void);
} hogs[] = {
	{ "forks", hog_forks },
	{ "memory", hog_memory },
	{ "cpu", hog_cpu },
	{ "descriptors", hog_descriptors },
};

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "beat"))
		return beat(atof(argv[2]));
	for (size_t i = 0; argc == 2 && i < sizeof hogs / sizeof *hogs; i++)
		if (!strcmp(argv[1], hogs[i].name))
			hogs[i].hog();
	fputs("hog of what?\n", stderr);
	return 2;
}
