/* The chief itself, from chief_new to chief_free: init, run, restart, stop, with workers in C. */
#include <signal.h>

#include "probe_kit.h"

static void test_chief__runs_a_worker_until_it_is_stopped(void **state) {
    (void)state;
    probe p = {0};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &probe_ops, &p, NULL);
    launch(c);
    await_state(c, "a", CHIEF_WORKER_RUN);
    stop_and_join(c, CHIEF_OK);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "a"), CHIEF_WORKER_STOPPED);
    assert_int_equal(chief_exit_code(c), 0);
    chief_free(c);
    assert_int_equal(p.inits, 1);
    assert_int_equal(p.runs, 1);
    assert_int_equal(p.finis, 1);
    assert_int_equal(p.destroyed, 1);
}

static void test_chief__restarts_after_a_failure(void **state) {
    (void)state;
    probe p = {.fail_runs = 2};
    chief_worker_options o = {.restart = &on_failure};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &probe_ops, &p, &o);
    launch(c);
    await_count(&p.runs, 3);
    await_state(c, "a", CHIEF_WORKER_RUN);
    chief_snapshot *s;
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    assert_string_equal(chief_snapshot_at(s, 0)->error, "boom");
    assert_string_equal(chief_snapshot_at(s, 0)->traceback, "trace");
    assert_int_equal(chief_snapshot_at(s, 0)->generation, 3);
    chief_snapshot_free(s);
    stop_and_join(c, CHIEF_OK);
    chief_free(c);
    assert_int_equal(p.inits, 3);
    assert_int_equal(p.finis, 3);
}

static void test_chief__tells_a_life_in_order(void **state) {
    (void)state;
    static const int32_t expected[] = {CHIEF_WORKER_PRESENT,     CHIEF_WORKER_ENABLED, CHIEF_WORKER_INITIALIZED,
                                       CHIEF_WORKER_RUN,         CHIEF_WORKER_FAILED,  -CHIEF_EVENT_RESTART,
                                       CHIEF_WORKER_INITIALIZED, CHIEF_WORKER_RUN,     CHIEF_WORKER_STOPPED};
    probe p = {.fail_runs = 1};
    chief_worker_options o = {.restart = &on_failure};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &probe_ops, &p, &o);
    launch(c);
    await_count(&p.runs, 2);
    stop_and_join(c, CHIEF_OK);
    size_t at = 0;
    chief_event *e;
    size_t n;
    while (chief_take_events(c, &e, 1, CHIEF_FOREVER, &n) == CHIEF_OK) {
        if (e->kind == CHIEF_EVENT_STATE) assert_int_equal(e->state, expected[at++]);
        if (e->kind == CHIEF_EVENT_RESTART) assert_int_equal(-e->kind, expected[at++]);
        chief_event_free(e);
    }
    assert_int_equal(at, sizeof expected / sizeof expected[0]);
    chief_free(c);
}

/* The events of a worker that fails once, as far as they are kept. */
static size_t events_at(int32_t level, int32_t least) {
    probe p = {.fail_runs = 1};
    chief_worker_options o = {.restart = &on_failure};
    chief_options options = {.event_level = level, .event_capacity = 2};
    chief *c = support_quiet_chief(&options);
    add(c, "a", &probe_ops, &p, &o);
    launch(c);
    await_count(&p.runs, 2);
    stop_and_join(c, CHIEF_OK);
    size_t taken = 0;
    uint64_t last = 0;
    chief_event *e;
    size_t n;
    while (chief_take_events(c, &e, 1, CHIEF_FOREVER, &n) == CHIEF_OK) {
        assert_true(e->level >= least);
        if (taken == 0) assert_true(e->seq > 4); /* what was left out or dropped has its numbers */
        else assert_true(e->seq > last);
        last = e->seq;
        taken++;
        chief_event_free(e);
    }
    if (least >= CHIEF_ERROR) assert_int_equal(chief_events_dropped(c), 0);
    else assert_true(chief_events_dropped(c) > 0);
    chief_free(c);
    return taken;
}

