/* emit/lxc: the configuration is what liblxc takes, and nothing can be smuggled into it. */

#include "emit/lxc-stock.h"

#include <lxc/lxccontainer.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/strv.h"
#include "sample.h"
#include "scratch.h"
#include "unit.h"

#define PROFILE "[App]\nCommand=x\n[Network]\nMode=private\n"

struct made {
	struct plan *plan;
	char *fragments; /* directory */
	char *config;	 /* of the app box */
};

static int make_config(void **state)
{
	struct made *m = xcalloc(1, sizeof *m);
	struct error *error = NULL;

	*state = m;
	m->fragments = xasprintf("%s/../lxc-configs", getenv("TESTDATA"));
	assert_done(sample_plan(PROFILE, "test", &as_profile, &sample_host, &sample_inputs,
				&m->plan, &error),
		    error);
	assert_done(sample_config(m->plan, BOX_APP, m->fragments, &m->config, &error), error);
	return 0;
}

static int free_config(void **state)
{
	struct made *m = *state;

	plan_free(m->plan);
	free(m->fragments);
	free(m->config);
	free(m);
	return 0;
}

/* The text with the first line that starts with `prefix` replaced; without `line`, left out. */
static char *change(const char *text, const char *prefix, const char *line)
{
	const char *at = strstr(text, prefix);
	struct buf out = { 0 };

	assert_non_null(at);
	buf_add(&out, text, (size_t)(at - text));
	if (line)
		buf_addf(&out, "%s\n", line);
	buf_adds(&out, at + strcspn(at, "\n") + 1);
	return buf_take(&out);
}

static void test_lines_that_are_refused(void **state)
{
	static const char *const lines[] = {
		/* code of the host */
		"lxc.hook.pre-start = /bin/sh",
		"lxc.hook.autodev = /bin/sh",
		"lxc.include = /tmp/x",
		"lxc.execute.cmd = /bin/sh",
		"lxc.init.cmd = /bin/sh",
		"lxc.environment = LD_PRELOAD=/x.so",
		"lxc.net.0.script.up = /bin/sh",
		/* more than a box may have */
		"lxc.cap.keep = sys_admin",
		"lxc.cap.drop = sys_time",
		"lxc.no_new_privs = 0",
		"lxc.mount.auto = proc:rw",
		"lxc.mount.auto = proc:mixed sys:rw",
		"lxc.net.0.type = none",
		"lxc.net.0.type = veth",
		"lxc.net.1.type = phys",
		"lxc.tty.max = 4",
		"lxc.console.path = /dev/console",
		"lxc.apparmor.profile = unconfined",
		"lxc.apparmor.profile = vitrine-app",
		"lxc.apparmor.raw = mount,",
		"lxc.cgroup2.devices.allow = a",
		"lxc.namespace.keep = net",
		"lxc.rootfs.path = /",
		"lxc.rootfs.path = overlay:/a:/b",
		"lxc.rootfs.path = dir:relative",
		"lxc.rootfs.path = dir:/run/../etc",
		"lxc.seccomp.profile = none",
		"lxc.seccomp.allow_nesting = 1",
		"lxc.prlimit.core = unlimited",
		"lxc.prlimit.nofile = unlimited",
		"lxc.prlimit.nofile = 1024",
		"lxc.prlimit.nofile = 1024:",
		"lxc.prlimit.nofile = 2048:1024",
		"lxc.prlimit.nofile = 0:0",
		"lxc.prlimit.nofile = 1024:unlimited",
		"lxc.prlimit.nproc = 10:10",
		"lxc.uts.name = a b",
		/* ids of others */
		"lxc.idmap = u 0 0 1",
		"lxc.idmap = u 0 1000 1",
		"lxc.idmap = u 0 65536 1",
		"lxc.idmap = u 0 1024 65536",
		"lxc.idmap = u 0 17408 1",
		"lxc.idmap = b 0 1024 1",
		"lxc.init.uid = 0",
		"lxc.init.gid = 0",
		/* files of the host */
		"lxc.mount.entry = / mnt none bind 0 0",
		"lxc.mount.entry = /home dev/home none bind 0 0",
		"lxc.mount.entry = /dev/null etc/passwd none bind 0 0",
		"lxc.mount.entry = /dev/null proc/../etc/passwd none bind 0 0",
		"lxc.mount.entry = /dev/null /proc/kcore none bind 0 0",
		"lxc.mount.entry = /dev/null proc/kcore none rbind 0 0",
		"lxc.mount.entry = /dev/null proc/kcore none bind,x-y 0 0",
		"lxc.mount.entry = tmpfs dev/shm tmpfs nosuid,nodev 0 0",
		"lxc.mount.entry = tmpfs dev/shm tmpfs nosuid,nodev,noexec,size=all 0 0",
		"lxc.mount.entry = proc proc/x proc nosuid,nodev,noexec 0 0",
		"lxc.mount.entry = tmpfs dev/shm tmpfs nosuid,nodev,noexec 0 0 0",
		"lxc.mount.fstab = /etc/fstab",
		/* forms that are not ours */
		"lxc.hook.pre-start=/bin/sh",
		" lxc.hook.pre-start = /bin/sh",
		"nonsense",
		"lxc.uts.name",
		"lxc.uts.name = a\x1b[31m",
		"lxc.uts.name = a\r",
	};
	const struct made *m = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		_cleanup_free_ char *key = xstrndup(lines[i], strcspn(lines[i], "="));
		_cleanup_free_ char *text = NULL;
		struct error *error = NULL;

		/* In place of the right line where there is one, so that it is not only one too
		 * many. */
		text = strstr(m->config, key) ? change(m->config, key, lines[i])
					      : xasprintf("%s%s\n", m->config, lines[i]);
		assert_refused(lxc_config_check(text, false, &error), error, EINVAL,
			       "LXC configuration: ");
	}
}

