/* The registry: its verbs, whose table is that of state.c, its snapshots, and what a running chief does with it. */
#include "support.h"

#include "alloc.h"
#include "err.h"
#include "pool.h"

/* What the pools of these tests log. */
static char logged[256];
static int lines;

/* A sink of the host's may call the library, which fails. */
static void keep_line(void *data, const chief_record *r) {
    (void)data;
    lines++;
    int len = snprintf(logged, sizeof logged, "%d %s", (int)r->level, r->message);
    for (size_t i = 0; i < r->n_fields; i++)
        len += snprintf(logged + len, sizeof logged - (size_t)len, " %s=%.*s", r->fields[i].key,
                        (int)r->fields[i].value.bytes.len, (const char *)r->fields[i].value.bytes.data);
    assert_int_equal(chief__fail(CHIEF_EINVAL, "the sink's own"), CHIEF_EINVAL);
}

static chief_log *make_log(void) {
    chief_log_options options = {.size = sizeof options, .sink = keep_line};
    chief_log *log = NULL;
    assert_int_equal(chief_log_new(&log, &options), CHIEF_OK);
    lines = 0;
    logged[0] = '\0';
    return log;
}

static int run_nothing(chief_worker *ctx, void *instance) {
    (void)ctx;
    (void)instance;
    return 0;
}

static const chief_worker_ops ops = {.size = sizeof ops, .run = run_nothing};

static chief_pool *make(const char *const *names, size_t n) {
    chief_pool *pool = NULL;
    chief_log *log = make_log();
    assert_int_equal(chief_pool_new(&pool), CHIEF_OK);
    assert_int_equal(chief_pool_set_log(pool, log), CHIEF_OK);
    chief_log_unref(log);
    for (size_t i = 0; i < n; i++) assert_int_equal(chief_pool_set_worker(pool, names[i], &ops, NULL), CHIEF_OK);
    return pool;
}

static chief_pool *make_one(void) {
    static const char *const names[] = {"a"};
    return make(names, 1);
}

static chief_snapshot *states_of(chief_pool *pool) {
    chief_snapshot *s = NULL;
    assert_int_equal(chief_pool_states(pool, &s), CHIEF_OK);
    return s;
}

static uint64_t seq_of(chief_pool *pool) {
    chief_snapshot *s = states_of(pool);
    uint64_t seq = chief_snapshot_seq(s);
    chief_snapshot_free(s);
    return seq;
}

/* ---- registering ---- */

static void test_pool__a_registered_worker_is_present(void **state) {
    (void)state;
    chief_pool *pool = make_one();
    assert_int_equal(chief_pool_get_state(pool, "a"), CHIEF_WORKER_PRESENT);
    assert_int_equal(chief_pool_is_enabled(pool, "a"), 0);
    assert_int_equal(chief_pool_is_alive(pool, "a"), 0);
    assert_int_equal(seq_of(pool), 1);
    chief_pool_free(pool);
    chief_pool_free(NULL);
}

static void test_pool__a_name_is_taken_once(void **state) {
    (void)state;
    chief_pool *pool = make_one();
    (void)chief_pool_enable(pool, "a");
    assert_int_equal(chief_pool_set_worker(pool, "a", &ops, pool), CHIEF_EEXIST);
    support_says("a worker a already");
    assert_int_equal(chief_pool_get_state(pool, "a"), CHIEF_WORKER_ENABLED);
    assert_int_equal(seq_of(pool), 2);
    chief_pool_free(pool);
}

