/*
 * Random profiles on random hosts, as far as a plan can be made of them: what each emitter writes
 * is what was meant. LXC configurations are read back with liblxc itself: every setting that is not
 * its default is one of ours with our value, no hook, no include, and ids of a slice alone.
 * TESTDATA is the directory tests/ of the sources.
 */

#include <lxc/lxccontainer.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/strv.h"
#include "base/text.h"
#include "emit/apparmor.h"
#include "emit/lxc-stock.h"
#include "profile/keys.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/sample.h"
#include "view/explain.h"

#define VALUE_MAX  65536
#define STRING_MAX 200U
#define LIST_MAX   3U

/* --- input ------------------------------------------------------------------- */

struct input {
	const uint8_t *data;
	size_t size;
};

static unsigned take(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

static uint64_t take_number(struct input *in, uint64_t low, uint64_t high)
{
	uint64_t n = 0;

	for (size_t i = take(in) % 8; i > 0; i--)
		n = n << 8 | take(in);
	return high == UINT64_MAX ? n : low + n % (high - low + 1);
}

/* Bytes up to a 0; owned by the caller. */
static char *take_string(struct input *in)
{
	struct buf out = { 0 };
	unsigned byte;

	while (out.size < STRING_MAX && (byte = take(in))) {
		char c = (char)byte;

		buf_add(&out, &c, 1);
	}
	return buf_take(&out);
}

/* A string of the input, or what the sample host has. */
static char *take_fact(struct input *in, const char *usual)
{
	return take(in) % 4 ? xstrdup(usual) : take_string(in);
}

static void add_value(struct buf *text, const struct key *k, struct input *in)
{
	_cleanup_free_ char *s = NULL;

	if (k->choices) {
		size_t n = strv_length((char *const *)k->choices);

		buf_addf(text, "%s=%s\n", k->name, k->choices[take(in) % n]);
	} else if (k->type == &value_bool) {
		buf_addf(text, "%s=%s\n", k->name, take(in) % 2 ? "yes" : "no");
	} else if (k->type->number) {
		const char *unit = k->type == &value_percent ? "%"
				   : k->type == &value_time  ? "s"
							     : "";
		buf_addf(text, "%s=%llu%s\n", k->name,
			 (unsigned long long)take_number(in, k->min, k->max), unit);
	} else {
		s = take_string(in);
		/* The reader would refuse the rest of the profile with it. */
		if (*s && text_is_plain(s) && k->check && k->check->is_valid(s))
			buf_addf(text, "%s=%s\n", k->name, s);
	}
}

static char *take_profile(struct input *in)
{
	struct buf text = { 0 };
	const char *section = "";

	for (size_t i = 0; key_at(i); i++) {
		const struct key *k = key_at(i);
		unsigned how = take(in);

		if (!key_is_supported(k) || k->type == &value_inherit)
			continue;
		if (strcmp(section, k->section))
			buf_addf(&text, "[%s]\n", k->section);
		section = k->section;
		if (!strcmp(k->name, "Command") && how < 128)
			buf_adds(&text, "Command=x\n");
		else if (how >= 128 && k->type->is_list)
			for (size_t n = how % LIST_MAX + 1; n > 0; n--)
				add_value(&text, k, in);
		else if (how >= 128)
			add_value(&text, k, in);
	}
	return buf_take(&text);
}

struct host {
	struct host_facts facts;
	char *user, *home, *time_zone, *locale, *host_name;
};

static void host_release(struct host *h)
{
	free(h->user);
	free(h->home);
	free(h->time_zone);
	free(h->locale);
	free(h->host_name);
}

static void take_host(struct input *in, struct host *ret)
{
	unsigned bits = take(in);

	*ret = (struct host){
		.facts = sample_host,
		.user = take_fact(in, "ann"),
		.home = take_fact(in, "/home/ann"),
		.time_zone = take_fact(in, "Europe/Berlin"),
		.locale = take_fact(in, "de_DE.UTF-8"),
		.host_name = take_fact(in, "desk"),
	};
	ret->facts.user = ret->user;
	ret->facts.home = ret->home;
	ret->facts.time_zone = bits & 1 ? NULL : ret->time_zone;
	ret->facts.locale = bits & 2 ? NULL : ret->locale;
	ret->facts.host_name = bits & 4 ? NULL : ret->host_name;
	ret->facts.apparmor = !(bits & 8);
	ret->facts.own_profiles = !(bits & 16);
	ret->facts.controllers = take(in) % (LIMITS_ALL + 1);
	ret->facts.cgroup_way = (enum cgroup_way)(take(in) % CGROUP_WAY_MAX);
	ret->facts.memory = take_number(in, 0, UINT64_MAX);
	if (bits & 32)
		ret->facts.uid = (uid_t)take_number(in, 0, UINT32_MAX);
	if (bits & 64)
		ret->facts.gid = (gid_t)take_number(in, 0, UINT32_MAX);
}

/* --- liblxc ------------------------------------------------------------------ */

static char *item(struct lxc_container *c, const char *key)
{
	int n = c->get_config_item(c, key, NULL, 0);
	char *value = xcalloc(1, (size_t)(n < 0 ? 0 : n) + 1);

	if (n > 0)
		(void)c->get_config_item(c, key, value, n + 1);
	n = (int)strlen(value);
	if (n && value[n - 1] == '\n')
		value[n - 1] = '\0';
	return value;
}

/* All values of a key in our text, or of all that begin so (these with their names). */
static char *values_of(const char *text, const char *key)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy, *line;
	struct buf out = { 0 };
	size_t n = strlen(key);

	while ((line = strsep(&rest, "\n"))) {
		if (strncmp(line, key, n))
			continue;
		if (!strncmp(line + n, " = ", 3))
			buf_addf(&out, "%s%s", out.size ? "\n" : "", line + n + 3);
		else if (line[n] == '.')
			buf_addf(&out, "%s%s", out.size ? "\n" : "", line);
	}
	return buf_take(&out);
}

