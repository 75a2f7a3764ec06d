/*
 * pool: the registry of workers and their states. It records and checks transitions and runs nothing (runner.c does).
 * Reference-counted, since an abandoned worker may outlive its chief and ask for the states.
 *
 * Its one lock is taken by a worker only when that asks for the states itself; nothing else is locked or called under
 * it, the allocator included.
 */
#ifndef CHIEF_POOL_H
#define CHIEF_POOL_H

#include "plat.h"
#include "refusal.h"
#include "snapshot.h"

#pragma GCC visibility push(hidden)

/* One registered worker; the pointer is good until it is dropped. */
typedef struct chief__entry chief__entry;

/* What a record changes. */
typedef struct chief__change {
    chief_state_t state; /* 0: as it is */
    int32_t phase;       /* -1: as it is; then `until` and `waiting_for` are not looked at */
    int32_t reason;      /* NONE: as it is */
    uint64_t seq;        /* of the event that tells it; 0: none does */
    uint64_t generation;
    uint64_t restarts;
    int64_t until;           /* monotonic ms, INT64_MAX: no limit */
    const char *waiting_for; /* or why it was given up; copied, and cut when it is long */
    char *error;             /* this and the next: both NULL: the old ones stay; else both move in (chief__free) */
    char *traceback;
} chief__change;

int chief__pool_new(chief_pool **out);
chief_pool *chief__pool_ref(chief_pool *pool);
void chief__pool_unref(chief_pool *pool);

/* Ends the instances that were initialised and never run: each holds the pool, so that this comes before the last unref
 * by who made the pool. Nobody may be in a call on it. */
void chief__pool_end_lives(chief_pool *pool);

/* Who gets the events of refused changes; before the pool is shared. */
void chief__pool_watch(chief_pool *pool, chief__watcher watcher, void *data);

/* What time it is where the workers live; chief__now_ms when it was never said. To be said before others see the pool. */
void chief__pool_set_clock(chief_pool *pool, int64_t (*now)(const void *data), const void *data);

/* From now on its chief writes it alone: the verbs answer CHIEF_EBUSY. CHIEF_EBUSY while a worker is run through it. */
int chief__pool_own(chief_pool *pool);
void chief__pool_release(chief_pool *pool);

/* The application, as JSON, for the snapshots to come; the text moves in (chief__free). */
void chief__pool_set_app(chief_pool *pool, char *json);

/* Registers (state null; the caller records present) and forgets. CHIEF_EEXIST, CHIEF_ENOMEM. */
int chief__pool_add(chief_pool *pool, const char *name, const chief_worker_ops *ops, void *data, chief__entry **out);
void chief__pool_drop(chief_pool *pool, chief__entry *entry);
chief__entry *chief__pool_find(chief_pool *pool, const char *name);

/* Shows `visit` what is registered under that name, with the pool's lock held, so that it stays meanwhile. False when
 * there is nothing. */
bool chief__pool_visit(chief_pool *pool, const char *name,
                       void (*visit)(void *to, const chief_worker_ops *ops, void *data), void *to);

/* The least state, by its number, of the worker of that name or of its replicas; `disabled` when there is none. */
chief_state_t chief__pool_least(chief_pool *pool, const char *name);

/* What the chief keeps with it; const after add. */
void chief__entry_set_owner(chief__entry *entry, void *owner);
void *chief__entry_owner(const chief__entry *entry);

/* Writes a change; the texts it replaces are freed after the lock. */
void chief__pool_record(chief_pool *pool, chief__entry *entry, chief__change *change);

/* The numbers of all events, those that change no state among them. */
uint64_t chief__pool_next_seq(chief_pool *pool);

/* chief_wait_state, without the text for an unknown name. Closing answers who waits with CHIEF_ECLOSED. */
int chief__pool_wait_state(chief_pool *pool, const char *name, chief_state_t state, int64_t timeout_ms);
void chief__pool_close(chief_pool *pool);

/* CHIEF_ENOENT: «invalid service name …; there are: …». */
int chief__pool_unknown(chief_pool *pool, const char *name);

/* ---- for runner.c: a life in the caller's thread ---- */

/* Claims the worker for running code in state `from` … : CHIEF_OK, CHIEF_ENOENT, CHIEF_EBUSY, or `otherwise` when its
 * state does not allow to become `to`. */
int chief__pool_claim(chief_pool *pool, const char *name, chief_state_t to, chief__entry **out);

/* Records the outcome and ends the claim. False when the state had become one that the outcome's can't follow, and
 * stays. */
bool chief__pool_settle(chief_pool *pool, chief__entry *entry, chief__change *change);

/* What the claimed worker is run by between init and run_exec; discarded with the pool. */
void *chief__entry_life(const chief__entry *entry);
void chief__entry_set_life(chief__entry *entry, void *life, void (*discard)(void *life));
void chief__entry_get(const chief__entry *entry, const char **name, chief_worker_ops *ops, void **data);
uint64_t chief__entry_generation(const chief__entry *entry);

/* Where its statuses find whether it is slow, as long as that is there; then NULL. An entry of NULL does nothing. */
void chief__pool_set_slow(chief_pool *pool, chief__entry *entry, const atomic_bool *slow);

/* The text of its last failure, NULL for none; for its one writer, good until the next record. */
const char *chief__entry_error(const chief__entry *entry);

#pragma GCC visibility pop
#endif
