/* plan: what is refused, what is chosen, and what holds for every plan. */

#include "plan/plan.h"

#include "base/strv.h"
#include "sample.h"
#include "unit.h"

#define APP(more) "[App]\nCommand=program\nArgument=--of-profile\n" more

static struct plan *make(const char *profile, const struct run_request *q)
{
	struct plan *p = NULL;
	struct error *error = NULL;

	assert_done(sample_plan(profile, "test", q, &sample_host, &sample_inputs, &p, &error),
		    error);
	return p;
}

static const struct box_mount *find_mount(const struct box_plan *b, const char *target)
{
	for (size_t i = 0; i < b->n_mounts; i++)
		if (!strcmp(b->mounts[i].target, target))
			return &b->mounts[i];
	return NULL;
}

static const char *find_file(const struct box_plan *b, const char *path)
{
	for (size_t i = 0; i < b->n_files; i++)
		if (!strcmp(b->files[i].path, path))
			return b->files[i].content;
	return NULL;
}

static void test_boxes_follow_the_display(void **state)
{
	static const struct {
		const char *profile;
		bool app, display, viewer;
	} rows[] = {
		{ APP(""), true, true, true },
		{ APP("[Display]\nViewer=host\n"), true, true, false },
		{ APP("[Display]\nBackend=xephyr\n"), true, false, true },
		{ APP("[Display]\nBackend=none\n"), true, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(plan_freep) struct plan *p = make(rows[i].profile, &as_profile);

		assert_int_equal(p->has_box[BOX_APP], rows[i].app);
		assert_int_equal(p->has_box[BOX_DISPLAY], rows[i].display);
		assert_int_equal(p->has_box[BOX_VIEWER], rows[i].viewer);
	}
}

static void test_the_command(void **state)
{
	char *arguments[] = { "--help", "a b", NULL };
	struct run_request q = as_profile;
	static const struct {
		const char *program, *command, *copied;
	} rows[] = {
		{ NULL, "program|--of-profile|--help|a b", NULL },
		{ "xterm", "xterm|--help|a b", NULL },
		{ "/home/ann/bin/x", "/run/vitrine/program/x|--help|a b", "/home/ann/bin/x" },
		{ "./-rf", "/run/vitrine/program/-rf|--help|a b", "./-rf" },
	};

	(void)state;
	q.arguments = arguments;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(plan_freep) struct plan *p = NULL;
		_cleanup_free_ char *command = NULL;

		q.program = rows[i].program;
		p = make(APP(""), &q);
		command = strv_join(p->command, "|");
		assert_string_equal(command, rows[i].command);
		assert_string_equal(p->program ? p->program : "",
				    rows[i].copied ? rows[i].copied : "");
		assert_int_equal(find_mount(&p->boxes[BOX_APP], BOX_PROGRAM_DIR) != NULL,
				 rows[i].copied != NULL);
	}
}

static void test_without_windows(void **state)
{
	_cleanup_(plan_freep) struct plan *p = make(APP("[Display]\nBackend=none\n"), &as_profile);

	(void)state;
	assert_int_equal(p->display, DISPLAY_NONE);
	assert_int_equal(p->network, NETWORK_NONE);
	assert_false(p->playback);
	assert_null(find_mount(&p->boxes[BOX_APP], BOX_SOUND_DIR));
	assert_null(find_mount(&p->boxes[BOX_APP], "/tmp/.X11-unix"));
	assert_string_equal(find_file(&p->boxes[BOX_APP], "/etc/resolv.conf"), "");
}

static void test_the_resolver_is_for_the_application(void **state)
{
	_cleanup_(plan_freep) struct plan *p = make(APP("[Network]\nMode=private\n"), &as_profile);

	(void)state;
	assert_string_equal(find_file(&p->boxes[BOX_APP], "/etc/resolv.conf"),
			    "nameserver 10.0.2.3\n");
	assert_string_equal(find_file(&p->boxes[BOX_DISPLAY], "/etc/resolv.conf"), "");
	assert_string_equal(find_file(&p->boxes[BOX_VIEWER], "/etc/resolv.conf"), "");
}

