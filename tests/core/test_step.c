/* How workers begin: init, launch, readiness; and when nothing is left. */
#include "step_kit.h"

/* ---- init and launch ---- */

static void test_step__init_reaches_all_that_wait_for_nobody(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_add(k, "c", WORKER());
    kit_add(k, "d", DISABLED());
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    kit_all(k, STEP_INIT);
    kit_expect(k, "init a1; init c1");
    kit_tell(k, STEP_INITIALIZED, "c");
    kit_expect(k, "c:initialized");
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_expect(k, "a:initialized; inited");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_IDLE);
    assert_int_equal(chief__model_deadline(k->m), INT64_MAX);
    kit_all(k, STEP_LAUNCH);
    kit_expect(k, "a:run; run a1; c:run; run c1");
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_WAITING);
    assert_int_equal(k->delay[kit_id(k, "b")], -1);
    kit_tell(k, STEP_ENTERED, "a");
    kit_expect(k, "ready a; init b1");
    kit_tell(k, STEP_INITIALIZED, "b");
    kit_expect(k, "b:initialized; b:run; run b1");
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_STARTING);
    kit_tell(k, STEP_ENTERED, "b");
    kit_expect(k, "ready b");
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_UP);
}

static void test_step__init_of_nobody_is_answered_at_once(void **state) {
    kit *k = *state;
    kit_all(k, STEP_INIT);
    kit_expect(k, "inited");
    kit_all(k, STEP_LAUNCH);
    kit_expect(k, "nothing_left");
}

static void test_step__launch_needs_init_and_comes_once(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    assert_int_equal(kit_all(k, STEP_LAUNCH), CHIEF_ENOTINIT);
    kit_launch(k);
    assert_int_equal(kit_all(k, STEP_LAUNCH), CHIEF_EBUSY);
    kit_all(k, STEP_INIT);
    kit_expect(k, "");
}

static void test_step__init_links_when_nobody_has(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(AFTER("nosuch")));
    assert_int_equal(kit_all(k, STEP_INIT), CHIEF_ENOENT);
    kit_expect(k, "");
}

static void test_step__a_dependency_not_enabled_is_noted(void **state) {
    kit *k = *state;
    kit_add(k, "db", DISABLED());
    kit_add(k, "api", WORKER(AFTER("db")));
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    kit_all(k, STEP_INIT);
    kit_expect(k, "note api db; init api1");
    assert_int_equal(chief__model_level(k->m, kit_id(k, "api")), 0);
}

static void test_step__names_given_decide_before_init(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER(AFTER("a")));
    chief__model_set_enabled(k->m, kit_id(k, "a"), false);
    k->state[kit_id(k, "a")] = CHIEF_WORKER_DISABLED;
    kit_add(k, "c", DISABLED());
    chief__model_set_enabled(k->m, kit_id(k, "c"), true);
    k->state[kit_id(k, "c")] = CHIEF_WORKER_ENABLED;
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    kit_add(k, "d", WORKER());
    kit_add(k, "e", WORKER(AFTER("d")));
    assert_int_equal(chief__model_level(k->m, kit_id(k, "e")), 1);
    chief__model_set_enabled(k->m, kit_id(k, "d"), false);
    k->state[kit_id(k, "d")] = CHIEF_WORKER_DISABLED;
    kit_all(k, STEP_INIT);
    kit_expect(k, "note b a; init b1; init c1; note e d; init e1");
    assert_int_equal(chief__model_level(k->m, kit_id(k, "e")), 0);
    chief__model_set_enabled(k->m, kit_id(k, "a"), true); /* too late */
    assert_int_equal(kit_state(k, "a"), CHIEF_WORKER_DISABLED);
}

/* FAULTS 6. */
static void test_step__init_that_fails_is_taken_up_at_the_launch(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_add(k, "b", WORKER());
    kit_all(k, STEP_INIT);
    kit_init_fails(k, "a");
    kit_init_fails(k, "b");
    kit_expect(k, "init a1; init b1; a:failed(init_error); b:failed(init_error); inited");
    kit_wait(k, 5000);
    kit_expect(k, "");
    kit_all(k, STEP_LAUNCH);
    kit_expect(k, "restart a +100; give_up b");
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_GIVEN_UP);
    kit_wait(k, 100);
    kit_init_fails(k, "a");
    kit_expect(k, "init a2; a:failed(init_error); restart a +200");
    kit_wait(k, 200);
    kit_bring_up(k, "a");
    kit_expect(k, "init a3; a:initialized; a:run; run a3; ready a");
}

