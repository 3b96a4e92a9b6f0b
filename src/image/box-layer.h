#pragma once

/* From apt's plan and the recipe to what a build box runs. Pure, but for the text of the fonts'
 * step. */

#include "image/apt-plan.h"
#include "image/box-job.h"
#include "image/recipe.h"

/* Adds the runs; all else of the job is the caller's. */
void box_layer_plan(const struct apt_plan *plan, const struct recipe *recipe, struct box_job *job);
