#include "profile/profile.h"

#include <string.h>

#include "base/ini.h"
#include "base/strv.h"
#include "base/text.h"
#include "profile/choice.h"
#include "profile/value.h"

/* The offset of a field; does not compile if the field has another type than the row says. */
#define FIELD(type, field)                                                               \
	(offsetof(struct profile, field) +                                               \
	 0 * sizeof(struct {                                                             \
		 _Static_assert(__builtin_types_compatible_p(                            \
					type, __typeof__(((struct profile *)0)->field)), \
				#field " does not have type " #type);                    \
		 int dummy;                                                              \
	 }))

#define STRING(field, form) .type = &value_string, .offset = FIELD(char *, field), .check = &(form)
#define LIST(field, form)   .type = &value_list, .offset = FIELD(char **, field), .check = &(form)
#define BOOL(field)	    .type = &value_bool, .offset = FIELD(bool, field)
#define CHOICE(of, field, names) \
	.type = &value_choice, .offset = FIELD(of, field), .choices = (names)
#define SIZE(field, low, high) \
	.type = &value_size, .offset = FIELD(uint64_t, field), .min = (low), .max = (high)
#define COUNT(field, low, high) \
	.type = &value_count, .offset = FIELD(uint32_t, field), .min = (low), .max = (high)

#define PERCENT(field, low, high) \
	.type = &value_percent, .offset = FIELD(uint32_t, field), .min = (low), .max = (high)

#define MIB (UINT64_C(1) << 20)

_Static_assert(sizeof(enum display_backend) == sizeof(unsigned), "value_choice stores unsigned");

/* Every key there is. A key that is not given has its fallback, the strictest value. */
/* clang-format off */
static const struct key keys[] = {
	{ "App",         "Command",        NULL,        STRING(command, check_command) },
	{ "App",         "Argument",       NULL,        LIST(arguments, check_argument) },
	{ "App",         "Alias",          NULL,        LIST(aliases, check_name) },
	{ "App",         "Image",          "base",      STRING(image, check_name) },
	{ "App",         "Title",          NULL,        STRING(title, check_title) },
	{ "App",         "SingleInstance", "no",        BOOL(single_instance) },
	{ "Files",       "Root",           "read-only", CHOICE(enum root_mode, root, root_mode_names) },
	{ "Files",       "Home",           "empty",     CHOICE(enum home_mode, home, home_mode_names) },
	{ "Files",       "Kept",           NULL,        LIST(kept, check_kept_path) },
	{ "Files",       "Arguments",      "none",      CHOICE(enum file_arguments, file_arguments, file_arguments_names) },
	{ "Files",       "ReadOnly",       NULL,        LIST(read_only, check_host_path) },
	{ "Files",       "ReadWrite",      NULL,        LIST(read_write, check_host_path) },
	{ "Exec",        "WritableMounts", "no",        BOOL(writable_mounts) },
	{ "Display",     "Backend",        "xpra",      CHOICE(enum display_backend, display, display_backend_names) },
	{ "Display",     "Viewer",         "box",       CHOICE(enum display_viewer, viewer, display_viewer_names) },
	{ "Display",     "Clipboard",      "none",      CHOICE(enum clipboard, clipboard, clipboard_names) },
	{ "Display",     "Border",         "#c02020",   STRING(border, check_colour) },
	{ "Display",     "Screen",         "1024x768",  STRING(screen, check_screen) },
	{ "Sound",       "Playback",       "no",        BOOL(playback) },
	{ "Network",     "Mode",           "none",      CHOICE(enum network_mode, network, network_mode_names) },
	{ "Limits",      "Disk",           "512M",      SIZE(disk, MIB, 65536 * MIB) },
	{ "Limits",      "Inodes",         "65536",     COUNT(inodes, 1024, 16777216) },
	{ "Limits",      "Memory",         "4G",        SIZE(memory, 64 * MIB, 1048576 * MIB) },
	{ "Limits",      "Tasks",          "1024",      COUNT(tasks, 32, 4194304) },
	{ "Limits",      "Cpu",            NULL,        PERCENT(cpu, 1, 102400) },
	{ "Limits",      "Io",             NULL,        SIZE(io, MIB, 1048576 * MIB) },
	{ "Limits",      "OpenFiles",      "4096",      COUNT(open_files, 256, 1048576) },
	{ "Limits",      "Required",       "no",        BOOL(limits_required) },
	{ "AppArmor",    "Required",       "no",        BOOL(apparmor_required) },
	{ "Identity",    "UidMode",        "isolated",  CHOICE(enum uid_mode, uid_mode, uid_mode_names) },
	{ "Environment", "Variable",       NULL,        LIST(environment, check_variable) },
	{ "Session",     "ViewerLost",     "end",       CHOICE(enum viewer_lost, viewer_lost, viewer_lost_names) },
};
/* clang-format on */

struct reader {
	struct profile *profile;
	bool seen[ARRAY_SIZE(keys)];
};

static void *field_of(struct profile *p, const struct key *k)
{
	return (char *)p + k->offset;
}

static int check_section(const char *section, struct error **err)
{
	_cleanup_strv_ char **sections = NULL;
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!strcmp(keys[i].section, section))
			return 0;
		strv_add(&sections, keys[i].section);
	}
	near = text_suggest(section, sections);
	if (near)
		return error_set(err, EINVAL, "unknown section [%s]; did you mean [%s]?", section,
				 near);
	return error_set(err, EINVAL, "unknown section [%s]", section);
}

