/* Who has to be ended: interrupted at the end of the grace, by hand or by a limit, and abandoned. Workers in C. */
#include "probe_kit.h"

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
    chief *c = support_quiet_chief(&o);
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
    chief *c = support_quiet_chief(&o);
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
    chief *c = support_quiet_chief(&o);
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
    chief *c = support_quiet_chief(&o);
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
    chief *c = support_quiet_chief(&o);
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
    chief *c = support_quiet_chief(&o);
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
    chief *c = support_quiet_chief(&o);
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
    chief *c = support_quiet_chief(&o);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chief__interrupts_at_the_end_of_the_grace),
        cmocka_unit_test(test_chief__abandons_who_goes_on_after_its_interrupt),
        cmocka_unit_test(test_chief__abandons_at_once_who_cannot_be_interrupted),
        cmocka_unit_test(test_chief__who_has_expired_is_interrupted_and_fails_for_that),
        cmocka_unit_test(test_chief__who_has_expired_and_goes_on_is_abandoned),
        cmocka_unit_test(test_chief__an_interrupt_by_hand_leaves_the_stop_clean),
        cmocka_unit_test(test_chief__an_init_is_interrupted_and_its_waits_end),
        cmocka_unit_test(test_chief__an_instance_outlives_its_interrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
