/* The chief itself, from chief_new to chief_free: init, run, restart, stop, with workers in C. */
#include <signal.h>

#include "support.h"

/* ---- workers ---- */

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

static int probe_init(chief_worker *ctx, void *data, void **instance) {
    probe *p = data;
    (void)ctx;
    *instance = p;
    int n = atomic_fetch_add(&p->inits, 1);
    return n < atomic_load(&p->fail_inits) ? 7 : 0;
}

static int probe_run(chief_worker *ctx, void *instance) {
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

static int clean_run(chief_worker *ctx, void *instance) {
    probe *p = instance;
    (void)ctx;
    (void)atomic_fetch_add(&p->runs, 1);
    return 0;
}

static void probe_fini(void *instance) {
    probe *p = instance;
    (void)atomic_fetch_add(&p->finis, 1);
}

static void probe_destroy(void *data) {
    probe *p = data;
    (void)atomic_fetch_add(&p->destroyed, 1);
}

static const chief_worker_ops probe_ops = {
    .size = sizeof probe_ops, .init = probe_init, .run = probe_run, .fini = probe_fini};
static const chief_worker_ops clean_ops = {
    .size = sizeof clean_ops, .init = probe_init, .run = clean_run, .fini = probe_fini};

/* ---- helpers ---- */

static chief *quiet_chief(chief_options *o) {
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

static void add(chief *c, const char *name, const chief_worker_ops *ops, probe *p, const chief_worker_options *o) {
    chief_worker_options copy = {0};
    if (o != NULL) copy = *o;
    copy.size = sizeof copy;
    copy.destroy = probe_destroy;
    p->c = c;
    assert_int_equal(chief_add_worker_with(c, name, ops, p, &copy), CHIEF_OK);
}

static void launch(chief *c) {
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
}

static void stop_and_join(chief *c, int expected) {
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, CHIEF_FOREVER), expected);
}

#define ANSWER_MS ((int64_t)10000)

static void await_state(chief *c, const char *name, chief_state_t state) {
    assert_int_equal(chief_wait_state(c, name, state, ANSWER_MS), CHIEF_OK);
}

typedef struct wanted {
    atomic_int *count;
    int n;
} wanted;

static bool has_count(void *data) {
    const wanted *w = data;
    return atomic_load(w->count) == w->n;
}

static void await_count(atomic_int *count, int n) {
    wanted w = {count, n};
    assert_true(support_until(has_count, &w, ANSWER_MS));
}

static const chief_restart on_failure = {
    .size = sizeof on_failure, .policy = CHIEF_RESTART_ON_FAILURE, .delay = 1, .jitter = -1};

/* ---- tests ---- */

static void test_chief__runs_a_worker_until_it_is_stopped(void **state) {
    (void)state;
    probe p = {0};
    chief *c = quiet_chief(NULL);
    add(c, "a", &probe_ops, &p, NULL);
    launch(c);
    await_state(c, "a", CHIEF_WORKER_RUN);
    stop_and_join(c, CHIEF_OK);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "a"), CHIEF_WORKER_STOPPED);
    assert_int_equal(chief_exit_code(c), 0);
    chief_free(c);
    assert_int_equal(p.inits, 1);
    assert_int_equal(p.runs, 1);
    assert_int_equal(p.finis, 1);
    assert_int_equal(p.destroyed, 1);
}

static void test_chief__restarts_after_a_failure(void **state) {
    (void)state;
    probe p = {.fail_runs = 2};
    chief_worker_options o = {.restart = &on_failure};
    chief *c = quiet_chief(NULL);
    add(c, "a", &probe_ops, &p, &o);
    launch(c);
    await_count(&p.runs, 3);
    await_state(c, "a", CHIEF_WORKER_RUN);
    chief_snapshot *s;
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    assert_string_equal(chief_snapshot_at(s, 0)->error, "boom");
    assert_string_equal(chief_snapshot_at(s, 0)->traceback, "trace");
    assert_int_equal(chief_snapshot_at(s, 0)->generation, 3);
    chief_snapshot_free(s);
    stop_and_join(c, CHIEF_OK);
    chief_free(c);
    assert_int_equal(p.inits, 3);
    assert_int_equal(p.finis, 3);
}

