#include "emit/lxc.h"

#include <string.h>

#include "base/buf.h"

bool lxc_path_is_plain(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
			     "/._+@~-");

	return *s == '/' && !s[n] && !strstr(s, "/../");
}

static int check_path(const char *what, const char *path, struct error **err)
{
	if (!lxc_path_is_plain(path))
		return error_set(err, EINVAL, "%s is not a path for an LXC configuration", what);
	return 0;
}

/* Box root is an id of its own, which owns nothing; so is the group of terminals. */
static void add_id_maps(struct buf *out, const struct box_plan *b)
{
	const struct {
		char type;
		uint32_t inside, outside;
	} maps[] = {
		{ 'u', 0, b->slice.first },	{ 'g', 0, b->slice.first },
		{ 'u', b->uid, b->user },	{ 'g', b->gid, b->user },
		{ 'g', 5, b->slice.first + 2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		buf_addf(out, "lxc.idmap = %c %u %u 1\n", maps[i].type, maps[i].inside,
			 maps[i].outside);
}

void lxc_fragments(enum box_kind kind, enum network_mode network,
		   const char *ret[LXC_FRAGMENTS_MAX + 1])
{
	static const char *const of_kind[] = {
		[BOX_APP] = "app.conf",
		[BOX_DISPLAY] = "display.conf",
		[BOX_VIEWER] = "viewer.conf",
	};
	static const char *const of_network[] = {
		[NETWORK_NONE] = "network-none.conf",
		[NETWORK_PRIVATE] = "network-private.conf",
	};

	ret[0] = "common.conf";
	ret[1] = "devices.conf";
	ret[2] = of_kind[kind];
	ret[3] = of_network[kind == BOX_APP ? network : NETWORK_NONE];
	ret[4] = NULL;
}

int lxc_config_render(const struct box_plan *b, const struct lxc_inputs *in, char **ret,
		      struct error **err)
{
	_cleanup_buf_ struct buf out = { 0 };
	int r;

	r = check_path("root", in->root, err);
	if (r < 0)
		return r;
	r = check_path("seccomp profile", in->seccomp_profile, err);
	if (r < 0)
		return r;
	buf_addf(&out, "%s\n", in->fragments);
	buf_addf(&out, "lxc.uts.name = %s\n", b->host_name);
	buf_addf(&out, "lxc.rootfs.path = dir:%s\n", in->root);
	add_id_maps(&out, b);
	buf_addf(&out, "lxc.mount.entry = %s" BOX_BOOT_ID_FILE " %s none bind,ro 0 0\n", in->root,
		 BOX_BOOT_ID_TARGET);
	buf_addf(&out, "lxc.init.uid = %u\n", b->uid);
	buf_addf(&out, "lxc.init.gid = %u\n", b->gid);
	buf_addf(&out, "lxc.init.cmd = %s\n", BOX_INIT);
	buf_addf(&out, "lxc.prlimit.nofile = %u:%u\n", b->limits.open_files_soft,
		 b->limits.open_files);
	buf_addf(&out, "lxc.seccomp.profile = %s\n", in->seccomp_profile);
	r = lxc_config_check(out.data, b->user == OWNER_USER, err);
	if (r < 0)
		return error_prefix(err, "%s box", box_kind_to_string(b->kind));
	*ret = buf_take(&out);
	return 0;
}