/* Two equal limits are written as one. */
static void join_limits(char *ours)
{
	char *colon = strrchr(ours, ':'), *space = colon ? strrchr(ours, ' ') : NULL;

	if (space && !strncmp(space + 1, colon + 1, (size_t)(colon - space - 1)) &&
	    strlen(colon + 1) == (size_t)(colon - space - 1))
		*colon = '\0';
}

/* What liblxc writes in another form than it reads; an id, as if it had a sign. */
static void must_be_ours(const char *text, const char *key, const char *value)
{
	_cleanup_free_ char *ours = values_of(text, key), *id = NULL;
	const char *wanted = ours;

	if (!strcmp(key, "lxc.prlimit"))
		join_limits(ours);
	if (!strcmp(key, "lxc.net")) /* its parts are looked at below */
		wanted = "empty";
	else if (!strcmp(key, "lxc.rootfs.path")) /* without the kind: "dir:" */
		wanted += strcspn(wanted, ":") + 1;
	else if (!strcmp(key, "lxc.init.uid") || !strcmp(key, "lxc.init.gid"))
		wanted = id = xasprintf("%d", (int)strtoul(ours, NULL, 10));
	if (strcmp(wanted, value) != 0)
		fprintf(stderr, "%s: '%s' and not '%s'\n", key, value, wanted);
	must(!strcmp(wanted, value));
}

struct liblxc {
	struct lxc_container *container;
	char **keys;
	char **defaults;
};

static void load(struct lxc_container *c, const char *text)
{
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *path = NULL;
	struct error *error = NULL;

	must(fs_memfd("conf", text, strlen(text), &fd, &error) == 0);
	path = xasprintf("/proc/self/fd/%d", fd);
	c->clear_config(c);
	must(c->load_config(c, path));
}

/* One for all inputs: liblxc looks around in the system when it makes one. */
static const struct liblxc *get_liblxc(void)
{
	static struct liblxc l;
	char names[VALUE_MAX] = "", *rest = names, *key;

	if (l.container)
		return &l;
	l.container = lxc_container_new("fuzz", "/nonexistent");
	must(l.container);
	load(l.container, "# nothing\n");
	must(l.container->get_keys(l.container, NULL, names, sizeof names) > 0);
	while ((key = strsep(&rest, "\n")))
		if (*key && strcmp(key, "lxc.hook") && strcmp(key, "lxc.cgroup"))
			strv_add(&l.keys, key);
	for (char **k = l.keys; *k; k++)
		strv_take(&l.defaults, item(l.container, *k));
	return &l;
}

static void must_be_read_back(const char *text, const char *const never[])
{
	const struct liblxc *l = get_liblxc();
	_cleanup_free_ char *script = NULL;

	load(l->container, text);
	for (size_t i = 0; l->keys[i]; i++) {
		_cleanup_free_ char *value = item(l->container, l->keys[i]);

		if (!strcmp(value, l->defaults[i]))
			continue;
		must_be_ours(text, l->keys[i], value);
		for (size_t n = 0; never[n]; n++)
			must(strncmp(l->keys[i], never[n], strlen(never[n])));
	}
	script = item(l->container, "lxc.net.0.script.up");
	must(!*script);
}

/* --- what is written --------------------------------------------------------- */

