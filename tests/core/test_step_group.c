/* Groups: who is restarted along with whom, in which order, and what may come in between. */
#include "step_kit.h"

#define QUICK ON_FAILURE, .grace = 1000

/* a, b and c in a group, all up. */
static kit *three(void **state, int32_t policy) {
    kit *k = *state;
    kit_add(k, "a", WORKER(QUICK));
    kit_add(k, "b", WORKER(QUICK));
    kit_add(k, "c", WORKER(QUICK));
    kit_add_group(k, policy, "a", "b", "c");
    kit_launch(k);
    return k;
}

static void ends(kit *k, const char *name) { kit_exit(k, name, CHIEF_REASON_OK); }
static void fails(kit *k, const char *name) { kit_exit(k, name, CHIEF_REASON_ERROR); }

static void test_step_group__fault_12_rest_for_one(void **state) {
    kit *k = three(state, CHIEF_REST_FOR_ONE);
    fails(k, "b");
    kit_expect(k, "b:failed(error); restart b +100; restart c +100 (b); cancel c1 +1000");
    ends(k, "c");
    kit_expect(k, "c:stopped(ok)");
    kit_wait(k, 100);
    kit_expect(k, "init b2");
    kit_bring_up(k, "b");
    kit_expect(k, "b:initialized; b:run; run b2; ready b; init c2");
    kit_bring_up(k, "c");
    kit_expect(k, "c:initialized; c:run; run c2; ready c");
    assert_int_equal(kit_generation(k, "a"), 1);
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_UP);
}

static void test_step_group__fault_12_who_fails_to_start_is_retried_alone(void **state) {
    kit *k = three(state, CHIEF_REST_FOR_ONE);
    fails(k, "b");
    ends(k, "c");
    kit_wait(k, 100);
    kit_bring_up(k, "b");
    kit_forget(k);
    kit_init_fails(k, "c");
    kit_expect(k, "c:failed(init_error); restart c +100");
    kit_wait(k, 100);
    kit_expect(k, "init c3");
    kit_init_fails(k, "c");
    kit_wait(k, 200);
    kit_bring_up(k, "c");
    assert_int_equal(kit_generation(k, "a"), 1);
    assert_int_equal(kit_generation(k, "b"), 2);
    assert_int_equal(kit_generation(k, "c"), 4);
}

static void test_step_group__fault_12_one_for_all(void **state) {
    kit *k = three(state, CHIEF_ONE_FOR_ALL);
    fails(k, "b");
    kit_expect(k, "b:failed(error); restart b +100; restart a +100 (b); restart c +100 (b); cancel c1 +1000");
    ends(k, "c");
    kit_expect(k, "c:stopped(ok); cancel a1 +1000");
    ends(k, "a");
    kit_expect(k, "a:stopped(ok); init a2");
    kit_bring_up(k, "a");
    kit_expect(k, "a:initialized; a:run; run a2; ready a");
    kit_wait(k, 100);
    kit_expect(k, "init b2");
    kit_bring_up(k, "b");
    kit_expect(k, "b:initialized; b:run; run b2; ready b; init c2");
    kit_init_fails(k, "c");
    kit_expect(k, "c:failed(init_error); restart c +100");
    kit_wait(k, 100);
    kit_bring_up(k, "c");
    assert_int_equal(kit_generation(k, "a"), 2);
    assert_int_equal(kit_generation(k, "b"), 2);
    assert_int_equal(kit_generation(k, "c"), 3);
}

static void test_step_group__one_for_one_touches_nobody(void **state) {
    kit *k = three(state, CHIEF_ONE_FOR_ONE);
    fails(k, "a");
    kit_expect(k, "a:failed(error); restart a +100");
    kit_wait(k, 100);
    kit_expect(k, "init a2");
}

static void test_step_group__the_first_of_rest_for_one_takes_all_along(void **state) {
    kit *k = three(state, CHIEF_REST_FOR_ONE);
    fails(k, "a");
    kit_expect(k, "a:failed(error); restart a +100; restart b +100 (a); restart c +100 (a); cancel c1 +1000");
    ends(k, "c");
    kit_expect(k, "c:stopped(ok); cancel b1 +1000");
    ends(k, "b");
    kit_wait(k, 100);
    kit_bring_up(k, "a");
    kit_bring_up(k, "b");
    kit_bring_up(k, "c");
    kit_expect(k,
               "b:stopped(ok); init a2; a:initialized; a:run; run a2; ready a; init b2; b:initialized; b:run; run b2; "
               "ready b; init c2; c:initialized; c:run; run c2; ready c");
}

