/* The fault cases of restart policies in a whole chief, for C workers in threads, as fibers and in processes: who is given up, and what follows. Each
 * test bears its number; the table is tests/faults/README.md. */
#include "probe.h"

#define ALWAYS (1 << 30)

/* Reads events until one of that kind; the caller frees it. */
static chief_event *await_event(chief *c, int32_t kind) {
    chief_event *event;
    size_t n;
    for (;;) {
        assert_int_equal(chief_take_events(c, &event, 1, support_ms(ANSWER_MS), &n), CHIEF_OK);
        if (event->kind == kind) return event;
        chief_event_free(event);
    }
}

static void expect_given_up(chief *c, const char *worker, const char *why, const char *error) {
    chief_event *event = await_event(c, CHIEF_EVENT_GIVEN_UP);
    char text[256];
    (void)snprintf(text, sizeof text, "given up: %s: %s", why, error);
    assert_string_equal(event->worker, worker);
    assert_string_equal(event->error, text);
    chief_event_free(event);
    chief_snapshot *s;
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    const chief_worker_status *status = chief_snapshot_find(s, worker);
    assert_int_equal(status->phase, CHIEF_PHASE_GIVEN_UP);
    assert_int_equal(status->state, CHIEF_WORKER_FAILED);
    assert_string_equal(status->why, why);
    assert_string_equal(status->error, error);
    assert_string_equal(status->waiting_for, "");
    chief_snapshot_free(s);
}

static void test_fault_04__too_many_failures_in_the_window(void **state) {
    (void)state;
    static const chief_restart r = {.size = sizeof r,
                                    .policy = CHIEF_RESTART_ON_FAILURE,
                                    .delay = CHIEF_ZERO,
                                    .max_restarts = 3,
                                    .window = 3600000};
    probe *p = PROBE(.fail_runs = 4);
    chief_worker_options o = {.restart = &r};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", p, &o);
    launch(c);
    expect_given_up(c, "a", "4 failures in 3600.0 s", "run returned 9");
    assert_int_equal(p->runs, 4);
    assert_int_equal(chief_send(c, "a", "x", 1, 0), CHIEF_ENOENT);
    assert_int_equal(chief_start_worker(c, "a"), CHIEF_OK);
    assert_int_equal(chief_wait_state(c, "a", CHIEF_WORKER_RUN, support_ms(ANSWER_MS)), CHIEF_OK);
    chief_snapshot *s;
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    assert_string_equal(chief_snapshot_at(s, 0)->why, "");
    chief_snapshot_free(s);
    end(c, CHIEF_OK);
    assert_int_equal(p->runs, 5);
}

static void test_fault_04__the_first_failure_is_one_too_many(void **state) {
    (void)state;
    static const chief_restart r = {
        .size = sizeof r, .policy = CHIEF_RESTART_ON_FAILURE, .max_restarts = CHIEF_ZERO, .window = 500};
    probe *p = PROBE(.fail_runs = 4);
    chief_worker_options o = {.restart = &r};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", p, &o);
    launch(c);
    expect_given_up(c, "a", "1 failure in 0.5 s", "run returned 9");
    end(c, CHIEF_EFAILED);
    assert_int_equal(p->runs, 1);
}

static void count_hook(void *data) { (void)atomic_fetch_add((atomic_int *)data, 1); }

