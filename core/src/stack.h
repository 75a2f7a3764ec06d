/*
 * stack: stacks for threads that come and go in numbers. One mapping holds several of them, each above a guard page of its own,
 * so that a thread costs the system no mapping when it begins and none when it has ended. For the process; any thread.
 */
#ifndef CHIEF_STACK_H
#define CHIEF_STACK_H

#include <stddef.h>

#pragma GCC visibility push(hidden)

typedef struct chief__stack {
    struct chief__slab *slab; /* of which it is a part; NULL: none */
    unsigned index;           /* in it */
    void *base;               /* its lowest byte, above the guard; NULL: none */
    size_t size;
} chief__stack;

/* A stack of `size` bytes with its guard. Where there is no room for a mapping of several: none, and the system's is taken. */
chief__stack chief__stack_take(size_t size);

/* Nothing runs on it any more: its thread was joined. Takes none. */
void chief__stack_give(chief__stack stack);

/* By the thread that runs on it, which is about to end: what it used farther down goes back to the system. Takes none. */
void chief__stack_trim(chief__stack stack);

/* By the thread that runs on it, which is about to end and is joined by nobody: it is given when the system knows of no such
 * thread any more. Takes none. */
void chief__stack_leave(chief__stack stack);

#pragma GCC visibility pop
#endif
