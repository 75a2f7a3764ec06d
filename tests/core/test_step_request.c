/* What people ask of one worker: what is legal when, and that no policy undoes it. */
#include "step_kit.h"

/* ---- start ---- */

/* FAULTS 26. */
static void test_step__start_of_one_that_lives_is_wrong(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_begin(k, "a");
    kit_forget(k);
    assert_int_equal(kit_tell(k, STEP_START, "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    kit_expect(k, "a!run");
    kit_tell(k, STEP_ENTERED, "a");
    kit_forget(k);
    assert_int_equal(kit_tell(k, STEP_START, "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    assert_int_equal(kit_tell(k, STEP_START, "b"), CHIEF_WORKER_WRONG_STATE_CHANGE); /* in its init */
    kit_expect(k, "a!run; b!run");
    assert_int_equal(kit_state(k, "a"), CHIEF_WORKER_RUN);
}

static void test_step__requests_before_the_launch_are_refused(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    for (int kind = STEP_START; kind <= STEP_REMOVE; kind++)
        assert_int_equal(kit_tell(k, (chief__step_kind)kind, "a"), CHIEF_ENOTINIT);
    kit_all(k, STEP_INIT);
    kit_expect(k, "init a1");
    for (int kind = STEP_START; kind <= STEP_REMOVE; kind++)
        assert_int_equal(kit_tell(k, (chief__step_kind)kind, "a"), CHIEF_ENOTINIT);
    kit_expect(k, "");
}

static void test_step__requests_about_nobody_are_refused(void **state) {
    kit *k = *state;
    kit_launch(k);
    for (int kind = STEP_ENABLE; kind <= STEP_REMOVE; kind++)
        assert_int_equal(kit_step(k, (chief__step_kind)kind, 3, 0, 0), CHIEF_ENOENT);
    kit_expect(k, "");
}

static void test_step__start_of_a_disabled_one_needs_enable(void **state) {
    kit *k = *state;
    kit_add(k, "a", DISABLED());
    kit_launch(k);
    assert_int_equal(kit_tell(k, STEP_START, "a"), CHIEF_EENABLE);
    assert_int_equal(kit_tell(k, STEP_RESTART, "a"), CHIEF_EENABLE);
    assert_int_equal(kit_tell(k, STEP_STOP, "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    kit_expect(k, "a!stopped");
    assert_int_equal(kit_tell(k, STEP_ENABLE, "a"), CHIEF_OK);
    kit_expect(k, "a:enabled");
    assert_int_equal(kit_tell(k, STEP_ENABLE, "a"), CHIEF_OK);
    kit_expect(k, "");
    assert_int_equal(kit_tell(k, STEP_START, "a"), CHIEF_OK);
    kit_bring_up(k, "a");
    kit_expect(k, "init a1; a:initialized; a:run; run a1; ready a");
    assert_int_equal(kit_tell(k, STEP_ENABLE, "a"), CHIEF_OK);
    kit_expect(k, "");
}

static void test_step__start_does_not_wait_for_the_restart(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_forget(k);
    kit_wait(k, 40);
    assert_int_equal(kit_tell(k, STEP_START, "a"), CHIEF_OK);
    kit_expect(k, "init a2");
    kit_bring_up(k, "a");
    kit_forget(k);
    kit_wait(k, 5000); /* the timer is gone */
    kit_expect(k, "");
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); restart a +200");
}

static void test_step__start_of_one_given_up_counts_anew(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, .says_ready = true, .start_timeout = 10, .grace = 10));
    kit_all(k, STEP_INIT);
    kit_init_fails(k, "a");
    kit_all(k, STEP_LAUNCH);
    kit_wait(k, 100);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_wait(k, 20); /* not ready, and does not end */
    kit_tell(k, STEP_LATE, "a");
    kit_forget(k);
    assert_int_equal(kit_tell(k, STEP_START, "a"), CHIEF_OK);
    kit_init_fails(k, "a");
    kit_expect(k, "init a3; a:failed(init_error); restart a +100");
}

static void test_step__start_waits_for_dependencies(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_launch(k);
    kit_exit(k, "b", CHIEF_REASON_OK);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_forget(k);
    assert_int_equal(kit_tell(k, STEP_START, "b"), CHIEF_OK);
    assert_int_equal(kit_tell(k, STEP_START, "b"), CHIEF_OK); /* it is being started */
    kit_expect(k, "");
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_WAITING);
    kit_tell(k, STEP_START, "a");
    kit_bring_up(k, "a");
    kit_expect(k, "init a2; a:initialized; a:run; run a2; ready a; init b2");
}

/* ---- stop ---- */

/* FAULTS 13. */
static void test_step__a_manual_stop_is_not_undone(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ALWAYS));
    kit_launch(k);
    assert_int_equal(kit_tell(k, STEP_STOP, "a"), CHIEF_OK);
    kit_expect(k, "cancel a1 +45000");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_STOPPING);
    assert_int_equal(kit_tell(k, STEP_STOP, "a"), CHIEF_OK);
    assert_int_equal(kit_tell(k, STEP_START, "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    kit_expect(k, "a!run");
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    assert_int_equal(chief__model_deadline(k->m), INT64_MAX);
    kit_wait(k, 3600000);
    kit_expect(k, "a:stopped(error); nothing_left");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_IDLE);
    assert_int_equal(kit_tell(k, STEP_STOP, "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    kit_expect(k, "a!stopped");
}

/* FAULTS 8. */
static void test_step__cancelled_after_a_stop_is_stopped(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_launch(k);
    kit_tell(k, STEP_STOP, "a");
    kit_exit(k, "a", CHIEF_REASON_CANCELLED);
    kit_expect(k, "cancel a1 +45000; a:stopped(cancelled); nothing_left");
}

static void test_step__a_manual_stop_counts_no_failure(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_launch(k);
    kit_tell(k, STEP_STOP, "a");
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_tell(k, STEP_START, "a");
    kit_bring_up(k, "a");
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); restart a +100");
}

static void test_step__a_stop_that_is_not_heard_abandons(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ALWAYS, .grace = 200));
    kit_launch(k);
    kit_tell(k, STEP_STOP, "a");
    kit_wait(k, 199);
    kit_expect(k, "cancel a1 +200");
    kit_wait(k, 1);
    kit_expect(k, "a:failed(killed); abandon a1; give_up a; nothing_left");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_ABANDONED);
    assert_int_equal(kit_tell(k, STEP_START, "a"), CHIEF_EBUSY);
    assert_int_equal(kit_tell(k, STEP_RESTART, "a"), CHIEF_EBUSY);
    assert_int_equal(kit_tell(k, STEP_STOP, "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    kit_expect(k, "a!stopped");
    kit_tell(k, STEP_LATE, "a");
    assert_int_equal(kit_tell(k, STEP_RESTART, "a"), CHIEF_OK);
    kit_expect(k, "init a2");
    kit_bring_up(k, "a"); /* the next life has not been asked to end */
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:initialized; a:run; run a2; ready a; a:failed(error); restart a +100");
}

/* FAULTS 10 and 11. */
static void test_step__a_stop_ends_the_wait_for_a_restart(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, .restart.delay = 30000));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); restart a +30000");
    assert_int_equal(kit_tell(k, STEP_STOP, "a"), CHIEF_OK);
    kit_expect(k, "nothing_left");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_IDLE);
    assert_int_equal(kit_state(k, "a"), CHIEF_WORKER_FAILED);
    assert_int_equal(chief__model_deadline(k->m), INT64_MAX);
    kit_wait(k, 3600000);
    kit_expect(k, "");
}

