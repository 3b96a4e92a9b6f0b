#include "emit/policy-text.h"

#include <inttypes.h>

#include "base/buf.h"
#include "emit/policy-read.h"

static void add_rule(struct buf *out, const struct policy_rule *r)
{
	buf_addf(out, "%s %s", r->allow ? "allow" : "deny", r->name);
	for (size_t i = 0; i < POLICY_ARGS; i++)
		if (r->has_condition[i])
			buf_addf(out, " arg%zu %s 0x%" PRIx64, i,
				 policy_operator_to_string(r->conditions[i].how),
				 r->conditions[i].value);
	if (!r->allow && r->error != POLICY_ERRNO)
		buf_addf(out, " errno %s", policy_errno_to_string(r->error));
	buf_adds(out, r->optional ? " optional" : "");
}

char *policy_rule_text(const struct policy_rule *r)
{
	struct buf out = { 0 };

	add_rule(&out, r);
	return buf_take(&out);
}

char *policy_render(const struct policy *p)
{
	struct buf out = { 0 };

	buf_addf(&out, "answer %s\n", policy_answer_to_string(p->answer));
	buf_addf(&out, "abi %s\n", p->i386 ? "i386" : "native");
	for (size_t i = 0; i < p->n_rules; i++) {
		add_rule(&out, &p->rules[i]);
		buf_adds(&out, "\n");
	}
	return buf_take(&out);
}
