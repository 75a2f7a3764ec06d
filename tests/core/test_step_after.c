/* Who waits for whom: dependencies on workers and on replicas. */
#include "step_kit.h"

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
    kit_begin(k, "migrate");
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
    kit_begin(k, "a");
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
    kit_begin(k, "a");
    kit_tell(k, STEP_ENTERED, "a");
    kit_forget(k);
    kit_exit(k, "a", CHIEF_REASON_OK);
    kit_expect(k, "a:stopped(ok); nothing_left");
    assert_int_equal(kit_phase(k, "b"), CHIEF_PHASE_WAITING);
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
        KIT_TEST(test_step__all_dependencies_must_be_ready),
        KIT_TEST(test_step__a_restarted_dependency_must_become_ready_anew),
        KIT_TEST(test_step__dependents_that_run_go_on),
        KIT_TEST(test_step__a_restart_does_not_wait_for_the_ready),
        KIT_TEST(test_step__a_job_that_is_done_counts_as_ready),
        KIT_TEST(test_step__a_failed_dependency_is_waited_for),
        KIT_TEST(test_step__a_job_that_never_said_ready_does_not_count),
        KIT_TEST(test_step__held_until_the_last_it_waits_for_is_ready),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
