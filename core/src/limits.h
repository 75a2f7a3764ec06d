/*
 * limits: what a child process sets for itself before foreign code runs in it: its folder, umask, user and group, and
 * resource limits. posix_spawn can do none of it.
 */
#ifndef CHIEF_LIMITS_H
#define CHIEF_LIMITS_H

#include "chief.h"

#pragma GCC visibility push(hidden)

/* What the chief can see before it starts anything: no such user or group, not allowed to become it, a number that can be
 * none. CHIEF_EINVAL or CHIEF_ENOENT with «worker resizer: …». */
int chief__limits_check(const chief_process *how, const char *worker);

/* Sets them all, in the child. CHIEF_ESYS (or as above) with what could not be set and why; the process is then not to
 * run anything. */
int chief__limits_apply(const chief_process *how);

#pragma GCC visibility pop
#endif
