/* The fault cases of states, requests and events, for C workers in threads, as fibers and in processes. Each test bears
 * its number; the table is tests/faults/README.md. */
#include "probe.h"

static bool is_empty(void *c) {
    chief_snapshot *s;
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    bool empty = chief_snapshot_len(s) == 0;
    chief_snapshot_free(s);
    return empty;
}

static void test_fault_26__an_illegal_request_changes_nothing(void **state) {
    (void)state;
    probe *p = PROBE(0);
    probe *other = PROBE(0);
    chief *c = support_quiet_chief(NULL);
    add(c, "a", p, NULL);
    launch(c);
    await_state(c, "a", CHIEF_WORKER_RUN);
    await_count(&p->runs, 1);
    assert_int_equal(chief_start_worker(c, "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    assert_int_equal(chief_start_worker(c, "nosuch"), CHIEF_ENOENT);
    assert_int_equal(add_worker(c, "a", &probe_ops, other, NULL), CHIEF_EEXIST);
    assert_int_equal(chief_pool_enable(chief_get_pool(c), "a"), CHIEF_EBUSY); /* a running chief's is its own */
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "a"), CHIEF_WORKER_RUN);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "nosuch"), CHIEF_WORKER_DISABLED);
    assert_int_equal(p->inits, 1);
    assert_int_equal(p->runs, 1);
    assert_int_equal(other->inits, 0);
    assert_int_equal(chief_remove_worker(c, "a"), CHIEF_OK);
    assert_true(support_until(is_empty, c, ANSWER_MS));
    await_destroyed(p);
    assert_int_equal(chief_start_worker(c, "a"), CHIEF_ENOENT);
    assert_int_equal(chief_stop_worker(c, "a"), CHIEF_ENOENT);
    assert_int_equal(chief_restart_worker(c, "a"), CHIEF_ENOENT);
    assert_int_equal(chief_remove_worker(c, "a"), CHIEF_ENOENT);
    assert_true(is_empty(c)); /* no phantom of what was refused */
    end(c, CHIEF_OK);
}

typedef struct shout {
    atomic_int runs, destroyed;
} shout;

static int shout_run(chief_worker *ctx, void *instance) {
    shout *s = instance;
    (void)atomic_fetch_add(&s->runs, 1);
    while (chief_context_err(chief_worker_context(ctx)) == CHIEF_OK) {
        chief_msg *msg;
        (void)chief_worker_broadcast(ctx, "!", 1, NULL);
        if (chief_worker_recv(ctx, 1, &msg) == CHIEF_OK) chief_msg_free(msg);
    }
    return 0;
}

static void shout_destroy(void *data) { (void)atomic_fetch_add(&((shout *)data)->destroyed, 1); }

static void test_fault_28__each_instance_runs_once_while_all_shout(void **state) {
    (void)state;
    enum { N = 400, ALIVE = 8 };
    int n = isolation == CHIEF_PROCESS ? N / 10 : N; /* each costs a fork and an exec */
    static const chief_worker_ops shout_ops = {.size = sizeof shout_ops, .run = shout_run};
    shout *shouts = share_room(N * sizeof *shouts);
    chief_worker_options o = {.size = sizeof o, .destroy = shout_destroy, .mailbox_capacity = 16};
    char name[16];
    chief *c = support_quiet_chief(NULL);
    launch(c);
    for (int i = 0; i < n + ALIVE; i++) {
        if (i >= ALIVE) { /* the oldest goes once it runs */
            await_count(&shouts[i - ALIVE].runs, 1);
            (void)snprintf(name, sizeof name, "s%d", i - ALIVE);
            assert_int_equal(chief_remove_worker(c, name), CHIEF_OK);
        }
        if (i >= n) continue;
        (void)snprintf(name, sizeof name, "s%d", i);
        assert_int_equal(add_worker(c, name, &shout_ops, &shouts[i], &o), CHIEF_OK);
    }
    int has_data = isolation != CHIEF_PROCESS;
    for (int i = 0; i < n; i++) await_count(&shouts[i].destroyed, has_data);
    end(c, CHIEF_OK);
    for (int i = 0; i < n; i++) {
        assert_int_equal(shouts[i].runs, 1);
        assert_int_equal(shouts[i].destroyed, has_data);
    }
}

