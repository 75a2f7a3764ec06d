/*
 * proxy: the life of a process worker as its chief sees it: a home in a thread like every other, whose init starts the
 * child, whose run does what the child asks for, and whose fini waits until nothing of it is left. The brain, the pool and
 * the events see no difference. What happens in the chief on the child's behalf happens in this thread.
 */
#ifndef CHIEF_PROXY_H
#define CHIEF_PROXY_H

#include "context.h"
#include "plan.h"
#include "wire.h"
#include "worker.h"

#pragma GCC visibility push(hidden)

#define CHIEF__SLACK ((size_t)64 * 1024) /* bytes of a frame beside its payload */

#define CHIEF__WRONG_SIZE 160

/* A question that the child has in hand. */
typedef struct chief__asked {
    struct chief__asked *next;
    int64_t number;
    chief_msg *msg;
} chief__asked;

/* What the child was told of the context's values on one of the two ways. */
typedef struct chief__teller {
    atomic_bool stale;  /* relaxed: set with the context's lock held, which the next look takes */
    chief__keyed *told; /* the values then, each held */
    size_t n_told;
} chief__teller;

#define CHIEF__FOLLOWED 8 /* chiefs inside each other whose values are followed */

/* What the child has reserved. */
typedef struct chief__held {
    struct chief__held *next;
    int64_t number;
    chief_reservation *reservation;
    void *data;
    size_t size;
} chief__held;

typedef struct chief__proxy {
    chief__plan *plan;         /* this and the next: const after new */
    chief_worker *worker;      /* whose life it is; borrowed */
    struct chief__proxy *next; /* under the plan's lock, as the next */
    chief__spawned *child;     /* held, NULL before it is started */
    /* home thread */
    chief__wire call;
    chief__frames out;
    chief_channel **channels; /* by number, from 1 on; borrowed */
    size_t n_channels;
    chief__asked *asked;
    chief__held *held;
    int64_t last_number; /* of both */
    bool told;           /* that its context is done */
    int32_t level;       /* of the log, as the child knows it */
    chief__teller by_call;
    /* spawner's thread */
    chief__teller by_side;
    bool side_full;      /* on_room is owed */
    unsigned char *side; /* bytes of a frame that is not whole yet */
    size_t side_len, side_size;
    chief__mutex lock;
    /* under lock */
    bool serving;                               /* the child waits for an answer that is not on its way */
    bool ended;                                 /* its leader has */
    char wrong[CHIEF__WRONG_SIZE];              /* what made no sense on the side channel; "": nothing */
    chief__mutex value_lock;                    /* held while values are looked at */
    chief__follower followers[CHIEF__FOLLOWED]; /* under it, as the next */
    int64_t value_order;
} chief__proxy;

/* The callbacks of a unit whose data is a plan. */
void chief__proxy_ops(chief_worker_ops *out);

/* Tells the child of a life that its context is done, by a frame and by TERM; after chief__worker_cancel. Never blocks. */
void chief__proxy_cancel(chief_worker *worker, chief__plan *plan, int64_t until, const char *why);

/* ---- tell.c ---- */

/* Begins to follow the values of the context, and stops. */
void chief__tell_begin(chief__proxy *p);
void chief__tell_fini(chief__proxy *p);

/* Writes those that have changed since the last time on this way. CHIEF_ENOMEM: some may be missing, until the next time. */
int chief__tell_values(chief__proxy *p, chief__teller *way, chief__frames *out);

/* What was written the last time did not get there: all are told again the next time. */
void chief__tell_again(chief__teller *way);

/* ---- serve.c ---- */

/* Does what a frame asks for and answers. CHIEF_EDATA when it makes no sense. */
int chief__serve(chief__proxy *p, chief__frame *frame);

/* Sends `out`, behind what has to be said before it. */
int chief__proxy_send(chief__proxy *p, int fd);

/* Lets go of what the child had. */
void chief__serve_fini(chief__proxy *p);

#pragma GCC visibility pop
#endif
