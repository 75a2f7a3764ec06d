/* A policy of the host's: what it is asked, and what becomes of its answer, a late one, and none. */
#include "step_kit.h"

static void launch(kit *k, kit_worker w) {
    kit_add(k, "a", w);
    kit_launch(k);
}

static void fail_asking(kit *k) {
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_forget(k);
}

static void test_step_answer__is_asked_about_an_end_that_nobody_wanted(void **state) {
    kit *k = *state;
    launch(k, WORKER(.answer = 50));
    kit_wait(k, 700);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); ask a1 +50 error 1 up 700");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_WAITING);
    kit_answer(k, "a", CHIEF_ANSWER_DELAY, 0);
    kit_expect(k, "restart a +0");
    kit_wait(k, 0);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_LUA_ERROR);
    kit_expect(k, "a:failed(lua_error); ask a2 +50 lua_error 2 up 0");
}

static void test_step_answer__is_asked_about_a_clean_end(void **state) {
    kit *k = *state;
    launch(k, WORKER(.answer = 50, ON_FAILURE));
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:stopped(ok); ask a1 +50 ok 0 up 0");
    kit_answer(k, "a", CHIEF_ANSWER_RESTART, 0);
    kit_expect(k, "restart a +100");
}

static void test_step_answer__is_asked_about_a_failed_init(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.answer = 50));
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    kit_all(k, STEP_INIT);
    kit_init_fails(k, "a");
    kit_expect(k, "init a1; a:failed(init_error); inited");
    kit_all(k, STEP_LAUNCH);
    kit_expect(k, "ask a1 +50 init_error 1 up 0");
}

static void test_step_answer__restart_takes_the_delay_of_the_policy(void **state) {
    kit *k = *state;
    launch(k, WORKER(.answer = 50));
    fail_asking(k);
    kit_wait(k, 20);
    kit_answer(k, "a", CHIEF_ANSWER_RESTART, 0);
    kit_expect(k, "restart a +100");
    kit_wait(k, 100);
    kit_expect(k, "init a2");
}

static void test_step_answer__a_delay_is_the_delay(void **state) {
    kit *k = *state;
    launch(k, WORKER(.answer = 50));
    fail_asking(k);
    kit_answer(k, "a", CHIEF_ANSWER_DELAY, 1234);
    kit_expect(k, "restart a +1234");
    kit_wait(k, 1233);
    kit_expect(k, "");
    kit_wait(k, 1);
    kit_expect(k, "init a2");
}

static void test_step_answer__give_up_gives_up(void **state) {
    kit *k = *state;
    launch(k, WORKER(.answer = 50, ALWAYS));
    fail_asking(k);
    kit_answer(k, "a", CHIEF_ANSWER_GIVE_UP, 0);
    kit_expect(k, "give_up a; nothing_left");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_GIVEN_UP);
}

static void test_step_answer__give_up_of_a_critical_one_ends_all(void **state) {
    kit *k = *state;
    launch(k, WORKER(.answer = 50, .critical = true));
    fail_asking(k);
    kit_answer(k, "a", CHIEF_ANSWER_GIVE_UP, 0);
    kit_expect(k, "give_up a; critical a; stopping; all_ended");
}

static void test_step_answer__give_up_lets_one_that_ended_well_rest(void **state) {
    kit *k = *state;
    launch(k, WORKER(.answer = 50, ALWAYS, .critical = true));
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_forget(k);
    kit_answer(k, "a", CHIEF_ANSWER_GIVE_UP, 0);
    kit_expect(k, "nothing_left");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_IDLE);
}

static void test_step_answer__isolate_comes_before_the_restart(void **state) {
    kit *k = *state;
    launch(k, WORKER(.answer = 50));
    fail_asking(k);
    kit_answer(k, "a", CHIEF_ANSWER_ISOLATE, 0);
    kit_expect(k, "isolate a; restart a +100");
}

static void test_step_answer__none_leaves_it_to_the_policy(void **state) {
    kit *k = *state;
    launch(k, WORKER(.answer = 50, ON_FAILURE));
    fail_asking(k);
    kit_answer(k, "a", CHIEF_ANSWER_DEFAULT, 0);
    kit_expect(k, "restart a +100");
}

static void test_step_answer__without_one_in_time_the_policy_decides(void **state) {
    kit *k = *state;
    launch(k, WORKER(.answer = 50));
    fail_asking(k);
    kit_wait(k, 49);
    kit_expect(k, "");
    kit_wait(k, 1);
    kit_expect(k, "unanswered a; give_up a; nothing_left");
    kit_answer(k, "a", CHIEF_ANSWER_RESTART, 0);
    kit_expect(k, "");
}

