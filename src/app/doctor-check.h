#pragma once

/* What a check is, and all of them. A check runs in a process of its own (doctor.h). */

#include "app/doctor.h"

struct doctor_context {
	const struct facts *facts;
	/* of the environment; NULL where not set */
	const char *display, *xauthority, *runtime_dir, *pulse_server;
};

struct check;

/* Sets both to text that the caller owns; *ret_mend may be left alone when the result is OK. */
typedef enum doctor_result check_fn(const struct check *, const struct doctor_context *,
				    char **ret_detail, char **ret_mend);

struct check {
	const char *name;
	check_fn *run;
	const char *subject; /* the file, program, package or image that this row is about */
	const char *purpose; /* what is missing without it */
};

/* doctor-kernel.c: what the kernel lets an ordinary user do */
check_fn check_user_namespaces, check_overlay, check_fuse, check_overlay_upper, check_mount_api,
	check_device, check_seccomp, check_apparmor;

/* doctor-host.c: what is installed and configured */
check_fn check_sub_ids, check_id_mapper, check_helpers, check_filter, check_program, check_image,
	check_space, check_portal, check_denials;

/* doctor-profiles.c: what the installed profiles risk and need */
check_fn check_profiles, check_keys, check_homes, check_windows;

/* doctor-policy.c: the rules of the administrator */
check_fn check_policy;

/* doctor-session.c: the desktop session that this process is part of */
check_fn check_runtime_dir, check_cgroup, check_display, check_sound;
