/*
 * No lock is held while the host's code runs: the allocator, a sink, callbacks, destructors. The locks are counted for each
 * thread by the linker's --wrap (tests/CMakeLists.txt). One exception, which chief.h names: while a chief is configured
 * its own lock is held, and memory is taken.
 */
#include "support.h"

#include "loop.h"

#define MOST 8

static _Thread_local const chief__mutex *held[MOST];
static _Thread_local size_t n_held;

/* What was found under a lock, the first of it; said at the end, where an assertion may fail. */
static _Atomic(const char *) guilty;
static _Atomic(const chief__mutex *) configured; /* the lock of the chief that is being configured */
static atomic_long calls;

/* NOLINTBEGIN(bugprone-reserved-identifier): names that the linker prescribes */
void __real_chief__lock(chief__mutex *m);
void __real_chief__unlock(chief__mutex *m);
void __wrap_chief__lock(chief__mutex *m);
void __wrap_chief__unlock(chief__mutex *m);

void __wrap_chief__lock(chief__mutex *m) {
    __real_chief__lock(m);
    if (n_held < MOST) held[n_held++] = m;
}

void __wrap_chief__unlock(chief__mutex *m) {
    size_t i = n_held;
    while (i > 0 && held[i - 1] != m) i--;
    if (i > 0) held[i - 1] = held[--n_held];
    __real_chief__unlock(m);
}
/* NOLINTEND(bugprone-reserved-identifier) */

static void accuse(const char *what) {
    const char *nobody = NULL;
    (void)atomic_compare_exchange_strong(&guilty, &nobody, what);
}

static void foreign(const char *what) {
    (void)atomic_fetch_add(&calls, 1);
    if (n_held > 0) accuse(what);
}

/* ---- what is the host's ---- */

static void *host_realloc(void *data, void *ptr, size_t size) {
    (void)data;
    (void)atomic_fetch_add(&calls, 1);
    if (n_held > 1 || (n_held == 1 && held[0] != atomic_load(&configured)))
        accuse(size == 0 ? "the allocator, freeing" : "the allocator");
    if (size > 0) return realloc(ptr, size);
    free(ptr);
    return NULL;
}

static void host_sink(void *data, const chief_record *record) {
    (void)data;
    (void)record;
    foreign("the sink");
}

static void host_destroy(void *data) {
    (void)data;
    foreign("a destructor");
}

static void host_hook(void *data) {
    (void)data;
    foreign("a shutdown hook");
}

static int host_restart_on_fail(void *data) {
    (void)data;
    foreign("restart_on_fail");
    return 1;
}

static int host_init(chief_worker *ctx, void *data, void **instance) {
    (void)ctx;
    foreign("init");
    *instance = data;
    return 0;
}

static void host_fini(void *instance) {
    (void)instance;
    foreign("fini");
}

static void set_value(chief_context *context) {
    chief_value value = {.type = CHIEF_POINTER, .pointer = &calls, .destroy = host_destroy};
    (void)chief_context_set(context, "value", &value);
}

/* ---- workers that do all there is ---- */

/* Sends, reserves, receives and dies with a message in hand, four times. */
static int busy_run(chief_worker *ctx, void *instance) {
    chief_channel *jobs, *unknown;
    chief_msg *msg;
    chief_reservation *r;
    chief_snapshot *states;
    void *room;
    (void)instance;
    foreign("run");
    set_value(chief_worker_context(ctx));
    if (chief_worker_channel(ctx, "jobs", &jobs) != CHIEF_OK) return 1;
    (void)chief_worker_channel(ctx, "unknown", &unknown);
    (void)chief_worker_send(ctx, "unknown", "x", 1, 0);
    (void)chief_worker_broadcast(ctx, "x", 1, NULL);
    for (int i = 0; i < 100; i++) (void)chief_channel_send(jobs, ctx, "job", 3, 0);
    if (chief_send_reserve(jobs, ctx, 8, 0, &r, &room) == CHIEF_OK) (void)chief_send_commit(r, 1);
    (void)chief_send_reserve(jobs, ctx, 8, 0, &r, &room);
    if (chief_worker_states(ctx, &states) == CHIEF_OK) chief_snapshot_free(states);
    if (chief_worker_call(ctx, "answers", "?", 1, CHIEF_FOREVER, &msg) == CHIEF_OK) chief_msg_free(msg);
    if (chief_channel_recv(jobs, ctx, 0, &msg) == CHIEF_OK) chief_msg_free(msg);
    if (chief_worker_generation(ctx) <= 4) return 1;
    return chief_worker_sleep(ctx, CHIEF_FOREVER);
}

