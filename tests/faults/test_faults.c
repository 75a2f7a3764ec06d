/* The cases of the fault list that concern a whole chief, for C workers in threads, and as fibers. Each test bears its
 * number; the table is tests/faults/README.md. */
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

#define ANSWER_MS ((int64_t)10000)

typedef struct probe {
    atomic_int inits, runs, finis, destroyed;
    atomic_int end_place;
    atomic_int *order;
    int fail_inits;     /* this many inits fail */
    int fail_runs;      /* this many runs fail at once */
    int result;         /* of a run that was not told to fail */
    bool returns;       /* at once, else when it is stopped */
    bool returns_error; /* when it is stopped */
    int64_t drain_ms;
    bool deaf;           /* ignores the stop until it is let go */
    support_gate *enter; /* init waits for it */
    support_gate *let_go;
    chief *c;
} probe;

static int probe_init(chief_worker *ctx, void *data, void **instance) {
    probe *p = data;
    (void)ctx;
    *instance = p;
    if (p->enter != NULL) (void)support_gate_pass(p->enter);
    return atomic_fetch_add(&p->inits, 1) < p->fail_inits ? 7 : 0;
}

static int probe_run(chief_worker *ctx, void *instance) {
    probe *p = instance;
    if (atomic_fetch_add(&p->runs, 1) < p->fail_runs) return 9;
    if (p->returns) return p->result;
    (void)chief_worker_sleep(ctx, CHIEF_FOREVER);
    if (p->deaf) (void)support_gate_pass(p->let_go);
    if (p->drain_ms > 0) chief__pause_ms(p->drain_ms);
    if (p->order != NULL) atomic_store(&p->end_place, atomic_fetch_add(p->order, 1) + 1);
    return p->returns_error ? CHIEF_ECANCELED : 0;
}

static void probe_fini(void *instance) { (void)atomic_fetch_add(&((probe *)instance)->finis, 1); }

static void probe_destroy(void *data) { (void)atomic_fetch_add(&((probe *)data)->destroyed, 1); }

static const chief_worker_ops ops = {.size = sizeof ops, .init = probe_init, .run = probe_run, .fini = probe_fini};

/* ---- where the workers are ---- */

#define MOST_ROLES 2048

/* What a fiber is by its data: its resume calls the same init and run as a thread does, and blocks where they do. */
typedef struct role {
    const void *data;
    const chief_worker_ops *ops;
} role;

static int32_t isolation;
static role roles[MOST_ROLES];
static atomic_size_t n_roles;

static const chief_worker_ops *ops_of(const void *data) {
    size_t i = atomic_load(&n_roles);
    while (i > 0 && roles[i - 1].data != data) i--;
    assert_true(i > 0);
    return roles[i - 1].ops;
}

static int resume(chief_worker *ctx, void *data, void **instance, int32_t part) {
    const chief_worker_ops *of = ops_of(data);
    if (part == CHIEF_PART_RUN) return of->run(ctx, *instance);
    return of->init != NULL ? of->init(ctx, data, instance) : 0;
}

static const chief_fiber_ops fiber_ops = {.size = sizeof fiber_ops, .resume = resume};

/* One thread at a time, as the tests have it. */
static int add_worker(chief *c, const char *name, const chief_worker_ops *of, void *data,
                      const chief_worker_options *given) {
    chief_worker_options o = {.size = sizeof o};
    if (given != NULL) o = *given;
    o.isolation = isolation;
    if (isolation != CHIEF_FIBER) return chief_add_worker_with(c, name, of, data, &o);
    o.fiber = &fiber_ops;
    size_t i = atomic_load(&n_roles);
    assert_true(i < MOST_ROLES);
    roles[i] = (role){data, of};
    atomic_store(&n_roles, i + 1);
    return chief_add_worker_with(c, name, of, data, &o);
}

static int in_thread(void **state) {
    (void)state;
    isolation = CHIEF_THREAD;
    return 0;
}

