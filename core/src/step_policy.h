/*
 * step_policy: what follows when a worker has ended by itself: a restart, and after which delay, or that it is given up,
 * and what that means for the rest. Knows nothing of how it is started and stopped.
 */
#ifndef CHIEF_STEP_POLICY_H
#define CHIEF_STEP_POLICY_H

#include "model.h"

#pragma GCC visibility push(hidden)

/* Its home has ended, unasked, while everything runs. */
void chief__policy_follow(chief__model *m, chief__life *w, bool failed);

/* Its host says what is to follow (enum chief_answer_kind), or has said nothing in time. It waits for that (WAIT_ANSWER). */
void chief__policy_answered(chief__model *m, chief__life *w, int32_t answer, int64_t delay);
void chief__policy_unanswered(chief__model *m, chief__life *w);

/* It has ended, or waits no longer, and nothing follows. */
void chief__policy_rest(chief__model *m, chief__life *w);

/* Its home did not end in time, outside the stop of everything: it can't be restarted. */
void chief__policy_abandoned(chief__model *m, chief__life *w);

/* It is started by hand: what failed before does not count any more. */
void chief__policy_forget(chief__life *w);

#pragma GCC visibility pop
#endif