static void test_step_group__the_last_of_rest_for_one_goes_alone(void **state) {
    kit *k = three(state, CHIEF_REST_FOR_ONE);
    fails(k, "c");
    kit_expect(k, "c:failed(error); restart c +100");
    kit_wait(k, 100);
    kit_expect(k, "init c2");
}

/* The stopping takes longer than the delay. */
static void test_step_group__nobody_starts_while_another_ends(void **state) {
    kit *k = three(state, CHIEF_REST_FOR_ONE);
    char buf[64];
    fails(k, "b");
    kit_wait(k, 500);
    kit_expect(k, "b:failed(error); restart b +100; restart c +100 (b); cancel c1 +1000");
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_WAITING);
    (void)chief__model_waiting_for(k->m, kit_id(k, "b"), buf, sizeof buf);
    assert_string_equal(buf, "its group g");
    ends(k, "c");
    kit_expect(k, "c:stopped(ok); init b2");
}

/* A failure before one is ready is its own affair, also at the very first start. */
static void test_step_group__who_never_was_ready_takes_nobody_along(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(QUICK, .says_ready = true));
    kit_add(k, "b", WORKER(QUICK));
    kit_add_group(k, CHIEF_ONE_FOR_ALL, "a", "b");
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); restart a +100");
    kit_wait(k, 100);
    kit_bring_up(k, "a");
    kit_tell(k, STEP_READY, "a");
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); restart a +200; restart b +200 (a); cancel b1 +1000");
}

/* Ready means what it means for each worker: c waits for b's word. */
static void test_step_group__each_waits_until_the_one_before_is_ready(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(QUICK, .says_ready = true));
    kit_add(k, "b", WORKER(QUICK));
    kit_add_group(k, CHIEF_REST_FOR_ONE, "a", "b");
    kit_launch(k);
    kit_tell(k, STEP_READY, "a");
    fails(k, "a");
    ends(k, "b");
    kit_wait(k, 100);
    kit_bring_up(k, "a");
    kit_forget(k);
    kit_wait(k, 1000);
    kit_expect(k, "");
    kit_tell(k, STEP_READY, "a");
    kit_expect(k, "ready a; init b2");
}

static void test_step_group__who_can_not_start_holds_those_behind(void **state) {
    kit *k = three(state, CHIEF_REST_FOR_ONE);
    fails(k, "b");
    ends(k, "c");
    kit_wait(k, 100);
    kit_forget(k);
    kit_init_fails(k, "b");
    kit_expect(k, "b:failed(init_error); restart b +200");
    kit_wait(k, 200);
    kit_bring_up(k, "b");
    kit_expect(k, "init b3; b:initialized; b:run; run b3; ready b; init c2");
}

/* ---- what comes in between ---- */

static void test_step_group__the_one_before_fails_too(void **state) {
    kit *k = three(state, CHIEF_REST_FOR_ONE);
    fails(k, "b");
    ends(k, "c");
    kit_forget(k);
    fails(k, "a");
    kit_expect(k, "a:failed(error); restart a +100");
    kit_wait(k, 100);
    kit_expect(k, "init a2");
    kit_bring_up(k, "a");
    kit_bring_up(k, "b");
    kit_bring_up(k, "c");
    kit_expect(k, "a:initialized; a:run; run a2; ready a; init b2; b:initialized; b:run; run b2; ready b; init c2; "
                  "c:initialized; c:run; run c2; ready c");
}

static void test_step_group__it_fails_again_while_the_rest_starts(void **state) {
    kit *k = three(state, CHIEF_REST_FOR_ONE);
    fails(k, "b");
    ends(k, "c");
    kit_wait(k, 100);
    kit_bring_up(k, "b");
    kit_forget(k);
    fails(k, "b"); /* c is in its init */
    kit_expect(k, "b:failed(error); restart b +200; restart c +200 (b); cancel c2 +1000");
    kit_tell(k, STEP_INITIALIZED, "c");
    kit_tell(k, STEP_FINISHED, "c");
    kit_expect(k, "c:initialized; fini c2; c:disabled; c:enabled");
    kit_wait(k, 200);
    kit_bring_up(k, "b");
    kit_bring_up(k, "c");
    assert_int_equal(kit_generation(k, "a"), 1);
    assert_int_equal(kit_generation(k, "b"), 3);
    assert_int_equal(kit_generation(k, "c"), 3);
}

