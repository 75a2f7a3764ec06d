/*
 * context: the tree of contexts. All nodes of a tree share one lock.
 */
#ifndef CHIEF_CONTEXT_H
#define CHIEF_CONTEXT_H

#include "wait.h"

#pragma GCC visibility push(hidden)

/* The deadline in monotonic ms, INT64_MAX when there is none. */
int64_t chief__context_deadline(const chief_context *ctx);

/* Stands in the queue of those that are woken when the context is done by a cancellation (a deadline bounds the wait
 * itself). Leaving takes also a place that was never joined. */
void chief__context_join(chief_context *ctx, chief__place *place, chief__waiter *waiter);
void chief__context_leave(chief_context *ctx, chief__place *place);

/* From now on what is not found in `ctx` (a root) is looked for in `other`, whose cancellation it does not share. Once.
 * CHIEF_EINVAL when `other` lies below `ctx`, or looks there itself: nothing would ever be not found. */
int chief__context_see(chief_context *ctx, chief_context *other);

/* A value and its name; the value is to be cleared. */
typedef struct chief__keyed {
    const char *key;
    chief_value value;
} chief__keyed;

/* All values that the context sees, each name once, in one block of memory with their names. CHIEF_ENOMEM. */
int chief__context_list(chief_context *ctx, chief__keyed **out, size_t *n);
void chief__context_list_free(chief__keyed *list, size_t n);

/* Told, under the tree's lock, of each value that is set in the tree: it must neither block nor call out. */
typedef struct chief__follower {
    struct chief__follower *next, *previous; /* under the tree's lock */
    chief_context *context;                  /* held; NULL: it follows none */
    void (*changed)(void *data);
    void *data;
} chief__follower;

/* Follows what the context sees, as far as `n` followers go: its own tree, the one that looks into, and so on. `changed` and
 * `data` of the first are taken for all. Those that follow already stop first. */
void chief__context_follow(chief_context *ctx, chief__follower *followers, size_t n);
void chief__context_unfollow(chief__follower *followers, size_t n);

/* Asking for this name is CHIEF_ENOENT with this reason, until a value is set. The text is borrowed for good. */
int chief__context_withhold(chief_context *ctx, const char *key, const char *why);

#pragma GCC visibility pop
#endif