static void test_chief__keeps_events_from_a_level_on(void **state) {
    (void)state;
    assert_int_equal(events_at(0, CHIEF_DEBUG), 2);
    assert_int_equal(events_at(CHIEF_ERROR, CHIEF_ERROR),
                     1); /* the failure; nothing is lost though there is room for two */
    assert_int_equal(events_at(CHIEF_OFF, CHIEF_OFF), 0);
}

static void test_chief__changes_the_event_level_at_any_time(void **state) {
    (void)state;
    probe p = {0};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &probe_ops, &p, NULL);
    assert_int_equal(chief_set_event_level(c, CHIEF_ERROR), CHIEF_OK);
    launch(c);
    assert_int_equal(chief_wait_ready(c, ANSWER_MS), CHIEF_OK); /* what is told of the start has been told */
    assert_int_equal(chief_set_event_level(c, CHIEF_INFO), CHIEF_OK);
    stop_and_join(c, CHIEF_OK);
    chief_event *e[8];
    size_t n;
    assert_int_equal(chief_take_events(c, e, 8, 0, &n), CHIEF_OK);
    assert_int_equal(n, 4);
    assert_int_equal(e[0]->kind, CHIEF_EVENT_STATE); /* present, before the first level was set */
    assert_int_equal(e[1]->kind, CHIEF_EVENT_STOPPING);
    assert_int_equal(e[2]->state, CHIEF_WORKER_STOPPED);
    assert_int_equal(e[3]->kind, CHIEF_EVENT_STOPPED);
    for (size_t i = 0; i < n; i++) chief_event_free(e[i]);
    assert_int_equal(chief_set_event_level(c, 0), CHIEF_EINVAL);
    assert_int_equal(chief_set_event_level(c, CHIEF_OFF + 1), CHIEF_EINVAL);
    support_says("event_level should be CHIEF_DEBUG (1) to CHIEF_OFF (5), got 6");
    assert_int_equal(chief_set_event_level(NULL, CHIEF_INFO), CHIEF_EINVAL);
    chief_free(c);
    chief_options wrong = {.size = sizeof wrong, .event_level = -1};
    assert_int_equal(chief_new(&c, &wrong), CHIEF_EINVAL);
}

static void test_chief__takes_up_a_failed_init_by_its_policy(void **state) {
    (void)state;
    probe p = {.fail_inits = 2};
    chief_worker_options o = {.restart = &on_failure};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &probe_ops, &p, &o);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "a"), CHIEF_WORKER_FAILED);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    await_state(c, "a", CHIEF_WORKER_RUN);
    assert_int_equal(p.inits, 3);
    stop_and_join(c, CHIEF_OK);
    chief_free(c);
    assert_int_equal(p.finis, 1);
}

static void test_chief__never_runs_a_failed_one_again_by_default(void **state) {
    (void)state;
    probe p = {.fail_runs = 100};
    chief_options co = {.exit_when_done = 1};
    chief *c = support_quiet_chief(&co);
    add(c, "a", &probe_ops, &p, NULL);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_start(c, NULL), CHIEF_EFAILED);
    assert_int_equal(p.runs, 1);
    assert_int_equal(chief_exit_code(c), 1);
    chief_free(c);
}

static void test_chief__ends_when_done_and_clean(void **state) {
    (void)state;
    probe p = {0};
    chief_options co = {.exit_when_done = 1};
    chief *c = support_quiet_chief(&co);
    add(c, "a", &clean_ops, &p, NULL);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_start(c, NULL), CHIEF_OK);
    assert_int_equal(chief_exit_code(c), 0);
    chief_free(c);
}

