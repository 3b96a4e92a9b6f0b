#pragma once

/* Whose an open file is, as far as writing goes. */

#include <stdbool.h>
#include <sys/stat.h>

/*
 * May anybody but its owner and root write it? `st` is that of `fd`. The owner's private group,
 * which Debian gives each user and lets write what he makes (adduser(8) on usergroups, pam_umask(8)
 * on usergroups), is nobody else, as long as no other user is in it. With an access control list
 * (acl(5)) the bits of the group tell nothing: then others may.
 */
bool others_may_write(int fd, const struct stat *st);
