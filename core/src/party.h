/*
 * party: who sends and receives. Every chief_worker begins with one, so that channels and mailboxes can take a
 * chief_worker without knowing what a worker is; the layers above fill it. One party is one generation of one worker.
 */
#ifndef CHIEF_PARTY_H
#define CHIEF_PARTY_H

#include <stdatomic.h>
#include <stdbool.h>

#include "plat.h"

#pragma GCC visibility push(hidden)

typedef struct chief__hub chief__hub;   /* mailbox.h: all mailboxes and channels of one chief */
typedef struct chief__hand chief__hand; /* channel.h: what this party has to do with one channel */

typedef struct chief__party {
    const char *name;       /* borrowed from the worker; const after init */
    chief_context *context; /* borrowed from the worker; const after init */
    chief__hub *hub;        /* borrowed from the worker, NULL outside a chief; const after init */
    _Atomic int64_t grace_deadline; /* monotonic ms, INT64_MAX until a stop is asked: sends on a done context are bound to
                                       it. Written (release) by the loop before it cancels the context, read (acquire)
                                       by the worker */
    _Atomic bool abandoned; /* set (release) once by the loop; from then on each send and receive of this party is
                               CHIEF_ECANCELED and its late end changes nothing */
    chief__hand *hands;     /* worker thread only; what a hand holds is under its channel's lock */
} chief__party;

/* The party of a worker; NULL for the host. */
static inline chief__party *chief__party_of(chief_worker *worker) { return (chief__party *)worker; }

void chief__party_init(chief__party *p, const char *name, chief_context *context, chief__hub *hub);

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
