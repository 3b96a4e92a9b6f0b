#include "cli/image-build.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/loop.h"
#include "base/text.h"
#include "cli/cli.h"

#define LOG_MAX	   (64U << 20)
#define TAIL_LINES 12
#define WIDTH_MAX  160U
#define BAR_MIN	   10U
#define BAR_MAX	   40U
#define MEGABYTE   1000000U
#define ERASE	   "\r\033[K"
#define GREEN	   "\033[32m"
#define PLAIN	   "\033[0m"

struct view {
	bool redraws;
	bool drawn; /* the cursor is behind the bar */
	bool started;
	const char *image; /* the last one that was worked on */
	struct build_progress last;
};

static bool can_redraw(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

static size_t terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return 80;
	return size.ws_col < WIDTH_MAX ? size.ws_col : WIDTH_MAX;
}

/* "installing 210 of 361 packages", "downloading 12 of 361 packages, 34 of 285 MB" */
static void describe(const struct build_progress *p, struct buf *text)
{
	buf_adds(text, build_phase_to_string(p->phase));
	if (p->packages)
		buf_addf(text, " %u of %u %spackages", p->packages_done, p->packages,
			 p->essential ? "essential " : "");
	if (p->bytes)
		buf_addf(text, "%s %llu of %llu MB", p->packages ? "," : "",
			 (unsigned long long)(p->bytes_done / MEGABYTE),
			 (unsigned long long)(p->bytes / MEGABYTE));
}

/* `room` columns, brackets and percent included. */
static void add_bar(struct buf *line, unsigned percent, size_t room)
{
	size_t width = room < BAR_MAX ? room : BAR_MAX, full;
	bool coloured = cli_colours(STDERR_FILENO);

	width -= strlen("[] 100%");
	full = width * percent / 100;
	buf_addf(line, "[%s", coloured ? GREEN : "");
	for (size_t i = 0; i < width; i++) {
		if (i == full && coloured)
			buf_adds(line, PLAIN);
		buf_adds(line, i < full ? "#" : "-");
	}
	buf_addf(line, "%s] %3u%%", full == width && coloured ? PLAIN : "", percent);
}

/* The text gives way to the terminal, the bar gives way to the text. */
static void redraw(struct view *v, const struct build_progress *p)
{
	_cleanup_buf_ struct buf text = { 0 };
	_cleanup_buf_ struct buf line = { 0 };
	size_t width = terminal_width() - 1;

	buf_addf(&text, "%s: ", p->image);
	describe(p, &text);
	buf_addf(&line, ERASE "%.*s", (int)width, text.data);
	if (width >= text.size + 1 + BAR_MIN) {
		buf_adds(&line, " ");
		add_bar(&line, build_progress_percent(p), width - text.size - 1);
	}
	fputs(line.data, stderr);
	v->drawn = true;
}

static void print_phase(struct view *v, const struct build_progress *p)
{
	if (v->started && p->phase == v->last.phase && p->essential == v->last.essential &&
	    p->image == v->last.image)
		return;
	fprintf(stderr, "%s: %s%s\n", p->image, build_phase_to_string(p->phase),
		p->essential ? " the essential packages" : "");
}

static void on_progress(void *user, const struct build_progress *p)
{
	struct view *v = user;

	if (v->redraws)
		redraw(v, p);
	else if (p->phase != BUILD_DONE)
		print_phase(v, p);
	v->started = true;
	v->last = *p;
	v->image = p->image;
}

/* The last lines of the log, which comes from programs that print what packages contain. */
static void print_tail(const char *path)
{
	struct error *error = NULL;
	_cleanup_free_ char *text = NULL;
	const char *start;
	unsigned lines = 0;
	size_t size;

	if (fs_read(AT_FDCWD, path, LOG_MAX, &text, &size, &error) < 0) {
		error_free(error); /* the failure itself is reported anyway */
		return;
	}
	for (start = text + size; start > text && lines <= TAIL_LINES; start--)
		lines += start[-1] == '\n';
	while (*start) {
		size_t n = strcspn(start, "\n");
		_cleanup_free_ char *line = xstrndup(start, n);
		_cleanup_free_ char *shown = text_escape(line, 200);

		if (n)
			fprintf(stderr, "  %s\n", shown);
		start += n + (start[n] == '\n');
	}
}

static void print_end(const struct build *b, const struct build_result *made, uint64_t start)
{
	if (!made->after)
		fprintf(stderr, "%s: nothing has changed, generation %u stays\n", b->name,
			made->before->generation);
	else
		fprintf(stderr, "%s: generation %u is ready after %llu s\n", b->name,
			made->after->generation, (unsigned long long)((now_ms() - start) / 1000));
}

int image_build_and_show(const struct build *b, struct build_result *ret)
{
	struct view view = { .redraws = can_redraw() };
	struct build build = *b;
	struct error *error = NULL;
	uint64_t start = now_ms();
	int r;

	build.progress = on_progress;
	build.user = &view;
	r = image_build(&build, ret, &error);
	if (view.drawn)
		fputs(ERASE, stderr);
	if (r == 0) {
		print_end(b, ret, start);
		return EXIT_OK;
	}
	if (view.started && r != -EINTR) {
		_cleanup_free_ char *log = image_build_log(b->home, view.image);

		if (r == -EPROTO)
			print_tail(log);
		fprintf(stderr, "The log of the build is %s\n", log);
	}
	return cli_fail(error, EXIT_FAILED);
}
