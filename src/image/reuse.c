#include "image/reuse.h"

#include <string.h>
#include <sys/file.h>

#include "base/strv.h"
#include "image/generation.h"
#include "image/layer.h"

void reuse_release(struct reuse *r)
{
	manifest_free(r->manifest);
	close_fd(r->lock);
	*r = REUSE_NONE;
}

static bool lies_on(const struct manifest *m, size_t layer, char *const *lowers)
{
	if (strv_length(lowers) != layer)
		return false;
	for (size_t i = 0; i < layer; i++)
		if (strcmp(m->layers[i].digest, lowers[i]) != 0)
			return false;
	return true;
}

static bool find_in(const struct manifest *m, const char *key, char *const *lowers, bool topmost,
		    size_t *ret_layer)
{
	for (size_t i = topmost && m->n_layers ? m->n_layers - 1 : 0; i < m->n_layers; i++)
		if (!strcmp(m->layers[i].key, key) && lies_on(m, i, lowers)) {
			*ret_layer = i;
			return true;
		}
	return false;
}

/* Locked first: what is read then cannot be removed any more. */
static bool look(const struct store *s, const char *name, uint32_t generation, const char *key,
		 char *const *lowers, bool topmost, struct reuse *ret, size_t *ret_layer)
{
	_cleanup_(reuse_release) struct reuse r = REUSE_NONE;
	_cleanup_(error_freep) struct error *error = NULL;
	size_t layer;

	/* A generation that is damaged or goes away is none to look into. */
	if (generation_lock(s, name, generation, LOCK_SH, &r.lock, &error) < 0 ||
	    generation_read(s, name, generation, &r.manifest, &error) < 0 ||
	    !find_in(r.manifest, key, lowers, topmost, &layer))
		return false;
	*ret = r;
	*ret_layer = layer;
	r = REUSE_NONE;
	return true;
}

bool reuse_find(const struct store *s, const char *key, char *const *lowers, bool topmost,
		struct reuse *ret, size_t *ret_layer)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_strv_ char **names = NULL;
	bool found = false;

	if (image_names(s, &names, &error) < 0)
		return false;
	for (char **name = names; name && *name && !found; name++) {
		_cleanup_(error_freep) struct error *ignored = NULL;
		_cleanup_free_ uint32_t *all = NULL;
		uint32_t current;
		size_t n = 0;

		if (image_generations(s, *name, &all, &n, &current, &ignored) < 0)
			continue;
		while (n-- > 0 && !found)
			found = look(s, *name, all[n], key, lowers, topmost, ret, ret_layer);
	}
	return found;
}