static void test_environment_of_the_profile(void **state)
{
	_cleanup_(plan_freep) struct plan *p = make(
		APP("[Environment]\nVariable=LANG=C\nVariable=NEW=1\nVariable=NEW=2\n"),
		&as_profile);
	char **env = p->boxes[BOX_APP].environment;

	(void)state;
	assert_true(strv_contains(env, "LANG=C"));
	assert_false(strv_contains(env, "LANG=de_DE.UTF-8"));
	assert_true(strv_contains(env, "NEW=2"));
	assert_false(strv_contains(env, "NEW=1"));
	assert_true(strv_contains(p->boxes[BOX_VIEWER].environment, "LANG=de_DE.UTF-8"));
	assert_false(strv_contains(p->boxes[BOX_VIEWER].environment, "NEW=2"));
}

/* The application may not write where its display or the desktop reads, and has no way to the
 * desktop; what its own box writes cannot be executed. */
static void test_what_keeps_the_boxes_apart(void **state)
{
	_cleanup_(plan_freep) struct plan *p = make(
		APP("[Sound]\nPlayback=yes\n[Network]\nMode=private\n"), &as_profile);
	const struct box_plan *app = &p->boxes[BOX_APP], *display = &p->boxes[BOX_DISPLAY],
			      *viewer = &p->boxes[BOX_VIEWER];

	(void)state;
	assert_true(find_mount(app, "/tmp/.X11-unix")->read_only);
	assert_false(find_mount(display, "/tmp/.X11-unix")->read_only);
	assert_null(find_mount(viewer, "/tmp/.X11-unix"));
	assert_null(find_mount(app, BOX_XPRA_DIR));
	assert_null(find_mount(display, "/tmp/.X11-unix/X1"));
	assert_null(find_mount(app, "/tmp/.X11-unix/X1"));
	assert_non_null(find_mount(viewer, "/tmp/.X11-unix/X1"));
	assert_null(find_mount(app, "/run/vitrine/desktop-auth"));
	assert_null(find_mount(display, "/run/vitrine/desktop-auth"));
	assert_null(find_mount(viewer, "/run/vitrine/auth"));
	for (size_t k = 0; k < BOX_KIND_MAX; k++)
		for (size_t i = 0; i < p->boxes[k].n_mounts; i++)
			assert_false(p->boxes[k].mounts[i].exec);
}

static void test_what_is_kept(void **state)
{
	_cleanup_(plan_freep) struct plan *kept = make(APP("[Files]\nHome=kept\n"), &as_profile);
	_cleanup_(plan_freep) struct plan *paths = make(APP("[Files]\nKept=.config/a\n"),
							&as_profile);
	const struct box_mount *home = find_mount(&kept->boxes[BOX_APP], "/home/ann"),
			       *path = find_mount(&paths->boxes[BOX_APP], "/home/ann/.config/a");

	(void)state;
	assert_int_equal(home->source, MOUNT_KEPT);
	assert_string_equal(home->name, "/home/ann/.local/share/vitrine/homes/sample/home");
	assert_int_equal(home->owner, kept->boxes[BOX_APP].slice.first + 1);
	assert_false(home->exec);
	assert_int_equal(find_mount(&kept->boxes[BOX_VIEWER], "/home/ann")->source, MOUNT_SCRATCH);
	assert_int_equal(find_mount(&paths->boxes[BOX_APP], "/home/ann")->source, MOUNT_SCRATCH);
	assert_int_equal(path->source, MOUNT_KEPT);
	assert_string_equal(path->name,
			    "/home/ann/.local/share/vitrine/homes/sample/kept/.config%2fa");
	assert_null(find_mount(&paths->boxes[BOX_DISPLAY], "/home/ann/.config/a"));
}