static int in_fiber(void **state) {
    (void)state;
    isolation = CHIEF_FIBER;
    return 0;
}

static int forget_roles(void **state) {
    (void)state;
    atomic_store(&n_roles, 0);
    return 0;
}

static chief *make(chief_options *o) {
    chief_log_options log_options = {.size = sizeof log_options, .level = CHIEF_OFF};
    chief_options none = {0};
    chief *c;
    if (o == NULL) o = &none;
    o->size = sizeof *o;
    assert_int_equal(chief_log_new(&o->log, &log_options), CHIEF_OK);
    assert_int_equal(chief_new(&c, o), CHIEF_OK);
    chief_log_unref(o->log);
    return c;
}

static void add(chief *c, const char *name, probe *p, const chief_worker_options *given) {
    chief_worker_options o = {0};
    if (given != NULL) o = *given;
    o.size = sizeof o;
    o.destroy = probe_destroy;
    p->c = c;
    assert_int_equal(add_worker(c, name, &ops, p, &o), CHIEF_OK);
}

static void launch(chief *c) {
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
}

static void await_state(chief *c, const char *name, chief_state_t state) {
    assert_int_equal(chief_wait_state(c, name, state, support_ms(ANSWER_MS)), CHIEF_OK);
}

typedef struct wanted {
    atomic_int *count;
    int n;
} wanted;

static bool has_count(void *data) {
    const wanted *w = data;
    return atomic_load(w->count) >= w->n;
}

static void await_count(atomic_int *count, int n) {
    wanted w = {count, n};
    assert_true(support_until(has_count, &w, ANSWER_MS));
}

static void end(chief *c, int expected) {
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), expected);
    chief_free(c);
}

static const chief_restart soon = {.size = sizeof soon, .policy = CHIEF_RESTART_ON_FAILURE, .delay = 1, .jitter = -1};

/* ---- restarting ---- */

static void test_fault_01__a_failed_worker_runs_again(void **state) {
    (void)state;
    probe p = {.fail_runs = 1};
    chief_worker_options o = {.restart = &soon};
    chief *c = make(NULL);
    add(c, "a", &p, &o);
    launch(c);
    await_count(&p.runs, 2);
    await_state(c, "a", CHIEF_WORKER_RUN);
    end(c, CHIEF_OK);
    assert_int_equal(p.runs, 2);
    assert_int_equal(p.inits, 2);
}

static void run_once(probe *p, const chief_restart *restart, int expected) {
    chief_options co = {.exit_when_done = 1};
    chief_worker_options o = {.restart = restart};
    chief *c = make(&co);
    add(c, "a", p, &o);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_start(c, NULL), expected);
    chief_free(c);
}

static void test_fault_02__never_is_one_init_and_one_run(void **state) {
    (void)state;
    static const chief_restart never = {.size = sizeof never, .policy = CHIEF_RESTART_NEVER};
    const chief_restart *ways[] = {NULL, &never};
    for (size_t i = 0; i < 2; i++) {
        probe fails_in_run = {.fail_runs = 100};
        probe fails_in_init = {.fail_inits = 100};
        run_once(&fails_in_run, ways[i], CHIEF_EFAILED);
        assert_int_equal(fails_in_run.inits, 1);
        assert_int_equal(fails_in_run.runs, 1);
        run_once(&fails_in_init, ways[i], CHIEF_EFAILED);
        assert_int_equal(fails_in_init.inits, 1);
        assert_int_equal(fails_in_init.runs, 0);
        assert_int_equal(fails_in_init.finis, 0);
    }
}

