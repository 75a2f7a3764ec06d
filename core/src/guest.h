/*
 * guest: one life on a thread of the host's, which comes for it and leads it from call to call. Who waits for whom is hosted's
 * matter.
 */
#ifndef CHIEF_GUEST_H
#define CHIEF_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "chief.h"

#pragma GCC visibility push(hidden)

/* What a worker keeps for it. */
typedef struct chief__guest {
    void (*on_word)(chief_worker *w); /* called by the loop when there is a word; const after launch, NULL: no guest */
    chief_worker *next;               /* this and the next three: under the lock of whoever keeps those that wait */
    bool waiting;                     /* for a thread */
    bool told;                        /* there is a word that was not heard */
    bool gone;                        /* nobody will hear one any more */
    bool visits;                      /* the host's thread's, as `part`: it counts as one of the chief's */
} chief__guest;

/* It will be led so. */
void chief__guest_launch(chief_worker *w, void (*on_word)(chief_worker *w));

/* Its init begins, in the calling thread, which it has until it leaves. */
void chief__guest_arrive(chief_worker *w);

/* Its init has succeeded, which is told once. Waits for the word: CHIEF_OK when its run begins, CHIEF_ECANCELED when it has
 * to leave without one, CHIEF_EBUSY when its run has begun before; CHIEF_ETIMEDOUT. */
int chief__guest_enter(chief_worker *w, int64_t deadline);

/* It has ended, with this code; the last that is heard of it. */
void chief__guest_leave(chief_worker *w, int code);

/* It has ended since no thread had come for it. */
void chief__guest_miss(chief_worker *w);

#pragma GCC visibility pop
#endif
