#include "slab.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SIZES 7 /* FIRST, and the powers of two */
#define SLAB_BYTES ((size_t)384 << 10)

struct chief__slab {
    chief__slab *next, *previous; /* of those of this size that have a free chunk; under lock, as the rest */
    chief__chunk *free;
    char *memory; /* const after new, as the next two */
    size_t size;  /* of each chunk */
    size_t bytes; /* of all */
    size_t cut;   /* bytes that chunks were cut from */
    size_t used;  /* bytes of chunks that somebody has */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Under lock. */
static chief__slab *roomy[SIZES];
static size_t all_bytes;
static size_t warm_bytes;

/* ---- slabs ---- */

/* The place of a size among all. */
static size_t place_of(size_t size) {
    size_t place = 1;
    if (size == CHIEF__CHUNK_FIRST) return 0;
    for (size_t at = CHIEF__CHUNK_LEAST; at < size; at *= 2) place++;
    return place;
}

static void link_slab(chief__slab *slab) {
    chief__slab **list = &roomy[place_of(slab->size)];
    slab->previous = NULL;
    slab->next = *list;
    if (*list != NULL) (*list)->previous = slab;
    *list = slab;
}

static void unlink_slab(chief__slab *slab) {
    if (slab->previous != NULL) slab->previous->next = slab->next;
    else roomy[place_of(slab->size)] = slab->next;
    if (slab->next != NULL) slab->next->previous = slab->previous;
}

/* The first is no more than a promise of memory. Under lock. */
static chief__slab *add_slab(size_t size) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | (all_bytes > 0 ? MAP_POPULATE : 0);
    chief__slab *slab = malloc(sizeof *slab);
    if (slab == NULL) return NULL;
    *slab = (chief__slab){.size = size, .bytes = SLAB_BYTES / size * size};
    slab->memory = mmap(NULL, slab->bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (slab->memory == MAP_FAILED) {
        free(slab);
        return NULL;
    }
    all_bytes += slab->bytes;
    warm_bytes += slab->bytes;
    link_slab(slab);
    return slab;
}

static void free_slabs(chief__slab *list) {
    while (list != NULL) {
        chief__slab *slab = list;
        list = slab->next;
        (void)munmap(slab->memory, slab->bytes);
        free(slab);
    }
}

/* ---- chunks, under lock ---- */

static chief__chunk *cut(chief__slab *slab) {
    chief__chunk *chunk = slab->free;
    if (chunk != NULL) {
        slab->free = chunk->next;
        return chunk;
    }
    chunk = (chief__chunk *)(void *)(slab->memory + slab->cut);
    slab->cut += slab->size;
    *chunk = (chief__chunk){.slab = slab, .size = slab->size};
    return chunk;
}

static chief__chunk *take_from(chief__slab *slab) {
    chief__chunk *chunk = cut(slab);
    if (slab->used == 0) warm_bytes -= slab->bytes;
    slab->used += slab->size;
    if (slab->used == slab->bytes) unlink_slab(slab);
    return chunk;
}

/* A slab that is not needed any more comes into the list `gone`. */
static void give_back(chief__chunk *chunk, chief__slab **gone) {
    chief__slab *slab = chunk->slab;
    if (slab->used == slab->bytes) link_slab(slab);
    chunk->next = slab->free;
    slab->free = chunk;
    slab->used -= slab->size;
    if (slab->used > 0) return;
    if (warm_bytes + slab->bytes <= CHIEF__SLABS_WARM) {
        warm_bytes += slab->bytes;
        return;
    }
    unlink_slab(slab);
    all_bytes -= slab->bytes;
    slab->next = *gone;
    *gone = slab;
}

/* ---- chunks ---- */

/* Under the lock also for a new slab: who comes meanwhile would make one more. */
chief__chunk *chief__chunk_take(size_t size) {
    size_t place = place_of(size);
    (void)pthread_mutex_lock(&lock);
    chief__slab *slab = roomy[place] != NULL ? roomy[place] : add_slab(size);
    chief__chunk *chunk = slab != NULL ? take_from(slab) : NULL;
    (void)pthread_mutex_unlock(&lock);
    return chunk;
}

void chief__chunks_give(chief__chunk *list) {
    chief__slab *gone = NULL;
    (void)pthread_mutex_lock(&lock);
    while (list != NULL) {
        chief__chunk *chunk = list;
        list = chunk->next;
        give_back(chunk, &gone);
    }
    (void)pthread_mutex_unlock(&lock);
    free_slabs(gone);
}

static size_t look(const size_t *bytes) {
    (void)pthread_mutex_lock(&lock);
    size_t now = *bytes;
    (void)pthread_mutex_unlock(&lock);
    return now;
}

size_t chief__slabs_size(void) { return look(&all_bytes); }
size_t chief__slabs_warm(void) { return look(&warm_bytes); }
