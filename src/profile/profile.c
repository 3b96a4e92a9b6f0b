#include "profile/profile.h"

#include <string.h>

#include "base/ini.h"
#include "base/strv.h"
#include "base/text.h"
#include "profile/keys.h"

struct reader {
	struct profile *profile;
	const char *file; /* in profile.files */
	bool may_inherit;
	bool seen[KEYS_MAX];
};

static bool is_section(const char *section)
{
	for (size_t i = 0; key_at(i); i++)
		if (!strcmp(key_at(i)->section, section))
			return true;
	return false;
}

int section_check(const char *section, struct error **err)
{
	_cleanup_strv_ char **sections = NULL;
	const char *near;

	if (is_section(section))
		return 0;
	for (size_t i = 0; key_at(i); i++)
		strv_add(&sections, key_at(i)->section);
	near = text_suggest(section, sections);
	if (near)
		return error_set(err, EINVAL, "unknown section [%s]; did you mean [%s]?", section,
				 near);
	return error_set(err, EINVAL, "unknown section [%s]", section);
}

int key_refuse(const char *section, const char *name, struct error **err)
{
	_cleanup_strv_ char **names = NULL;
	const char *near, *other = NULL;

	for (size_t i = 0; key_at(i); i++) {
		if (!strcmp(key_at(i)->section, section))
			strv_add(&names, key_at(i)->name);
		else if (!strcmp(key_at(i)->name, name))
			other = key_at(i)->section;
	}
	if (other)
		return error_set(err, EINVAL, "%s= belongs into [%s], not [%s]", name, other,
				 section);
	near = text_suggest(name, names);
	if (near)
		return error_set(err, EINVAL, "unknown key %s= in [%s]; did you mean %s=?", name,
				 section, near);
	return error_set(err, EINVAL, "unknown key %s= in [%s]", name, section);
}

/* The fallbacks are our own text: they are valid. */
static void set_fallback(struct profile *p, const struct key *k)
{
	_cleanup_(error_freep) struct error *error = NULL;

	if (!key_is_supported(k))
		return;
	if (k->type->release)
		k->type->release(key_field(k, p));
	if (k->type->size)
		memset(key_field(k, p), 0, k->type->size);
	if (k->fallback && k->type->read(k, key_field(k, p), k->fallback, &error) < 0)
		abort();
	p->origins[key_index(k)] = (struct profile_origin){ 0 };
}

struct profile *profile_new(const char *name)
{
	struct profile *p = xcalloc(1, sizeof *p);

	p->name = xstrdup(name);
	p->origins = xcalloc(key_count(), sizeof *p->origins);
	for (size_t i = 0; i < key_count(); i++)
		set_fallback(p, key_at(i));
	return p;
}

void profile_disown(struct profile *p)
{
	for (size_t i = 0; i < key_count(); i++)
		if (key_at(i)->own)
			set_fallback(p, key_at(i));
}

static int set_key(void *user, const struct ini_entry *e, struct error **err)
{
	struct reader *reader = user;
	const struct key *k;
	int r = 0;

	if (!e->key)
		return section_check(e->section, err);
	k = key_find(e->section, e->key);
	if (!k)
		return key_refuse(e->section, e->key, err);
	if (reader->seen[key_index(k)] && !k->type->is_list)
		return error_set(err, EINVAL, "%s= is given twice", k->name);
	reader->seen[key_index(k)] = true;
	if (k->type == &value_inherit && !reader->may_inherit)
		return error_set(err, EINVAL, "%s= cannot be used here", k->name);
	if (*e->value || k->type == &value_inherit || !key_is_supported(k))
		r = k->type->read(k, key_field(k, reader->profile), e->value, err);
	else
		set_fallback(reader->profile, k);
	reader->profile->origins[key_index(k)] = (struct profile_origin){ .file = reader->file,
									  .line = e->line };
	return r;
}

static int add(struct profile *p, const char *text, size_t size, const char *file, bool may_inherit,
	       struct error **err)
{
	struct reader reader = { .profile = p, .may_inherit = may_inherit };

	strv_add(&p->files, file);
	reader.file = p->files[strv_length(p->files) - 1];
	return ini_read(text, size, file, set_key, &reader, err);
}

int profile_add(struct profile *p, const char *text, size_t size, const char *file,
		struct error **err)
{
	return add(p, text, size, file, true, err);
}

int profile_check(const struct profile *p, struct error **err)
{
	if (!p->command)
		return error_set(err, EINVAL, "%s: Command= is missing in [App]",
				 p->files ? p->files[strv_length(p->files) - 1] : p->name);
	return 0;
}

int profile_read(const char *text, size_t size, const char *file, const char *name,
		 struct profile **ret, struct error **err)
{
	_cleanup_(profile_freep) struct profile *p = profile_new(name);
	int r;

	r = add(p, text, size, file, false, err);
	if (r < 0)
		return r;
	r = profile_check(p, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(p);
	return 0;
}

static int find_inherit(void *user, const struct ini_entry *e, struct error **err)
{
	const struct key *k = e->key ? key_find(e->section, e->key) : NULL;
	char **parent = user;

	if (!k || k->type != &value_inherit)
		return 0;
	if (*parent)
		return error_set(err, EINVAL, "%s= is given twice", k->name);
	if (k->type->read(k, NULL, e->value, err) < 0)
		return -EINVAL;
	*parent = xstrdup(e->value);
	return 0;
}

int profile_inherits(const char *text, size_t size, const char *file, char **ret,
		     struct error **err)
{
	_cleanup_free_ char *parent = NULL;
	int r;

	r = ini_read(text, size, file, find_inherit, &parent, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(parent);
	return 0;
}

char *profile_write(const struct profile *p)
{
	_cleanup_buf_ struct buf out = { 0 };
	const char *section = NULL;

	for (size_t i = 0; i < key_count(); i++) {
		const struct key *k = key_at(i);
		_cleanup_buf_ struct buf lines = { 0 };

		k->type->write(k, key_value(k, p), &lines);
		if (!lines.size)
			continue;
		if (!section || strcmp(section, k->section))
			buf_addf(&out, "%s[%s]\n", section ? "\n" : "", k->section);
		section = k->section;
		buf_add(&out, lines.data, lines.size);
	}
	return buf_take(&out);
}

struct profile *profile_free(struct profile *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < key_count(); i++)
		if (key_at(i)->type->release)
			key_at(i)->type->release(key_field(key_at(i), p));
	free(p->origins);
	strv_free(p->files);
	strv_free(p->parents);
	free(p->name);
	free(p);
	return NULL;
}
