/* Who is given up, when, and what that means for the rest. Restarts and their delays are in test_step.c. */
#include "step_kit.h"

/* Fails `a` when it has been up for no time, at `at` ms after the start. */
static void fail_at(kit *k, int64_t at) {
    kit_wait(k, KIT_START + at - k->now);
    kit_bring_up(k, "a");
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
}

/* FAULTS 4, in milliseconds. */
static void fourth_failure(kit *k, int64_t at, const char *expected) {
    kit_add(k, "a", WORKER(ON_FAILURE, INTENSITY(3, 5000), .restart.delay = CHIEF_ZERO));
    kit_launch(k);
    fail_at(k, 0);
    fail_at(k, 100);
    fail_at(k, 200);
    fail_at(k, at);
    kit_expect(k, expected);
}

static void test_step_policy__fault_04_given_up_before_the_window_is_over(void **state) {
    kit *k = *state;
    fourth_failure(k, 4999, "a:failed(error); give_up a (4 in 5000); nothing_left");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_GIVEN_UP);
    kit_wait(k, 100000);
    kit_expect(k, "");
}

static void test_step_policy__fault_04_given_up_exactly_at_the_window(void **state) {
    fourth_failure(*state, 5000, "a:failed(error); give_up a (4 in 5000); nothing_left");
}

static void test_step_policy__fault_04_lives_after_the_window(void **state) {
    kit *k = *state;
    fourth_failure(k, 5001, "a:failed(error); restart a +0");
    kit_wait(k, 0);
    kit_expect(k, "init a5");
}

/* Health lets the delays begin again, the window forgets only what is older than it. */
static void test_step_policy__health_does_not_clear_the_window(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, INTENSITY(1, 60000)));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_wait(k, 100);
    kit_bring_up(k, "a");
    kit_wait(k, 20000);
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); give_up a (2 in 60000); nothing_left");
}

static void test_step_policy__no_restarts_at_all(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, INTENSITY(CHIEF_ZERO, 60000)));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); give_up a (1 in 60000); nothing_left");
}

static void test_step_policy__clean_ends_do_not_count(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ALWAYS, INTENSITY(1, 60000), .restart.delay = CHIEF_ZERO));
    kit_launch(k);
    for (int i = 0; i < 20; i++) {
        kit_exit(k, "a", CHIEF_REASON_OK);
        kit_wait(k, 0);
        kit_bring_up(k, "a");
    }
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); restart a +0");
}

static void test_step_policy__failed_inits_and_start_timeouts_count(void **state) {
    kit *k = *state;
    kit_add(
        k, "a",
        WORKER(ON_FAILURE, INTENSITY(2, 60000), .restart.delay = CHIEF_ZERO, .says_ready = true, .start_timeout = 50));
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    kit_all(k, STEP_INIT);
    kit_init_fails(k, "a");
    kit_all(k, STEP_LAUNCH);
    kit_wait(k, 0);
    kit_init_fails(k, "a");
    kit_wait(k, 0);
    kit_bring_up(k, "a");
    kit_wait(k, 50);
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:failed(start_timeout); give_up a (3 in 60000); nothing_left");
}

static void test_step_policy__a_start_by_hand_forgets_the_failures(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, INTENSITY(1, 60000)));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_wait(k, 100);
    kit_bring_up(k, "a");
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_GIVEN_UP);
    kit_tell(k, STEP_START, "a");
    kit_bring_up(k, "a");
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); restart a +100");
}

/* Bringing a restart forward is no new beginning. */
static void test_step_policy__a_restart_brought_forward_forgets_nothing(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, INTENSITY(1, 60000)));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_tell(k, STEP_START, "a");
    kit_bring_up(k, "a");
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); give_up a (2 in 60000); nothing_left");
}

static void test_step_policy__each_has_a_window_of_its_own(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, INTENSITY(1, 5000)));
    kit_add(k, "b", WORKER(ON_FAILURE, INTENSITY(1, 5000)));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_forget(k);
    kit_exit(k, "b", CHIEF_REASON_ERROR);
    kit_expect(k, "b:failed(error); restart b +100");
}

/* FAULTS 14, the brain's part. */
static void test_step_policy__fault_14_a_final_exit_code(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, CODES(3, 64)));
    kit_launch(k);
    kit_exit_code(k, "a", 4);
    kit_expect(k, "a:failed(error); restart a +100");
    kit_wait(k, 100);
    kit_bring_up(k, "a");
    kit_forget(k);
    kit_exit_code(k, "a", 64);
    kit_expect(k, "a:failed(error); give_up a (code 64); nothing_left");
    kit_wait(k, 100000);
    kit_expect(k, "");
}

static void test_step_policy__the_code_of_an_older_life_says_nothing(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, CODES(3)));
    kit_launch(k);
    kit_exit_code(k, "a", 3);
    kit_tell(k, STEP_START, "a");
    kit_bring_up(k, "a");
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); restart a +100");
}

