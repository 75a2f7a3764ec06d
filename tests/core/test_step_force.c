/* What can be interrupted is, once, and has a moment to end in; then it is abandoned as everything else. */
#include "step_kit.h"

static void launch_one(kit *k, kit_worker w) {
    kit_add(k, "a", w);
    kit_launch(k);
}

static void test_step__the_end_of_the_grace_interrupts(void **state) {
    kit *k = *state;
    launch_one(k, WORKER(.grace = 300, .force = 100));
    kit_all(k, STEP_STOP_ALL);
    kit_wait(k, 299);
    kit_expect(k, "stopping; cancel a1 +300");
    kit_wait(k, 1);
    kit_expect(k, "force a1 +100 killed 300");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_STOPPING);
    kit_exit(k, "a", CHIEF_REASON_LUA_ERROR); /* whatever it makes of it */
    kit_expect(k, "a:stopped(killed); all_ended");
}

static void test_step__who_ends_cleanly_was_killed_all_the_same(void **state) {
    kit *k = *state;
    launch_one(k, WORKER(.grace = 300, .force = 100));
    kit_all(k, STEP_STOP_ALL);
    kit_wait(k, 300);
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:stopped(killed); all_ended");
}

static void test_step__who_goes_on_is_abandoned(void **state) {
    kit *k = *state;
    launch_one(k, WORKER(.grace = 300, .force = 100));
    kit_all(k, STEP_STOP_ALL);
    kit_wait(k, 399);
    kit_expect(k, "stopping; cancel a1 +300; force a1 +100 killed 300");
    kit_wait(k, 1);
    kit_expect(k, "a:failed(killed); kill a1; all_ended");
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "");
}

static void test_step__the_level_below_waits_for_the_interrupted(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.force = 100));
    kit_add(k, "b", WORKER(.force = 100, AFTER("a")));
    kit_launch(k);
    kit_all(k, STEP_STOP_ALL);
    kit_wait(k, 22500 + 60);
    kit_expect(k, "stopping; cancel b1 +22500; force b1 +100 killed 22500");
    kit_exit(k, "b", CHIEF_REASON_OK);
    kit_expect(k, "b:stopped(killed); cancel a1 +22440");
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:stopped(ok); all_ended");
}

static void test_step__a_manual_stop_interrupts_and_leaves_no_trace(void **state) {
    kit *k = *state;
    launch_one(k, WORKER(ALWAYS, .grace = 20, .force = 100));
    kit_tell(k, STEP_STOP, "a");
    kit_wait(k, 50);
    kit_expect(k, "cancel a1 +20; interrupt a1 +100 killed 20");
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_wait(k, 1000);
    kit_expect(k, "a:stopped(killed); nothing_left");
    kit_tell(k, STEP_START, "a");
    kit_bring_up(k, "a");
    kit_expect(k, "init a2; a:initialized; a:run; run a2; ready a");
    kit_tell(k, STEP_STOP, "a");
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "cancel a2 +20; a:stopped(ok); nothing_left");
}

static void test_step__a_start_that_takes_too_long_is_interrupted_and_fails(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, .says_ready = true, .start_timeout = 40, .grace = 10, .force = 100));
    kit_launch(k);
    kit_wait(k, 60);
    kit_expect(k, "cancel a1 +10; interrupt a1 +100 start_timeout 10");
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:failed(start_timeout); restart a +100");
}

static void test_step__an_init_that_takes_too_long_is_interrupted(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, .force = 100));
    kit_all(k, STEP_INIT);
    kit_all(k, STEP_LAUNCH);
    kit_wait(k, 30000);
    kit_expect(k, "init a1; interrupt a1 +100 init_error 30000");
    kit_init_fails(k, "a");
    kit_expect(k, "a:failed(init_error); inited; restart a +100");
    kit_wait(k, 100 + 30000 + 99);
    kit_expect(k, "init a2; interrupt a2 +100 init_error 30000");
    kit_wait(k, 1);
    kit_expect(k, "a:failed(init_error); abandon a2; give_up a; nothing_left");
}