/* `low` and `high` run; `db`, which is critical, fails twice. */
static void test_fault_09__a_critical_worker_given_up_stops_the_app(void **state) {
    (void)state;
    static const chief_restart r = {
        .size = sizeof r, .policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO, .max_restarts = 1, .window = 60000};
    const char *after_low[] = {"low"};
    const char *after_high[] = {"high"};
    atomic_int *order = share_room(sizeof *order);
    atomic_int hooks = 0;
    probe *low = PROBE(.order = order);
    probe *high = PROBE(.order = order);
    probe *db = PROBE(.fail_runs = 100);
    chief_worker_options of_high = {.after = after_low, .n_after = 1};
    chief_worker_options of_db = {.restart = &r, .after = after_high, .n_after = 1, .flags = CHIEF_WORKER_CRITICAL};
    chief *c = support_quiet_chief(NULL);
    add(c, "low", low, NULL);
    add(c, "high", high, &of_high);
    add(c, "db", db, &of_db);
    assert_int_equal(chief_on_shutdown(c, count_hook, &hooks), CHIEF_OK);
    launch(c);
    expect_given_up(c, "db", "2 failures in 60.0 s", "run returned 9");
    chief_event *stopping = await_event(c, CHIEF_EVENT_STOPPING);
    assert_string_equal(stopping->error, "critical worker db given up: 2 failures in 60.0 s: run returned 9");
    chief_event_free(stopping);
    chief_event *stopped = await_event(c, CHIEF_EVENT_STOPPED);
    assert_string_equal(stopped->error, "critical worker db given up: 2 failures in 60.0 s: run returned 9");
    chief_event_free(stopped);
    assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), CHIEF_EFAILED);
    support_says("critical worker db given up");
    assert_int_equal(chief_exit_code(c), 70);
    assert_int_equal(high->end_place, 1);
    assert_int_equal(low->end_place, 2);
    assert_int_equal(hooks, 1);
    assert_int_equal(db->runs, 2);
    chief_free(c);
}

/* Ignores its stop; its data is a probe. */
static int deaf_run(chief_worker *ctx, void *instance) {
    probe *p = instance;
    (void)ctx;
    (void)atomic_fetch_add(&p->runs, 1);
    gate_pass(p->let_go);
    return 0;
}

/* Of several, 75 before 70 before 1. */
static void test_fault_09__who_has_to_be_abandoned_comes_first(void **state) {
    (void)state;
    static const chief_worker_ops deaf_ops = {.size = sizeof deaf_ops, .run = deaf_run};
    const char *after[] = {"deaf"};
    chief_worker_options of_deaf = {.size = sizeof of_deaf, .grace = 10, .destroy = probe_destroy};
    chief_worker_options of_db = {.flags = CHIEF_WORKER_CRITICAL, .after = after, .n_after = 1};
    probe *db = PROBE(.fail_runs = 1);
    gate *let_go = gate_new();
    probe *deaf = PROBE(.let_go = let_go);
    chief *c = support_quiet_chief(NULL);
    assert_int_equal(add_worker(c, "deaf", &deaf_ops, deaf, &of_deaf), CHIEF_OK);
    add(c, "db", db, &of_db);
    launch(c);
    assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), CHIEF_ETIMEDOUT);
    assert_int_equal(chief_exit_code(c), 75);
    gate_open(let_go);
    chief_free(c);
    await_destroyed(deaf);
}

static void test_fault_14__a_final_exit_code_is_not_restarted(void **state) {
    (void)state;
    static const int32_t codes[] = {3, 64};
    static const chief_restart r = {.size = sizeof r, .policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO};
    probe *in_run = PROBE(.fail_runs = 100, .code = 64);
    probe *in_init = PROBE(.fail_inits = ALWAYS, .code = 3);
    probe *other = PROBE(.fail_runs = 1, .code = 4);
    chief_worker_options o = {.restart = &r, .no_restart_codes = codes, .n_no_restart_codes = 2};
    chief *c = support_quiet_chief(NULL);
    add(c, "in_run", in_run, &o);
    launch(c);
    expect_given_up(c, "in_run", "its exit code 64 is one of no_restart_codes", "exit 64");
    add(c, "in_init", in_init, &o);
    expect_given_up(c, "in_init", "its exit code 3 is one of no_restart_codes", "exit 3");
    add(c, "other", other, &o);
    chief_event_free(await_event(c, CHIEF_EVENT_RESTART));
    chief_event_free(await_event(c, CHIEF_EVENT_READY));
    end(c, CHIEF_EFAILED);
    assert_int_equal(in_run->runs, 1);
    assert_int_equal(other->runs, 2);
}