static void test_step__a_stop_ends_the_wait_for_dependencies(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.says_ready = true));
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_begin(k, "a");
    kit_forget(k);
    assert_int_equal(kit_tell(k, STEP_STOP, "b"), CHIEF_OK);
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_IDLE);
    assert_int_equal(kit_state(k, "b"), CHIEF_WORKER_ENABLED);
    kit_tell(k, STEP_READY, "a");
    kit_expect(k, "ready a");
    assert_int_equal(kit_tell(k, STEP_STOP, "b"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    assert_int_equal(kit_tell(k, STEP_START, "b"), CHIEF_OK);
    kit_expect(k, "b!stopped; init b1");
}

static void test_step__a_stop_in_init_lets_it_finish(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_wait(k, 100);
    kit_forget(k);
    kit_tell(k, STEP_STOP, "a");
    kit_expect(k, "cancel a2 +45000");
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_expect(k, "a:initialized; fini a2");
    kit_tell(k, STEP_FINISHED, "a");
    kit_expect(k, "a:disabled; nothing_left");
    assert_int_equal(kit_tell(k, STEP_START, "a"), CHIEF_EENABLE);
    kit_tell(k, STEP_ENABLE, "a");
    kit_tell(k, STEP_START, "a");
    kit_expect(k, "a:enabled; init a3");
}

static void test_step__an_init_that_fails_when_asked_has_not_failed(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_add(k, "b", WORKER(ON_FAILURE));
    kit_all(k, STEP_INIT);
    kit_init_fails(k, "b");
    kit_all(k, STEP_LAUNCH);
    kit_wait(k, 100); /* b is in its second init, a in its first */
    kit_forget(k);
    kit_tell(k, STEP_STOP, "a");
    kit_tell(k, STEP_STOP, "b");
    kit_init_fails(k, "a");
    kit_init_fails(k, "b");
    kit_expect(k, "cancel a1 +45000; cancel b2 +45000; a:disabled; inited; nothing_left");
    assert_int_equal(kit_state(k, "b"), CHIEF_WORKER_FAILED);
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_IDLE);
}

