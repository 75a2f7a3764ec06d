/* The stop of everything: the order of levels, the limits, force. */
#include "step_kit.h"

/* a ← b ← c, all up. */
static void launch_chain(kit *k) {
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_add(k, "c", WORKER(AFTER("b")));
    kit_launch(k);
}

/* FAULTS 22. */
static void test_step__a_chain_stops_in_reverse(void **state) {
    kit *k = *state;
    launch_chain(k);
    kit_all(k, STEP_STOP_ALL);
    kit_expect(k, "stopping; cancel c1 +15000");
    kit_exit(k, "c", CHIEF_REASON_OK);
    kit_expect(k, "c:stopped(ok); cancel b1 +22500");
    kit_exit(k, "b", CHIEF_REASON_ERROR); /* asked, so it has stopped */
    kit_expect(k, "b:stopped(error); cancel a1 +45000");
    kit_exit(k, "a", CHIEF_REASON_CANCELLED);
    kit_expect(k, "a:stopped(cancelled); all_ended");
}

/* FAULTS 22. */
static void test_step__one_level_is_asked_together(void **state) {
    kit *k = *state;
    for (int i = 0; i < 64; i++) {
        char name[16];
        snprintf(name, sizeof name, "w%d", i);
        kit_add(k, name, WORKER());
    }
    kit_launch(k);
    kit_all(k, STEP_STOP_ALL);
    char expected[4096] = "stopping";
    for (int i = 0; i < 64; i++)
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "; cancel w%d1 +45000", i);
    kit_expect(k, expected);
    kit_wait(k, 500);
    for (int i = 63; i >= 0; i--) {
        char name[16];
        snprintf(name, sizeof name, "w%d", i);
        kit_exit(k, name, CHIEF_REASON_OK);
    }
    assert_non_null(strstr(k->diary, "w0:stopped(ok); all_ended"));
}

static void test_step__a_level_is_asked_in_registration_order(void **state) {
    kit *k = *state;
    kit_add(k, "x", WORKER());
    kit_add(k, "a", WORKER());
    kit_launch(k);
    kit_tell(k, STEP_REMOVE, "x");
    kit_exit(k, "x", CHIEF_REASON_OK);
    kit_add(k, "c", WORKER()); /* has the id of x */
    assert_int_equal(kit_id(k, "c"), 0);
    kit_tell(k, STEP_ADDED, "c");
    kit_bring_up(k, "c");
    kit_forget(k);
    kit_all(k, STEP_STOP_ALL);
    kit_expect(k, "stopping; cancel a1 +45000; cancel c1 +45000");
}

static void test_step__the_order_survives_removals(void **state) {
    kit *k = *state;
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    for (int i = 0; i < 5; i++) kit_add(k, names[i], WORKER());
    kit_launch(k);
    static const char *const gone[] = {"b", "c", "e"};
    for (int i = 0; i < 3; i++) {
        kit_tell(k, STEP_REMOVE, gone[i]);
        kit_exit(k, gone[i], CHIEF_REASON_OK);
    }
    kit_add(k, "f", WORKER());
    kit_tell(k, STEP_ADDED, "f");
    kit_forget(k);
    kit_all(k, STEP_STOP_ALL);
    kit_expect(k, "stopping; cancel a1 +45000; cancel d1 +45000; cancel f1 +45000");
}

static void test_step__levels_go_around_a_diamond(void **state) {
    kit *k = *state;
    kit_add(k, "db", WORKER());
    kit_add(k, "cache", WORKER(AFTER("db")));
    kit_add(k, "api", WORKER(AFTER("cache", "db")));
    kit_add(k, "log", WORKER());
    kit_add(k, "mail", WORKER(AFTER("db")));
    kit_launch(k);
    kit_all(k, STEP_STOP_ALL);
    kit_expect(k, "stopping; cancel api1 +15000");
    kit_exit(k, "api", CHIEF_REASON_OK);
    kit_expect(k, "api:stopped(ok); cancel cache1 +22500; cancel mail1 +22500");
    kit_exit(k, "mail", CHIEF_REASON_OK);
    kit_expect(k, "mail:stopped(ok)");
    kit_exit(k, "cache", CHIEF_REASON_OK);
    kit_expect(k, "cache:stopped(ok); cancel db1 +45000; cancel log1 +45000");
}

