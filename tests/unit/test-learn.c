/* app/learn-*: events as they are recorded and read back, and what is proposed of them. */

#include <linux/audit.h>

#include "app/learn-propose.h"
#include "app/learn-record.h"
#include "app/learn-words.h"
#include "app/watch-text.h"
#include "base/strv.h"
#include "base/text.h"
#include "scratch.h"
#include "unit.h"

static void read_events(const char *text, struct learn_events *ret)
{
	struct error *error = NULL;

	assert_done(learn_events_read(text, strlen(text), "f", ret, &error), error);
}

static struct profile *make_profile(const char *text)
{
	_cleanup_free_ char *all = xasprintf("[App]\nCommand=x\n%s", text);
	struct error *error = NULL;
	struct profile *p = NULL;

	assert_done(profile_read(all, strlen(all), "p", "p", &p, &error), error);
	return p;
}

static char *propose(const char *profile, const char *record, const struct learn_limit *limit)
{
	_cleanup_(learn_events_release) struct learn_events events = { 0 };
	_cleanup_(profile_freep) struct profile *p = make_profile(profile);
	struct error *error = NULL;
	char *text = NULL;
	size_t lines;

	read_events(record, &events);
	assert_done(learn_propose(p, &events, limit, &text, &lines, &error), error);
	return text;
}

#define CALL(call, rest)                                                             \
	"{\"event\":\"call\",\"program\":\"/a\",\"call\":\"" call                    \
	"\",\"arguments\":[\"0x10000011\",\"0x2\",\"0x3\",\"0x4\",\"0x5\",\"0x6\"]," \
	"\"compared\":[0],\"line\":\"f:1\",\"rule\":\"deny " call "\"" rest "}\n"
#define CONNECT(target, rest) \
	"{\"event\":\"connect\",\"program\":\"/a\",\"target\":\"" target "\"" rest "}\n"
#define MISSING	    ",\"missing\":true"
#define WORD	    "{\"event\":\"word\",\"target\":\"/home/u/a.pdf\"}\n"
#define ADDRESS	    "{\"event\":\"address\",\"target\":\"http://web.test/\"}\n"
#define LIMIT(name) "{\"event\":\"limit\",\"target\":\"" name "\"}\n"
#define EXECUTE	    "{\"event\":\"execute\",\"program\":\"/a\",\"target\":\"/tmp/x\"}\n"
#define WRITE                                                                     \
	"{\"event\":\"write\",\"program\":\"/a\",\"target\":\"/home/u/.a.pdf.x\"" \
	",\"word\":\"/home/u/a.pdf\"}\n"
#define BUS(event, target, call)                                                  \
	"{\"event\":\"bus-" event "\",\"target\":\"" target "\",\"call\":\"" call \
	"\",\"path\":\"/\"}\n"
#define PULSE CONNECT("unix:/run/user/1/pulse/native", MISSING)
#define DNS   CONNECT("inet:127.0.0.1:53", "")

