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

static const chief_restart on_failure = {
    .size = sizeof on_failure, .policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO, .jitter = -1};

static int whole_life(void) {
    atomic_int runs = 0;
    chief *c = NULL;
    chief_log *log = NULL;
    chief_log_options log_options = {.size = sizeof log_options, .level = CHIEF_OFF};
    chief_worker_options o = {.size = sizeof o, .restart = &on_failure};
    int rc = chief_log_new(&log, &log_options);
    chief_options co = {.size = sizeof co, .log = log, .exit_when_done = 1};
    if (rc == CHIEF_OK) rc = chief_new(&c, &co);
    if (rc == CHIEF_OK) rc = chief_add_channel(c, "ch", NULL);
    if (rc == CHIEF_OK) rc = chief_add_worker_with(c, "a", &ops, &runs, &o);
    if (rc == CHIEF_OK) rc = chief_init_workers(c, NULL);
    if (rc == CHIEF_OK) rc = chief_start(c, NULL);
    chief_free(c);
    chief_log_unref(log);
    /* a home that can't be made is a failure of its worker, restarted or not */
    return rc == CHIEF_EFAILED ? CHIEF_ENOMEM : rc;
}

static void test_chief_memory__survives_every_failing_allocation(void **state) {
    (void)state;
    assert_true(support_out_of_memory(whole_life) > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chief_memory__survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