static void test_chief__tells_a_life_in_order(void **state) {
    (void)state;
    static const int32_t expected[] = {CHIEF_WORKER_PRESENT,     CHIEF_WORKER_ENABLED, CHIEF_WORKER_INITIALIZED,
                                       CHIEF_WORKER_RUN,         CHIEF_WORKER_FAILED,  -CHIEF_EVENT_RESTART,
                                       CHIEF_WORKER_INITIALIZED, CHIEF_WORKER_RUN,     CHIEF_WORKER_STOPPED};
    probe p = {.fail_runs = 1};
    chief_worker_options o = {.restart = &on_failure};
    chief *c = quiet_chief(NULL);
    add(c, "a", &probe_ops, &p, &o);
    launch(c);
    await_count(&p.runs, 2);
    stop_and_join(c, CHIEF_OK);
    size_t at = 0;
    chief_event *e;
    size_t n;
    while (chief_take_events(c, &e, 1, CHIEF_FOREVER, &n) == CHIEF_OK) {
        if (e->kind == CHIEF_EVENT_STATE) assert_int_equal(e->state, expected[at++]);
        if (e->kind == CHIEF_EVENT_RESTART) assert_int_equal(-e->kind, expected[at++]);
        chief_event_free(e);
    }
    assert_int_equal(at, sizeof expected / sizeof expected[0]);
    chief_free(c);
}

/* The events of a worker that fails once, as far as they are kept. */
static size_t events_at(int32_t level, int32_t least) {
    probe p = {.fail_runs = 1};
    chief_worker_options o = {.restart = &on_failure};
    chief_options options = {.event_level = level, .event_capacity = 2};
    chief *c = quiet_chief(&options);
    add(c, "a", &probe_ops, &p, &o);
    launch(c);
    await_count(&p.runs, 2);
    stop_and_join(c, CHIEF_OK);
    size_t taken = 0;
    uint64_t last = 0;
    chief_event *e;
    size_t n;
    while (chief_take_events(c, &e, 1, CHIEF_FOREVER, &n) == CHIEF_OK) {
        assert_true(e->level >= least);
        if (taken == 0) assert_true(e->seq > 4); /* what was left out or dropped has its numbers */
        else assert_true(e->seq > last);
        last = e->seq;
        taken++;
        chief_event_free(e);
    }
    if (least >= CHIEF_ERROR) assert_int_equal(chief_events_dropped(c), 0);
    else assert_true(chief_events_dropped(c) > 0);
    chief_free(c);
    return taken;
}

static void test_chief__keeps_events_from_a_level_on(void **state) {
    (void)state;
    assert_int_equal(events_at(0, CHIEF_DEBUG), 2);
    assert_int_equal(events_at(CHIEF_ERROR, CHIEF_ERROR),
                     1); /* the failure; nothing is lost though there is room for two */
    assert_int_equal(events_at(CHIEF_OFF, CHIEF_OFF), 0);
}

static void test_chief__changes_the_event_level_at_any_time(void **state) {
    (void)state;
    probe p = {0};
    chief *c = quiet_chief(NULL);
    add(c, "a", &probe_ops, &p, NULL);
    assert_int_equal(chief_set_event_level(c, CHIEF_ERROR), CHIEF_OK);
    launch(c);
    assert_int_equal(chief_wait_ready(c, ANSWER_MS), CHIEF_OK); /* what is told of the start has been told */
    assert_int_equal(chief_set_event_level(c, CHIEF_INFO), CHIEF_OK);
    stop_and_join(c, CHIEF_OK);
    chief_event *e[8];
    size_t n;
    assert_int_equal(chief_take_events(c, e, 8, 0, &n), CHIEF_OK);
    assert_int_equal(n, 4);
    assert_int_equal(e[0]->kind, CHIEF_EVENT_STATE); /* present, before the first level was set */
    assert_int_equal(e[1]->kind, CHIEF_EVENT_STOPPING);
    assert_int_equal(e[2]->state, CHIEF_WORKER_STOPPED);
    assert_int_equal(e[3]->kind, CHIEF_EVENT_STOPPED);
    for (size_t i = 0; i < n; i++) chief_event_free(e[i]);
    assert_int_equal(chief_set_event_level(c, 0), CHIEF_EINVAL);
    assert_int_equal(chief_set_event_level(c, CHIEF_OFF + 1), CHIEF_EINVAL);
    support_says("event_level should be CHIEF_DEBUG (1) to CHIEF_OFF (5), got 6");
    assert_int_equal(chief_set_event_level(NULL, CHIEF_INFO), CHIEF_EINVAL);
    chief_free(c);
    chief_options wrong = {.size = sizeof wrong, .event_level = -1};
    assert_int_equal(chief_new(&c, &wrong), CHIEF_EINVAL);
}

static void test_chief__takes_up_a_failed_init_by_its_policy(void **state) {
    (void)state;
    probe p = {.fail_inits = 2};
    chief_worker_options o = {.restart = &on_failure};
    chief *c = quiet_chief(NULL);
    add(c, "a", &probe_ops, &p, &o);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "a"), CHIEF_WORKER_FAILED);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    await_state(c, "a", CHIEF_WORKER_RUN);
    assert_int_equal(p.inits, 3);
    stop_and_join(c, CHIEF_OK);
    chief_free(c);
    assert_int_equal(p.finis, 1);
}

