#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "app/profile-test-private.h"
#include "base/fs.h"
#include "base/loop.h"
#include "base/parse.h"
#include "base/strv.h"

#define GENERATIONS_MAX 64U
#define ACTIVE_MS	10000U
#define POLL_MS		100U
#define STILL_MS	300U /* between two pictures that are the same */
#define PICTURE_MS	10000U
#define STILL_MAX_MS	5000U /* a film never is still */

/* The parent from /proc/PID/stat: behind the name, which may have any characters. 0: it is gone. */
static pid_t parent_of(pid_t pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/stat", (int)pid), *text = NULL;
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *word = NULL;
	const char *at;
	uint32_t parent;

	if (fs_read(AT_FDCWD, path, 4096, &text, NULL, &ignored) < 0)
		return 0;
	at = strrchr(text, ')');
	if (!at || strlen(at) < 5)
		return 0;
	at += strlen(") S ");
	word = xstrndup(at, strcspn(at, " "));
	return parse_u32(word, &parent) == 0 ? (pid_t)parent : 0;
}

bool profile_test_owns(void *test, pid_t pid)
{
	const struct profile_test *t = test;

	for (unsigned i = 0; i < GENERATIONS_MAX && pid > 1; i++) {
		if (pid == t->child.pid)
			return true;
		pid = parent_of(pid);
	}
	return false;
}

/* The viewer puts the label before each title, and makes the window; so both must be right. */
static bool is_ours(struct profile_test *t, struct desktop_window *w)
{
	const size_t n = strlen(t->label);
	char *rest;

	if (strncmp(w->title, t->label, n) || (w->title[n] && w->title[n] != ' ') ||
	    !profile_test_owns(t, (pid_t)w->pid))
		return false;
	rest = xstrdup(w->title + n + (w->title[n] == ' '));
	free(w->title);
	w->title = rest;
	return true;
}

int profile_test_windows(struct profile_test *t, struct desktop_windows *ret, struct error **err)
{
	_cleanup_(desktop_windows_release) struct desktop_windows all = { 0 };
	size_t n = 0;
	int r;

	r = desktop_list(&t->patience, &all, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < all.n; i++) {
		if (!is_ours(t, &all.list[i])) {
			free(all.list[i].title);
			continue;
		}
		all.list[n++] = all.list[i];
	}
	all.n = n;
	*ret = all;
	all = (struct desktop_windows){ 0 };
	return 0;
}

int profile_test_window(struct profile_test *t, struct desktop_window *ret, struct error **err)
{
	_cleanup_(desktop_windows_release) struct desktop_windows all = { 0 };
	const struct desktop_window *found = NULL;
	int r;

	r = profile_test_windows(t, &all, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < all.n; i++) {
		const struct desktop_window *w = &all.list[i];

		if (!found || w->active || (w->id == t->window && !found->active))
			found = w;
	}
	if (!found)
		return error_set(err, ENOENT, "it has no window any more");
	*ret = *found;
	ret->title = NULL;
	t->window = found->id;
	return 0;
}

static int is_active(struct profile_test *t, uint32_t window, struct error **err)
{
	_cleanup_(desktop_windows_release) struct desktop_windows all = { 0 };
	int r;

	r = profile_test_windows(t, &all, err);
	for (size_t i = 0; r >= 0 && i < all.n; i++)
		if (all.list[i].id == window && all.list[i].active)
			return 1;
	return r;
}

/* Keys go to the window that is active, whoever's that is: so it must be this one. */
int profile_test_activate(struct profile_test *t, uint32_t window, struct error **err)
{
	const uint64_t end = now_ms() + ACTIVE_MS;
	_cleanup_free_ char *id = xasprintf("%u", window);
	char *const words[] = { (char *)"windowactivate", id, NULL };
	bool asked = false;

	for (;;) {
		int r = is_active(t, window, err);

		if (r != 0)
			return r < 0 ? r : 0;
		if (now_ms() > end)
			return error_set(err, ETIMEDOUT,
					 "its window does not become the active one");
		if (!asked)
			r = desktop_input(&t->patience, words, err);
		asked = true;
		if (r >= 0)
			r = patience_wait(&t->patience, -EBADF, POLL_MS, err);
		if (r < 0)
			return r;
	}
}

/* --- pictures --------------------------------------------------------------------------------- */

static int open_picture(struct profile_test *t, char **ret_path)
{
	const char *name = t->profile->name;
	char *path;
	int fd;

	if (t->request->pictures) {
		path = xasprintf("%s/%s-%02u.png", t->request->pictures, name, ++t->pictures);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	} else {
		path = xasprintf("/tmp/vitrine-%s-XXXXXX.png", name);
		fd = mkostemps(path, strlen(".png"), O_CLOEXEC);
	}
	*ret_path = path;
	return fd;
}

/* Also of one that is out of time. */
static int take_png(struct profile_test *t, struct buf *ret, struct error **err)
{
	const uint64_t deadline = t->patience.deadline, wanted = now_ms() + PICTURE_MS;
	struct desktop_window w;
	int r;

	if (deadline < wanted)
		t->patience.deadline = wanted;
	r = profile_test_window(t, &w, err);
	if (r >= 0)
		r = desktop_png(&t->patience, w.id, ret, err);
	t->patience.deadline = deadline;
	return r;
}

void profile_test_keep_picture(struct profile_test *t)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -EBADF;
	_cleanup_buf_ struct buf png = { 0 };

	if (!t->label || take_png(t, &png, &ignored) < 0)
		return;
	fd = open_picture(t, &path);
	if (fd < 0 || fs_write_all(fd, png.data, png.size, &ignored) < 0)
		return;
	free(t->picture);
	t->picture = TAKE_PTR(path);
}

int profile_test_remember(struct profile_test *t, const struct desktop_window *w,
			  struct error **err)
{
	const uint64_t end = now_ms() + STILL_MAX_MS;
	int r;

	picture_release(&t->before);
	t->before_window = w->id;
	r = desktop_picture(&t->patience, w->id, &t->before, err);
	while (r >= 0 && now_ms() < end) {
		struct picture next = { 0 };
		bool still;

		r = patience_wait(&t->patience, -EBADF, STILL_MS, err);
		if (r >= 0)
			r = desktop_picture(&t->patience, w->id, &next, err);
		if (r < 0)
			return r;
		still = picture_difference(&t->before, &next) == 0;
		picture_release(&t->before);
		t->before = next;
		if (still)
			return 0;
	}
	return r < 0 ? r : 0;
}
