#include "image/machine.h"

#include <stddef.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/alloc.h"

/* clang-format off */
static const struct machine machines[] = {
	{ "aarch64", "arm64", "arm64" },
	{ "armv7l", "arm", "armhf" },
	{ "i686", "386", "i386" },
	{ "loongarch64", "loong64", "loong64" },
	{ "mips64", "mips64le", "mips64el" },
	{ "ppc64le", "ppc64le", "ppc64el" },
	{ "riscv64", "riscv64", "riscv64" },
	{ "s390x", "s390x", "s390x" },
	{ "x86_64", "amd64", "amd64" },
};
/* clang-format on */

const struct machine *machine_by_kernel(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (!strcmp(machines[i].kernel, name))
			return &machines[i];
	return NULL;
}

const struct machine *machine_by_debian(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (!strcmp(machines[i].debian, name))
			return &machines[i];
	return NULL;
}

const struct machine *machine_here(void)
{
	struct utsname u;

	return uname(&u) < 0 ? NULL : machine_by_kernel(u.machine);
}
