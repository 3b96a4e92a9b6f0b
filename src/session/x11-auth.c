#include "session/x11-auth.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <X11/X.h>
#include <X11/Xauth.h>

#include "base/fs.h"
#include "base/parse.h"
#include "base/text.h"

#define COOKIE_NAME "MIT-MAGIC-COOKIE-1"
#define NUMBER_MAX  10U /* digits */

_Static_assert(5 * 2 + NUMBER_MAX + sizeof COOKIE_NAME - 1 + X11_COOKIE_SIZE <= X11_AUTHORITY_MAX,
	       "the largest entry does not fit");

static void put_u16(struct x11_authority *a, size_t value)
{
	a->data[a->size++] = (unsigned char)(value >> 8);
	a->data[a->size++] = (unsigned char)value;
}

static void put_counted(struct x11_authority *a, const void *data, size_t size)
{
	put_u16(a, size);
	memcpy(a->data + a->size, data, size);
	a->size += size;
}

static void render(uint32_t number, const void *cookie, struct x11_authority *ret)
{
	char digits[NUMBER_MAX + 1];
	int n = snprintf(digits, sizeof digits, "%u", number);

	*ret = (struct x11_authority){ 0 };
	put_u16(ret, FamilyWild);
	put_u16(ret, 0); /* no address */
	put_counted(ret, digits, (size_t)n);
	put_counted(ret, COOKIE_NAME, strlen(COOKIE_NAME));
	put_counted(ret, cookie, X11_COOKIE_SIZE);
}

int x11_authority_make(uint32_t number, struct x11_authority *ret, struct error **err)
{
	unsigned char cookie[X11_COOKIE_SIZE];

	if (getrandom(cookie, sizeof cookie, 0) != sizeof cookie)
		return error_errno(err, "cannot get random bytes");
	render(number, cookie, ret);
	return 0;
}

static bool is_text(const char *data, unsigned short size, const char *text)
{
	return size == strlen(text) && !memcmp(data, text, size);
}

/* As Xlib chooses: an entry without a number is for every display. */
static bool fits(const Xauth *a, const char *host, const char *number)
{
	bool here = a->family == FamilyWild ||
		    (a->family == FamilyLocal && is_text(a->address, a->address_length, host));

	return here && (a->number_length == 0 || is_text(a->number, a->number_length, number)) &&
	       is_text(a->name, a->name_length, COOKIE_NAME) && a->data_length == X11_COOKIE_SIZE;
}

int x11_authority_find(const void *file, size_t size, const char *host, uint32_t number,
		       struct x11_authority *ret)
{
	_cleanup_free_ char *digits = xasprintf("%u", number);
	FILE *stream = size ? fmemopen((void *)file, size, "r") : NULL; /* only read */
	bool found = false;
	Xauth *a;

	while (stream && !found && (a = XauReadAuth(stream))) {
		found = fits(a, host, digits);
		if (found)
			render(number, a->data, ret);
		XauDisposeAuth(a);
	}
	if (stream)
		fclose(stream);
	return found ? 0 : -ENOENT;
}

int x11_display_parse(const char *display, uint32_t *ret_number, struct error **err)
{
	_cleanup_free_ char *shown = NULL, *number = NULL;
	const char *digits = display;
	uint32_t screen;
	char *dot;

	if (!display || !*display)
		return error_set(err, ENXIO,
				 "DISPLAY is not set: use a terminal of your desktop session");
	if (!strncmp(digits, "unix:", 5))
		digits += 4;
	if (*digits == ':') {
		number = xstrdup(digits + 1);
		dot = strchr(number, '.');
		if (dot)
			*dot = '\0';
		if (parse_u32(number, ret_number) == 0 &&
		    (!dot || parse_u32(dot + 1, &screen) == 0))
			return 0;
	}
	shown = text_escape(display, NAME_LENGTH_MAX);
	return error_set(err, EINVAL, "DISPLAY=%s is not a local display", shown);
}

static int check_socket(const char *path, uint32_t number, struct error **err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return error_errno(err, "display :%u: cannot find its socket '%s'", number, path);
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, ENOTSOCK, "display :%u: '%s' is not a socket", number, path);
	return 0;
}

static int read_user_file(const char *path, char **ret, size_t *ret_size, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat st;
	int r;

	r = fs_open_file(AT_FDCWD, path, &fd, err);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return error_errno(err, "cannot stat '%s'", path);
	if (st.st_uid != getuid())
		return error_set(err, EPERM, "'%s' belongs to another user", path);
	r = fs_read_fd(fd, X11_USER_FILE_MAX, ret, ret_size, err);
	if (r < 0)
		return error_prefix(err, "'%s'", path);
	return 0;
}

int x11_desktop_find(const char *display, const char *xauthority, const char *home,
		     struct x11_desktop *ret, struct error **err)
{
	_cleanup_(x11_desktop_release) struct x11_desktop d = { 0 };
	_cleanup_free_ char *path = NULL, *file = NULL;
	char host[256] = "";
	size_t size;
	int r;

	r = x11_display_parse(display, &d.number, err);
	if (r < 0)
		return r;
	d.socket = xasprintf("/tmp/.X11-unix/X%u", d.number);
	r = check_socket(d.socket, d.number, err);
	if (r < 0)
		return r;

	path = xauthority && *xauthority ? xstrdup(xauthority) : xasprintf("%s/.Xauthority", home);
	r = read_user_file(path, &file, &size, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		size = 0;
	} else if (r < 0) {
		return error_prefix(err, "cookie of display :%u", d.number);
	}
	if (gethostname(host, sizeof host - 1) < 0)
		return error_errno(err, "cannot get the host's name");
	if (x11_authority_find(file, size, host, d.number, &d.authority) < 0)
		return error_set(err, ENOENT,
				 "no cookie of display :%u in '%s': 'xauth generate :%u . trusted "
				 "timeout 0' makes one",
				 d.number, path, d.number);
	*ret = d;
	d.socket = NULL;
	return 0;
}

void x11_desktop_release(struct x11_desktop *d)
{
	free(d->socket);
	*d = (struct x11_desktop){ 0 };
}
