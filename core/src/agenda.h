/*
 * agenda: what is due when, one entry for each small integer id, in the order (due, id). Room is made in advance, so that
 * setting an entry cannot fail. Knows nothing of what is due.
 */
#ifndef CHIEF_AGENDA_H
#define CHIEF_AGENDA_H

#include <stdbool.h>

#include "chief.h"

#pragma GCC visibility push(hidden)

/* A binary heap; zeroed is empty. */
typedef struct chief__agenda {
    uint32_t *heap; /* ids, the next due first */
    uint32_t *at;   /* by id: its place in `heap`, plus 1; 0: not there */
    int64_t *due;   /* by id */
    uint32_t len;
    uint32_t capacity;
} chief__agenda;

/* Makes room for ids below n. CHIEF_ENOMEM leaves it as it was. */
int chief__agenda_reserve(chief__agenda *a, uint32_t n);
void chief__agenda_fini(chief__agenda *a);

/* Sets or moves the entry of `id`; INT64_MAX is never and takes it out. */
void chief__agenda_set(chief__agenda *a, uint32_t id, int64_t due);
void chief__agenda_clear(chief__agenda *a, uint32_t id);

/* When `id` is due, INT64_MAX for never. */
int64_t chief__agenda_due(const chief__agenda *a, uint32_t id);

/* When the first is due, INT64_MAX for none. */
int64_t chief__agenda_next(const chief__agenda *a);

/* Takes out the first that is due by `now`; false when there is none. */
bool chief__agenda_take(chief__agenda *a, int64_t now, uint32_t *id);

#pragma GCC visibility pop
#endif
