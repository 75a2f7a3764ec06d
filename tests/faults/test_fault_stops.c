/* The fault cases of stopping, for C workers in threads, as fibers and in processes. Each test bears its number; the
 * table is tests/faults/README.md. */
#include <signal.h>

#include "probe.h"

enum { TRIES = 5 }; /* of what is bound to milliseconds: one of them has a processor to itself */

static void test_fault_15_47__who_ignores_the_stop_is_abandoned_and_named(void **state) {
    (void)state;
    int64_t best = INT64_MAX;
    for (int i = 0; i < TRIES && best >= support_ms(100); i++) {
        gate *g = gate_new();
        probe *p = PROBE(.deaf = true, .let_go = g);
        chief_options co = {.force_stop_timeout = 50};
        chief *c = support_quiet_chief(&co);
        add(c, "stuck", p, NULL);
        launch(c);
        await_count(&p->runs, 1);
        int64_t begun = chief__now_ms();
        assert_int_equal(chief_stop(c), CHIEF_OK);
        assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), CHIEF_ETIMEDOUT);
        support_says("Graceful exit timeout exceeded: stuck");
        int64_t took = chief__now_ms() - begun - 50;
        if (took < best) best = took;
        assert_int_equal(chief_exit_code(c), 75);
        chief_free(c);
        assert_int_equal(p->destroyed, 0);
        gate_open(g);
        await_destroyed(p);
        assert_int_equal(p->finis, isolation == CHIEF_PROCESS ? 0 : 1); /* a process was killed */
    }
    assert_true(best < support_ms(100));
}

/* A process is killed instead, and has gone when its worker has stopped. */
static void test_fault_47__no_second_life_beside_an_abandoned_one(void **state) {
    (void)state;
    bool killed = isolation == CHIEF_PROCESS;
    gate *g = gate_new();
    probe *p = PROBE(.deaf = true, .let_go = g);
    chief_worker_options o = {.restart = &soon, .grace = 20};
    chief *c = support_quiet_chief(NULL);
    add(c, "stuck", p, &o);
    launch(c);
    await_count(&p->runs, 1);
    assert_int_equal(chief_stop_worker(c, "stuck"), CHIEF_OK);
    await_state(c, "stuck", killed ? CHIEF_WORKER_STOPPED : CHIEF_WORKER_FAILED);
    assert_int_equal(p->inits, 1);
    if (!killed) assert_int_equal(chief_start_worker(c, "stuck"), CHIEF_EBUSY);
    gate_open(g);
    int rc;
    int64_t deadline = chief__deadline(support_ms(ANSWER_MS));
    while ((rc = chief_start_worker(c, "stuck")) == CHIEF_EBUSY && chief__now_ms() < deadline) chief__pause_ms(1);
    assert_int_equal(rc, CHIEF_OK);
    await_count(&p->runs, 2);
    end(c, CHIEF_OK);
    assert_int_equal(p->finis, killed ? 1 : 2);
}

/* How long the second signal took to end it: a first signal that stands, one too soon, and SIGHUP come before it. */
static int64_t force_by_signal(void) {
    gate *g = gate_new();
    probe *p = PROBE(.deaf = true, .let_go = g);
    chief_options co = {.force_stop_timeout = support_ms(30000)};
    struct sigaction before, after;
    (void)sigaction(SIGTERM, NULL, &before);
    chief *c = support_quiet_chief(&co);
    add(c, "stuck", p, NULL);
    assert_int_equal(chief_catch_signals(c, CHIEF_CATCH_STOP | CHIEF_CATCH_HUP), CHIEF_OK);
    launch(c);
    await_count(&p->runs, 1);
    int64_t begun = chief__now_ms();
    (void)kill(getpid(), SIGTERM);
    (void)kill(getpid(), SIGHUP);
    chief__pause_ms(50);
    (void)kill(getpid(), SIGTERM); /* too soon: the same stop */
    assert_int_equal(chief_join(c, 300), CHIEF_ETIMEDOUT);
    support_says("still running");
    while (chief__now_ms() - begun < 700) chief__pause_ms(10);
    int64_t forced = chief__now_ms();
    (void)kill(getpid(), SIGTERM);
    assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), CHIEF_ETIMEDOUT);
    int64_t took = chief__now_ms() - forced;
    support_says("Graceful exit timeout exceeded: stuck");
    assert_int_equal(chief_exit_code(c), 75);
    (void)sigaction(SIGTERM, NULL, &after);
    assert_ptr_equal(after.sa_handler, before.sa_handler);
    chief_free(c);
    gate_open(g);
    await_destroyed(p);
    return took;
}