static void test_nothing_may_be_missing_or_double(void **state)
{
	static const char *const keys[] = {
		"lxc.autodev = ",	  "lxc.cap.keep = ",	 "lxc.console.path = ",
		"lxc.idmap = ",		  "lxc.init.cmd = ",	 "lxc.init.gid = ",
		"lxc.init.uid = ",	  "lxc.mount.auto = ",	 "lxc.net.0.flags = ",
		"lxc.net.0.type = ",	  "lxc.no_new_privs = ", "lxc.prlimit.core = ",
		"lxc.prlimit.nofile = ",  "lxc.pty.max = ",	 "lxc.rootfs.path = ",
		"lxc.seccomp.profile = ", "lxc.tty.max = ",	 "lxc.uts.name = ",
	};
	const struct made *m = *state;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *line = strstr(m->config, keys[i]);
		_cleanup_free_ char *without = change(m->config, keys[i], NULL);
		_cleanup_free_ char *twice = xasprintf("%s%.*s\n", m->config,
						       (int)strcspn(line, "\n"), line);
		struct error *error = NULL;

		assert_refused(lxc_config_check(without, false, &error), error, EINVAL, "missing");
		assert_refused(lxc_config_check(twice, false, &error), error, EINVAL, "too often");
	}
}

/* Only when that was asked for, and never as root of the box. */
static void test_the_users_own_id(void **state)
{
	const struct made *m = *state;
	_cleanup_free_ char *user = change(m->config, "lxc.idmap = u 1000",
					   "lxc.idmap = u 1000 65536 1"),
			    *root = change(m->config, "lxc.idmap = u 0", "lxc.idmap = u 0 65536 1");
	struct error *error = NULL;

	assert_done(lxc_config_check(user, true, &error), error);
	assert_refused(lxc_config_check(user, false, &error), error, EINVAL, "bad value");
	assert_refused(lxc_config_check(root, true, &error), error, EINVAL, "bad value");
}

static void test_values_cannot_start_a_line(void **state)
{
	const struct made *m = *state;
	static const char *const paths[] = {
		"relative", "/a\nlxc.hook.start = /bin/sh",
		"/a b",	    "/a\\040b",
		"/a#b",	    "/a,b",
		"/a/../b",  "/a\"b",
		"",
	};
	struct lxc_inputs in = { .fragments = "", .root = "/r", .seccomp_profile = "/s" };
	char *out = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct error *error = NULL;

		in.root = paths[i];
		assert_refused(lxc_config_render(&m->plan->boxes[BOX_APP], &in, &out, &error),
			       error, EINVAL, "root is not a path");
		in.root = "/r";
		in.seccomp_profile = paths[i];
		assert_refused(lxc_config_render(&m->plan->boxes[BOX_APP], &in, &out, &error),
			       error, EINVAL, "seccomp profile is not a path");
		in.seccomp_profile = "/s";
	}
	assert_null(out);
}

