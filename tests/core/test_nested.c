/* A chief as a worker of another one. */
#include "support.h"

#include <sched.h>

#define ANSWER_MS support_ms(10000)

/* What the workers inside share with the test; one of them for each test. */
typedef struct world {
    atomic_int made;
    atomic_int inner_runs;
    atomic_int destroyed;
    atomic_bool fail;  /* the next run inside fails */
    atomic_bool stuck; /* it does not hear its stop */
    support_gate release;
    atomic_bool left; /* the stuck one has passed the gate */
    int refuse;       /* what make answers */
    int64_t grace;    /* of the outer worker; 0: none given */
    int64_t inner_timeout;
} world;

static chief_log *quiet(void) {
    chief_log_options o = {.size = sizeof o, .level = CHIEF_OFF};
    chief_log *log;
    assert_int_equal(chief_log_new(&log, &o), CHIEF_OK);
    return log;
}

static int inner_run(chief_worker *ctx, void *instance) {
    world *w = instance;
    (void)atomic_fetch_add(&w->inner_runs, 1);
    if (atomic_exchange(&w->fail, false)) {
        chief_worker_set_error(ctx, CHIEF_REASON_ERROR, "the inside is broken", NULL);
        return 1;
    }
    if (atomic_load(&w->stuck)) {
        bool passed = support_gate_pass(&w->release);
        atomic_store(&w->left, true);
        return passed ? 0 : 1;
    }
    (void)chief_worker_sleep(ctx, CHIEF_FOREVER);
    return 0;
}

static const chief_worker_ops inner_ops = {.size = sizeof inner_ops, .run = inner_run};

static int make_inner(chief_worker *ctx, void *data, chief **out) {
    world *w = data;
    (void)ctx;
    (void)atomic_fetch_add(&w->made, 1);
    if (w->refuse != CHIEF_OK) return chief_set_last_error(w->refuse, "nothing to make one from");
    chief_options o = {.size = sizeof o, .name = "inside", .force_stop_timeout = w->inner_timeout};
    int rc = chief_new(out, &o);
    if (rc == CHIEF_OK) rc = chief_add_worker(*out, "deep", &inner_ops, w);
    return rc;
}

static void count_destroyed(void *data) { (void)atomic_fetch_add(&((world *)data)->destroyed, 1); }

static chief *open_world(world *w, const chief_restart *restart) {
    chief_log *log = quiet();
    chief_options o = {.size = sizeof o, .log = log};
    chief_worker_options options = {
        .size = sizeof options, .restart = restart, .destroy = count_destroyed, .grace = w->grace};
    chief *c;
    support_gate_init(&w->release);
    assert_int_equal(chief_new(&c, &o), CHIEF_OK);
    assert_int_equal(chief_add_chief(c, "sub", make_inner, w, &options), CHIEF_OK);
    chief_log_unref(log);
    return c;
}

static void start(chief *c) {
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
}

static bool has_left(void *data) { return atomic_load(&((world *)data)->left); }

static void close_world(chief *c, world *w) {
    support_gate_open(&w->release);
    assert_true(!atomic_load(&w->stuck) || support_until(has_left, w, 10000));
    chief_free(c);
    assert_int_equal(atomic_load(&w->destroyed), 1);
    support_gate_fini(&w->release);
}

static void test_nested__runs_inside_and_stops_with_the_outer_one(void **state) {
    (void)state;
    static world w = {0};
    chief *c = open_world(&w, NULL);
    start(c);
    assert_int_equal(chief_wait_ready(c, ANSWER_MS), CHIEF_OK);
    assert_int_equal(atomic_load(&w.inner_runs), 1);
    chief_snapshot *inside;
    assert_int_equal(chief_nested_states(c, "sub", &inside), CHIEF_OK);
    assert_int_equal(chief_snapshot_find(inside, "deep")->state, CHIEF_WORKER_RUN);
    chief_snapshot_free(inside);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, ANSWER_MS), CHIEF_OK);
    assert_int_equal(chief_exit_code(c), 0);
    assert_int_equal(chief_nested_states(c, "sub", &inside), CHIEF_EAGAIN);
    close_world(c, &w);
}

