/*
 * turn: whose turn it is among the mailboxes of one worker's replicas. Not thread-safe: the hub's, under its lock.
 */
#ifndef CHIEF_TURN_H
#define CHIEF_TURN_H

#include "channel.h"

#pragma GCC visibility push(hidden)

typedef struct chief__turn {
    char *name;                /* what the replicas have in common */
    chief_channel **mailboxes; /* in the order in which they came; held by whoever added them */
    size_t n, capacity;
    size_t next; /* whose turn it is */
} chief__turn;

/* A longer list for a turn that has to grow, made where memory may be taken. Zeroed has none. */
typedef struct chief__turn_spare {
    chief_channel **mailboxes;
    size_t capacity;
    size_t wanted; /* what the last addition lacked */
} chief__turn_spare;

int chief__turn_spare_make(chief__turn_spare *spare); /* CHIEF_ENOMEM */
void chief__turn_spare_fini(chief__turn_spare *spare);

/* Of the first `len` bytes of a name, with room for some; NULL without memory. */
chief__turn *chief__turn_new(const char *name, size_t len);
void chief__turn_free(chief__turn *turn); /* takes NULL */

/* False leaves it as it was: it would have to grow, and `spare` is too small for that. */
bool chief__turn_add(chief__turn *turn, chief_channel *mailbox, chief__turn_spare *spare);
void chief__turn_remove(chief__turn *turn, const chief_channel *mailbox);

/* The next that is open and not `but` (may be NULL), with a reference of the caller's; the one behind it is next then.
 * NULL when there is none. */
chief_channel *chief__turn_take(chief__turn *turn, const chief_channel *but);

#pragma GCC visibility pop
#endif