static void test_chief__never_runs_a_failed_one_again_by_default(void **state) {
    (void)state;
    probe p = {.fail_runs = 100};
    chief_options co = {.exit_when_done = 1};
    chief *c = quiet_chief(&co);
    add(c, "a", &probe_ops, &p, NULL);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_start(c, NULL), CHIEF_EFAILED);
    assert_int_equal(p.runs, 1);
    assert_int_equal(chief_exit_code(c), 1);
    chief_free(c);
}

static void test_chief__ends_when_done_and_clean(void **state) {
    (void)state;
    probe p = {0};
    chief_options co = {.exit_when_done = 1};
    chief *c = quiet_chief(&co);
    add(c, "a", &clean_ops, &p, NULL);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_start(c, NULL), CHIEF_OK);
    assert_int_equal(chief_exit_code(c), 0);
    chief_free(c);
}

static void test_chief__stops_in_the_reverse_order(void **state) {
    (void)state;
    atomic_int order = 0;
    probe a = {.order = &order}, b = {.order = &order}, d = {.order = &order};
    const char *after_a[] = {"a"};
    const char *after_b[] = {"b"};
    chief_worker_options ob = {.after = after_a, .n_after = 1};
    chief_worker_options od = {.after = after_b, .n_after = 1};
    chief *c = quiet_chief(NULL);
    add(c, "d", &probe_ops, &d, &od);
    add(c, "b", &probe_ops, &b, &ob);
    add(c, "a", &probe_ops, &a, NULL);
    launch(c);
    assert_int_equal(chief_wait_ready(c, ANSWER_MS), CHIEF_OK);
    stop_and_join(c, CHIEF_OK);
    assert_int_equal(d.stopped_at, 1);
    assert_int_equal(b.stopped_at, 2);
    assert_int_equal(a.stopped_at, 3);
    chief_free(c);
}

static void test_chief__names_who_ignores_the_stop(void **state) {
    (void)state;
    probe p = {.ignores_stop = true};
    chief_options co = {.force_stop_timeout = 30};
    chief *c = quiet_chief(&co);
    add(c, "stuck", &probe_ops, &p, NULL);
    launch(c);
    await_state(c, "stuck", CHIEF_WORKER_RUN);
    await_count(&p.runs, 1);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, CHIEF_FOREVER), CHIEF_ETIMEDOUT);
    assert_string_equal(chief_last_error(), "Graceful exit timeout exceeded: stuck");
    assert_int_equal(chief_exit_code(c), 75);
    chief_free(c);
    assert_int_equal(p.destroyed, 0);
    atomic_store(&p.let_go, true);
    await_count(&p.destroyed, 1);
    assert_int_equal(p.finis, 1);
}

/* ---- being interrupted ---- */

static void free_it(chief_worker *ctx, void *instance) {
    probe *p = instance;
    char why[128];
    assert_true(chief_worker_interrupt_reason(ctx, why, sizeof why) > 0);
    if (p != NULL) atomic_store(&p->let_go, true);
}

static void do_nothing(chief_worker *ctx, void *instance) {
    (void)ctx;
    (void)instance;
}

/* The events of one kind about the worker, and the text of the last. */
static int count_events(chief *c, int32_t kind, char *text, size_t size) {
    chief_event *e;
    size_t n;
    int count = 0;
    while (chief_take_events(c, &e, 1, 0, &n) == CHIEF_OK) {
        if (e->kind == kind) {
            count++;
            snprintf(text, size, "%s", e->error);
        }
        chief_event_free(e);
    }
    return count;
}

static void assert_reason(chief *c, chief_state_t state, int32_t reason, const char *error) {
    chief_snapshot *s;
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    const chief_worker_status *w = chief_snapshot_at(s, 0);
    assert_int_equal(w->state, state);
    assert_int_equal(w->reason, reason);
    assert_string_equal(w->error, error);
    chief_snapshot_free(s);
}

static void test_chief__interrupts_at_the_end_of_the_grace(void **state) {
    (void)state;
    chief_worker_ops ops = probe_ops;
    ops.interrupt = free_it;
    probe p = {.ignores_stop = true};
    chief_options o = {.force_time = support_ms(5000)};
    chief_worker_options wo = {.grace = 500};
    char text[128];
    chief *c = quiet_chief(&o);
    add(c, "stuck", &ops, &p, &wo);
    launch(c);
    await_count(&p.runs, 1);
    stop_and_join(c, CHIEF_ETIMEDOUT);
    assert_string_equal(chief_last_error(), "Graceful exit timeout exceeded: stuck");
    assert_int_equal(chief_exit_code(c), 75);
    assert_reason(c, CHIEF_WORKER_STOPPED, CHIEF_REASON_KILLED, "run returned -1009 (cancelled)");
    assert_int_equal(count_events(c, CHIEF_EVENT_FORCED, text, sizeof text), 1);
    assert_string_equal(text, "interrupted: did not end within its grace of 0.5 s");
    assert_int_equal(p.finis, 1);
    chief_free(c);
    assert_int_equal(p.destroyed, 1); /* nothing of it was left behind */
}

