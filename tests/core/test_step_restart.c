/* How a worker ends and runs again by its policy, with nobody asking for anything. */
#include "step_kit.h"

/* FAULTS 1. */
static void test_step__a_failure_runs_again_after_its_delay(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_begin(k, "a");
    kit_tell(k, STEP_ENTERED, "a");
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_LUA_ERROR);
    kit_expect(k, "a:failed(lua_error); restart a +100");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_WAITING);
    assert_int_equal(k->until[0], k->now + 100);
    assert_int_equal(k->delay[0], 100);
    kit_wait(k, 99);
    kit_expect(k, "");
    kit_wait(k, 1);
    kit_expect(k, "init a2");
    kit_bring_up(k, "a");
    kit_expect(k, "a:initialized; a:run; run a2; ready a");
    assert_int_equal(chief__model_deadline(k->m), INT64_MAX);
}

/* FAULTS 2. */
static void test_step__never_means_one_run(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_wait(k, 3600000);
    kit_expect(k, "a:failed(error); give_up a; nothing_left");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_GIVEN_UP);
    assert_int_equal(kit_generation(k, "a"), 1);
}

static void test_step__never_means_no_run_after_a_failed_init(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_all(k, STEP_INIT);
    kit_init_fails(k, "a");
    kit_all(k, STEP_LAUNCH);
    kit_wait(k, 3600000);
    kit_expect(k, "init a1; a:failed(init_error); inited; give_up a; nothing_left");
}

/* FAULTS 7. */
static void test_step__a_clean_end_is_no_failure(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_wait(k, 3600000);
    kit_expect(k, "a:stopped(ok); nothing_left");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_IDLE);
    assert_int_equal(kit_tell(k, STEP_START, "a"), CHIEF_OK);
    kit_bring_up(k, "a");
    kit_expect(k, "init a2; a:initialized; a:run; run a2; ready a");
}

static void test_step__always_runs_again_after_a_clean_end(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ALWAYS));
    kit_launch(k);
    for (int i = 0; i < 3; i++) { /* the first delay each time: a clean end is no failure in a row */
        kit_exit(k, "a", CHIEF_REASON_OK);
        kit_expect(k, "a:stopped(ok); restart a +100");
        kit_wait(k, 100);
        kit_bring_up(k, "a");
        kit_forget(k);
    }
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); restart a +100");
}

/* FAULTS 8. */
static void test_step__cancelled_without_a_stop_is_a_failure(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_CANCELLED);
    kit_expect(k, "a:failed(cancelled); restart a +100");
}

static void fail_after(kit *k, const char *name, int64_t up) {
    kit_bring_up(k, name);
    kit_wait(k, up);
    kit_forget(k);
    kit_exit(k, name, CHIEF_REASON_ERROR);
}

static void test_step__delays_grow_and_start_over_after_health(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_wait(k, 100);
    fail_after(k, "a", 9999);
    kit_expect(k, "a:failed(error); restart a +200");
    kit_wait(k, 200);
    fail_after(k, "a", 0);
    kit_expect(k, "a:failed(error); restart a +400");
    kit_wait(k, 400);
    fail_after(k, "a", 10000);
    kit_expect(k, "a:failed(error); restart a +100");
}

static void test_step__health_is_twice_a_long_delay(void **state) {
    kit *k = *state;
    kit_add(k, "b", WORKER(ON_FAILURE, .restart.delay = 10000, .restart.factor = 1.5));
    kit_launch(k);
    kit_exit(k, "b", CHIEF_REASON_ERROR);
    kit_wait(k, 10000);
    fail_after(k, "b", 19999);
    kit_expect(k, "b:failed(error); restart b +15000");
    kit_wait(k, 15000);
    fail_after(k, "b", 30000);
    kit_expect(k, "b:failed(error); restart b +10000");
}

static void test_step__health_counts_from_ready_not_from_run(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, .says_ready = true));
    kit_begin(k, "a");
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_wait(k, 100);
    kit_bring_up(k, "a");
    kit_wait(k, 20000);
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); restart a +200");
}

/* FAULTS 5. */
static void test_step__each_worker_has_its_own_timer(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_add(k, "b", WORKER(ON_FAILURE));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_wait(k, 100);
    fail_after(k, "a", 0);
    kit_expect(k, "a:failed(error); restart a +200");
    int64_t due = chief__model_deadline(k->m);
    kit_wait(k, 30);
    kit_exit(k, "b", CHIEF_REASON_ERROR);
    kit_expect(k, "b:failed(error); restart b +100");
    kit_wait(k, 100);
    kit_expect(k, "init b2");
    kit_tell(k, STEP_INITIALIZED, "b");
    kit_tell(k, STEP_ENTERED, "b");
    kit_forget(k);
    assert_int_equal(chief__model_deadline(k->m), due);
    kit_wait(k, 70);
    kit_expect(k, "init a3");
}