static int answering_run(chief_worker *ctx, void *instance) {
    chief_msg *msg;
    int rc;
    (void)instance;
    foreign("run");
    while ((rc = chief_worker_recv(ctx, CHIEF_FOREVER, &msg)) == CHIEF_OK) {
        if (strcmp(chief_msg_kind(msg), "call") == 0) (void)chief_msg_reply(msg, "!", 1);
        chief_msg_free(msg);
    }
    return rc == CHIEF_ECANCELED ? 0 : rc;
}

static const chief_worker_ops busy_ops = {.size = sizeof busy_ops,
                                          .init = host_init,
                                          .run = busy_run,
                                          .fini = host_fini,
                                          .restart_on_fail = host_restart_on_fail};
static const chief_worker_ops answering_ops = {
    .size = sizeof answering_ops, .init = host_init, .run = answering_run, .fini = host_fini};

/* ---- the test ---- */

static chief *make_chief(void) {
    chief *c;
    chief_log_options lo = {.size = sizeof lo, .level = CHIEF_DEBUG, .sink = host_sink, .destroy = host_destroy};
    chief_options o = {.size = sizeof o, .event_capacity = 8};
    assert_int_equal(chief_log_new(&o.log, &lo), CHIEF_OK);
    assert_int_equal(chief_new(&c, &o), CHIEF_OK);
    chief_log_unref(o.log);
    return c;
}

static void add_replicas(chief *c, const char *name, const chief_worker_ops *ops, uint32_t count) {
    static const chief_restart at_once = {
        .size = sizeof at_once, .delay = CHIEF_ZERO, .jitter = -1, .policy = CHIEF_RESTART_ON_FAILURE};
    chief_worker_options o = {
        .size = sizeof o, .restart = &at_once, .destroy = host_destroy, .mailbox_capacity = 4, .count = count};
    assert_int_equal(chief_add_worker_with(c, name, ops, NULL, &o), CHIEF_OK);
}

static void add(chief *c, const char *name, const chief_worker_ops *ops) { add_replicas(c, name, ops, 1); }

/* More names than their tables first have room for. */
static void add_many_while_it_runs(chief *c) {
    char name[16];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "w%d", i);
        add(c, name, &answering_ops);
        snprintf(name, sizeof name, "ch%d", i);
        assert_int_equal(chief_add_channel(c, name, NULL), CHIEF_OK);
    }
    for (int i = 0; i < 40; i += 2) {
        snprintf(name, sizeof name, "w%d", i);
        assert_int_equal(chief_remove_worker(c, name), CHIEF_OK);
    }
    add_replicas(c, "many", &answering_ops, 9);
    assert_int_equal(chief_send(c, "many", "x", 1, CHIEF_FOREVER), CHIEF_OK);
    assert_int_equal(chief_remove_worker(c, "many/3"), CHIEF_OK);
}

static void ask_for_what_is_not_there(chief *c) {
    chief_channel *ch;
    chief_msg *reply;
    assert_int_equal(chief_get_channel(c, "unknown", &ch), CHIEF_ENOENT);
    assert_int_equal(chief_send(c, "unknown", "x", 1, 0), CHIEF_ENOENT);
    assert_int_equal(chief_call(c, "unknown", "x", 1, 0, &reply), CHIEF_ENOENT);
    assert_int_equal(chief_start_worker(c, "unknown"), CHIEF_ENOENT);
    assert_int_equal(chief_wait_state(c, "unknown", CHIEF_WORKER_RUN, 0), CHIEF_ENOENT);
    assert_int_equal(chief_add_worker(c, "busy", &busy_ops, NULL), CHIEF_EEXIST);
    assert_int_equal(chief_pool_start(chief_get_pool(c), "unknown"), CHIEF_ENOENT);
}

