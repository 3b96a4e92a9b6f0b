/*
 * peel [--without=LAYER[,LAYER...]] [--show=FILE] PROFILE-FILE PROGRAM [ARGUMENT...]
 *
 * As `vitrine run --profile PROFILE-FILE`, with PROGRAM as in `vitrine run -- PROGRAM`, but with
 * layers of the boxes' confinement taken off, to see what the others hold alone:
 *
 *   apparmor      no profile
 *   seccomp       neither liblxc's deny list nor the compiled filter
 *   ids           box root with all capabilities over its own namespaces
 *   namespaces    no limits on namespaces of their own
 *   verification  the supervisor does not look whether boxes and commands are confined as planned
 *
 * --show binds a file of the host into the app box at its own path: the layer of mounts is off for
 * it. All else is the real thing: the installed helpers, and the same objects that vitrine has.
 */

#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>

#include "app/launch.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/strv.h"
#include "box/box-private.h"
#include "box/nested.h"
#include "emit/filter.h"
#include "profile/load.h"

#define EXIT_SETUP 125

enum layer {
	APPARMOR,
	SECCOMP,
	IDS,
	NAMESPACES,
	VERIFICATION,
	LAYER_MAX,
};

static const char *const layer_names[] = {
	[APPARMOR] = "apparmor",
	[SECCOMP] = "seccomp",
	[IDS] = "ids",
	[NAMESPACES] = "namespaces",
	[VERIFICATION] = "verification",
};

static const struct {
	enum layer layer;
	const char *key;
} keys[] = {
	{ SECCOMP, "lxc.seccomp.profile" },
	{ IDS, "lxc.cap.keep" },
	{ IDS, "lxc.init.uid" },
	{ IDS, "lxc.init.gid" },
};

static bool off[LAYER_MAX];
static const char *shown;

/* Linked in place of the functions that they are named after (ld(1), --wrap). */
int __wrap_box_begin(struct box *b, const struct box_start *start, struct error **err);
int __wrap_box_verify(struct box *b, const struct box_plan *plan, struct error **err);
int __wrap_box_verify_process(struct box *b, pid_t pid, uint32_t filters, struct error **err);
int __real_box_begin(struct box *b, const struct box_start *start, struct error **err);
int __real_box_verify(struct box *b, const struct box_plan *plan, struct error **err);
int __real_box_verify_process(struct box *b, pid_t pid, uint32_t filters, struct error **err);

static bool is_taken_off(const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (off[keys[i].layer] && !strncmp(line, keys[i].key, strlen(keys[i].key)))
			return true;
	return false;
}

static char *peel_config(const char *config)
{
	_cleanup_buf_ struct buf out = { 0 };

	for (const char *line = config; *line;) {
		size_t n = strcspn(line, "\n");

		if (!is_taken_off(line))
			buf_addf(&out, "%.*s\n", (int)n, line);
		line += n + (line[n] == '\n');
	}
	return buf_take(&out);
}

/* A filter file with one program, which permits everything (emit/filter.h). */
static int make_open_filter(int *ret_fd, struct error **err)
{
	const struct {
		uint32_t programs, flags, instructions;
		struct sock_filter permit;
	} file = { 1, 0, 1, BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };

	return fs_memfd("filter", &file, sizeof file, ret_fd, err);
}

static void show_file(const struct box_plan *real, struct box_plan *ret)
{
	const struct box_mount m = {
		.source = MOUNT_HOST,
		.name = (char *)shown,
		.target = (char *)shown,
		.read_only = true,
		.exec = true,
		.mode = 0444,
	};

	*ret = *real;
	ret->mounts = xcalloc(real->n_mounts + 1, sizeof m);
	memcpy(ret->mounts, real->mounts, real->n_mounts * sizeof m);
	ret->mounts[ret->n_mounts++] = m;
}

int __wrap_box_begin(struct box *b, const struct box_start *start, struct error **err)
{
	_cleanup_free_ char *config = peel_config(start->config);
	_cleanup_free_ struct box_mount *mounts = NULL;
	struct box_start peeled = *start;
	struct box_plan plan;
	int r = 0;

	peeled.config = config;
	/* The box keeps the descriptor's number to its end, as does the process. */
	if (off[SECCOMP])
		r = make_open_filter(&peeled.filter, err);
	if (r < 0)
		return r;
	if (shown && start->plan->kind == BOX_APP) {
		show_file(start->plan, &plan);
		mounts = plan.mounts;
		peeled.plan = &plan;
	}
	if (off[APPARMOR])
		peeled.label = NULL;
	r = __real_box_begin(b, &peeled, err);
	/* It is what the box is verified by. */
	if (off[APPARMOR] && start->label)
		b->label = xstrdup(start->label);
	return r;
}

int __wrap_box_verify(struct box *b, const struct box_plan *plan, struct error **err)
{
	if (!off[VERIFICATION])
		return __real_box_verify(b, plan, err);
	return off[NAMESPACES] ? 0 : nested_limit(b->init_pid, plan->namespaces, err);
}

int __wrap_box_verify_process(struct box *b, pid_t pid, uint32_t filters, struct error **err)
{
	return off[VERIFICATION] ? 0 : __real_box_verify_process(b, pid, filters, err);
}

static int take_off(const char *name, struct error **err)
{
	for (enum layer l = 0; l < LAYER_MAX; l++)
		if (!strcmp(name, layer_names[l])) {
			off[l] = true;
			return 0;
		}
	return error_set(err, EINVAL, "no layer '%s'", name);
}

/* Returns the number of words that were options. */
static int read_options(char **words, struct error **err)
{
	char **w = words;

	for (; *w && !strncmp(*w, "--", 2); w++) {
		char *state, *name;

		if (!strncmp(*w, "--show=", 7)) {
			shown = *w + 7;
			continue;
		}
		if (strncmp(*w, "--without=", 10))
			return error_set(err, EINVAL, "no option '%s'", *w);
		for (name = strtok_r(*w + 10, ",", &state); name;
		     name = strtok_r(NULL, ",", &state)) {
			int r = take_off(name, err);

			if (r < 0)
				return r;
		}
	}
	return (int)(w - words);
}

static int run(char **argv, int *ret_code, struct error **err)
{
	_cleanup_(facts_release) struct facts facts = { 0 };
	_cleanup_(permit_freep) struct permit *permit = NULL;
	struct profile *profile = NULL;
	struct launch l = { .instance = -EBADF };
	int r = read_options(argv + 1, err);
	char **words;

	if (r < 0)
		return r;
	words = argv + 1 + r;
	if (strv_length(words) < 2)
		return error_set(err, EINVAL, "no profile and program");
	r = profile_load_file(words[0], "/nonexistent", &profile, err);
	if (r >= 0)
		r = facts_gather(&facts, err);
	if (r >= 0)
		r = permit_make(profile, &facts, NULL, &permit, err);
	if (r < 0)
		return r;
	l.permit = permit;
	l.request.program = words[1];
	l.request.arguments = words + 2;
	return launch_run(&l, ret_code, err);
}

int main(int argc, char **argv)
{
	_cleanup_(error_freep) struct error *error = NULL;
	int code;

	(void)argc;
	if (run(argv, &code, &error) < 0) {
		fprintf(stderr, "peel: %s\n", error->message);
		return EXIT_SETUP;
	}
	return code;
}
