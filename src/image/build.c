#include "image/build.h"

#include <string.h>

#include "base/strv.h"
#include "image/build-private.h"

#define BASES_MAX 8U /* of bases of bases */

static void work_release(struct work *w)
{
	apt_release(&w->apt);
	close_fd(w->view.log);
	scratch_remove(&w->scratch);
	sources_release(&w->sources);
	stage_release(&w->stage);
	image_release(&w->base);
	reuse_release(&w->essential);
	reuse_release(&w->same);
	manifest_free(w->manifest);
	store_release(&w->store);
	recipe_free(w->recipe);
	free(w->suite);
	strv_free(w->env);
	strv_free(w->lowers);
	strv_free(w->digests);
	strv_free(w->roots);
}

void build_result_release(struct build_result *r)
{
	manifest_free(r->before);
	manifest_free(r->after);
	*r = (struct build_result){ 0 };
}

static int build(const struct build *b, unsigned depth, struct build_result *ret,
		 struct error **err);

/* Files of the system's store cannot be copied up by a user, so the base is one of the user's own.
 */
static int open_base(struct work *w, unsigned depth, struct error **err)
{
	const char *name = w->recipe->base;
	_cleanup_(manifest_freep) struct manifest *there = NULL;
	int r;

	if (!strcmp(name, w->b->name) || depth >= BASES_MAX)
		return error_set(err, ELOOP, "Base= leads back to itself");
	r = image_read(&w->store, name, 0, &there, err);
	if (r == -ENOENT) {
		_cleanup_(build_result_release) struct build_result made = { 0 };
		struct build base = *w->b;

		*err = error_free(*err);
		base.name = name;
		base.suite = NULL;
		base.fresh = false;
		r = build(&base, depth + 1, &made, err);
	}
	if (r == 0)
		r = image_open(w->b->home, name, &w->base, err);
	return r;
}

static int add_base(struct work *w, struct error **err)
{
	const struct manifest *base = w->base.manifest;
	int r = 0;

	w->manifest->base = xstrdup(w->recipe->base);
	w->manifest->base_generation = base->generation;
	for (size_t i = 0; r == 0 && i < base->n_layers; i++)
		r = work_add_stored(w, &base->layers[i], err);
	return r;
}

static bool is_same(const struct manifest *a, const struct manifest *b)
{
	if (a->n_layers != b->n_layers)
		return false;
	for (size_t i = 0; i < a->n_layers; i++)
		if (strcmp(a->layers[i].digest, b->layers[i].digest) != 0)
			return false;
	return true;
}

static int read_before(const struct work *w, struct manifest **ret, struct error **err)
{
	int r = image_read(&w->store, w->b->name, 0, ret, err);

	if (r == -ENOENT || r == -EBADMSG) { /* what is damaged is replaced */
		*err = error_free(*err);
		return 0;
	}
	return r;
}

static int commit(struct work *w, struct build_result *ret, struct error **err)
{
	struct manifest *m = w->manifest;
	int r;

	free(m->suite);
	m->suite = xstrdup(w->suite);
	if (ret->before && !w->stage.n_layers && is_same(ret->before, m))
		return 0;
	work_begin_phase(w, BUILD_STORE, false);
	r = stage_commit(&w->stage, m, err);
	if (r == 0)
		ret->after = TAKE_PTR(w->manifest);
	return r;
}

static int make(struct work *w, unsigned depth, struct build_result *ret, struct error **err)
{
	_cleanup_free_ char *source = xasprintf("recipe %s", w->b->name);
	int r = 0;

	w->manifest = manifest_new(w->b->name, source);
	if (w->recipe->base)
		r = open_base(w, depth, err);
	if (r == 0)
		r = stage_begin(&w->store, w->b->name, &w->stage, err);
	if (r == 0)
		r = read_before(w, &ret->before, err);
	if (r == 0)
		r = scratch_make(&w->scratch, err);
	if (r == 0)
		r = work_check_disk(w, err);
	if (r == 0)
		r = work_open_log(w->b, &w->view.log, err);
	if (r < 0)
		return r;
	w->view.lock = w->scratch.dir;
	work_begin_phase(w, BUILD_LISTS, false);
	r = work_open_apt(w, err);
	if (r == 0) {
		free(w->manifest->architecture);
		w->manifest->architecture = xstrdup(w->apt.architecture);
	}
	if (r == 0)
		r = w->recipe->base ? add_base(w, err) : work_add_essential(w, err);
	if (r == 0)
		r = work_add_packages(w, err);
	if (r == 0)
		r = commit(w, ret, err);
	if (r == 0)
		work_begin_phase(w, BUILD_DONE, false);
	return r;
}

static int build(const struct build *b, unsigned depth, struct build_result *ret,
		 struct error **err)
{
	_cleanup_(work_release) struct work w = {
		.b = b,
		.store = STORE_NONE,
		.stage = STAGE_NONE,
		.scratch = SCRATCH_NONE,
		.apt = APT_NONE,
		.base = IMAGE_NONE,
		.essential = REUSE_NONE,
		.same = REUSE_NONE,
		.view = { .lock = -EBADF,
			  .log = -EBADF,
			  .state = { .image = b->name },
			  .progress = b->progress,
			  .user = b->user },
	};
	_cleanup_(build_result_release) struct build_result made = { 0 };
	int r = image_check_name(b->name, err);

	if (r == 0)
		r = recipe_load(b->home, b->name, &w.recipe, err);
	if (r == 0)
		r = build_check_tools(err);
	if (r == 0)
		r = store_open(STORE_USER, b->home, true, &w.store, err);
	if (r < 0)
		return r;
	r = make(&w, depth, &made, err);
	if (r < 0)
		return error_prefix(err, "cannot build image '%s'", b->name);
	*ret = made;
	made = (struct build_result){ 0 };
	return 0;
}

int image_build(const struct build *b, struct build_result *ret, struct error **err)
{
	return build(b, 0, ret, err);
}
