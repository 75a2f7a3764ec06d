/* Workers that there are several times, in a chief: what `count` makes, and what their common name means. */
#include "support.h"

/* What all replicas of one worker share; each has its own counters by its number. */
typedef struct crew {
    atomic_int runs[5];
    atomic_int inits[5];
    atomic_int heard[5];
    atomic_int destroyed;
    atomic_int restart_asked;
    support_gate *gate; /* number 2 passes it before it says that it is ready */
} crew;

static int number_of(chief_worker *ctx) {
    const char *slash = strchr(chief_worker_name(ctx), '/');
    return slash != NULL ? (int)strtol(slash + 1, NULL, 10) : 0;
}

static int crew_init(chief_worker *ctx, void *data, void **instance) {
    crew *w = data;
    (void)atomic_fetch_add(&w->inits[number_of(ctx)], 1);
    *instance = w;
    return 0;
}

/* Counts what it hears; "fail" makes it fail. A call is answered with its name. */
static int crew_run(chief_worker *ctx, void *instance) {
    crew *w = instance;
    int n = number_of(ctx);
    chief_msg *msg;
    (void)atomic_fetch_add(&w->runs[n], 1);
    if (w->gate != NULL && n == 2 && !support_gate_pass(w->gate)) return 1;
    chief_worker_ready(ctx);
    while (chief_worker_recv(ctx, CHIEF_FOREVER, &msg) == CHIEF_OK) {
        chief_bytes bytes = chief_msg_data(msg);
        bool fails = bytes.len == 4 && memcmp(bytes.data, "fail", 4) == 0;
        (void)atomic_fetch_add(&w->heard[n], 1);
        if (strcmp(chief_msg_kind(msg), "call") == 0)
            (void)chief_msg_reply(msg, chief_worker_name(ctx), strlen(chief_worker_name(ctx)));
        chief_msg_free(msg);
        if (fails) return 1;
    }
    return 0;
}

static int crew_restart(void *data) {
    crew *w = data;
    (void)atomic_fetch_add(&w->restart_asked, 1);
    return 1;
}

static void crew_destroy(void *data) {
    crew *w = data;
    (void)atomic_fetch_add(&w->destroyed, 1);
}

static const chief_worker_ops ops = {
    .size = sizeof ops, .init = crew_init, .run = crew_run, .restart_on_fail = crew_restart};

#define ANSWER_MS support_ms(10000)

static int try_add(chief *c, const char *name, crew *w, uint32_t count, const char *after) {
    static const chief_restart at_once = {.size = sizeof at_once, .delay = CHIEF_ZERO, .jitter = -1};
    chief_worker_options o = {
        .size = sizeof o, .count = count, .after = &after, .destroy = crew_destroy, .restart = &at_once};
    o.n_after = after != NULL;
    if (w->gate != NULL) o.flags = CHIEF_WORKER_SAYS_READY;
    return chief_add_worker_with(c, name, &ops, w, &o);
}

static void add(chief *c, const char *name, crew *w, uint32_t count, const char *after) {
    assert_int_equal(try_add(c, name, w, count, after), CHIEF_OK);
}

static void launch(chief *c) {
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
}

static void await(chief *c, const char *name, chief_state_t state) {
    assert_int_equal(chief_wait_state(c, name, state, ANSWER_MS), CHIEF_OK);
}

static chief_state_t state_of(chief *c, const char *name) { return chief_pool_get_state(chief_get_pool(c), name); }

/* The names of all workers, in registration order. */
static void expect_names(chief *c, const char *expected) {
    chief_snapshot *s;
    char text[256] = "";
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    for (size_t i = 0; i < chief_snapshot_len(s); i++) {
        if (i > 0) strcat(text, " ");
        strcat(text, chief_snapshot_at(s, i)->name);
    }
    chief_snapshot_free(s);
    assert_string_equal(text, expected);
}

static uint64_t generation_of(chief *c, const char *name) {
    chief_snapshot *s;
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    uint64_t generation = chief_snapshot_find(s, name)->generation;
    chief_snapshot_free(s);
    return generation;
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
    assert_true(support_until(has_count, &w, 10000));
}

