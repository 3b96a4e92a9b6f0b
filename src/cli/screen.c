#include "cli/screen.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/loop.h"
#include "cli/cli.h"

/* ECMA-48 control functions, and the private modes that xterm brought (ctlseqs, "DECSET"): 1049 is
 * the alternate screen, 25 the cursor. */
#define TAKE		"\033[?1049h\033[?25l"
#define GIVE_BACK	"\033[?25h\033[?1049l"
#define HOME		"\033[H"
#define CLEAR_LINE	"\033[K"
#define CLEAR_BELOW	"\033[J"
#define REVERSE		"\033[7m"
#define PLAIN		"\033[0m"
#define ROWS_DEFAULT	24
#define COLUMNS_DEFAULT 80

bool screen_is_there(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

static void measure(struct screen *s)
{
	struct winsize size = { 0 };

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	s->rows = size.ws_row ? size.ws_row : ROWS_DEFAULT;
	s->columns = size.ws_col ? size.ws_col : COLUMNS_DEFAULT;
}

static int take(struct screen *s, struct error **err)
{
	struct termios raw = s->before;

	/* Ctrl-C and Ctrl-Z stay signals. */
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (s->keys && tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
		return error_errno(err, "cannot set up the terminal");
	measure(s);
	return fs_write_all(STDOUT_FILENO, TAKE, strlen(TAKE), err);
}

static void give_back(const struct screen *s)
{
	_cleanup_(error_freep) struct error *ignored = NULL;

	(void)fs_write_all(STDOUT_FILENO, GIVE_BACK, strlen(GIVE_BACK), &ignored);
	if (s->keys)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &s->before);
}

int screen_start(struct screen *s, struct error **err)
{
	static const int watched[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH };
	sigset_t set;
	int r;

	*s = (struct screen){ .signals = -EBADF };
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
		sigaddset(&set, watched[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return error_errno(err, "cannot block signals");
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0)
		return error_errno(err, "cannot wait for signals");
	s->keys = tcgetattr(STDIN_FILENO, &s->before) == 0;
	r = take(s, err);
	if (r < 0)
		screen_end(s);
	return r;
}

void screen_end(struct screen *s)
{
	give_back(s);
	s->signals = close_fd(s->signals);
}

int screen_draw(const struct screen *s, const char *text, struct error **err)
{
	bool coloured = cli_colours(STDOUT_FILENO);
	_cleanup_buf_ struct buf out = { 0 };

	buf_adds(&out, HOME);
	for (unsigned row = 0; row < s->rows && *text; row++) {
		size_t n = strcspn(text, "\n"), shown = n < s->columns ? n : s->columns;
		bool heading = row == 0 && coloured;

		/* The last row gets no line end, which would move all of them up. */
		buf_adds(&out, row ? "\r\n" : "");
		buf_adds(&out, heading ? REVERSE : "");
		buf_add(&out, text, shown);
		buf_adds(&out, heading ? PLAIN CLEAR_LINE : CLEAR_LINE);
		text += n + (text[n] == '\n');
	}
	buf_adds(&out, CLEAR_BELOW);
	return fs_write_all(STDOUT_FILENO, out.data, out.size, err);
}

static int on_signal(struct screen *s, enum screen_event *ret, struct error **err)
{
	struct signalfd_siginfo info;

	if (read(s->signals, &info, sizeof info) != sizeof info)
		return error_errno(err, "cannot read a signal");
	*ret = SCREEN_DRAW;
	if (info.ssi_signo == SIGWINCH) {
		measure(s);
		return 0;
	}
	if (info.ssi_signo == SIGTSTP) {
		give_back(s);
		(void)raise(SIGSTOP);
		return take(s, err);
	}
	*ret = SCREEN_QUIT;
	s->signal = info.ssi_signo == SIGINT ? 0 : (int)info.ssi_signo;
	return 0;
}

/* False where the key means nothing. */
static bool is_quit_key(void)
{
	char key;
	ssize_t n = read(STDIN_FILENO, &key, 1);

	return n <= 0 || key == 'q' || key == 'Q';
}

int screen_wait(struct screen *s, unsigned milliseconds, enum screen_event *ret, struct error **err)
{
	uint64_t now = now_ms(), end = now + milliseconds;

	for (; now < end; now = now_ms()) {
		struct pollfd p[] = {
			{ .fd = s->signals, .events = POLLIN },
			{ .fd = s->keys ? STDIN_FILENO : -1, .events = POLLIN },
		};

		if (poll(p, ARRAY_SIZE(p), (int)(end - now)) < 0)
			return error_errno(err, "cannot wait for the terminal");
		if (p[0].revents)
			return on_signal(s, ret, err);
		if (p[1].revents && is_quit_key()) {
			*ret = SCREEN_QUIT;
			return 0;
		}
	}
	*ret = SCREEN_TIME;
	return 0;
}
