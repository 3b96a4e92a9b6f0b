#include "image/box-job.h"

#include "base/buf.h"
#include "base/strv.h"
#include "base/wire.h"

void box_job_add(struct box_job *j, char **argv)
{
	j->runs = xreallocarray(j->runs, j->n_runs + 1, sizeof *j->runs);
	j->runs[j->n_runs++] = argv;
}

void box_job_release(struct box_job *j)
{
	strv_free(j->lowers);
	free(j->place);
	free(j->debs);
	free(j->files);
	for (size_t i = 0; i < j->n_runs; i++)
		strv_free(j->runs[i]);
	free(j->runs);
	*j = (struct box_job){ 0 };
}

char *box_job_pack(const struct box_job *j, size_t *ret_size)
{
	struct buf b = { 0 };

	wire_put_strv(&b, j->lowers);
	wire_put_string(&b, j->place);
	wire_put_string(&b, j->debs);
	wire_put_string(&b, j->files);
	wire_put_u32(&b, j->newest);
	wire_put_u32(&b, (uint32_t)j->n_runs);
	for (size_t i = 0; i < j->n_runs; i++)
		wire_put_strv(&b, j->runs[i]);
	*ret_size = b.size;
	return buf_take(&b);
}

int box_job_unpack(const void *data, size_t size, struct box_job *ret, struct error **err)
{
	_cleanup_(box_job_release) struct box_job j = { 0 };
	struct wire w = wire_open(data, size);
	uint32_t n;

	j.lowers = wire_get_strv(&w);
	j.place = wire_get_string(&w);
	j.debs = wire_get_string(&w);
	j.files = wire_get_string(&w);
	j.newest = wire_get_u32(&w);
	n = wire_get_u32(&w);
	for (uint32_t i = 0; i < n && i < BOX_JOB_RUNS_MAX && !w.bad; i++)
		box_job_add(&j, wire_get_strv(&w));
	if (!wire_end(&w) || !j.lowers)
		return error_set(err, EPROTO, "the job of the build box cannot be read");
	for (size_t i = 0; i < j.n_runs; i++)
		if (!j.runs[i])
			return error_set(err, EPROTO, "the build box has nothing to run");
	if (!*j.files) {
		free(j.files);
		j.files = NULL;
	}
	*ret = j;
	j = (struct box_job){ 0 };
	return 0;
}