/* It has not been asked yet, since the one behind it still ends: its failure is one, and counts. */
static void test_step_group__one_that_is_to_end_fails(void **state) {
    kit *k = three(state, CHIEF_ONE_FOR_ALL);
    fails(k, "b");
    kit_forget(k);
    fails(k, "a");
    kit_expect(k, "a:failed(error); restart a +100");
    ends(k, "c");
    kit_wait(k, 100);
    kit_expect(k, "c:stopped(ok); init a2");
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_WAITING);
}

static void test_step_group__one_that_is_to_end_ends(void **state) {
    kit *k = three(state, CHIEF_ONE_FOR_ALL);
    fails(k, "b");
    ends(k, "a");
    ends(k, "c");
    kit_forget(k);
    kit_wait(k, 100);
    kit_bring_up(k, "b");
    kit_expect(k, "init b2; b:initialized; b:run; run b2; ready b; init c2");
    assert_int_equal(kit_state(k, "a"), CHIEF_WORKER_STOPPED); /* its job is done */
}

/* FAULTS 13: a stop by hand stands, whatever the group does. */
static void test_step_group__who_was_stopped_stays_stopped(void **state) {
    kit *k = three(state, CHIEF_REST_FOR_ONE);
    kit_tell(k, STEP_STOP, "c");
    ends(k, "c");
    kit_forget(k);
    fails(k, "b");
    kit_wait(k, 100);
    kit_bring_up(k, "b");
    kit_wait(k, 100000);
    kit_expect(k, "b:failed(error); restart b +100; init b2; b:initialized; b:run; run b2; ready b");
}

static void test_step_group__a_stop_by_hand_before_the_failure(void **state) {
    kit *k = three(state, CHIEF_REST_FOR_ONE);
    kit_tell(k, STEP_STOP, "c");
    kit_forget(k);
    fails(k, "b");
    kit_wait(k, 100);
    kit_bring_up(k, "b");
    ends(k, "c");
    kit_wait(k, 100000);
    kit_expect(k, "b:failed(error); restart b +100; init b2; b:initialized; b:run; run b2; ready b; c:stopped(ok)");
}

static void test_step_group__a_stop_by_hand_while_it_ends(void **state) {
    kit *k = three(state, CHIEF_REST_FOR_ONE);
    fails(k, "b");
    assert_int_equal(kit_tell(k, STEP_STOP, "c"), CHIEF_OK);
    kit_wait(k, 100);
    kit_expect(k, "b:failed(error); restart b +100; restart c +100 (b); cancel c1 +1000; init b2");
    ends(k, "c");
    kit_bring_up(k, "b");
    kit_wait(k, 100000);
    kit_expect(k, "c:stopped(ok); b:initialized; b:run; run b2; ready b");
}

static void test_step_group__a_stop_by_hand_while_it_waits(void **state) {
    kit *k = three(state, CHIEF_REST_FOR_ONE);
    fails(k, "a");
    ends(k, "c");
    ends(k, "b");
    kit_forget(k);
    assert_int_equal(kit_tell(k, STEP_STOP, "a"), CHIEF_OK); /* those behind it go on without it */
    kit_expect(k, "init b2");
    assert_int_equal(kit_tell(k, STEP_STOP, "c"), CHIEF_OK);
    kit_bring_up(k, "b");
    kit_wait(k, 100000);
    kit_expect(k, "b:initialized; b:run; run b2; ready b");
    assert_int_equal(kit_phase(k, "a"), CHIEF_PHASE_IDLE);
    assert_int_equal(kit_phase(k, "c"), CHIEF_PHASE_IDLE);
}

static void test_step_group__a_restart_by_hand_is_of_one(void **state) {
    kit *k = three(state, CHIEF_ONE_FOR_ALL);
    assert_int_equal(kit_tell(k, STEP_RESTART, "b"), CHIEF_OK);
    ends(k, "b");
    kit_expect(k, "cancel b1 +1000; b:stopped(ok); init b2");
}

