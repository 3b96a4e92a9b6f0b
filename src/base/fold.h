#pragma once

/*
 * Names as a file system sees them that takes no notice of case (ext4, f2fs and tmpfs with
 * casefold, exFAT, shares of a network): there ".BASHRC" is ".bashrc", and so are spellings with
 * letters that Unicode folds to ASCII, and with characters that it ignores. What must not be
 * reached is compared this way everywhere: better a name too many is refused than one too few.
 * Letters that are neither ASCII nor fold to it are compared as they are.
 */

#include <stdbool.h>

/* What is left of `path` beneath `dir` ("" if both are the same, no slash in front), or NULL if it
 * lies elsewhere. Both have one slash between components, and none at the end. */
const char *fold_beneath(const char *path, const char *dir);

/* Could both be one name? */
bool fold_same(const char *a, const char *b);

bool fold_begins(const char *s, const char *begin);