static void test_chief__abandons_who_goes_on_after_its_interrupt(void **state) {
    (void)state;
    chief_worker_ops ops = probe_ops;
    ops.interrupt = do_nothing;
    probe p = {.ignores_stop = true};
    chief_options o = {.force_stop_timeout = 20, .force_time = 20};
    char text[128];
    chief *c = quiet_chief(&o);
    add(c, "stuck", &ops, &p, NULL);
    launch(c);
    await_count(&p.runs, 1);
    stop_and_join(c, CHIEF_ETIMEDOUT);
    assert_string_equal(chief_last_error(), "Graceful exit timeout exceeded: stuck");
    assert_int_equal(chief_exit_code(c), 75);
    assert_reason(c, CHIEF_WORKER_FAILED, CHIEF_REASON_KILLED, "did not end within its grace");
    assert_int_equal(count_events(c, CHIEF_EVENT_ABANDONED, text, sizeof text), 1);
    chief_free(c);
    assert_int_equal(p.destroyed, 0);
    atomic_store(&p.let_go, true);
    await_count(&p.destroyed, 1);
}

static void test_chief__abandons_at_once_who_cannot_be_interrupted(void **state) {
    (void)state;
    probe p = {.ignores_stop = true};
    chief_options o = {.force_stop_timeout = 20, .force_time = support_ms(60000)};
    char text[128];
    chief *c = quiet_chief(&o);
    add(c, "stuck", &probe_ops, &p, NULL);
    launch(c);
    await_count(&p.runs, 1);
    int64_t begun = chief__now_ms();
    stop_and_join(c, CHIEF_ETIMEDOUT);
    assert_true(chief__now_ms() - begun < support_ms(30000));
    assert_int_equal(count_events(c, CHIEF_EVENT_FORCED, text, sizeof text), 0);
    chief_free(c);
    atomic_store(&p.let_go, true);
    await_count(&p.destroyed, 1);
}

static void test_chief__an_interrupt_by_hand_leaves_the_stop_clean(void **state) {
    (void)state;
    chief_worker_ops ops = probe_ops;
    ops.interrupt = free_it;
    probe p = {.ignores_stop = true};
    chief_options o = {.force_time = support_ms(5000)};
    chief_worker_options wo = {.grace = 10};
    chief *c = quiet_chief(&o);
    add(c, "stuck", &ops, &p, &wo);
    launch(c);
    await_count(&p.runs, 1);
    assert_int_equal(chief_stop_worker(c, "stuck"), CHIEF_OK);
    await_state(c, "stuck", CHIEF_WORKER_STOPPED);
    stop_and_join(c, CHIEF_OK);
    assert_int_equal(chief_exit_code(c), 0);
    chief_free(c);
}

static int expiring_run(chief_worker *ctx, void *instance) {
    chief_worker_expire(ctx, CHIEF_REASON_WATCHDOG, "watchdog: it was seen to be stuck", NULL);
    chief_worker_expire(ctx, CHIEF_REASON_MEMORY_LIMIT, "a second one", "elsewhere");
    return probe_run(ctx, instance);
}

static void test_chief__who_has_expired_is_interrupted_and_fails_for_that(void **state) {
    (void)state;
    chief_worker_ops ops = probe_ops;
    ops.interrupt = free_it;
    ops.run = expiring_run;
    probe p = {.ignores_stop = true};
    chief_options o = {.force_time = support_ms(5000)};
    char text[128];
    chief *c = quiet_chief(&o);
    add(c, "stuck", &ops, &p, NULL);
    launch(c);
    await_state(c, "stuck", CHIEF_WORKER_FAILED);
    assert_reason(c, CHIEF_WORKER_FAILED, CHIEF_REASON_WATCHDOG, "watchdog: it was seen to be stuck");
    assert_int_equal(count_events(c, CHIEF_EVENT_FORCED, text, sizeof text), 1);
    assert_string_equal(text, "watchdog: it was seen to be stuck");
    stop_and_join(c, CHIEF_EFAILED);
    chief_free(c);
    assert_int_equal(p.destroyed, 1);
}

static void test_chief__who_has_expired_and_goes_on_is_abandoned(void **state) {
    (void)state;
    chief_worker_ops ops = probe_ops;
    ops.interrupt = do_nothing;
    ops.run = expiring_run;
    probe p = {.ignores_stop = true};
    chief_options o = {.force_time = 20};
    char text[128];
    chief *c = quiet_chief(&o);
    add(c, "stuck", &ops, &p, NULL);
    launch(c);
    await_state(c, "stuck", CHIEF_WORKER_FAILED);
    assert_reason(c, CHIEF_WORKER_FAILED, CHIEF_REASON_WATCHDOG, "watchdog: it was seen to be stuck");
    stop_and_join(c, CHIEF_EFAILED);
    assert_int_equal(count_events(c, CHIEF_EVENT_ABANDONED, text, sizeof text), 1);
    chief_free(c);
    atomic_store(&p.let_go, true);
    await_count(&p.destroyed, 1);
}

