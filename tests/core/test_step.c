/* A worker's life without anybody asking for anything: init, launch, dependencies, failures, restarts. */
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
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_all(k, STEP_LAUNCH);
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
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_all(k, STEP_LAUNCH);
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
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_all(k, STEP_LAUNCH);
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
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_all(k, STEP_LAUNCH);
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

/* ---- ends and restarts ---- */

/* FAULTS 1. */
static void test_step__a_failure_runs_again_after_its_delay(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_all(k, STEP_LAUNCH);
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
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_all(k, STEP_LAUNCH);
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

/* ---- dependencies ---- */

static void test_step__all_dependencies_must_be_ready(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.says_ready = true));
    kit_add(k, "b", WORKER(.says_ready = true));
    kit_add(k, "c", WORKER(AFTER("a", "b", "a")));
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_tell(k, STEP_INITIALIZED, "b");
    kit_all(k, STEP_LAUNCH);
    kit_forget(k);
    char buf[16];
    assert_int_equal(chief__model_waiting_for(k->m, kit_id(k, "c"), buf, sizeof buf), 4);
    assert_string_equal(buf, "a, b");
    assert_int_equal(chief__model_waiting_for(k->m, kit_id(k, "c"), buf, 3), 4);
    assert_string_equal(buf, "a,");
    kit_tell(k, STEP_READY, "b");
    kit_expect(k, "ready b");
    assert_int_equal(chief__model_waiting_for(k->m, kit_id(k, "c"), buf, sizeof buf), 1);
    assert_string_equal(buf, "a");
    kit_tell(k, STEP_READY, "a");
    kit_expect(k, "ready a; init c1");
    assert_int_equal(chief__model_waiting_for(k->m, kit_id(k, "c"), buf, sizeof buf), 0);
    assert_string_equal(buf, "");
    assert_int_equal(chief__model_waiting_for(k->m, 77, buf, sizeof buf), 0);
}

/* FAULTS 30, its second half. */
static void test_step__a_restarted_dependency_must_become_ready_anew(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE, .says_ready = true));
    kit_add(k, "b", WORKER(.says_ready = true));
    kit_add(k, "c", WORKER(AFTER("a", "b")));
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_tell(k, STEP_INITIALIZED, "b");
    kit_all(k, STEP_LAUNCH);
    kit_tell(k, STEP_READY, "a");
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_forget(k);
    kit_tell(k, STEP_READY, "b");
    kit_expect(k, "ready b");
    kit_wait(k, 100);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_expect(k, "init a2; a:initialized; a:run; run a2");
    kit_tell(k, STEP_READY, "a");
    kit_expect(k, "ready a; init c1");
}

static void test_step__dependents_that_run_go_on(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(ON_FAILURE));
    kit_add(k, "b", WORKER(ON_FAILURE, AFTER("a")));
    kit_launch(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); restart a +100");
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_UP);
    kit_exit(k, "b", CHIEF_REASON_ERROR); /* its own restart finds that `a` is not ready now */
    kit_expect(k, "b:failed(error); restart b +100");
    kit_wait(k, 100);
    kit_expect(k, "init a2");
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_WAITING);
    assert_int_equal(k->delay[kit_id(k, "b")], -1);
    kit_bring_up(k, "a");
    kit_expect(k, "a:initialized; a:run; run a2; ready a; init b2");
}

static void test_step__a_restart_does_not_wait_for_the_ready(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER(ON_FAILURE, AFTER("a")));
    kit_launch(k);
    kit_exit(k, "b", CHIEF_REASON_ERROR);
    kit_wait(k, 100);
    kit_expect(k, "b:failed(error); restart b +100; init b2");
}

static void test_step__a_job_that_is_done_counts_as_ready(void **state) {
    kit *k = *state;
    kit_add(k, "migrate", WORKER());
    kit_add(k, "api", WORKER(ON_FAILURE, AFTER("migrate")));
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "migrate");
    kit_all(k, STEP_LAUNCH);
    kit_tell(k, STEP_ENTERED, "migrate");
    kit_exit(k, "migrate", CHIEF_REASON_OK);
    kit_bring_up(k, "api");
    kit_forget(k);
    kit_exit(k, "api", CHIEF_REASON_ERROR);
    kit_wait(k, 100);
    kit_expect(k, "api:failed(error); restart api +100; init api2");
}

