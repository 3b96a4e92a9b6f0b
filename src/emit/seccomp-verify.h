#pragma once

/*
 * Does a compiled filter do what its policy means? Libseccomp 2.5 makes wrong programs of some
 * rules for several arguments of one call, in both directions; so nothing it has made is believed.
 * Every call with such rules is asked at all values where one of them begins or ends to hold.
 */

#include "emit/filter.h"
#include "emit/policy.h"

int seccomp_verify(const struct policy *p, const struct filter *f, struct error **err);