static void test_pool__what_cannot_be_registered(void **state) {
    (void)state;
    chief_pool *pool = make(NULL, 0);
    const chief_worker_ops no_run = {.size = sizeof no_run};
    const chief_worker_ops no_size = {.run = run_nothing};
    assert_int_equal(chief_pool_set_worker(pool, "a b", &ops, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_pool_set_worker(pool, NULL, &ops, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_pool_set_worker(pool, "a", NULL, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_pool_set_worker(pool, "a", &no_size, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_pool_set_worker(pool, "a", &no_run, NULL), CHIEF_EINVAL);
    support_says("worker a has no run");
    assert_int_equal(chief_pool_set_worker(NULL, "a", &ops, NULL), CHIEF_EINVAL);
    assert_int_equal(seq_of(pool), 0);
    chief_pool_free(pool);
}

static void test_pool__what_was_registered_comes_back(void **state) {
    (void)state;
    chief_pool *pool = make(NULL, 0);
    chief_worker_ops got = {.size = sizeof got};
    void *data = &got;
    assert_int_equal(chief_pool_set_worker(pool, "a", &ops, pool), CHIEF_OK);
    assert_int_equal(chief_pool_get_worker(pool, "a", &got, &data), CHIEF_OK);
    assert_true(got.run == run_nothing);
    assert_ptr_equal(data, pool);
    assert_int_equal(chief_pool_get_worker(pool, "a", NULL, NULL), CHIEF_OK);
    assert_int_equal(chief_pool_get_worker(pool, "b", &got, &data), CHIEF_ENOENT);
    assert_true(got.run == NULL);
    assert_null(data);
    assert_int_equal(chief_pool_get_worker(NULL, "a", &got, &data), CHIEF_EINVAL);
    chief_pool_free(pool);
}

/* A caller that was compiled against a smaller or a larger structure. */
static void test_pool__fills_as_much_of_a_structure_as_its_size_says(void **state) {
    (void)state;
    enum { BEFORE_RUN = offsetof(chief_worker_ops, run) };
    struct {
        chief_worker_ops ops;
        void *of_a_later_version;
    } got;
    void *const untouched = &got;
    chief_pool *pool = make_one();
    chief_worker_ops expected = {.size = sizeof expected};
    assert_int_equal(chief_pool_get_worker(pool, "a", &expected, NULL), CHIEF_OK);
    memset(&got, 0xa5, sizeof got);
    got.ops.size = BEFORE_RUN;
    got.of_a_later_version = untouched;
    assert_int_equal(chief_pool_get_worker(pool, "a", &got.ops, NULL), CHIEF_OK);
    assert_int_equal(got.ops.size, BEFORE_RUN);
    assert_true(got.ops.init == expected.init);
    assert_int_equal(((const unsigned char *)&got)[BEFORE_RUN], 0xa5);
    got.ops.size = sizeof got;
    assert_int_equal(chief_pool_get_worker(pool, "a", &got.ops, NULL), CHIEF_OK);
    assert_int_equal(got.ops.size, sizeof got);
    assert_true(got.ops.run == expected.run);
    assert_null(got.of_a_later_version);
    got.ops.size = 0;
    assert_int_equal(chief_pool_get_worker(pool, "a", &got.ops, NULL), CHIEF_EINVAL);
    support_says("size is not set");
    chief_pool_free(pool);
}

/* ---- verbs ---- */

typedef chief_state_t (*verb)(chief_pool *pool, const char *name);

static const struct {
    verb call;
    chief_state_t to;
} verbs[] = {{chief_pool_enable, CHIEF_WORKER_ENABLED},
             {chief_pool_disable, CHIEF_WORKER_DISABLED},
             {chief_pool_start, CHIEF_WORKER_RUN},
             {chief_pool_stop, CHIEF_WORKER_STOPPED},
             {chief_pool_fail, CHIEF_WORKER_FAILED}};

enum { N_VERBS = sizeof verbs / sizeof *verbs };

/* From every state: where the table allows it the state changes, and where it does not that is told; both are events. */
static void test_pool__verbs_follow_the_table(void **state) {
    (void)state;
    for (chief_state_t from = CHIEF_WORKER_NULL; from <= CHIEF_WORKER_FAILED; from++)
        for (size_t v = 0; v < N_VERBS; v++) {
            chief_pool *pool = make_one();
            assert_int_equal(chief_pool_set_state(pool, "a", from), from);
            uint64_t before = seq_of(pool);
            chief_state_t expected = chief_state_transition(from, verbs[v].to);
            assert_int_equal(verbs[v].call(pool, "a"), expected);
            assert_int_equal(chief_pool_get_state(pool, "a"), expected > 0 ? expected : from);
            assert_int_equal(seq_of(pool) - before, expected != from);
            assert_int_equal(lines, expected < 0);
            chief_pool_free(pool);
        }
}

static void test_pool__a_refusal_says_why(void **state) {
    (void)state;
    chief_pool *pool = make_one();
    (void)chief_pool_enable(pool, "a");
    assert_int_equal(chief_pool_stop(pool, "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    assert_string_equal(chief_last_error(), "worker a: enabled to stopped is not a legal change");
    assert_int_equal(chief_pool_get_state(pool, "a"), CHIEF_WORKER_ENABLED);
    chief_pool_free(pool);
}

static void test_pool__a_refusal_is_logged(void **state) {
    (void)state;
    chief_pool *pool = make_one();
    assert_int_equal(chief_pool_start(pool, "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    assert_string_equal(logged, "3 wrong state change worker=a error=worker a: present to run is not a legal change");
    assert_string_equal(chief_last_error(), "worker a: present to run is not a legal change");
    assert_int_equal(chief_pool_init(pool, "a", NULL), CHIEF_WORKER_WRONG_STATE_CHANGE);
    assert_int_equal(lines, 2);
    assert_int_equal(chief_pool_start(pool, "b"), CHIEF_ENOENT);
    chief_log *log = make_log();
    assert_int_equal(chief_pool_set_log(pool, log), CHIEF_OK);
    assert_int_equal(chief_pool_stop(pool, "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    assert_int_equal(lines, 1);
    chief_log_unref(log);
    chief__pool_own(pool);
    assert_int_equal(chief_pool_set_log(pool, NULL), CHIEF_EBUSY);
    assert_int_equal(chief_pool_set_log(NULL, NULL), CHIEF_EINVAL);
    chief_pool_free(pool);
}

static void keep_event(void *data, const chief_event *event) {
    chief_event *kept = data;
    *kept = *event;
    assert_string_equal(event->worker, "a");
    assert_string_equal(event->error, "worker a: present to run is not a legal change");
}

static void test_pool__a_refusal_is_an_event_where_somebody_watches(void **state) {
    (void)state;
    chief_event event = {0};
    chief_pool *pool = make_one();
    chief__pool_watch(pool, keep_event, &event);
    assert_int_equal(chief_pool_start(pool, "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    assert_int_equal(event.kind, CHIEF_EVENT_WRONG_STATE_CHANGE);
    assert_int_equal(event.previous, CHIEF_WORKER_PRESENT);
    assert_int_equal(event.state, CHIEF_WORKER_RUN);
    assert_int_equal(event.seq, seq_of(pool));
    chief_pool_free(pool);
}

/* Only the line is lost. */
static void test_pool__a_refusal_needs_no_memory(void **state) {
    (void)state;
    support_heap heap;
    support_heap_begin(&heap, 0);
    chief_pool *pool = make_one();
    assert_int_equal(chief_pool_set_log(pool, NULL), CHIEF_OK);
    for (long n = 1; n < 3; n++) {
        atomic_store(&heap.until, n);
        assert_int_equal(chief_pool_start(pool, "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
        assert_true(atomic_load(&heap.failed));
        atomic_store(&heap.failed, false);
        assert_string_equal(chief_last_error(), "worker a: present to run is not a legal change");
    }
    chief_pool_free(pool);
    support_heap_end(&heap);
}

static void test_pool__an_unknown_name_is_disabled_and_makes_no_phantom(void **state) {
    (void)state;
    chief_pool *pool = make_one();
    assert_int_equal(chief_pool_get_state(pool, "b"), CHIEF_WORKER_DISABLED);
    assert_int_equal(chief_pool_is_enabled(pool, "b"), 0);
    for (size_t v = 0; v < N_VERBS; v++) {
        assert_int_equal(verbs[v].call(pool, "b"), CHIEF_ENOENT);
        support_says("invalid service name b; there are: a");
        assert_int_equal(verbs[v].call(pool, NULL), CHIEF_ENOENT);
    }
    assert_int_equal(chief_pool_set_state(pool, "b", CHIEF_WORKER_RUN), CHIEF_ENOENT);
    chief_snapshot *s = states_of(pool);
    assert_int_equal(chief_snapshot_len(s), 1);
    chief_snapshot_free(s);
    chief_pool_free(pool);
}

static void test_pool__set_state_overrides_with_real_states_only(void **state) {
    (void)state;
    static const chief_state_t bad[] = {0, 9, -2, INT32_MAX};
    chief_pool *pool = make_one();
    assert_int_equal(chief_pool_set_state(pool, "a", CHIEF_WORKER_STOPPED), CHIEF_WORKER_STOPPED);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(chief_pool_set_state(pool, "a", bad[i]), CHIEF_ESTATE);
    assert_int_equal(chief_pool_get_state(pool, "a"), CHIEF_WORKER_STOPPED);
    assert_int_equal(chief_pool_set_state(pool, "a", CHIEF_WORKER_RUN), CHIEF_WORKER_RUN);
    assert_int_equal(chief_pool_is_alive(pool, "a"), 1);
    assert_int_equal(chief_pool_is_enabled(pool, "a"), 1);
    chief_pool_free(pool);
}

static void test_pool__no_pool(void **state) {
    (void)state;
    chief_snapshot *s = NULL;
    for (size_t v = 0; v < N_VERBS; v++) assert_int_equal(verbs[v].call(NULL, "a"), CHIEF_EINVAL);
    assert_int_equal(chief_pool_set_state(NULL, "a", CHIEF_WORKER_RUN), CHIEF_EINVAL);
    assert_int_equal(chief_pool_get_state(NULL, "a"), CHIEF_WORKER_DISABLED);
    assert_int_equal(chief_pool_is_alive(NULL, "a"), 0);
    assert_int_equal(chief_pool_states(NULL, &s), CHIEF_EINVAL);
    assert_int_equal(chief_pool_states(NULL, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_pool_new(NULL), CHIEF_EINVAL);
}

/* ---- the chief's side ---- */

static void test_pool__a_running_chief_writes_it_alone(void **state) {
    (void)state;
    chief_pool *pool = make_one();
    chief__pool_own(pool);
    for (size_t v = 0; v < N_VERBS; v++) assert_int_equal(verbs[v].call(pool, "a"), CHIEF_EBUSY);
    support_says("chief_start_worker");
    assert_int_equal(chief_pool_set_state(pool, "a", CHIEF_WORKER_RUN), CHIEF_EBUSY);
    assert_int_equal(chief_pool_set_worker(pool, "b", &ops, NULL), CHIEF_EBUSY);
    assert_int_equal(chief_pool_get_state(pool, "a"), CHIEF_WORKER_PRESENT);
    assert_int_equal(chief_pool_get_worker(pool, "a", NULL, NULL), CHIEF_OK);
    chief__pool_release(pool);
    assert_int_equal(chief_pool_enable(pool, "a"), CHIEF_WORKER_ENABLED);
    chief_pool_free(pool);
}

static void record_failure(chief_pool *pool, chief__entry *entry, const char *error) {
    chief__change change = {.state = CHIEF_WORKER_FAILED,
                            .phase = CHIEF_PHASE_WAITING,
                            .reason = CHIEF_REASON_ERROR,
                            .seq = chief__pool_next_seq(pool),
                            .generation = 3,
                            .restarts = 2,
                            .until = chief__now_ms() + 60000,
                            .waiting_for = "restart",
                            .error = chief__strdup(error),
                            .traceback = chief__strdup("at x")};
    chief__pool_record(pool, entry, &change);
}

static void test_pool__a_record_shows_in_the_snapshot(void **state) {
    (void)state;
    chief_pool *pool = make_one();
    record_failure(pool, chief__pool_find(pool, "a"), "broken");
    chief_snapshot *s = states_of(pool);
    const chief_worker_status *a = chief_snapshot_find(s, "a");
    assert_int_equal(a->state, CHIEF_WORKER_FAILED);
    assert_int_equal(a->phase, CHIEF_PHASE_WAITING);
    assert_int_equal(a->reason, CHIEF_REASON_ERROR);
    assert_int_equal(a->generation, 3);
    assert_int_equal(a->restarts, 2);
    assert_in_range(a->until_ms, 1, 60000);
    assert_string_equal(a->waiting_for, "restart");
    assert_string_equal(a->error, "broken");
    assert_string_equal(a->traceback, "at x");
    assert_int_equal(chief_snapshot_seq(s), 2);
    chief_snapshot_free(s);
    chief_pool_free(pool);
}

static void test_pool__the_last_failure_stays_after_the_restart(void **state) {
    (void)state;
    chief_pool *pool = make_one();
    chief__entry *entry = chief__pool_find(pool, "a");
    record_failure(pool, entry, "broken");
    chief__change run = {.state = CHIEF_WORKER_RUN, .phase = -1, .seq = chief__pool_next_seq(pool), .generation = 4};
    chief__pool_record(pool, entry, &run);
    chief_snapshot *s = states_of(pool);
    assert_int_equal(chief_snapshot_at(s, 0)->state, CHIEF_WORKER_RUN);
    assert_int_equal(chief_snapshot_at(s, 0)->phase, CHIEF_PHASE_WAITING);
    assert_string_equal(chief_snapshot_at(s, 0)->error, "broken");
    assert_string_equal(chief_snapshot_at(s, 0)->traceback, "at x");
    chief_snapshot_free(s);
    record_failure(pool, entry, "again");
    s = states_of(pool);
    assert_string_equal(chief_snapshot_at(s, 0)->error, "again");
    chief_snapshot_free(s);
    chief_pool_free(pool);
}

static void test_pool__a_phase_without_limit_or_past_it(void **state) {
    (void)state;
    chief_pool *pool = make_one();
    char long_text[2000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    chief__change change = {.phase = CHIEF_PHASE_WAITING, .until = INT64_MAX, .waiting_for = long_text};
    chief__pool_record(pool, chief__pool_find(pool, "a"), &change);
    chief_snapshot *s = states_of(pool);
    assert_int_equal(chief_snapshot_at(s, 0)->until_ms, -1);
    assert_in_range(strlen(chief_snapshot_at(s, 0)->waiting_for), 100, 1000);
    chief_snapshot_free(s);
    change = (chief__change){.phase = CHIEF_PHASE_STOPPING, .until = chief__now_ms() - 5};
    chief__pool_record(pool, chief__pool_find(pool, "a"), &change);
    s = states_of(pool);
    assert_int_equal(chief_snapshot_at(s, 0)->until_ms, 0);
    assert_string_equal(chief_snapshot_at(s, 0)->waiting_for, "");
    chief_snapshot_free(s);
    chief_pool_free(pool);
}

static void expect_order(chief_pool *pool, const char *expected) {
    char order[64] = "";
    chief_snapshot *s = states_of(pool);
    for (size_t i = 0; i < chief_snapshot_len(s); i++) (void)strcat(order, chief_snapshot_at(s, i)->name);
    chief_snapshot_free(s);
    assert_string_equal(order, expected);
}

static void test_pool__registration_order_is_kept(void **state) {
    (void)state;
    static const char *const names[] = {"z", "b", "y", "a"};
    chief__entry *entry;
    chief_pool *pool = make(names, 4);
    expect_order(pool, "zbya");
    chief__pool_drop(pool, chief__pool_find(pool, "b"));
    expect_order(pool, "zya");
    assert_null(chief__pool_find(pool, "b"));
    assert_int_equal(chief__pool_add(pool, "b", &ops, NULL, &entry), CHIEF_OK);
    expect_order(pool, "zyab");
    chief__pool_drop(pool, chief__pool_find(pool, "z"));
    chief__pool_drop(pool, entry);
    expect_order(pool, "ya");
    chief_pool_free(pool);
}

static void test_pool__it_outlives_its_chief(void **state) {
    (void)state;
    chief_pool *pool = make_one();
    (void)chief__pool_ref(pool);
    chief_pool_free(pool);
    assert_int_equal(chief_pool_get_state(pool, "a"), CHIEF_WORKER_PRESENT);
    chief__pool_unref(pool);
}

/* ---- waiting ---- */

static void test_pool__waiting_for_a_state(void **state) {
    (void)state;
    chief_pool *pool = make_one();
    assert_int_equal(chief__pool_wait_state(pool, "a", CHIEF_WORKER_PRESENT, 0), CHIEF_OK);
    assert_int_equal(chief__pool_wait_state(pool, "b", CHIEF_WORKER_PRESENT, CHIEF_FOREVER), CHIEF_ENOENT);
    assert_int_equal(chief__pool_wait_state(pool, "a", CHIEF_WORKER_RUN, 0), CHIEF_EAGAIN);
    int64_t begun = chief__now_ms();
    assert_int_equal(chief__pool_wait_state(pool, "a", CHIEF_WORKER_RUN, 10), CHIEF_ETIMEDOUT);
    assert_true(chief__now_ms() - begun >= 10);
    chief__pool_close(pool);
    assert_int_equal(chief__pool_wait_state(pool, "a", CHIEF_WORKER_RUN, CHIEF_FOREVER), CHIEF_ECLOSED);
    assert_int_equal(chief__pool_wait_state(pool, "a", CHIEF_WORKER_PRESENT, CHIEF_FOREVER), CHIEF_OK);
    chief_pool_free(pool);
}

struct waiter {
    chief_pool *pool;
    support_gate begun;
    int rc;
};

static void wait_for_run(void *data) {
    struct waiter *w = data;
    support_gate_open(&w->begun);
    w->rc = chief__pool_wait_state(w->pool, "a", CHIEF_WORKER_RUN, CHIEF_FOREVER);
}

static void enable_it(chief_pool *pool) { (void)chief_pool_set_state(pool, "a", CHIEF_WORKER_RUN); }

static void record_it(chief_pool *pool) {
    chief__change change = {.state = CHIEF_WORKER_RUN, .phase = -1, .seq = chief__pool_next_seq(pool)};
    chief__pool_record(pool, chief__pool_find(pool, "a"), &change);
}

static void drop_it(chief_pool *pool) { chief__pool_drop(pool, chief__pool_find(pool, "a")); }

static int woken_by(void (*what)(chief_pool *pool)) {
    struct waiter w = {.pool = make_one()};
    chief__thread thread;
    support_gate_init(&w.begun);
    support_thread(&thread, wait_for_run, &w);
    assert_true(support_gate_pass(&w.begun));
    what(w.pool);
    chief__thread_join(&thread);
    support_gate_fini(&w.begun);
    chief_pool_free(w.pool);
    return w.rc;
}

static void test_pool__who_waits_is_woken(void **state) {
    (void)state;
    assert_int_equal(woken_by(enable_it), CHIEF_OK);
    assert_int_equal(woken_by(record_it), CHIEF_OK);
    assert_int_equal(woken_by(drop_it), CHIEF_ENOENT);
    assert_int_equal(woken_by(chief__pool_close), CHIEF_ECLOSED);
}

/* ---- consistency ---- */

enum { WORKERS = 8, READERS = 3, WRITERS = 4, CYCLE = 5, CHANGES = 2000 };

typedef struct crowd {
    chief_pool *pool;
    atomic_int writing; /* writers not yet through */
    atomic_int numbers; /* for the writers */
    atomic_bool wrong;  /* a reader saw what can't be */
} crowd;

/* Each worker goes round the states enabled … failed, one step at a time: how many steps it took is known but for full
 * rounds. All steps together are what the snapshot's number counts. */
static bool is_prefix(const chief_snapshot *s) {
    uint64_t steps = 0;
    for (size_t i = 0; i < WORKERS; i++) steps += (uint64_t)(chief_snapshot_at(s, i)->state - CHIEF_WORKER_ENABLED);
    return steps % CYCLE == (chief_snapshot_seq(s) - 2 * WORKERS) % CYCLE;
}

static void read_on(void *data) {
    crowd *c = data;
    uint64_t last = 0;
    while (atomic_load(&c->writing) > 0) {
        chief_snapshot *s = NULL;
        if (chief_pool_states(c->pool, &s) != CHIEF_OK || chief_snapshot_len(s) < WORKERS || !is_prefix(s) ||
            chief_snapshot_seq(s) < last)
            atomic_store(&c->wrong, true);
        last = chief_snapshot_seq(s);
        chief_snapshot_free(s);
    }
}

/* Verbs from several threads, each on workers of its own. */
static void write_on(void *data) {
    crowd *c = data;
    int number = atomic_fetch_add(&c->numbers, 1);
    for (int i = 0; i < CHANGES; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "w%d", number + WRITERS * (i % 2));
        chief_state_t next = chief_pool_get_state(c->pool, name) + 1;
        (void)chief_pool_set_state(c->pool, name, next <= CHIEF_WORKER_FAILED ? next : CHIEF_WORKER_ENABLED);
    }
    (void)atomic_fetch_sub(&c->writing, 1);
}

/* Others come and go meanwhile, with texts of every length, and change no number. */
static void come_and_go(void *data) {
    crowd *c = data;
    char text[512];
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < CHANGES / 4; i++) {
        chief__entry *entry = NULL;
        if (chief__pool_add(c->pool, "guest", &ops, NULL, &entry) != CHIEF_OK) break;
        chief__change change = {.phase = -1, .error = chief__strndup(text, i % sizeof text)};
        chief__pool_record(c->pool, entry, &change);
        chief__pool_drop(c->pool, entry);
    }
    (void)atomic_fetch_sub(&c->writing, 1);
}

static void crowd_begin(crowd *c) {
    c->pool = make(NULL, 0);
    for (int i = 0; i < WORKERS; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "w%d", i);
        assert_int_equal(chief_pool_set_worker(c->pool, name, &ops, NULL), CHIEF_OK);
        assert_int_equal(chief_pool_enable(c->pool, name), CHIEF_WORKER_ENABLED);
    }
    atomic_init(&c->writing, WRITERS + 1);
    atomic_init(&c->numbers, 0);
    atomic_init(&c->wrong, false);
}

static void test_pool__every_snapshot_is_a_prefix_of_the_events(void **state) {
    (void)state;
    crowd c;
    chief__thread threads[READERS + WRITERS + 1];
    size_t n = 0;
    crowd_begin(&c);
    while (n < READERS) support_thread(&threads[n++], read_on, &c);
    while (n < READERS + WRITERS) support_thread(&threads[n++], write_on, &c);
    support_thread(&threads[n++], come_and_go, &c);
    while (n > 0) chief__thread_join(&threads[--n]);
    assert_false(atomic_load(&c.wrong));
    assert_int_equal(seq_of(c.pool), 2 * WORKERS + WRITERS * CHANGES);
    chief_pool_free(c.pool);
}

static void set_same(void *data) {
    crowd *c = data;
    if (chief_pool_set_worker(c->pool, "same", &ops, NULL) == CHIEF_OK) (void)atomic_fetch_add(&c->numbers, 1);
    /* whoever came second finds it registered, not half so */
    if (chief_pool_get_state(c->pool, "same") == CHIEF_WORKER_NULL) atomic_store(&c->wrong, true);
}

static void test_pool__one_of_many_gets_a_name(void **state) {
    (void)state;
    for (int round = 0; round < 50; round++) {
        crowd c = {.pool = make(NULL, 0)};
        chief__thread threads[WRITERS];
        for (int i = 0; i < WRITERS; i++) support_thread(&threads[i], set_same, &c);
        for (int i = 0; i < WRITERS; i++) chief__thread_join(&threads[i]);
        assert_int_equal(atomic_load(&c.numbers), 1);
        assert_false(atomic_load(&c.wrong));
        assert_int_equal(seq_of(c.pool), 1);
        chief_pool_free(c.pool);
    }
}

/* ---- memory ---- */

static int a_pools_life(void) {
    chief_pool *pool = NULL;
    chief_snapshot *s = NULL;
    size_t there = 0;
    int rc = chief_pool_new(&pool);
    for (int i = 0; rc == CHIEF_OK && i < 20; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "w%d", i);
        rc = chief_pool_set_worker(pool, name, &ops, NULL);
        there += rc == CHIEF_OK;
        assert_int_equal(chief_pool_get_state(pool, name),
                         rc == CHIEF_OK ? CHIEF_WORKER_PRESENT : CHIEF_WORKER_DISABLED);
    }
    if (pool != NULL) assert_int_equal(chief_pool_enable(pool, "nosuch"), CHIEF_ENOENT);
    if (rc == CHIEF_OK) rc = chief_pool_states(pool, &s);
    if (s != NULL) assert_int_equal(chief_snapshot_len(s), there);
    chief_snapshot_free(s);
    chief_pool_free(pool);
    return rc;
}

static void test_pool__out_of_memory(void **state) {
    (void)state;
    assert_true(support_out_of_memory(a_pools_life) > 45);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool__a_registered_worker_is_present),
        cmocka_unit_test(test_pool__a_name_is_taken_once),
        cmocka_unit_test(test_pool__what_cannot_be_registered),
        cmocka_unit_test(test_pool__what_was_registered_comes_back),
        cmocka_unit_test(test_pool__fills_as_much_of_a_structure_as_its_size_says),
        cmocka_unit_test(test_pool__verbs_follow_the_table),
        cmocka_unit_test(test_pool__a_refusal_says_why),
        cmocka_unit_test(test_pool__a_refusal_is_logged),
        cmocka_unit_test(test_pool__a_refusal_is_an_event_where_somebody_watches),
        cmocka_unit_test(test_pool__a_refusal_needs_no_memory),
        cmocka_unit_test(test_pool__an_unknown_name_is_disabled_and_makes_no_phantom),
        cmocka_unit_test(test_pool__set_state_overrides_with_real_states_only),
        cmocka_unit_test(test_pool__no_pool),
        cmocka_unit_test(test_pool__a_running_chief_writes_it_alone),
        cmocka_unit_test(test_pool__a_record_shows_in_the_snapshot),
        cmocka_unit_test(test_pool__the_last_failure_stays_after_the_restart),
        cmocka_unit_test(test_pool__a_phase_without_limit_or_past_it),
        cmocka_unit_test(test_pool__registration_order_is_kept),
        cmocka_unit_test(test_pool__it_outlives_its_chief),
        cmocka_unit_test(test_pool__waiting_for_a_state),
        cmocka_unit_test(test_pool__who_waits_is_woken),
        cmocka_unit_test(test_pool__every_snapshot_is_a_prefix_of_the_events),
        cmocka_unit_test(test_pool__one_of_many_gets_a_name),
        cmocka_unit_test(test_pool__out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