/* An init that hangs for ever in a call of the chief's. */
static int waiting_init(chief_worker *ctx, void *data, void **instance) {
    probe *p = data;
    *instance = p;
    int rc = chief_worker_sleep(ctx, CHIEF_FOREVER);
    await_count(&p->inits, 1);
    return rc;
}

static void see_data(chief_worker *ctx, void *instance) {
    (void)ctx;
    (void)atomic_fetch_add(&((probe *)instance)->inits, 1); /* data: init has not returned */
}

static void test_chief__an_init_is_interrupted_and_its_waits_end(void **state) {
    (void)state;
    chief_worker_ops ops = {.size = sizeof ops, .init = waiting_init, .run = probe_run, .interrupt = see_data};
    probe p = {0};
    chief_options o = {.init_timeout = 10, .force_time = support_ms(5000)};
    char text[128];
    chief *c = quiet_chief(&o);
    add(c, "slow", &ops, &p, NULL);
    launch(c);
    assert_reason(c, CHIEF_WORKER_FAILED, CHIEF_REASON_INIT_ERROR, "init returned -1009 (cancelled)");
    assert_int_equal(count_events(c, CHIEF_EVENT_FORCED, text, sizeof text), 1);
    assert_string_equal(text, "interrupted: init did not end within 0.01 s");
    stop_and_join(c, CHIEF_EFAILED);
    chief_free(c);
}

/* While interrupt is being called with the instance, fini waits for it. */
typedef struct slow_interrupt {
    probe p;
    support_gate entered;
    support_gate leave;
    atomic_bool finished_inside;
    atomic_bool left;
} slow_interrupt;

static void interrupt_slowly(chief_worker *ctx, void *instance) {
    slow_interrupt *s = instance;
    (void)ctx;
    atomic_store(&s->p.let_go, true);
    support_gate_open(&s->entered);
    (void)support_gate_pass(&s->leave);
    atomic_store(&s->left, true);
}

static void fini_after_it(void *instance) {
    slow_interrupt *s = instance;
    if (!atomic_load(&s->left)) atomic_store(&s->finished_inside, true);
}

static void test_chief__an_instance_outlives_its_interrupt(void **state) {
    (void)state;
    chief_worker_ops ops = {
        .size = sizeof ops, .init = probe_init, .run = probe_run, .fini = fini_after_it, .interrupt = interrupt_slowly};
    slow_interrupt s = {.p = {.ignores_stop = true}};
    chief_options o = {.force_stop_timeout = 10, .force_time = support_ms(5000)};
    support_gate_init(&s.entered);
    support_gate_init(&s.leave);
    chief *c = quiet_chief(&o);
    add(c, "a", &ops, &s.p, NULL);
    launch(c);
    await_count(&s.p.runs, 1);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_true(support_gate_pass(&s.entered));
    chief__pause_ms(20); /* a fini that did not wait would have time to show it */
    support_gate_open(&s.leave);
    assert_int_equal(chief_join(c, CHIEF_FOREVER), CHIEF_ETIMEDOUT);
    chief_free(c);
    assert_false(atomic_load(&s.finished_inside));
    support_gate_fini(&s.entered);
    support_gate_fini(&s.leave);
}