static void test_fault_06__the_third_init_runs(void **state) {
    (void)state;
    probe p = {.fail_inits = 2};
    chief_worker_options o = {.restart = &soon};
    chief *c = make(NULL);
    add(c, "a", &p, &o);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "a"), CHIEF_WORKER_FAILED);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    await_state(c, "a", CHIEF_WORKER_RUN);
    chief_snapshot *s;
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    assert_string_equal(chief_snapshot_at(s, 0)->error, "init returned 7");
    chief_snapshot_free(s);
    end(c, CHIEF_OK);
    assert_int_equal(p.inits, 3);
    assert_int_equal(p.runs, 1);
}

static void test_fault_07__a_clean_end_is_no_failure(void **state) {
    (void)state;
    probe p = {.returns = true};
    chief_worker_options o = {.restart = &soon};
    chief *c = make(NULL);
    add(c, "a", &p, &o);
    launch(c);
    await_state(c, "a", CHIEF_WORKER_STOPPED);
    assert_int_equal(chief_start_worker(c, "a"), CHIEF_OK);
    await_count(&p.finis, 2);
    await_state(c, "a", CHIEF_WORKER_STOPPED);
    end(c, CHIEF_OK);
    assert_int_equal(p.runs, 2);
}

static void test_fault_08__cancelled_unasked_is_a_failure(void **state) {
    (void)state;
    probe unasked = {.returns = true, .result = CHIEF_ECANCELED};
    run_once(&unasked, NULL, CHIEF_EFAILED);
    probe asked = {.returns_error = true};
    chief *c = make(NULL);
    add(c, "a", &asked, NULL);
    launch(c);
    await_state(c, "a", CHIEF_WORKER_RUN);
    assert_int_equal(chief_stop_worker(c, "a"), CHIEF_OK);
    await_state(c, "a", CHIEF_WORKER_STOPPED);
    end(c, CHIEF_OK);
}

static void test_fault_10__waiting_for_a_restart_delays_no_stop(void **state) {
    (void)state;
    static const chief_restart late = {
        .size = sizeof late, .policy = CHIEF_RESTART_ON_FAILURE, .delay = 30000, .jitter = -1};
    chief_worker_options o = {.restart = &late};
    int64_t best = INT64_MAX;
    for (int i = 0; i < 3; i++) {
        probe p = {.fail_runs = 100};
        chief *c = make(NULL);
        add(c, "a", &p, &o);
        launch(c);
        await_state(c, "a", CHIEF_WORKER_FAILED);
        int64_t begun = chief__now_ms();
        end(c, CHIEF_EFAILED);
        int64_t took = chief__now_ms() - begun;
        if (took < best) best = took;
        assert_int_equal(p.runs, 1);
    }
    assert_true(best < support_ms(50));
}

static void test_fault_13__no_policy_undoes_a_manual_stop(void **state) {
    (void)state;
    static const chief_restart always = {
        .size = sizeof always, .policy = CHIEF_RESTART_ALWAYS, .delay = 1, .jitter = -1};
    probe a = {.returns_error = true}, b = {0};
    chief_worker_options o = {.restart = &always};
    chief *c = make(NULL);
    add(c, "a", &a, &o);
    add(c, "b", &b, &o);
    launch(c);
    await_state(c, "a", CHIEF_WORKER_RUN);
    assert_int_equal(chief_stop_worker(c, "a"), CHIEF_OK);
    await_state(c, "a", CHIEF_WORKER_STOPPED);
    for (int i = 0; i < 5; i++) { /* time passes for the loop: others are restarted meanwhile */
        await_state(c, "b", CHIEF_WORKER_RUN);
        int runs = b.runs;
        assert_int_equal(chief_restart_worker(c, "b"), CHIEF_OK);
        await_count(&b.runs, runs + 1);
    }
    assert_int_equal(a.runs, 1);
    end(c, CHIEF_OK);
}

