#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "app/control-client.h"
#include "app/facts.h"
#include "app/keeping.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/left-out.h"
#include "cli/options.h"

static int keep_all(struct keeping *k, char **words)
{
	int status = EXIT_OK;

	for (; *words; words++) {
		_cleanup_free_ char *kept = NULL, *left_out = NULL, *shown = NULL;
		struct error *error = NULL;
		int r = keeping_keep(k, *words, &kept, &left_out, &error);

		left_out_print(left_out, TAKING_DIR "/");
		if (r < 0) {
			shown = text_escape(*words, strlen(*words));
			error_prefix(&error, "'%s'", shown);
			status = cli_fail(error, EXIT_FAILED);
		} else if (cli_print_path(kept) != EXIT_OK) {
			status = EXIT_FAILED;
		}
	}
	return status;
}

static int run(int argc, char **argv)
{
	const char *to = NULL, *limit = NULL;
	bool force = false;
	const struct option_row rows[] = {
		{ .name = "force", .help = "replace what is there", .flag = &force },
		{ .name = "limit",
		  .value = "SIZE",
		  .help = "leave out what is more (4G)",
		  .text = &limit },
		{ .name = "to",
		  .value = "DIR",
		  .help = "into this directory, not to its place in the home",
		  .text = &to },
		{ 0 },
	};
	_cleanup_(keeping_release) struct keeping k = KEEPING_NONE;
	struct error *error = NULL;
	int first = options_parse(&cmd_keep, rows, argc, argv);

	if (first < 0)
		return options_status(first);
	if (argc - first < 2)
		return cli_usage(&cmd_keep, "give a sandbox and at least one path");
	if (limit &&
	    (parse_size(limit, &k.bytes_max) < 0 || k.bytes_max > WALK_BYTES_MAX || !k.bytes_max))
		return cli_usage(&cmd_keep, "--limit must be a size such as 512M, of at most 64G");
	k.force = force;
	k.sandbox = argv[first];
	if (keeping_begin(&k, to, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	return keep_all(&k, argv + first + 1);
}

const struct command cmd_keep = {
	.name = "keep",
	.arguments = "ID PATH...",
	.summary = "Copy files of an application out",
	.run = run,
};