/* One event, and the line that it needs. NULL: none. */
static const struct {
	const char *record, *line;
} rows[] = {
	{ WORD, "Arguments=read-only" },
	{ WRITE, "Arguments=read-write" },
	{ EXECUTE, "WritableMounts=yes" },
	{ PULSE, "Playback=yes" },
	{ CONNECT("unix:/run/user/1/pulse/native", ""), NULL },
	{ CONNECT("unix:/tmp/other", MISSING), NULL },
	{ CONNECT("inet:192.0.2.2:80", ""), "Mode=private" },
	{ CONNECT("inet6:[2001:db8::1]:443", ""), "Mode=private" },
	{ CONNECT("inet:127.0.0.1:80", ""), NULL },
	{ CONNECT("inet6:[::1]:80", ""), NULL },
	{ CONNECT("inet6:[::ffff:127.0.0.1]:80", ""), NULL },
	{ DNS, "Mode=private" },
	{ CONNECT("family:16", ""), NULL },
	{ ADDRESS, "Mode=private" },
	{ CALL("io_setup", ""), "Allow=io_setup" },
	{ CALL("ptrace", ",\"denied\":true"), NULL },
	{ CALL("mbind", ""), NULL },
	{ CALL("clone", ",\"denied\":true"), "UserNamespaces=128" },
	{ BUS("call", "org.freedesktop.Notifications", "org.freedesktop.Notifications.Notify"),
	  "Call=org.freedesktop.Notifications=org.freedesktop.Notifications.Notify" },
	{ BUS("call", "org.freedesktop.Notifications", "org.freedesktop.Other.Do"), NULL },
	{ BUS("call", "org.freedesktop.systemd1", "org.freedesktop.systemd1.Manager.StartUnit"),
	  NULL },
	{ BUS("call", "org.example.A", "org.example.A.Do"), "Call=org.example.A=org.example.A.Do" },
	{ BUS("call", ":1.5", "org.example.A.Do"), NULL },
	{ BUS("own", "org.example.B", "org.freedesktop.DBus.RequestName"), "Own=org.example.B" },
	{ BUS("own", "org.gnome.Shell", "org.freedesktop.DBus.RequestName"), NULL },
	{ BUS("look-up", "org.example.C", "org.freedesktop.DBus.GetNameOwner"), NULL },
	{ LIMIT("disk"), "Disk=1024M" },
	{ LIMIT("memory"), "Memory=8192M" },
	{ LIMIT("tasks"), "Tasks=2048" },
	{ LIMIT("other"), NULL },
};

/* Lines of a proposal that are neither comments nor sections. */
static size_t count_grants(const char *text)
{
	size_t n = 0;

	for (; text && *text; text = strchr(text, '\n'), text += !!text)
		n += *text != '#' && *text != '[' && *text != '\n';
	return n;
}

static void test_each(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = propose("", rows[i].record, NULL);
		_cleanup_free_ char *line = rows[i].line ? xasprintf("\n%s\n", rows[i].line) : NULL;
		size_t want = rows[i].line ? 1 : 0;

		/* A namespace of its own needs the policy that has them, too. */
		want += rows[i].line && !strncmp(rows[i].line, "UserN", 5);
		if (count_grants(text) != want || (line && !strstr(text, line)))
			fail_msg("row %zu: %s", i, text);
	}
}

/* Each line goes when its event is not there: nothing is given without one. */
static void test_nothing_without_event(void **state)
{
	(void)state;
	for (size_t left_out = 0; left_out < ARRAY_SIZE(rows); left_out++) {
		_cleanup_buf_ struct buf all = { 0 };
		_cleanup_free_ char *text = NULL, *line = NULL;
		bool another = false;

		if (!rows[left_out].line)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			if (i == left_out)
				continue;
			buf_adds(&all, rows[i].record);
			another |= rows[i].line && !strcmp(rows[i].line, rows[left_out].line);
		}
		text = propose("", all.data, NULL);
		line = xasprintf("\n%s\n", rows[left_out].line);
		if (!strcmp(rows[left_out].line, "Arguments=read-only"))
			continue; /* the other is wider, and comes instead */
		if (!!strstr(text, line) != another)
			fail_msg("without event %zu: %s", left_out, text);
	}
}

/* The widest of what several events need; each once; behind a comment with its event. */
static void test_together(void **state)
{
	_cleanup_free_ char *text = propose(
		"", WORD PULSE WRITE WORD PULSE DNS CALL("io_setup", "") CALL("io_setup", ""),
		NULL);

	(void)state;
	assert_string_equal(
		text, "# What 'p' was seen to need. Written by vitrine profile learn.\n"
		      "\n"
		      "[Files]\n"
		      "# /a: opens '/home/u/.a.pdf.x' for writing, where the command line names "
		      "'/home/u/a.pdf'\n"
		      "Arguments=read-write\n"
		      "\n"
		      "[Sound]\n"
		      "# /a: connects to unix:/run/user/1/pulse/native, which is not there\n"
		      "Playback=yes\n"
		      "\n"
		      "[Network]\n"
		      "# /a: connects to inet:127.0.0.1:53\n"
		      "Mode=private\n"
		      "\n"
		      "[Seccomp]\n"
		      "# /a: io_setup arg0 0x10000011 (f:1: deny io_setup)\n"
		      "Allow=io_setup\n");
}