static void test_chief__stops_in_the_reverse_order(void **state) {
    (void)state;
    atomic_int order = 0;
    probe a = {.order = &order}, b = {.order = &order}, d = {.order = &order};
    const char *after_a[] = {"a"};
    const char *after_b[] = {"b"};
    chief_worker_options ob = {.after = after_a, .n_after = 1};
    chief_worker_options od = {.after = after_b, .n_after = 1};
    chief *c = support_quiet_chief(NULL);
    add(c, "d", &probe_ops, &d, &od);
    add(c, "b", &probe_ops, &b, &ob);
    add(c, "a", &probe_ops, &a, NULL);
    launch(c);
    assert_int_equal(chief_wait_ready(c, ANSWER_MS), CHIEF_OK);
    stop_and_join(c, CHIEF_OK);
    assert_int_equal(d.stopped_at, 1);
    assert_int_equal(b.stopped_at, 2);
    assert_int_equal(a.stopped_at, 3);
    chief_free(c);
}

static void test_chief__names_who_ignores_the_stop(void **state) {
    (void)state;
    probe p = {.ignores_stop = true};
    chief_options co = {.force_stop_timeout = 30};
    chief *c = support_quiet_chief(&co);
    add(c, "stuck", &probe_ops, &p, NULL);
    launch(c);
    await_state(c, "stuck", CHIEF_WORKER_RUN);
    await_count(&p.runs, 1);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, CHIEF_FOREVER), CHIEF_ETIMEDOUT);
    assert_string_equal(chief_last_error(), "Graceful exit timeout exceeded: stuck");
    assert_int_equal(chief_exit_code(c), 75);
    chief_free(c);
    assert_int_equal(p.destroyed, 0);
    atomic_store(&p.let_go, true);
    await_count(&p.destroyed, 1);
    assert_int_equal(p.finis, 1);
}

