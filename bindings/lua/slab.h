/*
 * slab: chunks of memory for arenas. Those of one size are cut from slabs, which come from the system one at a time, and from
 * the second on with all their pages, as touching a fresh page costs more than most of what is done in it. A slab whose
 * chunks are all free is kept warm for the next ones, or goes back to the system when there are enough. Any thread.
 */
#ifndef CHIEF_LUA_SLAB_H
#define CHIEF_LUA_SLAB_H

#include <stddef.h>

#pragma GCC visibility push(hidden)

/* The size that a state needs at least, and otherwise powers of two. */
#define CHIEF__CHUNK_FIRST ((size_t)19 << 9)
#define CHIEF__CHUNK_LEAST ((size_t)1 << 10)
#define CHIEF__CHUNK_MOST ((size_t)32 << 10)

/* So much is kept in slabs that nobody uses. */
#define CHIEF__SLABS_WARM ((size_t)4 << 20)

typedef struct chief__slab chief__slab;

typedef struct chief__chunk {
    struct chief__chunk *next; /* in a list of whoever has it */
    chief__slab *slab;
    size_t size; /* with this head */
} chief__chunk;

/* One of this size, which is FIRST or a power of two between LEAST and MOST; NULL without memory. */
chief__chunk *chief__chunk_take(size_t size);

/* All of a list. */
void chief__chunks_give(chief__chunk *list);

/* How many bytes there are in all slabs, and in those that nobody uses; for tests. */
size_t chief__slabs_size(void);
size_t chief__slabs_warm(void);

#pragma GCC visibility pop
#endif
