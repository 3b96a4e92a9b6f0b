#include "emit/lxc-seccomp.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/strv.h"
#include "emit/pattern.h"
#include "emit/policy-read.h"

#define RULES_MAX  1024U /* for one call; each is compiled at every start */
#define ERRORS_MAX 64U	 /* the same, of rules that only choose an error */

/* liblxc takes an argument as [INDEX,VALUE,OPERATOR,MASK]. */
static void add_arguments(struct buf *out, const struct pattern *p)
{
	for (size_t i = 0; i < POLICY_ARGS; i++) {
		if (p->mask[i] == UINT64_MAX)
			buf_addf(out, " [%zu,0x%" PRIx64 ",SCMP_CMP_EQ]", i, p->value[i]);
		else if (p->mask[i])
			buf_addf(out, " [%zu,0x%" PRIx64 ",SCMP_CMP_MASKED_EQ,0x%" PRIx64 "]", i,
				 p->value[i], p->mask[i]);
	}
}

/* For 32-bit programs the library cuts off what is beyond, and everything would match. */
static bool is_for_all(const struct pattern *p)
{
	for (size_t i = 0; i < POLICY_ARGS; i++)
		if (p->value[i] > UINT32_MAX)
			return false;
	return true;
}

/* False where some are left out. */
static bool add_patterns(struct buf *out, const char *name, const char *action,
			 const struct patterns *list)
{
	bool all = true;

	for (size_t i = 0; i < list->n; i++) {
		if (!is_for_all(&list->items[i])) {
			all = false;
			continue;
		}
		buf_addf(out, "%s %s", name, action);
		add_arguments(out, &list->items[i]);
		buf_adds(out, "\n");
	}
	return all;
}

/* What is denied with the default is not written; nor what would be long, for an error's sake. */
static void add_denied(struct buf *out, const struct policy *p, const char *name,
		       char ***differences)
{
	static const int errors[] = { EACCES, EAFNOSUPPORT, EINVAL, EPERM };
	bool other = false;

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		_cleanup_(patterns_release) struct patterns list = { 0 };
		_cleanup_free_ char *action = xasprintf("errno %d", errors[i]);

		patterns_denied(p, name, errors[i], &list);
		if (list.too_many || list.n > ERRORS_MAX)
			other = true;
		else
			(void)add_patterns(out, name, action, &list); /* others: as above */
	}
	if (other)
		strv_addf(differences, "some denied arguments of %s answer ENOSYS", name);
}

static void add_call(struct buf *out, const struct policy *p, const char *name, char ***differences)
{
	_cleanup_(patterns_release) struct patterns list = { 0 };

	patterns_allowed(p, name, &list);
	if (list.too_many || list.n > RULES_MAX) {
		strv_addf(differences, "%s is denied: its arguments take too many rules", name);
		return;
	}
	if (!add_patterns(out, name, "allow", &list))
		strv_addf(differences, "arguments of %s beyond 32 bits are denied", name);
	add_denied(out, p, name, differences);
}

/* What no text for liblxc can say. */
static void add_general(const struct policy *p, char ***differences)
{
	strv_add(differences,
		 "programs of 32 bits and of the ABI x32 have the calls that have the same name "
		 "there, and rules are about what their arguments are: the text is for all ABIs");
	if (p->answer == POLICY_ANSWER_KILL)
		strv_add(differences, "what Answer=kill would end gets an error");
	if (p->answer == POLICY_ANSWER_LOG)
		strv_add(differences, "what is denied is not logged");
}

static bool is_first(const struct policy *p, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(p->rules[i].name, p->rules[j].name))
			return false;
	return true;
}

int seccomp_render_lxc(const struct policy *p, char **ret_text, char ***ret_differences,
		       struct error **err)
{
	_cleanup_strv_ char **differences = NULL;
	struct buf out = { 0 };

	if (!p->n_rules)
		return error_set(err, EINVAL, "a policy without rules");
	add_general(p, &differences);
	buf_addf(&out, "2\nallowlist errno %d\n[all]\n", POLICY_ERRNO_OTHERS);
	for (size_t i = 0; i < p->n_rules; i++)
		if (is_first(p, i))
			add_call(&out, p, p->rules[i].name, &differences);
	*ret_text = buf_take(&out);
	*ret_differences = TAKE_PTR(differences);
	return 0;
}
