#include "alloc.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"

static void *system_realloc(void *data, void *ptr, size_t size) {
    (void)data;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, size);
}

/* const once anything of the library is alive: chief_set_allocator says so */
static chief_allocator current = {sizeof current, system_realloc, NULL};

int chief_set_allocator(const chief_allocator *allocator) {
    if (allocator == NULL) {
        current.realloc = system_realloc;
        current.data = NULL;
        return CHIEF_OK;
    }
    if (allocator->size < sizeof *allocator || allocator->realloc == NULL)
        return chief__fail(CHIEF_EINVAL, "an allocator needs its size and a realloc function");
    current.realloc = allocator->realloc;
    current.data = allocator->data;
    return CHIEF_OK;
}

void *chief__realloc(void *ptr, size_t size) { return current.realloc(current.data, ptr, size > 0 ? size : 1); }

void *chief__alloc(size_t size) { return chief__realloc(NULL, size); }

void *chief__calloc(size_t n, size_t size) {
    if (size != 0 && n > SIZE_MAX / size) return NULL;
    void *ptr = chief__alloc(n * size);
    if (ptr != NULL) memset(ptr, 0, n * size);
    return ptr;
}

void chief__free(void *ptr) {
    if (ptr != NULL) current.realloc(current.data, ptr, 0);
}

char *chief__strndup(const char *s, size_t len) {
    char *copy = chief__alloc(len + 1);
    if (copy == NULL) return NULL;
    if (len > 0) memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *chief__strdup(const char *s) { return s != NULL ? chief__strndup(s, strlen(s)) : chief__strndup("", 0); }