static void test_step__a_failed_dependency_is_waited_for(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER());
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_all(k, STEP_LAUNCH);
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_ERROR);
    kit_expect(k, "a:failed(error); give_up a; nothing_left");
    kit_wait(k, 3600000);
    kit_expect(k, "");
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_WAITING);
    kit_tell(k, STEP_START, "a");
    kit_bring_up(k, "a");
    kit_expect(k, "init a2; a:initialized; a:run; run a2; ready a; init b1");
}

static void test_step__a_job_that_never_said_ready_does_not_count(void **state) {
    kit *k = *state;
    kit_add(k, "a", WORKER(.says_ready = true));
    kit_add(k, "b", WORKER(AFTER("a")));
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "a");
    kit_all(k, STEP_LAUNCH);
    kit_tell(k, STEP_ENTERED, "a");
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:stopped(ok); nothing_left");
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_WAITING);
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

/* ---- replicas ---- */

static void test_step__who_names_a_stem_waits_for_all_replicas(void **state) {
    kit *k = *state;
    kit_add(k, "api", WORKER(AFTER("db")));
    kit_add(k, "db/1", WORKER());
    kit_add(k, "db/2", WORKER());
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    assert_int_equal(chief__model_level(k->m, kit_id(k, "api")), 1);
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "db/1");
    kit_tell(k, STEP_INITIALIZED, "db/2");
    kit_all(k, STEP_LAUNCH);
    kit_forget(k);
    char waiting[64];
    chief__model_waiting_for(k->m, kit_id(k, "api"), waiting, sizeof waiting);
    assert_string_equal(waiting, "db/1, db/2");
    kit_tell(k, STEP_ENTERED, "db/1");
    kit_expect(k, "ready db/1");
    chief__model_waiting_for(k->m, kit_id(k, "api"), waiting, sizeof waiting);
    assert_string_equal(waiting, "db/2");
    kit_tell(k, STEP_ENTERED, "db/2");
    kit_expect(k, "ready db/2; init api1");
}

static void test_step__who_names_a_replica_waits_for_that_one(void **state) {
    kit *k = *state;
    kit_add(k, "db/1", WORKER());
    kit_add(k, "db/2", WORKER());
    kit_add(k, "api", WORKER(AFTER("db/2")));
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "db/1");
    kit_tell(k, STEP_INITIALIZED, "db/2");
    kit_all(k, STEP_LAUNCH);
    kit_forget(k);
    kit_tell(k, STEP_ENTERED, "db/1");
    kit_expect(k, "ready db/1");
    kit_tell(k, STEP_ENTERED, "db/2");
    kit_expect(k, "ready db/2; init api1");
}

/* Both ends have replicas; each fails, waits and restarts for itself. */
static void test_step__a_replica_that_fails_is_waited_for_anew(void **state) {
    kit *k = *state;
    kit_add(k, "db/1", WORKER(ON_FAILURE));
    kit_add(k, "db/2", WORKER(ON_FAILURE));
    kit_add(k, "api/1", WORKER(ON_FAILURE, AFTER("db")));
    kit_add(k, "api/2", WORKER(ON_FAILURE, AFTER("db")));
    kit_launch(k);
    kit_exit(k, "db/2", CHIEF_REASON_ERROR);
    kit_expect(k, "db/2:failed(error); restart db/2 +100");
    kit_exit(k, "api/1", CHIEF_REASON_ERROR);
    kit_expect(k, "api/1:failed(error); restart api/1 +100");
    kit_wait(k, 100);
    kit_expect(k, "init db/22");
    assert_int_equal(kit_phase(k, "api/1"), CHIEF_PHASE_WAITING);
    kit_bring_up(k, "db/2");
    kit_expect(k, "db/2:initialized; db/2:run; run db/22; ready db/2; init api/12");
    assert_int_equal(kit_generation(k, "db/1"), 1);
    assert_int_equal(kit_generation(k, "api/2"), 1);
}

