/*
 * leash: a child's tie to its chief. The chief's death is told by the kernel (PR_SET_PDEATHSIG, bound to the spawner's
 * thread) and by the end of the side channel; either way the whole group of the child is killed, so that nothing of it
 * runs beside the workers of the next chief. Used in the child only.
 */
#ifndef CHIEF_LEASH_H
#define CHIEF_LEASH_H

#include <stdbool.h>

#include "chief.h"

#pragma GCC visibility push(hidden)

/* The environment variable in which a child finds the pid of its chief. */
#define CHIEF__PARENT_VARIABLE "CHIEF_PARENT"

/*
 * Ties the process to its chief, once: from now on SIGTERM asks for a stop (chief__leash_fd) instead of ending the
 * process, and ends its group when the chief has died. CHIEF_ENOTSUP when the environment names no chief, CHIEF_ECLOSED
 * when that is dead already.
 */
int chief__leash_tie(void);

/* Again, after the process has become another user, which makes the kernel forget it. CHIEF_ECLOSED as above. */
int chief__leash_renew(void);

/* A descriptor that becomes readable when SIGTERM came. Borrowed. */
int chief__leash_fd(void);

/* The chief is gone: kills the process's group, itself with it. Does nothing where the process does not lead its
 * group or is not tied. */
void chief__leash_cut(void);

#pragma GCC visibility pop
#endif