static void test_step__a_fini_that_does_not_end_is_abandoned(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.grace = 100));
    kit_add(k, "b", WORKER());
    kit_begin(k, "b");
    kit_forget(k);
    kit_tell(k, STEP_STOP, "a");
    kit_wait(k, 60);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_wait(k, 39);
    kit_expect(k, "cancel a1 +100; a:initialized; inited; fini a1");
    kit_wait(k, 1);
    kit_expect(k, "a:failed(killed); abandon a1; give_up a");
}

static void test_step__a_dependency_enabled_late_is_waited_for(void **state) {
    kit *k = *state;
    kit_add(k, "a", DISABLED());
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "b");
    kit_tell(k, STEP_ENABLE, "a");
    kit_expect(k, "note b a; init b1; b:initialized; inited; a:enabled");
    kit_all(k, STEP_LAUNCH);
    kit_expect(k, "init a1");
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_WAITING);
    assert_int_equal(kit_tell(k, STEP_RESTART, "b"), CHIEF_OK);
    assert_int_equal(kit_tell(k, STEP_START, "b"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    kit_bring_up(k, "a");
    kit_expect(k, "b!run; a:initialized; a:run; run a1; ready a; b:run; run b1");
    kit_tell(k, STEP_ENTERED, "b");
    kit_tell(k, STEP_RESTART, "a");
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_forget(k);
    kit_bring_up(k, "a"); /* b waits no longer */
    kit_expect(k, "a:initialized; a:run; run a2; ready a");
    kit_all(k, STEP_STOP_ALL); /* and stops before a, as if that had been enabled from the first */
    kit_expect(k, "stopping; cancel b1 +22500");
}

static void test_step__a_stop_of_an_initialised_one_is_its_fini(void **state) {
    kit *k = *state;
    kit_add(k, "a", DISABLED());
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "b");
    kit_tell(k, STEP_ENABLE, "a");
    kit_all(k, STEP_LAUNCH);
    kit_forget(k);
    kit_tell(k, STEP_STOP, "b");
    kit_expect(k, "fini b1");
    kit_bring_up(k, "a");
    kit_forget(k);
    kit_exit(k, "b", CHIEF_REASON_KILLED); /* its home may die in its fini as well */
    kit_expect(k, "b:disabled");
}

/* ---- restart ---- */

/* FAULTS 30. */
static void test_step__restarts_while_waiting_start_once(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.says_ready = true));
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_begin(k, "a");
    kit_forget(k);
    for (int i = 0; i < 3; i++) assert_int_equal(kit_tell(k, STEP_RESTART, "b"), CHIEF_OK);
    kit_expect(k, "");
    kit_tell(k, STEP_READY, "a");
    kit_bring_up(k, "b");
    kit_expect(k, "ready a; init b1; b:initialized; b:run; run b1; ready b");
}