static void test_chief__answers_requests_while_running(void **state) {
    (void)state;
    probe a = {0}, b = {0};
    chief *c = quiet_chief(NULL);
    add(c, "a", &probe_ops, &a, NULL);
    launch(c);
    await_state(c, "a", CHIEF_WORKER_RUN);
    assert_int_equal(chief_start_worker(c, "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "a"), CHIEF_WORKER_RUN);
    assert_int_equal(chief_start_worker(c, "nosuch"), CHIEF_ENOENT);
    assert_string_equal(chief_last_error(), "invalid service name nosuch; there are: a");
    assert_int_equal(chief_add_worker(c, "a", &probe_ops, &b), CHIEF_EEXIST);
    assert_int_equal(chief_pool_enable(chief_get_pool(c), "a"), CHIEF_EBUSY);
    add(c, "b", &probe_ops, &b, NULL);
    await_state(c, "b", CHIEF_WORKER_RUN);
    assert_int_equal(chief_stop_worker(c, "b"), CHIEF_OK);
    await_state(c, "b", CHIEF_WORKER_STOPPED);
    assert_int_equal(chief_start_worker(c, "b"), CHIEF_OK);
    await_state(c, "b", CHIEF_WORKER_RUN);
    assert_int_equal(chief_remove_worker(c, "b"), CHIEF_OK);
    await_count(&b.destroyed, 1);
    assert_int_equal(chief_start_worker(c, "b"), CHIEF_ENOENT);
    stop_and_join(c, CHIEF_OK);
    chief_free(c);
    assert_int_equal(b.runs, 2);
}

typedef struct late {
    atomic_bool called;
    support_gate go;
} late;

/* Answers a call when it is let go, which is after the caller has lost patience. */
static int late_run(chief_worker *ctx, void *instance) {
    late *l = instance;
    chief_msg *call = NULL;
    int rc = chief_worker_recv(ctx, CHIEF_FOREVER, &call);
    atomic_store(&l->called, true);
    if (rc == CHIEF_OK && !support_gate_pass(&l->go)) rc = CHIEF_ETIMEDOUT;
    if (rc == CHIEF_OK && chief_msg_reply(call, "x", 1) != CHIEF_ENOENT) rc = CHIEF_EINVAL;
    chief_msg_free(call);
    return rc;
}

static void test_chief__counts_late_replies(void **state) {
    (void)state;
    const chief_worker_ops ops = {.size = sizeof ops, .run = late_run};
    late l = {0};
    support_gate_init(&l.go);
    chief_msg *reply = NULL;
    chief *c = quiet_chief(NULL);
    assert_int_equal(chief_add_worker(c, "a", &ops, &l), CHIEF_OK);
    assert_int_equal(chief_late_replies(c), 0);
    launch(c);
    /* On a slow machine the time may be over before the call is in the mailbox. */
    while (!atomic_load(&l.called)) assert_int_equal(chief_call(c, "a", "?", 1, 5, &reply), CHIEF_ETIMEDOUT);
    assert_int_equal(chief_late_replies(c), 0);
    support_gate_open(&l.go);
    await_state(c, "a", CHIEF_WORKER_STOPPED);
    assert_int_equal(chief_late_replies(c), 1);
    stop_and_join(c, CHIEF_OK);
    assert_int_equal(chief_late_replies(c), 1);
    assert_int_equal(chief_late_replies(NULL), 0);
    chief_free(c);
    support_gate_fini(&l.go);
}

/* Before the chief runs its pool may be written, and what is refused there is told like what is refused later. */
static void test_chief__tells_what_its_pool_refuses(void **state) {
    (void)state;
    probe a = {0};
    chief_event *events[8];
    size_t n = 0;
    chief *c = quiet_chief(NULL);
    add(c, "a", &probe_ops, &a, NULL);
    assert_int_equal(chief_pool_start(chief_get_pool(c), "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    assert_int_equal(chief_take_events(c, events, 8, 0, &n), CHIEF_OK);
    const chief_event *last = events[n - 1];
    assert_int_equal(last->kind, CHIEF_EVENT_WRONG_STATE_CHANGE);
    assert_int_equal(last->seq, n);
    assert_string_equal(last->worker, "a");
    assert_int_equal(last->previous, CHIEF_WORKER_PRESENT);
    assert_int_equal(last->state, CHIEF_WORKER_RUN);
    for (size_t i = 0; i < n; i++) chief_event_free(events[i]);
    chief_free(c);
}

static void test_chief__enables_by_name_or_all(void **state) {
    (void)state;
    probe a = {0}, b = {0};
    const char *names[] = {"a", "nosuch"};
    chief *c = quiet_chief(NULL);
    add(c, "a", &probe_ops, &a, NULL);
    add(c, "b", &probe_ops, &b, NULL);
    assert_int_equal(chief_is_enabled(c, "b"), 1);
    assert_int_equal(chief_enable_workers(c, names, 2), CHIEF_ENOENT);
    assert_string_equal(chief_last_error(), "invalid service name nosuch; there are: a, b");
    assert_int_equal(chief_enable_worker(c, "a"), CHIEF_OK);
    assert_int_equal(chief_is_enabled(c, "b"), 0);
    launch(c);
    await_state(c, "a", CHIEF_WORKER_RUN);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "b"), CHIEF_WORKER_DISABLED);
    assert_int_equal(chief_start_worker(c, "b"), CHIEF_EENABLE);
    stop_and_join(c, CHIEF_OK);
    chief_free(c);
    assert_int_equal(b.inits, 0);
}

static void test_chief__refuses_to_start_without_names_when_asked_so(void **state) {
    (void)state;
    probe a = {0};
    chief *c = quiet_chief(NULL);
    add(c, "a", &probe_ops, &a, NULL);
    assert_int_equal(chief_set_enable_by_default(c, 0), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_ENOTINIT);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_EENABLE);
    chief_free(c);
    assert_int_equal(a.destroyed, 1);
}

static void test_chief__refuses_cycles_and_unknown_names(void **state) {
    (void)state;
    probe a = {0}, b = {0};
    const char *after_a[] = {"a"};
    const char *after_b[] = {"b"};
    chief_worker_options oa = {.after = after_b, .n_after = 1};
    chief_worker_options ob = {.after = after_a, .n_after = 1};
    chief *c = quiet_chief(NULL);
    add(c, "a", &probe_ops, &a, &oa);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_ENOENT);
    add(c, "b", &probe_ops, &b, &ob);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_ECYCLE);
    assert_non_null(strstr(chief_last_error(), "a"));
    chief_free(c);
}