static chief *adds_to;

static int curious_init(chief_worker *ctx, void *data, void **instance) {
    probe *p = data;
    chief_snapshot *s;
    *instance = p;
    int rc = chief_worker_states(ctx, &s);
    if (rc == CHIEF_OK) chief_snapshot_free(s);
    if (rc != CHIEF_OK || isolation == CHIEF_PROCESS) return rc; /* which has no chief to add to */
    return add_worker(adds_to, "child", &probe_ops, PROBE(0), NULL);
}

static void test_fault_29__an_init_may_ask_and_add_and_block(void **state) {
    (void)state;
    gate *g = gate_new();
    static const chief_worker_ops curious_ops = {
        .size = sizeof curious_ops, .init = curious_init, .run = probe_run, .fini = probe_fini};
    probe *slow = PROBE(.enter = g);
    probe *curious = PROBE(0);
    chief_options co = {.init_timeout = support_ms(isolation == CHIEF_PROCESS ? 500 : 200)};
    chief *c = support_quiet_chief(&co);
    adds_to = c;
    const char *grown = isolation == CHIEF_PROCESS ? "curious" : "child";
    assert_int_equal(add_worker(c, "curious", &curious_ops, curious, NULL), CHIEF_OK);
    add(c, "slow", slow, NULL);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK); /* slow's init is still blocked */
    int64_t begun = chief__now_ms();
    chief_snapshot *s;
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    assert_non_null(chief_snapshot_find(s, grown));
    chief_snapshot_free(s);
    assert_true(chief__now_ms() - begun < support_ms(50));
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    await_state(c, grown, CHIEF_WORKER_RUN);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "slow"), CHIEF_WORKER_FAILED);
    gate_open(g);
    end(c, CHIEF_EFAILED);
    await_destroyed(slow);
}

static void test_fault_31__a_cycle_is_refused_with_its_path(void **state) {
    (void)state;
    probe *a = PROBE(0);
    probe *b = PROBE(0);
    const char *after_a[] = {"a"};
    const char *after_b[] = {"b"};
    chief_worker_options oa = {.after = after_b, .n_after = 1};
    chief_worker_options ob = {.after = after_a, .n_after = 1};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", a, &oa);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_ENOENT);
    support_says("worker a: after names \"b\"");
    add(c, "b", b, &ob);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_ECYCLE);
    support_says("a → b → a");
    chief_free(c);
    assert_int_equal(a->inits, 0);
}

static void test_fault_33__nobody_has_to_read_the_events(void **state) {
    (void)state;
    probe *p = PROBE(.fail_runs = 50);
    static const chief_restart fast = {
        .size = sizeof fast, .policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO, .jitter = -1};
    chief_options co = {.event_capacity = 8};
    chief_worker_options o = {.restart = &fast};
    chief *c = support_quiet_chief(&co);
    add(c, "a", p, &o);
    launch(c);
    await_count(&p->runs, 51);
    assert_true(chief_events_dropped(c) > 100);
    end(c, CHIEF_OK);
}

/* ---- 34: why it failed ---- */

static int telling_run(chief_worker *ctx, void *instance) {
    probe *p = instance;
    if (atomic_fetch_add(&p->runs, 1) == 0) {
        chief_worker_set_error(ctx, CHIEF_REASON_ERROR, "no paper", "printer.c:7");
        return 9;
    }
    (void)chief_worker_sleep(ctx, CHIEF_FOREVER);
    return 0;
}

static void test_fault_34__why_it_failed_stays_after_the_restart(void **state) {
    (void)state;
    static const chief_worker_ops telling_ops = {.size = sizeof telling_ops, .run = telling_run};
    chief_worker_options o = {.size = sizeof o, .restart = &soon};
    probe *p = PROBE(0);
    chief_snapshot *s;
    chief *c = support_quiet_chief(NULL);
    assert_int_equal(add_worker(c, "a", &telling_ops, p, &o), CHIEF_OK);
    launch(c);
    await_count(&p->runs, 2);
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    const chief_worker_status *status = chief_snapshot_find(s, "a");
    assert_int_equal(status->state, CHIEF_WORKER_RUN);
    assert_string_equal(status->error, "no paper");
    assert_string_equal(status->traceback, "printer.c:7");
    chief_snapshot_free(s);
    end(c, CHIEF_OK);
}

