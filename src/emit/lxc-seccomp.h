#pragma once

/*
 * A policy as the text that liblxc takes (lxc.seccomp.profile), for containers that the stock tools
 * start. Such a text is one list of what is allowed, and a rule in it has one masked comparison for
 * each argument; so what is allowed of a call is written as a list of patterns of bits. Pure.
 */

#include "emit/policy.h"

/*
 * `ret_text` receives the text; `ret_differences` a NULL-terminated list of sentences on what it
 * says otherwise than the policy. Of calls of x86_64 it never allows more. That it cannot deny
 * another ABI is the first of them. Both owned by the caller.
 */
int seccomp_render_lxc(const struct policy *p, char **ret_text, char ***ret_differences,
		       struct error **err);