/* FAULTS 21: grace is a maximum. */
static void test_step__the_next_level_does_not_wait_for_the_grace(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.grace = 60000));
    kit_add(k, "b", WORKER(.grace = 60000, AFTER("a")));
    kit_launch(k);
    kit_all(k, STEP_STOP_ALL);
    kit_wait(k, 50);
    kit_exit(k, "b", CHIEF_REASON_OK);
    kit_expect(k, "stopping; cancel b1 +45000; b:stopped(ok); cancel a1 +44950");
    kit_wait(k, 50);
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:stopped(ok); all_ended");
    assert_int_equal(k->now, KIT_START + 100);
}

static void test_step__a_worker_has_its_own_grace(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER(.grace = 300));
    kit_add(k, "c", WORKER(.grace = CHIEF_ZERO));
    kit_launch(k);
    kit_all(k, STEP_STOP_ALL);
    kit_expect(k, "stopping; cancel a1 +45000; cancel b1 +300; cancel c1 +0");
    kit_wait(k, 0);
    kit_expect(k, "c:failed(killed); kill c1");
    kit_wait(k, 300);
    kit_expect(k, "b:failed(killed); kill b1");
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_ABANDONED);
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:stopped(ok); all_ended");
}

/* FAULTS 49: what the levels below have is not taken by the one above. */
static void test_step__a_stuck_one_on_top_leaves_the_others_their_time(void **state) {
    kit *k = *state;
    launch_chain(k);
    kit_all(k, STEP_STOP_ALL);
    kit_wait(k, 14999);
    kit_expect(k, "stopping; cancel c1 +15000");
    kit_wait(k, 1);
    kit_expect(k, "c:failed(killed); kill c1; cancel b1 +15000");
    kit_wait(k, 5000);
    kit_exit(k, "b", CHIEF_REASON_OK);
    kit_expect(k, "b:stopped(ok); cancel a1 +25000");
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:stopped(ok); all_ended");
}

static void test_step__all_stuck_end_within_the_limit(void **state) {
    kit *k = *state;
    launch_chain(k);
    kit_all(k, STEP_STOP_ALL);
    kit_forget(k);
    int64_t begun = k->now;
    while (strstr(k->diary, "all_ended") == NULL) {
        assert_true(chief__model_deadline(k->m) <= begun + 45000);
        kit_wait(k, chief__model_deadline(k->m) - k->now);
    }
    assert_int_equal(k->now, begun + 45000);
    kit_expect(k, "c:failed(killed); kill c1; cancel b1 +15000; b:failed(killed); kill b1; cancel a1 +15000; "
                  "a:failed(killed); kill a1; all_ended");
    kit_tell(k, STEP_LATE, "a");
    kit_exit(k, "b", CHIEF_REASON_OK);
    kit_expect(k, "");
}

static void test_step__no_time_at_all_forces_at_once(void **state) {
    kit *k = *state;
    chief__model_set_force_stop_timeout(k->m, 0);
    launch_chain(k);
    kit_all(k, STEP_STOP_ALL);
    kit_expect(k, "stopping; cancel c1 +0");
    kit_wait(k, 0);
    kit_expect(k, "c:failed(killed); kill c1; cancel b1 +0; b:failed(killed); kill b1; cancel a1 +0; "
                  "a:failed(killed); kill a1; all_ended");
}

static void test_step__a_late_tick_ends_everything_overdue(void **state) {
    kit *k = *state;
    launch_chain(k);
    kit_all(k, STEP_STOP_ALL);
    kit_forget(k);
    k->now += 100000;
    kit_wait(k, 0);
    kit_expect(k, "c:failed(killed); kill c1; cancel b1 +0; b:failed(killed); kill b1; cancel a1 +0; "
                  "a:failed(killed); kill a1; all_ended");
}

