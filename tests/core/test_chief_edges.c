/* What a chief does at its edges: a home that can't be made, the last moments, before the beginning, in a forked child. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#define ANSWER_MS ((int64_t)10000)

/* ---- helpers ---- */

static chief_log *make_log(chief_sink sink, void *data) {
    chief_log *log;
    chief_log_options o = {
        .size = sizeof o, .level = sink != NULL ? CHIEF_DEBUG : CHIEF_OFF, .sink = sink, .data = data};
    assert_int_equal(chief_log_new(&log, &o), CHIEF_OK);
    return log;
}

static chief *make(chief_options o, chief_sink sink, void *data) {
    chief *c;
    o.size = sizeof o;
    o.log = make_log(sink, data);
    assert_int_equal(chief_new(&c, &o), CHIEF_OK);
    chief_log_unref(o.log);
    return c;
}

static void launch(chief *c) {
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
}

static void await_state(chief *c, const char *name, chief_state_t state) {
    assert_int_equal(chief_wait_state(c, name, state, support_ms(ANSWER_MS)), CHIEF_OK);
}

static int until_stopped(chief_worker *ctx, void *instance) {
    (void)instance;
    return chief_worker_sleep(ctx, CHIEF_FOREVER);
}

static const chief_worker_ops sleeper = {.size = sizeof sleeper, .run = until_stopped};

/* ---- a home that can't be made ---- */

/* The loop's allocations fail while it is told to; other threads have memory. */
static struct {
    support_heap heap;
    atomic_bool poor;
    pthread_t loop;
    support_gate stands, go_on;
    atomic_bool armed;
} scarce;

static void *scarce_realloc(void *data, void *ptr, size_t size) {
    bool refused = size > 0 && atomic_load(&scarce.poor) && pthread_equal(pthread_self(), scarce.loop);
    return refused ? NULL : support_realloc(data, ptr, size);
}

static bool nothing_is_alive(void *heap) { return atomic_load(&((support_heap *)heap)->live) == 0; }

/* Holds the loop once, so that several requests wait for it, and leaves it without memory. */
static void hold_the_loop(void *data, const chief_record *record) {
    (void)data;
    (void)record;
    if (!atomic_exchange(&scarce.armed, false)) return;
    scarce.loop = pthread_self();
    support_gate_open(&scarce.stands);
    (void)support_gate_pass(&scarce.go_on);
    atomic_store(&scarce.poor, true);
}

static void start_busy(void *c) { (void)chief_start_worker(c, "busy"); }
static void start_late(void *c) { (void)chief_start_worker(c, "late"); }
static void stop_late(void *c) { (void)chief_stop_worker(c, "late"); }

/* Its time is over before the loop has told the brain that it has no home. The pause only makes it likely that the start is
 * asked for first; the other order is answered well, too. */
static void test_chief_edges__a_home_that_was_never_made_can_be_abandoned_and_made_again(void **state) {
    (void)state;
    chief__thread busy, start, stop;
    chief_allocator hook = {.size = sizeof hook, .realloc = scarce_realloc, .data = &scarce.heap};
    chief_worker_options o = {.size = sizeof o, .grace = CHIEF_ZERO};
    assert_int_equal(chief_set_allocator(&hook), CHIEF_OK);
    support_gate_init(&scarce.stands);
    support_gate_init(&scarce.go_on);
    chief *c = make((chief_options){0}, hold_the_loop, NULL);
    assert_int_equal(chief_add_worker(c, "busy", &sleeper, NULL), CHIEF_OK);
    assert_int_equal(chief_add_worker_with(c, "late", &sleeper, NULL, &o), CHIEF_OK);
    assert_int_equal(chief_enable_worker(c, "busy"), CHIEF_OK);
    launch(c);
    await_state(c, "busy", CHIEF_WORKER_RUN);
    assert_int_equal(chief_enable_worker(c, "late"), CHIEF_OK);
    atomic_store(&scarce.armed, true);
    support_thread(&busy, start_busy, c); /* a wrong state change, which is logged */
    assert_true(support_gate_pass(&scarce.stands));
    support_thread(&start, start_late, c);
    chief__pause_ms(5);
    support_thread(&stop, stop_late, c);
    chief__pause_ms(5);
    support_gate_open(&scarce.go_on);
    chief__thread_join(&busy);
    chief__thread_join(&start);
    chief__thread_join(&stop);
    await_state(c, "late", CHIEF_WORKER_FAILED); /* the loop has dealt with it */
    atomic_store(&scarce.poor, false);
    assert_int_equal(chief_start_worker(c, "late"), CHIEF_OK);
    await_state(c, "late", CHIEF_WORKER_RUN);
    chief_free(c);
    /* With no grace, its last life may be abandoned, and end a moment later. */
    assert_true(support_until(nothing_is_alive, &scarce.heap, 10000));
    support_gate_fini(&scarce.stands);
    support_gate_fini(&scarce.go_on);
    (void)chief_set_allocator(NULL);
}

