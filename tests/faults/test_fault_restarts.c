/* The fault cases of restarts, for C workers in threads, as fibers and in processes. Each test bears its number; the
 * table is tests/faults/README.md. */
#include <dirent.h>
#include <time.h>

#include "probe.h"

static void test_fault_01__a_failed_worker_runs_again(void **state) {
    (void)state;
    probe *p = PROBE(.fail_runs = 1);
    chief_worker_options o = {.restart = &soon};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", p, &o);
    launch(c);
    await_count(&p->runs, 2);
    await_state(c, "a", CHIEF_WORKER_RUN);
    end(c, CHIEF_OK);
    assert_int_equal(p->runs, 2);
    assert_int_equal(p->inits, 2);
}

static void run_once(probe *p, const chief_restart *restart, int expected) {
    chief_options co = {.exit_when_done = 1};
    chief_worker_options o = {.restart = restart};
    chief *c = support_quiet_chief(&co);
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
        probe *fails_in_run = PROBE(.fail_runs = 100);
        probe *fails_in_init = PROBE(.fail_inits = 100);
        run_once(fails_in_run, ways[i], CHIEF_EFAILED);
        assert_int_equal(fails_in_run->inits, 1);
        assert_int_equal(fails_in_run->runs, 1);
        run_once(fails_in_init, ways[i], CHIEF_EFAILED);
        assert_int_equal(fails_in_init->inits, 1);
        assert_int_equal(fails_in_init->runs, 0);
        assert_int_equal(fails_in_init->finis, 0);
    }
}

static void test_fault_06__the_third_init_runs(void **state) {
    (void)state;
    probe *p = PROBE(.fail_inits = 2);
    chief_worker_options o = {.restart = &soon};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", p, &o);
    assert_int_equal(chief_init_workers(c, NULL), CHIEF_OK);
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "a"), CHIEF_WORKER_FAILED);
    assert_int_equal(chief_launch(c, NULL), CHIEF_OK);
    await_state(c, "a", CHIEF_WORKER_RUN);
    chief_snapshot *s;
    assert_int_equal(chief_states(c, &s), CHIEF_OK);
    assert_string_equal(chief_snapshot_at(s, 0)->error, "init returned 7");
    chief_snapshot_free(s);
    end(c, CHIEF_OK);
    assert_int_equal(p->inits, 3);
    assert_int_equal(p->runs, 1);
}

static void test_fault_07__a_clean_end_is_no_failure(void **state) {
    (void)state;
    probe *p = PROBE(.returns = true);
    chief_worker_options o = {.restart = &soon};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", p, &o);
    launch(c);
    await_state(c, "a", CHIEF_WORKER_STOPPED);
    assert_int_equal(chief_start_worker(c, "a"), CHIEF_OK);
    await_count(&p->finis, 2);
    await_state(c, "a", CHIEF_WORKER_STOPPED);
    end(c, CHIEF_OK);
    assert_int_equal(p->runs, 2);
}

static void test_fault_08__cancelled_unasked_is_a_failure(void **state) {
    (void)state;
    probe *unasked = PROBE(.returns = true, .result = CHIEF_ECANCELED);
    run_once(unasked, NULL, CHIEF_EFAILED);
    probe *asked = PROBE(.returns_error = true);
    chief *c = support_quiet_chief(NULL);
    add(c, "a", asked, NULL);
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
        probe *p = PROBE(.fail_runs = 100);
        chief *c = support_quiet_chief(NULL);
        add(c, "a", p, &o);
        launch(c);
        await_state(c, "a", CHIEF_WORKER_FAILED);
        int64_t begun = chief__now_ms();
        end(c, CHIEF_EFAILED);
        int64_t took = chief__now_ms() - begun;
        if (took < best) best = took;
        assert_int_equal(p->runs, 1);
    }
    assert_true(best < support_ms(50));
}

static void test_fault_13__no_policy_undoes_a_manual_stop(void **state) {
    (void)state;
    static const chief_restart always = {
        .size = sizeof always, .policy = CHIEF_RESTART_ALWAYS, .delay = 1, .jitter = -1};
    probe *a = PROBE(.returns_error = true);
    probe *b = PROBE(0);
    chief_worker_options o = {.restart = &always};
    chief *c = support_quiet_chief(NULL);
    add(c, "a", a, &o);
    add(c, "b", b, &o);
    launch(c);
    await_state(c, "a", CHIEF_WORKER_RUN);
    assert_int_equal(chief_stop_worker(c, "a"), CHIEF_OK);
    await_state(c, "a", CHIEF_WORKER_STOPPED);
    for (int i = 0; i < 5; i++) { /* time passes for the loop: others are restarted meanwhile */
        await_state(c, "b", CHIEF_WORKER_RUN);
        int runs = b->runs;
        assert_int_equal(chief_restart_worker(c, "b"), CHIEF_OK);
        await_count(&b->runs, runs + 1);
    }
    assert_int_equal(a->runs, 1);
    end(c, CHIEF_OK);
}

