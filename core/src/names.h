/*
 * names: the names of workers, each kept once, with who carries it and who named it in `after`. A name lives as long as
 * somebody uses it, so one in `after` may come before its worker and stay when that is removed. Knows workers by id only.
 */
#ifndef CHIEF_NAMES_H
#define CHIEF_NAMES_H

#include "chief.h"

#pragma GCC visibility push(hidden)

#define CHIEF__NONE UINT32_MAX /* no worker */

typedef struct chief__name chief__name;

/* One entry of one worker's `after`. */
typedef struct chief__edge {
    chief__name *dependency;
    struct chief__edge *next; /* of those that name the same dependency, in registration order */
    struct chief__edge *previous;
    uint32_t dependent;
} chief__edge;

struct chief__name {
    char *text;
    chief__edge *first; /* who waits for the worker of this name */
    chief__edge *last;
    chief__name *next;      /* in its bucket */
    uint32_t id;            /* the worker so named, CHIEF__NONE */
    uint32_t first_replica; /* of this name, CHIEF__NONE; a name has replicas or a worker, not both */
    uint32_t last_replica;
    uint32_t group; /* the group that lists it, CHIEF__NONE */
    uint32_t place; /* in that list */
    uint32_t uses;
    uint32_t hash;
};

/* Zeroed is empty. */
typedef struct chief__names {
    chief__name **buckets;
    uint32_t n_buckets; /* a power of two, or 0 */
    uint32_t len;
} chief__names;

/* Frees every name, used or not. */
void chief__names_fini(chief__names *names);

chief__name *chief__names_find(const chief__names *names, const char *text);

/* Finds or makes a name and counts one use of it. NULL: out of memory. */
chief__name *chief__names_use(chief__names *names, const char *text);

/* One use less; the last one frees it. Takes NULL. */
void chief__names_drop(chief__names *names, chief__name *name);

/* Puts the edge at the end of its dependency's list, and takes it out. */
void chief__edge_link(chief__edge *edge);
void chief__edge_unlink(chief__edge *edge);

#pragma GCC visibility pop
#endif
