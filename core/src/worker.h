/*
 * worker: one registered worker (the unit) and one life of it (the chief_worker, a generation) in a home: a thread that
 * runs init, waits for the word, runs run and fini. It reports to the loop through the inbox and knows nothing of
 * policies.
 */
#ifndef CHIEF_WORKER_H
#define CHIEF_WORKER_H

#include "crew.h"
#include "fiber.h"
#include "inbox.h"
#include "log.h"
#include "mailbox.h"
#include "party.h"
#include "pool.h"
#include "schedule.h"

#pragma GCC visibility push(hidden)

/* What all generations of one worker share. Reference-counted; const after new. */
typedef struct chief__unit {
    atomic_uint refs;          /* dropped with release, the last one acquires */
    struct chief__unit *whole; /* of a replica: the unit it shares everything with but its name; else NULL */
    uint32_t count;            /* replicas it is to have; 1: none, it is a worker itself */
    char *name;
    chief_worker_ops ops;
    chief_fiber_ops fiber; /* of CHIEF_FIBER */
    void *data;
    chief_destructor destroy; /* of data; called with the last reference, once armed */
    bool armed;               /* registered: from then on data is the library's to destroy. Set before it is shared */
    chief_bytes args;
    chief_restart restart; /* resolved */
    bool scheduled;        /* runs by `schedule`, not all the time */
    chief__schedule schedule;
    char **after, **sends, **receives;
    size_t n_after, n_sends, n_receives;
    uint32_t flags;
    int32_t *no_restart_codes;
    size_t n_no_restart_codes;
    int64_t grace; /* -1: its share */
    int64_t start_timeout;
    uint32_t mailbox_capacity;
    int32_t isolation;         /* never CHIEF_ISOLATION_DEFAULT */
    chief_policy policy;       /* without on_exit: none; timeout resolved. `data` is destroyed as that of the unit is */
    struct chief__unit *apart; /* the same worker in a process, for one that is isolated; NULL: that can't be */
} chief__unit;

/* Copies everything. On failure nothing is kept. */
int chief__unit_new(chief__unit **out, const char *name, const chief_worker_ops *ops, void *data,
                    const chief_worker_options *options);

/* One of the replicas of `whole`, "name/number". CHIEF_ENOMEM. */
int chief__unit_replica(chief__unit **out, chief__unit *whole, uint32_t number);

chief__unit *chief__unit_ref(chief__unit *unit);
void chief__unit_unref(chief__unit *unit);

/* Where a home runs and what it can reach; each pointer is referenced by the worker for its life. */
typedef struct chief__surroundings {
    chief__inbox *inbox;    /* NULL: nobody is told */
    chief__hub *hub;        /* NULL: no mailboxes and channels */
    chief_pool *pool;       /* NULL: no states */
    chief_context *context; /* the parent; NULL: a root is made */
    chief_log *log;         /* NULL: the one in the context, else the default one */
    chief__far *far;        /* the way to the chief where that is another process; borrowed */
} chief__surroundings;

/* A generation that has not begun. Reference-counted: the maker has one, its thread another. */
int chief__worker_new(chief_worker **out, chief__unit *unit, uint64_t generation, const chief__surroundings *around);
chief_worker *chief__worker_ref(chief_worker *w);
void chief__worker_unref(chief_worker *w);

/* Starts the home: init, a report, and then it waits for a word. CHIEF_ESYS when there can be no thread. */
int chief__worker_launch(chief_worker *w, chief__crew *crew);

/* The same as a fiber. */
int chief__worker_launch_fiber(chief_worker *w, chief__scheds *scheds);

/* The flag of a worker that is launched as a fiber, there as long as it is; NULL for others. */
const atomic_bool *chief__worker_slow(const chief_worker *w);

/* The word to an initialised home: run, or end with fini. */
void chief__worker_run(chief_worker *w);
void chief__worker_finish(chief_worker *w);

/* Bounds its sends to `deadline` and cancels its context. */
void chief__worker_cancel(chief_worker *w, int64_t deadline, const char *reason);

/* Calls its ops' interrupt, from a thread that is not its home's; the first `why` is kept. */
void chief__worker_force(chief_worker *w, const char *why);

/* For which reason it has to be ended by force, as it was said first; NONE: it was not. */
int32_t chief__worker_expiry(chief_worker *w);

/* Where it is, as its ops' look says. CHIEF_ENOTSUP without one. */
int chief__worker_look(chief_worker *w, char *buf, size_t size, size_t *len, int64_t timeout_ms);

/* The parts of a life, for a home that is the caller's own thread (a pool without a chief). init: CHIEF_EFAILED leaves
 * the failure to be taken and nothing to fini; exec is run and fini; fini alone is for a generation that never ran. */
int chief__worker_init(chief_worker *w);
int chief__worker_exec(chief_worker *w);
void chief__worker_fini(chief_worker *w, bool clean);

/* After the last report: whether its thread has done with it by now. */
bool chief__worker_try_join(chief_worker *w);
void chief__worker_detach(chief_worker *w);

/* What its unit was registered with, and when the grace ends that it was asked to end in (INT64_MAX: it was not). */
void *chief__worker_data(const chief_worker *w);
int64_t chief__worker_grace_end(const chief_worker *w);

/* Between a slot of the inbox and the worker it belongs to. */
chief_worker *chief__worker_of_report(chief__report *slot);
chief__report *chief__worker_report(chief_worker *w);

/* The loop's: an id set before launch, and a link for a list. */
uint32_t chief__worker_id(const chief_worker *w);
void chief__worker_set_id(chief_worker *w, uint32_t id);
chief_worker *chief__worker_next(const chief_worker *w);
void chief__worker_set_next(chief_worker *w, chief_worker *next);

/* Why it ended; to be asked after the last report. The strings move to the caller (chief__free); both may be NULL. */
int32_t chief__worker_take_failure(chief_worker *w, char **error, char **traceback);

/* The exit code that its failure has, 0 for none; to be asked after the last report. */
int32_t chief__worker_exit_code(const chief_worker *w);

#pragma GCC visibility pop
#endif
