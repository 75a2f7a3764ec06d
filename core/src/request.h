/*
 * request: what other threads ask the running loop to do and wait for its answer to.
 */
#ifndef CHIEF_REQUEST_H
#define CHIEF_REQUEST_H

#include "loop.h"

#pragma GCC visibility push(hidden)

typedef enum chief__request_kind {
    REQUEST_INIT,
    REQUEST_LAUNCH, /* data: the parent context or NULL */
    REQUEST_ADD,    /* data: the unit; the loop takes a reference of its own */
    REQUEST_ENABLE, /* data: a chief__name_list */
    REQUEST_START,  /* name, as the next three */
    REQUEST_STOP,
    REQUEST_RESTART,
    REQUEST_REMOVE,
    REQUEST_STOP_ALL,           /* name: why, or NULL */
    REQUEST_HOME,               /* name; data: where to put a reference to the chief_worker that runs */
    REQUEST_LOOK,               /* look again whether everybody is ready */
    REQUEST_FORCE_STOP_TIMEOUT, /* number: ms */
    REQUEST_EXIT_WHEN_DONE      /* number: 0 or 1 */
} chief__request_kind;

typedef struct chief__name_list {
    const char *const *names;
    size_t n;
} chief__name_list;

/* Asks and waits; the answer's text becomes this thread's last error. Not from the loop's thread: CHIEF_EDEADLK. */
int chief__ask(chief *c, chief__request_kind kind, const char *name, void *data, int64_t number);

#pragma GCC visibility pop
#endif
