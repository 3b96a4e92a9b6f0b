#include "emit/policy-profile.h"

#include <string.h>

#include "base/strv.h"
#include "base/text.h"
#include "emit/policy-read.h"

#define QUOTE_MAX 64 /* bytes of a word that a message shows */

static bool is_denied(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_rules; i++)
		if (!p->rules[i].allow && !strcmp(p->rules[i].name, name))
			return true;
	return false;
}

static bool is_allowed_wholly(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_rules; i++) {
		const struct policy_rule *r = &p->rules[i];

		if (r->allow && !policy_rule_has_conditions(r) && !strcmp(r->name, name))
			return true;
	}
	return false;
}

static bool is_there(const struct policy *p, const struct policy_rule *r)
{
	for (size_t i = 0; i < p->n_rules; i++)
		if (p->rules[i].allow == r->allow && !strcmp(p->rules[i].name, r->name) &&
		    policy_rule_same_conditions(&p->rules[i], r))
			return true;
	return false;
}

/* Where a call belongs; none that vitrine does not know. */
static const struct policy_set *find_call(const struct policy *p, const char *name,
					  struct error **err)
{
	const struct policy_set *set = policy_set_of_call(p, name);
	_cleanup_strv_ char **names = NULL;
	_cleanup_free_ char *shown = text_escape(name, QUOTE_MAX);
	const char *near;

	if (set)
		return set;
	for (size_t i = 0; i < p->n_sets; i++)
		for (size_t j = 0; j < p->sets[i].n_rules; j++)
			strv_add(&names, p->sets[i].rules[j].name);
	near = text_suggest(name, names);
	if (near)
		error_set(err, ENOENT, "no system call '%s'; is '%s' meant?", shown, near);
	else
		error_set(err, ENOENT, "no system call '%s'", shown);
	return NULL;
}

static int check_never(const struct policy_set *set, const char *name, struct error **err)
{
	if (!set->never)
		return 0;
	return error_set(err, EPERM, "'%s' is what no application may have (%s)", name, set->name);
}

/* The call as its set names it on this libseccomp. */
static bool is_optional(const struct policy_set *set, const char *name)
{
	for (size_t i = 0; i < set->n_rules; i++)
		if (!strcmp(set->rules[i].name, name))
			return set->rules[i].optional;
	return false;
}

/* --- Allow= ------------------------------------------------------------------------------------
 */

/* What the policy denies of a call that it allows stays denied, whoever asks. */
static int allow_call(struct policy *p, struct policy_rule *r, struct error **err)
{
	const struct policy_set *set = find_call(p, r->name, err);
	bool all = !policy_rule_has_conditions(r);
	int e;

	if (!set)
		return -ENOENT;
	e = check_never(set, r->name, err);
	if (e < 0)
		return e;
	if (policy_allows_call(p, r->name) && is_denied(p, r->name))
		return error_set(err, EPERM,
				 "the policy allows '%s', and of its arguments what it denies no "
				 "profile can allow",
				 r->name);
	if (is_allowed_wholly(p, r->name) || is_there(p, r))
		return 0;
	/* What was denied wholly, or allowed in part of what is allowed now. */
	if (all || !policy_allows_call(p, r->name))
		policy_remove_call(p, r->name);
	r->optional = is_optional(set, r->name);
	return policy_add_rule(p, r, err);
}

/* Of a set that is for denying: each of its calls, whole. Of one for allowing: as it says. */
static int allow_set_rule(struct policy *p, const struct policy_rule *of_set, struct error **err)
{
	struct policy_rule r = *of_set;

	if (!r.allow && !policy_rule_has_conditions(&r)) {
		r.allow = true;
		r.error = 0;
	}
	if (is_there(p, &r) || (r.allow && is_allowed_wholly(p, r.name)))
		return 0;
	if (r.allow && !policy_allows_call(p, r.name))
		policy_remove_call(p, r.name);
	return policy_add_rule(p, &r, err);
}