/* ---- the last moments ---- */

static int take_and_fail(chief_worker *ctx, void *instance) {
    chief_channel *ch;
    chief_msg *msg;
    (void)instance;
    int rc = chief_worker_channel(ctx, "jobs", &ch);
    if (rc == CHIEF_OK) rc = chief_channel_recv(ch, ctx, CHIEF_FOREVER, &msg);
    if (rc == CHIEF_OK) chief_msg_free(msg);
    return 1;
}

static void test_chief_edges__a_message_lost_by_the_last_death_is_told(void **state) {
    (void)state;
    static const chief_worker_ops ops = {.size = sizeof ops, .run = take_and_fail};
    chief_channel_options co = {.size = sizeof co, .delivery = CHIEF_AT_LEAST_ONCE, .max_deliveries = 1};
    chief_channel *jobs;
    chief_event *events[64];
    size_t n, told = 0;
    chief *c = make((chief_options){.exit_when_done = 1}, NULL, NULL);
    assert_int_equal(chief_add_channel(c, "jobs", &co), CHIEF_OK);
    assert_int_equal(chief_get_channel(c, "jobs", &jobs), CHIEF_OK);
    assert_int_equal(chief_channel_send(jobs, NULL, "x", 1, 0), CHIEF_OK);
    assert_int_equal(chief_add_worker(c, "a", &ops, NULL), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_start(c, NULL), CHIEF_EFAILED);
    while (chief_take_events(c, events, 64, CHIEF_FOREVER, &n) == CHIEF_OK)
        for (size_t i = 0; i < n; i++) {
            told += events[i]->kind == CHIEF_EVENT_MESSAGE_DROPPED;
            chief_event_free(events[i]);
        }
    assert_int_equal(told, 1);
    chief_channel_unref(jobs);
    chief_free(c);
}

/* ---- what a worker says about its failure ---- */

static int fail_and_say_ok(chief_worker *ctx, void *instance) {
    (void)instance;
    chief_worker_set_error(ctx, CHIEF_REASON_OK, "all is well", NULL);
    return 1;
}

static int fail_and_say_nonsense(chief_worker *ctx, void *instance) {
    (void)instance;
    chief_worker_set_error(ctx, 4711, "nonsense", NULL);
    return 1;
}

static void test_chief_edges__a_failure_is_one_whatever_reason_it_gives(void **state) {
    (void)state;
    static const chief_worker_ops fine = {.size = sizeof fine, .run = fail_and_say_ok};
    static const chief_worker_ops odd = {.size = sizeof odd, .run = fail_and_say_nonsense};
    chief_snapshot *s;
    chief *c = make((chief_options){.exit_when_done = 1}, NULL, NULL);
    assert_int_equal(chief_add_worker(c, "fine", &fine, NULL), CHIEF_OK);
    assert_int_equal(chief_add_worker(c, "odd", &odd, NULL), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_start(c, NULL), CHIEF_EFAILED);
    assert_int_equal(chief_exit_code(c), 1);
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(chief_snapshot_at(s, i)->state, CHIEF_WORKER_FAILED);
        assert_int_equal(chief_snapshot_at(s, i)->reason, CHIEF_REASON_ERROR);
    }
    assert_string_equal(chief_snapshot_at(s, 0)->error, "all is well");
    chief_snapshot_free(s);
    chief_free(c);
}

#define TRACEBACK "where it was, longer than any error text of this test could be, so that its size tells it from them"

static atomic_bool only_tracebacks;

static void *forgetful_realloc(void *data, void *ptr, size_t size) {
    (void)data;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    if (atomic_load(&only_tracebacks) && pthread_equal(pthread_self(), scarce.loop) && size != sizeof TRACEBACK)
        return NULL;
    return realloc(ptr, size);
}

