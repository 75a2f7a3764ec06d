/* The simulation: it decides and tells as a chief does, without a thread and at the time that is set. */
#include "support.h"

static void *setup_sim(const chief_options *o) {
    chief_sim *sim;
    chief_options options = {0};
    if (o != NULL) options = *o;
    options.size = sizeof options;
    assert_int_equal(chief_sim_new(&sim, &options), CHIEF_OK);
    return sim;
}

static int setup(void **state) {
    *state = setup_sim(NULL);
    return 0;
}

static int teardown(void **state) {
    chief_sim_free(*state);
    return 0;
}

static const chief_restart on_failure = {.size = sizeof on_failure, .policy = CHIEF_RESTART_ON_FAILURE, .jitter = -1};

typedef struct made {
    const chief_restart *restart;
    const char *after;
    uint32_t count;
    uint32_t flags;
    int64_t grace;
} made;

static int try_add(chief_sim *sim, const char *name, made m) {
    chief_worker_options o = {.size = sizeof o,
                              .restart = m.restart,
                              .after = &m.after,
                              .count = m.count,
                              .flags = m.flags,
                              .grace = m.grace};
    o.n_after = m.after != NULL;
    return chief_sim_add_worker(sim, name, &o);
}

#define add(sim, name, ...) assert_int_equal(try_add(sim, name, (made){__VA_ARGS__}), CHIEF_OK)

/* One event in a few words: «a:run», «a:failed(error boom)», «restart a +100», else its kind and worker. */
static void write_event(char *text, size_t size, const chief_event *e) {
    char name[32];
    size_t len = strlen(text);
    (void)chief_state_to_string(e->state, name, sizeof name);
    if (len > 0) len += (size_t)snprintf(text + len, size - len, "; ");
    if (e->kind == CHIEF_EVENT_STATE && e->reason > CHIEF_REASON_OK)
        (void)snprintf(text + len, size - len, "%s:%s(%s %s)", e->worker, name, chief_reason_name(e->reason), e->error);
    else if (e->kind == CHIEF_EVENT_STATE) (void)snprintf(text + len, size - len, "%s:%s", e->worker, name);
    else if (e->kind == CHIEF_EVENT_RESTART)
        (void)snprintf(text + len, size - len, "restart %s +%d", e->worker, (int)e->delay_ms);
    else if (e->worker[0] != '\0')
        (void)snprintf(text + len, size - len, "%s %s", chief_event_kind_name(e->kind), e->worker);
    else (void)snprintf(text + len, size - len, "%s %s", chief_event_kind_name(e->kind), e->error);
}

static const char *told(chief_sim *sim) {
    static char text[4096];
    chief_event *some[4];
    size_t n;
    text[0] = '\0';
    do {
        assert_int_equal(chief_sim_take_events(sim, some, 4, &n), CHIEF_OK);
        for (size_t i = 0; i < n; i++) {
            write_event(text, sizeof text, some[i]);
            chief_event_free(some[i]);
        }
    } while (n > 0);
    return text;
}

#define expect(sim, text) assert_string_equal(told(sim), text)

static chief_worker_status status_of(chief_sim *sim, const char *name) {
    static chief_snapshot *snapshot;
    chief_snapshot_free(snapshot);
    assert_int_equal(chief_sim_states(sim, &snapshot), CHIEF_OK);
    const chief_worker_status *status = chief_snapshot_find(snapshot, name);
    assert_non_null(status);
    chief_worker_status copy = *status;
    copy.name = copy.error = copy.traceback = copy.waiting_for = NULL; /* they go with the snapshot */
    chief_snapshot_free(snapshot);
    snapshot = NULL;
    return copy;
}

static void start(chief_sim *sim) {
    assert_int_equal(chief_sim_start(sim), CHIEF_OK);
    (void)told(sim);
}

/* ---- lives ---- */

