/*
 * space: what a test needs that goes through all states of something: an arena for its memory, so that a state is kept and
 * come back to by copying, and the set of the states that have been seen.
 */
#ifndef CHIEF_TEST_SPACE_H
#define CHIEF_TEST_SPACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Nothing is given back to the arena: steps take no memory, and its content is the model. */
static _Alignas(16) char arena[65536];
static size_t arena_used;

static void *arena_realloc(void *data, void *ptr, size_t size) {
    (void)data;
    if (size == 0) return NULL;
    size_t rounded = (size + 15) / 16 * 16 + 16;
    if (rounded > sizeof arena - arena_used) return NULL;
    char *block = arena + arena_used + 16;
    memcpy(block - 16, &size, sizeof size);
    arena_used += rounded;
    if (ptr != NULL) {
        size_t old;
        memcpy(&old, (char *)ptr - 16, sizeof old);
        memcpy(block, ptr, old < size ? old : size);
    }
    return block;
}

/* A set of numbers made of states; two states that made the same would be taken for one, once in 10^7 runs. */
static struct {
    uint64_t *slots;
    size_t capacity; /* a power of two */
    size_t len;
} seen;

static void grow_seen(void) {
    size_t n = seen.capacity;
    uint64_t *old = seen.slots;
    seen.capacity = n > 0 ? 2 * n : 1 << 16;
    seen.slots = calloc(seen.capacity, sizeof *seen.slots);
    assert_non_null(seen.slots);
    for (size_t i = 0; i < n; i++) {
        if (old[i] == 0) continue;
        size_t at = old[i] & (seen.capacity - 1);
        while (seen.slots[at] != 0) at = (at + 1) & (seen.capacity - 1);
        seen.slots[at] = old[i];
    }
    free(old);
}

static void forget_seen(void) {
    if (seen.slots != NULL) memset(seen.slots, 0, seen.capacity * sizeof *seen.slots);
    seen.len = 0;
}

static bool see(uint64_t number) {
    if (2 * seen.len >= seen.capacity) grow_seen();
    size_t at = number & (seen.capacity - 1);
    while (seen.slots[at] != 0 && seen.slots[at] != number) at = (at + 1) & (seen.capacity - 1);
    if (seen.slots[at] == number) return false;
    seen.slots[at] = number;
    seen.len++;
    return true;
}

#endif
