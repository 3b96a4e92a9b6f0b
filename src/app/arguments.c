#include "app/arguments.h"

#include <fcntl.h>
#include <string.h>

#include "app/argument-words.h"
#include "base/text.h"

#define SHOWN_MAX 200U

static int refuse(struct error **err, int code, const char *word, const char *why)
{
	_cleanup_free_ char *shown = text_escape(word, SHOWN_MAX);

	return error_set(err, code, "'%s' %s", shown, why);
}

static bool means_absent(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -ENAMETOOLONG;
}

/* Nothing is decided here, the kernel does when it is opened: who cannot write gets less. */
static bool may_write(int fd, const char *name, int flags)
{
	return faccessat(fd, name, W_OK, AT_EACCESS | flags) == 0;
}

/* A file that is not there yet: its application is to make it. */
static int open_missing(const struct word *w, const struct protection *p, struct given *ret,
			struct error **err)
{
	_cleanup_(given_release) struct given g = GIVEN_NONE;
	int r;

	r = given_open(w->path, true, p, &g, err);
	if (r < 0)
		return r;
	if (!may_write(g.parent, ".", 0))
		return refuse(err, ENOENT, w->path, "does not exist, and you cannot make it there");
	*ret = g;
	g = GIVEN_NONE;
	return 0;
}

static int open_file(enum file_arguments mode, const struct word *w, const struct protection *p,
		     struct given *ret, struct error **err)
{
	int r;

	r = given_open(w->path, false, p, ret, err);
	if (r != -ENOENT || mode != FILE_ARGUMENTS_READ_WRITE)
		return r;
	if (!w->marked && !word_may_be_new(w->path))
		return r;
	*err = error_free(*err);
	return open_missing(w, p, ret, err);
}

/* Of a word that is to be a file if it can: 1 if it is one, 0 if it is data. */
static int open_word(enum file_arguments mode, const char *word, const struct word *w,
		     const struct protection *p, struct given *ret, struct error **err)
{
	int r;

	if (w->marked && mode == FILE_ARGUMENTS_NONE)
		return refuse(err, EPERM, word,
			      "cannot be given: the profile takes no files; put "
			      "Arguments=read-only or Arguments=read-write into its [Files]");
	if (w->marked && !w->path)
		return refuse(err, EINVAL, word, "is no file of this host");
	if (mode == FILE_ARGUMENTS_NONE || !w->path)
		return 0;
	r = open_file(mode, w, p, ret, err);
	if (r >= 0)
		return 1;
	if (w->marked || !means_absent(r))
		return r;
	*err = error_free(*err);
	return 0;
}

static int add_word(enum file_arguments mode, struct word_place *place, const char *word,
		    const struct protection *p, struct arguments_given *a, struct error **err)
{
	_cleanup_(word_release) struct word w = word_read(place, word);
	struct given given = GIVEN_NONE;
	int r = 0;

	if (w.kind == WORD_MARK)
		return 0;
	if (w.kind != WORD_DATA)
		r = open_word(mode, word, &w, p, &given, err);
	if (r < 0)
		return r;
	a->list[a->n++] = (struct argument){
		.word = xstrdup(word),
		.is_file = r > 0,
		.is_uri = r > 0 && w.kind == WORD_URI,
		.writable = r > 0 && mode == FILE_ARGUMENTS_READ_WRITE &&
			    (given.fd < 0 || may_write(given.fd, "", AT_EMPTY_PATH)),
		.given = given,
	};
	return r;
}

int arguments_parse(enum file_arguments mode, char *const *words, const struct protection *p,
		    struct arguments_given *ret, struct error **err)
{
	_cleanup_(arguments_release) struct arguments_given a = { 0 };
	struct word_place place = { 0 };
	unsigned files = 0;
	int r;

	for (char *const *word = words; word && *word; word++) {
		a.list = xreallocarray(a.list, a.n + 1, sizeof *a.list);
		r = add_word(mode, &place, *word, p, &a, err);
		if (r < 0)
			return r;
		files += (unsigned)r;
		if (files > ARGUMENT_FILES_MAX)
			return error_set(err, E2BIG,
					 "more than %u files: give the directory they are in",
					 ARGUMENT_FILES_MAX);
	}
	r = word_place_end(&place, err);
	if (r < 0)
		return r;
	*ret = a;
	a = (struct arguments_given){ 0 };
	return 0;
}

void arguments_release(struct arguments_given *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->list[i].word);
		given_release(&a->list[i].given);
	}
	free(a->list);
	*a = (struct arguments_given){ 0 };
}

char *argument_inside(const struct argument *a, const char *inside)
{
	_cleanup_free_ char *uri = NULL;

	if (!a->is_uri)
		return xstrdup(inside);
	uri = file_uri_from_path(inside);
	return xasprintf("%s%s", uri, file_uri_tail(a->word));
}