static void test_sim__a_start_is_told_as_a_chief_tells_it(void **state) {
    chief_sim *sim = *state;
    add(sim, "api", .after = "db");
    add(sim, "db", .count = 2);
    assert_int_equal(chief_sim_start(sim), CHIEF_OK);
    expect(sim, "api:present; db/1:present; db/2:present; api:enabled; db/1:enabled; db/2:enabled; db/1:initialized; "
                "db/2:initialized; db/1:run; db/2:run; ready db/1; ready db/2; api:initialized; api:run; ready api");
    assert_int_equal(chief_sim_now(sim), 0);
    assert_int_equal(chief_sim_deadline(sim), -1);
    assert_int_equal(status_of(sim, "db/2").phase, CHIEF_PHASE_UP);
}

static void test_sim__a_failure_is_followed_by_its_restart(void **state) {
    chief_sim *sim = *state;
    add(sim, "a", .restart = &on_failure);
    start(sim);
    assert_int_equal(chief_sim_fail(sim, "a", CHIEF_REASON_NONE, 0, "boom"), CHIEF_OK);
    expect(sim, "a:failed(error boom); restart a +100");
    assert_int_equal(chief_sim_deadline(sim), 100);
    assert_int_equal(status_of(sim, "a").until_ms, 100);
    assert_int_equal(chief_sim_advance(sim, 99), CHIEF_OK);
    expect(sim, "");
    assert_int_equal(status_of(sim, "a").until_ms, 1);
    assert_int_equal(chief_sim_advance(sim, 1), CHIEF_OK);
    expect(sim, "a:initialized; a:run; ready a");
    assert_int_equal(chief_sim_fail(sim, "a", CHIEF_REASON_LUA_ERROR, 0, NULL), CHIEF_OK);
    expect(sim, "a:failed(lua_error lua_error); restart a +200");
    assert_int_equal(chief_sim_advance(sim, 60000), CHIEF_OK);
    assert_int_equal(chief_sim_now(sim), 60100);
    expect(sim, "a:initialized; a:run; ready a");
    assert_int_equal(chief_sim_fail(sim, "a", CHIEF_REASON_ERROR, 0, "late"), CHIEF_OK);
    expect(sim, "a:failed(error late); restart a +100"); /* it was healthy meanwhile */
    assert_int_equal(status_of(sim, "a").generation, 3);
    assert_int_equal(status_of(sim, "a").restarts, 3);
}

static void test_sim__events_have_the_time_of_the_simulation(void **state) {
    chief_sim *sim = *state;
    chief_event *e;
    size_t n;
    add(sim, "a", .restart = &on_failure);
    start(sim);
    assert_int_equal(chief_sim_advance(sim, 5000), CHIEF_OK);
    assert_int_equal(chief_sim_fail(sim, "a", CHIEF_REASON_ERROR, 0, NULL), CHIEF_OK);
    (void)told(sim);
    assert_int_equal(chief_sim_advance(sim, 1000), CHIEF_OK);
    assert_int_equal(chief_sim_take_events(sim, &e, 1, &n), CHIEF_OK);
    assert_int_equal(n, 1);
    assert_int_equal(e->time_ms, 5100);
    chief_event_free(e);
}

static void test_sim__inits_fail_as_often_as_was_said(void **state) {
    chief_sim *sim = *state;
    add(sim, "a", .restart = &on_failure);
    assert_int_equal(chief_sim_fail_init(sim, "a", 2, "no port"), CHIEF_OK);
    start(sim);
    assert_int_equal(chief_sim_advance(sim, 100), CHIEF_OK);
    expect(sim, "a:failed(init_error no port); restart a +200");
    assert_int_equal(chief_sim_advance(sim, 200), CHIEF_OK);
    expect(sim, "a:initialized; a:run; ready a");
}

static void test_sim__a_clean_end_rests_or_ends_all(void **state) {
    (void)state;
    for (int all = 0; all < 2; all++) {
        chief_sim *sim = setup_sim(&(chief_options){.exit_when_done = all});
        add(sim, "a", .restart = &on_failure);
        start(sim);
        assert_int_equal(chief_sim_finish(sim, "a"), CHIEF_OK);
        if (all) expect(sim, "a:stopped; stopped ");
        else expect(sim, "a:stopped; note nothing left to run");
        assert_int_equal(chief_sim_has_stopped(sim), all);
        assert_int_equal(chief_sim_exit_code(sim), 0);
        chief_sim_free(sim);
    }
}

