#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "app/facts.h"
#include "app/profile-test.h"
#include "cli/first-image.h"
#include "cli/options.h"
#include "cli/profile-commands.h"
#include "profile/load.h"

#define EXIT_INTERRUPTED 130 /* as a shell says it */

struct asked {
	bool json, build;
	const char *pictures, *profile_file;
};

/* One profile. */
struct outcome {
	const char *name;
	bool json, coloured;
	json_t *steps; /* of a JSON report */
};

static const char *colour(const struct outcome *o, bool passed)
{
	if (!o->coloured)
		return "";
	return passed ? "\033[32m" : "\033[31m";
}

static void tell(void *user, const struct test_line *line)
{
	struct outcome *o = user;

	if (o->json) {
		(void)json_array_append_new(o->steps,
					    json_pack("{s:s, s:b, s:f, s:s?}", "step", line->what,
						      "passed", line->passed, "seconds",
						      (double)line->ms / 1000, "why", line->why));
		return;
	}
	printf("  %s%s%s %s (%.1f s)\n", colour(o, line->passed), line->passed ? "ok" : "not ok",
	       o->coloured ? "\033[m" : "", line->what, (double)line->ms / 1000);
	if (line->why)
		printf("    %s\n", line->why);
	fflush(stdout);
}

static void indent(const char *text)
{
	for (const char *at = text; *at;) {
		const size_t n = strcspn(at, "\n");

		printf("    | %.*s\n", (int)n, at);
		at += n + (at[n] == '\n');
	}
}

static void conclude(const struct outcome *o, const struct test_result *result)
{
	if (result->printed && *result->printed) {
		puts("  it printed last:");
		indent(result->printed);
	}
	if (result->picture)
		printf("  picture: %s\n", result->picture);
	printf("%s%s%s: %s (%.1f s)\n", colour(o, result->passed), o->name,
	       o->coloured ? "\033[m" : "", result->passed ? "passed" : "failed",
	       (double)result->ms / 1000);
	fflush(stdout);
}

static int load(const struct asked *a, const char *name, struct facts *facts, struct profile **ret,
		struct error **err)
{
	int r = facts_gather(facts, err);

	if (r < 0)
		return r;
	return a->profile_file ? profile_load_file(a->profile_file, facts->home, ret, err)
			       : profile_load(name, facts->home, ret, err);
}

/* A profile that has no test, or whose test makes no sense, costs no image. */
static int prepare(const struct asked *a, const char *name, struct profile **ret,
		   struct error **err)
{
	_cleanup_(facts_release) struct facts facts = { 0 };
	_cleanup_(profile_freep) struct profile *p = NULL;
	_cleanup_(steps_release) struct steps steps = { 0 };
	int r;

	r = load(a, name, &facts, &p, err);
	if (r < 0)
		return r;
	r = steps_read(p, &steps, err);
	if (r < 0)
		return error_prefix(err, "profile '%s'", p->name);
	if (first_image(&facts, p, a->build) != EXIT_OK)
		return error_set(err, ENOENT, "profile '%s' was not tested", p->name);
	*ret = TAKE_PTR(p);
	return 0;
}

static int test(const struct asked *a, const char *name, json_t *all, bool *ret_passed,
		struct error **err)
{
	_cleanup_(test_result_release) struct test_result result = { 0 };
	_cleanup_(profile_freep) struct profile *p = NULL;
	json_auto_t *steps = json_array();
	struct outcome o = { .json = a->json,
			     .coloured = cli_colours(STDOUT_FILENO),
			     .steps = steps };
	int r;

	r = prepare(a, name, &p, err);
	if (r < 0)
		return r;
	o.name = p->name;
	if (!o.json)
		printf("%s\n", o.name);
	r = profile_test_run(&(struct test_request){ .profile = p,
						     .profile_file = a->profile_file,
						     .pictures = a->pictures,
						     .told = tell,
						     .user = &o },
			     &result, err);
	if (r < 0)
		return r;
	*ret_passed = result.passed;
	if (o.json)
		(void)json_array_append_new(
			all,
			json_pack("{s:s, s:b, s:f, s:s?, s:s?, s:O}", "profile", o.name, "passed",
				  result.passed, "seconds", (double)result.ms / 1000, "picture",
				  result.picture, "printed", result.printed, "steps", steps));
	else
		conclude(&o, &result);
	return 0;
}

static int print_json(const json_t *all)
{
	_cleanup_free_ char *text = json_dumps(all, JSON_INDENT(2));
	_cleanup_free_ char *line = xasprintf("%s\n", text ? text : "[]");

	return cli_print(line);
}

/* One that cannot be tested does not keep the others from it. */
static int test_all(const struct asked *a, char **names)
{
	json_auto_t *all = json_array();
	int status = EXIT_OK;

	do {
		struct error *error = NULL;
		bool passed = false;

		if (test(a, *names, all, &passed, &error) < 0) {
			if (error->code == EINTR)
				return cli_fail(error, EXIT_INTERRUPTED);
			status = cli_fail(error, EXIT_FAILED);
		} else if (!passed) {
			status = EXIT_FAILED;
		}
	} while (*names && *++names);
	if (a->json && print_json(all) != EXIT_OK)
		return EXIT_FAILED;
	return status;
}

static int run(int argc, char **argv)
{
	struct asked a = { 0 };
	const struct option_row rows[] = {
		{ .name = "json", .help = "an array of objects, for programs", .flag = &a.json },
		{ .name = "picture",
		  .value = "DIR",
		  .help = "a picture of the window after each step",
		  .text = &a.pictures },
		{ .name = "build",
		  .help = "build images that are missing, unasked",
		  .flag = &a.build },
		{ .name = "profile",
		  .value = "FILE",
		  .help = "test the profile in FILE",
		  .text = &a.profile_file },
		{ 0 },
	};
	int first = options_parse(&cmd_profile_test, rows, argc, argv);
	struct stat st;

	if (first < 0)
		return options_status(first);
	if (a.profile_file ? first != argc : first == argc)
		return cli_usage(&cmd_profile_test, "give the profiles, or one with --profile");
	if (a.pictures && (stat(a.pictures, &st) < 0 || !S_ISDIR(st.st_mode)))
		return cli_usage(&cmd_profile_test, "--picture needs a directory that is there");
	return test_all(&a, argv + first);
}

const struct command cmd_profile_test = {
	.noun = "profile",
	.name = "test",
	.arguments = "NAME...",
	.summary = "Start applications, use them, check them",
	.run = run,
};
