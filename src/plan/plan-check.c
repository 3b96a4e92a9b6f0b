#include "plan/plan-check.h"

#include <string.h>

#include "base/strv.h"
#include "base/text.h"

#define LETTERS	   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS	   "0123456789"
#define ID_MAX	   (NAME_LENGTH_MAX + 16)
#define USER_MAX   64
#define PATH_LIMIT 1024
#define QUOTE_MAX  64 /* bytes of a value that a message shows */
#define TTY_GROUP  5
#define NOBODY	   65534

static int refuse(struct error **err, const char *what, const char *text)
{
	_cleanup_free_ char *shown = text_escape(text, QUOTE_MAX);

	return error_set(err, EINVAL, "%s '%s' cannot be used in a sandbox", what, shown);
}

static bool consists_of(const char *s, const char *characters, size_t limit)
{
	size_t n = strspn(s, characters);

	return n > 0 && n <= limit && !s[n];
}

static bool is_plain_path(const char *s)
{
	return path_is_shortest(s) && strlen(s) <= PATH_LIMIT && text_is_clean(s);
}

static bool is_at_or_beneath(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (path[n] == '/' || !path[n]);
}

/* The home hides what the image has in its place: that must not be what the box lives on. ':' would
 * end the field in /etc/passwd. */
static bool is_home(const char *s)
{
	static const char *const system[] = {
		"/.vitrine", "/bin",	"/boot", "/dev", "/etc",  "/lib", "/lib32",
		"/lib64",    "/libx32", "/proc", "/run", "/sbin", "/sys", "/usr",
	};
	static const char *const shared[] = { "/home", "/tmp", "/var", "/var/lib", "/var/tmp" };

	for (size_t i = 0; i < ARRAY_SIZE(system); i++)
		if (is_at_or_beneath(s, system[i]))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		if (!strcmp(s, shared[i]))
			return false;
	return is_plain_path(s) && !strchr(s, ':');
}

static bool is_user_name(const char *s)
{
	return *s != '-' && consists_of(s, LETTERS DIGITS "_.@+-", USER_MAX);
}

static bool is_time_zone(const char *s)
{
	return *s != '/' && consists_of(s, LETTERS DIGITS "_+-/", USER_MAX);
}

int check_host(const struct host_facts *host, struct error **err)
{
	if (host->uid == 0 || host->gid == 0)
		return error_set(err, EPERM, "sandboxes are for ordinary users, not for root");
	if (host->uid == NOBODY || host->gid == NOBODY || host->gid == TTY_GROUP)
		return error_set(err, EINVAL,
				 "user %u with group %u cannot have sandboxes: the number has "
				 "another meaning inside",
				 host->uid, host->gid);
	if (!is_user_name(host->user))
		return refuse(err, "user name", host->user);
	if (!is_home(host->home))
		return refuse(err, "home directory", host->home);
	if (host->time_zone && !is_time_zone(host->time_zone))
		return refuse(err, "time zone", host->time_zone);
	if (host->locale && !consists_of(host->locale, LETTERS DIGITS "_.@-", USER_MAX))
		return refuse(err, "locale", host->locale);
	return 0;
}

int check_desktop(const struct host_facts *host, uint32_t display_number, struct error **err)
{
	if (!host->desktop_socket)
		return error_set(err, ENOTCONN,
				 "no desktop: DISPLAY names no X server of this machine");
	if (!is_plain_path(host->desktop_socket) || !strchr(host->desktop_socket + 1, '/'))
		return refuse(err, "socket of the desktop", host->desktop_socket);
	/* Both sockets may come to lie in one directory. */
	if (host->desktop_display == display_number)
		return error_set(err, EADDRINUSE, "display :%u is the desktop's own",
				 display_number);
	return 0;
}

int check_inputs(const struct plan_inputs *in, struct error **err)
{
	if (!consists_of(in->id, "abcdefghijklmnopqrstuvwxyz" DIGITS "-", ID_MAX) || *in->id == '-')
		return refuse(err, "sandbox id", in->id);
	if (in->display_number > 65535)
		return error_set(err, ERANGE, "display :%u is out of range", in->display_number);
	return 0;
}

/* Beneath the home, or where other disks are. */
static bool is_target(const char *path, const char *home)
{
	static const char *const roots[] = { "/media", "/mnt", "/run/media", "/srv" };

	if (is_at_or_beneath(path, home))
		return strcmp(path, home);
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
		if (is_at_or_beneath(path, roots[i]) && strcmp(path, roots[i]))
			return true;
	return false;
}

