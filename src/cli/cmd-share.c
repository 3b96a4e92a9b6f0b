#include <jansson.h>
#include <string.h>

#include "app/control-client.h"
#include "app/facts.h"
#include "app/state.h"
#include "base/buf.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/options.h"

/* How one path is given: what comes after its last colon, if that is one of these. */
static const struct suffix {
	const char *text;
	enum gate_access access;
	bool missing;
} suffixes[] = {
	{ ":ro", GATE_READ_ONLY, false },
	{ ":rw", GATE_READ_WRITE, false },
	{ ":new", GATE_READ_WRITE, true },
};

struct sharing {
	const char *sandbox;
	struct facts facts;
	struct protection protection;
	uint64_t limit;
	json_t *results; /* NULL: the paths inside are printed */
};

/* Only the last suffix counts, so that every path can be given: "x:rw" as "x:rw:ro". */
static const struct suffix *parse_path(const char *word, char **ret_path)
{
	size_t n = strlen(word);

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t size = strlen(suffixes[i].text);

		if (n >= size && !strcmp(word + n - size, suffixes[i].text)) {
			*ret_path = xstrndup(word, n - size);
			return &suffixes[i];
		}
	}
	*ret_path = xstrdup(word);
	return &suffixes[0];
}

static int open_path(const struct sharing *s, const struct suffix *how, const char *path,
		     struct given *ret, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(path, strlen(path));
	int r = given_open(path, how->missing, &s->protection, ret, err);

	if (r < 0)
		return r;
	if (how->missing && ret->fd >= 0)
		return error_set(err, EEXIST, "'%s': it is there already; give it with ':rw'",
				 shown);
	if (s->limit != GATE_NO_LIMIT && !ret->directory)
		return error_set(err, EINVAL, "'%s': only a directory can have a limit", shown);
	return 0;
}

static int share(struct sharing *s, int fd, const char *word, char **ret_inside, struct error **err)
{
	_cleanup_(given_release) struct given g = GIVEN_NONE;
	_cleanup_free_ char *path = NULL;
	const struct suffix *how = parse_path(word, &path);
	_cleanup_free_ char *shown = text_escape(path, strlen(path));
	const struct control_wish wish = { .access = how->access, .limit = s->limit };
	struct gate_entry entry = { .access = how->access, .limit = s->limit };
	int r;

	r = open_path(s, how, path, &g, err);
	if (r < 0)
		return r;
	r = control_share(fd, &g, &wish, ret_inside, err);
	if (r < 0)
		return error_prefix(err, "'%s'", shown);
	entry.path = g.path;
	entry.directory = g.directory;
	if (s->results)
		(void)json_array_append_new(s->results, state_grant(&entry, *ret_inside));
	return 0;
}

static int share_all(struct sharing *s, char **words)
{
	int status = EXIT_OK;

	for (; *words; words++) {
		_cleanup_free_ char *inside = NULL;
		_cleanup_close_ int fd = -EBADF;
		struct error *error = NULL;

		/* One connection each: an answer that comes too late is not one to the next path.
		 */
		if (control_connect(s->sandbox, &fd, NULL, &error) < 0)
			return cli_fail(error, EXIT_FAILED);
		if (share(s, fd, *words, &inside, &error) < 0)
			status = cli_fail(error, EXIT_FAILED);
		else if (!s->results && cli_print_path(inside) != EXIT_OK)
			status = EXIT_FAILED;
	}
	return status;
}

static int begin(struct sharing *s, struct error **err)
{
	int r;

	r = facts_gather(&s->facts, err);
	if (r >= 0)
		r = protection_gather(s->facts.home, &s->protection, err);
	return r;
}

static void sharing_release(struct sharing *s)
{
	protection_release(&s->protection);
	facts_release(&s->facts);
	json_decref(s->results);
}

static int print_results(const json_t *results, int status)
{
	_cleanup_free_ char *text = json_dumps(results, JSON_INDENT(2));
	_cleanup_free_ char *line = xasprintf("%s\n", text ? text : "[]");
	int printed = cli_print(line);

	return status == EXIT_OK ? printed : status;
}

static int check_limit(const char *text, char **words, uint64_t *ret)
{
	_cleanup_free_ char *shown = text ? text_escape(text, 64) : NULL;

	if (!text)
		return EXIT_OK;
	if (parse_size(text, ret) < 0 || *ret == GATE_NO_LIMIT)
		return cli_usage(&cmd_share, "--limit must be a size such as 512M, not '%s'",
				 shown);
	for (; *words; words++) {
		_cleanup_free_ char *path = NULL;
		const struct suffix *how = parse_path(*words, &path);

		if (how->access != GATE_READ_WRITE || how->missing)
			return cli_usage(&cmd_share, "--limit is for directories with ':rw'");
	}
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	const char *limit = NULL;
	bool json = false;
	const struct option_row rows[] = {
		{ .name = "limit",
		  .value = "SIZE",
		  .help = "at most so much new data in each directory",
		  .text = &limit },
		{ .name = "json", .help = "an array of objects, for programs", .flag = &json },
		{ 0 },
	};
	_cleanup_(sharing_release) struct sharing s = { 0 };
	struct error *error = NULL;
	int first = options_parse(&cmd_share, rows, argc, argv), status;

	if (first < 0)
		return options_status(first);
	if (argc - first < 2)
		return cli_usage(&cmd_share, "give a sandbox and at least one path");
	status = check_limit(limit, argv + first + 1, &s.limit);
	if (status != EXIT_OK)
		return status;
	if (begin(&s, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	s.sandbox = argv[first];
	s.results = json ? json_array() : NULL;
	status = share_all(&s, argv + first + 1);
	return json ? print_results(s.results, status) : status;
}

const struct command cmd_share = {
	.name = "share",
	.arguments = "ID PATH[:ro|:rw|:new]...",
	.summary = "Give files to a running sandbox",
	.run = run,
};
