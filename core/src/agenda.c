#include "agenda.h"

#include <string.h>

#include "alloc.h"
#include "err.h"

int chief__agenda_reserve(chief__agenda *a, uint32_t n) {
    if (n <= a->capacity) return CHIEF_OK;
    /* What has grown before a later one fails is larger than it says, which harms nothing. */
    uint32_t *heap = chief__realloc(a->heap, sizeof *heap * n);
    if (heap != NULL) a->heap = heap;
    uint32_t *at = heap != NULL ? chief__realloc(a->at, sizeof *at * n) : NULL;
    if (at != NULL) a->at = at;
    int64_t *due = at != NULL ? chief__realloc(a->due, sizeof *due * n) : NULL;
    if (due == NULL) return chief__fail_code(CHIEF_ENOMEM);
    a->due = due;
    memset(a->at + a->capacity, 0, sizeof *a->at * (n - a->capacity));
    a->capacity = n;
    return CHIEF_OK;
}

void chief__agenda_fini(chief__agenda *a) {
    chief__free(a->heap);
    chief__free(a->at);
    chief__free(a->due);
    memset(a, 0, sizeof *a);
}

static bool before(const chief__agenda *a, uint32_t x, uint32_t y) {
    return a->due[x] != a->due[y] ? a->due[x] < a->due[y] : x < y;
}

static void put(chief__agenda *a, uint32_t place, uint32_t id) {
    a->heap[place] = id;
    a->at[id] = place + 1;
}

static void rise(chief__agenda *a, uint32_t place) {
    uint32_t id = a->heap[place];
    while (place > 0 && before(a, id, a->heap[(place - 1) / 2])) {
        put(a, place, a->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(a, place, id);
}

static void sink(chief__agenda *a, uint32_t place) {
    uint32_t id = a->heap[place];
    for (;;) {
        uint32_t child = 2 * place + 1;
        if (child + 1 < a->len && before(a, a->heap[child + 1], a->heap[child])) child++;
        if (child >= a->len || !before(a, a->heap[child], id)) break;
        put(a, place, a->heap[child]);
        place = child;
    }
    put(a, place, id);
}

void chief__agenda_clear(chief__agenda *a, uint32_t id) {
    if (a->at[id] == 0) return;
    uint32_t place = a->at[id] - 1;
    uint32_t last = a->heap[--a->len];
    a->at[id] = 0;
    if (last == id) return;
    put(a, place, last);
    rise(a, place);
    sink(a, a->at[last] - 1);
}

void chief__agenda_set(chief__agenda *a, uint32_t id, int64_t due) {
    chief__agenda_clear(a, id);
    if (due == INT64_MAX) return;
    a->due[id] = due;
    put(a, a->len, id);
    rise(a, a->len++);
}

int64_t chief__agenda_due(const chief__agenda *a, uint32_t id) { return a->at[id] == 0 ? INT64_MAX : a->due[id]; }

int64_t chief__agenda_next(const chief__agenda *a) { return a->len == 0 ? INT64_MAX : a->due[a->heap[0]]; }

bool chief__agenda_take(chief__agenda *a, int64_t now, uint32_t *id) {
    if (chief__agenda_next(a) > now || a->len == 0) return false;
    *id = a->heap[0];
    chief__agenda_clear(a, *id);
    return true;
}