static double cpu_seconds(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void test_fault_03__failing_at_once_costs_nothing(void **state) {
    (void)state;
    static const chief_restart backoff = {
        .size = sizeof backoff, .policy = CHIEF_RESTART_ON_FAILURE, .delay = 100, .factor = 2, .jitter = -1};
    probe p = {.fail_runs = 1 << 30};
    chief_worker_options o = {.restart = &backoff};
    chief *c = make(NULL);
    add(c, "a", &p, &o);
    double cpu = cpu_seconds();
    int64_t begun = chief__now_ms();
    launch(c);
    assert_int_equal(chief_join(c, 10000), CHIEF_ETIMEDOUT); /* ten seconds of real time are the case */
    int64_t took = chief__now_ms() - begun;
    cpu = cpu_seconds() - cpu;
    int due = 1; /* runs at 0, 100, 300, 700 … ms */
    for (int64_t at = 100, delay = 200; at <= took; at += delay, delay *= 2) due++;
    assert_in_range(p.runs, due - 1, due);
    assert_true(cpu < (double)support_ms(took) / 1000 * 0.01);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), CHIEF_EFAILED);
    int events = 0;
    chief_event *e;
    size_t n;
    while (chief_take_events(c, &e, 1, CHIEF_FOREVER, &n) == CHIEF_OK) {
        events++;
        chief_event_free(e);
    }
    assert_in_range(events, 3 * p.runs, 6 * p.runs + 6);
    chief_free(c);
}

/* ---- stopping ---- */

static void test_fault_15_47__who_ignores_the_stop_is_abandoned_and_named(void **state) {
    (void)state;
    int64_t best = INT64_MAX;
    for (int i = 0; i < 3; i++) {
        support_gate gate;
        support_gate_init(&gate);
        probe p = {.deaf = true, .let_go = &gate};
        chief_options co = {.force_stop_timeout = 50};
        chief *c = make(&co);
        add(c, "stuck", &p, NULL);
        launch(c);
        await_count(&p.runs, 1);
        int64_t begun = chief__now_ms();
        assert_int_equal(chief_stop(c), CHIEF_OK);
        assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), CHIEF_ETIMEDOUT);
        support_says("Graceful exit timeout exceeded: stuck");
        int64_t took = chief__now_ms() - begun - 50;
        if (took < best) best = took;
        assert_int_equal(chief_exit_code(c), 75);
        chief_free(c);
        assert_int_equal(p.destroyed, 0);
        support_gate_open(&gate);
        await_count(&p.destroyed, 1);
        assert_int_equal(p.finis, 1);
        support_gate_fini(&gate);
    }
    assert_true(best < support_ms(100));
}

static void test_fault_47__no_second_life_beside_an_abandoned_one(void **state) {
    (void)state;
    support_gate gate;
    support_gate_init(&gate);
    probe p = {.deaf = true, .let_go = &gate};
    chief_worker_options o = {.restart = &soon, .grace = 20};
    chief *c = make(NULL);
    add(c, "stuck", &p, &o);
    launch(c);
    await_count(&p.runs, 1);
    assert_int_equal(chief_stop_worker(c, "stuck"), CHIEF_OK);
    await_state(c, "stuck", CHIEF_WORKER_FAILED);
    assert_int_equal(chief_start_worker(c, "stuck"), CHIEF_EBUSY);
    assert_int_equal(p.inits, 1);
    support_gate_open(&gate);
    int rc;
    int64_t deadline = chief__deadline(support_ms(ANSWER_MS));
    while ((rc = chief_start_worker(c, "stuck")) == CHIEF_EBUSY && chief__now_ms() < deadline) chief__pause_ms(1);
    assert_int_equal(rc, CHIEF_OK);
    await_count(&p.runs, 2);
    end(c, CHIEF_OK);
    support_gate_fini(&gate);
}