static void test_step__restart_stops_then_starts(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_launch(k);
    assert_int_equal(kit_tell(k, STEP_RESTART, "a"), CHIEF_OK);
    assert_int_equal(kit_tell(k, STEP_RESTART, "a"), CHIEF_OK);
    kit_expect(k, "cancel a1 +45000");
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:stopped(error); init a2");
    kit_bring_up(k, "a");
    kit_expect(k, "a:initialized; a:run; run a2; ready a");
}

static void test_step__restart_of_one_that_ended_starts(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER(ON_FAILURE));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_exit(k, "b", CHIEF_REASON_ERROR);
    kit_forget(k);
    kit_tell(k, STEP_RESTART, "a");
    kit_tell(k, STEP_RESTART, "b");
    kit_expect(k, "init a2; init b2");
    kit_wait(k, 200);
    kit_expect(k, "");
}

static void test_step__restart_counts_no_failure(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_launch(k);
    for (int i = 0; i < 3; i++) {
        kit_tell(k, STEP_RESTART, "a");
        kit_exit(k, "a", CHIEF_REASON_CANCELLED);
        kit_bring_up(k, "a");
    }
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); restart a +100");
}

static void test_step__restart_keeps_the_health_there_was(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_wait(k, 100);
    kit_bring_up(k, "a");
    kit_wait(k, 10000);
    kit_tell(k, STEP_RESTART, "a");
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_bring_up(k, "a");
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); restart a +100");
}

static void test_step__the_last_of_stop_and_restart_holds(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER());
    kit_launch(k);
    kit_tell(k, STEP_STOP, "a");
    kit_tell(k, STEP_RESTART, "a");
    kit_tell(k, STEP_RESTART, "b");
    kit_tell(k, STEP_STOP, "b");
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_exit(k, "b", CHIEF_REASON_OK);
    kit_expect(k, "a:stopped(ok); init a2; b:stopped(ok)");
}

static void test_step__restart_in_init_starts_anew(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER());
    kit_all(k, STEP_INIT);
    kit_all(k, STEP_LAUNCH);
    kit_forget(k);
    kit_tell(k, STEP_RESTART, "a");
    kit_tell(k, STEP_RESTART, "b");
    kit_expect(k, "cancel a1 +45000; cancel b1 +45000");
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_expect(k, "a:initialized; fini a1");
    kit_tell(k, STEP_FINISHED, "a");
    kit_expect(k, "a:disabled; a:enabled; init a2");
    kit_init_fails(k, "b");
    kit_expect(k, "inited; init b2");
}

static void test_step__a_restarted_one_waits_for_who_is_not_ready(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_tell(k, STEP_RESTART, "b");
    kit_forget(k);
    kit_exit(k, "b", CHIEF_REASON_OK);
    kit_expect(k, "b:stopped(ok)");
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_WAITING);
    kit_wait(k, 100);
    kit_bring_up(k, "a");
    kit_expect(k, "init a2; a:initialized; a:run; run a2; ready a; init b2");
}

static void test_step__a_manual_stop_overtakes_the_start_timeout(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, .says_ready = true, .start_timeout = 100, .grace = 50));
    kit_begin(k, "a");
    kit_wait(k, 130);
    kit_forget(k);
    kit_tell(k, STEP_STOP, "a"); /* told already: the earlier limit stays */
    kit_expect(k, "");
    assert_int_equal(chief__model_deadline(k->m), k->now + 20);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:stopped(error); nothing_left");
}

/* ---- add, enable, remove ---- */

static void test_step__added_starts_as_its_dependencies_allow(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.says_ready = true));
    kit_add(k, "x", DISABLED());
    kit_begin(k, "a");
    kit_forget(k);
    kit_add(k, "b", WORKER(AFTER("a", "x")));
    kit_add(k, "c", WORKER());
    kit_add(k, "d", DISABLED());
    kit_tell(k, STEP_ADDED, "b");
    kit_tell(k, STEP_ADDED, "c");
    kit_tell(k, STEP_ADDED, "d");
    kit_expect(k, "note b x; init c1");
    kit_tell(k, STEP_READY, "a");
    kit_expect(k, "ready a; init b1");
}

