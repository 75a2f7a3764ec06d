/* What chief_run_all waits for instead of signals. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include "support.h"

#define ANSWER_MS ((int64_t)10000)

/* ---- a worker that runs until it is stopped, or ends when it is told ---- */

typedef struct probe {
    support_gate running;
    atomic_int finis;
} probe;

static int probe_run(chief_worker *ctx, void *instance) {
    probe *p = instance;
    support_gate_open(&p->running);
    (void)chief_worker_sleep(ctx, CHIEF_FOREVER);
    return 0;
}

static void probe_fini(void *instance) {
    probe *p = instance;
    (void)atomic_fetch_add(&p->finis, 1);
}

static int fail_run(chief_worker *ctx, void *instance) {
    (void)ctx;
    (void)instance;
    return 1;
}

static const chief_worker_ops probe_ops = {.size = sizeof probe_ops, .run = probe_run, .fini = probe_fini};
static const chief_worker_ops fail_ops = {.size = sizeof fail_ops, .run = fail_run};

/* ---- a locker ---- */

typedef struct locker {
    chief *c;
    probe *probe;
    pthread_t thread;
    int calls;
    int answer;
    bool wait_for_end;
    char reason[128];
} locker;

static int wait_in_locker(void *data, chief_context *ctx) {
    locker *l = data;
    l->calls++;
    l->thread = pthread_self();
    if (l->probe != NULL) assert_true(support_gate_pass(&l->probe->running));
    if (l->wait_for_end) {
        struct pollfd p = {.fd = chief_context_fd(ctx), .events = POLLIN};
        assert_int_equal(poll(&p, 1, (int)support_ms(ANSWER_MS)), 1);
        (void)chief_context_reason(ctx, l->reason, sizeof l->reason);
    } else {
        assert_int_equal(chief_context_err(ctx), CHIEF_OK);
    }
    return l->answer;
}

/* The text of the event `stopping`; "" when there was none. */
static void stopping_text(chief *c, char *out, size_t size) {
    chief_event *e;
    size_t n;
    out[0] = '\0';
    while (chief_take_events(c, &e, 1, 0, &n) == CHIEF_OK) {
        if (e->kind == CHIEF_EVENT_STOPPING) (void)snprintf(out, size, "%s", e->error);
        chief_event_free(e);
    }
}

/* ---- tests ---- */

static void test_locker__its_return_begins_the_stop(void **state) {
    (void)state;
    probe p = {0};
    char why[64];
    support_gate_init(&p.running);
    chief *c = support_quiet_chief(NULL);
    locker l = {.c = c, .probe = &p};
    assert_int_equal(chief_add_worker(c, "a", &probe_ops, &p), CHIEF_OK);
    assert_int_equal(chief_set_locker(c, wait_in_locker, &l), CHIEF_OK);
    assert_int_equal(chief_run_all(c, "app", NULL, 0), CHIEF_OK);
    assert_int_equal(l.calls, 1);
    assert_true(pthread_equal(l.thread, pthread_self()));
    assert_int_equal(p.finis, 1);
    assert_int_equal(chief_exit_code(c), 0);
    stopping_text(c, why, sizeof why);
    assert_string_equal(why, "the locker returned");
    chief_free(c);
    support_gate_fini(&p.running);
}

static void test_locker__signals_are_left_to_the_host(void **state) {
    (void)state;
    struct sigaction before;
    struct sigaction meanwhile;
    probe p = {0};
    support_gate_init(&p.running);
    chief *c = support_quiet_chief(NULL);
    locker l = {.c = c, .probe = &p};
    assert_int_equal(chief_add_worker(c, "a", &probe_ops, &p), CHIEF_OK);
    assert_int_equal(chief_set_locker(c, wait_in_locker, &l), CHIEF_OK);
    (void)sigaction(SIGTERM, NULL, &before);
    assert_int_equal(chief_run_all(c, NULL, NULL, 0), CHIEF_OK);
    (void)sigaction(SIGTERM, NULL, &meanwhile);
    assert_true(before.sa_handler == meanwhile.sa_handler);
    chief_free(c);
    support_gate_fini(&p.running);
}

static void test_locker__a_failing_one_stops_all_the_same(void **state) {
    (void)state;
    probe p = {0};
    char why[64];
    support_gate_init(&p.running);
    chief *c = support_quiet_chief(NULL);
    locker l = {.c = c, .probe = &p, .answer = 7};
    assert_int_equal(chief_add_worker(c, "a", &probe_ops, &p), CHIEF_OK);
    assert_int_equal(chief_set_locker(c, wait_in_locker, &l), CHIEF_OK);
    assert_int_equal(chief_run_all(c, NULL, NULL, 0), CHIEF_EFAILED);
    support_says("the locker failed: it returned 7");
    assert_int_equal(p.finis, 1);
    stopping_text(c, why, sizeof why);
    assert_string_equal(why, "the locker failed");
    chief_free(c);
    support_gate_fini(&p.running);
}

static void stop_when_running(void *data) {
    locker *l = data;
    assert_true(support_gate_pass(&l->probe->running));
    assert_int_equal(chief_stop_because(l->c, "enough"), CHIEF_OK);
}