/* ---- 42: who is found stuck ---- */

typedef struct watched {
    atomic_int answered;
    probe *silent;     /* whom it asks; its `runs` are the questions that have come */
    chief_worker *ctx; /* on the side where it runs */
} watched;

/* The watchdog, once the call is on its way. */
static void watch(void *data) {
    watched *w = data;
    wanted one = {&((probe *)here(w->silent))->runs, 1};
    (void)support_until(has_count, &one, ANSWER_MS);
    chief_worker_expire(w->ctx, CHIEF_REASON_WATCHDOG, "watchdog: stuck", "stuck.c:1");
}

static int watched_run(chief_worker *ctx, void *instance) {
    watched *w = instance;
    chief__thread thread;
    chief_msg *reply = NULL;
    w->ctx = ctx;
    if (chief__thread_start(&thread, watch, w, 0, "watch") != CHIEF_OK) return 9;
    (void)chief_worker_call(ctx, "silent", "?", 1, CHIEF_FOREVER, &reply);
    (void)atomic_fetch_add(&w->answered, 1);
    chief__thread_join(&thread);
    chief_msg_free(reply);
    return 0;
}

/* Has the question and keeps it. */
static int silent_run(chief_worker *ctx, void *instance) {
    probe *p = instance;
    chief_msg *msg;
    int rc = chief_worker_recv(ctx, CHIEF_FOREVER, &msg);
    if (rc != CHIEF_OK) return rc;
    (void)atomic_fetch_add(&p->runs, 1);
    gate_pass(p->let_go);
    chief_msg_free(msg);
    return 0;
}

static void test_fault_42__who_is_stuck_in_a_call_is_ended(void **state) {
    (void)state;
    static const chief_worker_ops watched_ops = {.size = sizeof watched_ops, .run = watched_run};
    static const chief_worker_ops silent_ops = {.size = sizeof silent_ops, .run = silent_run};
    probe *silent = PROBE(.let_go = gate_new());
    watched *w = share(&(watched){.silent = silent}, sizeof *w);
    chief_options co = {.force_time = support_ms(1000)};
    chief *c = support_quiet_chief(&co);
    assert_int_equal(add_worker(c, "silent", &silent_ops, silent, NULL), CHIEF_OK);
    assert_int_equal(add_worker(c, "watched", &watched_ops, w, NULL), CHIEF_OK);
    launch(c);
    await_state(c, "watched", CHIEF_WORKER_FAILED);
    chief_snapshot *s;
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    const chief_worker_status *status = chief_snapshot_find(s, "watched");
    assert_int_equal(status->reason, CHIEF_REASON_WATCHDOG);
    /* a thread that is abandoned would say itself where it is, if its ops could */
    assert_string_equal(status->error, isolation == CHIEF_PROCESS ? "watchdog: stuck: stuck.c:1" : "watchdog: stuck");
    chief_snapshot_free(s);
    gate_open(silent->let_go);
    end(c, CHIEF_EFAILED);
    if (isolation != CHIEF_PROCESS) await_count(&w->answered, 1);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        FAULT(test_fault_26__an_illegal_request_changes_nothing),
        FAULT(test_fault_28__each_instance_runs_once_while_all_shout),
        FAULT(test_fault_29__an_init_may_ask_and_add_and_block),
        FAULT(test_fault_31__a_cycle_is_refused_with_its_path),
        FAULT(test_fault_33__nobody_has_to_read_the_events),
        FAULT(test_fault_34__why_it_failed_stays_after_the_restart),
        FAULT(test_fault_42__who_is_stuck_in_a_call_is_ended),
    };
    int code;
    return probe_begin(argc, argv, &code) ? in_each_isolation(tests) : code;
}