static void test_step__added_between_init_and_launch_starts_then(void **state) {
    kit *k = *state;
    kit_all(k, STEP_INIT);
    kit_add(k, "a", WORKER());
    kit_tell(k, STEP_ADDED, "a");
    kit_expect(k, "inited");
    kit_all(k, STEP_LAUNCH);
    kit_expect(k, "init a1");
}

static void test_step__remove_stops_first(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ALWAYS));
    kit_launch(k);
    uint32_t id = kit_id(k, "a");
    assert_int_equal(kit_tell(k, STEP_REMOVE, "a"), CHIEF_OK);
    kit_expect(k, "cancel a1 +45000");
    for (int kind = STEP_ENABLE; kind <= STEP_REMOVE; kind++)
        assert_int_equal(kit_tell(k, (chief__step_kind)kind, "a"), CHIEF_ENOENT);
    assert_int_equal(kit_try_add(k, "a", WORKER()), CHIEF_EEXIST);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:stopped(error); removed a; nothing_left");
    assert_int_equal(chief__model_state(k->m, id), CHIEF_WORKER_NULL);
    assert_null(chief__model_name(k->m, id));
    kit_add(k, "a", WORKER());
    assert_int_equal(kit_id(k, "a"), id);
    kit_tell(k, STEP_ADDED, "a");
    kit_expect(k, "init a1");
}

static void test_step__remove_of_what_does_not_live_is_at_once(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_add(k, "b", DISABLED());
    kit_add(k, "c", WORKER(AFTER("a")));
    kit_all(k, STEP_INIT);
    kit_init_fails(k, "a");
    kit_all(k, STEP_LAUNCH);
    kit_forget(k);
    kit_tell(k, STEP_REMOVE, "c");
    kit_tell(k, STEP_REMOVE, "b");
    kit_tell(k, STEP_REMOVE, "a"); /* waiting for its restart */
    kit_expect(k, "removed c; removed b; removed a; nothing_left");
    kit_wait(k, 3600000);
    kit_expect(k, "");
}

static void test_step__remove_in_init(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER());
    kit_all(k, STEP_INIT);
    kit_all(k, STEP_LAUNCH);
    kit_tell(k, STEP_REMOVE, "a");
    kit_tell(k, STEP_REMOVE, "b");
    kit_forget(k);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_tell(k, STEP_FINISHED, "a");
    kit_expect(k, "a:initialized; fini a1; a:disabled; removed a");
    kit_init_fails(k, "b");
    kit_expect(k, "b:disabled; inited; removed b; nothing_left");
}

/* FAULTS 47: no second instance beside an abandoned one, not even of its slot. */
static void test_step__the_id_of_an_abandoned_home_is_not_used_again(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.grace = 10));
    kit_launch(k);
    uint32_t id = kit_id(k, "a");
    kit_tell(k, STEP_REMOVE, "a");
    kit_wait(k, 10);
    kit_expect(k, "cancel a1 +10; a:failed(killed); abandon a1; removed a; nothing_left");
    kit_add(k, "a", WORKER());
    assert_int_not_equal(kit_id(k, "a"), id);
    kit_tell(k, STEP_ADDED, "a");
    kit_bring_up(k, "a");
    kit_forget(k);
    kit_step(k, STEP_INITIALIZED, id, 1, 0);
    kit_step(k, STEP_LATE, id, 1, 0);
    kit_step(k, STEP_LATE, id, 1, 0);
    kit_expect(k, "");
    kit_add(k, "b", WORKER());
    assert_int_equal(kit_id(k, "b"), id);
    kit_add(k, "c", WORKER());
    assert_int_not_equal(kit_id(k, "c"), id);
}

static void test_step__ids_are_used_again(void **state) {
    kit *k = *state;
    kit_launch(k);
    for (int round = 0; round < 3; round++) {
        kit_add(k, "a", DISABLED());
        kit_add(k, "b", DISABLED());
        kit_add(k, "c", DISABLED());
        assert_int_equal(chief__model_room(k->m), 3);
        assert_int_equal(kit_id(k, "a") + kit_id(k, "b") + kit_id(k, "c"), 0 + 1 + 2);
        assert_int_not_equal(kit_id(k, "a"), kit_id(k, "b"));
        kit_tell(k, STEP_REMOVE, "b");
        kit_tell(k, STEP_REMOVE, "a");
        kit_tell(k, STEP_REMOVE, "c");
    }
}