static void configure(chief *c) {
    chief_channel_options co = {
        .size = sizeof co, .delivery = CHIEF_AT_LEAST_ONCE, .max_deliveries = 2, .dead = "dead"};
    assert_int_equal(chief_add_channel(c, "dead", NULL), CHIEF_OK);
    assert_int_equal(chief_add_channel(c, "jobs", &co), CHIEF_OK);
    atomic_store(&configured, &c->lock);
    add(c, "busy", &busy_ops);
    add(c, "answers", &answering_ops);
    assert_int_equal(chief_on_shutdown(c, host_hook, NULL), CHIEF_OK);
    assert_int_equal(chief_enable_worker(c, "nobody"), CHIEF_ENOENT);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    atomic_store(&configured, NULL);
}

static void test_locks__none_is_held_while_a_host_s_code_runs_for_a_chief(void **state) {
    (void)state;
    chief *c = make_chief();
    configure(c);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    set_value(chief_get_context(c));
    add_many_while_it_runs(c);
    ask_for_what_is_not_there(c);
    set_value(chief_get_context(c));
    assert_int_equal(chief_wait_ready(c, support_ms(10000)), CHIEF_OK);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, CHIEF_FOREVER), CHIEF_OK);
    chief_free(c);
    if (atomic_load(&guilty) != NULL) fail_msg("called under a lock: %s", atomic_load(&guilty));
    assert_true(calls > 100);
}

static int once(chief_worker *ctx, void *instance) {
    (void)ctx;
    (void)instance;
    foreign("run");
    return 1;
}

static void test_locks__none_is_held_while_a_host_s_code_runs_for_a_pool(void **state) {
    (void)state;
    static const chief_worker_ops ops = {
        .size = sizeof ops, .init = host_init, .run = once, .fini = host_fini, .restart_on_fail = host_restart_on_fail};
    chief_pool *pool;
    char name[16];
    assert_int_equal(chief_pool_new(&pool), CHIEF_OK);
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "w%d", i);
        assert_int_equal(chief_pool_set_worker(pool, name, &ops, NULL), CHIEF_OK);
        assert_int_equal(chief_pool_enable(pool, name), CHIEF_WORKER_ENABLED);
        assert_int_equal(chief_pool_init(pool, name, NULL), CHIEF_WORKER_INITIALIZED);
        if (i % 2 == 0) assert_int_equal(chief_pool_run_exec(pool, name), CHIEF_EFAILED);
    }
    assert_int_equal(chief_pool_set_worker(pool, "w1", &ops, NULL), CHIEF_EEXIST);
    assert_int_equal(chief_pool_init(pool, "unknown", NULL), CHIEF_ENOENT);
    assert_int_equal(chief_pool_get_worker(pool, "unknown", NULL, NULL), CHIEF_ENOENT);
    assert_int_equal(chief_pool_set_state(pool, "unknown", CHIEF_WORKER_RUN), CHIEF_ENOENT);
    support_says("invalid service name unknown; there are: w0, w1, w10");
    chief_pool_free(pool);
    if (atomic_load(&guilty) != NULL) fail_msg("called under a lock: %s", atomic_load(&guilty));
}

static void test_locks__one_that_is_held_is_seen(void **state) {
    (void)state;
    chief__mutex lock;
    chief__mutex_init(&lock);
    chief__lock(&lock);
    host_destroy(NULL);
    chief__unlock(&lock);
    assert_string_equal(atomic_exchange(&guilty, NULL), "a destructor");
    host_destroy(NULL);
    assert_null(atomic_load(&guilty));
    chief__mutex_fini(&lock);
}

static int set_up(void **state) {
    static const chief_allocator hook = {.size = sizeof hook, .realloc = host_realloc};
    (void)state;
    return chief_set_allocator(&hook);
}

static int tear_down(void **state) {
    (void)state;
    return chief_set_allocator(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_locks__one_that_is_held_is_seen),
        cmocka_unit_test(test_locks__none_is_held_while_a_host_s_code_runs_for_a_pool),
        cmocka_unit_test(test_locks__none_is_held_while_a_host_s_code_runs_for_a_chief),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
