#include "cli/image-commands.h"

int image_owner_gather(struct image_owner *ret, struct error **err)
{
	struct image_owner o = { .kind = STORE_SYSTEM };
	int r = 0;

	if (getuid() != 0) {
		o.kind = STORE_USER;
		r = facts_gather(&o.facts, err);
	}
	if (r < 0)
		return r;
	*ret = o;
	ret->home = ret->facts.home;
	return 0;
}

void image_owner_release(struct image_owner *o)
{
	facts_release(&o->facts);
	*o = IMAGE_OWNER_NONE;
}

int image_owner_open(const struct image_owner *o, bool make, struct store *ret, struct error **err)
{
	return store_open(o->kind, o->home, make, ret, err);
}

static const struct command *const verbs[] = {
	&cmd_image_build,
	&cmd_image_update,
	&cmd_image_import,
	&cmd_image_save,
	&cmd_image_list,
	&cmd_image_show,
	&cmd_image_verify,
	&cmd_image_rollback,
	&cmd_image_gc,
	&cmd_image_rm,
	NULL,
};

const struct command cmd_image = {
	.name = "image",
	.arguments = "VERB",
	.summary = "Make, list and remove images",
	.verbs = verbs,
};

static const struct command *const admin_verbs[] = {
	&cmd_admin_image_build, &cmd_image_import,
	&cmd_image_save,	&cmd_image_list,
	&cmd_image_show,	&cmd_image_verify,
	&cmd_image_rollback,	&cmd_image_gc,
	&cmd_image_rm,		NULL,
};

const struct command cmd_admin_image = {
	.noun = "admin",
	.name = "image",
	.arguments = "VERB",
	.summary = "Make, list and remove images of the system",
	.verbs = admin_verbs,
	.only_root = true,
};