static void test_step__remove_of_an_abandoned_one_is_at_once(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.grace = 10));
    kit_launch(k);
    kit_tell(k, STEP_STOP, "a");
    kit_wait(k, 10);
    kit_forget(k);
    assert_int_equal(kit_tell(k, STEP_REMOVE, "a"), CHIEF_OK);
    kit_expect(k, "removed a");
}

static void test_step__who_waits_for_a_removed_one_waits_no_longer(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.says_ready = true));
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_begin(k, "a");
    kit_tell(k, STEP_REMOVE, "a");
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:stopped(ok); removed a; init b1");
    kit_add(k, "a", WORKER()); /* back again: b, which has begun, goes on; its level is above a's again */
    kit_tell(k, STEP_ADDED, "a");
    kit_tell(k, STEP_INITIALIZED, "b");
    kit_expect(k, "init a1; b:initialized; b:run; run b1");
    assert_int_equal(chief__model_level(k->m, kit_id(k, "b")), 1);
}

static void test_step__stopped_before_ready_keeps_dependents_waiting(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.says_ready = true));
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_begin(k, "a");
    kit_tell(k, STEP_STOP, "a");
    kit_tell(k, STEP_READY, "a");
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:stopped(ok); nothing_left");
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_WAITING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(test_step__start_of_one_that_lives_is_wrong),
        KIT_TEST(test_step__requests_before_the_launch_are_refused),
        KIT_TEST(test_step__requests_about_nobody_are_refused),
        KIT_TEST(test_step__start_of_a_disabled_one_needs_enable),
        KIT_TEST(test_step__start_does_not_wait_for_the_restart),
        KIT_TEST(test_step__start_of_one_given_up_counts_anew),
        KIT_TEST(test_step__start_waits_for_dependencies),
        KIT_TEST(test_step__a_manual_stop_is_not_undone),
        KIT_TEST(test_step__cancelled_after_a_stop_is_stopped),
        KIT_TEST(test_step__a_manual_stop_counts_no_failure),
        KIT_TEST(test_step__a_stop_that_is_not_heard_abandons),
        KIT_TEST(test_step__a_stop_ends_the_wait_for_a_restart),
        KIT_TEST(test_step__a_stop_ends_the_wait_for_dependencies),
        KIT_TEST(test_step__a_stop_in_init_lets_it_finish),
        KIT_TEST(test_step__an_init_that_fails_when_asked_has_not_failed),
        KIT_TEST(test_step__a_fini_that_does_not_end_is_abandoned),
        KIT_TEST(test_step__a_dependency_enabled_late_is_waited_for),
        KIT_TEST(test_step__a_stop_of_an_initialised_one_is_its_fini),
        KIT_TEST(test_step__restarts_while_waiting_start_once),
        KIT_TEST(test_step__restart_stops_then_starts),
        KIT_TEST(test_step__restart_of_one_that_ended_starts),
        KIT_TEST(test_step__restart_counts_no_failure),
        KIT_TEST(test_step__restart_keeps_the_health_there_was),
        KIT_TEST(test_step__the_last_of_stop_and_restart_holds),
        KIT_TEST(test_step__restart_in_init_starts_anew),
        KIT_TEST(test_step__a_restarted_one_waits_for_who_is_not_ready),
        KIT_TEST(test_step__a_manual_stop_overtakes_the_start_timeout),
        KIT_TEST(test_step__added_starts_as_its_dependencies_allow),
        KIT_TEST(test_step__added_between_init_and_launch_starts_then),
        KIT_TEST(test_step__remove_stops_first),
        KIT_TEST(test_step__remove_of_what_does_not_live_is_at_once),
        KIT_TEST(test_step__remove_in_init),
        KIT_TEST(test_step__the_id_of_an_abandoned_home_is_not_used_again),
        KIT_TEST(test_step__ids_are_used_again),
        KIT_TEST(test_step__remove_of_an_abandoned_one_is_at_once),
        KIT_TEST(test_step__who_waits_for_a_removed_one_waits_no_longer),
        KIT_TEST(test_step__stopped_before_ready_keeps_dependents_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