/* How long the second signal took to end it: a first signal that stands, one too soon, and SIGHUP come before it. */
static int64_t force_by_signal(void) {
    support_gate gate;
    support_gate_init(&gate);
    probe p = {.deaf = true, .let_go = &gate};
    chief_options co = {.force_stop_timeout = support_ms(30000)};
    struct sigaction before, after;
    (void)sigaction(SIGTERM, NULL, &before);
    chief *c = make(&co);
    add(c, "stuck", &p, NULL);
    assert_int_equal(chief_catch_signals(c, CHIEF_CATCH_STOP | CHIEF_CATCH_HUP), CHIEF_OK);
    launch(c);
    await_count(&p.runs, 1);
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
    support_gate_open(&gate);
    await_count(&p.destroyed, 1);
    support_gate_fini(&gate);
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
    probe p = {0};
    for (int i = 0; i < 2; i++) (void)sigaction(signals[i], &ignored, &before[i]); /* what comes after the end */
    chief *c = make(NULL);
    add(c, "a", &p, NULL);
    assert_int_equal(chief_catch_signals(c, CHIEF_CATCH_STOP), CHIEF_OK);
    launch(c);
    await_count(&p.runs, 1);
    for (int i = 0; i < STOPPERS; i++) {
        stoppers[i].c = c;
        support_thread(&stoppers[i].thread, stop_often, &stoppers[i]);
    }
    for (int i = 0; i < STOPPERS; i++) chief__thread_join(&stoppers[i].thread);
    for (int i = 0; i < STOPPERS; i++) assert_int_equal(stoppers[i].answer, CHIEF_OK);
    assert_int_equal(count_events(c, CHIEF_EVENT_STOPPED), 1);
    assert_int_equal(p.runs, 1);
    assert_int_equal(p.finis, 1);
    assert_int_equal(chief_exit_code(c), 0);
    chief_free(c);
    for (int i = 0; i < 2; i++) (void)sigaction(signals[i], &before[i], NULL);
}

typedef struct hook_probe {
    probe *worker;
    atomic_int finis_seen;
    atomic_int done;
    support_gate *wait;
} hook_probe;

static void hook(void *data) {
    hook_probe *h = data;
    atomic_store(&h->finis_seen, atomic_load(&h->worker->finis) + 1);
    if (h->wait != NULL) (void)support_gate_pass(h->wait);
    (void)atomic_fetch_add(&h->done, 1);
}

static void test_fault_20__hooks_come_last_and_have_a_limit(void **state) {
    (void)state;
    support_gate gate;
    support_gate_init(&gate);
    probe p = {0};
    hook_probe h = {.worker = &p, .wait = &gate};
    chief_options co = {.hook_timeout = 30};
    chief *c = make(&co);
    add(c, "a", &p, NULL);
    assert_int_equal(chief_on_shutdown(c, hook, &h), CHIEF_OK);
    launch(c);
    await_count(&p.runs, 1);
    end(c, CHIEF_OK);
    assert_int_equal(h.finis_seen, 2);
    assert_int_equal(h.done, 0);
    support_gate_open(&gate);
    await_count(&h.done, 1);
    support_gate_fini(&gate);
}

static void test_fault_21__grace_is_a_maximum(void **state) {
    (void)state;
    chief_worker_options o = {.grace = 60000};
    int64_t best = INT64_MAX;
    for (int i = 0; i < 3; i++) {
        probe p = {.drain_ms = 50};
        chief *c = make(NULL);
        add(c, "a", &p, &o);
        launch(c);
        await_count(&p.runs, 1);
        int64_t begun = chief__now_ms();
        end(c, CHIEF_OK);
        if (chief__now_ms() - begun < best) best = chief__now_ms() - begun;
    }
    assert_true(best < support_ms(200));
}

static void test_fault_22__independent_workers_drain_together(void **state) {
    (void)state;
    enum { N = 64 };
    static probe probes[N];
    char name[16];
    memset(probes, 0, sizeof probes);
    chief *c = make(NULL);
    /* Each fiber that blocks in code of its own costs the next one 10 ms, until it is noticed. */
    int n = isolation == CHIEF_FIBER ? N / 8 : N;
    for (int i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "w%d", i);
        probes[i].drain_ms = 500;
        add(c, name, &probes[i], NULL);
    }
    launch(c);
    for (int i = 0; i < n; i++) await_count(&probes[i].runs, 1);
    int64_t begun = chief__now_ms();
    end(c, CHIEF_OK);
    assert_true(chief__now_ms() - begun < support_ms(1000));
}

