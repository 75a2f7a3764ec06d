/*
 * step_stop: the stop of everything: level by level from the highest down, within force_stop_timeout; and force.
 */
#ifndef CHIEF_STEP_STOP_H
#define CHIEF_STEP_STOP_H

#include "model.h"

#pragma GCC visibility push(hidden)

/* Two signals closer than this are one: terminals and wrappers send twice. */
enum { CHIEF__STOP_SIGNAL_GAP = 500, CHIEF__STOP_FORCE_GRACE = 50 };

void chief__stop_all(chief__model *m);
void chief__stop_signal(chief__model *m);
void chief__stop_force(chief__model *m);

/* At the end of every step: asks the next level when the one above has ended, and says when all have. */
void chief__stop_proceed(chief__model *m);

#pragma GCC visibility pop
#endif
