/*
 * fiber: fibers on a few threads. A scheduler is a queue of fibers that can go on, with the deadlines and descriptors the
 * others wait for; a thread runs it, and passes it on to another thread when the fiber it resumes blocks or takes too
 * long. Knows nothing of workers: a fiber is a function that is called again whenever its waiter was woken.
 *
 * A fiber belongs to whoever may call it or change it, one at a time: the thread that resumes it; then, from the moment its
 * waiter says SUSPENDED, nobody, until one wake takes that from the waiter and puts it into a queue; then the scheduler of
 * that queue. What it waits for at its scheduler (deadline, descriptor) is under that scheduler's lock.
 *
 * Lock order: any queue's lock (wait.h) → a scheduler's → the group's. A scheduler's lock is never held with another's.
 */
#ifndef CHIEF_FIBER_H
#define CHIEF_FIBER_H

#include "wait.h"

#pragma GCC visibility push(hidden)

typedef struct chief__scheds chief__scheds; /* all schedulers of a chief */
typedef struct chief__sched chief__sched;

typedef struct chief__fiber chief__fiber;

struct chief__fiber {
    /* const after start */
    chief__scheds *group;
    chief__waiter *waiter;
    bool (*resume)(chief__fiber *fiber); /* true: it suspends; false: it has ended, and its memory may be gone */
    uint32_t id;
    /* its owner's */
    _Atomic(chief__sched *) sched;
    chief__fiber *next;
    int fd;          /* what it waits for when it suspends; -1: none */
    uint32_t events; /* enum chief_fd_event */
    int fd_rc;       /* why that could not be waited for */
    int64_t due;     /* INT64_MAX: never */
    bool fd_armed;
    atomic_bool slow; /* it keeps its thread while the others have moved on; relaxed, for people */
};

/* `n` schedulers (0: one per core) whose threads have that much stack; `on_thread` is called first on each of them. The
 * threads begin with the first fiber. */
int chief__scheds_new(chief__scheds **out, uint32_t n, size_t stack, void (*on_thread)(void *), void *data);
chief__scheds *chief__scheds_ref(chief__scheds *group);
void chief__scheds_unref(chief__scheds *group);

/* The threads end as soon as no fiber is ready; true when all have ended by the deadline (monotonic ms). Fibers that wait
 * then are not resumed any more. */
bool chief__scheds_close(chief__scheds *group, int64_t deadline);

/* How many threads there are now. */
uint32_t chief__scheds_threads(chief__scheds *group);

/* Makes it ready for the first time, on the scheduler with the fewest. `waiter` must outlive it. CHIEF_ENOMEM, CHIEF_ESYS. */
int chief__fiber_start(chief__fiber *fiber, chief__scheds *group, chief__waiter *waiter,
                       bool (*resume)(chief__fiber *fiber));

/* Before it returns false from resume: its id is free. */
void chief__fiber_end(chief__fiber *fiber);

/* The fiber is about to block its thread: the others of its scheduler go on elsewhere. */
void chief__fiber_block(chief__fiber *fiber);

#pragma GCC visibility pop
#endif
