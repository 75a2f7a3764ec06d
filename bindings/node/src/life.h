/*
 * life.h: one life of a worker in JavaScript, as its two sides see it: JavaScript's thread (life.c) and the worker's (serve.c).
 */
#ifndef CHIEF_NODE_LIFE_H
#define CHIEF_NODE_LIFE_H

#include <stdatomic.h>

#include "request.h"

#define HELD 16 /* channels that a worker is known to hold messages of */

/* What leads the lives of one worker: the function in JavaScript. */
typedef struct leader {
    host *host; /* held */
    napi_ref lead;
    int restart_on_fail;
    post gone;
} leader;

typedef enum part { PART_INIT, PART_RUN, PART_FINI, PART_OVER } part;

typedef struct life {
    leader *leader;
    host *host;    /* held */
    member member; /* of all lives, under their lock */
    post begin;    /* the part that JavaScript is told of: one at a time */
    post cancel;
    napi_ref handle; /* JavaScript's thread */
    part part;
    char *reason;   /* of the cancellation; written before `cancel` is posted */
    bool told;      /* the worker's thread: of the cancellation */
    bool begun;     /* the worker's thread: the part has been handed over */
    chief_log *log; /* held, as the next */
    chief_context *context;
    char *name;
    uint64_t generation;
    payload args;
    request *waiting;  /* the worker's thread: in order */
    chief_wait *waits; /* the worker's thread */
    size_t n_waits;
    chief_channel
        *held[HELD]; /* the worker's thread, not references: what has given it a message (NULL: the mailbox) */
    size_t n_held;   /* more than HELD: not known any more */
    pthread_mutex_t lock;
    pthread_cond_t settled_cond;
    chief_worker *ctx;         /* under lock; NULL when it may not be woken any more */
    request *first, *last;     /* under lock: what is new */
    bool settled, failed;      /* under lock: the part is over */
    bool cancelled;            /* under lock: it ended with the error that says so */
    char *text, *trace;        /* under lock */
    bool interrupted, closing; /* under lock */
    size_t refs;               /* under lock */
    atomic_int last_asked;     /* a request_kind; -1: none */
} life;

life *life_ref(life *l);
void life_unref(void *object);

/* With the lock held: its thread looks for what is new. */
void life_wake(life *l);

/* Tells JavaScript that this part begins; false when there is nobody any more who could run it. */
bool life_hand_over(life *l, part which);

/* JavaScript is told of the cancellation by this post. */
void life_tell_cancel(post *p, napi_env env);

/* The worker's thread takes a part further: CHIEF_EAGAIN when it has prepared a wait. */
int life_step(life *l, chief_worker *ctx, part which);

#endif
