#include "app/user-dirs.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/text.h"

#define BLANKS " \t\r"

static const struct {
	const char *key;
	const char *usual;
} dirs[USER_DIR_MAX] = {
	[USER_DIR_DESKTOP] = { "DESKTOP", "Desktop" },
	[USER_DIR_DOCUMENTS] = { "DOCUMENTS", "Documents" },
	[USER_DIR_DOWNLOAD] = { "DOWNLOAD", "Downloads" },
	[USER_DIR_MUSIC] = { "MUSIC", "Music" },
	[USER_DIR_PICTURES] = { "PICTURES", "Pictures" },
	[USER_DIR_PUBLICSHARE] = { "PUBLICSHARE", "Public" },
	[USER_DIR_TEMPLATES] = { "TEMPLATES", "Templates" },
	[USER_DIR_VIDEOS] = { "VIDEOS", "Videos" },
};

/* What follows `text` at s, or NULL. */
static const char *after(const char *s, const char *text)
{
	size_t n = strlen(text);

	return strncmp(s, text, n) ? NULL : s + n;
}

static const char *after_blanks(const char *s)
{
	return s + strspn(s, BLANKS);
}

/* Which one the line is about, and what is behind the `=`; USER_DIR_MAX if it is about none. */
static enum user_dir read_key(const char *line, const char **ret_value)
{
	const char *name = after(after_blanks(line), "XDG_");

	for (enum user_dir d = 0; name && d < USER_DIR_MAX; d++) {
		const char *rest = after(name, dirs[d].key);

		rest = rest ? after(rest, "_DIR") : NULL;
		rest = rest ? after(after_blanks(rest), "=") : NULL;
		if (rest) {
			*ret_value = after_blanks(rest);
			return d;
		}
	}
	return USER_DIR_MAX;
}

/* The text between the quotes, if a shell would not make something else of it. Owned by the caller,
 * may be NULL. */
static char *unquote(const char *value)
{
	_cleanup_buf_ struct buf text = { 0 };

	if (*value++ != '"')
		return NULL;
	for (; *value && *value != '"'; value++) {
		if (*value == '$' || *value == '`')
			return NULL;
		if (*value == '\\' && strchr("\"\\$`", value[1]) && value[1])
			value++;
		buf_add(&text, value, 1);
	}
	if (*value++ != '"')
		return NULL;
	value = after_blanks(value);
	return !*value || *value == '#' ? buf_take(&text) : NULL;
}

/* Without doubled slashes, "." and slashes at the end; NULL with "..". Owned by the caller. */
static char *shortest(const char *path)
{
	_cleanup_buf_ struct buf out = { 0 };

	if (*path == '/')
		buf_adds(&out, "/");
	for (path += strspn(path, "/"); *path; path += strspn(path, "/")) {
		size_t n = strcspn(path, "/");

		if (n == 2 && !strncmp(path, "..", 2))
			return NULL;
		if (n != 1 || *path != '.') {
			if (out.size && out.data[out.size - 1] != '/')
				buf_adds(&out, "/");
			buf_add(&out, path, n);
		}
		path += n;
	}
	return buf_take(&out);
}

/* Beneath the home relative to it, "" if it is the home; NULL where the value is none that counts.
 * Owned by the caller. */
static char *read_value(const char *value, const char *home)
{
	const char *rest = after(value, "\"$HOME");
	_cleanup_free_ char *quoted = NULL, *path = NULL, *in_home = shortest(home);

	if (rest && *rest != '/' && *rest != '"')
		return NULL;
	if (rest) {
		_cleanup_free_ char *requoted = xasprintf("\"%s", rest);

		quoted = unquote(requoted);
	} else {
		quoted = unquote(value);
	}
	if (!quoted || (!rest && *quoted != '/') || strlen(quoted) > USER_DIR_PATH_MAX ||
	    !text_is_clean(quoted))
		return NULL;
	path = shortest(rest ? quoted + strspn(quoted, "/") : quoted);
	rest = path && in_home ? after(path, in_home) : NULL;
	if (rest && (!*rest || *rest == '/'))
		return xstrdup(*rest ? rest + 1 : "");
	return TAKE_PTR(path);
}

static void read_line(const char *line, const char *home, struct user_dirs *d)
{
	const char *value = NULL;
	enum user_dir dir = read_key(line, &value);
	char *path;

	if (dir == USER_DIR_MAX)
		return;
	path = read_value(value, home);
	if (!path)
		return;
	free(d->paths[dir]);
	d->paths[dir] = path;
}

void user_dirs_parse(const char *text, size_t size, const char *home, struct user_dirs *ret)
{
	const char *end = text + size;

	*ret = (struct user_dirs){ 0 };
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((newline ? newline : end) - text);

		if (!memchr(text, '\0', n)) {
			_cleanup_free_ char *line = xstrndup(text, n);

			read_line(line, home, ret);
		}
		text += n + (newline != NULL);
	}
	for (enum user_dir d = 0; d < USER_DIR_MAX; d++) {
		if (ret->paths[d] && *ret->paths[d])
			continue;
		free(ret->paths[d]);
		ret->paths[d] = xstrdup(dirs[d].usual);
	}
}

/* A link is followed: the file is the user's own, never given to an application, and only names
 * come from it. */
static int open_file(const char *path, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = fs_open_beneath(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY,
						 RESOLVE_NO_MAGICLINKS, 0);
	struct stat st;

	errno = fd < 0 ? -fd : 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot open '%s'", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "'%s' is not a regular file", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int user_dirs_read(const char *home, struct user_dirs *ret, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("%s/" USER_DIRS_FILE, home), *text = NULL;
	_cleanup_close_ int fd = -EBADF;
	size_t size = 0;
	int r;

	r = open_file(path, &fd, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		user_dirs_parse("", 0, home, ret);
		return 0;
	}
	if (r >= 0)
		r = fs_read_fd(fd, USER_DIRS_FILE_MAX, &text, &size, err);
	if (r < 0)
		return error_prefix(err, "directories of the user");
	user_dirs_parse(text, size, home, ret);
	return 0;
}

void user_dirs_release(struct user_dirs *d)
{
	for (enum user_dir i = 0; i < USER_DIR_MAX; i++)
		free(d->paths[i]);
	*d = (struct user_dirs){ 0 };
}
