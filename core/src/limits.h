/*
 * limits: what a child process sets for itself before foreign code runs in it: its folder, umask, user and group, and
 * resource limits. posix_spawn can do none of it.
 */
#ifndef CHIEF_LIMITS_H
#define CHIEF_LIMITS_H

#include <stdbool.h>

#include "chief.h"

#pragma GCC visibility push(hidden)

typedef struct chief__limits {
    const char *cwd;   /* NULL: stays */
    const char *user;  /* a name or a number; NULL: stays */
    const char *group; /* NULL: that of `user` */
    int64_t umask;     /* here and below: 0 stays, CHIEF_ZERO is zero */
    int64_t memory;
    int64_t cpu;
    int64_t files;
    int64_t file_size;
    int64_t processes;
    int64_t core;
} chief__limits;

/* What the chief can see before it starts anything: no such user or group, not allowed to become it, a number that can be
 * none. CHIEF_EINVAL or CHIEF_ENOENT with «worker resizer: …». */
int chief__limits_check(const chief__limits *limits, const char *worker);

/* Sets them all, in the child. CHIEF_ESYS (or as above) with what could not be set and why; the process is then not to
 * run anything. */
int chief__limits_apply(const chief__limits *limits);

#pragma GCC visibility pop
#endif