static void test_chief__frees_initialised_workers_by_their_fini(void **state) {
    (void)state;
    probe a = {0};
    chief *c = quiet_chief(NULL);
    add(c, "a", &probe_ops, &a, NULL);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    chief_free(c);
    assert_int_equal(a.inits, 1);
    assert_int_equal(a.runs, 0);
    assert_int_equal(a.finis, 1);
    assert_int_equal(a.destroyed, 1);
}

static void test_chief__stops_with_its_parent(void **state) {
    (void)state;
    probe a = {0};
    chief_context *parent;
    chief_value v = {.type = CHIEF_INTEGER, .integer = 42};
    chief *c = quiet_chief(NULL);
    add(c, "a", &probe_ops, &a, NULL);
    assert_int_equal(chief_context_new(&parent, NULL), CHIEF_OK);
    assert_int_equal(chief_context_set(parent, "answer", &v), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, parent), CHIEF_OK);
    await_state(c, "a", CHIEF_WORKER_RUN);
    chief_value got;
    assert_int_equal(chief_context_get(chief_get_context(c), "answer", &got), CHIEF_OK);
    assert_int_equal(got.integer, 42);
    chief_value_clear(&got);
    chief_context_cancel(parent, "enough");
    assert_int_equal(chief_join(c, CHIEF_FOREVER), CHIEF_OK);
    chief_free(c);
    chief_context_unref(parent);
}

static void count_hook(void *data) { (void)atomic_fetch_add((atomic_int *)data, 1); }

static void test_chief__runs_hooks_after_the_last_worker(void **state) {
    (void)state;
    probe a = {0};
    atomic_int hooks = 0;
    chief *c = quiet_chief(NULL);
    add(c, "a", &probe_ops, &a, NULL);
    assert_int_equal(chief_on_shutdown(c, count_hook, &hooks), CHIEF_OK);
    launch(c);
    await_state(c, "a", CHIEF_WORKER_RUN);
    stop_and_join(c, CHIEF_OK);
    assert_int_equal(hooks, 1);
    chief_free(c);
}

static void late_hook(void *data) {
    chief *c = data;
    if (chief_on_shutdown(c, count_hook, data) == CHIEF_ECLOSED) (void)chief_add_value(c, "refused", &(chief_value){0});
}

static void test_chief__refuses_a_hook_that_would_never_run(void **state) {
    (void)state;
    probe a = {0};
    chief_value got;
    chief *c = quiet_chief(NULL);
    add(c, "a", &probe_ops, &a, NULL);
    assert_int_equal(chief_on_shutdown(c, late_hook, c), CHIEF_OK);
    launch(c);
    stop_and_join(c, CHIEF_OK);
    assert_int_equal(chief_context_get(chief_get_context(c), "refused", &got), CHIEF_OK);
    chief_value_clear(&got);
    chief_free(c);
}

typedef struct curious_sink {
    _Atomic(chief *) c;
    atomic_int records;
} curious_sink;

static void ask_the_chief(void *data, const chief_record *record) {
    curious_sink *s = data;
    chief *c = atomic_load(&s->c);
    (void)record;
    (void)atomic_fetch_add(&s->records, 1);
    if (c != NULL) (void)chief_has_stopped(c);
}

static void test_chief__calls_a_sink_under_no_lock(void **state) {
    (void)state;
    probe a = {0};
    curious_sink sink = {.c = NULL};
    chief_log_options lo = {.size = sizeof lo, .level = CHIEF_DEBUG, .sink = ask_the_chief, .data = &sink};
    chief_options co = {.size = sizeof co};
    chief *c;
    assert_int_equal(chief_log_new(&co.log, &lo), CHIEF_OK);
    assert_int_equal(chief_new(&c, &co), CHIEF_OK);
    atomic_store(&sink.c, c);
    add(c, "a", &probe_ops, &a, NULL);
    assert_int_equal(chief_enable_worker(c, "a"), CHIEF_OK);
    launch(c);
    await_state(c, "a", CHIEF_WORKER_RUN);
    stop_and_join(c, CHIEF_OK);
    chief_free(c);
    chief_log_unref(co.log);
    assert_true(sink.records > 0);
}

