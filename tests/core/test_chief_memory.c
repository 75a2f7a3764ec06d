/* A chief's whole life with its n-th allocation failing, for every n. */
#include "support.h"

static int init(chief_worker *ctx, void *data, void **instance) {
    (void)ctx;
    *instance = data;
    return 0;
}

static int run(chief_worker *ctx, void *instance) {
    atomic_int *runs = instance;
    chief_channel *ch;
    int rc = chief_worker_channel(ctx, "ch", &ch);
    if (rc == CHIEF_OK) rc = chief_channel_send(ch, ctx, "x", 1, 0);
    return rc == CHIEF_OK && atomic_fetch_add(runs, 1) == 0 ? 1 : rc;
}

static const chief_worker_ops ops = {.size = sizeof ops, .init = init, .run = run};

static int resume(chief_worker *ctx, void *data, void **instance, int32_t part) {
    return part == CHIEF_PART_RUN ? run(ctx, *instance) : init(ctx, data, instance);
}

static const chief_fiber_ops fiber_ops = {.size = sizeof fiber_ops, .resume = resume};

static int32_t isolation; /* of the whole life's workers */

static const int32_t codes[] = {2, 3};

static const chief_restart on_failure = {.size = sizeof on_failure,
                                         .policy = CHIEF_RESTART_ON_FAILURE,
                                         .delay = CHIEF_ZERO,
                                         .jitter = -1,
                                         .max_restarts = 3};

static const char *const a_group[] = {"a", "r"};

static int whole_life(void) {
    atomic_int runs = 0;
    chief *c = NULL;
    chief_log *log = NULL;
    chief_log_options log_options = {.size = sizeof log_options, .level = CHIEF_OFF};
    chief_worker_options o = {
        .size = sizeof o, .restart = &on_failure, .no_restart_codes = codes, .n_no_restart_codes = 2};
    o.isolation = isolation;
    if (isolation == CHIEF_FIBER) o.fiber = &fiber_ops;
    int rc = chief_log_new(&log, &log_options);
    chief_options co = {.size = sizeof co, .log = log, .exit_when_done = 1, .max_restarts = 10};
    if (rc == CHIEF_OK) rc = chief_new(&c, &co);
    if (rc == CHIEF_OK) rc = chief_add_channel(c, "ch", NULL);
    if (rc == CHIEF_OK) rc = chief_add_worker_with(c, "a", &ops, &runs, &o);
    o.count = 2;
    if (rc == CHIEF_OK) rc = chief_add_worker_with(c, "r", &ops, &runs, &o);
    if (rc == CHIEF_OK) rc = chief_add_group(c, "g", CHIEF_REST_FOR_ONE, a_group, 2);
    if (rc == CHIEF_OK) rc = chief_init_workers(c, NULL);
    if (rc == CHIEF_OK) rc = chief_start(c, NULL);
    chief_free(c);
    chief_log_unref(log);
    /* a home that can't be made is a failure of its worker, restarted or not */
    return rc == CHIEF_EFAILED ? CHIEF_ENOMEM : rc;
}

static void test_chief_memory__survives_every_failing_allocation(void **state) {
    (void)state;
    for (isolation = CHIEF_THREAD; isolation <= CHIEF_FIBER; isolation++)
        assert_true(support_out_of_memory(whole_life) > 20);
}

/* Added before and while it runs: all of the replicas or none. */
static int add_replicas(chief *c, const char *name, const char *const *after, atomic_int *runs) {
    chief_worker_options o = {.size = sizeof o, .count = 3, .after = after, .n_after = after != NULL};
    chief_snapshot *before = NULL;
    chief_snapshot *now = NULL;
    int rc = chief_states(c, &before);
    if (rc == CHIEF_OK) rc = chief_add_worker_with(c, name, &ops, runs, &o);
    if (rc == CHIEF_OK) rc = chief_states(c, &now);
    else if (before != NULL && chief_states(c, &now) == CHIEF_OK)
        assert_int_equal(chief_snapshot_len(now), chief_snapshot_len(before));
    chief_snapshot_free(before);
    chief_snapshot_free(now);
    return rc;
}

static int life_of_replicas(void) {
    static const char *const after[] = {"a"};
    atomic_int runs = 1;
    chief *c = NULL;
    chief_log *log = NULL;
    chief_log_options log_options = {.size = sizeof log_options, .level = CHIEF_OFF};
    int rc = chief_log_new(&log, &log_options);
    chief_options co = {.size = sizeof co, .log = log};
    if (rc == CHIEF_OK) rc = chief_new(&c, &co);
    if (rc == CHIEF_OK) rc = chief_add_channel(c, "ch", NULL);
    if (rc == CHIEF_OK) rc = add_replicas(c, "a", NULL, &runs);
    if (rc == CHIEF_OK) rc = chief_enable_worker(c, "a");
    if (rc == CHIEF_OK) rc = chief_init_workers(c, NULL);
    if (rc == CHIEF_OK) rc = chief_launch(c, NULL);
    if (rc == CHIEF_OK) rc = add_replicas(c, "b", after, &runs);
    if (rc == CHIEF_OK) rc = chief_send(c, "b", "x", 1, 0);
    if (rc == CHIEF_ENOENT) rc = CHIEF_ENOMEM; /* given up: their homes could not be made */
    if (rc == CHIEF_OK) rc = chief_remove_worker(c, "b");
    chief_free(c);
    chief_log_unref(log);
    return rc;
}

static void test_chief_memory__replicas_come_all_or_none(void **state) {
    (void)state;
    assert_true(support_out_of_memory(life_of_replicas) > 60);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chief_memory__replicas_come_all_or_none),
        cmocka_unit_test(test_chief_memory__survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