static void test_sim__readiness_is_said_or_times_out(void **state) {
    chief_sim *sim = *state;
    add(sim, "db", .flags = CHIEF_WORKER_SAYS_READY);
    add(sim, "api", .after = "db");
    start(sim);
    assert_int_equal(chief_sim_ready(sim, "db"), CHIEF_OK);
    expect(sim, "ready db; api:initialized; api:run; ready api");
    assert_int_equal(chief_sim_restart_worker(sim, "db"), CHIEF_OK);
    expect(sim, "db:stopped; db:initialized; db:run");
    assert_int_equal(chief_sim_deadline(sim), 30000);
    assert_int_equal(chief_sim_advance(sim, 30000), CHIEF_OK);
    expect(sim, "db:failed(start_timeout not ready within its start_timeout); given_up db");
}

static void test_sim__who_fails_too_often_is_given_up(void **state) {
    (void)state;
    static const chief_restart often = {
        .size = sizeof often, .policy = CHIEF_RESTART_ON_FAILURE, .max_restarts = 2, .window = 30000, .jitter = -1};
    chief_sim *sim = setup_sim(NULL);
    add(sim, "db", .count = 1);
    add(sim, "api", .restart = &often, .flags = CHIEF_WORKER_CRITICAL, .after = "db");
    start(sim);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(chief_sim_fail(sim, "api", CHIEF_REASON_ERROR, 0, "boom"), CHIEF_OK);
        assert_int_equal(chief_sim_advance(sim, 10000), CHIEF_OK);
    }
    (void)told(sim);
    assert_int_equal(chief_sim_fail(sim, "api", CHIEF_REASON_ERROR, 0, "boom"), CHIEF_OK);
    expect(sim,
           "api:failed(error boom); given_up api; stopping critical worker api given up: 3 failures in 30.0 s: boom; "
           "db:stopped; stopped critical worker api given up: 3 failures in 30.0 s: boom");
    assert_int_equal(chief_sim_exit_code(sim), 70);
    chief_sim_free(sim);
}

static void test_sim__an_exit_code_may_forbid_the_restart(void **state) {
    (void)state;
    static const int32_t codes[] = {2, 3};
    chief_sim *sim = setup_sim(NULL);
    chief_worker_options o = {
        .size = sizeof o, .restart = &on_failure, .no_restart_codes = codes, .n_no_restart_codes = 2};
    assert_int_equal(chief_sim_add_worker(sim, "a", &o), CHIEF_OK);
    start(sim);
    assert_int_equal(chief_sim_fail(sim, "a", CHIEF_REASON_ERROR, 1, NULL), CHIEF_OK);
    expect(sim, "a:failed(error exit 1); restart a +100");
    assert_int_equal(chief_sim_advance(sim, 100), CHIEF_OK);
    (void)told(sim);
    assert_int_equal(chief_sim_fail(sim, "a", CHIEF_REASON_ERROR, 3, NULL), CHIEF_OK);
    expect(sim, "a:failed(error exit 3); given_up a; note nothing left to run (1 failed: a)");
    chief_sim_free(sim);
}

static void test_sim__groups_go_together_and_the_whole_has_a_budget(void **state) {
    (void)state;
    static const char *const names[] = {"db", "api"};
    chief_sim *sim = setup_sim(&(chief_options){.max_restarts = 1, .restart_window = 1000});
    add(sim, "db", .restart = &on_failure);
    add(sim, "api", .restart = &on_failure);
    assert_int_equal(chief_sim_add_group(sim, "both", CHIEF_ONE_FOR_ALL, names, 2), CHIEF_OK);
    start(sim);
    assert_int_equal(chief_sim_add_group(sim, "late", CHIEF_ONE_FOR_ALL, names, 2), CHIEF_EBUSY);
    assert_int_equal(chief_sim_fail(sim, "api", CHIEF_REASON_ERROR, 0, "boom"), CHIEF_OK);
    expect(sim,
           "api:failed(error boom); restart api +100; restart db +100; db:stopped; db:initialized; db:run; ready db");
    assert_int_equal(chief_sim_advance(sim, 100), CHIEF_OK);
    expect(sim, "api:initialized; api:run; ready api");
    assert_int_equal(chief_sim_fail(sim, "db", CHIEF_REASON_ERROR, 0, "bang"), CHIEF_OK);
    assert_int_equal(chief_sim_exit_code(sim), 70);
    chief_sim_free(sim);
}

