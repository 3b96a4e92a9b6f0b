/*
 * vitrine-sound: the sound relay of one sandbox. Runs on the host with the user's rights and copies
 * samples from the box's FIFO (descriptor 3) to the user's sound server, until descriptor 4, the
 * lifeline to the supervisor, hangs up.
 *
 * What comes out of the FIFO is hostile. It is never parsed, only played or dropped, and read at
 * most every PACE_NS, so that a box that writes without end, or byte by byte, costs the host
 * little. This program only ever plays: it asks the sound server for nothing else.
 *
 * Nothing is queued here: what cannot be played now is dropped, so that the application's clock
 * never stands still. A stream exists from the first sound until SILENCE_US without one; between
 * sounds the program sleeps. It notices a lost server by itself and calls again when there is
 * something to play; arriving samples are the clock of these attempts.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include <pulse/pulseaudio.h>

#include "base/alloc.h"

#define FIFO_FD	    3
#define LIFELINE_FD 4

#define FRAME_SIZE 4U	 /* s16le, two channels */
#define CHUNK_MAX  8192U /* as much as the FIFO holds: 46 ms */

#define PACE_NS	       5000000L
#define LATENCY_US     (60 * PA_USEC_PER_MSEC)
#define SILENCE_US     (2 * PA_USEC_PER_SEC)
#define RETRY_FIRST_US (500 * PA_USEC_PER_MSEC)
#define RETRY_LAST_US  (5 * PA_USEC_PER_SEC)

static const pa_sample_spec format = {
	.format = PA_SAMPLE_S16LE,
	.rate = 44100,
	.channels = 2,
};

struct relay {
	const char *name; /* of this program in the sound server, and of its stream */
	pa_mainloop_api *api;
	pa_io_event *input;
	int pace_fd;		/* a timer */
	bool resting;		/* until it fires: the input is left alone */
	pa_time_event *silence; /* runs while there is a stream */
	pa_context *context;	/* NULL: no connection, and none is being made */
	pa_stream *stream;	/* NULL: nothing to play */
	pa_usec_t heard_at;	/* when the last sound came */
	pa_usec_t retry_at;	/* no new connection or stream before this time */
	pa_usec_t retry_delay;
	pa_usec_t full_since; /* no room for what comes since then; 0: there is some */
	unsigned char data[CHUNK_MAX];
	size_t size; /* of what is in data; less than a frame except while the stream is opened */
};

static void context_changed(pa_context *c, void *user);
static void stream_changed(pa_stream *s, void *user);

/* Drops whole frames and keeps the beginning of the next one. */
static void forget(struct relay *r, size_t size)
{
	size -= size % FRAME_SIZE;
	r->size -= size;
	memmove(r->data, r->data + size, r->size);
}

static void close_stream(struct relay *r)
{
	forget(r, r->size);
	if (r->silence)
		r->api->time_free(r->silence);
	r->silence = NULL;
	if (!r->stream)
		return;
	pa_stream_set_state_callback(r->stream, NULL, NULL);
	pa_stream_set_write_callback(r->stream, NULL, NULL);
	(void)pa_stream_disconnect(r->stream); /* fails if the server is gone: as well */
	pa_stream_unref(r->stream);
	r->stream = NULL;
}

static void close_context(struct relay *r)
{
	close_stream(r);
	if (!r->context)
		return;
	pa_context_set_state_callback(r->context, NULL, NULL);
	pa_context_disconnect(r->context);
	pa_context_unref(r->context);
	r->context = NULL;
}

static void wait_longer(struct relay *r)
{
	r->retry_at = pa_rtclock_now() + r->retry_delay;
	r->retry_delay *= 2;
	if (r->retry_delay > RETRY_LAST_US)
		r->retry_delay = RETRY_LAST_US;
}

static void context_lost(struct relay *r)
{
	if (!r->context)
		return;
	close_context(r);
	wait_longer(r);
}

/* No device, for example; the connection itself may be fine. */
static void stream_lost(struct relay *r)
{
	if (!r->stream)
		return;
	close_stream(r);
	wait_longer(r);
}

static bool is_playing(const struct relay *r)
{
	return r->stream && pa_stream_get_state(r->stream) == PA_STREAM_READY;
}

static bool is_opening(const struct relay *r)
{
	return r->stream && !is_playing(r);
}