/* Lets one fail that waits for a message. */
static int touchy_run(chief_worker *ctx, void *instance) {
    probe *p = instance;
    chief_msg *msg;
    (void)atomic_fetch_add(&p->runs, 1);
    int rc = chief_worker_recv(ctx, CHIEF_FOREVER, &msg);
    if (rc == CHIEF_OK) chief_msg_free(msg);
    probe_note_end(p);
    return rc == CHIEF_OK ? 9 : 0;
}

static int touchy_init(chief_worker *ctx, void *data, void **instance) {
    probe *p = data;
    (void)ctx;
    *instance = p;
    return p->fail_inits > 0 ? 3 : 0;
}

static const chief_worker_ops touchy = {.size = sizeof touchy, .init = touchy_init, .run = touchy_run};

static const chief_restart at_once = {
    .size = sizeof at_once, .policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO, .jitter = -1};

static const char *const abc[] = {"a", "b", "c"};

static probe *three_probes(atomic_int *order) {
    probe *p = share_room(3 * sizeof *p);
    for (int i = 0; i < 3; i++) p[i].order = order;
    return p;
}

static chief *three(probe *p, int32_t policy, const chief_restart *restart) {
    chief_worker_options o = {.size = sizeof o, .restart = restart};
    chief *c = support_quiet_chief(NULL);
    assert_int_equal(chief_add_group(c, "g", policy, abc, 3), CHIEF_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(add_worker(c, abc[i], &touchy, &p[i], &o), CHIEF_OK);
    launch(c);
    assert_int_equal(chief_wait_ready(c, support_ms(ANSWER_MS)), CHIEF_OK);
    return c;
}

static uint64_t restarts_of(chief *c, const char *name) {
    chief_snapshot *s;
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    uint64_t restarts = chief_snapshot_find(s, name)->restarts;
    chief_snapshot_free(s);
    return restarts;
}

static void test_fault_12__rest_for_one(void **state) {
    (void)state;
    atomic_int *order = share_room(sizeof *order);
    probe *p = three_probes(order);
    chief *c = three(p, CHIEF_REST_FOR_ONE, &at_once);
    assert_int_equal(chief_send(c, "b", "x", 1, 0), CHIEF_OK);
    await_count(&p[2].runs, 2);
    chief_event *event = await_event(c, CHIEF_EVENT_RESTART);
    assert_string_equal(event->worker, "b");
    assert_string_equal(event->error, "");
    chief_event_free(event);
    event = await_event(c, CHIEF_EVENT_RESTART);
    assert_string_equal(event->worker, "c");
    assert_string_equal(event->error, "its group restarts with b");
    chief_event_free(event);
    assert_int_equal(p[1].end_place, 1);
    assert_int_equal(p[2].end_place, 2);
    assert_int_equal(p[0].end_place, 0);
    assert_int_equal(p[1].runs, 2);
    assert_int_equal(p[0].runs, 1);
    assert_int_equal(restarts_of(c, "a"), 0);
    assert_int_equal(restarts_of(c, "c"), 1);
    end(c, CHIEF_OK);
}

static void test_fault_12__one_for_all(void **state) {
    (void)state;
    atomic_int *order = share_room(sizeof *order);
    probe *p = three_probes(order);
    chief *c = three(p, CHIEF_ONE_FOR_ALL, &at_once);
    assert_int_equal(chief_send(c, "b", "x", 1, 0), CHIEF_OK);
    await_count(&p[2].runs, 2);
    assert_int_equal(p[1].end_place, 1);
    assert_int_equal(p[2].end_place, 2);
    assert_int_equal(p[0].end_place, 3);
    assert_int_equal(p[0].runs, 2);
    assert_int_equal(p[1].runs, 2);
    end(c, CHIEF_OK);
}

/* c, which can't start any more, is retried alone: the others run on. */
static void test_fault_12__who_fails_to_start_is_retried_alone(void **state) {
    (void)state;
    static const chief_restart few = {.size = sizeof few,
                                      .policy = CHIEF_RESTART_ON_FAILURE,
                                      .delay = CHIEF_ZERO,
                                      .max_restarts = 3,
                                      .window = 3600000};
    for (int32_t policy = CHIEF_ONE_FOR_ALL; policy <= CHIEF_REST_FOR_ONE; policy++) {
        probe *p = three_probes(NULL);
        chief *c = three(p, policy, &few);
        p[2].fail_inits = ALWAYS;
        assert_int_equal(chief_send(c, "b", "x", 1, 0), CHIEF_OK);
        expect_given_up(c, "c", "4 failures in 3600.0 s", "init returned 3");
        assert_int_equal(p[0].runs, policy == CHIEF_ONE_FOR_ALL ? 2 : 1);
        assert_int_equal(p[1].runs, 2);
        assert_int_equal(p[2].runs, 1);
        end(c, CHIEF_EFAILED);
    }
}

/* The budget is of all together, whatever each may have. */
static void test_fault_policies__a_spent_budget_stops_the_app(void **state) {
    (void)state;
    static const chief_restart r = {.size = sizeof r, .policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO};
    chief_options co = {.max_restarts = 4, .restart_window = 3600000};
    chief_worker_options o = {.restart = &r};
    probe *a = PROBE(.fail_runs = 2);
    probe *b = PROBE(.fail_runs = 100);
    chief *c = support_quiet_chief(&co);
    add(c, "a", a, &o);
    launch(c);
    await_count(&a->runs, 3);
    add(c, "b", b, &o);
    expect_given_up(c, "b", "all together were to be restarted more than 4 times in 3600.0 s", "run returned 9");
    chief_event *stopping = await_event(c, CHIEF_EVENT_STOPPING);
    assert_string_equal(stopping->error,
                        "restart budget spent, worker b given up: all together were to be restarted more than 4 times "
                        "in 3600.0 s: run returned 9");
    chief_event_free(stopping);
    assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), CHIEF_EFAILED);
    support_says("restart budget spent");
    assert_int_equal(chief_exit_code(c), 70);
    assert_int_equal(a->runs, 3);
    assert_int_equal(b->runs, 3);
    chief_free(c);
}

