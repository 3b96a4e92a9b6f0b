#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "app/facts.h"
#include "app/home-walk.h"
#include "app/taking.h"
#include "app/usage-text.h"
#include "base/buf.h"
#include "base/strv.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/left-out.h"
#include "cli/options.h"
#include "session/given.h"

static const struct command cmd_list, cmd_export, cmd_rm;

#define TAR_SUFFIX ".tar"

/* --- list -------------------------------------------------------------------- */

/* One that was removed meanwhile is left out. */
static json_t *describe(const struct home_walk *h, char *const *names,
			const struct home_size *sizes)
{
	json_t *all = json_array();

	for (size_t i = 0; names && names[i]; i++) {
		_cleanup_(home_facts_release) struct home_facts f = { 0 };
		_cleanup_(error_freep) struct error *gone = NULL;
		json_t *kept = json_array();

		if (home_look(h->homes, names[i], &f, &gone) < 0) {
			json_decref(kept);
			continue;
		}
		for (char **path = f.kept; path && *path; path++)
			(void)json_array_append_new(kept, json_string(*path));
		(void)json_array_append_new(
			all, json_pack("{s:s, s:I, s:I, s:b, s:o, s:s?, s:s?}", "name", names[i],
				       "bytes", (json_int_t)sizes[i].bytes, "files",
				       (json_int_t)sizes[i].files, "home", (int)f.home, "paths",
				       kept, "sandbox", f.running, "damaged", f.why));
	}
	return all;
}

static int print_table(const json_t *all)
{
	_cleanup_buf_ struct buf text = { 0 };
	json_t *one;
	size_t i;

	buf_addf(&text, "%-24s %6s %8s %-12s %s\n", "NAME", "SIZE", "FILES", "KEPT", "SANDBOX");
	json_array_foreach((json_t *)all, i, one)
	{
		_cleanup_free_ char *size = usage_show_bytes(
			(uint64_t)json_integer_value(json_object_get(one, "bytes")));
		size_t paths = json_array_size(json_object_get(one, "paths"));
		_cleanup_free_ char *kept = json_is_true(json_object_get(one, "home"))
						    ? xstrdup("all")
						    : xasprintf("%zu %s", paths,
								paths == 1 ? "path" : "paths");
		const char *running = json_string_value(json_object_get(one, "sandbox"));

		if (json_string_value(json_object_get(one, "damaged")))
			running = "damaged";
		buf_addf(&text, "%-24s %6s %8" JSON_INTEGER_FORMAT " %-12s %s\n",
			 json_string_value(json_object_get(one, "name")), size,
			 json_integer_value(json_object_get(one, "files")), kept,
			 !running   ? "-"
			 : *running ? running
				    : "?");
	}
	return cli_print(text.data);
}

static int print_json(const json_t *all)
{
	_cleanup_free_ char *text = json_dumps(all, JSON_INDENT(2));
	_cleanup_free_ char *line = xasprintf("%s\n", text ? text : "[]");

	return cli_print(line);
}

static int collect(json_t **ret, struct error **err)
{
	_cleanup_(home_walk_release) struct home_walk h = HOME_WALK_NONE;
	_cleanup_(facts_release) struct facts facts = { 0 };
	_cleanup_free_ struct home_size *sizes = NULL;
	_cleanup_strv_ char **names = NULL;
	int r;

	r = facts_gather(&facts, err);
	if (r < 0)
		return r;
	r = homes_open(facts.home, &h.homes, err);
	if (r == -ENOENT)
		*err = error_free(*err);
	else if (r < 0)
		return r;
	/* Where there is none, nothing has to be started to find that out. */
	if (r >= 0 && homes_list(h.homes, false, &names, err) < 0)
		return -(*err)->code;
	home_walk_release(&h);
	if (names) {
		r = home_walk_begin(facts.home, &h, err);
		if (r < 0)
			return r;
		home_walk_sweep(&h);
		r = home_walk_sizes(&h, names, &sizes, err);
		if (r < 0)
			return r;
	}
	*ret = describe(&h, names, sizes);
	return 0;
}

