#pragma once

/* Policies from their directory, with what they include. */

#include "emit/policy.h"

/* NAME.policy in an open directory. */
int policy_load(int directory, const char *name, struct policy **ret, struct error **err);
