#include "box/job.h"

#include <string.h>

#include "base/strv.h"
#include "base/wire.h"

#define MOUNTS_MAX 1024U
#define FILES_MAX  256U

static void put_mount(struct buf *b, const struct box_mount *m)
{
	wire_put_u32(b, m->source);
	wire_put_string(b, m->name);
	wire_put_string(b, m->target);
	wire_put_u32(b, m->file);
	wire_put_u32(b, m->read_only);
	wire_put_u32(b, m->exec);
	wire_put_u32(b, m->mode);
	wire_put_u32(b, (uint32_t)m->owner);
}

static void get_mount(struct wire *w, struct box_mount *m)
{
	m->source = wire_get_u32(w);
	m->name = wire_get_string(w);
	m->target = wire_get_string(w);
	m->file = wire_get_u32(w);
	m->read_only = wire_get_u32(w);
	m->exec = wire_get_u32(w);
	m->mode = wire_get_u32(w);
	m->owner = (int32_t)wire_get_u32(w);
}

static void put_file(struct buf *b, const struct box_file *f)
{
	wire_put_string(b, f->path);
	wire_put_string(b, f->content);
	wire_put_u32(b, f->mode);
}

static void get_file(struct wire *w, struct box_file *f)
{
	f->path = wire_get_string(w);
	f->content = wire_get_string(w);
	f->mode = wire_get_u32(w);
}

void job_write(const struct job *j, struct buf *ret)
{
	const struct box_plan *p = &j->box;

	wire_put_u32(ret, j->supervisor);
	wire_put_string(ret, j->name);
	wire_put_string(ret, j->tree);
	wire_put_string(ret, j->config);
	wire_put_string(ret, j->label);
	wire_put_string(ret, j->namespace);
	wire_put_bytes(ret, j->policy, j->policy_size);
	wire_put_u32(ret, p->kind);
	wire_put_u32(ret, p->slice.first);
	wire_put_strv(ret, p->image_layers);
	wire_put_u32(ret, p->root_writable);
	wire_put_u32(ret, (uint32_t)p->n_mounts);
	for (size_t i = 0; i < p->n_mounts; i++)
		put_mount(ret, &p->mounts[i]);
	wire_put_u32(ret, (uint32_t)p->n_files);
	for (size_t i = 0; i < p->n_files; i++)
		put_file(ret, &p->files[i]);
}

/* A number of records, or 0 and the sticky error. */
static size_t get_count(struct wire *w, uint32_t max)
{
	uint32_t n = wire_get_u32(w);

	w->bad |= n > max;
	return w->bad ? 0 : n;
}

int job_read(const void *data, size_t size, struct job *ret, struct error **err)
{
	_cleanup_(job_release) struct job j = { 0 };
	struct wire w = wire_open(data, size);
	struct box_plan *p = &j.box;
	const void *policy;

	j.supervisor = wire_get_u32(&w);
	j.name = wire_get_string(&w);
	j.tree = wire_get_string(&w);
	j.config = wire_get_string(&w);
	j.label = wire_get_string(&w);
	j.namespace = wire_get_string(&w);
	policy = wire_get_bytes(&w, &j.policy_size);
	j.policy = xmalloc(j.policy_size);
	if (j.policy_size)
		memcpy(j.policy, policy, j.policy_size);
	p->kind = wire_get_u32(&w);
	p->slice.first = wire_get_u32(&w);
	p->image_layers = wire_get_strv(&w);
	p->root_writable = wire_get_u32(&w);
	p->n_mounts = get_count(&w, MOUNTS_MAX);
	p->mounts = xcalloc(p->n_mounts, sizeof *p->mounts);
	for (size_t i = 0; i < p->n_mounts; i++)
		get_mount(&w, &p->mounts[i]);
	p->n_files = get_count(&w, FILES_MAX);
	p->files = xcalloc(p->n_files, sizeof *p->files);
	for (size_t i = 0; i < p->n_files; i++)
		get_file(&w, &p->files[i]);
	if (!wire_end(&w) || p->kind >= BOX_KIND_MAX)
		return error_set(err, EPROTO, "bad job for a monitor");
	*ret = j;
	j = (struct job){ 0 };
	return 0;
}

void job_release(struct job *j)
{
	free(j->name);
	free(j->tree);
	free(j->config);
	free(j->label);
	free(j->namespace);
	free(j->policy);
	box_plan_release(&j->box);
	*j = (struct job){ 0 };
}

char *box_root_path(const char *tree, enum box_kind kind)
{
	return xasprintf("%s/%s/root", tree, box_kind_to_string(kind));
}
