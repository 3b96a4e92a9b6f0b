#include "app/trust.h"

#include <string.h>

#include "app/trust-record.h"
#include "base/sha256.h"
#include "base/strv.h"
#include "base/text.h"
#include "profile/copy.h"
#include "profile/load.h"

/* Another version, so that what was confirmed to one is not confirmed to the next. */
#define DIGEST_OF "vitrine trust 1\n%s\n%s"

/* Takes the shipped profile of one name. Returns 0 where there is none. */
static int take_shipped(char *const *dirs, const char *name, struct trust *t)
{
	_cleanup_(error_freep) struct error *broken = NULL;
	int r = profile_load_shipped(dirs, name, &t->shipped, &broken);

	if (r == 0)
		return 0;
	t->name = xstrdup(name);
	t->is_broken = r < 0;
	if (t->is_broken) { /* or masked: then it allows nothing */
		t->shipped = profile_new(name);
		t->shipped->command = xstrdup("none"); /* without one it is no profile */
	}
	return 1;
}

/* The first one of it and what it inherits from that is not the user's alone. */
static int find_shipped(char *const *dirs, const struct profile *p, struct trust *t,
			struct error **err)
{
	int r = 0;

	if (!p->by_path)
		r = take_shipped(dirs, p->name, t);
	if (r > 0)
		t->full = profile_copy(p);
	for (char *const *name = p->parents; !r && name && *name; name++) {
		r = take_shipped(dirs, *name, t);
		if (r > 0 && profile_load_in(dirs, *name, &t->full, err) < 0)
			return -(*err)->code;
	}
	return r;
}

static void read_record(struct trust *t, const char *home)
{
	_cleanup_(trust_record_release) struct trust_record record = { 0 };
	_cleanup_(error_freep) struct error *error = NULL;

	if (trust_record_read(home, t->name, &record, &error) < 0) {
		t->record_problem = xstrdup(error->message);
		t->last = profile_new(t->name); /* allows nothing */
		return;
	}
	t->last = TAKE_PTR(record.shipped);
	t->confirmed = TAKE_PTR(record.confirmed);
}

int trust_look(char *const *dirs, const char *home, const struct profile *p, struct trust *ret,
	       struct error **err)
{
	struct trust t = { 0 };
	int r = find_shipped(dirs, p, &t, err);

	if (r <= 0) {
		trust_release(&t);
		*ret = (struct trust){ 0 };
		return r;
	}
	read_record(&t, home);
	difference_find(t.full, t.shipped, &t.own);
	if (t.last && !t.is_broken) {
		difference_find(t.shipped, t.last, &t.update);
		difference_keep_exceeding(&t.update, t.full, t.last);
	}
	*ret = t;
	return 0;
}

void trust_release(struct trust *t)
{
	difference_release(&t->own);
	difference_release(&t->update);
	profile_free(t->full);
	profile_free(t->shipped);
	profile_free(t->last);
	free(t->name);
	free(t->confirmed);
	free(t->record_problem);
	*t = (struct trust){ 0 };
}

/* Owned by the caller. */
static char *digest(const struct trust *t)
{
	_cleanup_free_ char *text = difference_text(&t->own);
	_cleanup_free_ char *named = xasprintf(DIGEST_OF, t->name, text);

	return sha256_hex(named, strlen(named));
}

bool trust_wants_own(const struct trust *t)
{
	_cleanup_free_ char *wanted = t->name && t->own.n ? digest(t) : NULL;

	return wanted && (!t->confirmed || strcmp(t->confirmed, wanted) != 0);
}

bool trust_wants_update(const struct trust *t)
{
	return t->update.n;
}

int trust_check(const struct trust *t, struct error **err)
{
	if (trust_wants_own(t))
		return error_set(err, EPERM,
				 "files of your own let profile '%s' do more than the "
				 "shipped one: 'vitrine profile trust %s' shows and "
				 "confirms it",
				 t->name, t->name);
	if (!trust_wants_update(t))
		return 0;
	if (t->record_problem)
		return error_set(err, EPERM,
				 "what was confirmed of profile '%s' cannot be read "
				 "(%s): 'vitrine profile trust %s'",
				 t->name, t->record_problem, t->name);
	return error_set(err, EPERM,
			 "profile '%s' was updated and may do more than when it last "
			 "ran: 'vitrine profile trust %s' shows and confirms it",
			 t->name, t->name);
}

int trust_confirm(const struct trust *t, const char *home, struct error **err)
{
	_cleanup_free_ char *confirmed = t->own.n ? digest(t) : NULL;
	const struct trust_record record = { .confirmed = confirmed, .shipped = t->shipped };

	return trust_record_write(home, t->name, &record, err);
}

int trust_remember(const struct trust *t, const char *home, struct error **err)
{
	const struct trust_record record = { .shipped = t->shipped };
	_cleanup_free_ char *now = NULL, *last = NULL;

	if (!t->name || t->is_broken)
		return 0;
	now = profile_write(t->shipped);
	last = t->last ? profile_write(t->last) : NULL;
	if (last && !strcmp(now, last))
		return 0;
	return trust_record_write(home, t->name, &record, err);
}

int trust_list(const char *home, char ***ret, struct error **err)
{
	return trust_record_list(home, ret, err);
}

int trust_forget(const char *home, const char *name, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(name, NAME_LENGTH_MAX);

	if (!name_is_valid(name))
		return error_set(err, EINVAL, "'%s' is not a profile name (a-z, 0-9 and -)", shown);
	return trust_record_remove(home, name, err);
}