/* It is being restarted by hand when its group is: it starts once, in its turn. */
static void test_step_group__a_restart_by_hand_joins(void **state) {
    kit *k = three(state, CHIEF_REST_FOR_ONE);
    kit_tell(k, STEP_RESTART, "c");
    kit_forget(k);
    fails(k, "b");
    ends(k, "c");
    kit_expect(k, "b:failed(error); restart b +100; restart c +100 (b); c:stopped(ok)");
    kit_tell(k, STEP_RESTART, "c");
    kit_tell(k, STEP_START, "c");
    kit_expect(k, "");
    kit_wait(k, 100);
    kit_bring_up(k, "b");
    kit_expect(k, "init b2; b:initialized; b:run; run b2; ready b; init c2");
}

static void test_step_group__a_start_by_hand_waits_for_those_that_end(void **state) {
    kit *k = three(state, CHIEF_REST_FOR_ONE);
    fails(k, "b");
    kit_forget(k);
    assert_int_equal(kit_tell(k, STEP_START, "b"), CHIEF_OK);
    kit_expect(k, "");
    ends(k, "c");
    kit_expect(k, "c:stopped(ok); init b2");
    kit_wait(k, 100000);
    kit_expect(k, "b:failed(init_error); abandon b2; give_up b; init c2; c:failed(init_error); abandon c2; give_up c");
}

static void test_step_group__removed_ones_are_not_waited_for(void **state) {
    kit *k = three(state, CHIEF_REST_FOR_ONE);
    fails(k, "a");
    ends(k, "c");
    kit_forget(k);
    kit_tell(k, STEP_REMOVE, "b"); /* still ends */
    kit_tell(k, STEP_REMOVE, "a"); /* waits for its delay */
    kit_expect(k, "removed a; init c2");
    ends(k, "b");
    kit_expect(k, "b:stopped(ok); removed b");
    kit_bring_up(k, "c");
    kit_forget(k);
    kit_add(k, "a", WORKER(QUICK)); /* who takes the name takes the place */
    kit_tell(k, STEP_ADDED, "a");
    kit_bring_up(k, "a");
    kit_forget(k);
    fails(k, "a");
    kit_expect(k, "a:failed(error); restart a +100; restart c +100 (a); cancel c2 +1000");
}

static void test_step_group__a_given_up_one_leaves_the_others(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(QUICK, INTENSITY(1, 60000)));
    kit_add(k, "b", WORKER(QUICK));
    kit_add_group(k, CHIEF_REST_FOR_ONE, "a", "b");
    kit_launch(k);
    fails(k, "a");
    ends(k, "b");
    kit_wait(k, 100);
    kit_forget(k);
    kit_init_fails(k, "a");
    kit_expect(k, "a:failed(init_error); give_up a (2 in 60000); init b2");
}

/* Never restarted itself, it takes nobody along; with another, it goes along like all. */
static void test_step_group__one_that_is_never_restarted(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(QUICK));
    kit_add(k, "b", WORKER(.grace = 1000));
    kit_add_group(k, CHIEF_ONE_FOR_ALL, "a", "b");
    kit_launch(k);
    fails(k, "a");
    kit_expect(k, "a:failed(error); restart a +100; restart b +100 (a); cancel b1 +1000");
    fails(k, "b"); /* asked to end: no failure */
    kit_wait(k, 100);
    kit_bring_up(k, "a");
    kit_bring_up(k, "b");
    kit_forget(k);
    fails(k, "b");
    kit_expect(k, "b:failed(error); give_up b");
}

static void test_step_group__a_critical_one_ends_all(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(QUICK, INTENSITY(1, 60000), .critical = true));
    kit_add(k, "b", WORKER(QUICK));
    kit_add_group(k, CHIEF_REST_FOR_ONE, "a", "b");
    kit_launch(k);
    fails(k, "a");
    ends(k, "b");
    kit_wait(k, 100);
    kit_forget(k);
    kit_init_fails(k, "a");
    kit_expect(k, "a:failed(init_error); give_up a (2 in 60000); critical a; stopping; all_ended");
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_IDLE);
}

