/* The same app gives the same sequence of events whether its workers run in threads, as fibers or in processes. */
#include "troupe.h"

#define TOLD_SIZE ((size_t)64 * 1024)

static troupe t;

/* ---- what was told ---- */

static void add(char *told, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(char *told, const char *format, ...) {
    size_t len = strlen(told);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(told + len, TOLD_SIZE - len, format, args);
    va_end(args);
}

static void add_event(char *told, const chief_event *e) {
    char from[32];
    char to[32];
    (void)chief_state_to_string(e->previous, from, sizeof from);
    (void)chief_state_to_string(e->state, to, sizeof to);
    add(told, "%s %s", chief_event_kind_name(e->kind), e->worker);
    if (e->kind == CHIEF_EVENT_STATE) add(told, " %s->%s", from, to);
    add(told, " generation %d reason \"%s\" delay %d", (int)e->generation, chief_reason_name(e->reason),
        (int)e->delay_ms);
    add(told, " error \"%s\"\n", e->error);
}

/* Of one worker (NULL: of all), in their order. */
static char *events_of(chief_event **events, size_t n, const char *worker) {
    char *told = calloc(1, TOLD_SIZE);
    assert_non_null(told);
    for (size_t i = 0; i < n; i++)
        if (worker == NULL || strcmp(events[i]->worker, worker) == 0) add_event(told, events[i]);
    return told;
}

/* ---- the app ---- */

typedef struct scene {
    const troupe_part *parts;
    size_t n;
    const char *const *group; /* rest_for_one */
    size_t n_group;
    const char *says;    /* wait for this in the log */
    const char *again;   /* wait for the second generation of this one */
    const char *ends[4]; /* wait for these to be given up or stopped */
    const char *stops;   /* stopped by hand once it runs */
    bool is_a_line;      /* all events together are in one order; else those of each worker */
    int32_t exit_code;
} scene;

static bool has_no_more(void *name) {
    chief_snapshot *s;
    assert_int_equal(chief_states(t.c, &s), CHIEF_OK);
    const chief_worker_status *w = chief_snapshot_find(s, name);
    bool over = w->phase == CHIEF_PHASE_GIVEN_UP || (w->state == CHIEF_WORKER_STOPPED && w->phase == CHIEF_PHASE_IDLE);
    chief_snapshot_free(s);
    return over;
}

static void await_end(const char *name) {
    char copy[32];
    char buf[512];
    (void)snprintf(copy, sizeof copy, "%s", name);
    if (!support_until(has_no_more, copy, 20000)) fail_msg("%s: %s", name, troupe_status(&t, name, buf, sizeof buf));
}

static bool runs_again(void *name) {
    chief_snapshot *s;
    assert_int_equal(chief_states(t.c, &s), CHIEF_OK);
    const chief_worker_status *w = chief_snapshot_find(s, name);
    bool again = w->generation == 2 && w->phase == CHIEF_PHASE_UP;
    chief_snapshot_free(s);
    return again;
}

static void await_second(const char *name) {
    char copy[32];
    (void)snprintf(copy, sizeof copy, "%s", name);
    assert_true(support_until(runs_again, copy, 20000));
}

static bool is_up(void *name) {
    chief_snapshot *s;
    assert_int_equal(chief_states(t.c, &s), CHIEF_OK);
    bool up = chief_snapshot_find(s, name)->phase == CHIEF_PHASE_UP;
    chief_snapshot_free(s);
    return up;
}

/* Ready, and not only in the state run: that is told a moment before. */
static void await_up(const char *name) {
    char copy[32];
    (void)snprintf(copy, sizeof copy, "%s", name);
    assert_true(support_until(is_up, copy, 20000));
}

static chief_event *events[4096];

static size_t play(const scene *s, int32_t isolation) {
    chief_options options = {.size = sizeof options, .event_capacity = 4096, .seed = 7, .force_time = support_ms(5000)};
    size_t n = 0;
    troupe_begin(&t, &options);
    for (size_t i = 0; i < s->n; i++) {
        troupe_part part = s->parts[i];
        part.isolation = isolation;
        troupe_add(&t, &part);
    }
    if (s->n_group > 0) assert_int_equal(chief_add_group(t.c, "g", CHIEF_REST_FOR_ONE, s->group, s->n_group), CHIEF_OK);
    troupe_start(&t);
    if (s->says != NULL) troupe_says(&t, s->says);
    if (s->again != NULL) await_second(s->again);
    for (size_t i = 0; i < 4 && s->ends[i] != NULL; i++) await_end(s->ends[i]);
    if (s->stops != NULL) {
        await_up(s->stops);
        assert_int_equal(chief_stop_worker(t.c, s->stops), CHIEF_OK);
        await_end(s->stops);
    }
    troupe_stop(&t);
    assert_int_equal(chief_exit_code(t.c), s->exit_code);
    assert_int_equal(chief_take_events(t.c, events, 4096, 0, &n), CHIEF_OK);
    return n;
}

static void free_events(size_t n) {
    for (size_t i = 0; i < n; i++) chief_event_free(events[i]);
}

static void tell(const scene *s, int32_t isolation, char **told) {
    size_t n = play(s, isolation);
    for (size_t i = 0; i < s->n; i++) told[i] = events_of(events, n, s->parts[i].name);
    told[s->n] = events_of(events, n, s->is_a_line ? NULL : "");
    free_events(n);
    troupe_end(&t);
}

static void plays_as_in_threads(const scene *s, int32_t isolation, char **threads) {
    char *told[8];
    tell(s, isolation, told);
    for (size_t i = 0; i <= s->n; i++) {
        assert_string_equal(told[i], threads[i]);
        free(told[i]);
    }
}

static void plays_equally(const scene *s) {
    char *threads[8];
    tell(s, CHIEF_THREAD, threads);
    plays_as_in_threads(s, CHIEF_FIBER, threads);
    plays_as_in_threads(s, CHIEF_PROCESS, threads);
    for (size_t i = 0; i <= s->n; i++) {
        assert_true(i == s->n || strlen(threads[i]) > 0);
        free(threads[i]);
    }
}

/* ---- scenes ---- */

#define ON_FAILURE \
    { .policy = CHIEF_RESTART_ON_FAILURE, .delay = 1, .jitter = -1 }

static void test_process_equal__failures_restarts_and_ends(void **state) {
    (void)state;
    const troupe_part parts[] = {
        {.name = "fails", .args = "1: fail one; 2: fail two; 3: end", .restart = ON_FAILURE},
        {.name = "ends", .args = "end"},
        {.name = "never", .args = "fail once", .restart = {.policy = CHIEF_RESTART_NEVER}},
        {.name = "hopeless",
         .args = "fail always",
         .restart = {.policy = CHIEF_RESTART_ON_FAILURE, .delay = 1, .jitter = -1, .max_restarts = 2}},
        {.name = "again",
         .args = "1: end; 2: end; 3: wait",
         .restart = {.policy = CHIEF_RESTART_ALWAYS, .delay = 1, .jitter = -1}}};
    scene s = {.parts = parts, .n = 5, .ends = {"fails", "ends", "never", "hopeless"}, .exit_code = 1};
    s.stops = "again";
    plays_equally(&s);
}

static void test_process_equal__failing_inits(void **state) {
    (void)state;
    const troupe_part parts[] = {
        {.name = "w", .args = "1: init fail first; 2: init fail second; 3+: end", .restart = ON_FAILURE},
        {.name = "never", .args = "init fail early", .restart = {.policy = CHIEF_RESTART_NEVER}}};
    const scene s = {.parts = parts, .n = 2, .ends = {"w", "never"}, .exit_code = 1};
    plays_equally(&s);
}

static void test_process_equal__an_order_and_a_stop(void **state) {
    (void)state;
    const char *const after_db[] = {"db"};
    const char *const after_api[] = {"api"};
    const troupe_part parts[] = {{.name = "db", .args = "ready; wait", .options = {.flags = CHIEF_WORKER_SAYS_READY}},
                                 {.name = "api",
                                  .args = "ready; wait",
                                  .options = {.after = after_db, .n_after = 1, .flags = CHIEF_WORKER_SAYS_READY}},
                                 {.name = "web", .args = "wait", .options = {.after = after_api, .n_after = 1}}};
    const scene s = {.parts = parts, .n = 3, .stops = "web", .is_a_line = true};
    plays_equally(&s);
}

static void test_process_equal__a_group(void **state) {
    (void)state;
    const char *const group[] = {"a", "b", "c"};
    const char *const after_a[] = {"a"};
    const char *const after_b[] = {"b"};
    const troupe_part parts[] = {
        {.name = "a", .args = "wait", .restart = ON_FAILURE},
        {.name = "b",
         .args = "1: ask c hello; 1: fail broken; 2+: wait",
         .restart = ON_FAILURE,
         .options = {.after = after_a, .n_after = 1}},
        {.name = "c", .args = "1: echo; 2+: wait", .restart = ON_FAILURE, .options = {.after = after_b, .n_after = 1}}};
    const scene s = {.parts = parts, .n = 3, .group = group, .n_group = 3, .says = "b: c said hello\n", .again = "c"};
    plays_equally(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process_equal__failures_restarts_and_ends),
        cmocka_unit_test(test_process_equal__failing_inits),
        cmocka_unit_test(test_process_equal__an_order_and_a_stop),
        cmocka_unit_test(test_process_equal__a_group),
    };
    return cmocka_run_group_tests_name("process_equal", tests, NULL, NULL);
}