static void test_hostile_host_name(void **state)
{
	const struct made *m = *state;
	struct box_plan b = m->plan->boxes[BOX_APP];
	struct lxc_inputs in = { .fragments = m->config, .root = "/r", .seccomp_profile = "/s" };
	struct error *error = NULL;
	char *out = NULL;

	b.host_name = (char *)"x\nlxc.hook.start = /bin/sh";
	assert_refused(lxc_config_render(&b, &in, &out, &error), error, EINVAL, "app box: LXC");
	assert_null(out);
}

static void container_freep(struct lxc_container **c)
{
	if (*c)
		lxc_container_put(*c);
}

static char *item(struct lxc_container *c, const char *key)
{
	int n = c->get_config_item(c, key, NULL, 0);
	char *value = xcalloc(1, (size_t)(n < 0 ? 0 : n) + 1);

	if (n > 0)
		(void)c->get_config_item(c, key, value, n + 1);
	return value;
}

/* What liblxc understood is what was meant. */
static void assert_understood(struct lxc_container *c, const struct box_plan *b)
{
	_cleanup_free_ char *maps = xasprintf("u 0 %1$u 1\ng 0 %1$u 1\nu 1000 %2$u 1\n"
					      "g 1000 %2$u 1\ng 5 %3$u 1",
					      b->slice.first, b->slice.first + 1,
					      b->slice.first + 2);
	const struct {
		const char *key, *value;
	} rows[] = {
		{ "lxc.idmap", maps },
		{ "lxc.init.cmd", BOX_INIT },
		{ "lxc.init.uid", "1000" },
		{ "lxc.net.0.type", "empty" },
		{ "lxc.no_new_privs", "1" },
		{ "lxc.prlimit.core", "1" },
		{ "lxc.prlimit.nofile", "1024:4096" },
		{ "lxc.uts.name", b->host_name },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *value = item(c, rows[i].key);

		/* Lists end with a newline or not, as the key likes. */
		value[strlen(value) - (strlen(value) && value[strlen(value) - 1] == '\n')] = '\0';
		assert_string_equal(value, rows[i].value);
	}
}

static void test_liblxc_takes_it(void **state)
{
	const struct made *m = *state;

	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++) {
		_cleanup_(container_freep) struct lxc_container *c = NULL;
		_cleanup_free_ char *config = NULL, *path = NULL;
		_cleanup_close_ int fd = -EBADF;
		struct error *error = NULL;

		assert_done(sample_config(m->plan, k, m->fragments, &config, &error), error);
		assert_done(fs_memfd("conf", config, strlen(config), &fd, &error), error);
		path = xasprintf("/proc/self/fd/%d", fd);
		c = lxc_container_new("test", "/nonexistent");
		assert_non_null(c);
		c->clear_config(c);
		assert_true(c->load_config(c, path));
		assert_understood(c, &m->plan->boxes[k]);
	}
}

