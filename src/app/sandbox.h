#pragma once

/* One running sandbox as its supervisor holds it. Filled by the phases of launch.c, in their order.
 */

#include "app/control-server.h"
#include "app/facts.h"
#include "app/launch.h"
#include "app/log.h"
#include "app/registry.h"
#include "app/state.h"
#include "box/box.h"
#include "session/bus.h"
#include "session/display.h"
#include "session/gate.h"
#include "session/net.h"
#include "session/sound.h"
#include "session/stdio.h"
#include "session/x11-auth.h"

struct sandbox {
	const struct launch *launch;
	struct loop *loop;
	struct facts facts;
	int runtime_dir, lock;
	struct sandbox_dir dir;
	struct log *log;
	char *started; /* time of day */

	struct x11_desktop desktop;
	struct slice slices[BOX_KIND_MAX];
	char *image_dirs[BOX_KIND_MAX];
	int image_locks[BOX_KIND_MAX];
	struct plan_grant *grants; /* of the profile; strings owned */
	size_t n_grants;
	char **arguments; /* of the application: files have the paths that they have inside */
	struct plan *plan;
	int filter;
	struct holder holder;
	int shared; /* the tmpfs' directory `shared` */

	struct box *boxes[BOX_KIND_MAX];
	struct net *net;
	struct bus *bus;
	struct gate *gate;
	struct sound *sound;
	struct display *display;
	struct control *control;
	enum sandbox_state state; /* as it was told last */
	struct stdio *stdio;
	int signals;
	int grace; /* timer, once the application has failed */

	bool ended; /* the application did, by itself */
	bool done;  /* something ended the sandbox: leave the loop */
	int code;   /* exit code of the application or of the signal */
	char *lost; /* a part died: why. NULL when the application ended or somebody stopped it */
};

/* Makes the loop end; the first reason counts. */
void sandbox_stop(struct sandbox *s, int code);
void sandbox_lose(struct sandbox *s, const char *why);

/* Writes the state file: the sandbox is in this state now, with what is given to it now. */
int sandbox_tell(struct sandbox *s, enum sandbox_state state, struct error **err);

/* Ends and removes everything, whatever phase was reached. */
void sandbox_end(struct sandbox *s);
