/*
 * registry: the insides of a pool, for the files that write it: the registered workers (pool.c) and the verbs of hosts
 * (verbs.c). What is under the lock is said with each field.
 */
#ifndef CHIEF_REGISTRY_H
#define CHIEF_REGISTRY_H

#include "map.h"
#include "pool.h"

#pragma GCC visibility push(hidden)

struct chief__entry {
    char *name; /* this and the next four: const after add */
    chief_worker_ops ops;
    void *data;
    void *owner;
    /* under the pool's lock */
    chief_state_t state;
    int32_t phase;
    int32_t reason;
    uint64_t generation;
    uint64_t restarts;
    int64_t until;
    char *waiting_for; /* NULL: for nothing */
    char *error;
    char *traceback;
    const atomic_bool *slow; /* the flag of its fiber; NULL: it has none now */
    bool claimed;
    /* whoever has the claim */
    void *life;
    void (*discard)(void *life);
};

struct chief_pool {
    atomic_uint refs;                 /* dropped with release, the last one acquires */
    _Atomic uint64_t numbers;         /* relaxed: a source of numbers, ordered by the lock where that matters */
    int64_t (*now)(const void *data); /* this and the next: const after the pool was shared */
    const void *clock;
    chief__mutex lock;
    chief__cond changed;
    chief__watcher watcher; /* this and the next: const after watch */
    void *watcher_data;
    /* under lock */
    chief_log *log; /* NULL: the default one */
    bool owned;
    bool closed;
    uint64_t seq;           /* of the last record */
    char *app;              /* JSON; NULL without a chief */
    chief__entry **entries; /* in registration order */
    size_t n, capacity;
    chief__map names;
};

/* With the lock held, all but the last three. The worker of that name; NULL: none. */
chief__entry *chief__pool_at(chief_pool *pool, const char *name);

/* The worker of that name, else its replicas, one after the other as they were registered; `*at` is 0 at first. */
chief__entry *chief__pool_next_of(chief_pool *pool, const char *name, size_t *at);

/* Records another state, with a number of its own. */
void chief__pool_move(chief_pool *pool, chief__entry *entry, chief_state_t to);

/* Records a change; what it replaces is in `change` and `*waiting_for` afterwards. */
void chief__pool_apply(chief_pool *pool, chief__entry *entry, chief__change *change, char **waiting_for);

/* A copy of what a change waits for, as it is kept; NULL also without memory. */
char *chief__change_waiting(const chief__change *change);

/* CHIEF_EBUSY, for a pool that its chief writes. */
int chief__pool_owned(void);

/* What an answer from under the lock needs more: the names there are, which take memory. */
int chief__pool_explain(chief_pool *pool, const char *name, int rc);

#pragma GCC visibility pop
#endif