static void must_map(const struct box_plan *b)
{
	_cleanup_free_ char *maps = item(get_liblxc()->container, "lxc.idmap"), *wanted = NULL;

	must(b->slice.first >= SLICE_FIRST && b->uid && b->gid);
	must(b->user == OWNER_USER || b->user == b->slice.first + 1);
	wanted = xasprintf("u 0 %1$u 1\ng 0 %1$u 1\nu %2$u %3$u 1\ng %4$u %3$u 1\ng 5 %5$u 1",
			   b->slice.first, b->uid, b->user, b->gid, b->slice.first + 2);
	must(!strcmp(maps, wanted));
}

static void must_configure(const struct plan *plan, enum box_kind kind)
{
	static const char *const never[] = { "lxc.hook",	 "lxc.include",
					     "lxc.environment",	 "lxc.execute",
					     "lxc.apparmor.raw", "lxc.group",
					     "lxc.start",	 NULL };
	static char *fragments;
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *config = NULL;

	if (!fragments)
		fragments = xasprintf("%s/../lxc-configs", getenv("TESTDATA"));
	must(sample_config(plan, kind, fragments, &config, &error) == 0);
	must_be_read_back(config, never);
	must_map(&plan->boxes[kind]);
}

/* For the stock tools: a word or a variable that cannot be written is refused. */
static void must_configure_stock(const struct plan *plan)
{
	static const char *const never[] = { "lxc.hook",  "lxc.include", "lxc.apparmor.raw",
					     "lxc.group", "lxc.start",	 NULL };
	const struct lxc_stock in = {
		.rootfs = "/lxc/one/rootfs",
		.fragments = "",
		.seccomp_profile = "/s",
		.first_uid = 100000,
		.first_gid = 200000,
		.number = 7,
		.disk = plan->disk,
		.inodes = plan->inodes,
		.command = plan->command,
	};
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *config = NULL;

	if (lxc_stock_render(&plan->boxes[BOX_APP], &in, &config, &error) < 0)
		return;
	must_be_read_back(config, never);
}

/* Each rule on a line of its own, each path in quotes that no other quote ends. */
static void must_confine(const struct box_plan *b)
{
	struct apparmor_profile own = { 0 };
	char *rest, *line;
	size_t profiles = 0;

	apparmor_render(b, &own);
	must(text_is_clean(own.name));
	rest = own.text;
	while ((line = strsep(&rest, "\n"))) {
		const char *quote = strchr(line, '"');

		must(text_is_clean(line));
		profiles += !strncmp(line, "profile ", 8);
		if (!quote)
			continue;
		quote = strchr(quote + 1, '"');
		must(quote && (!strcmp(quote, "\" wkl,") || !strcmp(quote, "\" ix,")));
		must(!strpbrk(line, "#@"));
	}
	must(profiles == 1);
	apparmor_profile_release(&own);
}

/* One setting is one setting; passwd has one line of the user's. */
static void must_be_single(const struct box_plan *b)
{
	for (char **setting = b->environment; setting && *setting; setting++)
		must(text_is_clean(*setting) && strchr(*setting, '='));
	for (size_t i = 0; i < b->n_mounts; i++)
		must(*b->mounts[i].target == '/' && text_is_clean(b->mounts[i].target));
	for (size_t i = 0; i < b->n_files; i++) {
		size_t lines = 0;

		for (const char *c = b->files[i].content; *c; c++)
			lines += *c == '\n';
		must(strcmp(b->files[i].path, "/etc/passwd") || lines == 3);
	}
}

static void must_show(const struct profile *p, const struct plan *plan)
{
	const struct view v = { p, plan };
	char *const all[] = { explain_text(&v), audit_text(&v, true), plan_to_text(plan) };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		char *rest = all[i], *line;

		while ((line = strsep(&rest, "\n")))
			must(text_is_plain(line));
		free(all[i]);
	}
	must(exposure_score(&v) <= EXPOSURE_SCORE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_(profile_freep) struct profile *p = NULL;
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_cleanup_(host_release) struct host host;
	struct input in = { data, size };
	_cleanup_free_ char *text = NULL;
	bool grants;

	take_host(&in, &host);
	grants = take(&in) % 2;
	text = take_profile(&in);
	if (profile_read(text, strlen(text), "f", "fuzz", &p, &error) < 0 ||
	    plan_make(p, &as_profile, &host.facts,
		      grants ? &sample_inputs_with_grants : &sample_inputs, &plan, &error) < 0)
		return 0;
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++) {
		if (!plan->has_box[k])
			continue;
		must_be_single(&plan->boxes[k]);
		must_confine(&plan->boxes[k]);
		must_configure(plan, k);
	}
	must_configure_stock(plan);
	must_show(p, plan);
	return 0;
}
