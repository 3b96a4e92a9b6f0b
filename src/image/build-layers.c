#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/strv.h"
#include "image/box-layer.h"
#include "image/build-key.h"
#include "image/build-private.h"
#include "image/essential.h"
#include "image/index.h"
#include "image/layer.h"

#define BUILD_BOX	VITRINE_EXEC_DIR "/vitrine-build-box"
#define STATUS		"var/lib/dpkg/status"
#define STATUS_MAX	(64U << 20)
#define PACKAGES_DEBS	"debs"
#define ESSENTIAL_BYTES (250ULL << 20)

/* --- layers that are there -----------------------------------------------------------------------
 */

static void add_root(struct work *w, char *root)
{
	char **roots = NULL;

	strv_take(&roots, root);
	strv_add_all(&roots, w->roots);
	strv_free(w->roots);
	w->roots = roots;
}

/* A layer that is in the store comes on top. */
int work_add_stored(struct work *w, const struct manifest_layer *l, struct error **err)
{
	char *root;
	int r = layer_find(w->b->home, l->digest, &root, err);

	if (r < 0)
		return r;
	add_root(w, root);
	strv_add(&w->lowers, *l->key ? l->key : l->digest);
	strv_add(&w->digests, l->digest);
	manifest_add_layer(w->manifest, l);
	return 0;
}

/* So is a layer of the stage, whose digest nobody knows yet. */
static int add_staged(struct work *w, const char *key, int root, struct error **err)
{
	_cleanup_free_ char *link = xasprintf("/proc/self/fd/%d", root);
	char *path = realpath(link, NULL);

	if (!path)
		return error_errno(err, "cannot find a layer of the work");
	add_root(w, path);
	strv_add(&w->lowers, key);
	w->digests = strv_free(w->digests);
	return 0;
}

/* Is it as it was made? Damage that is found here is mended by making the layer again. */
static bool is_sound(const struct work *w, const struct manifest_layer *l)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *root = NULL;

	return w->b->trust ? layer_find(w->b->home, l->digest, &root, &error) == 0
			   : layer_verify(&w->store, l->digest, &error) == 0;
}

static bool find_same(struct work *w, const char *key, bool topmost, struct reuse *ret,
		      const struct manifest_layer **ret_layer)
{
	size_t i;

	/* Layers on top of one that is made now are made, too. */
	if (w->b->fresh || w->stage.n_layers ||
	    !reuse_find(&w->store, key, w->digests, topmost, ret, &i))
		return false;
	*ret_layer = &ret->manifest->layers[i];
	if (is_sound(w, *ret_layer))
		return true;
	reuse_release(ret);
	return false;
}

/* --- layers that are made ------------------------------------------------------------------------
 */

static int make_layer(struct work *w, const char *key, char *const *argv, bool layer, uint64_t size,
		      struct error **err)
{
	int root, r = stage_add_layer(&w->stage, key, &root, err);

	if (r == 0)
		r = pipeline_run(&(struct pipeline){ .view = &w->view,
						     .argv = argv,
						     .env = w->env,
						     .root = root,
						     .layer = layer,
						     .size = size,
						     .newest = w->newest },
				 NULL, err);
	return r < 0 ? r : add_staged(w, key, root, err);
}

void work_begin_phase(struct work *w, enum build_phase phase, bool essential)
{
	build_progress_begin(&w->view.state, phase, essential);
	pipeline_show(&w->view);
}

/* A wrong name is better found before the work than after half of it. */
static int check_packages(struct work *w, char *const *essential, struct error **err)
{
	_cleanup_(apt_plan_release) struct apt_plan plan = { 0 };
	_cleanup_strv_ char **wanted = strv_copy(essential);

	strv_add_all(&wanted, w->recipe->packages);
	return apt_simulate(&w->apt, NULL, wanted, &plan, err);
}

int work_add_essential(struct work *w, struct error **err)
{
	_cleanup_strv_ char **wanted = essential_pattern(&w->apt), **argv = NULL;
	_cleanup_(apt_plan_release) struct apt_plan plan = { 0 };
	const struct manifest_layer *same;
	_cleanup_free_ char *key = NULL;
	int r = apt_simulate(&w->apt, NULL, wanted, &plan, err);

	if (r < 0)
		return r;
	key = build_key_make(&(struct build_key){ .kind = "essential",
						  .architecture = w->apt.architecture,
						  .suite = w->suite,
						  .plan = &plan });
	if (find_same(w, key, false, &w->essential, &same))
		return work_add_stored(w, same, err);
	r = check_packages(w, wanted, err);
	if (r < 0)
		return r;
	work_begin_phase(w, BUILD_DOWNLOAD, true);
	r = apt_download(&w->apt, wanted, &plan, ESSENTIAL_DEBS, err);
	if (r == 0)
		r = apt_copy_lists(&w->apt, ESSENTIAL_LISTS, err);
	if (r < 0)
		return r;
	argv = essential_argv(&w->apt);
	return make_layer(w, key, argv, false, ESSENTIAL_BYTES, err);
}

