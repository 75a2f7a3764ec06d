/*
 * step_group: the restart of a group. Who is to go along with a worker that is restarted is stopped, the last first; then
 * all start in the order of the group, each when the one before is ready. Each step moves it on by what has become
 * possible. Who is stopped by hand, given up, abandoned, removed or has ended drops out, and the others go on.
 *
 *   NONE ─▶ ENDING ─ its home has ended ─▶ WAITING ─ its turn ─▶ STARTING ─ ready ─▶ NONE
 *     └──── it is the one that failed ──────┘ ▲                     │
 *                                             └───── failed ────────┘
 */
#ifndef CHIEF_STEP_GROUP_H
#define CHIEF_STEP_GROUP_H

#include "model.h"

#pragma GCC visibility push(hidden)

/* `w` waits for its restart, at `due`: if it had been ready, its group goes along. */
void chief__group_restart(chief__model *m, chief__life *w, int64_t due);

/* Whether the worker may start now, as far as its group is concerned. It then has its turn. */
bool chief__group_lets(chief__model *m, chief__life *w);

/* Its home has ended. */
void chief__group_ended(chief__model *m, chief__life *w);

/* It is ready. One that is to end in its turn still is. */
void chief__group_started(chief__model *m, chief__life *w);

/* Nobody of its group has to wait for it any more. */
void chief__group_pass(chief__model *m, chief__life *w);

/* At the end of every step. */
void chief__groups_proceed(chief__model *m);

#pragma GCC visibility pop
#endif