static void refuse_chief(const chief_options *given, const char *text) {
    chief *c;
    chief_options o = *given;
    o.size = sizeof o;
    assert_int_equal(chief_new(&c, &o), CHIEF_EINVAL);
    support_says(text);
}

static void test_fault_policies__no_budget_is_refused(void **state) {
    (void)state;
    refuse_chief(&(chief_options){.max_restarts = -1}, "max_restarts should be from 0 to 65536");
    refuse_chief(&(chief_options){.max_restarts = 65537}, "max_restarts should be from 0 to 65536");
    refuse_chief(&(chief_options){.max_restarts = 1, .restart_window = -1}, "restart_window is negative");
    refuse_chief(&(chief_options){.restart_window = 1}, "without max_restarts limits nothing");
}

static void test_fault_policies__groups_come_before_the_start(void **state) {
    (void)state;
    probe *a = PROBE(0);
    const char *other[] = {"x"};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", a, NULL);
    assert_int_equal(chief_add_group(NULL, "g", CHIEF_ONE_FOR_ALL, abc, 1), CHIEF_EINVAL);
    assert_int_equal(chief_add_group(c, "no good", CHIEF_ONE_FOR_ALL, abc, 1), CHIEF_EINVAL);
    assert_int_equal(chief_add_group(c, "g", CHIEF_ONE_FOR_ALL, other, 1), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_ENOENT);
    support_says("group g: its list names \"x\"; there are: a");
    add(c, "x", a, NULL);
    launch(c);
    assert_int_equal(chief_add_group(c, "h", CHIEF_ONE_FOR_ALL, abc, 1), CHIEF_EBUSY);
    end(c, CHIEF_OK);
}

