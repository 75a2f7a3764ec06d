/*
 * wait: the one waiting primitive. A waiter is a parked thread or a suspended fiber; it stands in one or more queues, each
 * guarded by the lock of what it belongs to, and is woken through any of them.
 *
 * Whoever wakes does so under the queue's lock, and a waiter leaves its queues under their locks before its frame goes, so
 * nobody unparks a waiter that is no more. Only one that lasts may be left to be roused after the lock. A waiter that was
 * taken out of a queue by a wake and then leaves empty-handed passes the wake on.
 *
 * Lock order, the whole of the core's: chief → (pool | hub) → a channel's back → its front → call → (context tree | party |
 * inbox). Nothing of the host's runs under any of them, but the allocator under a chief's own while that is configured
 * (test_locks.c).
 */
#ifndef CHIEF_WAIT_H
#define CHIEF_WAIT_H

#include "plat.h"

#pragma GCC visibility push(hidden)

typedef struct chief__waiter {
    chief__parker parker;
    bool lasts;                 /* until its parker has settled: it is in no frame */
    void (*ready)(void *fiber); /* of what suspends, set before it first does. Called with the lock of any queue held */
    void *fiber;
} chief__waiter;

/* Wakes it, or leaves a token for its next wait, which then ends at once. */
void chief__waiter_wake(chief__waiter *waiter);

/* A place in a queue. Zeroed is in none. */
typedef struct chief__place {
    struct chief__place *next;
    struct chief__place *previous;
    /* NULL: not in a queue (any more). Changed under the queue's lock; who has joined may look without it, and NULL then means
     * that a wake has taken it out. */
    _Atomic(chief__waiter *) waiter;
} chief__place;

typedef struct chief__queue {
    chief__place *first;
    chief__place *last;
} chief__queue;

/* All with the queue's lock held. */
void chief__queue_join(chief__queue *queue, chief__place *place, chief__waiter *waiter);

/* True when the place was still there, false when a wake had taken it out. */
bool chief__queue_leave(chief__queue *queue, chief__place *place);

/* For who has joined, without the lock: whether a wake has taken it out. False may be late, true is final. */
bool chief__place_was_woken(const chief__place *place);

void chief__queue_wake_one(chief__queue *queue);
void chief__queue_wake_all(chief__queue *queue);

/* Threads that were woken under a lock and still sleep in the kernel. Zeroed is none. */
#define CHIEF__SLEEPERS 8
typedef struct chief__sleepers {
    size_t n;
    chief__parker *parkers[CHIEF__SLEEPERS];
} chief__sleepers;

/* With the queue's lock held: as chief__queue_wake_one, but that a thread which sleeps is left to chief__sleepers_rouse, after the
 * lock; when there is no more room, or it does not last, it is roused at once. */
void chief__queue_wake_later(chief__queue *queue, chief__sleepers *later);

/* Without a lock. */
void chief__sleepers_rouse(const chief__sleepers *sleepers);

#pragma GCC visibility pop
#endif