/* FAULTS 10: a stop is not delayed and nothing runs again. */
static void test_step_group__a_stop_of_everything(void **state) {
    kit *k = three(state, CHIEF_ONE_FOR_ALL);
    fails(k, "b");
    kit_forget(k);
    kit_all(k, STEP_STOP_ALL);
    kit_expect(k, "stopping; cancel a1 +1000");
    ends(k, "c");
    ends(k, "a");
    kit_expect(k, "c:stopped(ok); a:stopped(ok); all_ended");
    kit_wait(k, 100000);
    kit_expect(k, "");
}

static void test_step_group__a_stop_while_all_wait(void **state) {
    kit *k = three(state, CHIEF_REST_FOR_ONE);
    kit_tell(k, STEP_STOP, "a");
    ends(k, "a");
    fails(k, "b");
    ends(k, "c");
    kit_forget(k);
    kit_all(k, STEP_STOP_ALL);
    kit_expect(k, "stopping; all_ended");
    assert_int_equal(kit_phase(k, "c"), CHIEF_PHASE_IDLE);
}

static void test_step_group__one_that_ignores_its_stop_drops_out(void **state) {
    kit *k = three(state, CHIEF_ONE_FOR_ALL);
    fails(k, "a");
    kit_forget(k);
    kit_wait(k, 1000);
    kit_expect(k, "c:failed(killed); abandon c1; give_up c; cancel b1 +1000");
    ends(k, "b");
    kit_bring_up(k, "a");
    kit_expect(k, "b:stopped(ok); init a2; a:initialized; a:run; run a2; ready a; init b2");
}

/* b becomes ready while c, behind it, still ends: it has its turn all the same. */
static void test_step_group__who_becomes_ready_goes_along_all_the_same(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(QUICK));
    kit_add(k, "b", WORKER(QUICK, .says_ready = true));
    kit_add(k, "c", WORKER(QUICK));
    kit_add_group(k, CHIEF_REST_FOR_ONE, "a", "b", "c");
    kit_launch(k);
    fails(k, "a");
    kit_expect(k, "a:failed(error); restart a +100; restart b +100 (a); restart c +100 (a); cancel c1 +1000");
    kit_step(k, STEP_READY, kit_id(k, "b"), 1, 0);
    kit_expect(k, "ready b");
    ends(k, "c");
    kit_expect(k, "c:stopped(ok); cancel b1 +1000");
    ends(k, "b");
    kit_wait(k, 100);
    kit_expect(k, "b:stopped(ok); init a2");
    kit_bring_up(k, "a");
    kit_expect(k, "a:initialized; a:run; run a2; ready a; init b2");
}

static void test_step_group__one_that_is_late_to_be_ready_ends_once(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(QUICK));
    kit_add(k, "b", WORKER(QUICK, .says_ready = true, .start_timeout = 50));
    kit_add_group(k, CHIEF_REST_FOR_ONE, "a", "b");
    kit_launch(k);
    kit_wait(k, 50);
    kit_expect(k, "cancel b1 +1000");
    fails(k, "a");
    kit_expect(k, "a:failed(error); restart a +100; restart b +100 (a)");
    ends(k, "b");
    kit_expect(k, "b:failed(start_timeout); restart b +100");
    kit_wait(k, 100);
    kit_bring_up(k, "a");
    kit_expect(k, "init a2; a:initialized; a:run; run a2; ready a; init b2");
}

/* ---- with the rest of the rules ---- */

static void test_step_group__a_clean_end_that_is_restarted_takes_along(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ALWAYS));
    kit_add(k, "b", WORKER(QUICK));
    kit_add_group(k, CHIEF_REST_FOR_ONE, "a", "b");
    kit_launch(k);
    ends(k, "a");
    kit_expect(k, "a:stopped(ok); restart a +100; restart b +100 (a); cancel b1 +1000");
}

static void test_step_group__going_along_is_no_failure(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(QUICK, .restart.delay = CHIEF_ZERO));
    kit_add(k, "b", WORKER(QUICK, INTENSITY(1, 60000)));
    kit_add_group(k, CHIEF_REST_FOR_ONE, "a", "b");
    kit_launch(k);
    for (int i = 0; i < 5; i++) {
        fails(k, "a");
        fails(k, "b");
        kit_wait(k, 0);
        kit_bring_up(k, "a");
        kit_bring_up(k, "b");
    }
    kit_forget(k);
    fails(k, "b");
    kit_expect(k, "b:failed(error); restart b +100");
}

