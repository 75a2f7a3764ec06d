/* Workers in processes of their own: what is refused, and what a person is told. */
#include "support.h"

#include "chief.h"

static int run(chief_worker *ctx, void *instance) {
    (void)ctx;
    (void)instance;
    return 0;
}

static void test_process__says_where_a_worker_can_run(void **state) {
    (void)state;
    chief *c;
    chief_worker_ops ops = {.size = sizeof ops, .run = run};
    chief_worker_options options = {.size = sizeof options, .isolation = CHIEF_THREAD};
    assert_int_equal(chief_new(&c, NULL), CHIEF_OK);
    assert_int_equal(chief_add_worker_with(c, "thread", &ops, NULL, &options), CHIEF_OK);
    options.isolation = CHIEF_FIBER;
    assert_int_equal(chief_add_worker_with(c, "fiber", &ops, NULL, &options), CHIEF_EINVAL);
    assert_non_null(strstr(chief_last_error(), "a fiber needs chief_fiber_ops"));
    options.isolation = CHIEF_PROCESS;
    assert_int_equal(chief_add_worker_with(c, "table", &ops, NULL, &options), CHIEF_EINVAL);
    assert_non_null(strstr(chief_last_error(), "a table of callbacks can't go into a process"));
    options.isolation = 4;
    assert_int_equal(chief_add_worker_with(c, "nowhere", &ops, NULL, &options), CHIEF_EINVAL);
    assert_non_null(strstr(chief_last_error(), "isolation 4 is none"));
    assert_int_equal(chief_pool_get_state(chief_get_pool(c), "table"), CHIEF_WORKER_DISABLED);
    chief_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process__says_where_a_worker_can_run),
    };
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