static void test_fault_18__a_second_signal_forces(void **state) {
    (void)state;
    int64_t best = INT64_MAX;
    for (int i = 0; i < 3 && best >= support_ms(100); i++) {
        int64_t took = force_by_signal();
        if (took < best) best = took;
    }
    assert_true(best < support_ms(100));
}

typedef struct stopper {
    chief *c;
    chief__thread thread;
    int answer;
} stopper;

/* One of many who stop it, by call and by signal, and ask what became of it. */
static void stop_often(void *data) {
    stopper *s = data;
    for (int i = 0; i < 25; i++) {
        (void)chief_stop(s->c);
        (void)kill(getpid(), i % 2 == 0 ? SIGTERM : SIGINT);
    }
    s->answer = chief_join(s->c, support_ms(ANSWER_MS));
}

static int count_events(chief *c, int32_t kind) {
    int count = 0;
    chief_event *e;
    size_t n;
    while (chief_take_events(c, &e, 1, CHIEF_FOREVER, &n) == CHIEF_OK) {
        count += e->kind == kind;
        chief_event_free(e);
    }
    return count;
}

static void test_fault_19__many_stops_are_one(void **state) {
    (void)state;
    enum { STOPPERS = 4 };
    static const int signals[] = {SIGTERM, SIGINT};
    struct sigaction ignored = {.sa_handler = SIG_IGN}, before[2];
    stopper stoppers[STOPPERS];
    probe *p = PROBE(0);
    for (int i = 0; i < 2; i++) (void)sigaction(signals[i], &ignored, &before[i]); /* what comes after the end */
    chief *c = support_quiet_chief(NULL);
    add(c, "a", p, NULL);
    assert_int_equal(chief_catch_signals(c, CHIEF_CATCH_STOP), CHIEF_OK);
    launch(c);
    await_count(&p->runs, 1);
    for (int i = 0; i < STOPPERS; i++) {
        stoppers[i].c = c;
        support_thread(&stoppers[i].thread, stop_often, &stoppers[i]);
    }
    for (int i = 0; i < STOPPERS; i++) chief__thread_join(&stoppers[i].thread);
    for (int i = 0; i < STOPPERS; i++) assert_int_equal(stoppers[i].answer, CHIEF_OK);
    assert_int_equal(count_events(c, CHIEF_EVENT_STOPPED), 1);
    assert_int_equal(p->runs, 1);
    assert_int_equal(p->finis, 1);
    assert_int_equal(chief_exit_code(c), 0);
    chief_free(c);
    for (int i = 0; i < 2; i++) (void)sigaction(signals[i], &before[i], NULL);
}

typedef struct hook_probe {
    probe *worker;
    atomic_int finis_seen;
    atomic_int done;
    gate *wait;
} hook_probe;

static void hook(void *data) {
    hook_probe *h = data;
    atomic_store(&h->finis_seen, atomic_load(&h->worker->finis) + 1);
    gate_pass(h->wait);
    (void)atomic_fetch_add(&h->done, 1);
}

static void test_fault_20__hooks_come_last_and_have_a_limit(void **state) {
    (void)state;
    gate *g = gate_new();
    probe *p = PROBE(0);
    hook_probe h = {.worker = p, .wait = g};
    chief_options co = {.hook_timeout = 30};
    chief *c = support_quiet_chief(&co);
    add(c, "a", p, NULL);
    assert_int_equal(chief_on_shutdown(c, hook, &h), CHIEF_OK);
    launch(c);
    await_count(&p->runs, 1);
    end(c, CHIEF_OK);
    assert_int_equal(h.finis_seen, 2);
    assert_int_equal(h.done, 0);
    gate_open(g);
    await_count(&h.done, 1);
}