static int run_list(int argc, char **argv)
{
	bool json = false;
	const struct option_row rows[] = {
		{ .name = "json", .help = "an array of objects, for programs", .flag = &json },
		{ 0 },
	};
	json_auto_t *all = NULL;
	struct error *error = NULL;
	int first = options_parse(&cmd_list, rows, argc, argv);

	if (first < 0)
		return options_status(first);
	if (first != argc)
		return cli_usage(&cmd_list, "takes no argument");
	if (collect(&all, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	return json ? print_json(all) : print_table(all);
}

/* --- export ------------------------------------------------------------------ */

struct exporting {
	struct facts facts;
	struct home_walk walk;
	struct home_facts home;
	const char *name;
	char *prefix;
	struct walker *walker;
};

#define EXPORTING_NONE ((struct exporting){ .walk = HOME_WALK_NONE })

static void exporting_release(struct exporting *e)
{
	walker_end(e->walker);
	free(e->prefix);
	home_facts_release(&e->home);
	home_walk_release(&e->walk);
	facts_release(&e->facts);
}

static int no_home(const char *name, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(name, NAME_LENGTH_MAX);

	*err = error_free(*err);
	return error_set(err, ENOENT, "no home '%s': see 'vitrine home list'", shown);
}

static int open_home(struct exporting *e, struct error **err)
{
	int r;

	r = facts_gather(&e->facts, err);
	if (r < 0)
		return r;
	r = home_walk_begin(e->facts.home, &e->walk, err);
	if (r == -ENOENT)
		return no_home(e->name, err);
	return r < 0 ? r : home_look(e->walk.homes, e->name, &e->home, err);
}

static int start_export(void *user, int out, struct error **err)
{
	struct exporting *e = user;

	return home_walk_archive(&e->walk, e->name, &e->home, e->prefix, out, &e->walker, err);
}

static int finish_export(void *user, char **ret_left_out, struct error **err)
{
	struct exporting *e = user;
	int r = walker_await(e->walker, ret_left_out, err);

	e->walker = walker_end(e->walker);
	return r;
}

static int export_to(struct exporting *e, int out, char **ret_left_out, struct error **err)
{
	int r;

	e->prefix = xstrdup("");
	r = start_export(e, out, err);
	return r < 0 ? r : finish_export(e, ret_left_out, err);
}

/* Written without a name, which it gets when it is whole. */
static int export_file(struct exporting *e, int parent, const char *name, char **ret_left_out,
		       struct error **err)
{
	_cleanup_close_ int fd = openat(parent, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
	_cleanup_free_ char *path = NULL;
	struct stat st;
	int r;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return error_set(err, EEXIST, "it is there already");
	if (fd < 0)
		return error_errno(err, "cannot write there");
	r = export_to(e, fd, ret_left_out, err);
	if (r < 0)
		return r;
	path = xasprintf("/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, parent, name, AT_SYMLINK_FOLLOW) < 0)
		return error_errno(err, "cannot write there");
	return 0;
}

static int export_directory(struct exporting *e, int parent, const char *name, char **ret_left_out,
			    struct error **err)
{
	_cleanup_(protection_release) struct protection protection = { 0 };
	const struct taking t = {
		.parent = parent,
		.name = name,
		.protection = &protection,
		.start = start_export,
		.finish = finish_export,
		.user = e,
	};
	int r;

	e->prefix = xasprintf(TAKING_DIR "/%s", name);
	r = protection_gather(e->facts.home, &protection, err);
	return r < 0 ? r : taking_run(&t, ret_left_out, err);
}

static int export_named(struct exporting *e, const char *to, char **ret_left_out,
			struct error **err)
{
	_cleanup_free_ char *copy = xstrdup(to), *parent_path = NULL, *shown = NULL;
	size_t n = strlen(copy), m = strlen(TAR_SUFFIX);
	_cleanup_close_ int parent = -EBADF;
	const char *slash, *name;
	int r;

	while (n > 1 && copy[n - 1] == '/')
		copy[--n] = '\0';
	shown = text_escape(copy, n);
	slash = strrchr(copy, '/');
	name = slash ? slash + 1 : copy;
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return error_set(err, EINVAL, "'%s' is no name for a new file or directory", shown);
	parent_path = slash ? xstrndup(copy, (size_t)(slash - copy) + 1) : xstrdup(".");
	parent = open(parent_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return error_errno(err, "cannot open the directory of '%s'", shown);
	r = strlen(name) > m && !strcmp(name + strlen(name) - m, TAR_SUFFIX)
		    ? export_file(e, parent, name, ret_left_out, err)
		    : export_directory(e, parent, name, ret_left_out, err);
	return r < 0 ? error_prefix(err, "'%s'", shown) : 0;
}

static int run_export(int argc, char **argv)
{
	const char *to = NULL;
	const struct option_row rows[] = {
		{ .name = "to",
		  .value = "PATH",
		  .help = "a new FILE.tar or a new directory",
		  .text = &to },
		{ 0 },
	};
	_cleanup_(exporting_release) struct exporting e = EXPORTING_NONE;
	_cleanup_free_ char *left_out = NULL, *shown = NULL;
	struct error *error = NULL;
	int r = options_parse_single(&cmd_export, rows, "home", argc, argv, &e.name);

	if (r < 0)
		return options_status(r);
	if (!to && isatty(STDOUT_FILENO))
		return cli_usage(&cmd_export,
				 "a terminal cannot show it: use --to, or redirect it");
	if (open_home(&e, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	r = to ? export_named(&e, to, &left_out, &error)
	       : export_to(&e, STDOUT_FILENO, &left_out, &error);
	shown = xasprintf("%s%s", e.prefix ? e.prefix : "", e.prefix && *e.prefix ? "/" : "");
	left_out_print(left_out, shown);
	return r < 0 ? cli_fail(error, EXIT_FAILED) : EXIT_OK;
}

/* --- rm ---------------------------------------------------------------------- */

static int run_rm(int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };
	_cleanup_(exporting_release) struct exporting e = EXPORTING_NONE;
	struct error *error = NULL;
	int r = options_parse_single(&cmd_rm, rows, "home", argc, argv, &e.name);

	if (r < 0)
		return options_status(r);
	if (open_home(&e, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	home_walk_sweep(&e.walk);
	if (home_walk_remove(&e.walk, e.name, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	return EXIT_OK;
}

/* clang-format off */
static const struct command cmd_list = {
	.noun = "home",
	.name = "list",
	.arguments = "",
	.summary = "List the homes that are kept",
	.run = run_list,
};

static const struct command cmd_export = {
	.noun = "home",
	.name = "export",
	.arguments = "NAME",
	.summary = "Copy a kept home out, as a tar or a directory",
	.run = run_export,
};

static const struct command cmd_rm = {
	.noun = "home",
	.name = "rm",
	.arguments = "NAME",
	.summary = "Remove a kept home",
	.run = run_rm,
};
/* clang-format on */

static const struct command *const verbs[] = { &cmd_list, &cmd_export, &cmd_rm, NULL };

const struct command cmd_home = {
	.name = "home",
	.arguments = "VERB",
	.summary = "Look at homes that outlive their sandboxes",
	.verbs = verbs,
};
