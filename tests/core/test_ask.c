/* A policy of the host's in a chief that runs: who is asked what, and what becomes of the answers. */
#include "troupe.h"

static troupe t;
static support_gate gate;

/* What it was asked last, in words, and what it answers. */
typedef struct script {
    chief__mutex lock;
    char asked[2048]; /* under lock */
    atomic_int calls;
    int32_t kind;
    int64_t delay;
    int rc;
    bool waits; /* at the gate */
    atomic_int destroyed;
} script;

static script s;

static void note(const chief_exit *e) {
    const chief_end *end = &e->history[e->n_history - 1];
    char text[128];
    (void)snprintf(text, sizeof text, "%s%d %s %s code %d, %u in a row, %u restarts, history %u\n", e->worker,
                   (int)end->generation, chief_reason_name(end->reason), e->error, (int)end->code,
                   (unsigned)e->failures, (unsigned)e->restarts, (unsigned)e->n_history);
    chief__lock(&s.lock);
    (void)strncat(s.asked, text, sizeof s.asked - strlen(s.asked) - 1);
    chief__unlock(&s.lock);
}

static int on_exit_(void *data, const chief_exit *e, chief_answer *answer) {
    assert_ptr_equal(data, &s);
    note(e);
    if (s.waits) (void)support_gate_pass(&gate);
    answer->kind = s.kind;
    answer->delay_ms = s.delay;
    (void)atomic_fetch_add(&s.calls, 1);
    return s.rc == CHIEF_OK ? CHIEF_OK : chief_set_last_error(s.rc, "no idea");
}

static void destroy(void *data) { (void)atomic_fetch_add(&((script *)data)->destroyed, 1); }

static int setup(void **state) {
    (void)state;
    memset(&s, 0, sizeof s);
    chief__mutex_init(&s.lock);
    support_gate_init(&gate);
    troupe_begin(&t, NULL);
    return 0;
}

static bool is_destroyed(void *data) { return atomic_load(&((script *)data)->destroyed) > 0; }

static int teardown(void **state) {
    (void)state;
    troupe_end(&t);
    assert_true(support_until(is_destroyed, &s, 10000));
    assert_int_equal(atomic_load(&s.destroyed), 1);
    support_gate_fini(&gate);
    chief__mutex_fini(&s.lock);
    return 0;
}

static void add(const char *args, int64_t timeout, const chief_process *process) {
    chief_policy policy = {
        .size = sizeof policy, .on_exit = on_exit_, .data = &s, .destroy = destroy, .timeout = timeout};
    troupe_part part = {.name = "w", .args = args};
    part.options.policy = &policy;
    part.options.process = process;
    troupe_add(&t, &part);
}

static void test_ask__a_policy_is_told_how_it_ended(void **state) {
    (void)state;
    s.kind = CHIEF_ANSWER_DELAY;
    add("1: fail boom; 2: init fail early; 3: end; 4+: log fourth; wait", 60000, NULL);
    troupe_start(&t);
    troupe_says(&t, "w: fourth\n");
    chief__lock(&s.lock);
    assert_string_equal(s.asked, "w1 error boom code 0, 1 in a row, 0 restarts, history 1\n"
                                 "w2 init_error early code 0, 2 in a row, 1 restarts, history 2\n"
                                 "w3 ok early code 0, 0 in a row, 2 restarts, history 3\n");
    chief__unlock(&s.lock);
    troupe_stop(&t);
    assert_int_equal(atomic_load(&s.calls), 3); /* an end that was asked for is nobody's question */
}

static void test_ask__it_can_give_up(void **state) {
    (void)state;
    s.kind = CHIEF_ANSWER_GIVE_UP;
    add("fail boom", 60000, NULL);
    troupe_start(&t);
    troupe_says(&t, "w: worker given up: it will not be restarted\n");
    troupe_status_is(&t, "w", "failed error boom");
}

/* What is said of an answer that is none goes into the log; then the restart policy decides: never. */
static void expect_default(const char *said) {
    add("fail boom", 60000, NULL);
    troupe_start(&t);
    troupe_says(&t, "w: worker given up: it will not be restarted\n");
    if (!troupe_said(&t, said)) fail_msg("not said: %s", t.said);
}

static void test_ask__an_error_leaves_it_to_the_restart_policy(void **state) {
    (void)state;
    s.kind = CHIEF_ANSWER_RESTART;
    s.rc = CHIEF_EINVAL;
    expect_default("w: on_exit: no idea: what its restart policy says is done\n");
}

