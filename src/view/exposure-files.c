#include "view/exposure-rows.h"

static unsigned measure_arguments(const struct view *v)
{
	static const unsigned shares[] = {
		[FILE_ARGUMENTS_NONE] = 0,
		[FILE_ARGUMENTS_READ_ONLY] = 300,
		[FILE_ARGUMENTS_READ_WRITE] = EXPOSURE_WHOLE,
	};

	return shares[v->profile->file_arguments];
}

static bool tell_arguments(const struct view *v, struct buf *out)
{
	static const char *const sentences[] = {
		[FILE_ARGUMENTS_NONE] = "It cannot open a file of yours because its name stands on "
					"the command line.",
		[FILE_ARGUMENTS_READ_ONLY] = "It can read the files and directories that its "
					     "command line names, and not change them.",
		[FILE_ARGUMENTS_READ_WRITE] = "It can read, change and empty the files and "
					      "directories that its command line names.",
	};

	buf_adds(out, sentences[v->profile->file_arguments]);
	return v->profile->file_arguments != FILE_ARGUMENTS_NONE;
}

static unsigned measure_read_only(const struct view *v)
{
	return exposure_of_list(v->profile->read_only);
}

static bool tell_read_only(const struct view *v, struct buf *out)
{
	if (!v->profile->read_only) {
		buf_adds(out, "It cannot look into any directory of yours unless you give it one.");
		return false;
	}
	buf_adds(out, "It can read, and not change, all of: ");
	tell_list(v->profile->read_only, out);
	buf_adds(out, ".");
	return true;
}

static unsigned measure_read_write(const struct view *v)
{
	return exposure_of_list(v->profile->read_write);
}

static bool tell_read_write(const struct view *v, struct buf *out)
{
	if (!v->profile->read_write) {
		buf_adds(out, "It cannot change a directory of yours unless you give it one.");
		return false;
	}
	buf_adds(out, "It can read, change and delete all of: ");
	tell_list(v->profile->read_write, out);
	buf_adds(out, ".");
	return true;
}

static bool tell_protected(const struct view *v, struct buf *out)
{
	(void)v;
	buf_adds(out, "It cannot reach passwords and keys at their usual places, nor what your "
		      "shell and desktop start, even beneath a directory that was given.");
	return false;
}

static const struct exposure rows[] = {
	/* clang-format off */
	{ "Files", "Arguments", FEAR_FILES, 12, measure_arguments,  tell_arguments },
	{ "Files", "ReadOnly",  FEAR_FILES, 12, measure_read_only,  tell_read_only },
	{ "Files", "ReadWrite", FEAR_FILES, 25, measure_read_write, tell_read_write },
	{ NULL,    NULL,        FEAR_FILES, 0,  NULL,               tell_protected },
	/* clang-format on */
};

const struct exposure_part exposures_of_files = { rows, ARRAY_SIZE(rows) };
