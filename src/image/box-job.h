#pragma once

/*
 * What vitrine-build-box is to do: packed by `vitrine image build` into a file of a directory whose
 * path is the program's argument.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define BOX_JOB_FILE "job"
/* In the scratch directory, and nobody else's to enter: files of the user with the set-user-ID bit
 * can be made in a box. */
#define BOX_PLACE	 "box"
#define BOX_JOB_MAX	 (16U << 20)
#define BOX_JOB_RUNS_MAX 40000U

/* What the box sees of the outside, read-only. */
#define BOX_OUTSIDE "/run/vitrine"
#define BOX_DEBS    BOX_OUTSIDE "/debs"
#define BOX_FILES   BOX_OUTSIDE "/files"

struct box_job {
	char **lowers;	 /* absolute paths of the trees below, the topmost first */
	char *place;	 /* absolute path of a directory where upper layer and job lie */
	char *debs;	 /* absolute path of the packages */
	char *files;	 /* absolute path of the recipe's own files, or NULL */
	uint32_t newest; /* no file is younger (SOURCE_DATE_EPOCH) */
	char ***runs;	 /* programs to run in the box, one after the other: argument vectors */
	size_t n_runs;
};

/* Takes the vector over. */
void box_job_add(struct box_job *j, char **argv);

/* Bytes, owned by the caller. */
char *box_job_pack(const struct box_job *j, size_t *ret_size);
int box_job_unpack(const void *data, size_t size, struct box_job *ret, struct error **err);
void box_job_release(struct box_job *j);