/* What dpkg knows in the merged tree: the topmost layer with a list has the whole one. */
static int read_status(const struct work *w, char **ret, struct error **err)
{
	for (char **root = w->roots; root && *root; root++) {
		_cleanup_close_ int dir = open(*root, O_PATH | O_DIRECTORY | O_CLOEXEC);
		_cleanup_close_ int fd = -EBADF;
		struct stat st;

		if (dir < 0)
			return error_errno(err, "cannot open '%s'", *root);
		fd = fs_open_beneath(dir, STATUS, O_RDONLY | O_NONBLOCK,
				     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS, 0);
		if (fd < 0)
			continue;
		if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
			break;
		return fs_read_fd(fd, STATUS_MAX, ret, NULL, err);
	}
	return error_set(err, EINVAL, "its base '%s' has no packages", w->recipe->base);
}

static int read_files(const struct work *w, char **ret, struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	struct index_sums sums;
	int r;

	if (!w->recipe->files)
		return 0;
	r = fs_open_dir(AT_FDCWD, w->recipe->files, &dir, err);
	if (r == 0)
		r = index_make(dir, ret, &sums, err);
	return r < 0 ? error_prefix(err, "Files= '%s'", w->recipe->files) : 0;
}

static int write_job(struct work *w, const struct apt_plan *plan, struct error **err)
{
	_cleanup_(box_job_release) struct box_job job = {
		.lowers = strv_copy(w->roots),
		.place = xasprintf("%s/" BOX_PLACE, w->scratch.path),
		.debs = xasprintf("%s/" PACKAGES_DEBS, w->scratch.path),
		.files = w->recipe->files ? xstrdup(w->recipe->files) : NULL,
		.newest = w->newest,
	};
	_cleanup_close_ int place = -EBADF;
	_cleanup_free_ char *data = NULL;
	size_t size;
	int r = fs_make_dir(w->scratch.dir, BOX_PLACE, 0700, &place, err);

	if (r < 0)
		return r;
	box_layer_plan(plan, w->recipe, &job);
	data = box_job_pack(&job, &size);
	return fs_write(place, BOX_JOB_FILE, data, size, 0600, err);
}

/* Nothing is built on what is not as it was made. */
static int verify_base(struct work *w, struct error **err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && w->recipe->base && i < w->base.manifest->n_layers; i++)
		r = layer_verify(&w->store, w->base.manifest->layers[i].digest, err);
	return r < 0 ? error_prefix(err, "its base '%s'", w->recipe->base) : 0;
}

static int make_packages(struct work *w, const char *key, const struct apt_plan *plan,
			 struct error **err)
{
	_cleanup_free_ char *place = xasprintf("%s/" BOX_PLACE, w->scratch.path);
	char *const argv[] = { (char *)BUILD_BOX, (char *)"run", place, NULL };
	int r;

	work_begin_phase(w, BUILD_DOWNLOAD, false);
	r = apt_download(&w->apt, w->recipe->packages, plan, PACKAGES_DEBS, err);
	if (r == 0)
		r = write_job(w, plan, err);
	if (r == 0)
		r = verify_base(w, err);
	apt_release(&w->apt); /* others may go on */
	if (r < 0)
		return r;
	work_begin_phase(w, BUILD_INSTALL, false);
	return make_layer(w, key, argv, true, w->recipe->size, err);
}

static void take_packages(struct work *w, const struct manifest *m)
{
	for (size_t i = 0; i < m->n_packages; i++)
		manifest_add_package(w->manifest, m->packages[i].name, m->packages[i].version);
}

/* The recipe's packages, files and commands. */
int work_add_packages(struct work *w, struct error **err)
{
	_cleanup_(apt_plan_release) struct apt_plan plan = { 0 };
	_cleanup_free_ char *status = NULL, *files = NULL, *key = NULL;
	const struct manifest_layer *same;
	int r = read_status(w, &status, err);

	if (r == 0)
		r = apt_simulate(&w->apt, status, w->recipe->packages, &plan, err);
	if (r == 0)
		r = read_files(w, &files, err);
	if (r < 0)
		return r;
	key = build_key_make(&(struct build_key){ .kind = "packages",
						  .architecture = w->apt.architecture,
						  .suite = w->suite,
						  .plan = &plan,
						  .lowers = w->lowers,
						  .recipe = w->recipe,
						  .files = files });
	if (!find_same(w, key, true, &w->same, &same))
		return make_packages(w, key, &plan, err);
	take_packages(w, w->same.manifest);
	return work_add_stored(w, same, err);
}