/* ---- stops ---- */

static void test_sim__a_stop_goes_level_by_level(void **state) {
    chief_sim *sim = *state;
    add(sim, "db", .count = 1);
    add(sim, "api", .after = "db");
    start(sim);
    assert_int_equal(chief_sim_stop(sim), CHIEF_OK);
    expect(sim, "stopping asked to stop; api:stopped; db:stopped; stopped ");
    assert_int_equal(chief_sim_has_stopped(sim), 1);
    assert_int_equal(chief_sim_stop(sim), CHIEF_OK);
    assert_int_equal(chief_sim_start_worker(sim, "db"), CHIEF_ECLOSED);
}

static void test_sim__who_does_not_stop_is_interrupted_or_abandoned(void **state) {
    chief_sim *sim = *state;
    add(sim, "busy", .grace = 1000);
    add(sim, "stuck", .grace = 2000);
    start(sim);
    assert_int_equal(chief_sim_behave(sim, "busy", CHIEF_SIM_BUSY), CHIEF_OK);
    assert_int_equal(chief_sim_behave(sim, "stuck", CHIEF_SIM_STUCK), CHIEF_OK);
    assert_int_equal(chief_sim_stop(sim), CHIEF_OK);
    expect(sim, "stopping asked to stop");
    assert_int_equal(chief_sim_advance(sim, 1000), CHIEF_OK);
    expect(sim, "forced busy; busy:stopped(killed )");
    assert_int_equal(chief_sim_advance(sim, 2000), CHIEF_OK);
    expect(sim, "forced stuck; stuck:failed(killed did not end within its grace); abandoned stuck; stopped Graceful "
                "exit timeout exceeded: busy, stuck");
    assert_int_equal(chief_sim_exit_code(sim), 75);
}

static void test_sim__an_abandoned_one_can_end_after_all(void **state) {
    chief_sim *sim = *state;
    add(sim, "a", .grace = 10);
    start(sim);
    assert_int_equal(chief_sim_behave(sim, "a", CHIEF_SIM_STUCK), CHIEF_OK);
    assert_int_equal(chief_sim_stop_worker(sim, "a"), CHIEF_OK);
    assert_int_equal(chief_sim_advance(sim, 10000), CHIEF_OK);
    assert_int_equal(chief_sim_start_worker(sim, "a"), CHIEF_EBUSY);
    assert_int_equal(chief_sim_fail(sim, "a", CHIEF_REASON_ERROR, 0, NULL), CHIEF_ESTATE);
    support_says("worker a does not run: it is failed (abandoned)");
    assert_int_equal(chief_sim_finish(sim, "a"), CHIEF_OK);
    (void)told(sim);
    assert_int_equal(chief_sim_start_worker(sim, "a"), CHIEF_OK);
    expect(sim, "a:initialized; a:run; ready a");
}

static void test_sim__a_second_signal_forces(void **state) {
    chief_sim *sim = *state;
    add(sim, "a", .grace = 30000);
    start(sim);
    assert_int_equal(chief_sim_behave(sim, "a", CHIEF_SIM_BUSY), CHIEF_OK);
    assert_int_equal(chief_sim_signal(sim), CHIEF_OK);
    assert_int_equal(chief_sim_advance(sim, 499), CHIEF_OK);
    assert_int_equal(chief_sim_signal(sim), CHIEF_OK);
    expect(sim, "stopping SIGTERM");
    assert_int_equal(chief_sim_advance(sim, 1), CHIEF_OK);
    assert_int_equal(chief_sim_signal(sim), CHIEF_OK);
    expect(sim, "forced a; a:stopped(killed ); stopped Graceful exit timeout exceeded: a");
}

