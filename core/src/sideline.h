/*
 * sideline: what a child and its chief say to each other while the worker does something else: the end of the context,
 * values, the level of the log come down; log records go up, and that the worker is stuck. A thread of its own listens. Used in the child only.
 */
#ifndef CHIEF_SIDELINE_H
#define CHIEF_SIDELINE_H

#include "plat.h"
#include "wire.h"

#pragma GCC visibility push(hidden)

typedef struct chief__sideline {
    chief_context *context; /* held; const after init, as the next */
    chief_log *log;         /* held: its sink goes up */
    int fd;
    bool started;
    chief__thread thread;
    chief__wire wire;        /* its thread's */
    chief__mutex write_lock; /* held while something goes up */
    chief__mutex lock;
    chief__cond changed;
    /* under lock */
    int64_t grace_end;            /* monotonic ms; INT64_MAX until the end was asked for */
    bool over;                    /* the worker has ended */
    struct chief__latest *latest; /* which value of each name is the newest */
} chief__sideline;

/* Makes the context and the logger. CHIEF_ENOMEM; then fini is still to be called. */
int chief__sideline_init(chief__sideline *s, int fd);

/* From now on it listens. When the chief has gone, the context is cancelled, and if the worker has not ended by the end of
 * its grace (at least a second), the process does. CHIEF_ESYS. */
int chief__sideline_start(chief__sideline *s);

/* The worker has ended: stops listening. */
void chief__sideline_fini(chief__sideline *s);

/* Sends frames up and empties them. Any thread. */
void chief__sideline_say(chief__sideline *s, chief__frames *frames);

/* Takes a frame that came down: CANCEL, VALUE, LEVEL, SYNC; false for another. Any thread. */
bool chief__sideline_take(chief__sideline *s, const chief__frame *frame);

#pragma GCC visibility pop
#endif
