/*
 * map: from a name to a pointer. The names are borrowed from what they lead to. Open addressing; not thread-safe.
 */
#ifndef CHIEF_MAP_H
#define CHIEF_MAP_H

#include <stdbool.h>

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

/* Slots for a map that has to grow, made where memory may be taken: not under a lock. Zeroed has none. */
typedef struct chief__map_spare {
    chief__map_slot *slots;
    size_t capacity;
    size_t wanted; /* what the last put lacked */
} chief__map_spare;

/* The name must not be there yet. False leaves the map as it was: it would have to grow, and `spare` is too small for that.
 * A map that grew leaves its old slots in `spare`. */
bool chief__map_put(chief__map *map, const char *name, void *value, chief__map_spare *spare);

/* Makes what the last put lacked. CHIEF_ENOMEM. */
int chief__map_spare_make(chief__map_spare *spare);
void chief__map_spare_fini(chief__map_spare *spare);

void chief__map_remove(chief__map *map, const char *name);
void chief__map_fini(chief__map *map);

#pragma GCC visibility pop
#endif