static void test_nested__its_failure_is_the_workers(void **state) {
    (void)state;
    static world w = {0};
    atomic_store(&w.fail, true);
    chief *c = open_world(&w, NULL);
    start(c);
    assert_int_equal(chief_wait_state(c, "sub", CHIEF_WORKER_FAILED, ANSWER_MS), CHIEF_OK);
    chief_snapshot *states;
    assert_int_equal(chief_states(c, &states), CHIEF_OK);
    assert_string_equal(chief_snapshot_find(states, "sub")->error, "worker failed: deep");
    chief_snapshot_free(states);
    close_world(c, &w);
}

static bool made_twice(void *data) { return atomic_load(&((world *)data)->made) == 2; }

static void test_nested__each_life_makes_a_new_one(void **state) {
    (void)state;
    static world w = {0};
    chief_restart restart = {
        .size = sizeof restart, .policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO, .jitter = -1};
    atomic_store(&w.fail, true);
    chief *c = open_world(&w, &restart);
    start(c);
    assert_true(support_until(made_twice, &w, 10000)); /* the first life was ready, too, for a moment */
    assert_int_equal(chief_wait_ready(c, ANSWER_MS), CHIEF_OK);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, ANSWER_MS), CHIEF_OK);
    close_world(c, &w);
}

static void test_nested__one_that_cannot_be_made_is_a_failed_init(void **state) {
    (void)state;
    static world w = {.refuse = CHIEF_EINVAL};
    chief *c = open_world(&w, NULL);
    start(c);
    assert_int_equal(chief_wait_state(c, "sub", CHIEF_WORKER_FAILED, ANSWER_MS), CHIEF_OK);
    chief_snapshot *states;
    assert_int_equal(chief_states(c, &states), CHIEF_OK);
    const chief_worker_status *status = chief_snapshot_find(states, "sub");
    assert_int_equal(status->reason, CHIEF_REASON_INIT_ERROR);
    assert_string_equal(status->error, "nothing to make one from");
    chief_snapshot_free(states);
    close_world(c, &w);
}

/* The inner chief's 45 s do not outlast the second that the outer worker has. */
static void test_nested__a_stop_inside_fits_into_the_grace_outside(void **state) {
    (void)state;
    static world w;
    w.grace = support_ms(1000);
    atomic_store(&w.stuck, true);
    chief *c = open_world(&w, NULL);
    start(c);
    assert_int_equal(chief_wait_ready(c, ANSWER_MS), CHIEF_OK);
    int64_t began = chief__now_ms();
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, ANSWER_MS), CHIEF_ETIMEDOUT);
    assert_true(chief__now_ms() - began < support_ms(1500));
    assert_int_equal(chief_exit_code(c), 75);
    support_says("Graceful exit timeout exceeded: sub");
    close_world(c, &w);
}

static void test_nested__a_forced_stop_reaches_inside(void **state) {
    (void)state;
    static world w = {0};
    atomic_store(&w.stuck, true);
    chief *c = open_world(&w, NULL);
    start(c);
    assert_int_equal(chief_wait_ready(c, ANSWER_MS), CHIEF_OK);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_force_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, ANSWER_MS), CHIEF_ETIMEDOUT);
    assert_int_equal(chief_exit_code(c), 75);
    close_world(c, &w);
}