static void test_step__an_init_that_comes_too_late_never_runs(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, .force = 100));
    kit_all(k, STEP_INIT);
    kit_all(k, STEP_LAUNCH);
    kit_wait(k, 30000);
    kit_forget(k);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_expect(k, "fini a1");
    kit_wait(k, 50);
    kit_tell(k, STEP_FINISHED, "a");
    kit_expect(k, "a:failed(init_error); inited; restart a +100");
}

static void test_step__a_late_init_that_hangs_in_its_fini_is_abandoned(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.force = 100));
    kit_all(k, STEP_INIT);
    kit_wait(k, 30000);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_forget(k);
    kit_wait(k, 100);
    kit_expect(k, "a:failed(init_error); abandon a1; inited; give_up a");
}

static void test_step__a_stop_finds_a_late_init(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.force = 100));
    kit_all(k, STEP_INIT);
    kit_wait(k, 30000);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_forget(k);
    kit_all(k, STEP_STOP_ALL);
    kit_expect(k, "stopping");
    kit_tell(k, STEP_FINISHED, "a");
    kit_expect(k, "inited; a:disabled; all_ended");
}

static void test_step__a_second_signal_interrupts_who_was_asked(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.force = 100));
    kit_add(k, "b", WORKER(.force = 100, AFTER("a")));
    kit_launch(k);
    kit_all(k, STEP_SIGNAL);
    kit_wait(k, 500);
    kit_all(k, STEP_SIGNAL);
    kit_expect(k, "stopping; cancel b1 +22500; force b1 +100 killed -1; cancel a1 +50");
    kit_wait(k, 1);
    kit_all(k, STEP_SIGNAL); /* again: nobody loses the moment it has */
    kit_expect(k, "force a1 +100 killed -1");
    kit_wait(k, 100);
    kit_expect(k, "b:failed(killed); kill b1; a:failed(killed); kill a1; all_ended");
}

static void test_step__a_stop_does_not_shorten_an_interrupt(void **state) {
    kit *k = *state;
    launch_one(k, WORKER(.grace = 10, .force = 100));
    kit_tell(k, STEP_STOP, "a");
    kit_wait(k, 50);
    kit_forget(k);
    kit_all(k, STEP_STOP_ALL);
    kit_wait(k, 59);
    kit_expect(k, "stopping");
    kit_wait(k, 1);
    kit_expect(k, "a:failed(killed); kill a1; all_ended");
}

static void test_step__a_restart_that_had_to_interrupt_begins_anew(void **state) {
    kit *k = *state;
    launch_one(k, WORKER(.grace = 10, .force = 100));
    kit_tell(k, STEP_RESTART, "a");
    kit_wait(k, 20);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "cancel a1 +10; interrupt a1 +100 killed 10; a:stopped(killed); init a2");
}

/* Up, and then its home says that it has to be ended. */
static void expire(kit *k, kit_worker w) {
    launch_one(k, w);
    kit_forget(k);
    kit_step(k, STEP_EXPIRED, 0, 1, CHIEF_REASON_WATCHDOG);
}

static void test_step__one_whose_time_is_over_is_interrupted_and_fails(void **state) {
    kit *k = *state;
    expire(k, WORKER(ON_FAILURE, .force = 100));
    kit_expect(k, "interrupt a1 +100 watchdog -1");
    kit_step(k, STEP_EXPIRED, 0, 1, CHIEF_REASON_KILLED);
    kit_expect(k, "");
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:failed(watchdog); restart a +100");
}

static void test_step__one_whose_time_is_over_and_that_goes_on_is_abandoned(void **state) {
    kit *k = *state;
    expire(k, WORKER(ON_FAILURE, .force = 100));
    kit_wait(k, 99);
    kit_expect(k, "interrupt a1 +100 watchdog -1");
    kit_wait(k, 1);
    kit_expect(k, "a:failed(watchdog); abandon a1; give_up a; nothing_left");
}

