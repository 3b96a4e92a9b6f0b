#pragma once

/*
 * The plan of one sandbox: everything that is going to be done, decided from the profile, the
 * command line and the facts of the host. Pure data; nothing below it asks a question again.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "plan/plan-limits.h"
#include "plan/plan-namespaces.h"
#include "profile/profile.h"

/* The AppArmor profiles of boxes that root loads (apparmor/vitrine-boxes). */
enum apparmor_floor {
	FLOOR_APP,
	FLOOR_APP_EXEC,	       /* what can be written can be executed */
	FLOOR_APP_NESTED,      /* namespaces of its own can be made */
	FLOOR_APP_EXEC_NESTED, /* both */
	FLOOR_DISPLAY,
	FLOOR_VIEWER,
	FLOOR_MAX,
};

/* Facts of this host and this user that the plan depends on. Owned by the caller. */
struct host_facts {
	uid_t uid;
	gid_t gid;
	const char *user;	    /* login name, shown inside too */
	const char *home;	    /* absolute; its path is the same inside */
	const char *time_zone;	    /* e.g. "Europe/Berlin", or NULL for UTC */
	const char *locale;	    /* e.g. "de_DE.UTF-8", or NULL for C.UTF-8 */
	const char *desktop_socket; /* /tmp/.X11-unix/XN of the desktop, or NULL without one */
	const char *host_name;	    /* as the desktop knows it, or NULL */
	const char *desktop_bus;    /* address of its session bus, a plain path; or NULL */
	uint32_t desktop_display;   /* its N */
	bool xpra;		    /* there is one of the host's own, for Viewer=host */
	bool apparmor;		    /* this kernel has it, and it is enabled */
	bool floors[FLOOR_MAX];	    /* which profiles are loaded */
	bool own_profiles;	    /* this user may load some, too */
	enum cgroup_way cgroup_way; /* who makes a control group */
	unsigned controllers;	    /* set of limits that it can enforce */
	uint64_t memory;	    /* bytes of the machine; 0: not known */
	uint32_t open_files;	    /* that this process may have at most; 0: any number */
};

enum box_kind {
	BOX_APP,
	BOX_DISPLAY,
	BOX_VIEWER,
	BOX_KIND_MAX,
};

/* The ids of one box: where they lie in the holder's user namespace. */
struct slice {
	uint32_t number; /* which slice, from 0; never that of another live box */
	uint32_t first;	 /* the first of SLICE_IDS ids in the holder: box root, the user, tty */
};

/* Images are squashed to one owner; slices stay clear of system ids all the same. */
#define SLICE_FIRST 1024U
#define SLICE_IDS   4U
#define SLICE_COUNT 4096U

/* The last of them belong to homes that are kept (session/homes.h), for as long as these are there:
 * slice_take() never gives one away. */
#define SLICE_KEPT  1024U
#define SLICE_TAKEN (SLICE_COUNT - SLICE_KEPT)

/* Owners of shared directories that belong to no box. */
#define OWNER_HOLDER -1	   /* root of the holder */
#define OWNER_USER   65536 /* the user's own id in the holder: the supervisor writes there */

enum mount_source {
	MOUNT_SCRATCH, /* a directory of this box alone, in the sandbox's tmpfs */
	MOUNT_SHARED,  /* a directory of the sandbox's tmpfs that several boxes or the host see */
	MOUNT_HOST,    /* a file or directory of the host, by absolute path without links */
	MOUNT_GATE,    /* what the gate shows at a place of its own (gate/protocol.h) */
	MOUNT_KEPT,    /* a directory of the host that belongs to the box's user; made if missing */
	MOUNT_COPY, /* the scratch directory BOX_HOME_SCRATCH, filled from a tree of the user's */
};

struct box_mount {
	enum mount_source source;
	char *name;	/* scratch, shared: the directory's name; host, kept, copy: its path; gate:
			   the place */
	char *target;	/* absolute path inside, never through a link of the image: made in the
			   identity layer, or in the directory of an earlier mount that it is beneath
			 */
	bool file;	/* gate: not a directory */
	bool read_only; /* all mounts are nosuid and nodev */
	bool exec;	/* otherwise noexec */
	mode_t mode;	/* of a scratch or shared directory */
	int32_t owner;	/* its owner, as an id in the holder, or one of OWNER_; gate: of directories
			   that must be made above the target */
};

/* A file that is made for this box alone and lies over the image: its identity. */
struct box_file {
	char *path; /* absolute, inside */
	char *content;
	mode_t mode;
};

#define IMAGE_LAYERS_MAX 32U /* trees of one image */

/* One container, ready to be rendered and started. */
struct box_plan {
	enum box_kind kind;
	char *host_name;
	char **image_layers; /* absolute paths of the image's trees, the topmost first */
	struct slice slice;
	uid_t uid; /* numbers inside; in the holder both are: */
	gid_t gid;
	uint32_t user; /* the slice's second id, or with UidMode=user OWNER_USER */
	bool root_writable;
	struct box_mount *mounts; /* in the order of mounting: parents first */
	size_t n_mounts;
	struct box_file *files;
	size_t n_files;
	char **environment; /* NAME=VALUE of every process in it */
	const char *floor;  /* AppArmor profile, static; NULL: this kernel has none */
	bool own_profile;   /* and on it one that is rendered from this (emit/apparmor.h) */
	char *home;
	struct limits limits;
	uint32_t namespaces[NAMESPACE_KIND_MAX]; /* that may exist in it at a time */
};

