/*
 * snapshot: a copy of what a pool knew at one moment, in one block: the statuses, then their texts.
 */
#ifndef CHIEF_SNAPSHOT_H
#define CHIEF_SNAPSHOT_H

#include "chief.h"

#pragma GCC visibility push(hidden)

struct chief_snapshot {
    uint64_t seq;
    size_t n;
    size_t capacity;
    const char *app; /* JSON; "" without a chief */
    char *text;      /* where the next text goes */
    char *end;
    chief_worker_status workers[];
};

/* Room for n workers with texts of `text_size` bytes in all; NULL when there is no memory. */
chief_snapshot *chief__snapshot_new(size_t n, size_t text_size);

/* Copies the application's JSON (NULL as ""); there must be room for it. */
void chief__snapshot_set_app(chief_snapshot *snapshot, const char *json);

/* Bytes that the texts of one status take. */
size_t chief__snapshot_text_size(const chief_worker_status *status);

/* Copies a status and its texts (NULL ones as ""); there must be room. */
void chief__snapshot_add(chief_snapshot *snapshot, const chief_worker_status *status);

#pragma GCC visibility pop
#endif