static int kill_run(chief_worker *ctx, void *instance) {
    probe *p = instance;
    chief_value log, value;
    if (chief_context_get(chief_worker_context(ctx), CHIEF_CTX_KEY_LOG, &log) == CHIEF_OK &&
        log.type == CHIEF_POINTER && chief_get_context(p->c) != NULL)
        (void)atomic_fetch_add(&p->runs, 1);
    chief_value_clear(&log);
    if (chief_context_get(chief_worker_context(ctx), "answer", &value) == CHIEF_OK && value.integer == 42)
        (void)atomic_fetch_add(&p->runs, 1);
    chief_value_clear(&value);
    (void)raise(SIGTERM);
    return chief_worker_sleep(ctx, CHIEF_FOREVER);
}

static void test_chief__run_all_ends_by_a_signal_and_gives_the_handler_back(void **state) {
    (void)state;
    static const chief_worker_ops ops = {.size = sizeof ops, .run = kill_run};
    const char *names[] = {"a"};
    struct sigaction before, after;
    probe a = {0}, b = {0};
    chief_value answer = {.type = CHIEF_INTEGER, .integer = 42};
    (void)sigaction(SIGTERM, NULL, &before);
    chief *c = quiet_chief(NULL);
    add(c, "a", &ops, &a, NULL);
    add(c, "b", &probe_ops, &b, NULL);
    assert_int_equal(chief_add_value(c, "answer", &answer), CHIEF_OK);
    assert_int_equal(chief_run_all(c, "named", names, 1), CHIEF_OK);
    (void)sigaction(SIGTERM, NULL, &after);
    assert_ptr_equal(after.sa_handler, before.sa_handler);
    assert_string_equal(chief_get_name(c), "named");
    assert_int_equal(a.runs, 2);
    assert_int_equal(b.inits, 0);
    chief_free(c);
}

static void test_chief__takes_a_shorter_limit_for_the_stop(void **state) {
    (void)state;
    probe p = {.ignores_stop = true};
    chief *c = quiet_chief(NULL);
    add(c, "stuck", &probe_ops, &p, NULL);
    assert_int_equal(chief_set_force_stop_timeout(c, -1), CHIEF_EINVAL);
    launch(c);
    await_count(&p.runs, 1);
    assert_int_equal(chief_set_force_stop_timeout(c, 20), CHIEF_OK);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), CHIEF_ETIMEDOUT);
    support_says("stuck");
    chief_free(c);
    atomic_store(&p.let_go, true);
    await_count(&p.destroyed, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chief__runs_a_worker_until_it_is_stopped),
        cmocka_unit_test(test_chief__restarts_after_a_failure),
        cmocka_unit_test(test_chief__tells_a_life_in_order),
        cmocka_unit_test(test_chief__keeps_events_from_a_level_on),
        cmocka_unit_test(test_chief__changes_the_event_level_at_any_time),
        cmocka_unit_test(test_chief__takes_up_a_failed_init_by_its_policy),
        cmocka_unit_test(test_chief__never_runs_a_failed_one_again_by_default),
        cmocka_unit_test(test_chief__ends_when_done_and_clean),
        cmocka_unit_test(test_chief__stops_in_the_reverse_order),
        cmocka_unit_test(test_chief__names_who_ignores_the_stop),
        cmocka_unit_test(test_chief__interrupts_at_the_end_of_the_grace),
        cmocka_unit_test(test_chief__abandons_who_goes_on_after_its_interrupt),
        cmocka_unit_test(test_chief__abandons_at_once_who_cannot_be_interrupted),
        cmocka_unit_test(test_chief__who_has_expired_is_interrupted_and_fails_for_that),
        cmocka_unit_test(test_chief__who_has_expired_and_goes_on_is_abandoned),
        cmocka_unit_test(test_chief__an_interrupt_by_hand_leaves_the_stop_clean),
        cmocka_unit_test(test_chief__an_init_is_interrupted_and_its_waits_end),
        cmocka_unit_test(test_chief__an_instance_outlives_its_interrupt),
        cmocka_unit_test(test_chief__answers_requests_while_running),
        cmocka_unit_test(test_chief__counts_late_replies),
        cmocka_unit_test(test_chief__tells_what_its_pool_refuses),
        cmocka_unit_test(test_chief__enables_by_name_or_all),
        cmocka_unit_test(test_chief__refuses_to_start_without_names_when_asked_so),
        cmocka_unit_test(test_chief__refuses_cycles_and_unknown_names),
        cmocka_unit_test(test_chief__frees_initialised_workers_by_their_fini),
        cmocka_unit_test(test_chief__stops_with_its_parent),
        cmocka_unit_test(test_chief__runs_hooks_after_the_last_worker),
        cmocka_unit_test(test_chief__refuses_a_hook_that_would_never_run),
        cmocka_unit_test(test_chief__calls_a_sink_under_no_lock),
        cmocka_unit_test(test_chief__run_all_ends_by_a_signal_and_gives_the_handler_back),
        cmocka_unit_test(test_chief__takes_a_shorter_limit_for_the_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