/* FAULTS 10. */
static void test_step__waiting_delays_no_stop(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, .restart.delay = 30000));
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_all(k, STEP_INIT);
    kit_init_fails(k, "a");
    kit_all(k, STEP_LAUNCH);
    kit_forget(k);
    kit_all(k, STEP_STOP_ALL);
    kit_expect(k, "stopping; all_ended");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_IDLE);
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_IDLE);
    assert_int_equal(kit_state(k, "a"), CHIEF_WORKER_FAILED);
    assert_int_equal(chief__model_deadline(k->m), INT64_MAX);
    kit_wait(k, 3600000);
    kit_expect(k, "");
}

static void test_step__the_stop_is_asked_for_once(void **state) {
    kit *k = *state;
    launch_chain(k);
    for (int i = 0; i < 100; i++) { /* FAULTS 19, as far as it is the brain's */
        kit_all(k, STEP_STOP_ALL);
        kit_all(k, STEP_SIGNAL);
    }
    kit_expect(k, "stopping; cancel c1 +15000");
}

static void test_step__nothing_is_started_while_stopping(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ALWAYS));
    kit_add(k, "b", WORKER(ALWAYS, AFTER("a")));
    kit_add(k, "d", DISABLED());
    kit_launch(k);
    kit_all(k, STEP_STOP_ALL);
    kit_forget(k);
    for (int kind = STEP_ENABLE; kind <= STEP_REMOVE; kind++) {
        assert_int_equal(kit_tell(k, (chief__step_kind)kind, "a"), CHIEF_EBUSY);
        assert_int_equal(kit_tell(k, (chief__step_kind)kind, "d"), CHIEF_EBUSY);
    }
    assert_int_equal(kit_try_add(k, "e", WORKER()), CHIEF_ECLOSED);
    kit_exit(k, "a", CHIEF_REASON_ERROR); /* not asked yet: why it ended counts */
    kit_expect(k, "a:failed(error)");
    kit_exit(k, "b", CHIEF_REASON_ERROR);
    kit_wait(k, 3600000);
    kit_expect(k, "b:stopped(error); all_ended");
}

static void test_step__one_not_asked_yet_may_end_well(void **state) {
    kit *k = *state;
    launch_chain(k);
    kit_all(k, STEP_STOP_ALL);
    kit_forget(k);
    kit_exit(k, "b", CHIEF_REASON_OK);
    kit_expect(k, "b:stopped(ok)");
    kit_exit(k, "c", CHIEF_REASON_OK);
    kit_expect(k, "c:stopped(ok); cancel a1 +45000");
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_IDLE); /* nobody asks who has ended */
}

/* ---- homes that do not run ---- */

static void test_step__a_stop_before_the_launch(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER());
    kit_add(k, "c", WORKER(AFTER("a")));
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_forget(k);
    kit_all(k, STEP_STOP_ALL);
    kit_expect(k, "stopping; fini a1; cancel b1 +45000");
    kit_tell(k, STEP_FINISHED, "a");
    kit_tell(k, STEP_INITIALIZED, "b");
    kit_expect(k, "a:disabled; b:initialized; inited; fini b1");
    assert_int_equal(kit_all(k, STEP_LAUNCH), CHIEF_OK);
    kit_tell(k, STEP_FINISHED, "b");
    kit_expect(k, "b:disabled; all_ended");
}

static void test_step__a_stop_before_everything(void **state) {
    kit *k = *state;
    kit_all(k, STEP_STOP_ALL);
    kit_expect(k, "stopping; all_ended");
    kit_all(k, STEP_INIT);
    kit_all(k, STEP_FORCE);
    kit_expect(k, "inited");
}

static void test_step__init_after_a_stop_inits_nobody(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_all(k, STEP_STOP_ALL);
    kit_all(k, STEP_INIT);
    kit_expect(k, "stopping; all_ended; inited");
}

static void test_step__every_init_is_answered_before_the_end(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER());
    kit_all(k, STEP_INIT);
    kit_all(k, STEP_STOP_ALL);
    kit_forget(k);
    kit_init_fails(k, "a");
    kit_expect(k, "a:disabled");
    kit_wait(k, 30000);
    kit_expect(k, "");
    kit_wait(k, 15000);
    kit_expect(k, "b:failed(killed); kill b1; inited; all_ended");
}