/* The code of one that was told to end is what the telling made of it: 143, say, of a process. */
static void test_step_policy__the_code_of_one_that_was_late_says_nothing(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, CODES(143), .says_ready = true, .start_timeout = 50));
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    kit_begin(k, "a");
    kit_wait(k, 50);
    kit_forget(k);
    kit_exit_code(k, "a", 143);
    kit_expect(k, "a:failed(start_timeout); restart a +100");
}

static void test_step_policy__an_init_that_fails_before_the_launch_has_a_code(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, CODES(3)));
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    kit_all(k, STEP_INIT);
    chief__step_event event = {
        .kind = STEP_INIT_FAILED, .id = kit_id(k, "a"), .generation = 1, .reason = CHIEF_REASON_INIT_ERROR, .code = 3};
    kit_step_event(k, &event);
    kit_forget(k);
    kit_all(k, STEP_LAUNCH);
    kit_expect(k, "give_up a (code 3); nothing_left");
}

/* FAULTS 9, the brain's part: the others are drained in order. */
static void test_step_policy__fault_09_a_critical_worker_takes_the_rest_along(void **state) {
    kit *k = *state;
    kit_add(k, "db", WORKER(.critical = true));
    kit_add(k, "low", WORKER());
    kit_add(k, "high", WORKER(AFTER("low")));
    kit_launch(k);
    kit_exit(k, "db", CHIEF_REASON_ERROR);
    kit_expect(k, "db:failed(error); give_up db; critical db; stopping; cancel high1 +22500");
    kit_exit(k, "high", CHIEF_REASON_OK);
    kit_expect(k, "high:stopped(ok); cancel low1 +45000");
    kit_exit(k, "low", CHIEF_REASON_OK);
    kit_expect(k, "low:stopped(ok); all_ended");
    assert_int_equal(kit_phase(k, "db"), CHIEF_PHASE_GIVEN_UP);
}

static void test_step_policy__a_critical_worker_that_is_restarted_is_not_missed(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, INTENSITY(1, 5000), .critical = true));
    kit_add(k, "b", WORKER());
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); restart a +100");
    kit_wait(k, 100);
    kit_bring_up(k, "a");
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); give_up a (2 in 5000); critical a; stopping; cancel b1 +45000");
}

static void test_step_policy__a_clean_or_asked_end_of_a_critical_one_is_none(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.critical = true));
    kit_add(k, "b", WORKER(.critical = true));
    kit_add(k, "c", WORKER());
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_tell(k, STEP_STOP, "b");
    kit_exit(k, "b", CHIEF_REASON_ERROR);
    kit_expect(k, "a:stopped(ok); cancel b1 +45000; b:stopped(error)");
}

static void test_step_policy__a_critical_init_that_fails_ends_the_launch(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.critical = true));
    kit_add(k, "b", WORKER());
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "b");
    kit_init_fails(k, "a");
    kit_forget(k);
    kit_all(k, STEP_LAUNCH);
    kit_expect(k, "give_up a; critical a; stopping; fini b1");
    kit_tell(k, STEP_FINISHED, "b");
    kit_expect(k, "b:disabled; all_ended");
}

/* An abandoned one can't be restarted, so it is missed; not if somebody wanted it stopped. */
static void test_step_policy__an_abandoned_critical_worker(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.critical = true, .grace = 100));
    kit_add(k, "b", WORKER(.critical = true, .grace = 100));
    kit_launch(k);
    kit_tell(k, STEP_STOP, "a");
    kit_forget(k);
    kit_wait(k, 100);
    kit_expect(k, "a:failed(killed); abandon a1; give_up a");
    kit_tell(k, STEP_RESTART, "b");
    kit_forget(k);
    kit_wait(k, 100);
    kit_expect(k, "b:failed(killed); abandon b1; give_up b; critical b; stopping; all_ended");
}

/* Who is waiting is not started any more, and nobody who fails later is looked at. */
static void test_step_policy__the_stop_for_a_critical_one_is_the_stop(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.critical = true));
    kit_add(k, "b", WORKER(.critical = true));
    kit_add(k, "c", WORKER(ON_FAILURE));
    kit_launch(k);
    kit_exit(k, "c", CHIEF_REASON_ERROR);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_forget(k);
    kit_exit(k, "b", CHIEF_REASON_ERROR);
    kit_expect(k, "b:stopped(error); all_ended");
    kit_wait(k, 100000);
    kit_expect(k, "");
    assert_int_equal(kit_phase(k, "c"), CHIEF_PHASE_IDLE);
}

/* ---- the budget of all together ---- */

static void limit(kit *k, int64_t most, int64_t window) {
    chief__model_options options = {.force_stop_timeout = 45000,
                                    .init_timeout = 30000,
                                    .seed = 1,
                                    .limited = true,
                                    .max_restarts = most,
                                    .restart_window = window};
    chief__model_free(k->m);
    assert_int_equal(chief__model_new(&k->m, &options), CHIEF_OK);
}

