/* Whatever a tar archive holds: nothing outside the directory changes, and in it nothing has a
 * privilege, or is what no layer may have. */

#include <fcntl.h>
#include <ftw.h>
#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fs.h"
#include "image/unpack.h"
#include "tests/fuzz/fuzz.h"

#define OUTSIDE "outside"

static char place[] = "/tmp/fuzz-unpack.XXXXXX"; /* holds OUTSIDE, and root/ for a while */
static int outer = -1;

static void clean_up(void)
{
	struct error *err = NULL;

	must(fs_remove_tree(AT_FDCWD, place, &err) == 0);
}

static void set_up(void)
{
	struct error *err = NULL;

	setlocale(LC_CTYPE, "C.UTF-8");
	must(mkdtemp(place) && fs_open_dir(AT_FDCWD, place, &outer, &err) == 0);
	must(fs_write(outer, OUTSIDE, "safe", 4, 0644, &err) == 0);
	atexit(clean_up);
}

static bool is_layer;

static int check_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)type;
	must(st->st_uid == getuid());
	if (ftw->level && !S_ISLNK(st->st_mode))
		must(!(st->st_mode & 06000));
	switch (st->st_mode & S_IFMT) {
	case S_IFDIR:
	case S_IFREG:
	case S_IFLNK:
		return 0;
	default:
		must(is_layer && S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0));
		return 0;
	}
}

static void check_outside(void)
{
	struct error *err = NULL;
	_cleanup_free_ char *text = NULL;
	struct stat st;

	must(fs_read(outer, OUTSIDE, 100, &text, NULL, &err) == 0 && !strcmp(text, "safe"));
	must(fstatat(outer, OUTSIDE, &st, 0) == 0 && st.st_nlink == 1);
	must((st.st_mode & 07777) == 0644);
	must(fstat(outer, &st) == 0 && st.st_nlink == 3); /* root/ alone was added */
}

static void unpack(const uint8_t *data, size_t size, bool layer)
{
	const struct unpack_options o = { .layer = layer, .newest = EXTRACT_TIME_MAX };
	_cleanup_(error_freep) struct error *err = NULL;
	_cleanup_close_ int tar = memfd_create("tar", MFD_CLOEXEC), root = -EBADF;
	_cleanup_free_ char *path = xasprintf("%s/root", place);
	struct error *none = NULL;
	struct unpack_stats stats;
	int r;

	must(fs_write_all(tar, data, size, &none) == 0 && lseek(tar, 0, SEEK_SET) == 0);
	must(fs_make_dir(outer, "root", 0755, &root, &none) == 0);
	r = unpack_tar(tar, root, &o, NULL, NULL, &stats, &err);
	must((r < 0) == (err != NULL));
	is_layer = layer;
	must(nftw(path, check_file, 16, FTW_PHYS) == 0);
	check_outside();
	must(fs_remove_tree(outer, "root", &none) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (outer < 0)
		set_up();
	unpack(data, size, false);
	unpack(data, size, true);
	return 0;
}
