/* render PROFILE FRAGMENTS WHAT: the plan (WHAT is "plan"), the LXC configuration of a box (its
 * name), or the app box's own AppArmor profile ("apparmor"), of the sample user on the sample host.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "emit/apparmor.h"
#include "tests/unit/sample.h"

static int render(const struct plan *p, const char *fragments, const char *what, char **ret,
		  struct error **err)
{
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++)
		if (p->has_box[k] && !strcmp(what, box_kind_to_string(k)))
			return sample_config(p, k, fragments, ret, err);
	if (!strcmp(what, "apparmor")) {
		struct apparmor_profile own = { 0 };

		apparmor_render(&p->boxes[BOX_APP], &own);
		*ret = TAKE_PTR(own.text);
		apparmor_profile_release(&own);
		return 0;
	}
	if (strcmp(what, "plan"))
		return error_set(err, EINVAL, "no '%s' in this plan", what);
	*ret = plan_to_text(p);
	return 0;
}

static int run(char **argv, struct error **err)
{
	_cleanup_free_ char *profile = NULL, *text = NULL, *name = NULL;
	_cleanup_(plan_freep) struct plan *plan = NULL;
	const char *slash = strrchr(argv[1], '/'), *file = slash ? slash + 1 : argv[1];
	int r;

	name = xstrndup(file, strcspn(file, "."));
	r = fs_read(AT_FDCWD, argv[1], 65536, &profile, NULL, err);
	if (r < 0)
		return r;
	r = sample_plan(profile, name, &as_profile, &sample_host,
			strstr(profile, "\nReadOnly=") ? &sample_inputs_with_grants
						       : &sample_inputs,
			&plan, err);
	if (r < 0)
		return r;
	r = render(plan, argv[2], argv[3], &text, err);
	if (r < 0)
		return r;
	fputs(text, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_(error_freep) struct error *error = NULL;

	if (argc != 4)
		return 2;
	if (run(argv, &error) < 0) {
		fprintf(stderr, "render: %s\n", error->message);
		return 1;
	}
	return 0;
}