static int end_with_a_traceback(chief_worker *ctx, void *instance) {
    (void)instance;
    (void)chief_worker_sleep(ctx, CHIEF_FOREVER);
    scarce.loop = pthread_self();
    atomic_store(&only_tracebacks, true);
    chief_worker_set_error(ctx, CHIEF_REASON_ERROR, "there is no memory for this", TRACEBACK);
    return 1;
}

static void have_memory_again(void *instance) {
    (void)instance;
    atomic_store(&only_tracebacks, false);
}

static void test_chief_edges__a_traceback_without_its_error_is_kept_well(void **state) {
    (void)state;
    static const chief_worker_ops ops = {.size = sizeof ops, .run = end_with_a_traceback, .fini = have_memory_again};
    chief_allocator hook = {.size = sizeof hook, .realloc = forgetful_realloc};
    chief_snapshot *s;
    assert_int_equal(chief_set_allocator(&hook), CHIEF_OK);
    chief *c = make((chief_options){0}, NULL, NULL);
    assert_int_equal(chief_add_worker(c, "a", &ops, NULL), CHIEF_OK);
    launch(c);
    await_state(c, "a", CHIEF_WORKER_RUN);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, CHIEF_FOREVER), CHIEF_OK);
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    assert_int_equal(chief_snapshot_at(s, 0)->state, CHIEF_WORKER_STOPPED);
    assert_string_equal(chief_snapshot_at(s, 0)->traceback, TRACEBACK);
    chief_snapshot_free(s);
    chief_free(c);
    (void)chief_set_allocator(NULL);
}

/* ---- a status is of one moment ---- */

typedef struct watcher {
    _Atomic(chief *) c;
    atomic_int failures;
    atomic_int torn;
} watcher;

/* A worker that failed is not up, one that runs is not idle, in what anybody sees. */
static void look_at_the_states(void *data, const chief_record *record) {
    watcher *w = data;
    chief *c = atomic_load(&w->c);
    chief_snapshot *s;
    (void)record;
    if (c == NULL || chief_states(c, &s) != CHIEF_OK) return;
    const chief_worker_status *a = chief_snapshot_find(s, "a");
    if (a != NULL && a->state == CHIEF_WORKER_FAILED) {
        (void)atomic_fetch_add(&w->failures, 1);
        if (a->phase == CHIEF_PHASE_UP) (void)atomic_fetch_add(&w->torn, 1);
    }
    if (a != NULL && a->state == CHIEF_WORKER_RUN && a->phase != CHIEF_PHASE_STARTING && a->phase != CHIEF_PHASE_UP)
        (void)atomic_fetch_add(&w->torn, 1);
    chief_snapshot_free(s);
}

static int fail_thrice(chief_worker *ctx, void *instance) {
    (void)instance;
    return chief_worker_generation(ctx) <= 3 ? 1 : 0;
}

static void test_chief_edges__a_status_has_state_and_phase_of_one_moment(void **state) {
    (void)state;
    static const chief_worker_ops ops = {.size = sizeof ops, .run = fail_thrice};
    static const chief_restart restart = {
        .size = sizeof restart, .policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO, .jitter = -1};
    chief_worker_options o = {.size = sizeof o, .restart = &restart};
    watcher w = {.c = NULL};
    chief *c = make((chief_options){.exit_when_done = 1}, look_at_the_states, &w);
    atomic_store(&w.c, c);
    assert_int_equal(chief_add_worker_with(c, "a", &ops, NULL, &o), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_start(c, NULL), CHIEF_OK);
    assert_true(w.failures >= 3);
    assert_int_equal(w.torn, 0);
    chief_free(c);
}

/* ---- before the beginning ---- */

static void test_chief_edges__waiting_for_readiness_has_its_limit_before_there_is_a_loop(void **state) {
    (void)state;
    chief *c = make((chief_options){0}, NULL, NULL);
    assert_int_equal(chief_add_worker(c, "a", &sleeper, NULL), CHIEF_OK);
    assert_int_equal(chief_wait_ready(c, 0), CHIEF_EAGAIN);
    assert_int_equal(chief_wait_ready(c, 10), CHIEF_ETIMEDOUT);
    chief_free(c);
}

typedef struct waiting {
    chief *c;
    support_gate begun;
    int rc;
} waiting;

static void wait_ready(void *data) {
    waiting *w = data;
    support_gate_open(&w->begun);
    w->rc = chief_wait_ready(w->c, support_ms(ANSWER_MS));
}