/* What the user asked for on the command line besides what a profile could say. */
struct run_request {
	char *const *arguments; /* of the application */
	/* `run -- PROGRAM`: instead of the profile's command and arguments. With a '/' it is a file
	 * of the host that is copied in, without one it is looked up in the image. */
	const char *program;
};

/* A path of the host that the profile gives. */
struct plan_grant {
	char *source; /* real path */
	char *place;  /* the gate's (gate/protocol.h); NULL with UidMode=user */
	char *target; /* absolute, inside */
	bool writable;
	bool directory;
};

/* What was reserved or drawn for this one sandbox. Owned by the caller. */
struct plan_inputs {
	const char *id;				 /* PROFILE-xxxx */
	uint32_t display_number;		 /* of the sandbox's own X server */
	unsigned char machine_id[16];		 /* random */
	struct slice slices[BOX_KIND_MAX];	 /* of the boxes that are needed */
	char *const *image_layers[BOX_KIND_MAX]; /* as well; absolute, the topmost first */
	const char *kept_dir;	  /* of this profile (session/homes.h); NULL: it keeps nothing */
	const char *prepared_dir; /* the tree of its prepared home, or NULL */
	const struct plan_grant *grants; /* opened and checked (plan/protected.h) */
	size_t n_grants;
};

/* What passes through the filter between the application and the desktop's session bus. */
struct plan_bus {
	char *address; /* of the desktop's; NULL: the application does not reach it */
	char **talk, **own, **call, **broadcast;
};

struct plan {
	char *id; /* PROFILE-xxxx */
	char *profile;
	char *image;	/* name */
	char *label;	/* title prefix on every window */
	char **command; /* argv of the application, as seen inside */
	char *program;	/* host file that is copied to BOX_PROGRAM_DIR, as the caller named it; or
			   NULL */
	enum display_backend display;
	enum display_viewer viewer;
	enum clipboard clipboard;
	char *border;
	char *screen;
	bool playback;
	bool bus; /* a session bus of the sandbox's own */
	struct plan_bus desktop_bus;
	enum uid_mode uid_mode;
	enum home_mode home;
	char *kept_dir; /* or NULL */
	enum network_mode network;
	uint64_t disk;
	uint32_t inodes;
	enum viewer_lost viewer_lost;
	uint32_t lifetime;	 /* seconds; 0: no limit */
	uint32_t display_number; /* of the sandbox's own X server */
	char **notes;		 /* what this host cannot enforce, a sentence each; may be NULL */
	struct plan_limits limits;
	struct box_plan boxes[BOX_KIND_MAX];
	bool has_box[BOX_KIND_MAX];
};

#define DISPLAY_IMAGE "display" /* image of the display box and of the viewer box */

/* Paths inside the boxes that more than one part knows. */
#define BOX_INIT	      "/.vitrine/init"	  /* vitrine-init, PID 1 of every box */
#define BOX_BOOT_ID_FILE      "/.vitrine/boot-id" /* lies over the host's: */
#define BOX_BOOT_ID_TARGET    "proc/sys/kernel/random/boot_id"
#define BOX_AUTH_FILE	      "/run/vitrine/auth/Xauthority"
#define BOX_DESKTOP_AUTH_FILE "/run/vitrine/desktop-auth/Xauthority"
#define BOX_PROGRAM_DIR	      "/run/vitrine/program"
#define BOX_BUS_DIR	      "/run/vitrine/bus"
#define BOX_BUS_SOCKET	      "session" /* in it */
#define BOX_SOUND_DIR	      "/run/vitrine/sound"
#define BOX_XPRA_DIR	      "/run/vitrine/xpra"
#define BOX_FILES_DIR	      "Files" /* beneath the home: what the user gives */

/* Where files of a box lie in the sandbox's tmpfs: TREE/app/scratch/NAME, TREE/app/upper. */
#define BOX_HOME_SCRATCH "home"

/* Beneath plan_inputs.kept_dir: the home, and one directory for each path of Kept=. */
#define KEPT_HOME  "home"
#define KEPT_PATHS "kept"
#define KEPT_NEW   "%new" /* a directory in the making; no name of plan_kept_name() */

/* Which boxes and images a run needs: asked before the plan is made, to reserve them. */
bool plan_needs_box(const struct profile *p, enum box_kind kind);
const char *plan_image(const struct profile *p, enum box_kind kind);

/* Does the profile keep files that outlive the sandbox? */
bool plan_keeps_files(const struct profile *p);

/* The name in KEPT_PATHS of a path of Kept=, and back. Owned by the caller. */
char *plan_kept_name(const char *path);
char *plan_kept_path(const char *name);

/* Decides everything. Refuses what cannot be done safely on this host; nothing is left to fail
 * later for a reason that could be known here. */
int plan_make(const struct profile *p, const struct run_request *q, const struct host_facts *host,
	      const struct plan_inputs *in, struct plan **ret, struct error **err);

/* One fact per line, values escaped: for `vitrine show` and golden tests. Owned by the caller. */
char *plan_to_text(const struct plan *p);

struct plan *plan_free(struct plan *p);

static inline void plan_freep(struct plan **p)
{
	plan_free(*p);
}

void box_plan_release(struct box_plan *b);
extern const char *const box_kind_names[BOX_KIND_MAX + 1]; /* NULL-terminated */
const char *box_kind_to_string(enum box_kind kind);
const char *apparmor_floor_to_string(enum apparmor_floor floor);
