#include <jansson.h>

#include "app/doctor-text.h"
#include "cli/cli.h"
#include "cli/options.h"

static int print_json(const struct diagnoses *d)
{
	json_auto_t *all = diagnoses_to_json(d);
	_cleanup_free_ char *text = json_dumps(all, JSON_INDENT(2));
	_cleanup_free_ char *line = xasprintf("%s\n", text ? text : "[]");

	return cli_print(line);
}

static int print_table(const struct diagnoses *d)
{
	_cleanup_free_ char *text = diagnoses_render(d, cli_colours(STDOUT_FILENO));

	return cli_print(text);
}

static int run(int argc, char **argv)
{
	_cleanup_(diagnoses_release) struct diagnoses all = { 0 };
	_cleanup_(facts_release) struct facts facts = { 0 };
	struct error *error = NULL;
	bool json = false;
	const struct option_row rows[] = {
		{ .name = "json", .help = "an array of objects, for programs", .flag = &json },
		{ 0 },
	};
	int first = options_parse(&cmd_doctor, rows, argc, argv), status;

	if (first < 0)
		return options_status(first);
	if (first != argc)
		return cli_usage(&cmd_doctor, "takes no argument");
	if (facts_gather(&facts, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	doctor_examine(&facts, &all);
	status = json ? print_json(&all) : print_table(&all);
	if (status != EXIT_OK)
		return status;
	return diagnoses_have_failure(&all) ? EXIT_FAILED : EXIT_OK;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.arguments = "",
	.summary = "Tell what this host lacks and how to mend it",
	.run = run,
};