static void test_what_is_there(void **state)
{
	_cleanup_free_ char *text = propose(
		"[Files]\nArguments=read-write\n[Sound]\nPlayback=yes\n[Network]\n"
		"Mode=private\n[Seccomp]\nAllow=io_setup\n",
		WORD PULSE WRITE DNS CALL("io_setup", ""), NULL);

	(void)state;
	assert_int_equal(count_grants(text), 0);
}

static bool no_network(void *user, const struct profile *p, char **ret_why)
{
	(void)user;
	if (p->network == NETWORK_NONE)
		return true;
	*ret_why = xstrdup("/etc/vitrine/policy.d/a.conf:3");
	return false;
}

static void test_ceiling(void **state)
{
	static const struct learn_limit limit = { .allows = no_network };
	_cleanup_free_ char *text = propose("", PULSE DNS, &limit);

	(void)state;
	assert_int_equal(count_grants(text), 1);
	assert_non_null(strstr(text, "# [Network] Mode=private is forbidden: "
				     "/etc/vitrine/policy.d/a.conf:3\n"));
}

/* Where the policy allows some arguments, those that were seen. */
static void test_arguments_of_call(void **state)
{
	_cleanup_free_ char *text = propose(
		"",
		"{\"event\":\"call\",\"program\":\"/a\",\"call\":\"personality\","
		"\"arguments\":[\"0x40000\",\"0x2\",\"0x3\",\"0x4\",\"0x5\",\"0x6\"],"
		"\"compared\":[0],\"line\":null,\"rule\":null,\"denied\":false}\n",
		NULL);

	(void)state;
	assert_non_null(strstr(text, "\nAllow=personality arg0 eq 0x40000\n"));
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{ "x\n", "f:1: no event" },
		{ WORD "[]\n", "f:2: no event" },
		{ "{}\n", "f:1: no event" },
		{ "{\"event\":3}\n", "f:1: no event" },
		{ "{\"event\":\"word\"}\n", "f:1: not as an event" },
		{ "{\"event\":\"word\",\"target\":7}\n", "f:1: not as an event" },
		{ "{\"event\":\"word\",\"target\":\"a\\u001b\"}\n", "f:1: not as an event" },
		{ "{\"event\":\"call\",\"call\":\"a\",\"arguments\":[]}\n",
		  "f:1: not as an event" },
		{ "{\"event\":\"call\",\"call\":\"a\",\"arguments\":[\"1\",\"0x1\",\"0x1\",\"0x1\","
		  "\"0x1\",\"0x1\"]}\n",
		  "f:1: not as an event" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(learn_events_release) struct learn_events events = { 0 };
		struct error *error = NULL;

		assert_refused(
			learn_events_read(bad[i].text, strlen(bad[i].text), "f", &events, &error),
			error, EINVAL, bad[i].message);
	}
}

/* Half a line at the end is of a run that was killed; a kind of a later version is left out. */
static void test_cut_off(void **state)
{
	_cleanup_(learn_events_release) struct learn_events events = { 0 };

	(void)state;
	read_events("{\"event\":\"later\"}\n" WORD "{\"event\":\"wo", &events);
	assert_int_equal(events.n, 1);
}