static void test_fault_22__a_chain_stops_in_exact_reverse(void **state) {
    (void)state;
    atomic_int order = 0;
    probe a = {.order = &order}, b = {.order = &order}, d = {.order = &order};
    const char *after_a[] = {"a"};
    const char *after_b[] = {"b"};
    chief_worker_options ob = {.after = after_a, .n_after = 1};
    chief_worker_options od = {.after = after_b, .n_after = 1};
    chief *c = make(NULL);
    add(c, "d", &d, &od);
    add(c, "b", &b, &ob);
    add(c, "a", &a, NULL);
    launch(c);
    assert_int_equal(chief_wait_ready(c, support_ms(ANSWER_MS)), CHIEF_OK);
    end(c, CHIEF_OK);
    assert_int_equal(d.end_place, 1);
    assert_int_equal(b.end_place, 2);
    assert_int_equal(a.end_place, 3);
}

enum { JOBS = 200 };

typedef struct porter {
    const char *from, *to;
    atomic_int carried;
} porter;

/* Hands on, or stores, what comes. */
static int porter_run(chief_worker *ctx, void *instance) {
    porter *p = instance;
    chief_channel *from, *to = NULL;
    chief_msg *msg;
    int rc = chief_worker_channel(ctx, p->from, &from);
    if (rc == CHIEF_OK && p->to != NULL) rc = chief_worker_channel(ctx, p->to, &to);
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
    (void)support_gate_pass(p->let_go);
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

static void test_fault_49__a_stuck_top_leaves_the_others_their_time(void **state) {
    (void)state;
    static const chief_worker_ops stuck_ops = {.size = sizeof stuck_ops, .run = stuck_run};
    support_gate gate;
    support_gate_init(&gate);
    porter store = {.from = "resized"}, resizer = {.from = "accepted", .to = "resized"};
    probe top = {.let_go = &gate};
    const char *after = "resizer";
    chief_worker_options o = {.size = sizeof o, .after = &after, .n_after = 1, .destroy = probe_destroy};
    chief_options co = {.force_stop_timeout = support_ms(1500)};
    chief *c = make(&co);
    add_channel(c, "accepted", JOBS);
    add_channel(c, "resized", 4);
    add_porter(c, "store", &store, NULL);
    add_porter(c, "resizer", &resizer, "store");
    assert_int_equal(add_worker(c, "stuck", &stuck_ops, &top, &o), CHIEF_OK);
    launch(c);
    await_state(c, "stuck", CHIEF_WORKER_RUN);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, CHIEF_FOREVER), CHIEF_ETIMEDOUT);
    assert_string_equal(chief_last_error(), "Graceful exit timeout exceeded: stuck");
    assert_int_equal(top.runs, 1);
    assert_int_equal(resizer.carried, JOBS);
    assert_int_equal(store.carried, JOBS);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "resizer"), CHIEF_WORKER_STOPPED);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "store"), CHIEF_WORKER_STOPPED);
    chief_free(c);
    support_gate_open(&gate);
    await_count(&top.destroyed, 1);
    support_gate_fini(&gate);
}

/* ---- state, concurrency ---- */