/* Takes events until one of that kind about that worker. */
static void await_event(chief *c, int32_t kind, const char *worker) {
    chief_event *e;
    size_t n;
    for (bool found = false; !found;) {
        assert_int_equal(chief_take_events(c, &e, 1, ANSWER_MS, &n), CHIEF_OK);
        found = e->kind == kind && strcmp(e->worker, worker) == 0;
        chief_event_free(e);
    }
}

/* ---- what count makes ---- */

static void test_replicas__are_workers_of_their_own(void **state) {
    (void)state;
    crew w = {0};
    crew alone = {0};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &alone, 1, NULL);
    add(c, "b", &w, 3, NULL);
    add(c, "c", &alone, 0, NULL);
    expect_names(c, "a b/1 b/2 b/3 c");
    launch(c);
    await(c, "b", CHIEF_WORKER_RUN);
    for (int i = 1; i <= 3; i++) assert_int_equal(atomic_load(&w.inits[i]), 1);
    assert_int_equal(atomic_load(&w.restart_asked), 1);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, CHIEF_FOREVER), CHIEF_OK);
    assert_int_equal(state_of(c, "b/3"), CHIEF_WORKER_STOPPED);
    chief_free(c);
    for (int i = 1; i <= 3; i++) assert_int_equal(atomic_load(&w.runs[i]), 1);
    assert_int_equal(atomic_load(&w.destroyed), 1);
    assert_int_equal(atomic_load(&alone.destroyed), 2);
}

static void test_replicas__no_name_is_taken_twice(void **state) {
    (void)state;
    crew w = {0};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &w, 2, NULL);
    assert_int_equal(try_add(c, "a", &w, 0, NULL), CHIEF_EEXIST);
    assert_int_equal(try_add(c, "a", &w, 3, NULL), CHIEF_EEXIST);
    add(c, "b", &w, 0, NULL);
    assert_int_equal(try_add(c, "b", &w, 2, NULL), CHIEF_EEXIST);
    assert_int_equal(try_add(c, "a/3", &w, 0, NULL), CHIEF_EINVAL);
    assert_int_equal(try_add(c, "d", &w, 65536, NULL), CHIEF_EINVAL);
    support_says("a count of 65536 is more than 65535");
    expect_names(c, "a/1 a/2 b");
    chief_free(c);
    assert_int_equal(atomic_load(&w.destroyed), 2);
}

/* ---- what their common name means ---- */

static void test_replicas__are_enabled_by_their_name_or_one_by_one(void **state) {
    (void)state;
    static const char *const wrong[] = {"a", "c"};
    crew w = {0};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &w, 2, NULL);
    add(c, "b", &w, 2, NULL);
    assert_int_equal(chief_is_enabled(c, "a"), 1);
    assert_int_equal(chief_enable_workers(c, wrong, 2), CHIEF_ENOENT);
    support_says("invalid service name c; there are: a (a/1, a/2), b (b/1, b/2)");
    assert_int_equal(chief_enable_worker(c, "a"), CHIEF_OK);
    assert_int_equal(chief_enable_worker(c, "b/2"), CHIEF_OK);
    assert_int_equal(chief_is_enabled(c, "a"), 1);
    assert_int_equal(chief_is_enabled(c, "b"), 0);
    assert_int_equal(chief_is_enabled(c, "b/2"), 1);
    assert_int_equal(chief_is_enabled(c, "nosuch"), 0);
    launch(c);
    await(c, "a", CHIEF_WORKER_RUN);
    await(c, "b/2", CHIEF_WORKER_RUN);
    assert_int_equal(state_of(c, "b"), CHIEF_WORKER_DISABLED);
    assert_int_equal(chief_pool_is_alive(chief_get_pool(c), "a"), 1);
    assert_int_equal(chief_pool_is_alive(chief_get_pool(c), "b"), 0);
    assert_int_equal(chief_enable_worker(c, "b"), CHIEF_OK);
    assert_int_equal(chief_is_enabled(c, "b"), 1);
    assert_int_equal(chief_start_worker(c, "b"), CHIEF_OK);
    await(c, "b", CHIEF_WORKER_RUN);
    assert_int_equal(chief_wait_state(c, "c", CHIEF_WORKER_RUN, 0), CHIEF_ENOENT);
    chief_free(c);
}

