/*
 * probe_kit: a worker in C that counts what becomes of it and fails or hangs as it is told, and what is done with a chief of
 * such workers.
 */
#ifndef CHIEF_TEST_PROBE_KIT_H
#define CHIEF_TEST_PROBE_KIT_H

#include "support.h"

typedef struct probe {
    atomic_int inits;
    atomic_int runs;
    atomic_int finis;
    atomic_int fail_inits; /* this many inits fail */
    atomic_int fail_runs;  /* this many runs fail */
    atomic_int destroyed;
    atomic_bool ignores_stop;
    atomic_bool let_go;    /* ends one that ignores the stop */
    atomic_int stopped_at; /* a place in the order of ends */
    atomic_int *order;
    chief *c;
} probe;

static inline int probe_init(chief_worker *ctx, void *data, void **instance) {
    probe *p = data;
    (void)ctx;
    *instance = p;
    int n = atomic_fetch_add(&p->inits, 1);
    return n < atomic_load(&p->fail_inits) ? 7 : 0;
}

static inline int probe_run(chief_worker *ctx, void *instance) {
    probe *p = instance;
    int n = atomic_fetch_add(&p->runs, 1);
    if (n < atomic_load(&p->fail_runs)) {
        chief_worker_set_error(ctx, CHIEF_REASON_ERROR, "boom", "trace");
        return 1;
    }
    (void)chief_worker_sleep(ctx, CHIEF_FOREVER);
    while (atomic_load(&p->ignores_stop) && !atomic_load(&p->let_go)) chief__pause_ms(1);
    if (p->order != NULL) atomic_store(&p->stopped_at, atomic_fetch_add(p->order, 1) + 1);
    return CHIEF_ECANCELED;
}

static inline int clean_run(chief_worker *ctx, void *instance) {
    probe *p = instance;
    (void)ctx;
    (void)atomic_fetch_add(&p->runs, 1);
    return 0;
}

static inline void probe_fini(void *instance) {
    probe *p = instance;
    (void)atomic_fetch_add(&p->finis, 1);
}

static inline void probe_destroy(void *data) {
    probe *p = data;
    (void)atomic_fetch_add(&p->destroyed, 1);
}

static const chief_worker_ops probe_ops = {
    .size = sizeof probe_ops, .init = probe_init, .run = probe_run, .fini = probe_fini};
static const chief_worker_ops clean_ops = {
    .size = sizeof clean_ops, .init = probe_init, .run = clean_run, .fini = probe_fini};

static inline void add(chief *c, const char *name, const chief_worker_ops *ops, probe *p,
                       const chief_worker_options *o) {
    chief_worker_options copy = {0};
    if (o != NULL) copy = *o;
    copy.size = sizeof copy;
    copy.destroy = probe_destroy;
    p->c = c;
    assert_int_equal(chief_add_worker_with(c, name, ops, p, &copy), CHIEF_OK);
}

static inline void launch(chief *c) {
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
}

static inline void stop_and_join(chief *c, int expected) {
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, CHIEF_FOREVER), expected);
}

#define ANSWER_MS ((int64_t)10000)

static inline void await_state(chief *c, const char *name, chief_state_t state) {
    assert_int_equal(chief_wait_state(c, name, state, ANSWER_MS), CHIEF_OK);
}

typedef struct wanted {
    atomic_int *count;
    int n;
} wanted;

static inline bool has_count(void *data) {
    const wanted *w = data;
    return atomic_load(w->count) == w->n;
}

static inline void await_count(atomic_int *count, int n) {
    wanted w = {count, n};
    assert_true(support_until(has_count, &w, ANSWER_MS));
}

static const chief_restart on_failure = {
    .size = sizeof on_failure, .policy = CHIEF_RESTART_ON_FAILURE, .delay = 1, .jitter = -1};

#endif
