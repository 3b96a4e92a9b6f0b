#include "emit/lxc-stock.h"

#include <string.h>

#include "base/buf.h"
#include "base/strv.h"
#include "base/text.h"

#define QUOTE_MAX 64 /* bytes of a value that a message shows */

void lxc_stock_fragments(const char *ret[LXC_FRAGMENTS_MAX + 1])
{
	ret[0] = "common.conf";
	ret[1] = "network-none.conf";
	ret[2] = "stock.conf";
	ret[3] = NULL;
}

static int refuse(const char *what, const char *value, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(value, QUOTE_MAX);

	return error_set(err, EINVAL, "%s '%s' cannot be written into an LXC configuration", what,
			 shown);
}

static int add_root(struct buf *out, const struct box_plan *b, const struct lxc_stock *in,
		    struct error **err)
{
	if (!lxc_path_is_plain(in->rootfs))
		return refuse("directory", in->rootfs, err);
	if (!lxc_path_is_plain(in->seccomp_profile))
		return refuse("directory", in->seccomp_profile, err);
	buf_adds(out, "lxc.rootfs.path = overlay");
	for (char **layer = b->image_layers; *layer; layer++) {
		if (!lxc_path_is_plain(*layer))
			return refuse("directory", *layer, err);
		buf_addf(out, ":%s", *layer);
	}
	buf_addf(out, ":%s\n", in->rootfs);
	return 0;
}

static void add_id_maps(struct buf *out, const struct box_plan *b, const struct lxc_stock *in)
{
	uint32_t user = LXC_STOCK_USERS + 2 * in->number;
	const struct {
		char type;
		uint32_t inside, outside;
	} maps[] = {
		{ 'u', 0, in->first_uid + LXC_STOCK_ROOT },
		{ 'g', 0, in->first_gid + LXC_STOCK_ROOT },
		{ 'u', b->uid, in->first_uid + user },
		{ 'g', b->gid, in->first_gid + user },
		{ 'g', 5, in->first_gid + user + 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		buf_addf(out, "lxc.idmap = %c %u %u 1\n", maps[i].type, maps[i].inside,
			 maps[i].outside);
}

/* The rest of a sandbox's mounts come from programs that are not there. */
static bool is_scratch(const struct box_mount *m)
{
	return m->source == MOUNT_SCRATCH;
}

static bool lies_in_another(const struct box_plan *b, const struct box_mount *m)
{
	for (const struct box_mount *above = b->mounts; above < m; above++) {
		size_t n = strlen(above->target);

		if (is_scratch(above) && !strncmp(m->target, above->target, n) &&
		    m->target[n] == '/')
			return true;
	}
	return false;
}

static int add_scratch(struct buf *out, const struct box_plan *b, const struct lxc_stock *in,
		       struct error **err)
{
	size_t shares = 0;

	for (size_t i = 0; i < b->n_mounts; i++)
		shares += is_scratch(&b->mounts[i]);
	for (size_t i = 0; i < b->n_mounts; i++) {
		const struct box_mount *m = &b->mounts[i];

		if (!is_scratch(m))
			continue;
		if (!lxc_path_is_plain(m->target))
			return refuse("directory", m->target, err);
		buf_addf(out,
			 "lxc.mount.entry = tmpfs %s tmpfs nosuid,nodev,%smode=%o,size=%llu,"
			 "nr_inodes=%zu",
			 m->target + 1, m->exec ? "" : "noexec,", m->mode,
			 (unsigned long long)(in->disk / shares), in->inodes / shares);
		if ((uint32_t)m->owner == b->user)
			buf_addf(out, ",uid=%u,gid=%u", b->uid, b->gid);
		buf_adds(out, lies_in_another(b, m) ? ",create=dir 0 0\n" : " 0 0\n");
	}
	return 0;
}

/* liblxc parts a command at blanks, knows quotes and no way to escape one. Of a value that begins
 * and ends with a quote it takes both away, so the first word has none. */
static int add_command(struct buf *out, char *const *command, struct error **err)
{
	buf_addf(out, "lxc.execute.cmd =");
	for (char *const *word = command; *word; word++) {
		bool first = word == command;

		if (strpbrk(*word, first ? "'\"\\ " : "'\"\\") || !text_is_clean(*word) || !**word)
			return refuse("argument", *word, err);
		buf_addf(out, first ? " %s" : " \"%s\"", *word);
	}
	buf_adds(out, "\n");
	return 0;
}

/* liblxc takes blanks at the end of a value away. */
static bool ends_with_blank(const char *s)
{
	size_t n = strlen(s);

	return n && s[n - 1] == ' ';
}

int lxc_stock_render(const struct box_plan *b, const struct lxc_stock *in, char **ret,
		     struct error **err)
{
	_cleanup_buf_ struct buf out = { 0 };
	int r;

	if (!name_is_valid(b->host_name))
		return refuse("host name", b->host_name, err);
	buf_addf(&out, "%s\n", in->fragments);
	buf_addf(&out, "lxc.uts.name = %s\n", b->host_name);
	r = add_root(&out, b, in, err);
	if (r < 0)
		return r;
	add_id_maps(&out, b, in);
	r = add_scratch(&out, b, in, err);
	if (r < 0)
		return r;
	buf_addf(&out, "lxc.init.uid = %u\n", b->uid);
	buf_addf(&out, "lxc.init.gid = %u\n", b->gid);
	buf_addf(&out, "lxc.prlimit.nofile = %u:%u\n", b->limits.open_files_soft,
		 b->limits.open_files);
	buf_addf(&out, "lxc.seccomp.profile = %s\n", in->seccomp_profile);
	for (char **setting = b->environment; setting && *setting; setting++) {
		if (!text_is_clean(*setting) || ends_with_blank(*setting))
			return refuse("variable", *setting, err);
		buf_addf(&out, "lxc.environment = %s\n", *setting);
	}
	r = add_command(&out, in->command, err);
	if (r < 0)
		return r;
	*ret = buf_take(&out);
	return 0;
}