static void test_chief_edges__who_waits_for_readiness_from_before_the_beginning_hears_of_it(void **state) {
    (void)state;
    chief__thread thread;
    waiting w = {.c = make((chief_options){0}, NULL, NULL), .rc = 1};
    support_gate_init(&w.begun);
    assert_int_equal(chief_add_worker(w.c, "a", &sleeper, NULL), CHIEF_OK);
    support_thread(&thread, wait_ready, &w);
    assert_true(support_gate_pass(&w.begun));
    launch(w.c);
    chief__thread_join(&thread);
    assert_int_equal(w.rc, CHIEF_OK);
    chief_free(w.c);
    support_gate_fini(&w.begun);
}

static support_gate in_init, leave_init;

static int slow_init(chief_worker *ctx, void *data, void **instance) {
    (void)ctx;
    *instance = data;
    support_gate_open(&in_init);
    return support_gate_pass(&leave_init) ? 0 : 1;
}

static void init_through_the_pool(void *c) { (void)chief_pool_init(chief_get_pool(c), "a", NULL); }

static void test_chief_edges__a_worker_in_a_pool_s_init_is_not_taken_over(void **state) {
    (void)state;
    static const chief_worker_ops ops = {.size = sizeof ops, .init = slow_init, .run = until_stopped};
    chief__thread thread;
    support_gate_init(&in_init);
    support_gate_init(&leave_init);
    chief *c = make((chief_options){0}, NULL, NULL);
    assert_int_equal(chief_add_worker(c, "a", &ops, NULL), CHIEF_OK);
    assert_int_equal(chief_enable_worker(c, "a"), CHIEF_OK);
    support_thread(&thread, init_through_the_pool, c);
    assert_true(support_gate_pass(&in_init));
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_EBUSY);
    support_gate_open(&leave_init);
    chief__thread_join(&thread);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_EBUSY);
    chief_free(c);
    support_gate_fini(&in_init);
    support_gate_fini(&leave_init);
}

/* ---- parents ---- */

static void test_chief_edges__its_own_context_is_no_parent(void **state) {
    (void)state;
    chief_context *below;
    chief_value value;
    chief *c = make((chief_options){0}, NULL, NULL);
    assert_int_equal(chief_add_worker(c, "a", &sleeper, NULL), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_context_new(&below, chief_get_context(c)), CHIEF_OK);
    assert_int_equal(chief_launch(c, below), CHIEF_EINVAL);
    assert_int_equal(chief_context_get(chief_get_context(c), "nothing", &value), CHIEF_ENOENT);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    chief_context_unref(below);
    chief_free(c);
}

static void test_chief_edges__two_chiefs_are_not_each_other_s_parents(void **state) {
    (void)state;
    chief_value value;
    chief *a = make((chief_options){0}, NULL, NULL);
    chief *b = make((chief_options){0}, NULL, NULL);
    assert_int_equal(chief_add_worker(a, "w", &sleeper, NULL), CHIEF_OK);
    assert_int_equal(chief_add_worker(b, "w", &sleeper, NULL), CHIEF_OK);
    assert_int_equal(chief_init_workers(a, NULL), CHIEF_OK);
    assert_int_equal(chief_init_workers(b, NULL), CHIEF_OK);
    assert_int_equal(chief_launch(a, chief_get_context(b)), CHIEF_OK);
    assert_int_equal(chief_launch(b, chief_get_context(a)), CHIEF_EINVAL);
    assert_int_equal(chief_context_get(chief_get_context(b), "nothing", &value), CHIEF_ENOENT);
    chief_free(b);
    chief_free(a);
}

/* ---- in a forked child ---- */

static int call_after_fork(chief *c, int which) {
    chief_event *event;
    chief_snapshot *snapshot;
    chief_channel *ch;
    chief_msg *reply;
    size_t n;
    switch (which) {
    case 0: return chief_wait_ready(c, CHIEF_FOREVER);
    case 1: return chief_wait_state(c, "a", CHIEF_WORKER_FAILED, CHIEF_FOREVER);
    case 2: return chief_take_events(c, &event, 1, CHIEF_FOREVER, &n);
    case 3: return chief_send(c, "a", "x", 1, CHIEF_FOREVER);
    case 4: return chief_call(c, "a", "x", 1, CHIEF_FOREVER, &reply);
    case 5: return chief_broadcast(c, "x", 1, &n);
    case 6: return chief_states(c, &snapshot);
    case 7: return chief_set_force_stop_timeout(c, 1);
    case 8: return chief_set_exit_when_done(c, 1);
    case 9: return chief_get_channel(c, "ch", &ch);
    case 10: return chief_add_channel(c, "other", NULL);
    case 11: return chief_stop_worker(c, "a");
    case 12: return chief_join(c, CHIEF_FOREVER);
    case 13: return chief_enable_worker(c, "a");
    case 14: return chief_set_enable_by_default(c, 0);
    case 15: return chief_catch_signals(c, 0);
    case 16: return chief_on_shutdown(c, have_memory_again, NULL);
    case 17: return chief_events_fd(c);
    default: return 0;
    }
}