static void test_step__a_restarting_one_below_waits_for_its_turn(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_wait(k, 100);
    kit_forget(k);
    kit_all(k, STEP_STOP_ALL);
    kit_expect(k, "stopping; cancel b1 +22500");
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_expect(k, "a:initialized"); /* and does not run */
    kit_exit(k, "b", CHIEF_REASON_OK);
    kit_expect(k, "b:stopped(ok); fini a2");
    kit_tell(k, STEP_FINISHED, "a");
    kit_expect(k, "a:disabled; all_ended");
}

static void test_step__the_start_timeout_rests_during_the_stop(void **state) {
    kit *k = *state;
    kit_add(k, "z", WORKER());
    kit_add(k, "a", WORKER(ON_FAILURE, .says_ready = true, .start_timeout = 100));
    kit_add(k, "b", WORKER(AFTER("z")));
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "z");
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_all(k, STEP_LAUNCH);
    kit_tell(k, STEP_ENTERED, "z");
    kit_bring_up(k, "b");
    kit_forget(k);
    kit_all(k, STEP_STOP_ALL);
    kit_wait(k, 200);
    kit_expect(k, "stopping; cancel b1 +22500");
    kit_exit(k, "b", CHIEF_REASON_OK);
    kit_expect(k, "b:stopped(ok); cancel z1 +44800; cancel a1 +44800");
}

/* ---- a stop over a stop ---- */

static void test_step__the_earlier_of_two_limits_holds(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.grace = 1000));
    kit_add(k, "b", WORKER(.grace = 90000));
    kit_launch(k);
    kit_tell(k, STEP_STOP, "a");
    kit_tell(k, STEP_STOP, "b");
    kit_expect(k, "cancel a1 +1000; cancel b1 +90000");
    kit_wait(k, 300);
    kit_all(k, STEP_STOP_ALL);
    kit_expect(k, "stopping; cancel b1 +45000");
    kit_wait(k, 700);
    kit_expect(k, "a:failed(killed); kill a1");
    kit_wait(k, 44300);
    kit_expect(k, "b:failed(killed); kill b1; all_ended");
}

static void test_step__a_pending_restart_ends_with_the_stop(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_launch(k);
    kit_tell(k, STEP_RESTART, "a");
    kit_all(k, STEP_STOP_ALL);
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:stopped(ok); all_ended");
}

static void test_step__a_pending_removal_is_still_told(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER());
    kit_launch(k);
    kit_tell(k, STEP_REMOVE, "a");
    kit_all(k, STEP_STOP_ALL);
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:stopped(ok); removed a");
    kit_exit(k, "b", CHIEF_REASON_OK);
    kit_expect(k, "b:stopped(ok); all_ended");
}

static void test_step__the_abandoned_of_before_delay_nothing(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER(.grace = 10, AFTER("a")));
    kit_launch(k);
    kit_tell(k, STEP_STOP, "b");
    kit_wait(k, 10);
    kit_expect(k, "cancel b1 +10; b:failed(killed); abandon b1; give_up b");
    kit_all(k, STEP_STOP_ALL);
    kit_expect(k, "stopping; cancel a1 +45000");
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:stopped(ok); all_ended");
}

/* ---- force ---- */

/* FAULTS 18. */
static void test_step__a_second_signal_forces_after_half_a_second(void **state) {
    kit *k = *state;
    launch_chain(k);
    kit_all(k, STEP_SIGNAL);
    kit_expect(k, "stopping; cancel c1 +15000");
    kit_wait(k, 300);
    kit_all(k, STEP_SIGNAL);
    kit_wait(k, 199);
    kit_all(k, STEP_SIGNAL);
    kit_expect(k, "");
    kit_wait(k, 1);
    kit_all(k, STEP_SIGNAL);
    kit_expect(k, "c:failed(killed); kill c1; cancel b1 +50; cancel a1 +50");
    kit_exit(k, "b", CHIEF_REASON_OK);
    kit_expect(k, "b:stopped(ok)");
    kit_wait(k, 50);
    kit_expect(k, "a:failed(killed); kill a1; all_ended");
}