/* Different paths have different names, and each leads back. */
static void test_names_of_what_is_kept(void **state)
{
	static const char *const paths[] = { "a", "a/b", "a%2fb", "%", "a%25", ".config/100%/x" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_free_ char *name = plan_kept_name(paths[i]), *back = plan_kept_path(name);

		assert_null(strchr(name, '/'));
		assert_string_equal(back, paths[i]);
	}
}

static void test_what_cannot_be_kept(void **state)
{
	static const struct {
		const char *profile, *message;
	} rows[] = {
		{ APP("[Files]\nHome=kept\nKept=a\n"), "with Home=kept all of the home is kept" },
		{ APP("[Files]\nHome=kept\n[Identity]\nUidMode=user\n"), "take UidMode=user out" },
		{ APP("[Files]\nKept=a\n[Identity]\nUidMode=user\n"), "take UidMode=user out" },
		{ APP("[Files]\nKept=a\nKept=a/b\n"), "lie in each other" },
		{ APP("[Files]\nKept=a\nKept=a\n"), "lie in each other" },
		{ APP("[Files]\nKept=Files/x\n"), "is where given files are seen" },
		{ APP("[Files]\nKept=Music\n"), "Kept=Music and a file of yours" },
		{ APP("[Files]\nKept=Music/list/x\n"), "and a file of yours" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct plan *p = NULL;
		struct error *error = NULL;

		assert_refused(sample_plan(rows[i].profile, "test", &as_profile, &sample_host,
					   &sample_inputs_with_grants, &p, &error),
			       error, EINVAL, rows[i].message);
	}
}

static void test_programs_on_writable_mounts(void **state)
{
	_cleanup_(plan_freep) struct plan *p = make(APP("[Exec]\nWritableMounts=yes\n"),
						    &as_profile);

	(void)state;
	assert_true(find_mount(&p->boxes[BOX_APP], "/tmp")->exec);
	assert_true(find_mount(&p->boxes[BOX_APP], "/home/ann")->exec);
	assert_false(find_mount(&p->boxes[BOX_APP], "/run/vitrine/auth")->exec);
	assert_false(find_mount(&p->boxes[BOX_DISPLAY], "/tmp")->exec);
	assert_false(find_mount(&p->boxes[BOX_VIEWER], "/tmp")->exec);
}

static bool is_beneath(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && path[n] == '/';
}

/* A later mount would hide an earlier one beneath it. And no box can write what another id owns. */
static void test_invariants_of_mounts(void **state)
{
	static const char *const profiles[] = {
		APP(""),
		APP("[Display]\nBackend=xephyr\n[Sound]\nPlayback=yes\n"),
		APP("[Display]\nViewer=host\n[Exec]\nWritableMounts=yes\n[Files]\nRoot=writable\n"),
		APP("[Display]\nBackend=none\n"),
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(profiles); n++) {
		_cleanup_(plan_freep) struct plan *p = make(profiles[n], &as_profile);

		for (size_t k = 0; k < BOX_KIND_MAX; k++) {
			const struct box_plan *b = &p->boxes[k];

			for (size_t i = 0; i < b->n_mounts; i++)
				for (size_t j = i + 1; j < b->n_mounts; j++) {
					assert_false(is_beneath(b->mounts[i].target,
								b->mounts[j].target));
					assert_string_not_equal(b->mounts[i].target,
								b->mounts[j].target);
				}
		}
	}
}

static struct plan *make_with_grants(const char *profile, const struct plan_inputs *in)
{
	struct plan *p = NULL;
	struct error *error = NULL;

	assert_done(sample_plan(profile, "test", &as_profile, &sample_host, in, &p, &error), error);
	return p;
}

static void test_grants_come_through_the_gate(void **state)
{
	_cleanup_(plan_freep) struct plan *p = make_with_grants(APP(""),
								&sample_inputs_with_grants);
	const struct box_plan *app = &p->boxes[BOX_APP];
	const struct box_mount *data = find_mount(app, "/srv/data"),
			       *music = find_mount(app, "/home/ann/Music"),
			       *list = find_mount(app, "/home/ann/Music/list"),
			       *files = find_mount(app, "/home/ann/Files");

	(void)state;
	assert_int_equal(data->source, MOUNT_GATE);
	assert_string_equal(data->name, "trees/0");
	assert_false(data->read_only);
	assert_true(music->read_only);
	assert_true(list > music);
	assert_true(list->file);
	assert_int_equal(list->owner, (int32_t)app->slice.first + 1);
	assert_string_equal(files->name, "files");
	assert_false(data->exec || music->exec || list->exec || files->exec);
	assert_null(find_mount(&p->boxes[BOX_DISPLAY], "/home/ann/Files"));
	assert_null(find_mount(&p->boxes[BOX_VIEWER], "/srv/data"));
}

static void test_the_users_own_id(void **state)
{
	_cleanup_(plan_freep) struct plan *p = make_with_grants(APP("[Identity]\nUidMode=user\n"),
								&sample_inputs_with_grants);
	const struct box_mount *music = find_mount(&p->boxes[BOX_APP], "/home/ann/Music");

	(void)state;
	assert_int_equal(p->boxes[BOX_APP].user, OWNER_USER);
	assert_int_equal(p->boxes[BOX_DISPLAY].user, p->boxes[BOX_DISPLAY].slice.first + 1);
	assert_int_equal(music->source, MOUNT_HOST);
	assert_string_equal(music->name, "/disk/music");
	assert_true(music->read_only);
	assert_int_equal(find_mount(&p->boxes[BOX_APP], "/home/ann")->owner, OWNER_USER);
}

static void test_grants_that_are_refused(void **state)
{
	static const struct {
		const char *target, *why;
		bool writable_file;
	} rows[] = {
		{ "/home/ann", "only what is beneath the home", false },
		{ "/home", "only what is beneath", false },
		{ "/", "only what is beneath", false },
		{ "/usr", "only what is beneath", false },
		{ "/srv", "only what is beneath", false },
		{ "/home/ann/../bob", "only what is beneath", false },
		{ "/home/annette/x", "only what is beneath", false },
		{ "/home/ann/Files", "where other given files", false },
		{ "/home/ann/Files/x", "where other given files", false },
		{ "/srv/data", "given twice", false },
		{ "/srv/data/a/b", "which can be written", false },
		{ "/home/ann/file", "'vitrine share'", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct plan_grant grants[] = {
			{ (char *)"/x", (char *)"trees/0", (char *)"/srv/data", true, true },
			{ (char *)"/y", (char *)"trees/1", (char *)rows[i].target,
			  rows[i].writable_file, !rows[i].writable_file },
		};
		struct plan_inputs in = sample_inputs;
		struct error *error = NULL;
		struct plan *p = NULL;

		in.grants = grants;
		in.n_grants = ARRAY_SIZE(grants);
		assert_refused(
			sample_plan(APP(""), "test", &as_profile, &sample_host, &in, &p, &error),
			error, EINVAL, rows[i].why);
	}
}

/* The shared directory of one name is one directory: every box must mean the same owner and mode.
 */
static void test_shared_directories_agree(void **state)
{
	_cleanup_(plan_freep) struct plan *p = make(
		APP("[Display]\nBackend=xephyr\n[Sound]\nPlayback=yes\n"), &as_profile);
	const struct box_plan *app = &p->boxes[BOX_APP], *viewer = &p->boxes[BOX_VIEWER];
	size_t found = 0;

	(void)state;
	for (size_t i = 0; i < app->n_mounts; i++)
		for (size_t j = 0; j < viewer->n_mounts; j++) {
			const struct box_mount *a = &app->mounts[i], *v = &viewer->mounts[j];

			if (a->source != MOUNT_SHARED || v->source != MOUNT_SHARED ||
			    strcmp(a->name, v->name))
				continue;
			assert_int_equal(a->owner, v->owner);
			assert_int_equal(a->mode, v->mode);
			found++;
		}
	assert_int_equal(found, 2); /* x11, auth */
	/* Xephyr runs in the viewer box, so its socket's directory belongs to that box's user. */
	assert_int_equal(find_mount(app, "/tmp/.X11-unix")->owner,
			 (int32_t)viewer->slice.first + 1);
}

static void test_identity(void **state)
{
	_cleanup_(plan_freep) struct plan *p = make(APP(""), &as_profile);
	const struct box_plan *b = &p->boxes[BOX_APP];

	(void)state;
	assert_string_equal(find_file(b, "/etc/machine-id"), "00112233445566778899aabbccddeeff\n");
	assert_string_equal(find_file(b, "/etc/hostname"), "test\n");
	assert_string_equal(find_file(b, "/etc/timezone"), "Europe/Berlin\n");
	assert_non_null(
		strstr(find_file(b, "/etc/passwd"), "\nann:x:1000:1000::/home/ann:/bin/sh\n"));
	assert_non_null(strstr(find_file(b, "/etc/group"), "tty:x:5:\n"));
	assert_true(strv_contains(b->environment, "TZ=Europe/Berlin"));
}

static void test_facts_have_defaults(void **state)
{
	struct host_facts host = sample_host;
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct error *error = NULL;

	(void)state;
	host.time_zone = host.locale = NULL;
	assert_done(sample_plan(APP(""), "test", &as_profile, &host, &sample_inputs, &p, &error),
		    error);
	assert_true(strv_contains(p->boxes[BOX_APP].environment, "TZ=UTC"));
	assert_true(strv_contains(p->boxes[BOX_APP].environment, "LANG=C.UTF-8"));
}

static void assert_host_refused(const struct host_facts *host, int code, const char *part)
{
	struct plan *p = NULL;
	struct error *error = NULL;

	assert_refused(sample_plan(APP(""), "test", &as_profile, host, &sample_inputs, &p, &error),
		       error, code, part);
	assert_null(p);
}

static void test_hosts_that_are_refused(void **state)
{
	static const char *const homes[] = {
		"",	      "/",	     "relative",     "/home",	  "/home/",
		"/home//ann", "/home/./ann", "/home/../etc", "/etc",	  "/usr/ann",
		"/run/ann",   "/proc/1",     "/.vitrine/x",  "/home/a:b", "/home/a\nb",
		"/var",	      "/tmp",
	};
	static const char *const users[] = { "", "a:b", "a b", "-a", "a\nroot", "a/b", "a,b" };
	static const char *const zones[] = { "", "/etc/passwd", "a b", "a\nb", "a=b", ":x" };
	static const char *const locales[] = { "", "../x/y", "a b", "a\nLD_PRELOAD=x" };
	struct host_facts host = sample_host;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(homes); i++) {
		host.home = homes[i];
		assert_host_refused(&host, EINVAL, "home directory");
	}
	host = sample_host;
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		host.user = users[i];
		assert_host_refused(&host, EINVAL, "user name");
	}
	host = sample_host;
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
		host.time_zone = zones[i];
		assert_host_refused(&host, EINVAL, "time zone");
	}
	host = sample_host;
	for (size_t i = 0; i < ARRAY_SIZE(locales); i++) {
		host.locale = locales[i];
		assert_host_refused(&host, EINVAL, "locale");
	}
}