/* The group is ordered by its list, and each waits for those it names in `after`, too. */
static void test_step_group__after_holds_in_the_turn(void **state) {
    kit *k = *state;
    kit_add(k, "x", WORKER(QUICK));
    kit_add(k, "a", WORKER(QUICK));
    kit_add(k, "b", WORKER(QUICK, AFTER("x")));
    kit_add_group(k, CHIEF_REST_FOR_ONE, "a", "b");
    kit_launch(k);
    fails(k, "a");
    ends(k, "b");
    fails(k, "x");
    kit_forget(k);
    kit_wait(k, 100);
    kit_bring_up(k, "a");
    kit_expect(k, "init x2; init a2; a:initialized; a:run; run a2; ready a");
    kit_bring_up(k, "x");
    kit_expect(k, "x:initialized; x:run; run x2; ready x; init b2");
}

/* b has its turn and waits for x; then a, before it, fails again. */
static void test_step_group__a_turn_is_lost_with_the_one_before(void **state) {
    kit *k = *state;
    kit_add(k, "x", WORKER(QUICK, .says_ready = true));
    kit_add(k, "a", WORKER(QUICK));
    kit_add(k, "b", WORKER(QUICK, AFTER("x")));
    kit_add_group(k, CHIEF_REST_FOR_ONE, "a", "b");
    kit_launch(k);
    kit_tell(k, STEP_READY, "x");
    kit_bring_up(k, "b");
    fails(k, "a");
    ends(k, "b");
    fails(k, "x");
    kit_wait(k, 100);
    kit_bring_up(k, "x");
    kit_bring_up(k, "a");
    fails(k, "a");
    kit_wait(k, 200);
    kit_forget(k);
    kit_tell(k, STEP_READY, "x");
    kit_expect(k, "ready x");
    kit_bring_up(k, "a");
    kit_expect(k, "a:initialized; a:run; run a3; ready a; init b2");
}

/* a has its turn and waits for x; b, behind it, failed before that, and only now it is decided that c goes along with b. */
static void test_step_group__a_turn_is_lost_with_one_behind(void **state) {
    kit *k = *state;
    kit_add(k, "x", WORKER(QUICK, .says_ready = true));
    kit_add(k, "a", WORKER(QUICK, AFTER("x")));
    kit_add(k, "b", WORKER(QUICK, .answer = 1000));
    kit_add(k, "c", WORKER(QUICK, .says_ready = true));
    kit_add_group(k, CHIEF_REST_FOR_ONE, "a", "b", "c");
    kit_launch(k);
    kit_tell(k, STEP_READY, "x");
    kit_bring_up(k, "a");
    fails(k, "c"); /* was never ready, and so is retried alone */
    fails(k, "b");
    fails(k, "a");
    fails(k, "x");
    kit_wait(k, 100);
    kit_bring_up(k, "x");
    kit_forget(k);
    kit_answer(k, "b", CHIEF_ANSWER_DEFAULT, 0);
    kit_tell(k, STEP_READY, "x");
    kit_expect(k, "restart b +100; restart c +100 (b); cancel c2 +1000; ready x");
    kit_init_fails(k, "c");
    kit_expect(k, "init a2");
}

static void test_step_group__groups_are_apart(void **state) {
    kit *k = *state;
    const char *names[] = {"c", "d"};
    kit_add(k, "a", WORKER(QUICK));
    kit_add(k, "b", WORKER(QUICK));
    kit_add(k, "c", WORKER(QUICK));
    kit_add(k, "d", WORKER(QUICK));
    kit_add_group(k, CHIEF_ONE_FOR_ALL, "a", "b");
    assert_int_equal(chief__model_add_group(k->m, "h", CHIEF_ONE_FOR_ALL, names, 2), CHIEF_OK);
    kit_launch(k);
    fails(k, "a");
    kit_expect(k, "a:failed(error); restart a +100; restart b +100 (a); cancel b1 +1000");
    fails(k, "d");
    kit_expect(k, "d:failed(error); restart d +100; restart c +100 (d); cancel c1 +1000");
    ends(k, "c");
    kit_wait(k, 100);
    kit_expect(k, "c:stopped(ok); init c2");
}

