#include "cli/show-standalone.h"

#include "app/standalone.h"
#include "base/strv.h"

int show_standalone(struct profile *p, const struct standalone_wish *wish,
		    const struct facts *facts, char **ret_config, char ***ret_notes,
		    struct error **err)
{
	_cleanup_(permit_freep) struct permit *permit = NULL;
	_cleanup_(stock_release) struct stock stock = { 0 };
	int r;

	r = permit_make(p, facts, NULL, &permit, err);
	if (r < 0)
		return r;
	r = wish->root ? stock_make(permit, facts, wish->arguments, wish->root, &stock, err)
		       : standalone_make(permit, facts, wish->arguments, &stock, err);
	if (r < 0)
		return r;
	if (permit_note(permit))
		strv_add(&stock.notes, permit_note(permit));
	*ret_config = TAKE_PTR(stock.config);
	*ret_notes = TAKE_PTR(stock.notes);
	return 0;
}