static void test_fault_21__grace_is_a_maximum(void **state) {
    (void)state;
    chief_worker_options o = {.grace = 60000};
    int64_t best = INT64_MAX;
    for (int i = 0; i < TRIES && best >= support_ms(200); i++) {
        probe *p = PROBE(.drain_ms = 50);
        chief *c = support_quiet_chief(NULL);
        add(c, "a", p, &o);
        launch(c);
        await_count(&p->runs, 1);
        int64_t begun = chief__now_ms();
        end(c, CHIEF_OK);
        if (chief__now_ms() - begun < best) best = chief__now_ms() - begun;
    }
    assert_true(best < support_ms(200));
}

/* How long the stop of so many takes. */
static int64_t drain_all(int n) {
    probe *probes = share_room((size_t)n * sizeof *probes);
    char name[16];
    chief *c = support_quiet_chief(NULL);
    for (int i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "w%d", i);
        probes[i].drain_ms = 500;
        add(c, name, &probes[i], NULL);
    }
    launch(c);
    for (int i = 0; i < n; i++) await_count(&probes[i].runs, 1);
    int64_t begun = chief__now_ms();
    end(c, CHIEF_OK);
    return chief__now_ms() - begun;
}

static void test_fault_22__independent_workers_drain_together(void **state) {
    (void)state;
    /* Each fiber that blocks in code of its own costs the next one 10 ms, until it is noticed. */
    int n = isolation == CHIEF_FIBER ? 8 : 64;
    int64_t took = INT64_MAX;
    for (int i = 0; i < TRIES && took >= support_ms(1000); i++) took = drain_all(n);
    assert_true(took < support_ms(1000));
}

static void test_fault_22__a_chain_stops_in_exact_reverse(void **state) {
    (void)state;
    atomic_int *order = share_room(sizeof *order);
    probe *a = PROBE(.order = order);
    probe *b = PROBE(.order = order);
    probe *d = PROBE(.order = order);
    const char *after_a[] = {"a"};
    const char *after_b[] = {"b"};
    chief_worker_options ob = {.after = after_a, .n_after = 1};
    chief_worker_options od = {.after = after_b, .n_after = 1};
    chief *c = support_quiet_chief(NULL);
    add(c, "d", d, &od);
    add(c, "b", b, &ob);
    add(c, "a", a, NULL);
    launch(c);
    assert_int_equal(chief_wait_ready(c, support_ms(ANSWER_MS)), CHIEF_OK);
    end(c, CHIEF_OK);
    assert_int_equal(d->end_place, 1);
    assert_int_equal(b->end_place, 2);
    assert_int_equal(a->end_place, 3);
}

enum { JOBS = 200 };

typedef struct porter {
    char from[16], to[16]; /* "": to nowhere */
    atomic_int carried;
} porter;

/* Hands on, or stores, what comes. */
static int porter_run(chief_worker *ctx, void *instance) {
    porter *p = instance;
    chief_channel *from, *to = NULL;
    chief_msg *msg;
    int rc = chief_worker_channel(ctx, p->from, &from);
    if (rc == CHIEF_OK && p->to[0] != '\0') rc = chief_worker_channel(ctx, p->to, &to);
    while (rc == CHIEF_OK && chief_channel_recv(from, ctx, CHIEF_FOREVER, &msg) == CHIEF_OK) {
        chief_bytes bytes = chief_msg_data(msg);
        if (to != NULL) rc = chief_channel_send(to, ctx, bytes.data, bytes.len, CHIEF_FOREVER);
        chief_msg_free(msg);
        if (rc == CHIEF_OK) (void)atomic_fetch_add(&p->carried, 1);
    }
    return rc;
}

