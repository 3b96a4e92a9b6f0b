/*
 * vitrine-scope: has the user's systemd put processes into scopes, and says when they are there.
 * It runs until its socket closes; see session/scope.h.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>

#include "base/loop.h"
#include "base/parse.h"
#include "base/sock.h"
#include "base/strv.h"
#include "base/wire.h"
#include "session/scope.h"

#define SYSTEMD_NAME	  "org.freedesktop.systemd1"
#define SYSTEMD_PATH	  "/org/freedesktop/systemd1"
#define SYSTEMD_INTERFACE "org.freedesktop.systemd1.Manager"
#define JOB_TIMEOUT_MS	  8000U
#define STOP_TIMEOUT_US	  UINT64_C(10000000)

static struct message inbox;
static sd_bus *bus;
static sd_bus_message *start_job; /* its answer */
static const char *job_path;	  /* in it */
static char *job_result;	  /* NULL until the job has ended */

static int fail(struct error **err, int r, const char *what)
{
	return error_set(err, -r, "%s: %s", what, strerror(-r));
}

/* Jobs of others end as well, and ours may end before it is known which it is: so any result that
 * has come is looked at. */
static int on_job_removed(sd_bus_message *m, void *user, sd_bus_error *error)
{
	const char *path, *unit, *result;
	uint32_t id;

	(void)user;
	(void)error;
	if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
		return 0;
	if (job_path && !strcmp(path, job_path) && !job_result)
		job_result = xstrdup(result);
	return 0;
}

/* The manager's own socket, as systemctl(1) has it: there is no bus between, and none is needed. */
static int connect_directly(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	_cleanup_free_ char *address = xasprintf("unix:path=%s/systemd/private",
						 runtime ? runtime : "");
	int r;

	r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0)
		bus = sd_bus_unref(bus);
	return r;
}

static int connect_manager(struct error **err)
{
	const char *sender = NULL;
	int r;

	if (connect_directly() < 0) {
		sender = SYSTEMD_NAME;
		r = sd_bus_open_user(&bus);
		if (r < 0)
			return fail(err, r, "cannot connect to your systemd");
		/* On a bus only subscribers are told of jobs. */
		r = sd_bus_call_method(bus, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_INTERFACE,
				       "Subscribe", NULL, NULL, NULL);
		if (r < 0)
			return fail(err, r, "cannot subscribe to your systemd");
	}
	r = sd_bus_match_signal(bus, NULL, sender, SYSTEMD_PATH, SYSTEMD_INTERFACE, "JobRemoved",
				on_job_removed, NULL);
	return r < 0 ? fail(err, r, "cannot listen to your systemd") : 0;
}

static int append_pids(sd_bus_message *m, char *const *pids)
{
	uint32_t numbers[SCOPE_PIDS_MAX];
	size_t n = 0;
	int r;

	for (; pids && *pids; pids++)
		if (n == SCOPE_PIDS_MAX || parse_u32(*pids, &numbers[n++]) < 0)
			return -EINVAL;
	r = sd_bus_message_open_container(m, 'r', "sv");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", "PIDs");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', "au");
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'u', numbers, n * sizeof *numbers);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* systemd's own limit on tasks is out of the way: the plan's is in the groups beneath. */
static int append_properties(sd_bus_message *m, const char *description, bool delegate,
			     char *const *pids)
{
	int r;

	r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r >= 0)
		r = append_pids(m, pids);
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)(sv)", "Description", "s",
					  description, "Slice", "s", "app.slice", "CollectMode",
					  "s", "inactive-or-failed", "TasksMax", "t", UINT64_MAX,
					  "TimeoutStopUSec", "t", STOP_TIMEOUT_US);
	if (r >= 0 && delegate)
		r = sd_bus_message_append(m, "(sv)", "Delegate", "b", 1);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int start_unit(const char *name, const char *description, bool delegate, char *const *pids,
		      struct error **err)
{
	sd_bus_message *m = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	r = sd_bus_message_new_method_call(bus, &m, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_INTERFACE,
					   "StartTransientUnit");
	if (r >= 0)
		r = sd_bus_message_append(m, "ss", name, "fail");
	if (r >= 0)
		r = append_properties(m, description, delegate, pids);
	if (r >= 0)
		r = sd_bus_message_append(m, "a(sa(sv))", 0);
	if (r >= 0)
		r = sd_bus_call(bus, m, (uint64_t)JOB_TIMEOUT_MS * 1000, &error, &start_job);
	if (r >= 0)
		r = sd_bus_message_read(start_job, "o", &job_path);
	if (r < 0)
		(void)error_set(err, -r, "StartTransientUnit: %s",
				error.message ? error.message : strerror(-r));
	sd_bus_error_free(&error);
	sd_bus_message_unref(m);
	return r < 0 ? r : 0;
}

static int await_job(struct error **err)
{
	const uint64_t deadline = now_ms() + JOB_TIMEOUT_MS;

	while (!job_result) {
		uint64_t now = now_ms();
		int r = sd_bus_process(bus, NULL);

		if (r == 0)
			r = now >= deadline ? -ETIMEDOUT
					    : sd_bus_wait(bus, (deadline - now) * 1000);
		if (r < 0 && r != -EINTR)
			return fail(err, r, "systemd has not made the scope");
	}
	if (strcmp(job_result, "done"))
		return error_set(err, EIO, "systemd could not make the scope: %s", job_result);
	return 0;
}

static void forget_job(void)
{
	start_job = sd_bus_message_unref(start_job);
	job_path = NULL;
	free(job_result);
	job_result = NULL;
}

static int make_scope(struct error **err)
{
	struct wire w = wire_open(inbox.data, inbox.size);
	_cleanup_free_ char *name = wire_get_string(&w), *description = wire_get_string(&w);
	bool delegate = wire_get_u32(&w);
	_cleanup_strv_ char **pids = wire_get_strv(&w);
	int r;

	if (!wire_end(&w))
		return error_set(err, EPROTO, "bad request to vitrine-scope");
	r = bus ? 0 : connect_manager(err);
	if (r >= 0)
		r = start_unit(name, description, delegate, pids, err);
	if (r >= 0)
		r = await_job(err);
	forget_job();
	return r;
}

int main(void)
{
	_cleanup_(error_freep) struct error *unconnected = NULL;

	if (fcntl(SCOPE_SOCKET, F_SETFD, FD_CLOEXEC) < 0)
		return 2;
	/* Before it is asked for; why it fails is said to who asks. */
	(void)connect_manager(&unconnected);
	for (;;) {
		_cleanup_(error_freep) struct error *error = NULL, *ignored = NULL;
		_cleanup_buf_ struct buf answer = { 0 };

		if (sock_receive(SCOPE_SOCKET, &inbox, &ignored) < 0 || inbox.size == 0)
			return 0;
		message_close_fds(&inbox);
		wire_put_string(&answer, make_scope(&error) < 0 ? error->message : "");
		if (sock_send(SCOPE_SOCKET, answer.data, answer.size, NULL, 0, &ignored) < 0)
			return 1;
	}
}
