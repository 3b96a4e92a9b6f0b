#pragma once

/* One running sandbox as its supervisor holds it. Filled by the phases of launch.c, in their order.
 */

#include "app/bus-denial.h"
#include "app/control-server.h"
#include "app/facts.h"
#include "app/launch.h"
#include "app/log.h"
#include "app/registry.h"
#include "app/state.h"
#include "box/box.h"
#include "image/store.h"
#include "session/bus.h"
#include "session/desktop-bus.h"
#include "session/display.h"
#include "session/gate.h"
#include "session/homes.h"
#include "session/leaves.h"
#include "session/net.h"
#include "session/prepared.h"
#include "session/scope.h"
#include "session/sound.h"
#include "session/stdio.h"
#include "session/walker.h"
#include "session/watcher.h"
#include "session/x11-auth.h"

#define SANDBOX_WALKS_MAX 4U /* at once */

/* What a box runs under. */
struct box_label {
	char *label;  /* NULL: this kernel has no AppArmor */
	char *policy; /* what must be loaded for it, compiled; NULL: nothing */
	size_t policy_size;
};

struct sandbox {
	const struct launch *launch;
	const struct profile *profile; /* that of its permit */
	struct loop *loop;
	struct facts facts;
	int runtime_dir, lock;
	struct sandbox_dir dir;
	struct log *log;
	char *started; /* time of day */

	struct x11_desktop desktop;
	struct home home; /* what outlives the sandbox; HOME_NONE: nothing */
	int prepared; /* lock of the home that this one begins with; negative: it begins empty */
	char *prepared_dir;
	struct slice slices[BOX_KIND_MAX];
	struct image images[BOX_KIND_MAX]; /* of the boxes that are needed */
	struct plan_grant *grants;	   /* of the profile; strings owned */
	size_t n_grants;
	char **arguments; /* of the application: files have the paths that they have inside */
	struct plan *plan;
	struct scope *scope;   /* until the boxes are up */
	char *scope_name;      /* of its unit */
	struct leaves *leaves; /* NULL: there is no control group */
	struct source *watches[BOX_KIND_MAX];
	int events[BOX_KIND_MAX];     /* memory.events of the boxes; negative: none */
	uint64_t kills[BOX_KIND_MAX]; /* for want of memory, as said last */
	char *cgroup; /* directory of the sandbox's own (launch-limits.c); NULL: it has none */
	struct box_label labels[BOX_KIND_MAX]; /* AppArmor's */
	int filters[BOX_KIND_MAX];
	struct holder holder;
	int shared; /* the tmpfs' directory `shared` */

	/* The files of the application as they were when it started (app/launch-walks.c). */
	int snapshot; /* memory file; negative: all of it began empty */
	bool snapshot_done;
	char *snapshot_error;
	struct walker *snapshot_walk;
	int64_t since_s; /* when that was */
	uint32_t since_ns;
	struct walker *walks[SANDBOX_WALKS_MAX];

	struct box *boxes[BOX_KIND_MAX];
	struct net *net;
	struct bus *bus;
	struct desktop_bus *desktop_bus;
	struct bus_denials *bus_denials; /* what it has kept back */
	struct gate *gate;
	struct sound *sound;
	struct display *display;
	struct watcher *watcher; /* NULL: the application is not watched */
	int full_timer; /* looks whether there is room in the tmpfs; negative: nobody asks */
	struct source *full_source;
	bool was_full;
	struct control *control;
	enum sandbox_state state; /* as it was told last */
	struct stdio *stdio;
	int signals;
	int grace; /* timer, once the application has failed */
	struct source *grace_source;
	int lifetime; /* timer; negative: there is no end */
	struct source *lifetime_source;

	bool reviewed;	    /* what was held was looked at */
	bool running;	    /* the application was executed */
	bool ended;	    /* the application did, by itself */
	bool done;	    /* something ended the sandbox: leave the loop */
	char *display_lost; /* why, while the application may still tell that it has ended before */
	int code;	    /* exit code of the application or of the signal */
	char *explanation;  /* of the application's end, for people; or NULL */
	char *lost; /* a part died: why. NULL when the application ended or somebody stopped it */
};

/* Makes the loop end; the first reason counts. */
void sandbox_stop(struct sandbox *s, int code);
void sandbox_lose(struct sandbox *s, const char *why);

/* Something is missing that the user should know of, and that is no reason to stop: one sentence.
 */
void sandbox_note(const struct sandbox *s, const char *note);

/* Writes the state file: the sandbox is in this state now, with what is given to it now. */
int sandbox_tell(struct sandbox *s, enum sandbox_state state, struct error **err);

/* Ends the boxes and all that serves them; the files of the application stay, and can be looked at.
 */
int sandbox_hold(struct sandbox *s, struct error **err);

/* Ends what watches the application (launch-watch.c); before the boxes' control groups go. */
void watch_end(struct sandbox *s);

/* Ends what looks at the files of the application (launch-walks.c). */
void walks_end(struct sandbox *s);

/* Ends and removes everything, whatever phase was reached. */
void sandbox_end(struct sandbox *s);
