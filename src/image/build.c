#include "image/build.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/fs.h"
#include "base/strv.h"
#include "image/apt.h"
#include "image/box-layer.h"
#include "image/build-key.h"
#include "image/essential.h"
#include "image/index.h"
#include "image/layer.h"
#include "image/recipe.h"
#include "image/reuse.h"
#include "image/scratch.h"
#include "image/sources.h"
#include "image/stage.h"
#include "image/store.h"

#define APT_DIR		"/etc/apt"
#define BUILD_BOX	VITRINE_EXEC_DIR "/vitrine-build-box"
#define LOGS		"%s/.local/state/vitrine"
#define STATUS		"var/lib/dpkg/status"
#define STATUS_MAX	(64U << 20)
#define PACKAGES_DEBS	"debs"
#define ESSENTIAL_BYTES (250ULL << 20)
#define BASES_MAX	8U /* of bases of bases */

static const struct {
	const char *path;
	const char *package;
} tools[] = {
	{ "/usr/bin/apt-get", "apt" },
	{ "/usr/bin/mmdebstrap", "mmdebstrap" },
	{ "/usr/bin/newuidmap", "uidmap" },
	{ "/usr/bin/newgidmap", "uidmap" },
	{ VITRINE_EXEC_DIR "/vitrine-build-box", "vitrine" },
	{ VITRINE_EXEC_DIR "/vitrine-guard", "vitrine" },
	{ VITRINE_EXEC_DIR "/vitrine-unpack", "vitrine" },
};

/* How apt reaches the network, besides its own configuration. */
static const char *const kept_variables[] = {
	"http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy",
};

/* An image in the making. */
struct work {
	const struct build *b;
	struct recipe *recipe;
	struct store store;
	struct stage stage;
	struct scratch scratch;
	struct sources sources;
	struct pipeline_view view;
	struct apt_place place;
	struct apt apt;
	struct image base; /* what the recipe names as such */
	struct reuse essential, same;
	struct manifest *manifest; /* of what is made */
	char *suite;
	char **env;
	uint32_t newest;
	char **lowers;	/* keys, or digests, of the layers so far, the lowest first */
	char **digests; /* their digests, as long as all of them are in the store */
	char **roots;	/* absolute paths of their trees, the topmost first */
};

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

/* --- what is needed ------------------------------------------------------------------------------
 */

static int check_tools(struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(tools); i++)
		if (access(tools[i].path, X_OK) < 0)
			return error_set(err, ENOENT,
					 "%s is missing: 'apt install %s' as root brings it",
					 tools[i].path, tools[i].package);
	if (getuid() == 0)
		return error_set(err, EPERM, "images are built by ordinary users, not by root");
	return 0;
}

static int check_room(int dir, const char *what, uint64_t needed, struct error **err)
{
	struct statvfs fs;
	uint64_t free_bytes;

	if (fstatvfs(dir, &fs) < 0)
		return error_errno(err, "cannot see how full the file system of %s is", what);
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (free_bytes >= needed)
		return 0;
	return error_set(
		err, ENOSPC, "not enough disk space for %s: %llu MB are needed, %llu MB are free",
		what, (unsigned long long)(needed >> 20), (unsigned long long)(free_bytes >> 20));
}

/* The scratch directory holds the tree, and perhaps a copy of the packages; the image comes on top.
 */
static int check_disk(const struct work *w, struct error **err)
{
	uint64_t image = w->recipe->size, work = image / 2 * 3;
	struct stat a, b;
	int r;

	if (fstat(w->stage.dir, &a) == 0 && fstat(w->scratch.dir, &b) == 0 && a.st_dev == b.st_dev)
		return check_room(w->stage.dir, "the image", work + image, err);
	r = check_room(w->scratch.dir, "the work in /var/tmp", work, err);
	if (r < 0)
		return r;
	return check_room(w->stage.dir, "the image", image, err);
}

char *image_build_log(const char *home, const char *name)
{
	return xasprintf(LOGS "/image-%s.log", home, name);
}

static int open_log(const struct build *b, int *ret_fd, struct error **err)
{
	_cleanup_free_ char *dir_path = xasprintf(LOGS, b->home);
	_cleanup_free_ char *path = image_build_log(b->home, b->name);
	_cleanup_close_ int dir = -EBADF;
	int r;

	r = fs_make_path(dir_path, 0700, &dir, err);
	if (r < 0)
		return r;
	*ret_fd = openat(dir, strrchr(path, '/') + 1,
			 O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*ret_fd < 0)
		return error_errno(err, "cannot write '%s'", path);
	return 0;
}