/* Can samples be played or dropped now? One chunk more than the server asked for does no harm, and
 * keeps the FIFO empty for the next. */
static bool has_room(const struct relay *r)
{
	size_t writable;

	if (!r->stream)
		return true;
	if (is_opening(r))
		return false;
	writable = pa_stream_writable_size(r->stream);
	return writable != (size_t)-1 && writable >= FRAME_SIZE;
}

static void drop_old(struct relay *r)
{
	ssize_t n = read(FIFO_FD, r->data + r->size, CHUNK_MAX - r->size);

	if (n > 0)
		r->size += (size_t)n;
	forget(r, r->size);
}

/*
 * Called whenever the room may have changed. If there was none for longer than the FIFO lasts, then
 * samples were lost in the box already; without the old ones in the FIFO the rest is on time again.
 */
static void listen_again(struct relay *r)
{
	bool room = has_room(r);

	if (r->resting)
		return;
	if (!room && !r->full_since)
		r->full_since = pa_rtclock_now();
	if (room && r->full_since) {
		if (pa_rtclock_now() - r->full_since > pa_bytes_to_usec(CHUNK_MAX, &format))
			drop_old(r);
		r->full_since = 0;
	}
	r->api->io_enable(r->input, room ? PA_IO_EVENT_INPUT : PA_IO_EVENT_NULL);
}

static void rest(struct relay *r)
{
	struct itimerspec once = { .it_value.tv_nsec = PACE_NS };

	r->api->io_enable(r->input, PA_IO_EVENT_NULL);
	r->resting = true;
	(void)timerfd_settime(r->pace_fd, 0, &once, NULL); /* cannot fail with a valid time */
}

static void rest_over(pa_mainloop_api *api, pa_io_event *event, int fd, pa_io_event_flags_t what,
		      void *user)
{
	struct relay *r = user;
	uint64_t times;

	(void)api, (void)event, (void)what;
	if (read(fd, &times, sizeof times) < 0)
		return;
	r->resting = false;
	listen_again(r);
}

static void play(struct relay *r)
{
	size_t size = r->size - r->size % FRAME_SIZE;

	if (!size)
		return;
	if (pa_stream_write(r->stream, r->data, size, NULL, 0, PA_SEEK_RELATIVE) < 0)
		stream_lost(r);
	else
		forget(r, size);
}

/*
 * Also ends a stream whose server no longer takes anything. One that does not even get ready cannot
 * be taken back (it has no number yet), so the connection goes with it.
 */
static void silence_over(pa_mainloop_api *api, pa_time_event *timer, const struct timeval *now,
			 void *user)
{
	struct relay *r = user;

	(void)api, (void)timer, (void)now;
	if (pa_rtclock_now() < r->heard_at + SILENCE_US) {
		pa_context_rttime_restart(r->context, r->silence, r->heard_at + SILENCE_US);
		return;
	}
	if (is_opening(r))
		context_lost(r);
	else
		close_stream(r);
	listen_again(r);
}

static void stream_takes_more(pa_stream *s, size_t size, void *user)
{
	(void)s, (void)size;
	listen_again(user);
}

static void stream_changed(pa_stream *s, void *user)
{
	struct relay *r = user;

	switch (pa_stream_get_state(s)) {
	case PA_STREAM_READY:
		r->retry_delay = RETRY_FIRST_US;
		play(r);
		break;
	case PA_STREAM_FAILED:
	case PA_STREAM_TERMINATED:
		stream_lost(r);
		break;
	default:
		return;
	}
	listen_again(r);
}

static void open_stream(struct relay *r)
{
	pa_buffer_attr attr = {
		.maxlength = (uint32_t)-1,
		.tlength = (uint32_t)pa_usec_to_bytes(LATENCY_US, &format),
		.prebuf = (uint32_t)-1,
		.minreq = (uint32_t)-1,
	};

	r->stream = pa_stream_new(r->context, r->name, &format, NULL);
	if (!r->stream) {
		wait_longer(r);
		return;
	}
	r->silence = pa_context_rttime_new(r->context, r->heard_at + SILENCE_US, silence_over, r);
	pa_stream_set_state_callback(r->stream, stream_changed, r);
	pa_stream_set_write_callback(r->stream, stream_takes_more, r);
	if (pa_stream_connect_playback(r->stream, NULL, &attr, PA_STREAM_ADJUST_LATENCY, NULL,
				       NULL) < 0)
		stream_lost(r);
}

