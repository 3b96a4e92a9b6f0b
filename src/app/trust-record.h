#pragma once

/* Records on disk, for app/trust.c alone. One is written whole or not at all, and never while
 * another process writes it. */

#include "base/error.h"
#include "profile/profile.h"

struct trust_record {
	char *confirmed;	 /* digest, or NULL */
	struct profile *shipped; /* NULL: there is no record */
};

void trust_record_release(struct trust_record *r);

/* Text and back: pure. */
char *trust_record_text(const struct trust_record *r);
int trust_record_parse(const char *text, size_t size, struct trust_record *ret, struct error **err);

/* One that is not there leaves *ret empty. */
int trust_record_read(const char *home, const char *name, struct trust_record *ret,
		      struct error **err);

/* Without `confirmed`, that of the record there stays. */
int trust_record_write(const char *home, const char *name, const struct trust_record *r,
		       struct error **err);

int trust_record_list(const char *home, char ***ret, struct error **err);
int trust_record_remove(const char *home, const char *name, struct error **err);