static int allow_set(struct policy *p, const char *name, struct error **err)
{
	const struct policy_set *set = policy_find_set(p, name, err);
	int e;

	if (!set)
		return -ENOENT;
	e = check_never(set, name, err);
	for (size_t i = 0; i < set->n_rules && e >= 0; i++)
		e = allow_set_rule(p, &set->rules[i], err);
	return e;
}

/* --- Deny= -------------------------------------------------------------------------------------
 */

static int deny_call(struct policy *p, struct policy_rule *r, struct error **err)
{
	const struct policy_set *set = find_call(p, r->name, err);

	if (!set)
		return -ENOENT;
	r->optional = is_optional(set, r->name);
	if (!policy_rule_has_conditions(r))
		policy_remove_call(p, r->name);
	else if (!policy_allows_call(p, r->name) || is_there(p, r))
		return 0;
	return policy_add_rule(p, r, err);
}

static int deny_set(struct policy *p, const struct policy_rule *rule, struct error **err)
{
	const struct policy_set *set = policy_find_set(p, rule->name, err);
	int e = 0;

	if (!set)
		return -ENOENT;
	for (size_t i = 0; i < set->n_rules && e >= 0; i++) {
		struct policy_rule r = *rule;

		memcpy(r.name, set->rules[i].name, sizeof r.name);
		e = deny_call(p, &r, err);
	}
	return e;
}

/* --- a profile ---------------------------------------------------------------------------------
 */

static int add_one(struct policy *p, const char *text, bool allow, struct error **err)
{
	const char *key = allow ? "Allow" : "Deny";
	struct policy_rule rule;
	int r;

	r = policy_read_rule(text, allow, &rule, err);
	if (r >= 0) {
		rule.file = allow ? "[Seccomp] Allow=" : "[Seccomp] Deny=";
		if (*rule.name == '@')
			r = allow ? allow_set(p, rule.name, err) : deny_set(p, &rule, err);
		else
			r = allow ? allow_call(p, &rule, err) : deny_call(p, &rule, err);
	}
	return r < 0 ? error_prefix(err, "[Seccomp] %s=", key) : 0;
}

int policy_apply(struct policy *p, const struct profile *profile, struct error **err)
{
	static const enum policy_answer answers[] = {
		[SECCOMP_ANSWER_ERRNO] = POLICY_ANSWER_ERRNO,
		[SECCOMP_ANSWER_KILL] = POLICY_ANSWER_KILL,
		[SECCOMP_ANSWER_LOG] = POLICY_ANSWER_LOG,
	};
	int r = 0;

	for (char **text = profile->seccomp_allow; text && *text && r >= 0; text++)
		r = add_one(p, *text, true, err);
	for (char **text = profile->seccomp_deny; text && *text && r >= 0; text++)
		r = add_one(p, *text, false, err);
	if (r < 0)
		return r;
	p->answer = answers[profile->seccomp_answer];
	p->i386 = profile->seccomp_abi == SECCOMP_ABI_I386;
	return 0;
}

bool policy_is_changed(const struct profile *profile)
{
	return (profile->seccomp_allow && *profile->seccomp_allow) ||
	       (profile->seccomp_deny && *profile->seccomp_deny) ||
	       profile->seccomp_answer != SECCOMP_ANSWER_ERRNO ||
	       profile->seccomp_abi != SECCOMP_ABI_NATIVE;
}

const char *const policy_names[] = { "browser", "gui", "java", "media", "office", NULL };

int policy_check_name(const char *name, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(name, QUOTE_MAX);
	const char *near;

	for (const char *const *n = policy_names; *n; n++)
		if (!strcmp(*n, name))
			return 0;
	near = text_suggest(name, (char *const *)policy_names);
	if (near)
		return error_set(err, ENOENT, "[Seccomp] Policy=: no policy '%s'; is '%s' meant?",
				 shown, near);
	return error_set(err, ENOENT, "[Seccomp] Policy=: no policy '%s'", shown);
}
