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

static int grow(chief__map *map) {
    chief__map bigger = {.capacity = map->capacity > 0 ? 2 * map->capacity : CAPACITY_FIRST};
    bigger.slots = chief__calloc(bigger.capacity, sizeof *bigger.slots);
    if (bigger.slots == NULL) return chief__fail_code(CHIEF_ENOMEM);
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].name != NULL) *slot_of(&bigger, map->slots[i].name) = map->slots[i];
    bigger.len = map->len;
    chief__free(map->slots);
    *map = bigger;
    return CHIEF_OK;
}

int chief__map_put(chief__map *map, const char *name, void *value) {
    if (2 * (map->len + 1) > map->capacity) {
        int rc = grow(map);
        if (rc != CHIEF_OK) return rc;
    }
    chief__map_slot *slot = slot_of(map, name);
    slot->name = name;
    slot->value = value;
    map->len++;
    return CHIEF_OK;
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

int chief__map_unknown(const chief__map *map, const char *message, const char *name) {
    const char **names = chief__calloc(map->len + 1, sizeof *names);
    chief_rule *plain = NULL;
    chief_rule *rule = NULL;
    size_t n = 0;
    for (size_t i = 0; names != NULL && i < map->capacity; i++)
        if (map->slots[i].name != NULL) names[n++] = map->slots[i].name;
    int rc = names != NULL ? chief_rule_new(&plain, names, n) : CHIEF_ENOMEM;
    if (rc == CHIEF_OK) rc = chief_rule_error(&rule, plain, message);
    if (rc == CHIEF_OK) (void)chief_rule_validate(rule, &name, 1);
    else (void)chief__fail(CHIEF_ENOENT, "%s %.80s", message, name);
    chief_rule_free(rule);
    chief_rule_free(plain);
    chief__free(names);
    return CHIEF_ENOENT;
}