static void test_chief__answers_requests_while_running(void **state) {
    (void)state;
    probe a = {0}, b = {0};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &probe_ops, &a, NULL);
    launch(c);
    await_state(c, "a", CHIEF_WORKER_RUN);
    assert_int_equal(chief_start_worker(c, "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "a"), CHIEF_WORKER_RUN);
    assert_int_equal(chief_start_worker(c, "nosuch"), CHIEF_ENOENT);
    assert_string_equal(chief_last_error(), "invalid service name nosuch; there are: a");
    assert_int_equal(chief_add_worker(c, "a", &probe_ops, &b), CHIEF_EEXIST);
    assert_int_equal(chief_pool_enable(chief_get_pool(c), "a"), CHIEF_EBUSY);
    add(c, "b", &probe_ops, &b, NULL);
    await_state(c, "b", CHIEF_WORKER_RUN);
    assert_int_equal(chief_stop_worker(c, "b"), CHIEF_OK);
    await_state(c, "b", CHIEF_WORKER_STOPPED);
    assert_int_equal(chief_start_worker(c, "b"), CHIEF_OK);
    await_state(c, "b", CHIEF_WORKER_RUN);
    assert_int_equal(chief_remove_worker(c, "b"), CHIEF_OK);
    await_count(&b.destroyed, 1);
    assert_int_equal(chief_start_worker(c, "b"), CHIEF_ENOENT);
    stop_and_join(c, CHIEF_OK);
    chief_free(c);
    assert_int_equal(b.runs, 2);
}

typedef struct late {
    atomic_bool called;
    support_gate go;
} late;

/* Answers a call when it is let go, which is after the caller has lost patience. */
static int late_run(chief_worker *ctx, void *instance) {
    late *l = instance;
    chief_msg *call = NULL;
    int rc = chief_worker_recv(ctx, CHIEF_FOREVER, &call);
    atomic_store(&l->called, true);
    if (rc == CHIEF_OK && !support_gate_pass(&l->go)) rc = CHIEF_ETIMEDOUT;
    if (rc == CHIEF_OK && chief_msg_reply(call, "x", 1) != CHIEF_ENOENT) rc = CHIEF_EINVAL;
    chief_msg_free(call);
    return rc;
}

static void test_chief__counts_late_replies(void **state) {
    (void)state;
    const chief_worker_ops ops = {.size = sizeof ops, .run = late_run};
    late l = {0};
    support_gate_init(&l.go);
    chief_msg *reply = NULL;
    chief *c = support_quiet_chief(NULL);
    assert_int_equal(chief_add_worker(c, "a", &ops, &l), CHIEF_OK);
    assert_int_equal(chief_late_replies(c), 0);
    launch(c);
    /* On a slow machine the time may be over before the call is in the mailbox. */
    while (!atomic_load(&l.called)) assert_int_equal(chief_call(c, "a", "?", 1, 5, &reply), CHIEF_ETIMEDOUT);
    assert_int_equal(chief_late_replies(c), 0);
    support_gate_open(&l.go);
    await_state(c, "a", CHIEF_WORKER_STOPPED);
    assert_int_equal(chief_late_replies(c), 1);
    stop_and_join(c, CHIEF_OK);
    assert_int_equal(chief_late_replies(c), 1);
    assert_int_equal(chief_late_replies(NULL), 0);
    chief_free(c);
    support_gate_fini(&l.go);
}

/* Before the chief runs its pool may be written, and what is refused there is told like what is refused later. */
static void test_chief__tells_what_its_pool_refuses(void **state) {
    (void)state;
    probe a = {0};
    chief_event *events[8];
    size_t n = 0;
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &probe_ops, &a, NULL);
    assert_int_equal(chief_pool_start(chief_get_pool(c), "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    assert_int_equal(chief_take_events(c, events, 8, 0, &n), CHIEF_OK);
    const chief_event *last = events[n - 1];
    assert_int_equal(last->kind, CHIEF_EVENT_WRONG_STATE_CHANGE);
    assert_int_equal(last->seq, n);
    assert_string_equal(last->worker, "a");
    assert_int_equal(last->previous, CHIEF_WORKER_PRESENT);
    assert_int_equal(last->state, CHIEF_WORKER_RUN);
    for (size_t i = 0; i < n; i++) chief_event_free(events[i]);
    chief_free(c);
}

static void test_chief__enables_by_name_or_all(void **state) {
    (void)state;
    probe a = {0}, b = {0};
    const char *names[] = {"a", "nosuch"};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &probe_ops, &a, NULL);
    add(c, "b", &probe_ops, &b, NULL);
    assert_int_equal(chief_is_enabled(c, "b"), 1);
    assert_int_equal(chief_enable_workers(c, names, 2), CHIEF_ENOENT);
    assert_string_equal(chief_last_error(), "invalid service name nosuch; there are: a, b");
    assert_int_equal(chief_enable_worker(c, "a"), CHIEF_OK);
    assert_int_equal(chief_is_enabled(c, "b"), 0);
    launch(c);
    await_state(c, "a", CHIEF_WORKER_RUN);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "b"), CHIEF_WORKER_DISABLED);
    assert_int_equal(chief_start_worker(c, "b"), CHIEF_EENABLE);
    stop_and_join(c, CHIEF_OK);
    chief_free(c);
    assert_int_equal(b.inits, 0);
}

static void test_chief__refuses_to_start_without_names_when_asked_so(void **state) {
    (void)state;
    probe a = {0};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &probe_ops, &a, NULL);
    assert_int_equal(chief_set_enable_by_default(c, 0), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_ENOTINIT);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_EENABLE);
    chief_free(c);
    assert_int_equal(a.destroyed, 1);
}

static void test_chief__refuses_cycles_and_unknown_names(void **state) {
    (void)state;
    probe a = {0}, b = {0};
    const char *after_a[] = {"a"};
    const char *after_b[] = {"b"};
    chief_worker_options oa = {.after = after_b, .n_after = 1};
    chief_worker_options ob = {.after = after_a, .n_after = 1};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &probe_ops, &a, &oa);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_ENOENT);
    add(c, "b", &probe_ops, &b, &ob);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_ECYCLE);
    assert_non_null(strstr(chief_last_error(), "a"));
    chief_free(c);
}

static void test_chief__frees_initialised_workers_by_their_fini(void **state) {
    (void)state;
    probe a = {0};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &probe_ops, &a, NULL);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    chief_free(c);
    assert_int_equal(a.inits, 1);
    assert_int_equal(a.runs, 0);
    assert_int_equal(a.finis, 1);
    assert_int_equal(a.destroyed, 1);
}

