/* A worker that runs by a schedule, in a chief. What is asked of the clocks themselves is in test_schedule.c. */
#include "support.h"

#define ANSWER_MS ((int64_t)10000)

typedef struct probe {
    atomic_int runs;
    atomic_int inits;
    atomic_int finis;
    atomic_int inside; /* runs at once */
    atomic_int most_inside;
    int fail_at; /* the run that fails, counted from 1; 0: none */
    int64_t took_ms;
    support_gate third; /* opened by the third run */
    int64_t begun[16];
    chief_channel *from; /* received from by each run */
} probe;

static int probe_init(chief_worker *ctx, void *data, void **instance) {
    probe *p = data;
    (void)ctx;
    (void)atomic_fetch_add(&p->inits, 1);
    *instance = p;
    return 0;
}

static int probe_run(chief_worker *ctx, void *instance) {
    probe *p = instance;
    int run = atomic_fetch_add(&p->runs, 1) + 1;
    int inside = atomic_fetch_add(&p->inside, 1) + 1;
    if (inside > atomic_load(&p->most_inside)) atomic_store(&p->most_inside, inside);
    if (run <= 16) p->begun[run - 1] = chief__now_ms();
    if (p->from != NULL) {
        chief_msg *msg;
        if (chief_channel_recv(p->from, ctx, 0, &msg) == CHIEF_OK) chief_msg_free(msg);
    }
    if (p->took_ms > 0) chief__pause_ms(p->took_ms);
    (void)atomic_fetch_sub(&p->inside, 1);
    if (run == p->fail_at) return 3;
    if (run == 3) support_gate_open(&p->third);
    return 0;
}

static void probe_fini(void *instance) {
    probe *p = instance;
    (void)atomic_fetch_add(&p->finis, 1);
}

static const chief_worker_ops ops = {.size = sizeof ops, .init = probe_init, .run = probe_run, .fini = probe_fini};

/* The same as a fiber. */
static int probe_resume(chief_worker *ctx, void *data, void **instance, int32_t part) {
    return part == CHIEF_PART_INIT ? probe_init(ctx, data, instance) : probe_run(ctx, *instance);
}

static const chief_fiber_ops fiber_ops = {.size = sizeof fiber_ops, .resume = probe_resume};
static int32_t isolation;

static int in_thread(void **state) {
    (void)state;
    isolation = CHIEF_THREAD;
    return 0;
}

static int in_fiber(void **state) {
    (void)state;
    isolation = CHIEF_FIBER;
    return 0;
}

static void start(chief *c, probe *p, const chief_schedule *schedule, const chief_restart *restart) {
    const chief_worker_options o = {.size = sizeof o,
                                    .schedule = schedule,
                                    .restart = restart,
                                    .isolation = isolation,
                                    .fiber = isolation == CHIEF_FIBER ? &fiber_ops : NULL};
    support_gate_init(&p->third);
    assert_int_equal(chief_add_worker_with(c, "job", &ops, p, &o), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
}

static void stop(chief *c, probe *p) {
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, CHIEF_FOREVER), CHIEF_OK);
    chief_free(c);
    support_gate_fini(&p->third);
}

static const chief_schedule quick = {.size = sizeof quick, .every = 5};

static void test_schedule_runs__again_and_again_in_one_life(void **state) {
    (void)state;
    probe p = {0};
    chief *c = support_quiet_chief(NULL);
    start(c, &p, &quick, NULL);
    assert_true(support_gate_pass(&p.third));
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "job"), CHIEF_WORKER_RUN);
    stop(c, &p);
    assert_int_equal(p.inits, 1);
    assert_int_equal(p.finis, 1);
    assert_int_equal(p.most_inside, 1);
    if (support_ms(1) > 1) return;             /* the first may be looked at late */
    assert_true(p.begun[1] - p.begun[0] >= 4); /* 5 ms, seen on a clock of whole ones */
    assert_true(p.begun[2] - p.begun[0] >= 9);
}

static void test_schedule_runs__a_stop_ends_the_wait_at_once(void **state) {
    (void)state;
    static const chief_schedule often[] = {{.size = sizeof often[0], .every = 3600000},
                                           {.size = sizeof often[0], .cron = "0 0 1 1 *", .tz = "UTC"}};
    for (size_t i = 0; i < 2; i++) {
        probe p = {0};
        chief *c = support_quiet_chief(NULL);
        start(c, &p, &often[i], NULL);
        assert_int_equal(chief_wait_state(c, "job", CHIEF_WORKER_RUN, ANSWER_MS), CHIEF_OK);
        int64_t begun = chief__now_ms();
        stop(c, &p);
        assert_true(chief__now_ms() - begun < support_ms(1000));
        assert_true(p.runs <= (i == 0 ? 1 : 0)); /* `every` runs at once, if the stop did not come before */
        assert_int_equal(p.finis, 1);
    }
}

static void test_schedule_runs__later_waits_first(void **state) {
    (void)state;
    static const chief_schedule later = {.size = sizeof later, .every = 3600000, .later = 1};
    probe p = {0};
    chief *c = support_quiet_chief(NULL);
    start(c, &p, &later, NULL);
    assert_int_equal(chief_wait_ready(c, ANSWER_MS), CHIEF_OK); /* ready all the same */
    stop(c, &p);
    assert_int_equal(p.runs, 0);
}