static void test_step__init_timeout_abandons_the_home(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_all(k, STEP_INIT);
    kit_expect(k, "init a1");
    assert_int_equal(chief__model_deadline(k->m), k->now + 30000);
    kit_wait(k, 29999);
    kit_expect(k, "");
    kit_wait(k, 1);
    kit_expect(k, "a:failed(init_error); abandon a1; inited; give_up a");
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_all(k, STEP_LAUNCH);
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_ABANDONED);
    kit_expect(k, "nothing_left");
    assert_int_equal(kit_tell(k, STEP_START, "a"), CHIEF_EBUSY);
    kit_tell(k, STEP_LATE, "a");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_ABANDONED);
    assert_int_equal(kit_tell(k, STEP_START, "a"), CHIEF_OK);
    kit_expect(k, "init a2");
}

static void test_step__init_timeout_holds_for_those_who_wait_too(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_begin(k, "a");
    kit_wait(k, 60000); /* waiting for others is not init */
    kit_forget(k);
    kit_tell(k, STEP_ENTERED, "a");
    kit_wait(k, 30000);
    kit_expect(k, "ready a; init b1; b:failed(init_error); abandon b1; give_up b");
}

static void test_step__a_home_that_dies_before_the_launch_has_failed(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "init a1; a:initialized; inited; a:failed(killed)");
    kit_all(k, STEP_LAUNCH);
    kit_expect(k, "restart a +100");
}

static void test_step__a_home_may_die_in_its_init(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_all(k, STEP_INIT);
    kit_exit(k, "a", CHIEF_REASON_KILLED);
    kit_expect(k, "init a1; a:failed(killed); inited");
}

static void test_step__a_home_may_die_while_it_waits_for_others(void **state) {
    kit *k = *state;
    kit_add(k, "a", DISABLED());
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "b");
    kit_tell(k, STEP_ENABLE, "a");
    kit_all(k, STEP_LAUNCH);
    kit_forget(k);
    kit_exit(k, "b", CHIEF_REASON_KILLED);
    kit_expect(k, "b:failed(killed); give_up b");
    kit_bring_up(k, "a");
    kit_expect(k, "a:initialized; a:run; run a1; ready a");
}

static void test_step__launch_may_come_before_the_answers(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_all(k, STEP_INIT);
    kit_all(k, STEP_LAUNCH);
    kit_expect(k, "init a1");
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_expect(k, "a:initialized; inited; a:run; run a1");
}

/* ---- ready ---- */

static void test_step__says_ready_is_waited_for(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.says_ready = true));
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_begin(k, "a");
    kit_forget(k);
    kit_tell(k, STEP_ENTERED, "a");
    kit_expect(k, "");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_STARTING);
    char buf[8];
    assert_int_equal(chief__model_waiting_for(k->m, kit_id(k, "b"), buf, sizeof buf), 1);
    assert_string_equal(buf, "a");
    kit_tell(k, STEP_READY, "a");
    kit_expect(k, "ready a; init b1");
    kit_tell(k, STEP_READY, "a"); /* said twice */
    kit_expect(k, "");
    assert_int_equal(chief__model_waiting_for(k->m, kit_id(k, "b"), buf, sizeof buf), 0);
    kit_bring_up(k, "b");
    kit_forget(k);
    kit_wait(k, 3600000); /* no limit of its start any more */
    kit_expect(k, "");
}

static void test_step__only_who_says_ready_can_say_it(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_begin(k, "a");
    kit_forget(k);
    kit_tell(k, STEP_READY, "a");
    kit_expect(k, "");
}

static void test_step__start_timeout_is_a_failure(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, .says_ready = true, .start_timeout = 500, .grace = 50));
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_wait(k, 1000); /* counted from the run on */
    kit_all(k, STEP_LAUNCH);
    kit_tell(k, STEP_ENTERED, "a");
    kit_forget(k);
    kit_wait(k, 499);
    kit_expect(k, "");
    kit_wait(k, 1);
    kit_expect(k, "cancel a1 +50");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_STOPPING);
    kit_tell(k, STEP_READY, "a"); /* too late */
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:failed(start_timeout); restart a +100");
}

static void test_step__start_timeout_without_an_end_abandons(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, .says_ready = true, .start_timeout = 500, .grace = 50));
    kit_begin(k, "a");
    kit_forget(k);
    kit_wait(k, 549);
    kit_expect(k, "cancel a1 +50");
    kit_wait(k, 1);
    kit_expect(k, "a:failed(start_timeout); abandon a1; give_up a; nothing_left");
    kit_exit(k, "a", CHIEF_REASON_OK); /* the report was on its way */
    kit_expect(k, "");
    assert_int_equal(kit_tell(k, STEP_START, "a"), CHIEF_OK);
}

