#include "app/control-client.h"
#include "app/registry.h"
#include "base/strv.h"
#include "cli/cli.h"
#include "cli/options.h"

static int stop_one(const char *name, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *id = NULL;
	int r;

	r = control_connect(name, &fd, &id, err);
	if (r < 0)
		return r;
	r = control_stop(fd, err);
	if (r < 0)
		return error_prefix(err, "sandbox '%s'", id);
	return 0;
}

static int running(char ***ret_ids, struct error **err)
{
	_cleanup_close_ int runtime = -EBADF;
	int r;

	r = runtime_open(&runtime, err);
	if (r < 0)
		return r;
	return registry_list(runtime, ret_ids, err);
}

/* One that ended meanwhile is stopped all the same. */
static int stop_all(void)
{
	_cleanup_strv_ char **ids = NULL;
	struct error *error = NULL;
	int status = EXIT_OK;

	if (running(&ids, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	for (char **id = ids; id && *id; id++) {
		error = NULL;
		if (stop_one(*id, &error) < 0 && error->code != ENOENT &&
		    error->code != ECONNREFUSED)
			status = cli_fail(error, EXIT_FAILED);
		else
			error_free(error);
	}
	return status;
}

static int run(int argc, char **argv)
{
	bool all = false;
	const struct option_row rows[] = {
		{ .name = "all", .help = "every sandbox of yours", .flag = &all },
		{ 0 },
	};
	int first = options_parse(&cmd_stop, rows, argc, argv), status = EXIT_OK;

	if (first < 0)
		return options_status(first);
	if (all != (first == argc))
		return cli_usage(&cmd_stop, "give either the ids to stop, or --all");
	if (all)
		return stop_all();
	for (int i = first; i < argc; i++) {
		struct error *error = NULL;

		if (stop_one(argv[i], &error) < 0)
			status = cli_fail(error, EXIT_FAILED);
	}
	return status;
}

const struct command cmd_stop = {
	.name = "stop",
	.arguments = "ID...|--all",
	.summary = "End sandboxes and all that is in them",
	.run = run,
};