static char **make_env(const struct work *w)
{
	char **env = NULL;

	strv_add(&env, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	strv_add(&env, "LC_ALL=C.UTF-8"); /* its messages are read */
	strv_addf(&env, "HOME=%s", w->b->home);
	strv_addf(&env, "TMPDIR=%s", w->scratch.path);
	for (size_t i = 0; i < ARRAY_SIZE(kept_variables); i++) {
		const char *value = getenv(kept_variables[i]);

		if (value)
			strv_addf(&env, "%s=%s", kept_variables[i], value);
	}
	return env;
}

static int find_suite(struct work *w, char **ret_host, struct error **err)
{
	const char *named = w->b->suite ? w->b->suite : w->recipe->suite;
	int r = sources_host_suite(ret_host, err);

	if (w->recipe->base) {
		if (w->b->suite)
			return error_set(err, EINVAL, "the suite is that of its base '%s'",
					 w->recipe->base);
		named = w->base.manifest->suite;
	}
	if (named && !*named)
		return error_set(err, EINVAL,
				 "its base '%s' is not made of packages of a known suite",
				 w->recipe->base);
	if (r < 0 && !named)
		return r;
	*err = error_free(*err); /* not needed then */
	w->suite = xstrdup(named ? named : *ret_host);
	return 0;
}

static bool is_updated(const struct work *w)
{
	return w->b->updated && strv_contains(*w->b->updated, w->suite);
}

static int open_apt(struct work *w, struct error **err)
{
	_cleanup_free_ char *host_suite = NULL;
	int r = find_suite(w, &host_suite, err);

	if (r == 0)
		r = sources_read(APT_DIR, w->suite, host_suite, &w->sources, err);
	if (r == 0)
		r = sources_read_options(&w->sources, err);
	if (r < 0)
		return r;
	w->env = make_env(w);
	w->place = (struct apt_place){
		.home = w->b->home,
		.suite = w->suite,
		.sources = &w->sources,
		.scratch = &w->scratch,
		.env = w->env,
		.view = &w->view,
		.offline = w->b->offline,
	};
	r = apt_open(&w->place, &w->apt, err);
	if (r == 0 && !is_updated(w))
		r = apt_update(&w->apt, err);
	if (r == 0)
		r = apt_newest(&w->apt, &w->newest, err);
	if (r == 0 && w->b->updated && !is_updated(w))
		strv_add(w->b->updated, w->suite);
	if (r == 0)
		strv_addf(&w->env, "SOURCE_DATE_EPOCH=%u", w->newest);
	w->place.env = w->env;
	return r;
}

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
static int add_stored(struct work *w, const struct manifest_layer *l, struct error **err)
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

static void begin_phase(struct work *w, enum build_phase phase, bool essential)
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

static int add_essential(struct work *w, struct error **err)
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
		return add_stored(w, same, err);
	r = check_packages(w, wanted, err);
	if (r < 0)
		return r;
	begin_phase(w, BUILD_DOWNLOAD, true);
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

	begin_phase(w, BUILD_DOWNLOAD, false);
	r = apt_download(&w->apt, w->recipe->packages, plan, PACKAGES_DEBS, err);
	if (r == 0)
		r = write_job(w, plan, err);
	if (r == 0)
		r = verify_base(w, err);
	apt_release(&w->apt); /* others may go on */
	if (r < 0)
		return r;
	begin_phase(w, BUILD_INSTALL, false);
	return make_layer(w, key, argv, true, w->recipe->size, err);
}

static void take_packages(struct work *w, const struct manifest *m)
{
	for (size_t i = 0; i < m->n_packages; i++)
		manifest_add_package(w->manifest, m->packages[i].name, m->packages[i].version);
}

/* The recipe's packages, files and commands. */
static int add_packages(struct work *w, struct error **err)
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
	return add_stored(w, same, err);
}

/* --- the image -----------------------------------------------------------------------------------
 */

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
		r = add_stored(w, &base->layers[i], err);
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
	begin_phase(w, BUILD_STORE, false);
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
		r = check_disk(w, err);
	if (r == 0)
		r = open_log(w->b, &w->view.log, err);
	if (r < 0)
		return r;
	w->view.lock = w->scratch.dir;
	begin_phase(w, BUILD_LISTS, false);
	r = open_apt(w, err);
	if (r == 0) {
		free(w->manifest->architecture);
		w->manifest->architecture = xstrdup(w->apt.architecture);
	}
	if (r == 0)
		r = w->recipe->base ? add_base(w, err) : add_essential(w, err);
	if (r == 0)
		r = add_packages(w, err);
	if (r == 0)
		r = commit(w, ret, err);
	if (r == 0)
		begin_phase(w, BUILD_DONE, false);
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
		r = check_tools(err);
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