static void test_step__the_first_signal_after_a_stop_forces_nothing(void **state) {
    kit *k = *state;
    launch_chain(k);
    kit_all(k, STEP_STOP_ALL);
    kit_wait(k, 1000);
    kit_all(k, STEP_SIGNAL);
    kit_expect(k, "stopping; cancel c1 +15000");
    kit_wait(k, 500);
    kit_all(k, STEP_SIGNAL);
    kit_expect(k, "c:failed(killed); kill c1; cancel b1 +50; cancel a1 +50");
}

static void test_step__force_without_a_stop(void **state) {
    kit *k = *state;
    launch_chain(k);
    kit_all(k, STEP_FORCE);
    kit_expect(k, "stopping; cancel c1 +50; cancel b1 +50; cancel a1 +50");
    kit_all(k, STEP_FORCE); /* now all have been asked */
    kit_expect(k, "c:failed(killed); kill c1; b:failed(killed); kill b1; a:failed(killed); kill a1; all_ended");
    kit_all(k, STEP_FORCE);
    kit_expect(k, "");
}

static void test_step__force_passes_over_who_has_ended(void **state) {
    kit *k = *state;
    launch_chain(k);
    kit_all(k, STEP_STOP_ALL);
    kit_exit(k, "c", CHIEF_REASON_OK);
    kit_forget(k);
    kit_all(k, STEP_FORCE);
    kit_expect(k, "b:failed(killed); kill b1; cancel a1 +50");
}

static void test_step__force_reaches_inits_and_finis(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER());
    kit_add(k, "c", WORKER());
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_tell(k, STEP_INITIALIZED, "b");
    kit_all(k, STEP_STOP_ALL);
    kit_tell(k, STEP_FINISHED, "a");
    kit_forget(k);
    kit_all(k, STEP_FORCE);
    kit_expect(k, "b:failed(killed); kill b1; c:failed(killed); kill c1; inited; all_ended");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(test_step__a_chain_stops_in_reverse),
        KIT_TEST(test_step__one_level_is_asked_together),
        KIT_TEST(test_step__a_level_is_asked_in_registration_order),
        KIT_TEST(test_step__the_order_survives_removals),
        KIT_TEST(test_step__levels_go_around_a_diamond),
        KIT_TEST(test_step__the_next_level_does_not_wait_for_the_grace),
        KIT_TEST(test_step__a_worker_has_its_own_grace),
        KIT_TEST(test_step__a_stuck_one_on_top_leaves_the_others_their_time),
        KIT_TEST(test_step__all_stuck_end_within_the_limit),
        KIT_TEST(test_step__no_time_at_all_forces_at_once),
        KIT_TEST(test_step__a_late_tick_ends_everything_overdue),
        KIT_TEST(test_step__waiting_delays_no_stop),
        KIT_TEST(test_step__the_stop_is_asked_for_once),
        KIT_TEST(test_step__nothing_is_started_while_stopping),
        KIT_TEST(test_step__one_not_asked_yet_may_end_well),
        KIT_TEST(test_step__a_stop_before_the_launch),
        KIT_TEST(test_step__a_stop_before_everything),
        KIT_TEST(test_step__init_after_a_stop_inits_nobody),
        KIT_TEST(test_step__every_init_is_answered_before_the_end),
        KIT_TEST(test_step__a_restarting_one_below_waits_for_its_turn),
        KIT_TEST(test_step__the_start_timeout_rests_during_the_stop),
        KIT_TEST(test_step__the_earlier_of_two_limits_holds),
        KIT_TEST(test_step__a_pending_restart_ends_with_the_stop),
        KIT_TEST(test_step__a_pending_removal_is_still_told),
        KIT_TEST(test_step__the_abandoned_of_before_delay_nothing),
        KIT_TEST(test_step__a_second_signal_forces_after_half_a_second),
        KIT_TEST(test_step__the_first_signal_after_a_stop_forces_nothing),
        KIT_TEST(test_step__force_without_a_stop),
        KIT_TEST(test_step__force_passes_over_who_has_ended),
        KIT_TEST(test_step__force_reaches_inits_and_finis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
