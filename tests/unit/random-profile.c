#include "random-profile.h"

#include <string.h>

#include "profile/keys.h"

/* Some of them are values of every key. */
static const char *const values[] = {
	"yes",	"no",	   "0",	      "1",	   "2",	    "32",      "300",
	"1024", "4096",	   "70000",   "64M",	   "600M",  "2G",      "100%",
	"250%", "10s",	   "8h",      "gui",	   "gui-2", "browser", "host",
	"box",	"UTC",	   "C.UTF-8", "~/a",	   "~/a/b", "~/b",     "%d",
	"%d/a", "/srv",	   "/srv/a",  "/srv/ab",   ".a",    "ptrace",  "mount",
	"bpf",	"org.a.B", "@timer",  "/dev/fuse", "a",	    "org.a.*",
};

unsigned random_below(uint64_t *seed, unsigned n)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(*seed >> 33) % n;
}

static const char *propose(const struct key *k, uint64_t *seed)
{
	unsigned n = 0;

	while (k->choices && k->choices[n])
		n++;
	return n ? k->choices[random_below(seed, n)]
		 : values[random_below(seed, ARRAY_SIZE(values))];
}

static bool add_key(struct buf *out, const struct key *k, uint64_t *seed, bool for_rule)
{
	for (unsigned i = 0; i < 60; i++) {
		_cleanup_(profile_freep) struct profile *p = profile_new("random");
		_cleanup_(error_freep) struct error *unfit = NULL;
		const char *value = propose(k, seed);

		if (for_rule && *value == '%' && k->order == ORDER_PATHS)
			continue;
		if (k->type->read(k, key_field(k, p), value, &unfit) < 0)
			continue;
		buf_addf(out, "[%s]\n%s=%s\n", k->section, k->name, value);
		return true;
	}
	return false;
}

void random_keys(struct buf *out, uint64_t *seed, unsigned chance, bool for_rule)
{
	for (size_t i = 0; key_at(i); i++) {
		const struct key *k = key_at(i);

		if (!key_is_supported(k) || !k->type->size || k->type == &value_inherit ||
		    (for_rule && k->order == ORDER_NONE) || !strcmp(k->name, "Command"))
			continue;
		if (for_rule && k->type->is_list && random_below(seed, 100) < chance / 4)
			buf_addf(out, "[%s]\n%s=\n", k->section, k->name);
		for (unsigned n = k->type->is_list ? 3 : 1; n > 0; n--)
			if (random_below(seed, 100) < chance)
				(void)add_key(out, k, seed, for_rule);
	}
}
