#pragma once

/*
 * The limits of a box on namespaces of its own. They belong to the box's user namespace, and only
 * who has rights over that one can change them: nobody inside. So they are set, and read back, by a
 * child of this process that enters it, after liblxc is done and before anything is executed but
 * the init.
 */

#include <sys/types.h>

#include "base/error.h"
#include "plan/plan-namespaces.h"

/* `init` is any process of the user namespace; `max` as in struct box_plan. */
int nested_limit(pid_t init, const uint32_t max[NAMESPACE_KIND_MAX], struct error **err);
