#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SMALL ((size_t)32 << 10) /* the size of an arena that grows by small steps */
#define TRIES 8                  /* of the larger pieces, for one that is large enough */

/* ---- free pieces ---- */

static chief__arena_piece **list_of(chief__arena *arena, size_t size) {
    return size <= CHIEF__ARENA_LEAST ? chief__arena_list(arena, size) : &arena->larger;
}

/* Of a rounded size. */
static void put_piece(chief__arena *arena, void *block, size_t size) {
    if (size == 0) return;
    chief__arena_piece **list = list_of(arena, size);
    chief__arena_piece *piece = block;
    piece->next = *list;
    if (size > CHIEF__ARENA_LEAST) piece->size = size;
    *list = piece;
}

/* From the larger ones; what is left of one goes back. */
static void *cut_piece(chief__arena *arena, size_t size) {
    chief__arena_piece **at = &arena->larger;
    for (int i = 0; *at != NULL && i < TRIES; i++, at = &(*at)->next) {
        chief__arena_piece *piece = *at;
        if (piece->size < size) continue;
        size_t left = piece->size - size;
        *at = piece->next;
        put_piece(arena, (char *)piece + size, left);
        return piece;
    }
    return NULL;
}

static void *take_piece(chief__arena *arena, size_t size) {
    if (size > CHIEF__ARENA_LEAST) return cut_piece(arena, size);
    chief__arena_piece **list = list_of(arena, size);
    chief__arena_piece *piece = *list;
    if (piece == NULL) return cut_piece(arena, size);
    *list = piece->next;
    return piece;
}

/* ---- growing ---- */

/* By small steps at first, so that what the last chunk has too much is little; by larger ones later, so that they are few: in
 * an arena that is mixed who gives back a block looks for its chunk. */
static size_t next_size(const chief__arena *arena, size_t needed) {
    size_t size = CHIEF__CHUNK_LEAST;
    if (arena->size == 0) return CHIEF__CHUNK_FIRST;
    size_t step = arena->size / (arena->size < SMALL ? 16 : 4);
    while (size < needed || size < step) size *= 2;
    return size < CHIEF__CHUNK_MOST ? size : CHIEF__CHUNK_MOST;
}

/* The rest of the newest chunk becomes pieces. */
static void use_up(chief__arena *arena) { put_piece(arena, arena->at, (size_t)(arena->end - arena->at)); }

static bool grow(chief__arena *arena, size_t needed) {
    size_t size = next_size(arena, needed + sizeof(chief__chunk));
    if (CHIEF__ARENA_IS_MALLOC != 0 || arena->size + size > CHIEF__ARENA_SIZE) return false;
    chief__chunk *chunk = chief__chunk_take(size);
    if (chunk == NULL) return false;
    use_up(arena);
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->size += size;
    arena->at = (char *)(chunk + 1);
    arena->end = (char *)chunk + size;
    return true;
}

/* ---- blocks ---- */

static bool is_inside(const chief__arena *arena, const void *block) {
    const chief__chunk *chunk = arena->chunks;
    while (chunk != NULL && (uintptr_t)block - (uintptr_t)chunk >= chunk->size) chunk = chunk->next;
    return chunk != NULL;
}

static bool is_ours(const chief__arena *arena, const void *block, size_t size) {
    return size <= CHIEF__ARENA_MOST && (!arena->is_mixed || is_inside(arena, block));
}

/* Beyond the arena. */
static void *take_outside(chief__arena *arena, size_t size) {
    if (size <= CHIEF__ARENA_MOST) arena->is_mixed = true;
    return malloc(size);
}

void *chief__arena_find(chief__arena *arena, size_t size) {
    size_t room = chief__arena_round(size);
    if (room > CHIEF__ARENA_MOST) return malloc(size);
    void *piece = take_piece(arena, room);
    if (piece != NULL) return piece;
    if ((size_t)(arena->end - arena->at) < room && !grow(arena, room)) return take_outside(arena, size);
    void *block = arena->at;
    arena->at += room;
    return block;
}

void chief__arena_put(chief__arena *arena, void *block, size_t size) {
    size_t room = chief__arena_round(size);
    if (!is_ours(arena, block, room)) free(block);
    else if ((char *)block + room == arena->at) arena->at = block;
    else put_piece(arena, block, room);
}

static void *move(chief__arena *arena, void *block, size_t old_size, size_t size) {
    void *moved = chief__arena_take(arena, size);
    if (moved == NULL) return NULL;
    memcpy(moved, block, old_size < size ? old_size : size);
    chief__arena_give(arena, block, old_size);
    return moved;
}

/* The block that was taken last can grow where it stands. */
static bool stretch(chief__arena *arena, const char *block, size_t old_room, size_t room) {
    bool fits = block + old_room == arena->at && room <= (size_t)(arena->end - block) && room <= CHIEF__ARENA_MOST;
    if (fits) arena->at += room - old_room;
    return fits;
}

void *chief__arena_resize(chief__arena *arena, void *block, size_t old_size, size_t size) {
    size_t old_room = chief__arena_round(old_size);
    size_t room = chief__arena_round(size);
    bool ours = is_ours(arena, block, old_room);
    if (!ours && room > CHIEF__ARENA_MOST) return realloc(block, size);
    if (ours && (room == old_room || stretch(arena, block, old_room, room))) return block;
    void *moved = move(arena, block, old_size, size);
    if (moved != NULL || size > old_size) return moved;
    if (!ours) arena->is_mixed = true; /* it stays, as a small one that is malloc's */
    return block;
}

void chief__arena_close(chief__arena *arena) {
    chief__chunk *list = arena->chunks;
    memset(arena, 0, sizeof *arena);
    if (list != NULL) chief__chunks_give(list);
}
