#include "profile/keys.h"

#include <string.h>

#include "base/alloc.h"
#include "profile/check.h"
#include "profile/choice.h"
#include "profile/step.h"

/* The offset of a field; does not compile if the field has another type than the row says. */
#define FIELD(type, field)                                                               \
	(offsetof(struct profile, field) +                                               \
	 0 * sizeof(struct {                                                             \
		 _Static_assert(__builtin_types_compatible_p(                            \
					type, __typeof__(((struct profile *)0)->field)), \
				#field " does not have type " #type);                    \
		 int dummy;                                                              \
	 }))

#define STRING(field, form)	  .type = &value_string, .offset = FIELD(char *, field), .check = &(form)
#define LIST(field, form)	  .type = &value_list, .offset = FIELD(char **, field), .check = &(form)
#define OWN_LIST(field, form)	  LIST(field, form), .own = true
#define PATHS(field, other)	  LIST(field, check_host_path), .covered_by = FIELD(char **, other)
#define NAMES(field, form, other) LIST(field, form), .covered_by = FIELD(char **, other)
#define BOOL(field)		  .type = &value_bool, .offset = FIELD(bool, field)
#define CHOICE(of, field, names) \
	.type = &value_choice, .offset = FIELD(of, field), .choices = (names)
#define SIZE(field, low, high) \
	.type = &value_size, .offset = FIELD(uint64_t, field), .min = (low), .max = (high)
#define COUNT(field, low, high) \
	.type = &value_count, .offset = FIELD(uint32_t, field), .min = (low), .max = (high)

#define PERCENT(field, low, high) \
	.type = &value_percent, .offset = FIELD(uint32_t, field), .min = (low), .max = (high)

#define TIME(field, low, high) \
	.type = &value_time, .offset = FIELD(uint32_t, field), .min = (low), .max = (high)
#define UNSUPPORTED .type = &value_unsupported

#define MIB (UINT64_C(1) << 20)

_Static_assert(sizeof(enum display_backend) == sizeof(unsigned), "value_choice stores unsigned");

/* Every key there is. A key that is not given has its fallback, the strictest value. */
/* clang-format off */
static const struct key keys[] = {
	{ "Profile",      "Inherit",            NULL,        ORDER_NONE,     .type = &value_inherit, .check = &check_name, .own = true },
	{ "App",          "Command",            NULL,        ORDER_NONE,     STRING(command, check_command) },
	{ "App",          "Argument",           NULL,        ORDER_NONE,     LIST(arguments, check_argument) },
	{ "App",          "Alias",              NULL,        ORDER_NONE,     OWN_LIST(aliases, check_name) },
	{ "App",          "Image",              "base",      ORDER_NONE,     STRING(image, check_name) },
	{ "App",          "Package",            NULL,        ORDER_NONE,     LIST(packages, check_package) },
	{ "App",          "Title",              NULL,        ORDER_NONE,     STRING(title, check_title) },
	{ "App",          "SingleInstance",     "no",        ORDER_NONE,     BOOL(single_instance) },
	{ "App",          "DesktopFile",        NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "App",          "MimeType",           NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "App",          "Icon",               NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Files",        "Root",               "read-only", ORDER_MORE,     CHOICE(enum root_mode, root, root_mode_names) },
	{ "Files",        "Home",               "empty",     ORDER_MORE,     CHOICE(enum home_mode, home, home_mode_names) },
	{ "Files",        "Kept",               NULL,        ORDER_SET,      LIST(kept, check_kept_path) },
	{ "Files",        "Arguments",          "none",      ORDER_MORE,     CHOICE(enum file_arguments, file_arguments, file_arguments_names) },
	{ "Files",        "ReadOnly",           NULL,        ORDER_PATHS,    PATHS(read_only, read_write) },
	{ "Files",        "ReadWrite",          NULL,        ORDER_PATHS,    PATHS(read_write, read_write) },
	{ "Exec",         "WritableMounts",     "no",        ORDER_MORE,     BOOL(writable_mounts) },
	{ "Exec",         "Program",            NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Display",      "Backend",            "xpra",      ORDER_MORE,     CHOICE(enum display_backend, display, display_backend_names) },
	{ "Display",      "Viewer",             "box",       ORDER_MORE,     CHOICE(enum display_viewer, viewer, display_viewer_names) },
	{ "Display",      "Clipboard",          "none",      ORDER_FLAGS,    CHOICE(enum clipboard, clipboard, clipboard_names) },
	{ "Display",      "Border",             "#c02020",   ORDER_NONE,     STRING(border, check_colour) },
	{ "Display",      "Screen",             "1024x768",  ORDER_NONE,     STRING(screen, check_screen) },
	{ "Sound",        "Playback",           "no",        ORDER_MORE,     BOOL(playback) },
	{ "Sound",        "Microphone",         NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Network",      "Mode",               "none",      ORDER_MORE,     CHOICE(enum network_mode, network, network_mode_names) },
	{ "Network",      "Allow",              NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Network",      "LocalNetwork",       NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Bus",          "Talk",               NULL,        ORDER_NAMES,    NAMES(bus_talk, check_bus_name, bus_own) },
	{ "Bus",          "Own",                NULL,        ORDER_NAMES,    NAMES(bus_own, check_bus_name, bus_own) },
	{ "Bus",          "Call",               NULL,        ORDER_NAMES,    NAMES(bus_call, check_bus_rule, bus_talk) },
	{ "Bus",          "Broadcast",          NULL,        ORDER_NAMES,    NAMES(bus_broadcast, check_bus_rule, bus_talk) },
	{ "Bus",          "Portals",            NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Bus",          "Notifications",      NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Bus",          "Accessibility",      NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Bus",          "InputMethods",       NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Open",         "Link",               NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Open",         "Type",               NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Devices",      "Gpu",                NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Devices",      "Camera",             NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Devices",      "Device",             NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Seccomp",      "Policy",             "gui",       ORDER_CHANGE,   STRING(seccomp_policy, check_name) },
	{ "Seccomp",      "Allow",              NULL,        ORDER_SET,      LIST(seccomp_allow, check_rule) },
	{ "Seccomp",      "Deny",               NULL,        ORDER_SET_LESS, LIST(seccomp_deny, check_rule) },
	{ "Seccomp",      "Answer",             "errno",     ORDER_NONE,     CHOICE(enum seccomp_answer, seccomp_answer, seccomp_answer_names) },
	{ "Seccomp",      "Abi",                "native",    ORDER_MORE,     CHOICE(enum seccomp_abi, seccomp_abi, seccomp_abi_names) },
	{ "Seccomp",      "UserNamespaces",     "0",         ORDER_MORE,     COUNT(user_namespaces, 0, 1024) },
	{ "Limits",       "Disk",               "512M",      ORDER_MORE,     SIZE(disk, MIB, 65536 * MIB) },
	{ "Limits",       "Inodes",             "65536",     ORDER_MORE,     COUNT(inodes, 1024, 16777216) },
	{ "Limits",       "Memory",             "4G",        ORDER_MORE,     SIZE(memory, 64 * MIB, 1048576 * MIB) },
	{ "Limits",       "Tasks",              "1024",      ORDER_MORE,     COUNT(tasks, 32, 4194304) },
	{ "Limits",       "Cpu",                NULL,        ORDER_MORE,     PERCENT(cpu, 1, 102400) },
	{ "Limits",       "Io",                 NULL,        ORDER_MORE,     SIZE(io, MIB, 1048576 * MIB) },
	{ "Limits",       "OpenFiles",          "4096",      ORDER_MORE,     COUNT(open_files, 256, 1048576) },
	{ "Limits",       "Required",           "no",        ORDER_LESS,     BOOL(limits_required) },
	{ "AppArmor",     "Required",           "no",        ORDER_LESS,     BOOL(apparmor_required) },
	{ "Capabilities", "Keep",               NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Identity",     "UidMode",            "isolated",  ORDER_MORE,     CHOICE(enum uid_mode, uid_mode, uid_mode_names) },
	{ "Identity",     "HostName",           NULL,        ORDER_HOST,     STRING(host_name, check_name) },
	{ "Identity",     "TimeZone",           "host",      ORDER_HOST,     STRING(time_zone, check_time_zone) },
	{ "Identity",     "Locale",             "host",      ORDER_HOST,     STRING(locale, check_locale) },
	{ "Identity",     "MachineId",          NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Identity",     "Mac",                NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Environment",  "Variable",           NULL,        ORDER_NONE,     LIST(environment, check_variable) },
	{ "Session",      "ViewerLost",         "end",       ORDER_NONE,     CHOICE(enum viewer_lost, viewer_lost, viewer_lost_names) },
	{ "Session",      "Lifetime",           NULL,        ORDER_MORE,     TIME(lifetime, 1, 31536000) },
	{ "Session",      "Grace",              NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Session",      "ExitWithLastWindow", NULL,        ORDER_NONE,     UNSUPPORTED },
	{ "Test",         "File",               NULL,        ORDER_NONE,     OWN_LIST(test_files, check_sample) },
	{ "Test",         "Argument",           NULL,        ORDER_NONE,     OWN_LIST(test_arguments, check_any) },
	{ "Test",         "Window",             NULL,        ORDER_NONE,     STRING(test_window, check_any), .own = true },
	{ "Test",         "Step",               NULL,        ORDER_NONE,     OWN_LIST(test_steps, check_step), .explain = step_check },
	{ "Test",         "Timeout",            "90",        ORDER_NONE,     COUNT(test_timeout, 5, 3600), .own = true },
};
/* clang-format on */

_Static_assert(ARRAY_SIZE(keys) <= KEYS_MAX, "KEYS_MAX is too small");

size_t key_count(void)
{
	return ARRAY_SIZE(keys);
}

const struct key *key_at(size_t i)
{
	return i < ARRAY_SIZE(keys) ? &keys[i] : NULL;
}

size_t key_index(const struct key *k)
{
	return (size_t)(k - keys);
}

const struct key *key_find(const char *section, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i].section, section) && !strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

bool key_is_supported(const struct key *k)
{
	return k->type != &value_unsupported;
}

void *key_field(const struct key *k, struct profile *p)
{
	return (char *)p + k->offset;
}

const void *key_value(const struct key *k, const struct profile *p)
{
	return (const char *)p + k->offset;
}
