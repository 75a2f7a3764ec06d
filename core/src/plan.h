/*
 * plan: how the children of one process worker are started; a copy of what its chief_process said.
 */
#ifndef CHIEF_PLAN_H
#define CHIEF_PLAN_H

#include "spawn.h"

#pragma GCC visibility push(hidden)

typedef struct chief__plan {
    chief__spawner *spawner; /* held; const after new, as all but the last two */
    chief_process how;       /* what it points to is the plan's */
    chief_schedule schedule; /* that the child keeps; neither `every` nor `cron`: none. Its texts are the plan's */
    int64_t grace;           /* ms that the rest of a group has when its leader has ended by itself */
    chief__mutex lock;
    struct chief__proxy *first; /* under lock: the lives that are led now (proxy.h) */
} chief__plan;

/* CHIEF_EINVAL, CHIEF_ENOENT (no chief-worker, no such user), CHIEF_ENOMEM. */
int chief__plan_new(chief__plan **out, chief__spawner *spawner, const char *worker, const chief_process *how,
                    const chief_schedule *schedule, int64_t grace);
void chief__plan_free(void *data);

#pragma GCC visibility pop
#endif
