/* The thread that asks the policies of the host. */
#include "asker.h"
#include "support.h"

static chief__inbox *inbox;
static chief__unit *unit;
static support_gate gate;
static atomic_int calls;
static atomic_bool destroyed;

static void wake(void *data) { (void)data; }

static int run(chief_worker *ctx, void *instance) {
    (void)ctx;
    (void)instance;
    return 0;
}

/* Number 1 waits at the gate. */
static int on_exit_(void *data, const chief_exit *exit, chief_answer *answer) {
    (void)data;
    assert_string_equal(exit->worker, "w");
    if (exit->failures == 1) (void)support_gate_pass(&gate);
    answer->kind = CHIEF_ANSWER_DELAY;
    answer->delay_ms = (int64_t)exit->failures * 10 + exit->history[exit->n_history - 1].code;
    (void)atomic_fetch_add(&calls, 1);
    return exit->failures == 3 ? chief_set_last_error(CHIEF_EINVAL, exit->error) : CHIEF_OK;
}

static void destroy(void *data) { atomic_store((atomic_bool *)data, true); }

static bool is_destroyed(void *data) { return atomic_load((atomic_bool *)data); }

static int setup(void **state) {
    static const chief_worker_ops ops = {.size = sizeof ops, .run = run};
    chief_policy policy = {.size = sizeof policy, .on_exit = on_exit_, .data = &destroyed, .destroy = destroy};
    chief_worker_options o = {.size = sizeof o, .policy = &policy};
    (void)state;
    atomic_store(&destroyed, false);
    atomic_store(&calls, 0);
    support_gate_init(&gate);
    assert_int_equal(chief__inbox_new(&inbox, wake, NULL), CHIEF_OK);
    assert_int_equal(chief__unit_new(&unit, "w", &ops, NULL, &o), CHIEF_OK);
    unit->armed = true;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    chief__unit_unref(unit);
    assert_true(support_until(is_destroyed, &destroyed, 10000));
    chief__inbox_unref(inbox);
    support_gate_fini(&gate);
    return 0;
}

static chief__question *question(uint64_t failures, const char *error) {
    const chief_end ends[] = {{.generation = 1, .code = 4}, {.generation = 2, .code = 5}};
    chief__question *q = chief__question_new(unit, ends, 2, error);
    assert_non_null(q);
    q->exit.failures = failures;
    return q;
}

static void ask(chief__asker *asker, uint64_t failures) { chief__asker_ask(asker, question(failures, "boom")); }

/* Where its answers go. */
typedef struct desk {
    chief__asker *asker;
    chief__question *q;
    bool called;
} desk;

static bool answered(void *data) {
    desk *d = data;
    d->called = d->called || (chief__inbox_take_calls(inbox) & CALL_ANSWERS) != 0;
    if (d->called) d->q = chief__asker_take(d->asker);
    return d->q != NULL;
}

static chief__question *await(desk *d) {
    d->q = NULL;
    assert_true(support_until(answered, d, 10000));
    return d->q;
}

static void test_asker__answers_in_the_order_of_the_questions(void **state) {
    chief__asker *asker;
    (void)state;
    assert_int_equal(chief__asker_new(&asker, inbox, 0), CHIEF_OK);
    desk d = {.asker = asker};
    for (uint64_t n = 2; n <= 4; n++) ask(asker, n);
    for (uint64_t n = 2; n <= 4; n++) {
        chief__question *q = await(&d);
        assert_int_equal(q->answer.delay_ms, n * 10 + 5);
        assert_int_equal(q->rc, n == 3 ? CHIEF_EINVAL : CHIEF_OK);
        assert_string_equal(q->text, n == 3 ? "boom" : "");
        chief__question_free(q);
    }
    assert_null(chief__asker_take(asker));
    chief__asker_close(asker, INT64_MAX);
}

static void test_asker__what_was_not_put_is_forgotten_at_the_end(void **state) {
    chief__asker *asker;
    (void)state;
    assert_int_equal(chief__asker_new(&asker, inbox, 0), CHIEF_OK);
    for (uint64_t n = 1; n <= 3; n++) ask(asker, n);
    chief__asker_close(asker, 0); /* while the first waits at the gate, or before */
    support_gate_open(&gate);
    chief__asker_close(NULL, 0);
}

static int make(void) {
    chief__asker *asker = NULL;
    int rc = chief__asker_new(&asker, inbox, 0);
    chief__question *q = rc == CHIEF_OK ? chief__question_new(unit, NULL, 0, "text") : NULL;
    chief__question_free(q);
    chief__asker_close(asker, INT64_MAX);
    return rc == CHIEF_OK && q == NULL ? CHIEF_ENOMEM : rc;
}

static void test_asker__out_of_memory(void **state) {
    (void)state;
    assert_true(support_out_of_memory(make) >= 3);
}

#define ASKER_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        ASKER_TEST(test_asker__answers_in_the_order_of_the_questions),
        ASKER_TEST(test_asker__out_of_memory),
        /* the last, as its thread goes on for a moment, and another allocator may not come meanwhile */
        ASKER_TEST(test_asker__what_was_not_put_is_forgotten_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