/* Says it is ready at the first message, ends with an error at the second. */
static int shy_run(chief_worker *ctx, void *instance) {
    probe *p = instance;
    chief_msg *msg;
    (void)atomic_fetch_add(&p->runs, 1);
    for (int i = 0; chief_worker_recv(ctx, CHIEF_FOREVER, &msg) == CHIEF_OK; i++) {
        chief_msg_free(msg);
        if (i == 1) return 9;
        chief_worker_ready(ctx);
    }
    return 0;
}

static const chief_worker_ops shy = {.size = sizeof shy, .init = touchy_init, .run = shy_run};

static void tell(chief *c, const char *name) { assert_int_equal(chief_send(c, name, "x", 1, 0), CHIEF_OK); }

/* The phase is written right after the state. */
static bool b_waits_for_a(void *c) {
    chief_snapshot *s;
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    const chief_worker_status *b = chief_snapshot_find(s, "b");
    bool waits = b->phase == CHIEF_PHASE_WAITING && strcmp(b->waiting_for, "a") == 0;
    chief_snapshot_free(s);
    return waits;
}

static void test_fault_30__one_start_when_what_it_waits_for_is_ready(void **state) {
    (void)state;
    const char *after[] = {"a"};
    probe *a = PROBE(0);
    probe *b = PROBE(0);
    chief_worker_options of_a = {.size = sizeof of_a, .flags = CHIEF_WORKER_SAYS_READY, .restart = &at_once};
    chief_worker_options of_b = {.after = after, .n_after = 1};
    chief *c = support_quiet_chief(NULL);
    assert_int_equal(add_worker(c, "a", &shy, a, &of_a), CHIEF_OK);
    add(c, "b", b, &of_b);
    launch(c);
    for (int i = 0; i < 3; i++) assert_int_equal(chief_restart_worker(c, "b"), CHIEF_OK);
    assert_int_equal(b->runs, 0);
    tell(c, "a");
    await_count(&b->runs, 1);
    assert_int_equal(chief_wait_ready(c, support_ms(ANSWER_MS)), CHIEF_OK);
    tell(c, "a"); /* a fails; its next life has not said that it is ready */
    await_count(&a->runs, 2);
    assert_int_equal(chief_restart_worker(c, "b"), CHIEF_OK);
    assert_int_equal(chief_wait_state(c, "b", CHIEF_WORKER_STOPPED, support_ms(ANSWER_MS)), CHIEF_OK);
    assert_true(support_until(b_waits_for_a, c, ANSWER_MS));
    assert_int_equal(b->runs, 1);
    tell(c, "a");
    await_count(&b->runs, 2);
    end(c, CHIEF_OK);
    assert_int_equal(b->runs, 2);
}

/* One that is not ready in time is asked to end, and has failed. */
static void test_fault_policies__late_to_be_ready(void **state) {
    (void)state;
    static const chief_restart one = {.size = sizeof one,
                                      .policy = CHIEF_RESTART_ON_FAILURE,
                                      .delay = CHIEF_ZERO,
                                      .max_restarts = 1,
                                      .window = 3600000};
    probe *a = PROBE(0);
    chief_worker_options o = {.size = sizeof o, .flags = CHIEF_WORKER_SAYS_READY, .restart = &one, .start_timeout = 20};
    chief *c = support_quiet_chief(NULL);
    assert_int_equal(add_worker(c, "a", &shy, a, &o), CHIEF_OK);
    launch(c);
    expect_given_up(c, "a", "2 failures in 3600.0 s", "not ready within its start_timeout");
    assert_int_equal(a->runs, 2);
    end(c, CHIEF_EFAILED);
}