static void test_schedule_runs__a_failing_run_is_the_workers_failure(void **state) {
    (void)state;
    static const chief_restart restart = {
        .size = sizeof restart, .policy = CHIEF_RESTART_ON_FAILURE, .delay = 1, .jitter = -1};
    probe p = {.fail_at = 2};
    chief *c = support_quiet_chief(NULL);
    start(c, &p, &quick, &restart);
    assert_true(support_gate_pass(&p.third));
    chief_snapshot *s;
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    const chief_worker_status *status = chief_snapshot_find(s, "job");
    assert_int_equal(status->restarts, 1);
    assert_int_equal(status->generation, 2);
    assert_string_equal(status->error, "run returned 3");
    chief_snapshot_free(s);
    stop(c, &p);
    assert_int_equal(p.inits, 2);
    assert_int_equal(p.finis, 2);
}

static void test_schedule_runs__without_a_policy_it_fails_for_good(void **state) {
    (void)state;
    probe p = {.fail_at = 1};
    chief *c = support_quiet_chief(NULL);
    start(c, &p, &quick, NULL);
    assert_int_equal(chief_wait_state(c, "job", CHIEF_WORKER_FAILED, ANSWER_MS), CHIEF_OK);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, CHIEF_FOREVER), CHIEF_EFAILED);
    assert_int_equal(p.runs, 1);
    chief_free(c);
    support_gate_fini(&p.third);
}

static void test_schedule_runs__a_clean_run_acknowledges(void **state) {
    (void)state;
    const chief_channel_options channel_options = {.size = sizeof channel_options, .delivery = CHIEF_AT_LEAST_ONCE};
    const chief_restart restart = {
        .size = sizeof restart, .policy = CHIEF_RESTART_ON_FAILURE, .delay = 1, .jitter = -1};
    probe p = {.fail_at = 2};
    chief *c = support_quiet_chief(NULL);
    assert_int_equal(chief_add_channel(c, "work", &channel_options), CHIEF_OK);
    assert_int_equal(chief_get_channel(c, "work", &p.from), CHIEF_OK);
    for (int i = 0; i < 2; i++) assert_int_equal(chief_channel_send(p.from, NULL, "x", 1, 0), CHIEF_OK);
    start(c, &p, &quick, &restart);
    assert_true(support_gate_pass(&p.third));
    stop(c, &p);
    chief_channel_stats stats = {.size = sizeof stats};
    assert_int_equal(chief_channel_get_stats(p.from, &stats), CHIEF_OK);
    assert_int_equal(stats.acknowledged, 2); /* the first by the first run; the second came back once */
    assert_int_equal(stats.redelivered, 1);
    assert_int_equal(stats.dropped, 0);
    chief_channel_unref(p.from);
}

static void test_schedule_runs__mistakes_add_nothing(void **state) {
    (void)state;
    static const chief_schedule wrong = {.size = sizeof wrong, .cron = "61 * * * *"};
    const chief_worker_options o = {.size = sizeof o, .schedule = &wrong};
    const chief_worker_options in_process = {.size = sizeof o, .schedule = &quick, .isolation = CHIEF_PROCESS};
    static const chief_fiber_ops callbacks = {.size = sizeof callbacks, .on_timer = probe_run, .interval = 1};
    const chief_worker_options in_callbacks = {
        .size = sizeof o, .schedule = &quick, .isolation = CHIEF_FIBER, .fiber = &callbacks};
    probe p = {0};
    chief *c = support_quiet_chief(NULL);
    assert_int_equal(chief_add_worker_with(c, "job", &ops, &p, &o), CHIEF_EINVAL);
    support_says("minute should be 0 to 59, got 61");
    assert_true(chief_add_worker_with(c, "job", &ops, &p, &in_process) < 0);
    assert_int_equal(chief_add_worker_with(c, "job", &ops, &p, &in_callbacks), CHIEF_EINVAL);
    support_says("only a fiber with resume runs by a schedule");
    assert_int_equal(chief_is_enabled(c, "job"), 0);
    chief_free(c);
}

static int add_one(void) {
    static const chief_schedule cron = {.size = sizeof cron, .cron = "0 0 * * *", .tz = "CET-1CEST"};
    const chief_worker_options o = {.size = sizeof o, .schedule = &cron};
    probe p = {0};
    chief *c;
    int rc = chief_new(&c, NULL);
    if (rc == CHIEF_OK) rc = chief_add_worker_with(c, "job", &ops, &p, &o);
    chief_free(c);
    return rc;
}

static void test_schedule_runs__out_of_memory(void **state) {
    (void)state;
    assert_true(support_out_of_memory(add_one) > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedule_runs__again_and_again_in_one_life),
        cmocka_unit_test(test_schedule_runs__a_stop_ends_the_wait_at_once),
        cmocka_unit_test(test_schedule_runs__later_waits_first),
        cmocka_unit_test(test_schedule_runs__a_failing_run_is_the_workers_failure),
        cmocka_unit_test(test_schedule_runs__without_a_policy_it_fails_for_good),
        cmocka_unit_test(test_schedule_runs__a_clean_run_acknowledges),
    };
    const struct CMUnitTest refusals[] = {
        cmocka_unit_test(test_schedule_runs__mistakes_add_nothing),
        cmocka_unit_test(test_schedule_runs__out_of_memory),
    };
    int failed = cmocka_run_group_tests_name("in a thread", tests, in_thread, NULL);
    failed += cmocka_run_group_tests_name("in a fiber", tests, in_fiber, NULL);
    return failed + cmocka_run_group_tests_name("refusals", refusals, NULL, NULL);
}