static void test_ask__an_answer_that_is_none(void **state) {
    (void)state;
    s.kind = 77;
    expect_default("w: on_exit: its answer is none: what its restart policy says is done\n");
}

static void test_ask__a_negative_delay(void **state) {
    (void)state;
    s.kind = CHIEF_ANSWER_DELAY;
    s.delay = -1;
    expect_default("w: on_exit: a delay can't be negative: what its restart policy says is done\n");
}

static void test_ask__isolation_needs_a_process(void **state) {
    (void)state;
    s.kind = CHIEF_ANSWER_ISOLATE;
    expect_default("w: on_exit: it can't be isolated: nothing says how its process is to be started: "
                   "what its restart policy says is done\n");
}

static void test_ask__a_late_answer_is_ignored(void **state) {
    (void)state;
    s.kind = CHIEF_ANSWER_RESTART;
    s.waits = true;
    add("fail boom", 20, NULL);
    troupe_start(&t);
    troupe_says(&t, "w: on_exit has not answered within 0.02 s: what its restart policy says is done\n");
    troupe_says(&t, "w: worker given up: it will not be restarted\n");
    support_gate_open(&gate);
    troupe_stop(&t);
    troupe_status_is(&t, "w", "failed error boom");
}

static bool is_asked(void *data) {
    (void)data;
    chief__lock(&s.lock);
    bool asked = s.asked[0] != '\0';
    chief__unlock(&s.lock);
    return asked;
}

static void test_ask__a_stop_does_not_wait_for_an_answer(void **state) {
    (void)state;
    s.waits = true;
    add("fail boom", 60000, NULL);
    troupe_start(&t);
    assert_true(support_until(is_asked, NULL, 10000));
    int64_t before = chief__now_ms();
    troupe_stop(&t);
    assert_true(chief__now_ms() - before < support_ms(1000));
    support_gate_open(&gate);
}

static void test_ask__an_isolated_worker_gets_a_process(void **state) {
    chief_process process = {.size = sizeof process, .spec = {CHIEF_TEST_ACTOR, strlen(CHIEF_TEST_ACTOR)}};
    (void)state;
    s.kind = CHIEF_ANSWER_ISOLATE;
    add("1: fail boom; 2: kill 9; 3+: log third; wait", 60000, &process);
    troupe_start(&t);
    troupe_says(&t, "w: third\n");
    assert_true(troupe_said(&t, "w: on_exit isolates it: from now on it has a process of its own\n"));
    chief__lock(&s.lock);
    assert_non_null(strstr(s.asked, "w2 killed killed by signal 9 (Killed) code 0, 2 in a row"));
    chief__unlock(&s.lock);
    troupe_stop(&t);
    assert_int_equal(chief_exit_code(t.c), 0);
}

static void test_ask__a_policy_without_a_function_is_none(void **state) {
    chief_policy policy = {.size = sizeof policy};
    chief_worker_options o = {.size = sizeof o, .policy = &policy};
    (void)state;
    assert_int_equal(chief_add_plugin(t.c, "x", CHIEF_TEST_ACTOR, &o), CHIEF_EINVAL);
    support_says("worker x: a policy needs on_exit");
    policy.on_exit = on_exit_;
    policy.timeout = -5;
    assert_int_equal(chief_add_plugin(t.c, "x", CHIEF_TEST_ACTOR, &o), CHIEF_EINVAL);
    support_says("worker x: the timeout of its policy is negative");
    add("end", 60000, NULL); /* the teardown counts its destructor */
}

#define ASK_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        ASK_TEST(test_ask__a_policy_is_told_how_it_ended),
        ASK_TEST(test_ask__it_can_give_up),
        ASK_TEST(test_ask__an_error_leaves_it_to_the_restart_policy),
        ASK_TEST(test_ask__an_answer_that_is_none),
        ASK_TEST(test_ask__a_negative_delay),
        ASK_TEST(test_ask__isolation_needs_a_process),
        ASK_TEST(test_ask__a_late_answer_is_ignored),
        ASK_TEST(test_ask__a_stop_does_not_wait_for_an_answer),
        ASK_TEST(test_ask__an_isolated_worker_gets_a_process),
        ASK_TEST(test_ask__a_policy_without_a_function_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
