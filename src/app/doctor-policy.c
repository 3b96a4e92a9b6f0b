#include "app/doctor-check.h"
#include "app/permit-subject.h"
#include "base/strv.h"
#include "profile/ceiling-load.h"

#define MEND "as root: ls -ld " VITRINE_CONF_DIR "/policy.d; vitrine-policy(5) says what it must be"

/* What may be a rule that does not count, for want of its suffix. */
static char *say_ignored(char *const *ignored)
{
	_cleanup_free_ char *list = ignored ? strv_join(ignored, ", ") : NULL;

	return list ? xasprintf("; not read, as they do not end with .conf: %s", list)
		    : xstrdup("");
}

static enum doctor_result judge(const struct ceiling *c, const struct ceiling_subject *s,
				char *const *ignored, char **ret_detail)
{
	_cleanup_free_ char *also = say_ignored(ignored);
	size_t rules = ceiling_count(c);

	if (rules)
		*ret_detail = xasprintf("%zu of %zu rules bind you%s", ceiling_count_binding(c, s),
					rules, also);
	else
		*ret_detail = xasprintf("no rules%s", also);
	return DOCTOR_OK;
}

enum doctor_result check_policy(const struct check *check, const struct doctor_context *context,
				char **ret_detail, char **ret_mend)
{
	_cleanup_(permit_subject_release) struct permit_subject s = { 0 };
	_cleanup_(ceiling_freep) struct ceiling *c = NULL;
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_strv_ char **ignored = NULL;

	(void)check;
	if (ceiling_load(&c, &ignored, &error) >= 0 &&
	    permit_subject_gather(context->facts, &s, &error) >= 0)
		return judge(c, &s.to_rules, ignored, ret_detail);
	*ret_detail = xstrdup(error->message);
	*ret_mend = xstrdup(MEND);
	return DOCTOR_FAILURE;
}