static void test_step__jitter_comes_from_the_models_own_seed(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, .restart.jitter = 0.2, .restart.delay = 1000));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    assert_in_range(k->delay[0], 800, 1200);
    assert_int_not_equal(k->delay[0], 1000);
}

static int64_t first_delay(uint64_t seed) {
    const chief__model_options options = {.force_stop_timeout = 1000, .init_timeout = 1000, .seed = seed};
    kit k;
    kit_open(&k);
    chief__model_free(k.m);
    assert_int_equal(chief__model_new(&k.m, &options), CHIEF_OK);
    kit_add(&k, "a", WORKER(ON_FAILURE, .restart.jitter = 1, .restart.delay = 30000));
    kit_all(&k, STEP_INIT);
    kit_init_fails(&k, "a");
    kit_all(&k, STEP_LAUNCH);
    kit_close(&k);
    return k.delay[0];
}

static void test_step__another_seed_gives_other_delays(void **state) {
    (void)state;
    assert_int_equal(first_delay(0), 30000); /* 1.77 times as long, cut */
    assert_int_equal(first_delay(3), first_delay(3));
    int differ = 0;
    for (uint64_t seed = 0; seed < 8; seed++) differ += first_delay(seed) != first_delay(seed + 1);
    assert_true(differ > 0);
}

static void test_step__what_is_due_together_goes_by_time_then_id(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_add(k, "b", WORKER(ON_FAILURE));
    kit_add(k, "c", WORKER(ON_FAILURE));
    kit_launch(k);
    kit_exit(k, "c", CHIEF_REASON_ERROR);
    kit_exit(k, "b", CHIEF_REASON_ERROR);
    k->now += 1;
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_forget(k);
    k->now += 5000; /* one late tick for all */
    kit_all(k, STEP_TICK);
    kit_expect(k, "init b2; init c2; init a2");
}

static void test_step__deadlines_come_before_the_event(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_forget(k);
    k->now += 100;
    kit_tell(k, STEP_START, "a");
    kit_expect(k, "init a2; a!run");
}

static void test_step__time_does_not_go_back(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_launch(k);
    int64_t now = k->now;
    k->now -= 500;
    const chief__action *actions;
    size_t n;
    chief__step_event exited = {.kind = STEP_EXITED, .id = 0, .generation = 1, .reason = CHIEF_REASON_ERROR};
    chief__step(k->m, &exited, k->now, &actions, &n);
    assert_int_equal(chief__model_deadline(k->m), now + 100);
    k->state[0] = CHIEF_WORKER_FAILED;
}

static void test_step__another_generation_changes_nothing(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_wait(k, 100);
    kit_bring_up(k, "a");
    kit_forget(k);
    for (uint64_t generation = 0; generation < 5; generation++) {
        if (generation == 2) continue;
        for (int kind = STEP_INITIALIZED; kind <= STEP_LATE; kind++)
            kit_step(k, (chief__step_kind)kind, 0, generation, CHIEF_REASON_ERROR);
    }
    for (int kind = STEP_INITIALIZED; kind <= STEP_LATE; kind++)
        kit_step(k, (chief__step_kind)kind, 77, 2, CHIEF_REASON_ERROR);
    kit_expect(k, "");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_UP);
}

static void test_step__reports_out_of_turn_change_nothing(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_launch(k);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_init_fails(k, "a");
    kit_tell(k, STEP_FINISHED, "a");
    kit_tell(k, STEP_LATE, "a");
    kit_tell(k, STEP_ENTERED, "a");
    kit_expect(k, "");
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(test_step__a_failure_runs_again_after_its_delay),
        KIT_TEST(test_step__never_means_one_run),
        KIT_TEST(test_step__never_means_no_run_after_a_failed_init),
        KIT_TEST(test_step__a_clean_end_is_no_failure),
        KIT_TEST(test_step__always_runs_again_after_a_clean_end),
        KIT_TEST(test_step__cancelled_without_a_stop_is_a_failure),
        KIT_TEST(test_step__delays_grow_and_start_over_after_health),
        KIT_TEST(test_step__health_is_twice_a_long_delay),
        KIT_TEST(test_step__health_counts_from_ready_not_from_run),
        KIT_TEST(test_step__each_worker_has_its_own_timer),
        KIT_TEST(test_step__jitter_comes_from_the_models_own_seed),
        cmocka_unit_test(test_step__another_seed_gives_other_delays),
        KIT_TEST(test_step__what_is_due_together_goes_by_time_then_id),
        KIT_TEST(test_step__deadlines_come_before_the_event),
        KIT_TEST(test_step__time_does_not_go_back),
        KIT_TEST(test_step__another_generation_changes_nothing),
        KIT_TEST(test_step__reports_out_of_turn_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
