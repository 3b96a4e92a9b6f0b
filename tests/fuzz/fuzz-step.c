/* Whatever a step says, its keys are no option, its files lie where they must, and all numbers are
 * within their limits. The first line is a step, the second a title. */

#include <string.h>

#include "base/text.h"
#include "profile/step.h"
#include "tests/fuzz/fuzz.h"

static void check_place(const struct step_place *p)
{
	must(p->n <= (p->percent ? 100 : 16384));
}

static bool is_beneath(const char *name)
{
	_cleanup_free_ char *absolute = xasprintf("/%s", name);

	return *name != '/' && *name != '-' && *name != '~' && path_is_shortest(absolute);
}

static void check_step(const struct step *s)
{
	must(s->verb < STEP_VERB_MAX);
	must(s->verb != STEP_KEY || (*s->text != '-' && !strpbrk(s->text, " -\t")));
	must(s->verb != STEP_FILE || (sample_name_is_valid(s->name) && (s->changed || s->text)));
	must(s->verb != STEP_HOME || is_beneath(s->name));
	must(s->verb != STEP_WAIT || (s->number >= 1 && s->number <= 60));
	must(s->verb != STEP_EXIT || s->number <= 255);
	must(s->colour <= 0xffffff);
	check_place(&s->x);
	check_place(&s->y);
	check_place(&s->to_x);
	check_place(&s->to_y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *)data, size);
	const size_t n = strcspn(text, "\n");
	_cleanup_free_ char *line = xstrndup(text, n);
	_cleanup_(error_freep) struct error *error = NULL;
	struct step s;

	if (step_read(line, &s, &error) < 0) {
		must(error && error->code == EINVAL && *error->message);
		must(text_is_clean(error->message));
	} else {
		check_step(&s);
		if (s.verb == STEP_TITLE && text[n])
			(void)glob_matches(s.text, text + n + 1);
		step_release(&s);
	}
	must(glob_matches("*", text));
	return 0;
}