static int check_grant(const struct plan_inputs *in, size_t i, const char *home, struct error **err)
{
	_cleanup_free_ char *files = xasprintf("%s/" BOX_FILES_DIR, home);
	const struct plan_grant *g = &in->grants[i];
	_cleanup_free_ char *shown = text_escape(g->target, PATH_LIMIT);

	if (!is_plain_path(g->target) || !is_target(g->target, home))
		return error_set(
			err, EINVAL,
			"'%s' cannot be given by a profile: only what is beneath the home, "
			"/media, /mnt, /run/media or /srv",
			shown);
	if (is_at_or_beneath(g->target, files))
		return error_set(err, EINVAL,
				 "'%s' cannot be given by a profile: ~/" BOX_FILES_DIR
				 " is where other given files are seen inside",
				 shown);
	if (!g->directory && g->writable)
		return error_set(err, EINVAL,
				 "'%s' is a file: ReadWrite= gives directories, 'vitrine share' "
				 "gives single files to be written",
				 shown);
	for (size_t k = 0; k < in->n_grants; k++) {
		const struct plan_grant *other = &in->grants[k];

		if (k != i &&
		    (!strcmp(g->target, other->target) || !strcmp(g->source, other->source)))
			return error_set(err, EINVAL, "'%s' is given twice", shown);
		/* The application can rename what lies above it there: then a mount on it is gone,
		 * and what it was to protect is not. */
		if (k != i && other->writable && is_at_or_beneath(g->target, other->target))
			return error_set(err, EINVAL,
					 "'%s' lies beneath '%s', which can be written: give them "
					 "outside of each other",
					 shown, other->target);
	}
	return 0;
}

int check_grants(const struct plan_inputs *in, const char *home, struct error **err)
{
	for (size_t i = 0; i < in->n_grants; i++) {
		int r = check_grant(in, i, home, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int check_layers(char *const *layers, struct error **err)
{
	size_t n = strv_length(layers);

	if (!n || n > IMAGE_LAYERS_MAX)
		return error_set(err, E2BIG, "an image has 1 to %u layers, not %zu",
				 IMAGE_LAYERS_MAX, n);
	for (; *layers; layers++)
		if (!is_plain_path(*layers))
			return refuse(err, "image directory", *layers);
	return 0;
}

static bool overlap(const char *a, const char *b)
{
	return is_at_or_beneath(a, b) || is_at_or_beneath(b, a);
}

static int check_kept(const struct profile *p, size_t i, const char *home,
		      const struct plan_inputs *in, struct error **err)
{
	const char *path = p->kept[i];
	_cleanup_free_ char *target = xasprintf("%s/%s", home, path);
	_cleanup_free_ char *files = xasprintf("%s/" BOX_FILES_DIR, home);

	if (overlap(target, files))
		return error_set(err, EINVAL,
				 "profile '%s': Kept=%s cannot be: ~/" BOX_FILES_DIR
				 " is where given files are seen inside",
				 p->name, path);
	for (char **other = p->kept; *other; other++) {
		_cleanup_free_ char *there = xasprintf("%s/%s", home, *other);

		if (other != &p->kept[i] && overlap(target, there))
			return error_set(
				err, EINVAL,
				"profile '%s': Kept=%s and Kept=%s lie in each other: name "
				"the one above alone",
				p->name, path, *other);
	}
	for (size_t k = 0; k < in->n_grants; k++)
		if (overlap(target, in->grants[k].target))
			return error_set(
				err, EINVAL,
				"profile '%s': Kept=%s and a file of yours lie in each other",
				p->name, path);
	return 0;
}

int check_home(const struct profile *p, const struct host_facts *host, const struct plan_inputs *in,
	       struct error **err)
{
	int r = 0;

	if (p->home == HOME_KEPT && p->kept)
		return error_set(
			err, EINVAL,
			"profile '%s': with Home=kept all of the home is kept: take Kept= out",
			p->name);
	/* Its files have ids of their own so that neither the user's programs nor another sandbox
	 * ever act on what an application left. */
	if (plan_keeps_files(p) && p->uid_mode == UID_USER)
		return error_set(
			err, EINVAL,
			"profile '%s': what Home=kept and Kept= keep belongs to ids of its "
			"own: take UidMode=user out, or give a directory with ReadWrite=",
			p->name);
	if (plan_keeps_files(p) && (!in->kept_dir || !is_plain_path(in->kept_dir)))
		return refuse(err, "directory of kept files", in->kept_dir ? in->kept_dir : "");
	if (p->home == HOME_PREPARED && (!in->prepared_dir || !is_plain_path(in->prepared_dir)))
		return refuse(err, "prepared home", in->prepared_dir ? in->prepared_dir : "");
	for (size_t i = 0; p->kept && p->kept[i] && r >= 0; i++)
		r = check_kept(p, i, host->home, in, err);
	return r;
}

int check_box_inputs(const struct plan_inputs *in, enum box_kind kind, struct error **err)
{
	const struct slice *s = &in->slices[kind];
	int r;

	r = check_layers(in->image_layers[kind], err);
	if (r < 0)
		return r;
	if (s->number >= SLICE_COUNT || s->first != SLICE_FIRST + s->number * SLICE_IDS)
		return error_set(err, ERANGE, "ids %u of slice %u are not a slice's", s->first,
				 s->number);
	for (enum box_kind other = 0; other < kind; other++)
		if (in->image_layers[other] && in->slices[other].number == s->number)
			return error_set(err, EINVAL, "two boxes with the ids of slice %u",
					 s->number);
	return 0;
}

int plan_check_program(const char *program, struct error **err)
{
	const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;

	if (!text_is_clean(program) || strlen(program) > PATH_LIMIT || !*name ||
	    (!slash && *name == '-') || !strcmp(name, ".") || !strcmp(name, ".."))
		return refuse(err, "program", program);
	return 0;
}