static void test_replicas__are_asked_all_at_once_or_one_by_one(void **state) {
    (void)state;
    crew w = {0};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &w, 3, NULL);
    launch(c);
    await(c, "a", CHIEF_WORKER_RUN);
    assert_int_equal(chief_start_worker(c, "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    support_says("worker a/1: run to run is not a legal change");
    assert_int_equal(chief_stop_worker(c, "a/2"), CHIEF_OK);
    await(c, "a/2", CHIEF_WORKER_STOPPED);
    assert_int_equal(chief_wait_state(c, "a", CHIEF_WORKER_RUN, 0), CHIEF_EAGAIN);
    assert_int_equal(state_of(c, "a"), CHIEF_WORKER_STOPPED);
    assert_int_equal(chief_start_worker(c, "a"), CHIEF_OK);
    await(c, "a", CHIEF_WORKER_RUN);
    assert_int_equal(generation_of(c, "a/1"), 1);
    assert_int_equal(generation_of(c, "a/2"), 2);
    assert_int_equal(chief_restart_worker(c, "a"), CHIEF_OK);
    await_count(&w.runs[1], 2);
    await_count(&w.runs[2], 3);
    await_count(&w.runs[3], 2);
    assert_int_equal(chief_stop_worker(c, "a"), CHIEF_OK);
    await(c, "a", CHIEF_WORKER_STOPPED);
    assert_int_equal(chief_stop_worker(c, "a"), CHIEF_WORKER_WRONG_STATE_CHANGE);
    assert_int_equal(chief_stop_worker(c, "b"), CHIEF_ENOENT);
    chief_free(c);
}

/* One wrong change is told for each request that is legal for none, and none for one that is legal for some. */
static void test_replicas__legal_for_some_is_no_mistake(void **state) {
    (void)state;
    crew w = {0};
    chief *c = support_quiet_chief(NULL);
    chief_event *e;
    size_t n;
    add(c, "a", &w, 2, NULL);
    launch(c);
    await(c, "a", CHIEF_WORKER_RUN);
    assert_int_equal(chief_stop_worker(c, "a/1"), CHIEF_OK);
    await(c, "a/1", CHIEF_WORKER_STOPPED);
    assert_int_equal(chief_start_worker(c, "a"), CHIEF_OK);
    await(c, "a", CHIEF_WORKER_RUN);
    while (chief_take_events(c, &e, 1, 0, &n) == CHIEF_OK) {
        assert_int_not_equal(e->kind, CHIEF_EVENT_WRONG_STATE_CHANGE);
        chief_event_free(e);
    }
    chief_free(c);
}

static void test_replicas__are_removed_and_their_name_is_free(void **state) {
    (void)state;
    crew w = {0};
    crew again = {0};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &w, 2, NULL);
    launch(c);
    await(c, "a", CHIEF_WORKER_RUN);
    assert_int_equal(chief_remove_worker(c, "a/1"), CHIEF_OK);
    await_event(c, CHIEF_EVENT_REMOVED, "a/1");
    expect_names(c, "a/2");
    assert_int_equal(atomic_load(&w.destroyed), 0);
    assert_int_equal(try_add(c, "a", &again, 2, NULL), CHIEF_EEXIST);
    await(c, "a", CHIEF_WORKER_RUN);
    assert_int_equal(chief_remove_worker(c, "a"), CHIEF_OK);
    await_event(c, CHIEF_EVENT_REMOVED, "a/2");
    await_count(&w.destroyed, 1);
    assert_int_equal(chief_wait_state(c, "a", CHIEF_WORKER_RUN, 0), CHIEF_ENOENT);
    add(c, "a", &again, 3, NULL);
    await(c, "a", CHIEF_WORKER_RUN);
    expect_names(c, "a/1 a/2 a/3");
    chief_free(c);
    assert_int_equal(atomic_load(&w.destroyed), 1);
    assert_int_equal(atomic_load(&again.destroyed), 1);
}

