#include "app/hand-over.h"

#include "app/control-client.h"
#include "base/strv.h"
#include "session/gate.h"

static int add_word(int fd, struct argument *a, char ***argv, struct error **err)
{
	/* What it has already, with more rights or a limit, stays as it is: it may be open. */
	const struct control_wish wish = {
		.access = a->writable ? GATE_READ_WRITE : GATE_READ_ONLY,
		.at_least = true,
		.limit = GATE_NO_LIMIT,
	};
	_cleanup_free_ char *inside = NULL;
	int r;

	if (!a->is_file) {
		strv_add(argv, a->word);
		return 0;
	}
	r = control_share(fd, &a->given, &wish, &inside, err);
	if (r < 0)
		return r;
	strv_take(argv, argument_inside(a, inside));
	return 0;
}

int hand_over(const char *id, struct arguments_given *args, char *const *command, char ***ret_argv,
	      struct error **err)
{
	_cleanup_strv_ char **argv = strv_copy(command);
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = control_connect(id, &fd, NULL, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < args->n; i++) {
		r = add_word(fd, &args->list[i], &argv, err);
		if (r < 0)
			return error_prefix(err, "sandbox '%s'", id);
	}
	*ret_argv = TAKE_PTR(argv);
	return 0;
}

bool hand_over_was_too_late(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED || r == -ECONNRESET || r == -EPIPE;
}