static void test_locker__it_is_told_of_another_stop(void **state) {
    (void)state;
    probe p = {0};
    chief__thread thread;
    support_gate_init(&p.running);
    chief *c = support_quiet_chief(NULL);
    locker l = {.c = c, .probe = &p, .wait_for_end = true};
    assert_int_equal(chief_add_worker(c, "a", &probe_ops, &p), CHIEF_OK);
    assert_int_equal(chief_set_locker(c, wait_in_locker, &l), CHIEF_OK);
    support_thread(&thread, stop_when_running, &l);
    assert_int_equal(chief_run_all(c, NULL, NULL, 0), CHIEF_OK);
    chief__thread_join(&thread);
    assert_string_equal(l.reason, "enough");
    chief_free(c);
    support_gate_fini(&p.running);
}

static void test_locker__it_is_told_of_the_end(void **state) {
    (void)state;
    chief *c = support_quiet_chief(NULL);
    locker l = {.c = c, .wait_for_end = true};
    assert_int_equal(chief_add_worker(c, "a", &fail_ops, NULL), CHIEF_OK);
    assert_int_equal(chief_set_exit_when_done(c, 1), CHIEF_OK);
    assert_int_equal(chief_set_locker(c, wait_in_locker, &l), CHIEF_OK);
    assert_int_equal(chief_run_all(c, NULL, NULL, 0), CHIEF_EFAILED);
    support_says("worker failed: a");
    assert_true(l.reason[0] != '\0');
    chief_free(c);
}

/* One that never comes back keeps its own thread; the chief ends, and others hear of it. */
typedef struct stuck {
    chief *c;
    probe *probe;
    support_gate let_go;
} stuck;

static int never_returns(void *data, chief_context *ctx) {
    stuck *s = data;
    (void)ctx;
    assert_true(support_gate_pass(&s->let_go));
    return 0;
}

static void run_stuck(void *data) {
    stuck *s = data;
    assert_int_equal(chief_run_all(s->c, NULL, NULL, 0), CHIEF_OK);
}

static void test_locker__one_that_stays_hurts_nobody(void **state) {
    (void)state;
    probe p = {0};
    chief__thread thread;
    support_gate_init(&p.running);
    stuck s = {.c = support_quiet_chief(NULL), .probe = &p};
    support_gate_init(&s.let_go);
    assert_int_equal(chief_add_worker(s.c, "a", &probe_ops, &p), CHIEF_OK);
    assert_int_equal(chief_set_locker(s.c, never_returns, &s), CHIEF_OK);
    support_thread(&thread, run_stuck, &s);
    assert_true(support_gate_pass(&p.running));
    chief_snapshot *snapshot;
    assert_int_equal(chief_states(s.c, &snapshot), CHIEF_OK); /* no lock is held */
    chief_snapshot_free(snapshot);
    assert_int_equal(chief_stop(s.c), CHIEF_OK);
    assert_int_equal(chief_join(s.c, support_ms(ANSWER_MS)), CHIEF_OK);
    assert_int_equal(p.finis, 1);
    support_gate_open(&s.let_go);
    chief__thread_join(&thread);
    chief_free(s.c);
    support_gate_fini(&s.let_go);
    support_gate_fini(&p.running);
}

static void test_locker__it_is_set_before_the_start(void **state) {
    (void)state;
    probe p = {0};
    support_gate_init(&p.running);
    chief *c = support_quiet_chief(NULL);
    locker l = {.c = c, .probe = &p};
    assert_int_equal(chief_set_locker(NULL, wait_in_locker, &l), CHIEF_EINVAL);
    assert_int_equal(chief_stop_because(c, "no"), CHIEF_ENOTINIT);
    assert_int_equal(chief_add_worker(c, "a", &probe_ops, &p), CHIEF_OK);
    assert_int_equal(chief_set_locker(c, wait_in_locker, &l), CHIEF_OK);
    assert_int_equal(chief_set_locker(c, NULL, NULL), CHIEF_OK);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_set_locker(c, wait_in_locker, &l), CHIEF_EBUSY);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    assert_int_equal(chief_stop_because(c, NULL), CHIEF_OK);
    assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), CHIEF_OK);
    assert_int_equal(l.calls, 0);
    assert_int_equal(chief_stop_because(c, "again"), CHIEF_OK);
    char why[64];
    stopping_text(c, why, sizeof why);
    assert_string_equal(why, "asked to stop");
    assert_null(chief_get_stop_context(NULL));
    chief_free(c);
    support_gate_fini(&p.running);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_locker__its_return_begins_the_stop),
        cmocka_unit_test(test_locker__signals_are_left_to_the_host),
        cmocka_unit_test(test_locker__a_failing_one_stops_all_the_same),
        cmocka_unit_test(test_locker__it_is_told_of_another_stop),
        cmocka_unit_test(test_locker__it_is_told_of_the_end),
        cmocka_unit_test(test_locker__one_that_stays_hurts_nobody),
        cmocka_unit_test(test_locker__it_is_set_before_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