static void test_step__replicas_stop_level_by_level(void **state) {
    kit *k = *state;
    kit_add(k, "db/1", WORKER());
    kit_add(k, "db/2", WORKER());
    kit_add(k, "api/1", WORKER(AFTER("db")));
    kit_add(k, "api/2", WORKER(AFTER("db")));
    kit_launch(k);
    kit_all(k, STEP_STOP_ALL);
    kit_expect(k, "stopping; cancel api/11 +22500; cancel api/21 +22500");
    kit_exit(k, "api/1", CHIEF_REASON_OK);
    kit_expect(k, "api/1:stopped(ok)");
    kit_exit(k, "api/2", CHIEF_REASON_OK);
    kit_expect(k, "api/2:stopped(ok); cancel db/11 +45000; cancel db/21 +45000");
}

static void test_step__a_stem_none_of_which_is_enabled_is_noted_once(void **state) {
    kit *k = *state;
    kit_add(k, "db/1", DISABLED());
    kit_add(k, "db/2", DISABLED());
    kit_add(k, "log/1", DISABLED());
    kit_add(k, "log/2", WORKER());
    kit_add(k, "api", WORKER(AFTER("db", "log")));
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    kit_all(k, STEP_INIT);
    kit_expect(k, "init log/21; note api db/1");
}

static void test_step__removed_replicas_are_not_waited_for(void **state) {
    kit *k = *state;
    kit_add(k, "db/1", WORKER(ON_FAILURE));
    kit_add(k, "db/2", WORKER(ON_FAILURE));
    kit_add(k, "api", WORKER(ON_FAILURE, AFTER("db")));
    kit_launch(k);
    kit_exit(k, "db/1", CHIEF_REASON_ERROR);
    kit_exit(k, "db/2", CHIEF_REASON_ERROR);
    kit_exit(k, "api", CHIEF_REASON_ERROR);
    kit_tell(k, STEP_START, "api");
    kit_forget(k);
    kit_tell(k, STEP_REMOVE, "db/1");
    kit_expect(k, "removed db/1");
    kit_tell(k, STEP_REMOVE, "db/2");
    kit_expect(k, "removed db/2; init api2");
}

/* Initialised when nothing it waits for was enabled here; then two were. */
static void test_step__held_until_the_last_it_waits_for_is_ready(void **state) {
    kit *k = *state;
    kit_add(k, "a", DISABLED());
    kit_add(k, "b", DISABLED());
    kit_add(k, "c", WORKER(AFTER("a", "b")));
    assert_int_equal(chief__model_link(k->m), CHIEF_OK);
    kit_all(k, STEP_INIT);
    kit_tell(k, STEP_INITIALIZED, "c");
    kit_tell(k, STEP_ENABLE, "a");
    kit_tell(k, STEP_ENABLE, "b");
    kit_all(k, STEP_LAUNCH);
    kit_bring_up(k, "a");
    kit_forget(k);
    kit_tell(k, STEP_INITIALIZED, "b");
    kit_expect(k, "b:initialized; b:run; run b1");
    kit_tell(k, STEP_ENTERED, "b");
    kit_expect(k, "ready b; c:run; run c1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        KIT_TEST(test_step__who_names_a_stem_waits_for_all_replicas),
        KIT_TEST(test_step__who_names_a_replica_waits_for_that_one),
        KIT_TEST(test_step__a_replica_that_fails_is_waited_for_anew),
        KIT_TEST(test_step__replicas_stop_level_by_level),
        KIT_TEST(test_step__a_stem_none_of_which_is_enabled_is_noted_once),
        KIT_TEST(test_step__removed_replicas_are_not_waited_for),
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
        KIT_TEST(test_step__all_dependencies_must_be_ready),
        KIT_TEST(test_step__a_restarted_dependency_must_become_ready_anew),
        KIT_TEST(test_step__dependents_that_run_go_on),
        KIT_TEST(test_step__a_restart_does_not_wait_for_the_ready),
        KIT_TEST(test_step__a_job_that_is_done_counts_as_ready),
        KIT_TEST(test_step__a_failed_dependency_is_waited_for),
        KIT_TEST(test_step__a_job_that_never_said_ready_does_not_count),
        KIT_TEST(test_step__nothing_left_is_told_at_each_change),
        KIT_TEST(test_step__exit_when_done_ends_once),
        KIT_TEST(test_step__exit_when_done_does_not_wait_in_vain),
        KIT_TEST(test_step__exit_when_done_can_come_later),
        KIT_TEST(test_step__held_until_the_last_it_waits_for_is_ready),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
