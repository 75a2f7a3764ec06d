/*
 * party: who sends and receives. Every chief_worker begins with one, so that channels and mailboxes can take a
 * chief_worker without knowing what a worker is; the layers above fill it. One party is one generation of one worker.
 */
#ifndef CHIEF_PARTY_H
#define CHIEF_PARTY_H

#include <stdatomic.h>
#include <stdbool.h>

#include "wait.h"

#pragma GCC visibility push(hidden)

typedef struct chief__hub chief__hub;     /* mailbox.h: all mailboxes and channels of one chief */
typedef struct chief__hand chief__hand;   /* channel.h: what this party has to do with one channel */
typedef struct chief__fiber chief__fiber; /* fiber.h */
typedef struct chief__far chief__far;     /* transport.h */

typedef struct chief__party {
    const char *name;       /* borrowed from the worker; const after init, as the next four */
    chief_context *context; /* borrowed from the worker */
    chief__hub *hub;        /* borrowed from the worker, NULL outside a chief */
    chief__far *far;        /* the way to the chief in another process; then there is no hub here. NULL: none */
    chief_channel *mailbox; /* held until the end; NULL outside a chief */
    _Atomic int64_t
        grace_deadline;    /* monotonic ms, INT64_MAX until a stop is asked: sends on a done context are bound to
                                       it. Stored with release by the loop before it cancels the context, loaded with
                                       acquire by the worker */
    atomic_bool abandoned; /* stored with release by the loop, once; loaded with acquire: from then on each send
                                       and receive of this party is CHIEF_ECANCELED and its late end changes nothing */
    chief__waiter
        waiter;        /* where it waits, whatever for: a word in each queue it stands in, and no memory of its own */
    chief__place done; /* its place in the context's queue, from init to the end */
    chief_channel *addressee; /* held: the mailbox that it found last; NULL: none. Worker's thread, as the next two */
    struct chief__prepared *prepared; /* worker's thread: what chief_wait_prepare has prepared; NULL: never */
    chief__fiber *fiber;              /* worker's thread; NULL: a thread */
    atomic_bool woken; /* stored with release by chief_wait_wake, taken with acquire by the worker's next wait for it */
    chief__mutex lock;
    chief__hand *hands; /* changed under lock, by the worker's thread only, which reads it without */
    bool ended;         /* worker's thread, then whoever frees it */
    uint64_t origin;    /* its number as a sender to mailboxes (msg.h); const after init */
} chief__party;

/* The party of a worker; NULL for the host. */
static inline chief__party *chief__party_of(chief_worker *worker) { return (chief__party *)worker; }

void chief__party_init(chief__party *p, const char *name, chief_context *context, chief__hub *hub);

/* When nobody uses it any more: ends it uncleanly if it has not ended, and frees what is left. Takes a zeroed one. */
void chief__party_fini(chief__party *p);

/* The end of its grace, set before its context is cancelled, and perhaps again later. Wakes it to look. */
void chief__party_set_grace(chief__party *p, int64_t deadline);

/* The end of its grace; INT64_MAX until a stop was asked. */
int64_t chief__party_grace(const chief__party *p);

static inline bool chief__party_is_abandoned(const chief__party *p) {
    return p != NULL && atomic_load_explicit(&p->abandoned, memory_order_acquire);
}

/* CHIEF_OK while its context is not done. A host's never is. */
int chief__party_err(const chief__party *p);

/*
 * The generation is over: reservations are cancelled; what is in hand is acknowledged when `clean`, else dropped or put
 * back as each channel's delivery says; the party leaves its channels, which wakes senders that wait for the last
 * receiver. Called in the worker's thread after fini. After an abandonment it only frees.
 */
void chief__party_end(chief__party *p, bool clean);

/* Remembers, and holds, the mailbox that it has found by a name; NULL: none any more. The worker's thread. */
void chief__party_address(chief__party *p, chief_channel *mailbox);

/* A part of its work is done, and done well: acknowledges all that is in its hands. The worker's thread. */
void chief__party_ack(chief__party *p);

/*
 * The loop gives the generation up while its thread still lives: what it holds from its channels and its mailbox is
 * treated as by an unclean end, now; its reservations give their room back; waits in progress end. The party itself
 * stays valid for its thread.
 */
void chief__party_abandon(chief__party *p);

/* ---- how a party waits ---- */

/*
 * One stay in one place. A party's waiter is known to its context and to the loop for all its life, and a wake that finds
 * it awake leaves a token, so neither a cancellation nor an abandonment nor a new grace can fall between a look and the
 * parking. The caller looks in a loop.
 */
typedef struct chief__stay {
    chief__waiter *waiter; /* to be put into the queues of what is waited for */
    chief__party *party;   /* NULL: a host's thread */
    bool spun;             /* it has looked for a moment whether it needs to park at all */
    chief__waiter own;     /* of a host's thread */
} chief__stay;

void chief__stay_begin(chief__stay *stay, chief__party *p);

/* Parks until woken, or `until`, or the deadline of a context that is not done yet. */
void chief__stay_park(chief__stay *stay, int64_t until);

/* Why a wait that a done context ends has to end now: CHIEF_ECANCELED, CHIEF_ETIMEDOUT (also for a `deadline` of
 * CHIEF__NOW: CHIEF_EAGAIN), CHIEF_EFORK, or CHIEF_OK. */
int chief__stay_over(const chief__party *p, int64_t deadline);

/* A deadline that does not wait at all, for a timeout of 0. */
#define CHIEF__NOW INT64_MIN

/* Leaves what chief_wait_prepare has prepared, if anything, before the worker goes on. */
void chief__prepared_leave(chief__party *p);
/* The same for a fiber that is resumed. Where it stood in its own mailbox, and was woken there, it keeps its spot. */
void chief__prepared_resume(chief__party *p);
void chief__prepared_free(struct chief__prepared *w);

int64_t chief__limit(int64_t timeout_ms);

#pragma GCC visibility pop
#endif