static void test_nested__what_cannot_be_is_refused(void **state) {
    (void)state;
    static world w = {0};
    chief *c = open_world(&w, NULL);
    chief_worker_options fiber = {.size = sizeof fiber, .isolation = CHIEF_FIBER, .destroy = count_destroyed};
    assert_int_equal(chief_add_chief(c, "other", make_inner, &w, &fiber), CHIEF_EINVAL);
    support_says("worker other: a nested chief runs in a thread");
    assert_int_equal(chief_add_chief(c, "sub", make_inner, &w, NULL), CHIEF_EEXIST);
    assert_int_equal(chief_add_chief(c, "other", NULL, &w, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_add_worker(c, "plain", &inner_ops, &w), CHIEF_OK);
    chief_snapshot *inside;
    assert_int_equal(chief_nested_states(c, "plain", &inside), CHIEF_EINVAL);
    assert_int_equal(chief_nested_states(c, "nobody", &inside), CHIEF_ENOENT);
    assert_int_equal(atomic_load(&w.destroyed), 0);
    close_world(c, &w);
}

typedef struct watcher {
    chief *c;
    atomic_bool over;
    atomic_int looks;
} watcher;

static void look_inside(void *data) {
    watcher *looks = data;
    chief_snapshot *inside;
    while (!atomic_load(&looks->over)) {
        (void)chief_nested_states(looks->c, "other", &inside);
        chief_snapshot_free(inside);
        (void)atomic_fetch_add(&looks->looks, 1);
    }
}

static bool is_gone(void *c) { return chief_pool_get_worker(chief_get_pool(c), "other", NULL, NULL) == CHIEF_ENOENT; }

/* Whoever looks has it as long as it looks. */
static void test_nested__one_that_is_looked_at_can_be_removed(void **state) {
    (void)state;
    static world w = {0};
    static world other = {.refuse = CHIEF_EINVAL};
    static watcher looks;
    chief__thread threads[2];
    chief *c = open_world(&w, NULL);
    start(c);
    looks.c = c;
    for (int i = 0; i < 2; i++) support_thread(&threads[i], look_inside, &looks);
    for (int i = 0; i < 200; i++) {
        int before = atomic_load(&looks.looks);
        assert_int_equal(chief_add_chief(c, "other", make_inner, &other, NULL), CHIEF_OK);
        while (atomic_load(&looks.looks) == before) (void)sched_yield();
        assert_int_equal(chief_remove_worker(c, "other"), CHIEF_OK);
        assert_true(support_until(is_gone, c, 10000));
    }
    atomic_store(&looks.over, true);
    for (int i = 0; i < 2; i++) chief__thread_join(&threads[i]);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, ANSWER_MS), CHIEF_OK);
    close_world(c, &w);
}

static int attempt_nested(void) {
    static world w;
    w = (world){0};
    atomic_store(&w.fail, true);
    chief_log_options log_options = {.size = sizeof log_options, .level = CHIEF_OFF};
    chief_options o = {.size = sizeof o, .exit_when_done = 1};
    chief *c = NULL;
    int rc = chief_log_new(&o.log, &log_options);
    if (rc == CHIEF_OK) rc = chief_new(&c, &o);
    if (rc == CHIEF_OK) rc = chief_add_chief(c, "sub", make_inner, &w, NULL);
    if (rc == CHIEF_OK) rc = chief_init_workers(c, NULL);
    if (rc == CHIEF_OK) rc = chief_start(c, NULL);
    if (rc == CHIEF_EFAILED) rc = CHIEF_OK; /* one way or another */
    chief_log_unref(o.log);
    chief_free(c);
    return rc;
}

static void test_nested__survives_each_failing_allocation(void **state) {
    (void)state;
    assert_true(support_out_of_memory(attempt_nested) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        /* first: those that leave a thread behind free memory later */
        cmocka_unit_test(test_nested__survives_each_failing_allocation),
        cmocka_unit_test(test_nested__runs_inside_and_stops_with_the_outer_one),
        cmocka_unit_test(test_nested__its_failure_is_the_workers),
        cmocka_unit_test(test_nested__each_life_makes_a_new_one),
        cmocka_unit_test(test_nested__one_that_cannot_be_made_is_a_failed_init),
        cmocka_unit_test(test_nested__a_stop_inside_fits_into_the_grace_outside),
        cmocka_unit_test(test_nested__a_forced_stop_reaches_inside),
        cmocka_unit_test(test_nested__what_cannot_be_is_refused),
        cmocka_unit_test(test_nested__one_that_is_looked_at_can_be_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