/* Its own grace, however much longer the whole may take. */
static void test_fault_policies__a_grace_of_its_own(void **state) {
    (void)state;
    static const chief_worker_ops deaf_ops = {.size = sizeof deaf_ops, .run = deaf_run};
    chief_options co = {.force_stop_timeout = 3600000};
    chief_worker_options of_deaf = {.size = sizeof of_deaf, .grace = 10, .destroy = probe_destroy};
    probe *a = PROBE(0);
    gate *let_go = gate_new();
    probe *deaf = PROBE(.let_go = let_go);
    chief *c = support_quiet_chief(&co);
    assert_int_equal(add_worker(c, "deaf", &deaf_ops, deaf, &of_deaf), CHIEF_OK);
    add(c, "a", a, NULL);
    launch(c);
    assert_int_equal(chief_wait_ready(c, support_ms(ANSWER_MS)), CHIEF_OK);
    end(c, CHIEF_ETIMEDOUT);
    gate_open(let_go);
    await_destroyed(deaf);
}

static void refuse(chief *c, const chief_worker_options *given, const chief_restart *r, const char *text) {
    probe *p = PROBE(0);
    chief_worker_options o = *given;
    chief_restart restart = {0};
    if (r != NULL) restart = *r;
    restart.size = sizeof restart;
    o.size = sizeof o;
    o.restart = &restart;
    assert_int_equal(add_worker(c, "a", &probe_ops, p, &o), CHIEF_EINVAL);
    support_says(text);
}

static void test_fault_policies__what_limits_nothing_is_refused(void **state) {
    (void)state;
    static const chief_worker_options none = {0};
    static const int32_t bad[] = {1, 0};
    chief *c = support_quiet_chief(NULL);
    refuse(c, &none, &(chief_restart){.max_restarts = -1}, "max_restarts should be from 0 to 65536");
    refuse(c, &none, &(chief_restart){.max_restarts = 65537}, "max_restarts should be from 0 to 65536");
    refuse(c, &none, &(chief_restart){.max_restarts = 1, .window = -1}, "the restart window is negative");
    refuse(c, &none, &(chief_restart){.window = 5}, "without max_restarts limits nothing");
    refuse(c, &(chief_worker_options){.no_restart_codes = bad, .n_no_restart_codes = 2}, NULL, "from 1 to 255, got 0");
    refuse(c, &(chief_worker_options){.n_no_restart_codes = 2}, NULL, "2 codes and no list");
    refuse(c, &(chief_worker_options){.flags = 64}, NULL, "unknown flags 0x40");
    chief_free(c);
}

int main(int argc, char **argv) {
    const struct CMUnitTest refusals[] = {
        FAULT(test_fault_policies__no_budget_is_refused),
        FAULT(test_fault_policies__what_limits_nothing_is_refused),
    };
    const struct CMUnitTest tests[] = {
        FAULT(test_fault_04__too_many_failures_in_the_window),
        FAULT(test_fault_04__the_first_failure_is_one_too_many),
        FAULT(test_fault_09__a_critical_worker_given_up_stops_the_app),
        FAULT(test_fault_09__who_has_to_be_abandoned_comes_first),
        FAULT(test_fault_14__a_final_exit_code_is_not_restarted),
        FAULT(test_fault_12__rest_for_one),
        FAULT(test_fault_12__one_for_all),
        FAULT(test_fault_12__who_fails_to_start_is_retried_alone),
        FAULT(test_fault_30__one_start_when_what_it_waits_for_is_ready),
        FAULT(test_fault_policies__late_to_be_ready),
        FAULT(test_fault_policies__a_grace_of_its_own),
        FAULT(test_fault_policies__a_spent_budget_stops_the_app),
        FAULT(test_fault_policies__groups_come_before_the_start),
    };
    int code;
    if (!probe_begin(argc, argv, &code)) return code;
    return cmocka_run_group_tests_name("refused", refusals, in_thread, NULL) + in_each_isolation(tests);
}
