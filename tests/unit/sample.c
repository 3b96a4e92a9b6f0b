#include "sample.h"

#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "emit/lxc.h"

const struct host_facts sample_host = {
	.uid = 1000,
	.gid = 1000,
	.user = "ann",
	.home = "/home/ann",
	.time_zone = "Europe/Berlin",
	.locale = "de_DE.UTF-8",
	.desktop_socket = "/tmp/.X11-unix/X1",
	.desktop_display = 1,
	.desktop_bus = "unix:path=/run/user/1000/bus",
	.cgroup_way = CGROUP_SYSTEMD,
	.controllers = LIMITS_ALL,
	.memory = UINT64_C(16) << 30,
	.open_files = 1048576,
	.apparmor = true,
	.floors = { true, true, true, true, true, true },
	.own_profiles = true,
	.xpra = true,
};

static char *const app_layers[] = { (char *)"/images/app/root", (char *)"/images/base/root", NULL };
static char *const display_layers[] = { (char *)"/images/display/root", NULL };

/* clang-format off */
#define INPUTS \
	.id = "sample-0123", \
	.display_number = 10, \
	.machine_id = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, \
			0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff }, \
	.kept_dir = "/home/ann/.local/share/vitrine/homes/sample", \
	.prepared_dir = "/home/ann/.local/share/vitrine/prepared/sample/1", \
	.slices = { { 7, SLICE_FIRST + 7 * SLICE_IDS }, \
		    { 8, SLICE_FIRST + 8 * SLICE_IDS }, \
		    { 9, SLICE_FIRST + 9 * SLICE_IDS } }, \
	.image_layers = { app_layers, display_layers, display_layers }

/* Not in the order of their targets. */
static const struct plan_grant grants[] = {
	{ (char *)"/srv/data", (char *)"trees/0", (char *)"/srv/data", true, true },
	{ (char *)"/disk/music", (char *)"trees/1", (char *)"/home/ann/Music", false, true },
	{ (char *)"/home/ann/Music/list", (char *)"files/list", (char *)"/home/ann/Music/list", false, false },
};
/* clang-format on */

const struct plan_inputs sample_inputs = { INPUTS };

const struct plan_inputs sample_inputs_with_grants = {
	INPUTS,
	.grants = grants,
	.n_grants = ARRAY_SIZE(grants),
};

const struct run_request as_profile = { .arguments = NULL };

int sample_plan(const char *profile, const char *name, const struct run_request *q,
		const struct host_facts *host, const struct plan_inputs *in, struct plan **ret,
		struct error **err)
{
	_cleanup_(profile_freep) struct profile *p = NULL;
	int r;

	r = profile_read(profile, strlen(profile), name, name, &p, err);
	return r < 0 ? r : plan_make(p, q, host, in, ret, err);
}

int sample_config(const struct plan *p, enum box_kind kind, const char *fragments, char **ret,
		  struct error **err)
{
	_cleanup_free_ char *root = xasprintf("/run/vitrine/%s/%s/root", p->id,
					      box_kind_to_string(kind));
	struct lxc_inputs in = {
		.root = root,
		.seccomp_profile = "/usr/share/vitrine/seccomp-policies/lxc-deny.policy",
	};
	const char *names[LXC_FRAGMENTS_MAX + 1];
	_cleanup_buf_ struct buf text = { 0 };

	lxc_fragments(kind, p->network, names);
	for (const char **name = names; *name; name++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", fragments, *name), *one = NULL;
		int r = fs_read(AT_FDCWD, path, 65536, &one, NULL, err);

		if (r < 0)
			return r;
		buf_adds(&text, one);
	}
	in.fragments = text.data;
	return lxc_config_render(&p->boxes[kind], &in, ret, err);
}