static void test_fault_26__an_illegal_request_changes_nothing(void **state) {
    (void)state;
    probe p = {0}, other = {0};
    chief *c = make(NULL);
    add(c, "a", &p, NULL);
    launch(c);
    await_state(c, "a", CHIEF_WORKER_RUN);
    await_count(&p.runs, 1);
    assert_int_equal(chief_start_worker(c, "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    assert_int_equal(chief_start_worker(c, "nosuch"), CHIEF_ENOENT);
    assert_int_equal(add_worker(c, "a", &ops, &other, NULL), CHIEF_EEXIST);
    assert_int_equal(chief_pool_enable(chief_get_pool(c), "a"), CHIEF_EBUSY); /* a running chief's is its own */
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "a"), CHIEF_WORKER_RUN);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "nosuch"), CHIEF_WORKER_DISABLED);
    assert_int_equal(p.inits, 1);
    assert_int_equal(p.runs, 1);
    assert_int_equal(other.inits, 0);
    assert_int_equal(chief_remove_worker(c, "a"), CHIEF_OK);
    await_count(&p.destroyed, 1);
    assert_int_equal(chief_start_worker(c, "a"), CHIEF_ENOENT);
    assert_int_equal(chief_stop_worker(c, "a"), CHIEF_ENOENT);
    assert_int_equal(chief_restart_worker(c, "a"), CHIEF_ENOENT);
    assert_int_equal(chief_remove_worker(c, "a"), CHIEF_ENOENT);
    chief_snapshot *s;
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    assert_int_equal(chief_snapshot_len(s), 0);
    chief_snapshot_free(s);
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
    static const chief_worker_ops shout_ops = {.size = sizeof shout_ops, .run = shout_run};
    static shout shouts[N];
    chief_worker_options o = {.size = sizeof o, .destroy = shout_destroy, .mailbox_capacity = 16};
    char name[16];
    memset(shouts, 0, sizeof shouts);
    chief *c = make(NULL);
    launch(c);
    for (int i = 0; i < N + ALIVE; i++) {
        if (i >= ALIVE) { /* the oldest goes once it runs */
            await_count(&shouts[i - ALIVE].runs, 1);
            (void)snprintf(name, sizeof name, "s%d", i - ALIVE);
            assert_int_equal(chief_remove_worker(c, name), CHIEF_OK);
        }
        if (i >= N) continue;
        (void)snprintf(name, sizeof name, "s%d", i);
        assert_int_equal(add_worker(c, name, &shout_ops, &shouts[i], &o), CHIEF_OK);
    }
    for (int i = 0; i < N; i++) await_count(&shouts[i].destroyed, 1);
    end(c, CHIEF_OK);
    for (int i = 0; i < N; i++) {
        assert_int_equal(shouts[i].runs, 1);
        assert_int_equal(shouts[i].destroyed, 1);
    }
}

static int curious_init(chief_worker *ctx, void *data, void **instance) {
    probe *p = data;
    chief_snapshot *s;
    *instance = p;
    int rc = chief_worker_states(ctx, &s);
    if (rc == CHIEF_OK) chief_snapshot_free(s);
    static probe child;
    if (rc == CHIEF_OK) rc = add_worker(p->c, "child", &ops, &child, NULL);
    return rc;
}

static void test_fault_29__an_init_may_ask_and_add_and_block(void **state) {
    (void)state;
    support_gate gate;
    support_gate_init(&gate);
    static const chief_worker_ops curious_ops = {
        .size = sizeof curious_ops, .init = curious_init, .run = probe_run, .fini = probe_fini};
    probe slow = {.enter = &gate}, curious = {0};
    chief_options co = {.init_timeout = support_ms(200)};
    chief *c = make(&co);
    curious.c = c;
    assert_int_equal(add_worker(c, "curious", &curious_ops, &curious, NULL), CHIEF_OK);
    add(c, "slow", &slow, NULL);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK); /* slow's init is still blocked */
    int64_t begun = chief__now_ms();
    chief_snapshot *s;
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    assert_non_null(chief_snapshot_find(s, "child"));
    chief_snapshot_free(s);
    assert_true(chief__now_ms() - begun < support_ms(50));
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    await_state(c, "child", CHIEF_WORKER_RUN);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "slow"), CHIEF_WORKER_FAILED);
    support_gate_open(&gate);
    end(c, CHIEF_EFAILED);
    await_count(&slow.destroyed, 1);
    support_gate_fini(&gate);
}