static void test_ids_that_are_refused(void **state)
{
	static const struct {
		uid_t uid;
		gid_t gid;
		int code;
	} rows[] = {
		{ 0, 1000, EPERM },	 { 1000, 0, EPERM },	  { 1000, 5, EINVAL },
		{ 65534, 1000, EINVAL }, { 1000, 65534, EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct host_facts host = sample_host;

		host.uid = rows[i].uid;
		host.gid = rows[i].gid;
		assert_host_refused(&host, rows[i].code, "");
	}
}

static void test_desktops_that_are_refused(void **state)
{
	struct host_facts host = sample_host;

	(void)state;
	host.desktop_socket = NULL;
	assert_host_refused(&host, ENOTCONN, "no desktop");
	host.desktop_socket = "@/tmp/.X11-unix/X0";
	assert_host_refused(&host, EINVAL, "socket of the desktop");
	host.desktop_socket = "/tmp/../etc/passwd";
	assert_host_refused(&host, EINVAL, "socket of the desktop");
	host = sample_host;
	host.desktop_display = sample_inputs.display_number;
	assert_host_refused(&host, EADDRINUSE, "the desktop's own");
}

static void test_no_desktop_is_needed_without_display(void **state)
{
	struct host_facts host = sample_host;
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct error *error = NULL;

	(void)state;
	host.desktop_socket = NULL;
	assert_done(sample_plan(APP("[Display]\nBackend=none\n"), "test", &as_profile, &host,
				&sample_inputs, &p, &error),
		    error);
}

static void assert_inputs_refused(const struct plan_inputs *in, int code, const char *part)
{
	struct plan *p = NULL;
	struct error *error = NULL;

	assert_refused(sample_plan(APP(""), "test", &as_profile, &sample_host, in, &p, &error),
		       error, code, part);
	assert_null(p);
}

static void test_inputs_that_are_refused(void **state)
{
	static const char *const ids[] = { "", "a/b", "..", "A", "-x", "a\n" };
	struct plan_inputs in = sample_inputs;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		in.id = ids[i];
		assert_inputs_refused(&in, EINVAL, "sandbox id");
	}
	in = sample_inputs;
	in.image_layers[BOX_VIEWER] = NULL;
	assert_inputs_refused(&in, E2BIG, "layers");
	in.image_layers[BOX_VIEWER] = (char *[]){ (char *)"/images/ok", (char *)"/images/../etc",
						  NULL };
	assert_inputs_refused(&in, EINVAL, "image directory");
	in = sample_inputs;
	in.slices[BOX_VIEWER] = in.slices[BOX_APP];
	assert_inputs_refused(&in, EINVAL, "two boxes");
	in = sample_inputs;
	in.slices[BOX_APP].first = 0;
	assert_inputs_refused(&in, ERANGE, "not a slice's");
	in = sample_inputs;
	in.display_number = 65536;
	assert_inputs_refused(&in, ERANGE, "out of range");
}

