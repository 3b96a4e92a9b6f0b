#include "app/doctor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "app/doctor-check.h"
#include "base/fs.h"
#include "base/loop.h"
#include "base/spawn.h"
#include "base/wire.h"
#include "plan/plan.h"

#define CHECK_TIMEOUT_MS 5000
#define ANSWER_MAX	 65536U

static const struct check checks[] = {
	{ "user namespaces", check_user_namespaces, NULL, NULL },
	{ "sub-uids", check_sub_ids, "/etc/subuid", NULL },
	{ "sub-gids", check_sub_ids, "/etc/subgid", NULL },
	{ "newuidmap", check_id_mapper, "/usr/bin/newuidmap", NULL },
	{ "newgidmap", check_id_mapper, "/usr/bin/newgidmap", NULL },
	{ "overlay", check_overlay, NULL, NULL },
	{ "overlay on tmpfs", check_overlay_upper, NULL, NULL },
	{ "mount interface", check_mount_api, NULL, NULL },
	{ "seccomp", check_seccomp, NULL, NULL },
	{ "apparmor", check_apparmor, NULL, NULL },
	{ "denials", check_denials, NULL, NULL },
	{ "cgroup", check_cgroup, NULL, NULL },
	{ "fuse", check_fuse, NULL, NULL },
	{ "tun", check_device, "/dev/net/tun", "no application has a network" },
	{ "vitrine's programs", check_helpers, NULL, NULL },
	{ "filter of the boxes", check_filter, VITRINE_EXEC_DIR "/gui.bpf", NULL },
	{ "filter of the gate", check_filter, VITRINE_EXEC_DIR "/gate.bpf", NULL },
	{ "policy", check_policy, NULL, NULL },
	{ "profiles", check_profiles, NULL, NULL },
	{ "keys", check_keys, NULL, NULL },
	{ "homes", check_homes, NULL, NULL },
	{ "slirp4netns", check_program, "slirp4netns", "no application has a network" },
	{ "xdg-dbus-proxy", check_program, "xdg-dbus-proxy",
	  "no application reaches the desktop's D-Bus" },
	{ "mmdebstrap", check_program, "mmdebstrap", "no image can be built" },
	{ "image base", check_image, "base", NULL },
	{ "image display", check_image, DISPLAY_IMAGE, NULL },
	{ "windows", check_windows, NULL, NULL },
	{ "free space", check_space, NULL, NULL },
	{ "runtime directory", check_runtime_dir, NULL, NULL },
	{ "display", check_display, NULL, NULL },
	{ "sound", check_sound, NULL, NULL },
	{ "portal", check_portal, "org.freedesktop.portal.Desktop.service",
	  "applications have no file chooser of the desktop" },
};

/* Runs in the child. */
static _Noreturn void child_main(const struct check *c, const struct doctor_context *context,
				 int answer)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *detail = NULL, *mend = NULL;
	_cleanup_buf_ struct buf m = { 0 };
	enum doctor_result result;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	result = c->run(c, context, &detail, &mend);
	wire_put_u32(&m, result);
	wire_put_string(&m, detail);
	wire_put_string(&m, mend);
	_exit(fs_write_all(answer, m.data, m.size, &error) < 0);
}

/* Until the other end closes, or the time is over. */
static void read_answer(int fd, struct buf *ret)
{
	uint64_t end = now_ms() + CHECK_TIMEOUT_MS;
	char chunk[4096];

	while (ret->size < ANSWER_MAX) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t now = now_ms();
		ssize_t n;

		if (now >= end || poll(&p, 1, (int)(end - now)) == 0)
			return;
		n = read(fd, chunk, sizeof chunk);
		if (n <= 0)
			return;
		buf_add(ret, chunk, (size_t)n);
	}
}

static struct diagnosis understand(const struct check *c, const struct buf *answer)
{
	struct wire w = wire_open(answer->data, answer->size);
	struct diagnosis d = { .name = c->name };
	uint32_t result = wire_get_u32(&w);

	d.detail = wire_get_string(&w);
	d.mend = wire_get_string(&w);
	if (wire_end(&w) && result < DOCTOR_RESULT_MAX) {
		d.result = result;
		return d;
	}
	free(d.detail);
	free(d.mend);
	d.result = DOCTOR_FAILURE;
	d.detail = xasprintf("no answer within %d s", CHECK_TIMEOUT_MS / 1000);
	d.mend = xstrdup(
		"vitrine doctor, once more; if it stays, look at the kernel's messages (dmesg)");
	return d;
}

static struct diagnosis run_check(const struct check *c, const struct doctor_context *context)
{
	_cleanup_(child_end) struct child child = CHILD_NONE;
	_cleanup_close_ int answer_read = -EBADF, answer_write = -EBADF;
	_cleanup_buf_ struct buf answer = { 0 };
	int pipe_fds[2];

	if (pipe2(pipe_fds, O_CLOEXEC) == 0) {
		answer_read = pipe_fds[0];
		answer_write = pipe_fds[1];
		child.pid = fork();
	}
	if (child.pid == 0)
		child_main(c, context, answer_write);
	answer_write = close_fd(answer_write);
	if (child.pid > 0) {
		child.pidfd = (int)syscall(SYS_pidfd_open, child.pid, 0);
		read_answer(answer_read, &answer);
	}
	return understand(c, &answer);
}

void doctor_examine(const struct facts *facts, struct diagnoses *ret)
{
	const struct doctor_context context = {
		.facts = facts,
		.display = getenv("DISPLAY"),
		.xauthority = getenv("XAUTHORITY"),
		.runtime_dir = getenv("XDG_RUNTIME_DIR"),
		.pulse_server = getenv("PULSE_SERVER"),
	};
	struct diagnosis *rows = xcalloc(ARRAY_SIZE(checks), sizeof *rows);

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		rows[i] = run_check(&checks[i], &context);
	*ret = (struct diagnoses){ .rows = rows, .n = ARRAY_SIZE(checks) };
}

void diagnoses_release(struct diagnoses *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->rows[i].detail);
		free(d->rows[i].mend);
	}
	free(d->rows);
	*d = (struct diagnoses){ 0 };
}