/* What an application has chosen gets neither out of its comment nor to a terminal. */
static void test_hostile(void **state)
{
	struct watch_policy policy = { .arch = AUDIT_ARCH_X86_64 };
	const struct watch_event e = {
		.kind = WATCH_EVENT_CONNECT,
		.missing = true,
		.program = (char *)"/a\nPlayback=yes\n\033[31m\xff\xe2\x80\xae",
		.text = (char *)"unix:/\n[Network]\nMode=private\n/pulse/native",
	};
	json_auto_t *json = watch_event_to_json(&policy, &e);
	_cleanup_free_ char *line = json_dumps(json, JSON_COMPACT),
			    *record = xasprintf("%s\n", line);
	_cleanup_free_ char *text = propose("", record, NULL);

	(void)state;
	assert_int_equal(count_grants(text), 1);
	assert_non_null(strstr(text, "\nPlayback=yes\n"));
	assert_null(strchr(text, '\033'));
	assert_null(strstr(text, "\xe2\x80\xae"));
}

static void test_words(void **state)
{
	char *words[] = { (char *)"--flag",
			  (char *)"/etc/passwd",
			  (char *)"http://web.test/x",
			  (char *)"/nonexistent",
			  (char *)"file:///etc/hostname",
			  (char *)"--url=http://a/",
			  (char *)"/dev/null",
			  (char *)"a:b",
			  NULL };
	struct learn_words w;

	(void)state;
	learn_words_find(words, "/home/u", &w);
	assert_int_equal(strv_length(w.addresses), 1);
	assert_string_equal(w.addresses[0], "http://web.test/x");
	assert_int_equal(strv_length(w.real), 2);
	assert_string_equal(w.real[1], "/etc/hostname");
	assert_int_equal(strv_length(w.named), strv_length(w.owner));
	assert_true(strv_contains(w.named, "/home/u/Files/passwd"));
	assert_true(learn_written_file(w.named, "/etc/passwd") >= 0);
	assert_true(learn_written_file(w.named, "/etc/.passwd.swp") >= 0);
	assert_int_equal(learn_written_file(w.named, "/etc/.~lock.passwd#"), -1);
	assert_int_equal(learn_written_file(w.named, "/etc/other"), -1);
	assert_int_equal(learn_written_file(w.named, "/etc/x/passwd"), -1);
	learn_words_release(&w);
}

static void test_record(void **state)
{
	_cleanup_(learn_events_release) struct learn_events events = { 0 };
	const char *home = ((struct scratch *)*state)->path;
	_cleanup_free_ char *path = NULL;
	struct error *error = NULL;
	size_t runs;

	for (unsigned run = 0; run < LEARN_RUNS_MAX + 3; run++) {
		_cleanup_close_ int fd = -EBADF;
		_cleanup_free_ char *word = xasprintf("/%u", run);

		assert_done(learn_record_new(home, "p", &fd, &error), error);
		assert_done(learn_record_add(fd, learn_word_to_json(word), &error), error);
	}
	assert_done(learn_record_read(home, "p", &events, &runs, &error), error);
	assert_int_equal(runs, LEARN_RUNS_MAX);
	assert_int_equal(events.n, LEARN_RUNS_MAX);
	assert_string_equal(events.list[0].target, "/3"); /* the oldest were removed */
	assert_done(learn_drop_in_write(home, "p", "# x\n", &path, &error), error);
	assert_true(strstr(path, "/.config/vitrine/profiles/p.vitrine.d/50-learned.conf"));
	learn_events_release(&events);
	assert_done(learn_record_forget(home, "p", &error), error);
	assert_done(learn_record_read(home, "p", &events, &runs, &error), error);
	assert_int_equal(runs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each),	 cmocka_unit_test(test_nothing_without_event),
		cmocka_unit_test(test_together), cmocka_unit_test(test_what_is_there),
		cmocka_unit_test(test_ceiling),	 cmocka_unit_test(test_arguments_of_call),
		cmocka_unit_test(test_refused),	 cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_hostile),	 cmocka_unit_test(test_words),
		cmocka_unit_test(test_record),
	};

	return cmocka_run_group_tests_name("learn", tests, scratch_make, scratch_remove);
}
