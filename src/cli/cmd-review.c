#include <stdio.h>
#include <string.h>

#include "app/control-client.h"
#include "app/keeping.h"
#include "cli/change-text.h"
#include "cli/cli.h"
#include "cli/left-out.h"
#include "cli/options.h"

#define ANSWER_MAX 4096U

/* What is asked, and what the user may say to it; the first one is what Enter means. */
struct question {
	const char *text;
	const char *answers;
};

static const struct question of_all = {
	"Of all of these: [d]iscard, [k]eep, [c]opy to a directory, or ask "
	"for [e]ach? ",
	"dkce"
};
static const struct question of_each = { "[d]iscard, [k]eep, [c]opy to a directory? ", "dkc" };

struct review {
	const char *name; /* of the sandbox */
	struct changes changes;
	int status;
};

/* A line of the terminal without its end; false when there is none any more. */
static bool read_line(char answer[ANSWER_MAX])
{
	size_t n = 0;
	char c = '\0';

	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		if (n + 1 < ANSWER_MAX)
			answer[n++] = c;
	answer[n] = '\0';
	return c == '\n';
}

static char ask(const struct question *q)
{
	char answer[ANSWER_MAX];

	for (;;) {
		fputs(q->text, stderr);
		if (!read_line(answer) || !*answer)
			return q->answers[0];
		if (!answer[1] && strchr(q->answers, *answer))
			return *answer;
	}
}

static void keep_one(struct keeping *k, const char *path, int *status)
{
	_cleanup_free_ char *kept = NULL, *left_out = NULL;
	struct error *error = NULL;
	int r = keeping_keep(k, path, &kept, &left_out, &error);

	left_out_print(left_out, TAKING_DIR "/");
	if (r < 0)
		*status = cli_fail(error, EXIT_FAILED);
	else
		cli_say_path("kept", kept);
}

/* Until a directory is named that can be used, or none. */
static bool begin(struct keeping *k, bool copy)
{
	char to[ANSWER_MAX];

	for (;;) {
		struct error *error = NULL;

		if (copy) {
			fputs("To which directory? ", stderr);
			if (!read_line(to) || !*to)
				return false;
		}
		if (keeping_begin(k, copy ? to : NULL, &error) >= 0)
			return true;
		(void)cli_fail(error, EXIT_FAILED);
		keeping_release(k);
		*k = KEEPING_NONE;
		if (!copy)
			return false;
	}
}

/* The change at `i` with what lies in it, or all. */
static void take(struct review *r, char how, size_t i, size_t end)
{
	_cleanup_(keeping_release) struct keeping k = KEEPING_NONE;

	if (!begin(&k, how == 'c')) {
		r->status = how == 'c' ? r->status : EXIT_FAILED;
		return;
	}
	k.sandbox = r->name;
	while (i < end) {
		size_t within = changes_within(&r->changes, i, &(uint64_t){ 0 });

		if (r->changes.list[i].kind != 'r')
			keep_one(&k, r->changes.list[i].path, &r->status);
		i += 1 + within;
	}
}

static void print_one(const struct changes *c, size_t i, size_t *ret_within)
{
	_cleanup_buf_ struct buf text = { 0 };

	change_describe(&text, c, i, ret_within);
	fprintf(stderr, "%s\n", text.data);
}

static void review_each(struct review *r)
{
	for (size_t i = 0, within; i < r->changes.n; i += 1 + within) {
		char how;

		if (r->changes.list[i].kind == 'r') {
			(void)(within = changes_within(&r->changes, i, &(uint64_t){ 0 }));
			continue;
		}
		print_one(&r->changes, i, &within);
		how = ask(&of_each);
		if (how != 'd')
			take(r, how, i, i + 1);
	}
}

static void review(struct review *r)
{
	size_t takable = 0;
	char how;

	for (size_t i = 0, within; i < r->changes.n; i += 1 + within) {
		print_one(&r->changes, i, &within);
		takable += r->changes.list[i].kind != 'r';
	}
	if (r->changes.more)
		fputs("... and more\n", stderr);
	if (!r->changes.n)
		fputs("The application has changed nothing.\n", stderr);
	if (!takable)
		return;
	how = ask(&of_all);
	if (how == 'e')
		review_each(r);
	else if (how != 'd')
		take(r, how, 0, r->changes.n);
}

static int run(int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };
	_cleanup_close_ int fd = -EBADF;
	struct review r = { 0 };
	struct error *error = NULL;
	int parsed = options_parse_single(&cmd_review, rows, "sandbox", argc, argv, &r.name);

	if (parsed < 0)
		return options_status(parsed);
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		error_set(&error, ENOTTY,
			  "a terminal is needed to ask: see 'vitrine changes' and 'vitrine keep'");
		return cli_fail(error, EXIT_FAILED);
	}
	if (control_connect(r.name, &fd, NULL, &error) < 0 ||
	    control_changes(fd, false, &r.changes, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	review(&r);
	changes_release(&r.changes);
	return r.status;
}

const struct command cmd_review = {
	.name = "review",
	.arguments = "ID",
	.summary = "Ask what to do with each change",
	.run = run,
};
