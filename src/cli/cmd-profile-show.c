#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "app/show.h"
#include "base/buf.h"
#include "base/strv.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/profile-commands.h"
#include "cli/profile-word.h"
#include "cli/show-key.h"
#include "cli/show-standalone.h"
#include "profile/choice.h"
#include "profile/keys.h"

struct shown {
	char *name;
	struct profile *profile; /* NULL of a standalone configuration */
	char *text;
	char **notes;
};

static void shown_release(struct shown *s)
{
	free(s->name);
	profile_free(s->profile);
	free(s->text);
	strv_free(s->notes);
}

/* What the command line asks for. */
struct wish {
	struct show show;
	bool standalone, json;
	struct standalone_wish of_standalone;
};

static int make_standalone(const char *word, const struct wish *w, const struct facts *facts,
			   struct shown *ret, struct error **err)
{
	struct profile *p = NULL;
	int r = profile_word_load(word, facts, &p, err);

	if (r < 0)
		return r;
	ret->name = xstrdup(p->name);
	return show_standalone(p, &w->of_standalone, facts, &ret->text, &ret->notes, err);
}

/* The profile is shown as it is written, all else as it would be. */
static int make(const char *word, const struct wish *w, struct shown *ret, struct error **err)
{
	_cleanup_(facts_release) struct facts facts = { 0 };
	bool written = w->show.format == SHOW_PROFILE;
	int r;

	r = facts_gather(&facts, err);
	if (r < 0)
		return r;
	if (w->standalone)
		return make_standalone(word, w, &facts, ret, err);
	r = written ? profile_word_load(word, &facts, &ret->profile, err)
		    : profile_word_load_ruled(word, &facts, &ret->profile, err);
	if (r < 0)
		return r;
	ret->name = xstrdup(ret->profile->name);
	return show_render(&w->show, ret->profile, &facts, &ret->text, &ret->notes, err);
}

static int print_text(const struct shown *s)
{
	_cleanup_buf_ struct buf out = { 0 };

	for (char **note = s->notes; note && *note; note++) {
		_cleanup_free_ char *line = text_escape(*note, strlen(*note));

		buf_addf(&out, "# %s\n", line);
	}
	buf_adds(&out, s->text);
	return cli_print(out.data);
}

/* One object for each value, so that a list is as easy to read as the rest. */
static json_t *settings_of(const struct profile *p)
{
	json_t *all = json_array();

	for (size_t i = 0; key_at(i); i++) {
		const struct key *k = key_at(i);
		const struct profile_origin *o = &p->origins[i];
		_cleanup_buf_ struct buf lines = { 0 };
		char *rest, *line;

		k->type->write(k, key_value(k, p), &lines);
		rest = lines.data;
		while ((line = strsep(&rest, "\n"))) {
			if (!*line)
				continue;
			json_array_append_new(all, json_pack("{ss ss ss ss? si}", "section",
							     k->section, "key", k->name, "value",
							     line + strlen(k->name) + 1, "file",
							     o->file, "line", (int)o->line));
		}
	}
	return all;
}

static json_t *strings_of(char *const *v)
{
	json_t *all = json_array();

	for (; v && *v; v++)
		json_array_append_new(all, json_string(*v));
	return all;
}

static json_t *lines_of(const char *text)
{
	_cleanup_free_ char *copy = xstrdup(text);
	json_t *all = json_array();
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n")))
		if (rest || *line)
			json_array_append_new(all, json_string(line));
	return all;
}

static int print_json(const struct shown *s, const struct show *show)
{
	json_auto_t *value = json_pack("{ss ss so so}", "profile", s->name, "format",
				       show_format_names[show->format], "notes",
				       strings_of(s->notes), "lines", lines_of(s->text));

	if (show->format == SHOW_PROFILE)
		json_object_set_new(value, "settings", settings_of(s->profile));
	return cli_print_json(value);
}

static int print_key(const char *word, const char *key)
{
	_cleanup_(facts_release) struct facts facts = { 0 };
	_cleanup_(profile_freep) struct profile *p = NULL;
	struct error *error = NULL;

	if (facts_gather(&facts, &error) < 0 || profile_word_load(word, &facts, &p, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	return show_key(p, key);
}

/* Is anything asked for that does not go together? */
static const char *find_clash(const struct wish *w, bool rest)
{
	const struct {
		bool is_so;
		const char *text;
	} clashes[] = {
		{ w->standalone && (w->show.format != SHOW_LXC || w->show.box != BOX_APP),
		  "--standalone goes with --format=lxc, and the box is app" },
		{ !w->standalone && w->of_standalone.root, "--root goes with --standalone" },
		{ !w->standalone && rest, "give one profile" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(clashes); i++)
		if (clashes[i].is_so)
			return clashes[i].text;
	return NULL;
}

static int run(int argc, char **argv)
{
	const char *format = NULL, *box = NULL, *key = NULL, *word, *clash;
	struct wish wish = { 0 };
	const struct option_row rows[] = {
		{ .name = "format",
		  .value = "FORMAT",
		  .choices = show_format_names,
		  .help = "profile, plan, lxc, seccomp, apparmor, bus, network or env",
		  .text = &format },
		{ .name = "box",
		  .value = "BOX",
		  .choices = box_kind_names,
		  .help = "app, display or viewer: of lxc, apparmor and env",
		  .text = &box },
		{ .name = "standalone",
		  .help = "of lxc: for lxc-start and the other stock tools of LXC",
		  .flag = &wish.standalone },
		{ .name = "root",
		  .value = "DIR",
		  .help = "of --standalone: gets what lies over the image",
		  .text = &wish.of_standalone.root },
		{ .name = "origins",
		  .help = "with the file and line that set each",
		  .flag = &wish.show.origins },
		{ .name = "key",
		  .value = "KEY",
		  .help = "only the value of this key: Section.Key",
		  .text = &key },
		{ .name = "json", .help = "an object, for programs", .flag = &wish.json },
		{ 0 },
	};
	_cleanup_(shown_release) struct shown shown = { 0 };
	struct error *error = NULL;
	int rest = options_parse_leading(&cmd_profile_show, rows, argc, argv, &word);

	if (rest < 0)
		return options_status(rest);
	if (!word)
		return cli_usage(&cmd_profile_show, "give one profile");
	if (format)
		wish.show.format = (enum show_format)choice_find(show_format_names, format);
	if (box)
		wish.show.box = (enum box_kind)choice_find(box_kind_names, box);
	wish.of_standalone.arguments = argv + rest;
	clash = find_clash(&wish, rest < argc);
	if (key && (format || box || wish.json || wish.show.origins || wish.standalone))
		clash = "--key goes with no other option";
	if (clash)
		return cli_usage(&cmd_profile_show, "%s", clash);
	if (key)
		return print_key(word, key);
	if (make(word, &wish, &shown, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	return wish.json ? print_json(&shown, &wish.show) : print_text(&shown);
}

const struct command cmd_profile_show = {
	.noun = "profile",
	.name = "show",
	.arguments = "PROFILE [-- ARG...]",
	.summary = "Print a profile, or what it becomes",
	.run = run,
};