/* A stem stands for its replicas, in their order. */
static void test_step_group__replicas_are_in_it_one_by_one(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(QUICK));
    kit_add(k, "b/1", WORKER(QUICK));
    kit_add(k, "b/2", WORKER(QUICK));
    kit_add(k, "c", WORKER(QUICK));
    kit_add_group(k, CHIEF_REST_FOR_ONE, "a", "b", "c");
    kit_launch(k);
    fails(k, "b/1");
    kit_expect(k, "b/1:failed(error); restart b/1 +100; restart b/2 +100 (b/1); restart c +100 (b/1); cancel c1 +1000");
    ends(k, "c");
    ends(k, "b/2");
    kit_wait(k, 100);
    kit_bring_up(k, "b/1");
    kit_expect(k, "c:stopped(ok); cancel b/21 +1000; b/2:stopped(ok); init b/12; b/1:initialized; b/1:run; run b/12; "
                  "ready b/1; init b/22");
}

static void test_step_group__a_replica_is_in_one_group(void **state) {
    kit *k = *state;
    const char *names[] = {"b"};
    kit_add(k, "b/1", WORKER());
    kit_add(k, "b/2", WORKER());
    kit_add_group(k, CHIEF_REST_FOR_ONE, "b/2");
    assert_int_equal(chief__model_add_group(k->m, "h", CHIEF_REST_FOR_ONE, names, 1), CHIEF_OK);
    assert_int_equal(chief__model_link(k->m), CHIEF_EEXIST);
    assert_string_equal(chief_last_error(), "group h: worker b/2 is in group g");
}

/* ---- making them ---- */

static void refuse_group(kit *k, const char *name, int32_t policy, size_t n, const char *const *names, int rc,
                         const char *text) {
    assert_int_equal(chief__model_add_group(k->m, name, policy, names, n), rc);
    if (strstr(chief_last_error(), text) == NULL) fail_msg("\"%s\" does not say \"%s\"", chief_last_error(), text);
}

static void test_step_group__what_is_no_group_is_refused(void **state) {
    kit *k = *state;
    const char *names[] = {"a", "b", "a", NULL};
    kit_add(k, "a", WORKER());
    refuse_group(k, "g", 4, 1, names, CHIEF_EINVAL, "group g: policy 4 is none");
    refuse_group(k, "g", CHIEF_ONE_FOR_ALL, 0, names, CHIEF_EINVAL, "group g lists no worker");
    refuse_group(k, "g", CHIEF_ONE_FOR_ALL, 3, names, CHIEF_EINVAL, "group g lists a twice");
    refuse_group(k, "g", CHIEF_ONE_FOR_ALL, 2, names + 2, CHIEF_EINVAL, "group g: name 1 is NULL");
    kit_add_group(k, CHIEF_ONE_FOR_ALL, "a"); /* nothing is left of the attempts */
    refuse_group(k, "g", CHIEF_ONE_FOR_ALL, 1, names + 1, CHIEF_EEXIST, "there is one of that name");
    refuse_group(k, "h", CHIEF_ONE_FOR_ALL, 2, names + 1, CHIEF_EEXIST, "group h: worker a is in group g");
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    refuse_group(k, "h", CHIEF_ONE_FOR_ALL, 1, names + 1, CHIEF_EBUSY, "before the workers are initialised");
}

static void test_step_group__unknown_names_are_refused(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add_group(k, CHIEF_ONE_FOR_ONE, "a", "b");
    assert_int_equal(chief__model_link(k->m), CHIEF_ENOENT);
    assert_string_equal(chief_last_error(), "group g: its list names \"b\"; there are: a");
    kit_add(k, "b", WORKER());
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
}

static void test_step_group__an_order_against_after_is_refused(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(AFTER("x")));
    kit_add(k, "x", WORKER(AFTER("b")));
    kit_add(k, "b", WORKER());
    kit_add_group(k, CHIEF_REST_FOR_ONE, "a", "b");
    assert_int_equal(chief__model_link(k->m), CHIEF_ECYCLE);
    assert_non_null(strstr(chief_last_error(), "dependency cycle, with the order of a group: "));
    assert_non_null(strstr(chief_last_error(), " → "));
}