static int refuse_key(const struct ini_entry *e, struct error **err)
{
	_cleanup_strv_ char **names = NULL;
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!strcmp(keys[i].section, e->section))
			strv_add(&names, keys[i].name);
		else if (!strcmp(keys[i].name, e->key))
			return error_set(err, EINVAL, "%s= belongs into [%s], not [%s]", e->key,
					 keys[i].section, e->section);
	}
	near = text_suggest(e->key, names);
	if (near)
		return error_set(err, EINVAL, "unknown key %s= in [%s]; did you mean %s=?", e->key,
				 e->section, near);
	return error_set(err, EINVAL, "unknown key %s= in [%s]", e->key, e->section);
}

static int set_key(void *user, const struct ini_entry *e, struct error **err)
{
	struct reader *reader = user;

	if (!e->key)
		return check_section(e->section, err);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct key *k = &keys[i];

		if (strcmp(k->section, e->section) || strcmp(k->name, e->key))
			continue;
		if (reader->seen[i] && !k->type->is_list)
			return error_set(err, EINVAL, "%s= is given twice", k->name);
		reader->seen[i] = true;
		return k->type->read(k, field_of(reader->profile, k), e->value, err);
	}
	return refuse_key(e, err);
}

static int set_fallbacks(struct profile *p, struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct key *k = &keys[i];
		int r;

		if (!k->fallback)
			continue;
		r = k->type->read(k, field_of(p, k), k->fallback, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int profile_read(const char *text, size_t size, const char *file, const char *name,
		 struct profile **ret, struct error **err)
{
	_cleanup_(profile_freep) struct profile *p = xcalloc(1, sizeof *p);
	struct reader reader = { .profile = p };
	int r;

	p->name = xstrdup(name);
	r = set_fallbacks(p, err);
	if (r < 0)
		return r;
	r = ini_read(text, size, file, set_key, &reader, err);
	if (r < 0)
		return r;
	if (!p->command)
		return error_set(err, EINVAL, "%s: Command= is missing in [App]", file);
	*ret = TAKE_PTR(p);
	return 0;
}

char *profile_write(const struct profile *p)
{
	_cleanup_buf_ struct buf out = { 0 };
	const char *section = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct key *k = &keys[i];
		_cleanup_buf_ struct buf lines = { 0 };

		k->type->write(k, (const char *)p + k->offset, &lines);
		if (!lines.size)
			continue;
		if (!section || strcmp(section, k->section))
			buf_addf(&out, "%s[%s]\n", section ? "\n" : "", k->section);
		section = k->section;
		buf_add(&out, lines.data, lines.size);
	}
	return buf_take(&out);
}

bool profile_key_at(size_t i, struct profile_key *ret)
{
	if (i >= ARRAY_SIZE(keys))
		return false;
	*ret = (struct profile_key){
		.section = keys[i].section,
		.name = keys[i].name,
		.is_list = keys[i].type->is_list,
	};
	return true;
}

struct profile *profile_free(struct profile *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].type->release)
			keys[i].type->release(field_of(p, &keys[i]));
	free(p->name);
	free(p);
	return NULL;
}