static void test_sim__workers_come_and_go(void **state) {
    chief_sim *sim = *state;
    const char *a = "a";
    add(sim, "a", .count = 1);
    add(sim, "b", .count = 1);
    assert_int_equal(chief_sim_enable_workers(sim, &a, 1), CHIEF_OK);
    start(sim);
    assert_int_equal(chief_sim_start_worker(sim, "b"), CHIEF_EENABLE);
    const char *b = "b";
    assert_int_equal(chief_sim_enable_workers(sim, &b, 1), CHIEF_OK);
    assert_int_equal(chief_sim_start_worker(sim, "b"), CHIEF_OK);
    expect(sim, "b:enabled; b:initialized; b:run; ready b");
    add(sim, "c", .after = "a", .count = 2);
    expect(sim, "c/1:present; c/1:enabled; c/2:present; c/2:enabled; c/1:initialized; c/1:run; "
                "c/2:initialized; c/2:run; ready c/1; ready c/2");
    assert_int_equal(chief_sim_remove_worker(sim, "c"), CHIEF_OK);
    expect(sim, "c/1:stopped; removed c/1; c/2:stopped; removed c/2");
    assert_int_equal(chief_sim_stop_worker(sim, "c"), CHIEF_ENOENT);
    assert_int_equal(chief_sim_start_worker(sim, "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    expect(sim, "wrong_state_change a");
}

/* ---- wrong use ---- */

static void test_sim__wrong_use_is_told(void **state) {
    chief_sim *sim = *state;
    add(sim, "a", .count = 1);
    add(sim, "twin", .count = 2);
    assert_int_equal(chief_sim_stop(sim), CHIEF_ENOTINIT);
    assert_int_equal(chief_sim_start_worker(sim, "a"), CHIEF_ENOTINIT);
    assert_int_equal(chief_sim_fail(sim, "a", CHIEF_REASON_ERROR, 0, NULL), CHIEF_ESTATE);
    support_says("worker a does not run: it is present (idle)");
    start(sim);
    assert_int_equal(chief_sim_start(sim), CHIEF_EBUSY);
    assert_int_equal(chief_sim_fail(sim, "b", CHIEF_REASON_ERROR, 0, NULL), CHIEF_ENOENT);
    support_says("invalid service name b; there are: a, twin (twin/1, twin/2)");
    assert_int_equal(chief_sim_fail(sim, "twin", CHIEF_REASON_ERROR, 0, NULL), CHIEF_ENOENT);
    support_says("worker twin has replicas: say which, such as twin/1");
    assert_int_equal(chief_sim_fail(sim, "a", CHIEF_REASON_OK, 0, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_sim_fail(sim, "a", 99, 0, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_sim_ready(sim, "a"), CHIEF_EINVAL);
    support_says("worker a is ready when it runs");
    assert_int_equal(chief_sim_advance(sim, -1), CHIEF_EINVAL);
    support_says("time does not go backwards");
    assert_int_equal(chief_sim_behave(sim, "a", 7), CHIEF_EINVAL);
    assert_int_equal(chief_sim_behave(sim, "b", CHIEF_SIM_BUSY), CHIEF_ENOENT);
    assert_int_equal(chief_sim_fail_init(sim, "b", 1, NULL), CHIEF_ENOENT);
    assert_int_equal(chief_sim_finish(sim, "a"), CHIEF_OK);
    assert_int_equal(chief_sim_finish(sim, "a"), CHIEF_ESTATE);
    support_says("worker a does not run: it is stopped (idle)");
    assert_int_equal(try_add(sim, "a", (made){0}), CHIEF_EEXIST);
    assert_int_equal(try_add(sim, "x", (made){.after = "y"}), CHIEF_ENOENT);
    assert_int_equal(chief_sim_now(sim), 0);
}

static void test_sim__nothing_is_no_simulation(void **state) {
    (void)state;
    chief_sim *none = NULL;
    chief_snapshot *snapshot;
    chief_event *e;
    size_t n = 7;
    assert_int_equal(chief_sim_new(NULL, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_sim_new(&none, &(chief_options){.size = sizeof(chief_options), .init_timeout = -1}),
                     CHIEF_EINVAL);
    assert_null(none);
    assert_int_equal(chief_sim_add_worker(none, "a", NULL), CHIEF_EINVAL);
    assert_int_equal(chief_sim_add_group(none, "g", CHIEF_ONE_FOR_ALL, NULL, 0), CHIEF_EINVAL);
    assert_int_equal(chief_sim_enable_workers(none, NULL, 0), CHIEF_EINVAL);
    assert_int_equal(chief_sim_start(none), CHIEF_EINVAL);
    assert_int_equal(chief_sim_advance(none, 0), CHIEF_EINVAL);
    assert_int_equal(chief_sim_fail(none, "a", 0, 0, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_sim_fail_init(none, "a", 1, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_sim_finish(none, "a"), CHIEF_EINVAL);
    assert_int_equal(chief_sim_ready(none, "a"), CHIEF_EINVAL);
    assert_int_equal(chief_sim_behave(none, "a", 0), CHIEF_EINVAL);
    assert_int_equal(chief_sim_stop(none), CHIEF_EINVAL);
    assert_int_equal(chief_sim_force_stop(none), CHIEF_EINVAL);
    assert_int_equal(chief_sim_signal(none), CHIEF_EINVAL);
    assert_int_equal(chief_sim_restart_worker(none, "a"), CHIEF_EINVAL);
    assert_int_equal(chief_sim_states(none, &snapshot), CHIEF_EINVAL);
    assert_int_equal(chief_sim_take_events(none, &e, 1, &n), CHIEF_EINVAL);
    assert_int_equal(n, 0);
    assert_int_equal(chief_sim_now(none), 0);
    assert_int_equal(chief_sim_deadline(none), -1);
    assert_int_equal(chief_sim_has_stopped(none), 0);
    assert_int_equal(chief_sim_exit_code(none), 0);
    chief_sim_free(none);
}

/* ---- memory ---- */

static int whole_life(void) {
    chief_sim *sim = NULL;
    chief_worker_options o = {.size = sizeof o, .restart = &on_failure, .count = 2};
    int rc = chief_sim_new(&sim, &(chief_options){.size = sizeof(chief_options), .event_capacity = 16});
    if (rc == CHIEF_OK) rc = chief_sim_add_worker(sim, "a", &o);
    if (rc == CHIEF_OK) rc = chief_sim_fail_init(sim, "a/2", 1, "no");
    if (rc == CHIEF_OK) rc = chief_sim_start(sim);
    if (rc == CHIEF_OK) rc = chief_sim_fail(sim, "a/1", CHIEF_REASON_ERROR, 0, "boom");
    if (rc == CHIEF_OK) rc = chief_sim_advance(sim, 1000);
    if (rc == CHIEF_OK) rc = chief_sim_add_worker(sim, "b", &o);
    if (rc == CHIEF_OK) rc = chief_sim_remove_worker(sim, "b");
    if (rc == CHIEF_OK) rc = chief_sim_stop(sim);
    chief_sim_free(sim);
    return rc;
}

static void test_sim__out_of_memory(void **state) {
    (void)state;
    assert_true(support_out_of_memory(whole_life) > 40);
}

#define SIM_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        SIM_TEST(test_sim__a_start_is_told_as_a_chief_tells_it),
        SIM_TEST(test_sim__a_failure_is_followed_by_its_restart),
        SIM_TEST(test_sim__events_have_the_time_of_the_simulation),
        SIM_TEST(test_sim__inits_fail_as_often_as_was_said),
        cmocka_unit_test(test_sim__a_clean_end_rests_or_ends_all),
        SIM_TEST(test_sim__readiness_is_said_or_times_out),
        cmocka_unit_test(test_sim__who_fails_too_often_is_given_up),
        cmocka_unit_test(test_sim__an_exit_code_may_forbid_the_restart),
        cmocka_unit_test(test_sim__groups_go_together_and_the_whole_has_a_budget),
        SIM_TEST(test_sim__a_stop_goes_level_by_level),
        SIM_TEST(test_sim__who_does_not_stop_is_interrupted_or_abandoned),
        SIM_TEST(test_sim__an_abandoned_one_can_end_after_all),
        SIM_TEST(test_sim__a_second_signal_forces),
        SIM_TEST(test_sim__workers_come_and_go),
        SIM_TEST(test_sim__wrong_use_is_told),
        cmocka_unit_test(test_sim__nothing_is_no_simulation),
        cmocka_unit_test(test_sim__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
