#include "image/essential.h"

#include "base/strv.h"

#define MMDEBSTRAP "/usr/bin/mmdebstrap"
#define MERGED_USR "/usr/share/mmdebstrap/hooks/maybe-merged-usr"

static const char *const options[] = {
	"--mode=unshare",
	"--variant=essential", /* no apt inside: an image is never changed */
	"--format=tar",
	"--verbose",
	"--skip=update",
	"--setup-hook=mkdir -p \"$1/var/cache/apt/archives\" \"$1/var/lib/apt/lists\"",
	"--dpkgopt=force-unsafe-io", /* what is interrupted is thrown away */
	"--dpkgopt=path-exclude=/usr/share/doc/*",
	"--dpkgopt=path-exclude=/usr/share/gnome/help/*",
	"--dpkgopt=path-exclude=/usr/share/help/*",
	"--dpkgopt=path-exclude=/usr/share/info/*",
	"--dpkgopt=path-exclude=/usr/share/lintian/*",
	"--dpkgopt=path-exclude=/usr/share/locale/*",
	"--dpkgopt=path-exclude=/usr/share/man/*",
	/* The host's network and its name stay out of the image, and so does what is different each
	 * time. */
	"--customize-hook=rm -rf \"$1\"/etc/apt/sources.list*",
	"--customize-hook=rm -f \"$1/etc/apt/apt.conf.d/99mmdebstrap\" "
	"\"$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap\"",
	"--customize-hook=rm -f \"$1/etc/hostname\" \"$1/etc/resolv.conf\" \"$1/etc/.pwd.lock\" "
	"\"$1\"/etc/passwd- \"$1\"/etc/group- \"$1\"/etc/shadow- \"$1\"/etc/gshadow-",
	"--customize-hook=rm -rf \"$1\"/var/lib/dpkg/*-old \"$1\"/var/cache/debconf/*-old "
	"\"$1\"/var/log/*",
};

char **essential_pattern(const struct apt *a)
{
	const char *suite = a->place->suite;
	char **wanted = NULL;

	/* As mmdebstrap says it: not what only another suite has. */
	strv_addf(&wanted,
		  "?narrow(?or(?archive(^%s$),?codename(^%s$)),?architecture(%s),?essential)",
		  suite, suite, a->architecture);
	return wanted;
}

char **essential_argv(const struct apt *a)
{
	const struct apt_place *p = a->place;
	const char *scratch = p->scratch->path;
	char **argv = NULL;

	strv_add(&argv, MMDEBSTRAP);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		strv_add(&argv, options[i]);
	strv_addf(&argv, "--setup-hook=sync-in %s/" ESSENTIAL_LISTS " /var/lib/apt/lists", scratch);
	strv_addf(&argv, "--setup-hook=sync-in %s/" ESSENTIAL_DEBS " /var/cache/apt/archives",
		  scratch);
	if (access(MERGED_USR, R_OK) == 0)
		strv_add(&argv, "--hook-dir=" MERGED_USR);
	strv_add(&argv, "--aptopt=Acquire::Languages \"none\"");
	strv_add(&argv, "--");
	strv_add(&argv, p->suite);
	strv_add(&argv, "-"); /* the archive goes to standard output */
	if (p->sources->list)
		strv_addf(&argv, "%s/sources/host.list", scratch);
	if (p->sources->deb822)
		strv_addf(&argv, "%s/sources/host.sources", scratch);
	return argv;
}