static void test_step_answer__one_about_an_older_life_is_ignored(void **state) {
    kit *k = *state;
    launch(k, WORKER(.answer = 50, ON_FAILURE));
    fail_asking(k);
    kit_wait(k, 50 + 100);
    kit_bring_up(k, "a");
    fail_asking(k);
    chief__step_event old = {.kind = STEP_ANSWER, .id = kit_id(k, "a"), .generation = 1};
    old.answer = CHIEF_ANSWER_GIVE_UP;
    kit_step_event(k, &old);
    kit_expect(k, "");
    kit_answer(k, "a", CHIEF_ANSWER_DELAY, 7);
    kit_expect(k, "restart a +7");
    kit_answer(k, "a", CHIEF_ANSWER_GIVE_UP, 0);
    kit_expect(k, "");
}

/* Also where the question would have been answered by a restart. */
static void test_step_answer__a_stop_wins(void **state) {
    kit *k = *state;
    launch(k, WORKER(.answer = 50, ON_FAILURE));
    fail_asking(k);
    assert_int_equal(kit_tell(k, STEP_STOP, "a"), CHIEF_OK);
    kit_expect(k, "nothing_left");
    kit_answer(k, "a", CHIEF_ANSWER_RESTART, 0);
    kit_wait(k, 1000);
    kit_expect(k, "");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_IDLE);
}

static void test_step_answer__the_stop_of_everything_wins(void **state) {
    kit *k = *state;
    launch(k, WORKER(.answer = 50, ON_FAILURE));
    fail_asking(k);
    kit_all(k, STEP_STOP_ALL);
    kit_expect(k, "stopping; all_ended");
    kit_answer(k, "a", CHIEF_ANSWER_RESTART, 0);
    kit_wait(k, 1000);
    kit_expect(k, "");
}

static void test_step_answer__a_start_by_hand_does_not_wait_for_it(void **state) {
    kit *k = *state;
    launch(k, WORKER(.answer = 50));
    fail_asking(k);
    assert_int_equal(kit_tell(k, STEP_START, "a"), CHIEF_OK);
    kit_expect(k, "init a2");
    kit_wait(k, 50);
    kit_expect(k, "");
}

static void test_step_answer__one_that_is_removed_has_no_question(void **state) {
    kit *k = *state;
    launch(k, WORKER(.answer = 50));
    uint32_t id = kit_id(k, "a");
    fail_asking(k);
    assert_int_equal(kit_tell(k, STEP_REMOVE, "a"), CHIEF_OK);
    kit_expect(k, "removed a; nothing_left");
    kit_add(k, "b", WORKER(.answer = 50));
    assert_int_equal(kit_id(k, "b"), id);
    chief__step_event old = {.kind = STEP_ANSWER, .id = id, .generation = 1, .answer = CHIEF_ANSWER_RESTART};
    kit_step_event(k, &old);
    kit_expect(k, "");
}

/* What limits every policy. */
static void test_step_answer__a_limit_is_not_asked_about(void **state) {
    kit *k = *state;
    launch(k, WORKER(.answer = 50, INTENSITY(1, 5000), CODES(3)));
    fail_asking(k);
    kit_answer(k, "a", CHIEF_ANSWER_DELAY, 0);
    kit_wait(k, 0);
    kit_bring_up(k, "a");
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); give_up a (2 in 5000); nothing_left");
    assert_int_equal(kit_tell(k, STEP_START, "a"), CHIEF_OK);
    kit_bring_up(k, "a");
    kit_forget(k);
    kit_exit_code(k, "a", 3);
    kit_expect(k, "a:failed(error); give_up a (code 3); nothing_left");
}

/* What waits for an answer may start again. */
static void test_step_answer__something_is_left_meanwhile(void **state) {
    kit *k = *state;
    launch(k, WORKER(.answer = 50));
    kit_add(k, "b", WORKER(.answer = 50));
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); ask a1 +50 error 1 up 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(test_step_answer__is_asked_about_an_end_that_nobody_wanted),
        KIT_TEST(test_step_answer__is_asked_about_a_clean_end),
        KIT_TEST(test_step_answer__is_asked_about_a_failed_init),
        KIT_TEST(test_step_answer__restart_takes_the_delay_of_the_policy),
        KIT_TEST(test_step_answer__a_delay_is_the_delay),
        KIT_TEST(test_step_answer__give_up_gives_up),
        KIT_TEST(test_step_answer__give_up_of_a_critical_one_ends_all),
        KIT_TEST(test_step_answer__give_up_lets_one_that_ended_well_rest),
        KIT_TEST(test_step_answer__isolate_comes_before_the_restart),
        KIT_TEST(test_step_answer__none_leaves_it_to_the_policy),
        KIT_TEST(test_step_answer__without_one_in_time_the_policy_decides),
        KIT_TEST(test_step_answer__one_about_an_older_life_is_ignored),
        KIT_TEST(test_step_answer__a_stop_wins),
        KIT_TEST(test_step_answer__the_stop_of_everything_wins),
        KIT_TEST(test_step_answer__a_start_by_hand_does_not_wait_for_it),
        KIT_TEST(test_step_answer__one_that_is_removed_has_no_question),
        KIT_TEST(test_step_answer__a_limit_is_not_asked_about),
        KIT_TEST(test_step_answer__something_is_left_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