static void open_context(struct relay *r)
{
	r->context = pa_context_new(r->api, r->name);
	if (!r->context) {
		wait_longer(r);
		return;
	}
	pa_context_set_state_callback(r->context, context_changed, r);
	if (pa_context_connect(r->context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) < 0)
		context_lost(r);
}

static void context_changed(pa_context *c, void *user)
{
	if (PA_CONTEXT_IS_GOOD(pa_context_get_state(c)))
		return;
	context_lost(user);
	listen_again(user);
}

/* Takes one step towards a stream, unless the last one failed a moment ago. */
static void approach(struct relay *r)
{
	if (r->heard_at < r->retry_at)
		return;
	if (!r->context)
		open_context(r);
	else if (pa_context_get_state(r->context) == PA_CONTEXT_READY)
		open_stream(r);
}

static bool is_silent(const unsigned char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i])
			return false;
	return true;
}

static void input_ready(pa_mainloop_api *api, pa_io_event *event, int fd, pa_io_event_flags_t what,
			void *user)
{
	struct relay *r = user;
	ssize_t n = 0;
	bool silent;

	(void)event, (void)what;
	if (has_room(r))
		n = read(fd, r->data + r->size, CHUNK_MAX - r->size);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		api->quit(api, 1);
		return;
	}
	if (n > 0) {
		silent = is_silent(r->data + r->size, (size_t)n);
		r->size += (size_t)n;
		if (!silent)
			r->heard_at = pa_rtclock_now();
		if (!r->stream && !silent)
			approach(r);
		if (is_playing(r))
			play(r);
		else if (!r->stream)
			forget(r, r->size);
	}
	rest(r);
}

static void lifeline_changed(pa_mainloop_api *api, pa_io_event *event, int fd,
			     pa_io_event_flags_t what, void *user)
{
	(void)event, (void)fd, (void)what, (void)user;
	api->quit(api, 0);
}

/* Core files and many descriptors are for none of its work. */
static bool give_up_rights(void)
{
	static const struct {
		__rlimit_resource_t resource;
		rlim_t limit;
	} limits[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_NOFILE, 32 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit l = { .rlim_cur = limits[i].limit, .rlim_max = limits[i].limit };

		if (setrlimit(limits[i].resource, &l) < 0)
			return false;
	}
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0 &&
	       signal(SIGPIPE, SIG_IGN) != SIG_ERR;
}

static bool is_fifo(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && fcntl(fd, F_GETFL) & O_NONBLOCK;
}

int main(int argc, char *argv[])
{
	_cleanup_free_ char *name = NULL;
	struct relay relay = { .retry_delay = RETRY_FIRST_US };
	pa_mainloop *loop;
	int status = 1;

	if (argc != 2) {
		fprintf(stderr, "usage: vitrine-sound LABEL (started by vitrine)\n");
		return 2;
	}
	if (!is_fifo(FIFO_FD) || fcntl(LIFELINE_FD, F_GETFD) < 0) {
		fprintf(stderr, "vitrine-sound: not started by vitrine\n");
		return 2;
	}
	relay.pace_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (relay.pace_fd < 0 || !give_up_rights()) {
		fprintf(stderr, "vitrine-sound: cannot prepare: %s\n", strerror(errno));
		return 1;
	}
	relay.name = name = xasprintf("vitrine: %s", argv[1]);

	loop = pa_mainloop_new();
	if (!loop)
		return 1;
	relay.api = pa_mainloop_get_api(loop);
	relay.api->io_new(relay.api, LIFELINE_FD, PA_IO_EVENT_INPUT, lifeline_changed, NULL);
	relay.api->io_new(relay.api, relay.pace_fd, PA_IO_EVENT_INPUT, rest_over, &relay);
	relay.input = relay.api->io_new(relay.api, FIFO_FD, PA_IO_EVENT_INPUT, input_ready, &relay);
	open_context(&relay);

	(void)pa_mainloop_run(loop, &status); /* its result is that of quit() */
	close_context(&relay);
	pa_mainloop_free(loop);
	return status;
}
