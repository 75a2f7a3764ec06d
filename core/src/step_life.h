/*
 * step_life: one worker's life, from the wait for its dependencies over init, run and readiness to its end and what its
 * policy makes of that. Knows nothing of requests and of the order in which all are stopped.
 */
#ifndef CHIEF_STEP_LIFE_H
#define CHIEF_STEP_LIFE_H

#include "model.h"

#pragma GCC visibility push(hidden)

/* Starts the next generation, now or when what it waits for is ready. No home of it may live. */
void chief__life_begin(chief__model *m, chief__life *w);

/* The first inits, before the launch: a note for each dependency that is not enabled here, then init if it may. */
void chief__life_note_after(chief__model *m, chief__life *w);
void chief__life_init_first(chief__model *m, chief__life *w);

/* The launch reaches this worker: it runs, waits, or is taken up by its policy. */
void chief__life_launch(chief__model *m, chief__life *w);

/* What its home reports. Each takes a report that comes out of turn. */
void chief__life_initialized(chief__model *m, chief__life *w);
void chief__life_init_failed(chief__model *m, chief__life *w, int32_t reason);
void chief__life_entered(chief__model *m, chief__life *w);
void chief__life_said_ready(chief__model *m, chief__life *w);
void chief__life_expired(chief__model *m, chief__life *w, int32_t reason);
void chief__life_exited(chief__model *m, chief__life *w, int32_t reason);
void chief__life_finished(chief__model *m, chief__life *w);
void chief__life_late(chief__model *m, chief__life *w);

/* Its deadline has come. */
void chief__life_due(chief__model *m, chief__life *w);

/* Asks its home to end by `until`; one asked before keeps the earlier limit. */
void chief__life_ask(chief__model *m, chief__life *w, int64_t until);

/* When its grace is over if it is asked now and nothing else sets a limit. */
int64_t chief__life_grace(const chief__model *m, const chief__life *w);

/* The time of its living home is over: it is interrupted where that is possible, and given up where not, or where it was
 * before: nobody waits for it any more. `grace`: what it had, -1 for none. */
void chief__life_force(chief__model *m, chief__life *w, int32_t reason, int64_t grace);

/* Removes it: no home of it lives, or an abandoned one. `w` is none any more. */
void chief__life_remove(chief__model *m, chief__life *w);

#pragma GCC visibility pop
#endif
