/*
 * life: the insides of a worker, for the files that lead one: in a thread or a fiber (worker.c), and on a thread of the
 * host's (guest.c).
 */
#ifndef CHIEF_LIFE_H
#define CHIEF_LIFE_H

#include "guest.h"
#include "worker.h"

#pragma GCC visibility push(hidden)

#define CHIEF__WHY_SIZE 160

/* Where a life is that is not led by one call: a fiber's, or one on a thread of the host's. */
typedef enum chief__part { PART_BEGIN, PART_INIT, PART_HELD, PART_RUN } chief__part;

typedef enum chief__word { WORD_NONE, WORD_RUN, WORD_FINISH } chief__word;

struct chief_worker {
    chief__party party; /* first: chief__party_of casts */
    atomic_uint refs;   /* dropped with release, the last one acquires */
    chief__unit *unit;  /* this and the next six: const after new */
    uint64_t generation;
    chief_context *context;
    chief_log *log;
    chief__inbox *inbox;
    chief__hub *hub;
    chief_pool *pool;
    uint32_t id;          /* const after launch */
    chief__mate *mate;    /* loop thread; NULL for a fiber */
    chief_worker *next;   /* loop thread */
    chief__report report; /* under the inbox's lock */
    chief__mutex lock;
    chief__cond told;
    /* under lock */
    chief__word word;
    void *reach;               /* what interrupt is given */
    bool interrupting;         /* interrupt is being called; `reach` stays valid until it returns */
    char why[CHIEF__WHY_SIZE]; /* "" until it is interrupted */
    int32_t expiry;            /* enum chief_reason, of chief_worker_expire, as the next */
    char *place;
    chief__fiber fiber; /* unless its home is a thread */
    bool is_fiber;      /* const after launch */
    chief__part part;   /* the fiber's or the host thread's */
    int64_t next_timer; /* monotonic ms; the fiber's, as the next */
    chief__rota rota;   /* of a fiber that runs by a schedule, as the next */
    bool in_turn;       /* its run goes on */
    chief__guest guest; /* of one on a thread of the host's */
    /* home thread until its last report, then whoever takes that */
    void *instance;
    int32_t reason;
    int32_t exit_code;
    char *error;
    char *traceback;
};

/* Around the init: the beginning, and what follows from its result. CHIEF_EFAILED leaves nothing to fini. */
void chief__worker_begin_init(chief_worker *w);
int chief__worker_end_init(chief_worker *w, int rc);

/* What follows from the result of a run: its fini. */
int chief__worker_end_run(chief_worker *w, int rc);

/* The word that was given, without waiting. */
chief__word chief__worker_word(chief_worker *w);

#pragma GCC visibility pop
#endif
