/*
 * support: what several tests share. An allocator that counts the live blocks and fails at the n-th allocation; gates
 * between threads; waiting that is bounded and does not sleep in hope. All inline: a test is one file.
 */
#ifndef CHIEF_TEST_SUPPORT_H
#define CHIEF_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plat.h"

/* ---- memory ---- */

typedef struct support_heap {
    atomic_long live;  /* blocks */
    atomic_long until; /* allocations until one fails; 0: none will */
    atomic_bool failed;
} support_heap;

static inline void *support_realloc(void *data, void *ptr, size_t size) {
    support_heap *heap = data;
    if (size == 0) {
        if (ptr != NULL) (void)atomic_fetch_sub(&heap->live, 1);
        free(ptr);
        return NULL;
    }
    if (atomic_load(&heap->until) > 0 && atomic_fetch_sub(&heap->until, 1) == 1) {
        atomic_store(&heap->failed, true);
        return NULL;
    }
    void *made = realloc(ptr, size);
    if (ptr == NULL && made != NULL) (void)atomic_fetch_add(&heap->live, 1);
    return made;
}

/* Counts from now on, and fails the n-th allocation (0: none). Nothing of the library may be alive. */
static inline void support_heap_begin(support_heap *heap, long n) {
    chief_allocator hook = {.size = sizeof hook, .realloc = support_realloc, .data = heap};
    atomic_store(&heap->live, 0);
    atomic_store(&heap->until, n);
    atomic_store(&heap->failed, false);
    assert_int_equal(chief_set_allocator(&hook), CHIEF_OK);
}

/* Puts malloc back; what was made since must be gone. */
static inline void support_heap_end(support_heap *heap) {
    long live = atomic_load(&heap->live);
    (void)chief_set_allocator(NULL);
    assert_int_equal(live, 0);
}

/*
 * Runs `attempt`, which frees what it makes, with the first allocation failing, then the second, until none did. It
 * returns CHIEF_ENOMEM or, where a failure is not one of the call, CHIEF_OK; the undisturbed run returns CHIEF_OK.
 * Returns how many allocations it makes.
 */
static inline long support_out_of_memory(int (*attempt)(void)) {
    static support_heap heap;
    for (long n = 1;; n++) {
        support_heap_begin(&heap, n);
        int rc = attempt();
        bool failed = atomic_load(&heap.failed);
        support_heap_end(&heap);
        if (rc != CHIEF_OK) assert_int_equal(rc, CHIEF_ENOMEM);
        if (failed) continue;
        assert_int_equal(rc, CHIEF_OK);
        return n - 1;
    }
}

/* ---- time ---- */

/* A time limit, stretched where the tests run slowly (sanitizers, valgrind). */
static inline int64_t support_ms(int64_t ms) {
    const char *slow = getenv("CHIEF_TEST_SLOW");
    int64_t factor = slow != NULL ? strtoll(slow, NULL, 10) : 1;
    return ms * (factor > 0 ? factor : 1);
}

/* Asks until the answer is yes; false when it was not within `ms`, stretched. */
static inline bool support_until(bool (*ask)(void *data), void *data, int64_t ms) {
    int64_t deadline = chief__deadline(support_ms(ms));
    while (!ask(data)) {
        if (chief__now_ms() >= deadline) return false;
        chief__pause_ms(1);
    }
    return true;
}

/* ---- chance, the same for the same seed ---- */

static inline uint64_t support_random(uint64_t *state) { /* splitmix64 */
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline int32_t support_below(uint64_t *state, int32_t n) {
    return (int32_t)(support_random(state) % (uint64_t)n);
}

/* ---- tools ---- */

/* It keeps some limits to itself, and does not tell a parent that its child could not be executed. */
static inline bool support_under_valgrind(void) {
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

/* LeakSanitizer stops its process to look at it, and never goes on when a SIGTERM comes meanwhile, as it does to a child that
 * ends because it was asked to. */
static inline void support_spare_children(void) {
    char options[512];
    const char *given = getenv("ASAN_OPTIONS");
    if (given != NULL && strstr(given, "detect_leaks=0") != NULL) return;
    (void)snprintf(options, sizeof options, "%s:detect_leaks=0", given != NULL ? given : "");
    (void)setenv("ASAN_OPTIONS", options, 1);
}

/* ---- threads ---- */

/* A gate is closed at first; who comes waits until it is opened. */
typedef struct support_gate {
    chief__mutex lock;
    chief__cond changed;
    bool open; /* under lock */
} support_gate;

static inline void support_gate_init(support_gate *gate) {
    chief__mutex_init(&gate->lock);
    chief__cond_init(&gate->changed);
    gate->open = false;
}

static inline void support_gate_fini(support_gate *gate) {
    chief__cond_fini(&gate->changed);
    chief__mutex_fini(&gate->lock);
}

static inline void support_gate_open(support_gate *gate) {
    chief__lock(&gate->lock);
    gate->open = true;
    chief__cond_wake_all(&gate->changed);
    chief__unlock(&gate->lock);
}

/* False when nobody opened it within ten seconds, stretched. */
static inline bool support_gate_pass(support_gate *gate) {
    int64_t deadline = chief__deadline(support_ms(10000));
    chief__lock(&gate->lock);
    while (!gate->open && chief__cond_wait(&gate->changed, &gate->lock, deadline)) continue;
    bool open = gate->open;
    chief__unlock(&gate->lock);
    return open;
}

static inline void support_thread(chief__thread *thread, void (*run)(void *), void *data) {
    assert_int_equal(chief__thread_start(thread, run, data, 0, "test"), CHIEF_OK);
}

/* ---- chiefs ---- */

/* A chief that writes no log; `o` may be NULL, and keeps what is filled in. */
static inline chief *support_quiet_chief(chief_options *o) {
    chief_log_options log_options = {.size = sizeof log_options, .level = CHIEF_OFF};
    chief_options none = {0};
    chief *c;
    if (o == NULL) o = &none;
    o->size = sizeof *o;
    assert_int_equal(chief_log_new(&o->log, &log_options), CHIEF_OK);
    assert_int_equal(chief_new(&c, o), CHIEF_OK);
    chief_log_unref(o->log);
    return c;
}

/* ---- texts ---- */

static inline void support_says(const char *part) {
    if (strstr(chief_last_error(), part) != NULL) return;
    fail_msg("\"%s\" does not say \"%s\"", chief_last_error(), part);
}

#endif