static void test_step__all_ready_counts_clean_ends(void **state) {
    kit *k = *state;
    assert_true(chief__model_all_ready(k->m));
    kit_add(k, "a", WORKER(.says_ready = true));
    kit_add(k, "b", WORKER(ON_FAILURE));
    kit_add(k, "c", DISABLED());
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_tell(k, STEP_INITIALIZED, "b");
    kit_all(k, STEP_LAUNCH);
    kit_tell(k, STEP_ENTERED, "b");
    assert_false(chief__model_all_ready(k->m));
    kit_exit(k, "a", CHIEF_REASON_OK);
    assert_true(chief__model_all_ready(k->m));
    kit_exit(k, "b", CHIEF_REASON_ERROR);
    assert_false(chief__model_all_ready(k->m));
    kit_wait(k, 100);
    kit_bring_up(k, "b");
    assert_true(chief__model_all_ready(k->m));
}

/* ---- nothing left ---- */

static void test_step__nothing_left_is_told_at_each_change(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER(ON_FAILURE));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:stopped(ok)");
    kit_exit(k, "b", CHIEF_REASON_ERROR); /* scheduled */
    kit_expect(k, "b:failed(error); restart b +100");
    kit_wait(k, 100);
    kit_bring_up(k, "b");
    kit_forget(k);
    kit_exit(k, "b", CHIEF_REASON_OK);
    kit_expect(k, "b:stopped(ok); nothing_left");
    kit_all(k, STEP_TICK);
    kit_expect(k, "");
    kit_tell(k, STEP_START, "a");
    kit_init_fails(k, "a");
    kit_expect(k, "init a2; a:failed(init_error); give_up a; nothing_left");
}

static void test_step__exit_when_done_ends_once(void **state) {
    kit *k = *state;
    chief__model_set_exit_when_done(k->m, true);
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_launch(k);
    kit_exit(k, "b", CHIEF_REASON_ERROR);
    kit_expect(k, "b:failed(error); give_up b");
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:stopped(ok); all_ended");
    kit_all(k, STEP_TICK);
    kit_all(k, STEP_STOP_ALL);
    kit_all(k, STEP_FORCE);
    assert_int_equal(kit_tell(k, STEP_START, "a"), CHIEF_EBUSY);
    kit_expect(k, "");
}

static void test_step__exit_when_done_does_not_wait_in_vain(void **state) {
    kit *k = *state;
    chief__model_set_exit_when_done(k->m, true);
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_all(k, STEP_INIT);
    kit_init_fails(k, "a");
    kit_expect(k, "init a1; a:failed(init_error); inited");
    kit_all(k, STEP_LAUNCH);
    kit_expect(k, "give_up a; all_ended");
}

static void test_step__exit_when_done_can_come_later(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:stopped(ok); nothing_left");
    chief__model_set_exit_when_done(k->m, true);
    kit_all(k, STEP_TICK);
    kit_expect(k, "all_ended");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(test_step__init_reaches_all_that_wait_for_nobody),
        KIT_TEST(test_step__init_of_nobody_is_answered_at_once),
        KIT_TEST(test_step__launch_needs_init_and_comes_once),
        KIT_TEST(test_step__init_links_when_nobody_has),
        KIT_TEST(test_step__a_dependency_not_enabled_is_noted),
        KIT_TEST(test_step__names_given_decide_before_init),
        KIT_TEST(test_step__init_that_fails_is_taken_up_at_the_launch),
        KIT_TEST(test_step__init_timeout_abandons_the_home),
        KIT_TEST(test_step__init_timeout_holds_for_those_who_wait_too),
        KIT_TEST(test_step__a_home_that_dies_before_the_launch_has_failed),
        KIT_TEST(test_step__a_home_may_die_in_its_init),
        KIT_TEST(test_step__a_home_may_die_while_it_waits_for_others),
        KIT_TEST(test_step__launch_may_come_before_the_answers),
        KIT_TEST(test_step__says_ready_is_waited_for),
        KIT_TEST(test_step__only_who_says_ready_can_say_it),
        KIT_TEST(test_step__start_timeout_is_a_failure),
        KIT_TEST(test_step__start_timeout_without_an_end_abandons),
        KIT_TEST(test_step__all_ready_counts_clean_ends),
        KIT_TEST(test_step__nothing_left_is_told_at_each_change),
        KIT_TEST(test_step__exit_when_done_ends_once),
        KIT_TEST(test_step__exit_when_done_does_not_wait_in_vain),
        KIT_TEST(test_step__exit_when_done_can_come_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