static void test_chief__stops_with_its_parent(void **state) {
    (void)state;
    probe a = {0};
    chief_context *parent;
    chief_value v = {.type = CHIEF_INTEGER, .integer = 42};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &probe_ops, &a, NULL);
    assert_int_equal(chief_context_new(&parent, NULL), CHIEF_OK);
    assert_int_equal(chief_context_set(parent, "answer", &v), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, parent), CHIEF_OK);
    await_state(c, "a", CHIEF_WORKER_RUN);
    chief_value got;
    assert_int_equal(chief_context_get(chief_get_context(c), "answer", &got), CHIEF_OK);
    assert_int_equal(got.integer, 42);
    chief_value_clear(&got);
    chief_context_cancel(parent, "enough");
    assert_int_equal(chief_join(c, CHIEF_FOREVER), CHIEF_OK);
    chief_free(c);
    chief_context_unref(parent);
}

static void count_hook(void *data) { (void)atomic_fetch_add((atomic_int *)data, 1); }

static void test_chief__runs_hooks_after_the_last_worker(void **state) {
    (void)state;
    probe a = {0};
    atomic_int hooks = 0;
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &probe_ops, &a, NULL);
    assert_int_equal(chief_on_shutdown(c, count_hook, &hooks), CHIEF_OK);
    launch(c);
    await_state(c, "a", CHIEF_WORKER_RUN);
    stop_and_join(c, CHIEF_OK);
    assert_int_equal(hooks, 1);
    chief_free(c);
}

static void late_hook(void *data) {
    chief *c = data;
    if (chief_on_shutdown(c, count_hook, data) == CHIEF_ECLOSED) (void)chief_add_value(c, "refused", &(chief_value){0});
}

static void test_chief__refuses_a_hook_that_would_never_run(void **state) {
    (void)state;
    probe a = {0};
    chief_value got;
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &probe_ops, &a, NULL);
    assert_int_equal(chief_on_shutdown(c, late_hook, c), CHIEF_OK);
    launch(c);
    stop_and_join(c, CHIEF_OK);
    assert_int_equal(chief_context_get(chief_get_context(c), "refused", &got), CHIEF_OK);
    chief_value_clear(&got);
    chief_free(c);
}

typedef struct curious_sink {
    _Atomic(chief *) c;
    atomic_int records;
} curious_sink;

static void ask_the_chief(void *data, const chief_record *record) {
    curious_sink *s = data;
    chief *c = atomic_load(&s->c);
    (void)record;
    (void)atomic_fetch_add(&s->records, 1);
    if (c != NULL) (void)chief_has_stopped(c);
}

static void test_chief__calls_a_sink_under_no_lock(void **state) {
    (void)state;
    probe a = {0};
    curious_sink sink = {.c = NULL};
    chief_log_options lo = {.size = sizeof lo, .level = CHIEF_DEBUG, .sink = ask_the_chief, .data = &sink};
    chief_options co = {.size = sizeof co};
    chief *c;
    assert_int_equal(chief_log_new(&co.log, &lo), CHIEF_OK);
    assert_int_equal(chief_new(&c, &co), CHIEF_OK);
    atomic_store(&sink.c, c);
    add(c, "a", &probe_ops, &a, NULL);
    assert_int_equal(chief_enable_worker(c, "a"), CHIEF_OK);
    launch(c);
    await_state(c, "a", CHIEF_WORKER_RUN);
    stop_and_join(c, CHIEF_OK);
    chief_free(c);
    chief_log_unref(co.log);
    assert_true(sink.records > 0);
}

