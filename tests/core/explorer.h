/*
 * explorer: runs a small model through every order in which its threads can take their steps. A model is a state of plain
 * bytes and a function that takes one step of one thread; states that were seen before are not gone through again.
 */
#ifndef CHIEF_TEST_EXPLORER_H
#define CHIEF_TEST_EXPLORER_H

#include "support.h"

/* How a thread's step went. A thread that has a choice takes the one that is asked for. */
typedef enum explorer_step { EXPLORER_BLOCKED, EXPLORER_DONE, EXPLORER_WRONG } explorer_step;

typedef struct explorer_model {
    size_t size; /* of a state: zeroed padding included */
    int threads;
    int choices; /* per step, at least 1 */
    explorer_step (*step)(void *state, int thread, int choice);
    bool (*may_end)(const void *state); /* whether nobody has to go on from here */
} explorer_model;

typedef struct explorer {
    const explorer_model *model;
    unsigned char *states; /* `n` of them: each is looked at once, and those behind it were found on the way */
    size_t n, capacity;
    size_t *slots; /* of a hash table: 0 or an index + 1 */
    size_t n_slots;
    bool wrong; /* a step said so, or it came to an end that is none */
} explorer;

static inline unsigned char *explorer_at(const explorer *e, size_t i) { return e->states + i * e->model->size; }

static inline size_t explorer_slot(const explorer *e, const void *state) {
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < e->model->size; i++) hash = (hash ^ ((const unsigned char *)state)[i]) * 1099511628211u;
    size_t slot = (size_t)(hash ^ hash >> 32) & (e->n_slots - 1);
    while (e->slots[slot] != 0 && memcmp(explorer_at(e, e->slots[slot] - 1), state, e->model->size) != 0)
        slot = (slot + 1) & (e->n_slots - 1);
    return slot;
}

static inline void explorer_grow(explorer *e) {
    e->capacity = e->capacity == 0 ? 4096 : e->capacity * 2;
    e->n_slots = e->capacity * 2;
    e->states = realloc(e->states, e->capacity * e->model->size);
    free(e->slots);
    e->slots = calloc(e->n_slots, sizeof *e->slots);
    assert_non_null(e->states);
    assert_non_null(e->slots);
    for (size_t i = 0; i < e->n; i++) e->slots[explorer_slot(e, explorer_at(e, i))] = i + 1;
}

static inline void explorer_add(explorer *e, const void *state) {
    if (e->n == e->capacity) explorer_grow(e);
    size_t slot = explorer_slot(e, state);
    if (e->slots[slot] != 0) return;
    memcpy(explorer_at(e, e->n), state, e->model->size);
    e->slots[slot] = ++e->n;
}

/* Every step that can be taken from the i-th. */
static inline void explorer_expand(explorer *e, size_t i, void *next) {
    bool stuck = true;
    for (int thread = 0; thread < e->model->threads; thread++)
        for (int choice = 0; choice < e->model->choices; choice++) {
            memcpy(next, explorer_at(e, i), e->model->size);
            explorer_step how = e->model->step(next, thread, choice);
            if (how == EXPLORER_BLOCKED) continue;
            stuck = false;
            if (how == EXPLORER_WRONG) e->wrong = true;
            else explorer_add(e, next);
        }
    if (stuck && !e->model->may_end(explorer_at(e, i))) e->wrong = true;
}

/* Whether all goes well from `first`, in every order. `*states` is how many there were. */
static inline bool explorer_run(const explorer_model *model, const void *first, size_t *states) {
    explorer e = {.model = model};
    void *next = malloc(model->size);
    assert_non_null(next);
    explorer_add(&e, first);
    for (size_t i = 0; i < e.n && !e.wrong; i++) explorer_expand(&e, i, next);
    *states = e.n;
    free(next);
    free(e.states);
    free(e.slots);
    return !e.wrong;
}

#endif