static double cpu_seconds(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One worker in each isolation at once, as ten seconds of real time are the case. */
static void test_fault_03__failing_at_once_costs_nothing(void **state) {
    (void)state;
    static const chief_restart backoff = {
        .size = sizeof backoff, .policy = CHIEF_RESTART_ON_FAILURE, .delay = 100, .factor = 2, .jitter = -1};
    static const char *const names[] = {"thread", "fiber", "process"};
    static const int32_t isolations[] = {CHIEF_THREAD, CHIEF_FIBER, CHIEF_PROCESS};
    probe *p[3];
    chief_worker_options o = {.restart = &backoff};
    chief *c = support_quiet_chief(NULL);
    for (int i = 0; i < 3; i++) {
        isolation = isolations[i];
        p[i] = PROBE(.fail_runs = 1 << 30);
        add(c, names[i], p[i], &o);
    }
    double cpu = cpu_seconds();
    int64_t begun = chief__now_ms();
    launch(c);
    assert_int_equal(chief_join(c, 10000), CHIEF_ETIMEDOUT);
    int64_t took = chief__now_ms() - begun;
    cpu = cpu_seconds() - cpu;
    int due = 1; /* runs at 0, 100, 300, 700 … ms */
    for (int64_t at = 100, delay = 200; at <= took; at += delay, delay *= 2) due++;
    for (int i = 0; i < 3; i++) assert_in_range(p[i]->runs, due - 1, due);
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
    int runs = p[0]->runs + p[1]->runs + p[2]->runs;
    assert_in_range(events, 3 * runs, 6 * runs + 18);
    chief_free(c);
}

/* Fails when it is told to, and waits before that. */
static int wait_and_fail(chief_worker *ctx, void *instance) {
    probe *p = instance;
    chief_msg *msg;
    (void)atomic_fetch_add(&p->runs, 1);
    if (chief_worker_recv(ctx, CHIEF_FOREVER, &msg) != CHIEF_OK) return 0;
    chief_msg_free(msg);
    return 9;
}

/* When that worker failed and ran again, by the chief's events, and which delays it was told. */
typedef struct rest {
    int64_t failed, again, delay;
    int restarts;
} rest;

static void note_rest(rest *p, const chief_event *e) {
    if (e->kind == CHIEF_EVENT_STATE && e->state == CHIEF_WORKER_FAILED) p->failed = e->time_ms;
    if (e->kind == CHIEF_EVENT_STATE && e->state == CHIEF_WORKER_RUN) p->again = e->time_ms;
    if (e->kind != CHIEF_EVENT_RESTART) return;
    p->delay = e->delay_ms;
    p->restarts++;
}

/* Reads the events up to the end: a's 200 ms have passed for it, and nothing of b's has gone into them. */
static void expect_rests(chief *c) {
    rest of[2] = {{0}};
    chief_event *e;
    size_t n;
    while (chief_take_events(c, &e, 1, support_ms(ANSWER_MS), &n) == CHIEF_OK) {
        if (e->worker[0] != '\0') note_rest(&of[e->worker[0] == 'b'], e);
        chief_event_free(e);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(of[i].restarts, 1);
        assert_int_equal(of[i].delay, 200);
        /* the rest begins with the decision, and the failure is told a little after that */
        assert_true(of[i].again - of[i].failed >= 200 - support_ms(2));
    }
    assert_true(of[0].again < of[1].again);
    assert_int_equal(chief_join(c, support_ms(ANSWER_MS)), CHIEF_OK);
    chief_free(c);
}

static void test_fault_05__each_has_a_timer_of_its_own(void **state) {
    (void)state;
    static const chief_worker_ops told_ops = {.size = sizeof told_ops, .init = probe_init, .run = wait_and_fail};
    static const chief_restart r = {
        .size = sizeof r, .policy = CHIEF_RESTART_ON_FAILURE, .delay = 200, .factor = 3, .jitter = -1};
    probe *a = PROBE(0);
    probe *b = PROBE(0);
    chief_worker_options o = {.size = sizeof o, .restart = &r};
    chief *c = support_quiet_chief(NULL);
    assert_int_equal(add_worker(c, "a", &told_ops, a, &o), CHIEF_OK);
    assert_int_equal(add_worker(c, "b", &told_ops, b, &o), CHIEF_OK);
    launch(c);
    await_count(&a->runs, 1);
    await_count(&b->runs, 1);
    assert_int_equal(chief_send(c, "a", "x", 1, 0), CHIEF_OK);
    await_state(c, "a", CHIEF_WORKER_FAILED);
    chief__pause_ms(150); /* in a's rest, and long before b's is over */
    assert_int_equal(chief_send(c, "b", "x", 1, 0), CHIEF_OK);
    await_count(&a->runs, 2);
    await_count(&b->runs, 2);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    expect_rests(c);
}

static void test_fault_11__who_can_not_start_holds_up_no_answer(void **state) {
    (void)state;
    int64_t best = INT64_MAX;
    for (int i = 0; i < 3; i++) {
        probe *p = PROBE(.fail_inits = 1 << 30);
        chief_worker_options o = {.restart = &soon};
        chief *c = support_quiet_chief(NULL);
        add(c, "a", p, &o);
        launch(c);
        await_count(&p->inits, 3);
        int64_t begun = chief__now_ms();
        chief_snapshot *s;
        assert_int_equal(chief_states(c, &s), CHIEF_OK);
        chief_snapshot_free(s);
        assert_int_equal(chief_stop_worker(c, "a"), CHIEF_OK);
        assert_int_equal(chief_remove_worker(c, "a"), CHIEF_OK);
        int64_t took = chief__now_ms() - begun;
        if (took < best) best = took;
        end(c, CHIEF_OK);
    }
    assert_true(best < support_ms(50));
}

/* ---- 32: nothing is left of a restart ---- */

static int count_entries(const char *path) {
    int n = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir) != NULL) n++;
    (void)closedir(dir);
    return n;
}