/* The child's exit code is 1 + the number of the first call that did not refuse, 0 when all did; a hang ends by SIGALRM. */
static void test_chief_edges__a_forked_child_is_refused_and_never_waits(void **state) {
    (void)state;
    int status;
    chief *c = make((chief_options){0}, NULL, NULL);
    assert_int_equal(chief_add_channel(c, "ch", NULL), CHIEF_OK);
    assert_int_equal(chief_add_worker(c, "a", &sleeper, NULL), CHIEF_OK);
    launch(c);
    pid_t child = fork();
    if (child == 0) {
        (void)alarm((unsigned)(support_ms(ANSWER_MS) / 1000));
        for (int i = 0; i < 18; i++)
            if (call_after_fork(c, i) != CHIEF_EFORK) _exit(i + 1);
        _exit(chief_has_stopped(c) || chief_exit_code(c) != 0 || chief_is_enabled(c, "a") ? 100 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    chief_free(c);
}

/* ---- hooks that come back late ---- */

typedef struct late_world {
    support_gate release;
    atomic_int destroyed;
    atomic_bool was_there; /* the value, when the hook had been released */
    support_gate left;
} late_world;

static void destroy_value(void *data) { (void)atomic_fetch_add(&((late_world *)data)->destroyed, 1); }

static void hook_that_is_late(void *data) {
    late_world *w = data;
    (void)support_gate_pass(&w->release);
    atomic_store(&w->was_there, atomic_load(&w->destroyed) == 0);
    support_gate_open(&w->left);
}

static bool is_destroyed(void *data) { return atomic_load(&((late_world *)data)->destroyed) == 1; }

/* What a hook uses may be kept by a value of the chief's context: it stays until the hook has returned. */
static void test_chief_edges__a_late_hook_keeps_the_values(void **state) {
    (void)state;
    static late_world w;
    support_gate_init(&w.release);
    support_gate_init(&w.left);
    chief *c = make((chief_options){.hook_timeout = 1}, NULL, NULL);
    chief_value value = {.type = CHIEF_POINTER, .pointer = &w, .destroy = destroy_value};
    assert_int_equal(chief_add_value(c, "kept", &value), CHIEF_OK);
    assert_int_equal(chief_on_shutdown(c, hook_that_is_late, &w), CHIEF_OK);
    launch(c);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), CHIEF_OK);
    chief_free(c);
    support_gate_open(&w.release);
    assert_true(support_gate_pass(&w.left));
    assert_true(atomic_load(&w.was_there));
    assert_true(support_until(is_destroyed, &w, ANSWER_MS));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chief_edges__a_home_that_was_never_made_can_be_abandoned_and_made_again),
        cmocka_unit_test(test_chief_edges__a_message_lost_by_the_last_death_is_told),
        cmocka_unit_test(test_chief_edges__a_failure_is_one_whatever_reason_it_gives),
        cmocka_unit_test(test_chief_edges__a_traceback_without_its_error_is_kept_well),
        cmocka_unit_test(test_chief_edges__a_status_has_state_and_phase_of_one_moment),
        cmocka_unit_test(test_chief_edges__waiting_for_readiness_has_its_limit_before_there_is_a_loop),
        cmocka_unit_test(test_chief_edges__who_waits_for_readiness_from_before_the_beginning_hears_of_it),
        cmocka_unit_test(test_chief_edges__a_worker_in_a_pool_s_init_is_not_taken_over),
        cmocka_unit_test(test_chief_edges__its_own_context_is_no_parent),
        cmocka_unit_test(test_chief_edges__two_chiefs_are_not_each_other_s_parents),
        cmocka_unit_test(test_chief_edges__a_forked_child_is_refused_and_never_waits),
        cmocka_unit_test(test_chief_edges__a_late_hook_keeps_the_values), /* the last: its thread frees memory later */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