static int kill_run(chief_worker *ctx, void *instance) {
    probe *p = instance;
    chief_value log, value;
    if (chief_context_get(chief_worker_context(ctx), CHIEF_CTX_KEY_LOG, &log) == CHIEF_OK &&
        log.type == CHIEF_POINTER && chief_get_context(p->c) != NULL)
        (void)atomic_fetch_add(&p->runs, 1);
    chief_value_clear(&log);
    if (chief_context_get(chief_worker_context(ctx), "answer", &value) == CHIEF_OK && value.integer == 42)
        (void)atomic_fetch_add(&p->runs, 1);
    chief_value_clear(&value);
    (void)raise(SIGTERM);
    return chief_worker_sleep(ctx, CHIEF_FOREVER);
}

static void test_chief__run_all_ends_by_a_signal_and_gives_the_handler_back(void **state) {
    (void)state;
    static const chief_worker_ops ops = {.size = sizeof ops, .run = kill_run};
    const char *names[] = {"a"};
    struct sigaction before, after;
    probe a = {0}, b = {0};
    chief_value answer = {.type = CHIEF_INTEGER, .integer = 42};
    (void)sigaction(SIGTERM, NULL, &before);
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &ops, &a, NULL);
    add(c, "b", &probe_ops, &b, NULL);
    assert_int_equal(chief_add_value(c, "answer", &answer), CHIEF_OK);
    assert_int_equal(chief_run_all(c, "named", names, 1), CHIEF_OK);
    (void)sigaction(SIGTERM, NULL, &after);
    assert_ptr_equal(after.sa_handler, before.sa_handler);
    assert_string_equal(chief_get_name(c), "named");
    assert_int_equal(a.runs, 2);
    assert_int_equal(b.inits, 0);
    chief_free(c);
}

static void test_chief__takes_a_shorter_limit_for_the_stop(void **state) {
    (void)state;
    probe p = {.ignores_stop = true};
    chief *c = support_quiet_chief(NULL);
    add(c, "stuck", &probe_ops, &p, NULL);
    assert_int_equal(chief_set_force_stop_timeout(c, -1), CHIEF_EINVAL);
    launch(c);
    await_count(&p.runs, 1);
    assert_int_equal(chief_set_force_stop_timeout(c, 20), CHIEF_OK);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), CHIEF_ETIMEDOUT);
    support_says("stuck");
    chief_free(c);
    atomic_store(&p.let_go, true);
    await_count(&p.destroyed, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chief__runs_a_worker_until_it_is_stopped),
        cmocka_unit_test(test_chief__restarts_after_a_failure),
        cmocka_unit_test(test_chief__tells_a_life_in_order),
        cmocka_unit_test(test_chief__keeps_events_from_a_level_on),
        cmocka_unit_test(test_chief__changes_the_event_level_at_any_time),
        cmocka_unit_test(test_chief__takes_up_a_failed_init_by_its_policy),
        cmocka_unit_test(test_chief__never_runs_a_failed_one_again_by_default),
        cmocka_unit_test(test_chief__ends_when_done_and_clean),
        cmocka_unit_test(test_chief__stops_in_the_reverse_order),
        cmocka_unit_test(test_chief__names_who_ignores_the_stop),
        cmocka_unit_test(test_chief__answers_requests_while_running),
        cmocka_unit_test(test_chief__counts_late_replies),
        cmocka_unit_test(test_chief__tells_what_its_pool_refuses),
        cmocka_unit_test(test_chief__enables_by_name_or_all),
        cmocka_unit_test(test_chief__refuses_to_start_without_names_when_asked_so),
        cmocka_unit_test(test_chief__refuses_cycles_and_unknown_names),
        cmocka_unit_test(test_chief__frees_initialised_workers_by_their_fini),
        cmocka_unit_test(test_chief__stops_with_its_parent),
        cmocka_unit_test(test_chief__runs_hooks_after_the_last_worker),
        cmocka_unit_test(test_chief__refuses_a_hook_that_would_never_run),
        cmocka_unit_test(test_chief__calls_a_sink_under_no_lock),
        cmocka_unit_test(test_chief__run_all_ends_by_a_signal_and_gives_the_handler_back),
        cmocka_unit_test(test_chief__takes_a_shorter_limit_for_the_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