static void test_replicas__come_all_or_none_while_running(void **state) {
    (void)state;
    crew w = {0};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &w, 2, NULL);
    launch(c);
    assert_int_equal(try_add(c, "b", &w, 2, "nosuch"), CHIEF_ENOENT);
    support_says("after names \"nosuch\"; there are: a");
    assert_int_equal(try_add(c, "b", &w, 2, "b"), CHIEF_ECYCLE);
    expect_names(c, "a/1 a/2");
    add(c, "b", &w, 2, "a/2");
    await(c, "b", CHIEF_WORKER_RUN);
    assert_int_equal(chief_wait_ready(c, ANSWER_MS), CHIEF_OK);
    chief_free(c);
}

static void test_replicas__are_waited_for_until_all_are_ready(void **state) {
    (void)state;
    support_gate gate;
    crew w = {.gate = &gate};
    crew later = {0};
    support_gate_init(&gate);
    chief *c = support_quiet_chief(NULL);
    add(c, "z", &later, 2, "a");
    add(c, "a", &w, 2, NULL);
    launch(c);
    await_event(c, CHIEF_EVENT_READY, "a/1");
    assert_int_equal(state_of(c, "z/1"), CHIEF_WORKER_ENABLED);
    assert_int_equal(chief_wait_state(c, "z", CHIEF_WORKER_RUN, 0), CHIEF_EAGAIN);
    support_gate_open(&gate);
    await(c, "z", CHIEF_WORKER_RUN);
    assert_int_equal(chief_wait_ready(c, ANSWER_MS), CHIEF_OK);
    chief_free(c);
    support_gate_fini(&gate);
}

/* ---- messages and failures ---- */

static void test_replicas__get_messages_in_turn(void **state) {
    (void)state;
    crew w = {0};
    size_t reached;
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &w, 3, NULL);
    launch(c);
    await(c, "a", CHIEF_WORKER_RUN);
    for (int i = 0; i < 6; i++) assert_int_equal(chief_send(c, "a", "x", 1, CHIEF_FOREVER), CHIEF_OK);
    for (int i = 1; i <= 3; i++) await_count(&w.heard[i], 2);
    assert_int_equal(chief_broadcast(c, "x", 1, &reached), CHIEF_OK);
    assert_int_equal(reached, 3);
    for (int i = 1; i <= 3; i++) await_count(&w.heard[i], 3);
    chief_msg *reply;
    assert_int_equal(chief_call(c, "a/3", "x", 1, ANSWER_MS, &reply), CHIEF_OK);
    assert_memory_equal(chief_msg_data(reply).data, "a/3", 3);
    chief_msg_free(reply);
    assert_int_equal(chief_call(c, "a", "x", 1, ANSWER_MS, &reply), CHIEF_OK);
    assert_memory_equal(chief_msg_data(reply).data, "a/1", 3);
    chief_msg_free(reply);
    chief_free(c);
}

static void test_replicas__fail_each_for_itself(void **state) {
    (void)state;
    crew w = {0};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", &w, 2, NULL);
    launch(c);
    await(c, "a", CHIEF_WORKER_RUN);
    assert_int_equal(chief_send(c, "a/2", "fail", 4, CHIEF_FOREVER), CHIEF_OK);
    await_count(&w.runs[2], 2);
    assert_int_equal(atomic_load(&w.runs[1]), 1);
    await(c, "a", CHIEF_WORKER_RUN);
    assert_int_equal(generation_of(c, "a/1"), 1);
    assert_int_equal(generation_of(c, "a/2"), 2);
    chief_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replicas__are_workers_of_their_own),
        cmocka_unit_test(test_replicas__no_name_is_taken_twice),
        cmocka_unit_test(test_replicas__are_enabled_by_their_name_or_one_by_one),
        cmocka_unit_test(test_replicas__are_asked_all_at_once_or_one_by_one),
        cmocka_unit_test(test_replicas__legal_for_some_is_no_mistake),
        cmocka_unit_test(test_replicas__are_removed_and_their_name_is_free),
        cmocka_unit_test(test_replicas__come_all_or_none_while_running),
        cmocka_unit_test(test_replicas__are_waited_for_until_all_are_ready),
        cmocka_unit_test(test_replicas__get_messages_in_turn),
        cmocka_unit_test(test_replicas__fail_each_for_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