static void test_fragments_of_a_box(void **state)
{
	static const struct {
		enum box_kind kind;
		enum network_mode network;
		const char *names;
	} rows[] = {
		{ BOX_APP, NETWORK_NONE, "common.conf devices.conf app.conf network-none.conf" },
		{ BOX_APP, NETWORK_PRIVATE,
		  "common.conf devices.conf app.conf network-private.conf" },
		{ BOX_DISPLAY, NETWORK_PRIVATE,
		  "common.conf devices.conf display.conf network-none.conf" },
		{ BOX_VIEWER, NETWORK_PRIVATE,
		  "common.conf devices.conf viewer.conf network-none.conf" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *names[LXC_FRAGMENTS_MAX + 1];
		_cleanup_free_ char *joined = NULL;

		lxc_fragments(rows[i].kind, rows[i].network, names);
		joined = strv_join((char *const *)names, " ");
		assert_string_equal(joined, rows[i].names);
	}
}

/* --- for the stock tools ------------------------------------------------------- */

static char *const stock_command[] = { (char *)"sh", (char *)"-c", (char *)"id; exit 7", NULL };

static const struct lxc_stock stock = {
	.rootfs = "/lxc/one/rootfs",
	.fragments = "",
	.seccomp_profile = "/s",
	.first_uid = 100000,
	.first_gid = 200000,
	.number = LXC_STOCK_COUNT - 1,
	.disk = 1000,
	.inodes = 100,
	.command = stock_command,
};

static void test_stock_ids_are_nobody_elses(void **state)
{
	const struct made *m = *state;
	_cleanup_free_ char *out = NULL;
	struct error *error = NULL;

	assert_done(lxc_stock_render(&m->plan->boxes[BOX_APP], &stock, &out, &error), error);
	assert_non_null(strstr(out, "\nlxc.idmap = u 0 132768 1\n"));
	assert_non_null(strstr(out, "\nlxc.idmap = g 0 232768 1\n"));
	assert_non_null(strstr(out, "\nlxc.idmap = u 1000 165534 1\n"));
	assert_non_null(strstr(out, "\nlxc.idmap = g 1000 265534 1\n"));
	assert_non_null(strstr(out, "\nlxc.idmap = g 5 265535 1\n"));
	_Static_assert(SLICE_FIRST + SLICE_COUNT * SLICE_IDS <= LXC_STOCK_ROOT, "ids are shared");
	_Static_assert(LXC_STOCK_USERS + 2 * LXC_STOCK_COUNT <= 65536, "too many ids");
}

static void test_stock_root_and_command(void **state)
{
	const struct made *m = *state;
	_cleanup_free_ char *out = NULL;
	struct error *error = NULL;

	assert_done(lxc_stock_render(&m->plan->boxes[BOX_APP], &stock, &out, &error), error);
	assert_non_null(strstr(out,
			       "\nlxc.rootfs.path = "
			       "overlay:/images/app/root:/images/base/root:/lxc/one/rootfs\n"));
	assert_non_null(strstr(out, "\nlxc.execute.cmd = sh \"-c\" \"id; exit 7\"\n"));
	/* /run, of five, and beneath it a directory of the user's */
	assert_non_null(strstr(out, " = tmpfs run tmpfs nosuid,nodev,noexec,mode=755,size=200,"
				    "nr_inodes=20 0 0\n"));
	assert_non_null(strstr(out, " = tmpfs run/user/1000 tmpfs nosuid,nodev,noexec,mode=700,"
				    "size=200,nr_inodes=20,uid=1000,gid=1000,create=dir 0 0\n"));
}

static void test_stock_values_cannot_start_a_line(void **state)
{
	static const char *const bad[] = { "a\nlxc.hook.start = /bin/sh", "a\"b", "a'b", "a\\b",
					   "" };
	const struct made *m = *state;
	struct box_plan b = m->plan->boxes[BOX_APP];
	char *out = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *const command[] = { (char *)"sh", (char *)bad[i], NULL };
		char *const layers[] = { (char *)bad[i], NULL };
		struct lxc_stock in = stock;
		struct error *error = NULL;

		in.command = command;
		assert_refused(lxc_stock_render(&b, &in, &out, &error), error, EINVAL,
			       "argument '");
		in = stock;
		in.rootfs = bad[i];
		assert_refused(lxc_stock_render(&b, &in, &out, &error), error, EINVAL,
			       "directory '");
		b.image_layers = (char **)layers;
		assert_refused(lxc_stock_render(&b, &stock, &out, &error), error, EINVAL,
			       "directory '");
		b.image_layers = m->plan->boxes[BOX_APP].image_layers;
		b.host_name = (char *)bad[i];
		assert_refused(lxc_stock_render(&b, &stock, &out, &error), error, EINVAL,
			       "host name '");
		b.host_name = m->plan->boxes[BOX_APP].host_name;
	}
	assert_null(out);
}

/* Of a home that ends so, for example. */
static void test_stock_variables(void **state)
{
	static const char *const bad[] = { "A=b ", "A=b\nlxc.hook.start = /x", "A=\x7f" };
	const struct made *m = *state;
	struct box_plan b = m->plan->boxes[BOX_APP];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *const environment[] = { (char *)bad[i], NULL };
		struct error *error = NULL;
		char *out = NULL;

		b.environment = (char **)environment;
		assert_refused(lxc_stock_render(&b, &stock, &out, &error), error, EINVAL,
			       "variable '");
		assert_null(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_that_are_refused),
		cmocka_unit_test(test_nothing_may_be_missing_or_double),
		cmocka_unit_test(test_the_users_own_id),
		cmocka_unit_test(test_values_cannot_start_a_line),
		cmocka_unit_test(test_hostile_host_name),
		cmocka_unit_test(test_liblxc_takes_it),
		cmocka_unit_test(test_fragments_of_a_box),
		cmocka_unit_test(test_stock_ids_are_nobody_elses),
		cmocka_unit_test(test_stock_root_and_command),
		cmocka_unit_test(test_stock_values_cannot_start_a_line),
		cmocka_unit_test(test_stock_variables),
	};

	return cmocka_run_group_tests_name("lxc", tests, make_config, free_config);
}
