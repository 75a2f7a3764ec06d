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

/* Of the first `len` bytes of a name; NULL without memory. Takes NULL. */
chief__turn *chief__turn_new(const char *name, size_t len);
void chief__turn_free(chief__turn *turn);

/* CHIEF_ENOMEM. */
int chief__turn_add(chief__turn *turn, chief_channel *mailbox);
void chief__turn_remove(chief__turn *turn, const chief_channel *mailbox);

/* The next that is open and not `but` (may be NULL), with a reference of the caller's; the one behind it is next then.
 * NULL when there is none. */
chief_channel *chief__turn_take(chief__turn *turn, const chief_channel *but);

#pragma GCC visibility pop
#endif
