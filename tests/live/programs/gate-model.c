/*
 * gate-model [--seed N] [--operations N] [--every N] [--show N] INSIDE OUTSIDE PLAIN
 *
 * Does random operations in the directory INSIDE, which shows OUTSIDE through a gate, and the same
 * in the directory PLAIN. Both are empty at first. Whatever a call returns, and every N operations
 * what is there, also outside, must be alike. Otherwise prints the seed and the last operations
 * (--show: how many), and returns 1. The same seed does the same again.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "gate-model.h"

#define REMEMBERED 30U
#define BETWEEN	   200U /* operations from one bundle of outside ones to the next */
#define BUNDLE	   3U

struct memory {
	const struct operation *operation;
	struct order order;
	struct outcome outcomes[2];
};

struct model {
	uint64_t seed, state, count, every;
	struct world worlds[2]; /* inside, plain */
	unsigned weights;
	struct memory *last;
	uint64_t remembered;
	uint64_t calls; /* that succeeded */
};

/* Where two things are wrong and one is that a directory may not be searched or written, a plain
 * directory says that first. Inside it is the server that asks, after the kernel has seen the rest.
 */
static bool fail_alike(const struct outcome *inside, const struct outcome *plain)
{
	return inside->error && plain->error == EACCES;
}

static bool agree(const struct outcome *a, const struct outcome *b)
{
	return fail_alike(a, b) ||
	       (a->value == b->value && a->error == b->error && a->data == b->data &&
		(!a->has_time || times_agree(&a->time, &b->time)));
}

static void print_outcome(const char *where, const struct outcome *r)
{
	printf("    %s: %lld %s, data %016llx", where, (long long)r->value,
	       r->error ? strerrorname_np(r->error) : "", (unsigned long long)r->data);
	if (r->has_time)
		printf(", mode %o size %lld links %lu mtime %lld.%09ld", r->st.st_mode,
		       (long long)r->st.st_size, (unsigned long)r->st.st_nlink,
		       (long long)r->time.tv_sec, r->time.tv_nsec);
	printf("\n");
}

static void print_memory(const struct memory *m, uint64_t number, bool everything)
{
	printf("  %llu %s '", (unsigned long long)number, m->operation->name);
	print_escaped(m->order.path);
	printf("' '");
	print_escaped(m->order.path2);
	printf("' fd %u %u offset %lld %lld size %zu flags %#o mode %o word %llx -> %lld %s\n",
	       m->order.fd, m->order.fd2, (long long)m->order.offset, (long long)m->order.offset2,
	       m->order.size, m->order.flags, m->order.mode, (unsigned long long)m->order.word,
	       (long long)m->outcomes[1].value,
	       m->outcomes[1].error ? strerrorname_np(m->outcomes[1].error) : "");
	if (everything) {
		print_outcome("inside", &m->outcomes[0]);
		print_outcome("plain", &m->outcomes[1]);
	}
}

static int give_up(const struct model *m, uint64_t number)
{
	uint64_t first = number < m->remembered ? 0 : number - m->remembered + 1;

	printf("difference at operation %llu of seed %llu; the last ones:\n",
	       (unsigned long long)number, (unsigned long long)m->seed);
	for (uint64_t i = first; i <= number; i++)
		print_memory(&m->last[i % m->remembered], i, i == number);
	return 1;
}

/* The kernel inside believes for a moment what it was told of a name or a file. What happens
 * outside can make that wrong, so this comes in bundles, after each of which it looks again; the
 * size it believes in also decides where a descriptor is after it has appended. */
static void settle(struct model *m)
{
	struct stat st;

	nanosleep(&belief, NULL);
	for (size_t i = 0; i < MODEL_FDS; i++)
		(void)fstat(m->worlds[0].fds[i], &st);
}

static const struct operation *choose(struct model *m, bool outside)
{
	unsigned n = outside ? 0 : random_below(&m->state, m->weights);
	const struct operation *op = operations;

	if (outside)
		return &outside_operations[random_below(&m->state, n_outside_operations)];

	while (n >= op->weight)
		n -= op++->weight;
	return op;
}

/* Mostly descriptors that are open. */
static unsigned choose_fd(struct model *m)
{
	unsigned fd = 0;

	for (int i = 0; i < 4; i++) {
		fd = random_below(&m->state, MODEL_FDS);
		if (m->worlds[1].fds[fd] >= 0)
			break;
	}
	return fd;
}

static bool trees_are_alike(const struct model *m)
{
	return trees_agree(m->worlds[0].root, m->worlds[0].outside, m->worlds[1].root);
}

static int run(struct model *m)
{
	for (uint64_t i = 0; i < m->count; i++) {
		struct memory *now = &m->last[i % m->remembered];
		bool outside = i % BETWEEN < BUNDLE;

		now->operation = choose(m, outside);
		random_order(&m->state, &now->order);
		now->order.fd = choose_fd(m);
		now->order.fd2 = choose_fd(m);
		for (int j = 0; j < 2; j++) {
			now->outcomes[j] = (struct outcome){ 0 };
			now->operation->run(&m->worlds[j], &now->order, &now->outcomes[j]);
		}
		m->calls += !now->outcomes[1].error;
		if (outside && (i + 1) % BETWEEN == BUNDLE)
			settle(m);
		if (!agree(&now->outcomes[0], &now->outcomes[1]) ||
		    ((i + 1) % m->every == 0 && !trees_are_alike(m)))
			return give_up(m, i);
	}
	if (!trees_are_alike(m))
		return give_up(m, m->count - 1);
	printf("%llu operations, %llu of them without an error: no difference\n",
	       (unsigned long long)m->count, (unsigned long long)m->calls);
	return 0;
}

static bool open_world(struct world *w, const char *path, const char *outside)
{
	w->path = path;
	w->outside_path = outside;
	w->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->outside = path == outside ? w->root : open(outside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < MODEL_FDS; i++)
		w->fds[i] = -EBADF;
	return w->root >= 0 && w->outside >= 0;
}

static uint64_t any_seed(void)
{
	uint32_t seed = 1;

	(void)!getrandom(&seed, sizeof seed, 0);
	return seed;
}

int main(int argc, char **argv)
{
	struct model m = {
		.seed = any_seed(), .count = 100000, .every = 2000, .remembered = REMEMBERED
	};
	int i = 1;

	for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
		uint64_t value = strtoull(argv[i + 1], NULL, 10);

		if (strcmp(argv[i], "--seed") == 0)
			m.seed = value;
		else if (strcmp(argv[i], "--operations") == 0)
			m.count = value;
		else if (strcmp(argv[i], "--every") == 0 && value)
			m.every = value;
		else if (strcmp(argv[i], "--show") == 0 && value)
			m.remembered = value;
		else
			return 2;
	}
	if (argc != i + 3)
		return 2;
	if (!open_world(&m.worlds[0], argv[i], argv[i + 1]) ||
	    !open_world(&m.worlds[1], argv[i + 2], argv[i + 2])) {
		perror("gate-model");
		return 2;
	}
	m.last = xcalloc(m.remembered, sizeof *m.last);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %llu\n", (unsigned long long)m.seed);
	m.state = m.seed;
	for (size_t j = 0; j < n_operations; j++)
		m.weights += operations[j].weight;
	umask(022);
	return run(&m);
}
