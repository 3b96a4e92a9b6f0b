#include "app/permit.h"

#include <string.h>

#include "app/permit-subject.h"
#include "app/trust.h"
#include "base/strv.h"
#include "profile/ceiling-load.h"
#include "profile/copy.h"
#include "profile/load.h"

struct permit {
	struct profile *profile;
	struct ceiling *ceiling;
	struct permit_subject subject; /* its own address is in it */
	char *note;
};

struct permit *permit_free(struct permit *p)
{
	if (!p)
		return NULL;
	profile_free(p->profile);
	ceiling_free(p->ceiling);
	permit_subject_release(&p->subject);
	free(p->note);
	free(p);
	return NULL;
}

/* Asked of the profile as it was loaded. */
static int check_trust(struct permit *p, const struct facts *facts, struct error **err)
{
	_cleanup_strv_ char **dirs = profile_dirs(facts->home);
	_cleanup_(trust_release) struct trust t = { 0 };
	_cleanup_(error_freep) struct error *unwritten = NULL;
	int r;

	r = trust_look(dirs, facts->home, p->profile, &t, err);
	if (r >= 0)
		r = trust_check(&t, err);
	if (r >= 0 && trust_remember(&t, facts->home, &unwritten) < 0)
		p->note = xasprintf("an update that lets '%s' do more would not be noticed: %s",
				    t.name, unwritten->message);
	return r;
}

static int set_wish(struct profile *p, const struct permit_wish *w, struct error **err)
{
	const struct key *k = key_find(w->section, w->key);
	int r;

	if (!k)
		return key_refuse(w->section, w->key, err);
	r = k->type->read(k, key_field(k, p), w->value, err);
	if (r < 0)
		return error_prefix(err, "%s", w->source);
	strv_add(&p->files, w->source);
	p->origins[key_index(k)] = (struct profile_origin){
		.file = p->files[strv_length(p->files) - 1],
	};
	return 0;
}

static int load_rules(struct permit *p, const struct facts *facts, struct error **err)
{
	int r = ceiling_load(&p->ceiling, NULL, err);

	return r < 0 || !ceiling_count(p->ceiling) ? r
						   : permit_subject_gather(facts, &p->subject, err);
}

static int apply_rules(const struct permit *p, struct profile *profile, struct error **err)
{
	return ceiling_count(p->ceiling)
		       ? ceiling_apply(p->ceiling, &p->subject.to_rules, profile, err)
		       : 0;
}

static int check_ceiling(struct permit *p, const struct facts *facts,
			 const struct permit_wish *wishes, struct error **err)
{
	int r = load_rules(p, facts, err);

	for (const struct permit_wish *w = wishes; r >= 0 && w && w->section; w++)
		r = set_wish(p->profile, w, err);
	return r < 0 ? r : apply_rules(p, p->profile, err);
}

int permit_preview(struct profile *profile, const struct facts *facts, char **ret_why,
		   struct error **err)
{
	_cleanup_(permit_freep) struct permit *p = xcalloc(1, sizeof *p);
	_cleanup_(error_freep) struct error *refusal = NULL;
	int r = load_rules(p, facts, err);

	*ret_why = NULL;
	if (r >= 0 && apply_rules(p, profile, &refusal) < 0)
		*ret_why = xstrdup(refusal->message);
	return r;
}

int permit_make(struct profile *profile, const struct facts *facts,
		const struct permit_wish *wishes, struct permit **ret, struct error **err)
{
	struct permit *p = xcalloc(1, sizeof *p);
	int r;

	p->profile = profile;
	r = check_trust(p, facts, err);
	if (r >= 0)
		r = check_ceiling(p, facts, wishes, err);
	if (r < 0) {
		permit_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

const struct profile *permit_profile(const struct permit *p)
{
	return p->profile;
}

const char *permit_note(const struct permit *p)
{
	return p->note;
}

int permit_check_given(const struct permit *p, const char *path, bool writable, bool asked,
		       struct error **err)
{
	return ceiling_check_given(p->ceiling, &p->subject.to_rules, p->profile, path, writable,
				   asked, err);
}

bool permit_would_allow(const struct permit *p, const struct profile *other, char **ret_why)
{
	_cleanup_(profile_freep) struct profile *copy = profile_copy(other);
	_cleanup_(error_freep) struct error *refusal = NULL;

	if (apply_rules(p, copy, &refusal) >= 0)
		return true;
	*ret_why = xstrdup(refusal->message);
	return false;
}