static void test_fault_31__a_cycle_is_refused_with_its_path(void **state) {
    (void)state;
    probe a = {0}, b = {0};
    const char *after_a[] = {"a"};
    const char *after_b[] = {"b"};
    chief_worker_options oa = {.after = after_b, .n_after = 1};
    chief_worker_options ob = {.after = after_a, .n_after = 1};
    chief *c = make(NULL);
    add(c, "a", &a, &oa);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_ENOENT);
    support_says("worker a: after names \"b\"");
    add(c, "b", &b, &ob);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_ECYCLE);
    support_says("a → b → a");
    chief_free(c);
    assert_int_equal(a.inits, 0);
}

static void test_fault_33__nobody_has_to_read_the_events(void **state) {
    (void)state;
    probe p = {.fail_runs = 50};
    static const chief_restart fast = {
        .size = sizeof fast, .policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO, .jitter = -1};
    chief_options co = {.event_capacity = 8};
    chief_worker_options o = {.restart = &fast};
    chief *c = make(&co);
    add(c, "a", &p, &o);
    launch(c);
    await_count(&p.runs, 51);
    assert_true(chief_events_dropped(c) > 100);
    end(c, CHIEF_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_fault_01__a_failed_worker_runs_again, forget_roles),
        cmocka_unit_test_teardown(test_fault_02__never_is_one_init_and_one_run, forget_roles),
        cmocka_unit_test_teardown(test_fault_03__failing_at_once_costs_nothing, forget_roles),
        cmocka_unit_test_teardown(test_fault_06__the_third_init_runs, forget_roles),
        cmocka_unit_test_teardown(test_fault_07__a_clean_end_is_no_failure, forget_roles),
        cmocka_unit_test_teardown(test_fault_08__cancelled_unasked_is_a_failure, forget_roles),
        cmocka_unit_test_teardown(test_fault_10__waiting_for_a_restart_delays_no_stop, forget_roles),
        cmocka_unit_test_teardown(test_fault_13__no_policy_undoes_a_manual_stop, forget_roles),
        cmocka_unit_test_teardown(test_fault_15_47__who_ignores_the_stop_is_abandoned_and_named, forget_roles),
        cmocka_unit_test_teardown(test_fault_47__no_second_life_beside_an_abandoned_one, forget_roles),
        cmocka_unit_test_teardown(test_fault_18__a_second_signal_forces, forget_roles),
        cmocka_unit_test_teardown(test_fault_19__many_stops_are_one, forget_roles),
        cmocka_unit_test_teardown(test_fault_20__hooks_come_last_and_have_a_limit, forget_roles),
        cmocka_unit_test_teardown(test_fault_21__grace_is_a_maximum, forget_roles),
        cmocka_unit_test_teardown(test_fault_22__independent_workers_drain_together, forget_roles),
        cmocka_unit_test_teardown(test_fault_22__a_chain_stops_in_exact_reverse, forget_roles),
        cmocka_unit_test_teardown(test_fault_49__a_stuck_top_leaves_the_others_their_time, forget_roles),
        cmocka_unit_test_teardown(test_fault_26__an_illegal_request_changes_nothing, forget_roles),
        cmocka_unit_test_teardown(test_fault_28__each_instance_runs_once_while_all_shout, forget_roles),
        cmocka_unit_test_teardown(test_fault_29__an_init_may_ask_and_add_and_block, forget_roles),
        cmocka_unit_test_teardown(test_fault_31__a_cycle_is_refused_with_its_path, forget_roles),
        cmocka_unit_test_teardown(test_fault_33__nobody_has_to_read_the_events, forget_roles),
    };
    int failed = cmocka_run_group_tests_name("in threads", tests, in_thread, NULL);
    return failed + cmocka_run_group_tests_name("in fibers", tests, in_fiber, NULL);
}
