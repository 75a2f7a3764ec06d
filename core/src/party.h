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

typedef struct chief__hub chief__hub;   /* mailbox.h: all mailboxes and channels of one chief */
typedef struct chief__hand chief__hand; /* hand.h: what this party has to do with one channel */

typedef struct chief__party {
    const char *name;               /* borrowed from the worker; const after init, as the next three */
    chief_context *context;         /* borrowed from the worker */
    chief__hub *hub;                /* borrowed from the worker, NULL outside a chief */
    chief_channel *mailbox;         /* NULL outside a chief */
    _Atomic int64_t grace_deadline; /* monotonic ms, INT64_MAX until a stop is asked: sends on a done context are bound to
                                       it. Stored with release by the loop before it cancels the context, loaded with
                                       acquire by the worker */
    atomic_bool abandoned;          /* stored with release by the loop, once; loaded with acquire: from then on each send
                                       and receive of this party is CHIEF_ECANCELED and its late end changes nothing */
    chief__mutex lock;
    chief__waiter *waiting; /* under lock: where its thread is parked */
    chief__hand *hands;     /* changed under lock by the worker's thread, which reads it without */
} chief__party;

/* The party of a worker; NULL for the host. */
static inline chief__party *chief__party_of(chief_worker *worker) { return (chief__party *)worker; }

void chief__party_init(chief__party *p, const char *name, chief_context *context, chief__hub *hub);

/* Frees what is left when nobody uses it any more. */
void chief__party_fini(chief__party *p);

/* The end of its grace, set before its context is cancelled, or again later, earlier. Wakes it. */
void chief__party_set_grace(chief__party *p, int64_t deadline);

/*
 * Parks the thread of the party (NULL: a host's) until it is woken, its context is done (unless `ignore_context`), it is
 * abandoned, its grace is moved, or `deadline` has passed. The caller looks at what it waits for in a loop.
 */
void chief__party_park(chief__party *p, chief__waiter *waiter, bool ignore_context, int64_t deadline);

bool chief__party_is_abandoned(const chief__party *p);

/* CHIEF_OK while its context is not done. A host's never is. */
int chief__party_err(const chief__party *p);

/*
 * The generation is over: reservations are cancelled; what is in hand is acknowledged when `clean`, else dropped or put
 * back as each channel's delivery says; the party leaves its channels, which wakes senders that wait for the last
 * receiver. Called in the worker's thread after fini. After an abandonment it only frees.
 */
void chief__party_end(chief__party *p, bool clean);

/*
 * The loop gives the generation up while its thread still lives: what it holds from the hub's channels and its mailbox
 * is treated as by an unclean end, now; its reservations give their room back; waits in progress end. The party itself
 * stays valid for its thread.
 */
void chief__party_abandon(chief__party *p);

#pragma GCC visibility pop
#endif
