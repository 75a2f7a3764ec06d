/*
 * alloc: the process-wide allocator hook. Every allocation of the core goes through here, so that a test can
 * make the n-th one fail. Knows nothing of what is allocated.
 */
#ifndef CHIEF_ALLOC_H
#define CHIEF_ALLOC_H

#include "chief.h"

#pragma GCC visibility push(hidden)

/* Uninitialised memory, or NULL. A size of 0 is taken as 1. */
void *chief__alloc(size_t size);

/* Zeroed memory for n items, or NULL (also when n * size overflows). */
void *chief__calloc(size_t n, size_t size);

/* Grows or shrinks; on NULL the old block is still there. */
void *chief__realloc(void *ptr, size_t size);

/* Takes NULL. */
void chief__free(void *ptr);

/* A copy that ends in NUL, or NULL. A NULL string is copied as "". */
char *chief__strdup(const char *s);
char *chief__strndup(const char *s, size_t len);

#pragma GCC visibility pop
#endif
