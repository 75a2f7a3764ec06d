/*
 * map: from a name to a pointer. The names are borrowed from what they lead to. Open addressing; not thread-safe.
 */
#ifndef CHIEF_MAP_H
#define CHIEF_MAP_H

#include "chief.h"

#pragma GCC visibility push(hidden)

typedef struct chief__map_slot {
    const char *name;
    void *value;
} chief__map_slot;

/* Zeroed is empty. */
typedef struct chief__map {
    chief__map_slot *slots;
    size_t capacity; /* 0 or a power of two */
    size_t len;
} chief__map;

void *chief__map_get(const chief__map *map, const char *name);

/* The name must not be there yet. CHIEF_ENOMEM leaves the map as it was. */
int chief__map_put(chief__map *map, const char *name, void *value);

void chief__map_remove(chief__map *map, const char *name);
void chief__map_fini(chief__map *map);

/* CHIEF_ENOENT with «<message> <name>; there are: …», the names sorted. */
int chief__map_unknown(const chief__map *map, const char *message, const char *name);

#pragma GCC visibility pop
#endif
