#include "map.h"

#include <stdint.h>
#include <string.h>

#include "alloc.h"
#include "err.h"

#define CAPACITY_FIRST 16

static size_t hash(const char *name) {
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (; *name != '\0'; name++) h = (h ^ (unsigned char)*name) * 1099511628211u;
    return (size_t)(h ^ (h >> 32));
}

/* The slot of the name, or the empty one where it would go. */
static chief__map_slot *slot_of(const chief__map *map, const char *name) {
    size_t i = hash(name) & (map->capacity - 1);
    while (map->slots[i].name != NULL && strcmp(map->slots[i].name, name) != 0) i = (i + 1) & (map->capacity - 1);
    return &map->slots[i];
}

void *chief__map_get(const chief__map *map, const char *name) {
    return map->len > 0 ? slot_of(map, name)->value : NULL;
}

/* Into the spare slots; those it had are spare now. */
static void grow(chief__map *map, chief__map_spare *spare) {
    chief__map bigger = {.slots = spare->slots, .capacity = spare->capacity, .len = map->len};
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].name != NULL) *slot_of(&bigger, map->slots[i].name) = map->slots[i];
    *spare = (chief__map_spare){.slots = map->slots, .capacity = 0}; /* not empty, so good for freeing only */
    *map = bigger;
}

bool chief__map_put(chief__map *map, const char *name, void *value, chief__map_spare *spare) {
    if (2 * (map->len + 1) > map->capacity) {
        spare->wanted = map->capacity > 0 ? 2 * map->capacity : CAPACITY_FIRST;
        if (spare->capacity < spare->wanted) return false;
        grow(map, spare);
    }
    chief__map_slot *slot = slot_of(map, name);
    slot->name = name;
    slot->value = value;
    map->len++;
    return true;
}

int chief__map_spare_make(chief__map_spare *spare) {
    size_t wanted = spare->wanted;
    chief__map_spare_fini(spare);
    spare->slots = chief__calloc(wanted, sizeof *spare->slots);
    if (spare->slots == NULL) return chief__fail_code(CHIEF_ENOMEM);
    spare->capacity = wanted;
    return CHIEF_OK;
}

void chief__map_spare_fini(chief__map_spare *spare) {
    chief__free(spare->slots);
    memset(spare, 0, sizeof *spare);
}

/* What stands behind the gap in the same run is put in anew, so that every run stays whole. */
static void close_gap(chief__map *map, size_t gap) {
    size_t mask = map->capacity - 1;
    for (size_t i = (gap + 1) & mask; map->slots[i].name != NULL; i = (i + 1) & mask) {
        chief__map_slot moved = map->slots[i];
        memset(&map->slots[i], 0, sizeof moved);
        *slot_of(map, moved.name) = moved;
    }
}

void chief__map_remove(chief__map *map, const char *name) {
    if (map->len == 0) return;
    chief__map_slot *slot = slot_of(map, name);
    if (slot->name == NULL) return;
    memset(slot, 0, sizeof *slot);
    map->len--;
    close_gap(map, (size_t)(slot - map->slots));
}

void chief__map_fini(chief__map *map) {
    chief__free(map->slots);
    memset(map, 0, sizeof *map);
}
