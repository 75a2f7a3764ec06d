/*
 * refusal: an illegal change of state that a pool has refused, on its way out of the pool's lock: to the log, and as an
 * event to who watches the pool. Under the lock it is only noted.
 */
#ifndef CHIEF_REFUSAL_H
#define CHIEF_REFUSAL_H

#include "chief.h"

#pragma GCC visibility push(hidden)

/* Gets the event of a refusal, on the thread of the refused call; no lock is held. */
typedef void (*chief__watcher)(void *data, const chief_event *event);

typedef struct chief__refusal {
    chief_state_t from, to;
    uint64_t seq; /* the number of its event */
    uint64_t generation;
    char worker[65];
    chief_log *log; /* a reference, which the telling drops; NULL: the default logger */
    chief__watcher watcher;
    void *watcher_data;
} chief__refusal;

/* Tells it and makes it the thread's last error. Always CHIEF_WORKER_WRONG_STATE_CHANGE. */
chief_state_t chief__refusal_tell(const chief__refusal *refusal);

/* Tells it beside what the call answers: the thread's last error stays. */
void chief__refusal_note(const chief__refusal *refusal);

#pragma GCC visibility pop
#endif