/* Without an order there is nothing to contradict; and an order is no level. */
static void test_step_group__an_order_is_no_dependency(void **state) {
    kit *k = *state;
    const char *names[] = {"c", "d"};
    kit_add(k, "a", WORKER(AFTER("b")));
    kit_add(k, "b", WORKER());
    kit_add(k, "c", WORKER());
    kit_add(k, "d", WORKER());
    kit_add_group(k, CHIEF_ONE_FOR_ONE, "a", "b");
    assert_int_equal(chief__model_add_group(k->m, "h", CHIEF_REST_FOR_ONE, names, 2), CHIEF_OK);
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    assert_int_equal(chief__model_level(k->m, kit_id(k, "a")), 1);
    assert_int_equal(chief__model_level(k->m, kit_id(k, "d")), 0);
    kit_all(k, STEP_INIT);
    kit_expect(k, "init b1; init c1; init d1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(test_step_group__fault_12_rest_for_one),
        KIT_TEST(test_step_group__fault_12_who_fails_to_start_is_retried_alone),
        KIT_TEST(test_step_group__fault_12_one_for_all),
        KIT_TEST(test_step_group__one_for_one_touches_nobody),
        KIT_TEST(test_step_group__the_first_of_rest_for_one_takes_all_along),
        KIT_TEST(test_step_group__the_last_of_rest_for_one_goes_alone),
        KIT_TEST(test_step_group__nobody_starts_while_another_ends),
        KIT_TEST(test_step_group__who_never_was_ready_takes_nobody_along),
        KIT_TEST(test_step_group__each_waits_until_the_one_before_is_ready),
        KIT_TEST(test_step_group__who_can_not_start_holds_those_behind),
        KIT_TEST(test_step_group__the_one_before_fails_too),
        KIT_TEST(test_step_group__it_fails_again_while_the_rest_starts),
        KIT_TEST(test_step_group__one_that_is_to_end_fails),
        KIT_TEST(test_step_group__one_that_is_to_end_ends),
        KIT_TEST(test_step_group__who_was_stopped_stays_stopped),
        KIT_TEST(test_step_group__a_stop_by_hand_before_the_failure),
        KIT_TEST(test_step_group__a_stop_by_hand_while_it_ends),
        KIT_TEST(test_step_group__a_stop_by_hand_while_it_waits),
        KIT_TEST(test_step_group__a_restart_by_hand_is_of_one),
        KIT_TEST(test_step_group__a_restart_by_hand_joins),
        KIT_TEST(test_step_group__a_start_by_hand_waits_for_those_that_end),
        KIT_TEST(test_step_group__removed_ones_are_not_waited_for),
        KIT_TEST(test_step_group__a_given_up_one_leaves_the_others),
        KIT_TEST(test_step_group__one_that_is_never_restarted),
        KIT_TEST(test_step_group__a_critical_one_ends_all),
        KIT_TEST(test_step_group__a_stop_of_everything),
        KIT_TEST(test_step_group__a_stop_while_all_wait),
        KIT_TEST(test_step_group__one_that_ignores_its_stop_drops_out),
        KIT_TEST(test_step_group__who_becomes_ready_goes_along_all_the_same),
        KIT_TEST(test_step_group__one_that_is_late_to_be_ready_ends_once),
        KIT_TEST(test_step_group__a_clean_end_that_is_restarted_takes_along),
        KIT_TEST(test_step_group__going_along_is_no_failure),
        KIT_TEST(test_step_group__after_holds_in_the_turn),
        KIT_TEST(test_step_group__a_turn_is_lost_with_the_one_before),
        KIT_TEST(test_step_group__a_turn_is_lost_with_one_behind),
        KIT_TEST(test_step_group__groups_are_apart),
        KIT_TEST(test_step_group__replicas_are_in_it_one_by_one),
        KIT_TEST(test_step_group__a_replica_is_in_one_group),
        KIT_TEST(test_step_group__what_is_no_group_is_refused),
        KIT_TEST(test_step_group__unknown_names_are_refused),
        KIT_TEST(test_step_group__an_order_against_after_is_refused),
        KIT_TEST(test_step_group__an_order_is_no_dependency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
