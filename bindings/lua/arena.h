/*
 * arena: the memory of one state. Its small blocks stand in a few chunks with nothing between them, and the chunks go back all at
 * once when the state is closed, warm for the next. Large blocks, and all that comes when a state has outgrown its arena, are
 * malloc's, which gives back what is free. Under AddressSanitizer every block is malloc's, so that it sees who writes beyond
 * one. One thread at a time; knows nothing of Lua.
 */
#ifndef CHIEF_LUA_ARENA_H
#define CHIEF_LUA_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "slab.h"

#pragma GCC visibility push(hidden)

/* Whether there are no chunks at all. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define CHIEF__ARENA_IS_MALLOC 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define CHIEF__ARENA_IS_MALLOC 1
#endif
#ifndef CHIEF__ARENA_IS_MALLOC
#define CHIEF__ARENA_IS_MALLOC 0
#endif

/* Blocks up to LEAST have a list for each of their sizes; larger ones up to MOST share one, from which they are cut. */
#define CHIEF__ARENA_STEP 8
#define CHIEF__ARENA_LEAST 128
#define CHIEF__ARENA_MOST 2048

/* What an arena grows to. */
#define CHIEF__ARENA_SIZE ((size_t)256 << 10)

/* A free block. */
typedef struct chief__arena_piece {
    struct chief__arena_piece *next;
    size_t size; /* of one among the larger */
} chief__arena_piece;

/* Zeroed has nothing. */
typedef struct chief__arena {
    chief__chunk *chunks; /* the newest, and so mostly the largest, first */
    char *at, *end;       /* what is left of that */
    size_t size;          /* of all chunks */
    bool is_mixed;        /* some small blocks are malloc's */
    chief__arena_piece *small[CHIEF__ARENA_LEAST / CHIEF__ARENA_STEP];
    chief__arena_piece *larger;
} chief__arena;

/* As realloc and free, with the size that it has. Memory is aligned for what Lua itself puts there: to 8 bytes. A block that is
 * to become smaller always does. */
static inline void *chief__arena_take(chief__arena *arena, size_t size);
static inline void chief__arena_give(chief__arena *arena, void *block, size_t size);
void *chief__arena_resize(chief__arena *arena, void *block, size_t old_size, size_t size);

/* All of its small blocks are gone. */
void chief__arena_close(chief__arena *arena);

/* ---- the short way: most blocks that a program makes and drops are small, and one of their size is free ---- */

void *chief__arena_find(chief__arena *arena, size_t size);
void chief__arena_put(chief__arena *arena, void *block, size_t size);

static inline size_t chief__arena_round(size_t size) {
    return (size + CHIEF__ARENA_STEP - 1) & ~(size_t)(CHIEF__ARENA_STEP - 1);
}

/* The list of a rounded size up to LEAST. */
static inline chief__arena_piece **chief__arena_list(chief__arena *arena, size_t size) {
    return &arena->small[size / CHIEF__ARENA_STEP - 1];
}

static inline void *chief__arena_take(chief__arena *arena, size_t size) {
    size_t room = chief__arena_round(size);
    if (room > CHIEF__ARENA_LEAST) return chief__arena_find(arena, size);
    chief__arena_piece **list = chief__arena_list(arena, room);
    chief__arena_piece *piece = *list;
    if (piece == NULL) return chief__arena_find(arena, size);
    *list = piece->next;
    return piece;
}

static inline void chief__arena_give(chief__arena *arena, void *block, size_t size) {
    size_t room = chief__arena_round(size);
    if (room > CHIEF__ARENA_LEAST || arena->is_mixed || (char *)block + room == arena->at) {
        chief__arena_put(arena, block, size);
        return;
    }
    chief__arena_piece **list = chief__arena_list(arena, room);
    chief__arena_piece *piece = (chief__arena_piece *)block;
    piece->next = *list;
    *list = piece;
}

#pragma GCC visibility pop
#endif