static void test_step__one_whose_time_is_over_is_abandoned_where_nothing_interrupts(void **state) {
    kit *k = *state;
    expire(k, WORKER());
    kit_expect(k, "a:failed(watchdog); abandon a1; give_up a; nothing_left");
}

static void test_step__one_asked_to_stop_whose_time_is_over_has_stopped(void **state) {
    kit *k = *state;
    launch_one(k, WORKER(.grace = 300, .force = 100));
    kit_tell(k, STEP_STOP, "a");
    kit_forget(k);
    kit_step(k, STEP_EXPIRED, 0, 1, CHIEF_REASON_WATCHDOG);
    kit_expect(k, "interrupt a1 +100 killed -1");
    kit_exit(k, "a", CHIEF_REASON_WATCHDOG);
    kit_expect(k, "a:stopped(killed); nothing_left");
}

static void test_step__a_start_whose_time_is_over_is_one_that_expired(void **state) {
    kit *k = *state;
    launch_one(k, WORKER(ON_FAILURE, .says_ready = true, .start_timeout = 50, .force = 100));
    kit_forget(k);
    kit_step(k, STEP_EXPIRED, 0, 1, CHIEF_REASON_WATCHDOG);
    kit_wait(k, 100);
    kit_expect(k, "interrupt a1 +100 watchdog -1; a:failed(watchdog); abandon a1; give_up a; nothing_left");
}

static void test_step__one_whose_time_is_over_becomes_ready_no_more(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.force = 100));
    kit_all(k, STEP_INIT);
    kit_all(k, STEP_LAUNCH);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_forget(k);
    kit_step(k, STEP_EXPIRED, 0, 1, CHIEF_REASON_WATCHDOG);
    kit_tell(k, STEP_ENTERED, "a");
    kit_wait(k, 100);
    kit_expect(k, "interrupt a1 +100 watchdog -1; a:failed(watchdog); abandon a1; give_up a; nothing_left");
}

static void test_step__the_next_life_has_its_time_anew(void **state) {
    kit *k = *state;
    expire(k, WORKER(ON_FAILURE, .force = 100));
    kit_exit(k, "a", CHIEF_REASON_WATCHDOG);
    kit_wait(k, 100);
    kit_bring_up(k, "a");
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:stopped(ok); nothing_left");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(test_step__the_end_of_the_grace_interrupts),
        KIT_TEST(test_step__who_ends_cleanly_was_killed_all_the_same),
        KIT_TEST(test_step__who_goes_on_is_abandoned),
        KIT_TEST(test_step__the_level_below_waits_for_the_interrupted),
        KIT_TEST(test_step__a_manual_stop_interrupts_and_leaves_no_trace),
        KIT_TEST(test_step__a_start_that_takes_too_long_is_interrupted_and_fails),
        KIT_TEST(test_step__an_init_that_takes_too_long_is_interrupted),
        KIT_TEST(test_step__an_init_that_comes_too_late_never_runs),
        KIT_TEST(test_step__a_late_init_that_hangs_in_its_fini_is_abandoned),
        KIT_TEST(test_step__a_stop_finds_a_late_init),
        KIT_TEST(test_step__a_second_signal_interrupts_who_was_asked),
        KIT_TEST(test_step__a_stop_does_not_shorten_an_interrupt),
        KIT_TEST(test_step__a_restart_that_had_to_interrupt_begins_anew),
        KIT_TEST(test_step__one_whose_time_is_over_is_interrupted_and_fails),
        KIT_TEST(test_step__one_whose_time_is_over_and_that_goes_on_is_abandoned),
        KIT_TEST(test_step__one_whose_time_is_over_is_abandoned_where_nothing_interrupts),
        KIT_TEST(test_step__one_asked_to_stop_whose_time_is_over_has_stopped),
        KIT_TEST(test_step__a_start_whose_time_is_over_is_one_that_expired),
        KIT_TEST(test_step__one_whose_time_is_over_becomes_ready_no_more),
        KIT_TEST(test_step__the_next_life_has_its_time_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
