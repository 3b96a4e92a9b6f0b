#include "plan/protected.h"

#include <string.h>

#include "base/fold.h"
#include "base/strv.h"
#include "base/text.h"

enum reach {
	ALL,	/* with what is beneath it */
	ITSELF, /* what is beneath it can be given */
};

/* clang-format off */
static const struct {
	const char *path;
	enum reach reach;
} system_paths[] = {
	{ "/bin", ALL },
	{ "/boot", ALL },
	{ "/dev", ALL },
	{ "/efi", ALL },
	{ "/etc", ALL },
	{ "/gnu", ALL },
	{ "/home", ITSELF },
	{ "/lib", ALL },
	{ "/lib32", ALL },
	{ "/lib64", ALL },
	{ "/libx32", ALL },
	{ "/media", ITSELF },
	{ "/mnt", ITSELF },
	{ "/nix", ALL },
	{ "/opt", ITSELF },
	{ "/proc", ALL },
	{ "/root", ALL },
	{ "/run", ALL }, /* but what is_of_user() and is_removable() know */
	{ "/sbin", ALL },
	{ "/snap", ALL },
	{ "/srv", ITSELF },
	{ "/sys", ALL },
	{ "/tmp", ITSELF },
	{ "/usr", ALL },
	{ "/var", ALL }, /* but what is beneath /var/tmp */
};

/* Names in /tmp that begin so: sockets of displays, buses and agents, and what guards them. */
static const char *const in_tmp[] = {
	".font-unix", ".ICE-unix", ".Test-unix", ".X", "dbus-", "emacs", "gpg-", "keyring-",
	"pulse-", "screens", "ssh-", "systemd-private-", "tmux-", "uscreens", "vscode-", "xauth",
	NULL,
};

/* The same in /var/tmp: where root file systems of images are made. */
static const char *const in_var_tmp[] = { "systemd-private-", "vitrine-image.", NULL };
/* clang-format on */

static int refuse(struct error **err, const char *path, const char *why)
{
	_cleanup_free_ char *shown = text_escape(path, strlen(path));

	return error_set(err, EPERM, "'%s' %s", shown, why);
}

static bool is_beneath(const char *path, const char *dir)
{
	const char *rest = fold_beneath(path, dir);

	return rest && *rest;
}

static bool has_begin(const char *path, const char *const *begins)
{
	for (; begins && *begins; begins++)
		if (fold_begins(path, *begins))
			return true;
	return false;
}

bool protected_begins(const char *rest)
{
	return has_begin(rest, protected_begins_in_home);
}

/* Of a medium that can be taken out, not the directory of all media or of those of one user. */
static bool is_removable(const char *path)
{
	const char *rest = fold_beneath(path, "/run/media");

	return rest && strchr(rest, '/');
}

/* Files of other machines, and documents that portals handed out; but not the view of them that a
 * portal made for one application. */
static bool is_of_user(const char *path, uid_t uid)
{
	_cleanup_free_ char *gvfs = xasprintf("/run/user/%u/gvfs", uid);
	_cleanup_free_ char *doc = xasprintf("/run/user/%u/doc", uid);
	const char *document = fold_beneath(path, doc);

	return is_beneath(path, gvfs) ||
	       (document && *document && !fold_beneath(document, "by-app"));
}

static int check_system(const struct protection *p, const char *path, struct error **err)
{
	const char *in = fold_beneath(path, "/tmp");

	if (in && has_begin(in, in_tmp))
		return refuse(err, path, "belongs to a display, a bus or an agent: never given");
	if (fold_same(path, "/var/tmp"))
		return refuse(err, path, "is shared by all programs: give what is needed of it");
	in = fold_beneath(path, "/var/tmp");
	if (in && has_begin(in, in_var_tmp))
		return refuse(err, path, "is the work of another program: never given");
	if (is_beneath(path, "/var/tmp") || is_removable(path) || is_of_user(path, p->uid))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(system_paths); i++) {
		in = fold_beneath(path, system_paths[i].path);
		if (in && system_paths[i].reach == ALL)
			return refuse(err, path,
				      "belongs to the system: copy what is needed into your home");
		if (in && !*in)
			return refuse(err, path, "holds too much: give what is needed of it");
	}
	return 0;
}

static int check_home(const char *path, const char *rest, bool directory, struct error **err)
{
	bool found = protected_begins(rest);

	if (!*rest)
		return refuse(err, path, "is your home: give a directory beneath it");
	for (const char *const *name = protected_in_home; *name && !found; name++)
		found = fold_beneath(rest, *name);
	if (!found)
		return 0;
	return refuse(err, path,
		      directory ? "decides what runs outside of the sandbox: copy the files needed "
				  "to another directory and give that"
				: "decides what runs outside of the sandbox: give a copy of it");
}

static bool is_elsewhere(const struct protection *p, const char *path)
{
	for (char *const *other = p->elsewhere; other && *other; other++)
		if (fold_beneath(path, *other))
			return true;
	return has_begin(path, (const char *const *)p->begins);
}

int protected_check(const struct protection *p, const char *path, bool directory,
		    struct error **err)
{
	const char *rest = fold_beneath(path, p->home);

	if (strcmp(path, "/") != 0 && !path_is_shortest(path))
		return refuse(err, path, "is not an absolute path in its shortest form");
	if (!strcmp(path, "/") || is_beneath(p->home, path))
		return refuse(err, path, "holds your home: give a directory beneath that");
	if (is_elsewhere(p, path))
		return refuse(err, path,
			      "is where a link of your own settings leads, which decide what "
			      "runs outside of the sandbox: give a copy of it");
	return rest ? check_home(path, rest, directory, err) : check_system(p, path, err);
}

/* `more` ends the mask: "*" where `path` is only how names begin. */
static void add_mask(char ***masks, const char *tree, const char *path, const char *more)
{
	const char *rest = fold_beneath(path, tree);
	_cleanup_free_ char *mask = rest && *rest ? xasprintf("%s%s", rest, more) : NULL;

	if (mask && !strv_contains(*masks, mask))
		strv_take(masks, TAKE_PTR(mask));
}

static void add_masks_of_home(char ***masks, const char *tree, const char *home,
			      const char *const *names, const char *more)
{
	for (; *names; names++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", home, *names);

		add_mask(masks, tree, path, more);
	}
}

char **protected_masks(const struct protection *p, const char *path)
{
	char **masks = NULL;

	add_masks_of_home(&masks, path, p->home, protected_in_home, "");
	add_masks_of_home(&masks, path, p->home, protected_begins_in_home, "*");
	for (char *const *other = p->elsewhere; other && *other; other++)
		add_mask(&masks, path, *other, "");
	for (char *const *begin = p->begins; begin && *begin; begin++)
		add_mask(&masks, path, *begin, "*");
	return masks;
}