static void test_step_policy__a_spent_budget_ends_all(void **state) {
    kit *k = *state;
    limit(k, 2, 5000);
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_add(k, "b", WORKER(ON_FAILURE));
    kit_add(k, "c", WORKER(ON_FAILURE));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_exit(k, "b", CHIEF_REASON_ERROR);
    kit_forget(k);
    kit_wait(k, 5000);
    kit_bring_up(k, "a");
    kit_forget(k);
    kit_exit(k, "c", CHIEF_REASON_ERROR);
    kit_expect(k,
               "c:failed(error); give_up c (all 2 in 5000); critical c; stopping; cancel a2 +45000; cancel b2 +45000");
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_init_fails(k, "b");
    kit_expect(k, "a:stopped(ok); all_ended");
}

static void test_step_policy__the_budget_slides(void **state) {
    kit *k = *state;
    limit(k, 1, 5000);
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_add(k, "b", WORKER(ALWAYS));
    kit_launch(k);
    kit_exit(k, "b", CHIEF_REASON_OK); /* no failure, no part of the budget */
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_wait(k, 100);
    kit_bring_up(k, "a");
    kit_wait(k, 4901);
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); restart a +200");
}

/* Who is given up for a reason of its own takes nothing from the others. */
static void test_step_policy__only_restarts_are_paid_for(void **state) {
    kit *k = *state;
    limit(k, 1, 5000);
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER(ON_FAILURE, CODES(3)));
    kit_add(k, "c", WORKER(ON_FAILURE, INTENSITY(CHIEF_ZERO, 5000)));
    kit_add(k, "d", WORKER(ON_FAILURE));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_exit_code(k, "b", 3);
    kit_exit(k, "c", CHIEF_REASON_ERROR);
    kit_forget(k);
    kit_exit(k, "d", CHIEF_REASON_ERROR);
    kit_expect(k, "d:failed(error); restart d +100");
}

static void test_step_policy__a_budget_of_none(void **state) {
    kit *k = *state;
    limit(k, 0, 5000);
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); give_up a (all 0 in 5000); critical a; stopping; all_ended");
}

/* The next life fails so, and its restart is due at once. */
static void fail_once_more(kit *k, int32_t reason) {
    kit_wait(k, 0);
    kit_bring_up(k, "a");
    kit_forget(k);
    kit_exit(k, "a", reason);
}

static void test_step_policy__failures_by_force_isolate(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, .restart.delay = CHIEF_ZERO, .restart.isolate_after = 2));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_MEMORY_LIMIT);
    fail_once_more(k, CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); restart a +0");
    fail_once_more(k, CHIEF_REASON_WATCHDOG);
    kit_expect(k, "a:failed(watchdog); isolate a; restart a +0");
    fail_once_more(k, CHIEF_REASON_WATCHDOG);
    kit_expect(k, "a:failed(watchdog); restart a +0");
}

static void test_step_policy__an_interrupt_is_a_failure_by_force(void **state) {
    kit *k = *state;
    kit_add(k, "a",
            WORKER(ON_FAILURE, .restart.delay = CHIEF_ZERO, .restart.isolate_after = 1, .force = 100,
                   .says_ready = true, .start_timeout = 10, .grace = 10));
    kit_launch(k);
    kit_wait(k, 20);
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(start_timeout); isolate a; restart a +0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(test_step_policy__fault_04_given_up_before_the_window_is_over),
        KIT_TEST(test_step_policy__fault_04_given_up_exactly_at_the_window),
        KIT_TEST(test_step_policy__fault_04_lives_after_the_window),
        KIT_TEST(test_step_policy__health_does_not_clear_the_window),
        KIT_TEST(test_step_policy__no_restarts_at_all),
        KIT_TEST(test_step_policy__clean_ends_do_not_count),
        KIT_TEST(test_step_policy__failed_inits_and_start_timeouts_count),
        KIT_TEST(test_step_policy__a_start_by_hand_forgets_the_failures),
        KIT_TEST(test_step_policy__a_restart_brought_forward_forgets_nothing),
        KIT_TEST(test_step_policy__each_has_a_window_of_its_own),
        KIT_TEST(test_step_policy__fault_14_a_final_exit_code),
        KIT_TEST(test_step_policy__the_code_of_an_older_life_says_nothing),
        KIT_TEST(test_step_policy__the_code_of_one_that_was_late_says_nothing),
        KIT_TEST(test_step_policy__an_init_that_fails_before_the_launch_has_a_code),
        KIT_TEST(test_step_policy__fault_09_a_critical_worker_takes_the_rest_along),
        KIT_TEST(test_step_policy__a_critical_worker_that_is_restarted_is_not_missed),
        KIT_TEST(test_step_policy__a_clean_or_asked_end_of_a_critical_one_is_none),
        KIT_TEST(test_step_policy__a_critical_init_that_fails_ends_the_launch),
        KIT_TEST(test_step_policy__an_abandoned_critical_worker),
        KIT_TEST(test_step_policy__the_stop_for_a_critical_one_is_the_stop),
        KIT_TEST(test_step_policy__a_spent_budget_ends_all),
        KIT_TEST(test_step_policy__the_budget_slides),
        KIT_TEST(test_step_policy__only_restarts_are_paid_for),
        KIT_TEST(test_step_policy__a_budget_of_none),
        KIT_TEST(test_step_policy__failures_by_force_isolate),
        KIT_TEST(test_step_policy__an_interrupt_is_a_failure_by_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
