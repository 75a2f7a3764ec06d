/*
 * step_emit: what a step answers with. The only way to write actions, and the only way to change a state or a phase, so
 * that the model and what the loop is told cannot differ.
 */
#ifndef CHIEF_STEP_EMIT_H
#define CHIEF_STEP_EMIT_H

#include "model.h"

#pragma GCC visibility push(hidden)

/* Adds an action about `w` (NULL: about all), with its id, generation, state and phase filled in. Borrowed. */
chief__action *chief__emit(chief__model *m, chief__action_kind kind, const chief__life *w);

/* The worker goes to `state`; the table in state.c has the last word. */
void chief__emit_state(chief__model *m, chief__life *w, chief_state_t state, int32_t reason);

/* A request that is not legal now: it asked for `state`. Always CHIEF_WORKER_WRONG_STATE_CHANGE. */
int chief__emit_wrong(chief__model *m, const chief__life *w, chief_state_t state);

/* `until` INT64_MAX: no limit. `delay` as STEP_A_PHASE says. Nothing when nothing changes. */
void chief__emit_phase(chief__model *m, chief__life *w, int32_t phase, int64_t until, int64_t delay);

/* A phase that has no limit and waits for nothing. */
void chief__emit_rest(chief__model *m, chief__life *w, int32_t phase);

#pragma GCC visibility pop
#endif