static void test_requests_that_are_refused(void **state)
{
	static const char *const programs[] = { "", "-x", "a/", "/", "..", "./..", "a\nb" };
	struct host_facts without_xpra = sample_host;
	struct plan *p = NULL;
	struct error *error = NULL;

	(void)state;
	without_xpra.xpra = false;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		struct run_request q = as_profile;

		q.program = programs[i];
		assert_refused(
			sample_plan(APP(""), "test", &q, &sample_host, &sample_inputs, &p, &error),
			error, EINVAL, "program");
	}
	assert_refused(sample_plan(APP("[Display]\nBackend=xephyr\nViewer=host\n"), "test",
				   &as_profile, &sample_host, &sample_inputs, &p, &error),
		       error, EINVAL, "Viewer=box");
	assert_refused(sample_plan(APP("[Display]\nViewer=host\n"), "test", &as_profile,
				   &without_xpra, &sample_inputs, &p, &error),
		       error, ENOENT, "take that line out");
}

static void test_the_apparmor_profile(void **state)
{
	static const struct {
		const char *profile, *app;
	} rows[] = {
		{ APP(""), "vitrine-app" },
		{ APP("[Exec]\nWritableMounts=yes\n"), "vitrine-app-exec" },
		{ APP("[Files]\nRoot=writable\n"), "vitrine-app-exec" },
		{ APP("[Seccomp]\nUserNamespaces=1\n"), "vitrine-app-nested" },
		{ APP("[Exec]\nWritableMounts=yes\n[Seccomp]\nUserNamespaces=1\n"),
		  "vitrine-app-exec-nested" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(plan_freep) struct plan *p = make(rows[i].profile, &as_profile);

		assert_string_equal(p->boxes[BOX_APP].floor, rows[i].app);
		assert_string_equal(p->boxes[BOX_DISPLAY].floor, "vitrine-display");
		assert_string_equal(p->boxes[BOX_VIEWER].floor, "vitrine-viewer");
	}
}

static void test_namespaces_of_its_own(void **state)
{
	static const uint32_t none[NAMESPACE_KIND_MAX] = { 0 };
	static const uint32_t three[NAMESPACE_KIND_MAX] = {
		[NAMESPACE_USER] = 3,
		[NAMESPACE_PID] = 3,
		[NAMESPACE_NET] = 3,
		[NAMESPACE_IPC] = 3,
	};
	static const struct {
		const char *profile;
		const uint32_t *app;
	} rows[] = {
		{ APP(""), none },
		{ APP("[Seccomp]\nPolicy=browser\n"), none },
		{ APP("[Seccomp]\nUserNamespaces=3\n"), three },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(plan_freep) struct plan *p = make(rows[i].profile, &as_profile);

		assert_memory_equal(p->boxes[BOX_APP].namespaces, rows[i].app, sizeof none);
		assert_memory_equal(p->boxes[BOX_DISPLAY].namespaces, none, sizeof none);
		assert_memory_equal(p->boxes[BOX_VIEWER].namespaces, none, sizeof none);
	}
}

static void test_apparmor_that_is_not_loaded(void **state)
{
	struct host_facts host = sample_host;

	(void)state;
	for (enum apparmor_floor f = 0; f < FLOOR_MAX; f++) {
		bool wanted = f == FLOOR_APP || f == FLOOR_DISPLAY || f == FLOOR_VIEWER;
		struct error *error = NULL;
		struct plan *p = NULL;

		memcpy(host.floors, sample_host.floors, sizeof host.floors);
		host.floors[f] = false;
		if (!wanted) {
			assert_done(sample_plan(APP(""), "test", &as_profile, &host, &sample_inputs,
						&p, &error),
				    error);
			plan_free(p);
			continue;
		}
		assert_refused(sample_plan(APP(""), "test", &as_profile, &host, &sample_inputs, &p,
					   &error),
			       error, EPERM, "sudo vitrine admin install-policies");
	}
}

static void test_a_kernel_without_apparmor(void **state)
{
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct host_facts host = sample_host;
	struct error *error = NULL;

	(void)state;
	host.apparmor = false;
	assert_done(sample_plan(APP(""), "test", &as_profile, &host, &sample_inputs, &p, &error),
		    error);
	assert_null(p->boxes[BOX_APP].floor);
	assert_int_equal(strv_length(p->notes), 1);
	assert_non_null(strstr(p->notes[0], "AppArmor"));
	p = plan_free(p);
	assert_refused(sample_plan(APP("[AppArmor]\nRequired=yes\n"), "test", &as_profile, &host,
				   &sample_inputs, &p, &error),
		       error, ENOTSUP, "Required=yes");
}

static void test_specifiers(void **state)
{
	_cleanup_(plan_freep) struct plan *p = make(APP("Argument=--dir=%h/x\nArgument=%u 100%%\n"
							"[Environment]\nVariable=AT=%i%%h\n"),
						    &as_profile);
	_cleanup_free_ char *dir = xasprintf("--dir=%s/x", sample_host.home);
	_cleanup_free_ char *user = xasprintf("%s 100%%", sample_host.user);
	_cleanup_free_ char *at = xasprintf("AT=%s%%h", sample_inputs.id);

	(void)state;
	assert_string_equal(p->command[2], dir);
	assert_string_equal(p->command[3], user);
	assert_true(strv_contains(p->boxes[BOX_APP].environment, at));
}

/* What the command line says is the application's, as it is. */
static void test_no_specifiers_in_the_request(void **state)
{
	char *words[] = { (char *)"%h", (char *)"100%", NULL };
	struct run_request q = as_profile;
	_cleanup_(plan_freep) struct plan *p = NULL;

	(void)state;
	q.arguments = words;
	p = make(APP(""), &q);
	assert_string_equal(p->command[2], "%h");
	assert_string_equal(p->command[3], "100%");
}

static void test_what_the_host_is_told_to_be(void **state)
{
	_cleanup_(plan_freep) struct plan *p = make(
		APP("[Identity]\nHostName=desk\nTimeZone=Asia/Tokyo\nLocale=C.UTF-8\n"),
		&as_profile);
	_cleanup_(plan_freep) struct plan *q = NULL;
	struct host_facts host = sample_host;
	struct error *error = NULL;

	(void)state;
	assert_string_equal(p->boxes[BOX_APP].host_name, "desk");
	assert_true(strv_contains(p->boxes[BOX_APP].environment, "LANG=C.UTF-8"));
	assert_true(strv_contains(p->boxes[BOX_VIEWER].environment, "LANG=de_DE.UTF-8"));
	host.host_name = "workstation";
	assert_done(sample_plan(APP("[Identity]\nHostName=host\n"), "test", &as_profile, &host,
				&sample_inputs, &q, &error),
		    error);
	assert_string_equal(q->boxes[BOX_APP].host_name, "workstation");
}

static void test_text_is_one_fact_per_line(void **state)
{
	char *hostile[] = { (char *)"X\nid: y\xe2\x80\xae", NULL };
	struct run_request q = as_profile;
	_cleanup_(plan_freep) struct plan *p = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	q.arguments = hostile;
	p = make(APP("Title=[31m\n"), &q);
	text = plan_to_text(p);
	assert_non_null(strstr(text, "\nlabel: [31m\n"));
	assert_non_null(strstr(text, "\ncommand: X\\x0aid: y\\xe2\\x80\\xae\n"));
	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		assert_in_range(strcspn(line, ":"), 1, strcspn(line, "\n") - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boxes_follow_the_display),
		cmocka_unit_test(test_the_command),
		cmocka_unit_test(test_without_windows),
		cmocka_unit_test(test_the_resolver_is_for_the_application),
		cmocka_unit_test(test_environment_of_the_profile),
		cmocka_unit_test(test_what_keeps_the_boxes_apart),
		cmocka_unit_test(test_what_is_kept),
		cmocka_unit_test(test_names_of_what_is_kept),
		cmocka_unit_test(test_what_cannot_be_kept),
		cmocka_unit_test(test_programs_on_writable_mounts),
		cmocka_unit_test(test_invariants_of_mounts),
		cmocka_unit_test(test_grants_come_through_the_gate),
		cmocka_unit_test(test_the_users_own_id),
		cmocka_unit_test(test_grants_that_are_refused),
		cmocka_unit_test(test_shared_directories_agree),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_facts_have_defaults),
		cmocka_unit_test(test_hosts_that_are_refused),
		cmocka_unit_test(test_ids_that_are_refused),
		cmocka_unit_test(test_desktops_that_are_refused),
		cmocka_unit_test(test_no_desktop_is_needed_without_display),
		cmocka_unit_test(test_inputs_that_are_refused),
		cmocka_unit_test(test_requests_that_are_refused),
		cmocka_unit_test(test_the_apparmor_profile),
		cmocka_unit_test(test_namespaces_of_its_own),
		cmocka_unit_test(test_apparmor_that_is_not_loaded),
		cmocka_unit_test(test_a_kernel_without_apparmor),
		cmocka_unit_test(test_text_is_one_fact_per_line),
		cmocka_unit_test(test_specifiers),
		cmocka_unit_test(test_no_specifiers_in_the_request),
		cmocka_unit_test(test_what_the_host_is_told_to_be),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
