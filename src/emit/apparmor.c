#include "emit/apparmor.h"

#include <string.h>

#include "base/buf.h"
#include "base/sha256.h"

#define NAME_DIGITS 32

/* Reading, and whatever is the same for every box, is left to the floor. */
static const char head[] = "  / r,\n"
			   "  /** mr,\n"
			   "  /{bin,lib,lib32,lib64,libx32,opt,sbin,usr}/** ix,\n"
			   "  /{dev,proc,run/vitrine}/** wkl,\n"
			   "  network,\n"
			   "  ptrace,\n"
			   "  signal,\n"
			   "  unix,\n";

/* For what has a meaning in AppArmor's language stands '?', which is any character but '/'. */
static void add_path(struct buf *out, const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "/._+~ -";

	for (; *path; path++)
		buf_add(out, strchr(plain, *path) ? path : "?", 1);
}

static void add_rule(struct buf *out, const char *before, const struct box_mount *m,
		     const char *permissions)
{
	buf_addf(out, "  %s\"", before);
	add_path(out, m->target);
	buf_addf(out, "%s\" %s,\n", m->file ? "" : "/{,**}", permissions);
}

/* Something of the user's: no other rule that covers its place shall count. */
static bool is_grant(const struct box_plan *b, const struct box_mount *m)
{
	return m->source == MOUNT_GATE || (m->source == MOUNT_HOST && b->kind == BOX_APP);
}

/* Directories of the box's root are above those that its user writes. */
static bool is_writable(const struct box_plan *b, const struct box_mount *m)
{
	return !m->read_only && (m->owner != (int32_t)b->slice.first || m->mode & 02);
}

static void add_mount(struct buf *out, const struct box_plan *b, const struct box_mount *m)
{
	if (is_writable(b, m))
		add_rule(out, "", m, "wkl");
	else if (is_grant(b, m))
		add_rule(out, "audit deny ", m, "wkl");
	if (m->exec)
		add_rule(out, "", m, "ix");
}

/* As the floor has it: AppArmor asks for a capability in every namespace, and both must allow it.
 */
static const char nested[] = "  include <vitrine/userns>\n"
			     "  capability sys_admin,\n"
			     "  capability sys_chroot,\n";

void apparmor_render(const struct box_plan *b, struct apparmor_profile *ret)
{
	_cleanup_free_ char *digest = NULL;
	_cleanup_buf_ struct buf rules = { 0 };

	buf_adds(&rules, head);
	if (b->root_writable)
		buf_adds(&rules, "  /** wkl,\n");
	if (b->namespaces[NAMESPACE_USER])
		buf_adds(&rules, nested);
	for (size_t i = 0; i < b->n_mounts; i++)
		add_mount(&rules, b, &b->mounts[i]);
	digest = sha256_hex(rules.data, rules.size);
	ret->name = xasprintf("%s-%.*s", box_kind_to_string(b->kind), NAME_DIGITS, digest);
	ret->text = xasprintf("include <vitrine/abi>\n\n"
			      "profile %s flags=(attach_disconnected, mediate_deleted) {\n%s}\n",
			      ret->name, rules.data);
}

void apparmor_profile_release(struct apparmor_profile *p)
{
	free(p->name);
	free(p->text);
	*p = (struct apparmor_profile){ 0 };
}