/* Accepts jobs once it is asked to stop, and does not end. */
static int stuck_run(chief_worker *ctx, void *instance) {
    probe *p = instance;
    chief_channel *to;
    int rc = chief_worker_channel(ctx, "accepted", &to);
    (void)chief_worker_sleep(ctx, CHIEF_FOREVER);
    for (int i = 0; rc == CHIEF_OK && i < JOBS; i++) rc = chief_channel_send(to, ctx, &i, sizeof i, CHIEF_FOREVER);
    (void)atomic_fetch_add(&p->runs, rc == CHIEF_OK);
    gate_pass(p->let_go);
    return 0;
}

static void add_porter(chief *c, const char *name, porter *p, const char *after) {
    static const chief_worker_ops porter_ops = {.size = sizeof porter_ops, .run = porter_run};
    chief_worker_options o = {.size = sizeof o, .after = &after, .n_after = after != NULL};
    assert_int_equal(add_worker(c, name, &porter_ops, p, &o), CHIEF_OK);
}

static void add_channel(chief *c, const char *name, uint32_t capacity) {
    chief_channel_options o = {.size = sizeof o, .capacity = capacity, .delivery = CHIEF_AT_LEAST_ONCE};
    assert_int_equal(chief_add_channel(c, name, &o), CHIEF_OK);
}

/* Whether all within `ms` went to the stuck one and to no other. */
static bool stop_with_a_stuck_top(int64_t ms) {
    static const chief_worker_ops stuck_ops = {.size = sizeof stuck_ops, .run = stuck_run};
    gate *g = gate_new();
    porter *store = share(&(porter){.from = "resized"}, sizeof *store);
    porter *resizer = share(&(porter){.from = "accepted", .to = "resized"}, sizeof *resizer);
    probe *top = PROBE(.let_go = g);
    const char *after = "resizer";
    chief_worker_options o = {.size = sizeof o, .after = &after, .n_after = 1, .destroy = probe_destroy};
    chief_options co = {.force_stop_timeout = ms};
    chief *c = support_quiet_chief(&co);
    add_channel(c, "accepted", JOBS);
    add_channel(c, "resized", 4);
    add_porter(c, "store", store, NULL);
    add_porter(c, "resizer", resizer, "store");
    assert_int_equal(add_worker(c, "stuck", &stuck_ops, top, &o), CHIEF_OK);
    launch(c);
    await_state(c, "stuck", CHIEF_WORKER_RUN);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, CHIEF_FOREVER), CHIEF_ETIMEDOUT);
    if (strcmp(chief_last_error(), "Graceful exit timeout exceeded: stuck") != 0) {
        chief_free(c);
        gate_open(g);
        await_destroyed(top);
        return false;
    }
    assert_int_equal(top->runs, 1);
    assert_int_equal(resizer->carried, JOBS);
    assert_int_equal(store->carried, JOBS);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "resizer"), CHIEF_WORKER_STOPPED);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "store"), CHIEF_WORKER_STOPPED);
    chief_free(c);
    gate_open(g);
    await_destroyed(top);
    return true;
}

static void test_fault_49__a_stuck_top_leaves_the_others_their_time(void **state) {
    (void)state;
    int64_t ms = support_ms(1500);
    int left = 3;
    while (left > 0 && !stop_with_a_stuck_top(ms)) {
        left--;
        ms *= 2;
    }
    assert_true(left > 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        FAULT(test_fault_15_47__who_ignores_the_stop_is_abandoned_and_named),
        FAULT(test_fault_47__no_second_life_beside_an_abandoned_one),
        FAULT(test_fault_18__a_second_signal_forces),
        FAULT(test_fault_19__many_stops_are_one),
        FAULT(test_fault_20__hooks_come_last_and_have_a_limit),
        FAULT(test_fault_21__grace_is_a_maximum),
        FAULT(test_fault_22__independent_workers_drain_together),
        FAULT(test_fault_22__a_chain_stops_in_exact_reverse),
        FAULT(test_fault_49__a_stuck_top_leaves_the_others_their_time),
    };
    int code;
    return probe_begin(argc, argv, &code) ? in_each_isolation(tests) : code;
}