static long resident_pages(void) {
    char line[128];
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    (void)fclose(f);
    const char *second = strchr(line, ' ');
    assert_non_null(second);
    return strtol(second, NULL, 10);
}

/* Whose own memory grows. */
static bool is_sanitized(void) {
    const char *sanitizer = getenv("CHIEF_SANITIZE");
    return sanitizer != NULL && *sanitizer != '\0';
}

/* Of ten thousand in the chief's own process. A process costs a fork and an exec, and `./dev test kill` has a thousand. */
static void test_fault_32__nothing_is_left_of_many_restarts(void **state) {
    (void)state;
    static const chief_restart at_once = {
        .size = sizeof at_once, .policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO, .jitter = -1};
    int restarts = (isolation == CHIEF_PROCESS ? 300 : 10000) / (int)support_ms(1);
    probe *p = PROBE(.fail_runs = 1 << 30);
    chief_worker_options o = {.restart = &at_once};
    chief_options co = {.event_capacity = 64}; /* which is full long before the first look */
    chief *c = support_quiet_chief(&co);
    add(c, "a", p, &o);
    launch(c);
    await_count(&p->runs, restarts / 5);
    int fds = count_entries("/proc/self/fd");
    int threads = count_entries("/proc/self/task");
    long pages = resident_pages();
    await_count(&p->runs, restarts);
    /* of a child that is being started there are a few */
    assert_true(count_entries("/proc/self/fd") <= fds + 8);
    assert_true(count_entries("/proc/self/task") <= threads + 2);
    if (!is_sanitized()) assert_true(resident_pages() <= pages + 256);
    assert_int_equal(chief_stop(c), CHIEF_OK);
    (void)chief_join(c, support_ms(ANSWER_MS)); /* how its last life ended is a matter of luck */
    chief_free(c);
}

int main(int argc, char **argv) {
    const struct CMUnitTest at_once[] = {FAULT(test_fault_03__failing_at_once_costs_nothing)};
    const struct CMUnitTest tests[] = {
        FAULT(test_fault_01__a_failed_worker_runs_again),
        FAULT(test_fault_02__never_is_one_init_and_one_run),
        FAULT(test_fault_05__each_has_a_timer_of_its_own),
        FAULT(test_fault_06__the_third_init_runs),
        FAULT(test_fault_07__a_clean_end_is_no_failure),
        FAULT(test_fault_08__cancelled_unasked_is_a_failure),
        FAULT(test_fault_10__waiting_for_a_restart_delays_no_stop),
        FAULT(test_fault_11__who_can_not_start_holds_up_no_answer),
        FAULT(test_fault_13__no_policy_undoes_a_manual_stop),
        FAULT(test_fault_32__nothing_is_left_of_many_restarts),
    };
    int code;
    if (!probe_begin(argc, argv, &code)) return code;
    return cmocka_run_group_tests_name("in all at once", at_once, NULL, NULL) + in_each_isolation(tests);
}
