/* The whole life of a worker in a process, with the chief's n-th allocation failing, for every n. */
#include "troupe.h"

#include <errno.h>
#include <sys/wait.h>

static const char args[] =
    "1: value colour; 1: send in one; 1: hold in; 1: ask self x; 2: log again; 2: fail second; 3: end";

static void forget(void *data, const chief_record *record) {
    (void)data;
    (void)record;
}

static int add_worker(chief *c) {
    const char *env[] = {"A=b"};
    const chief_restart restart = {
        .size = sizeof restart, .policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO, .max_restarts = 2};
    const chief_worker_options o = {.size = sizeof o, .args = {args, sizeof args - 1}, .restart = &restart};
    const chief_process how = {.size = sizeof how,
                               .spec = {CHIEF_TEST_ACTOR, sizeof CHIEF_TEST_ACTOR - 1},
                               .env = env,
                               .n_env = 1,
                               .cwd = "/"};
    return chief_add_process(c, "w", &how, &o);
}

static int whole_life(void) {
    chief *c = NULL;
    chief_log *log = NULL;
    const chief_value colour = {.type = CHIEF_BYTES, .bytes = {"blue", 4}};
    const chief_log_options log_options = {.size = sizeof log_options, .sink = forget};
    int rc = chief_log_new(&log, &log_options);
    const chief_options co = {.size = sizeof co, .log = log, .exit_when_done = 1};
    if (rc == CHIEF_OK) rc = chief_new(&c, &co);
    if (rc == CHIEF_OK) rc = chief_add_channel(c, "in", NULL);
    if (rc == CHIEF_OK) rc = chief_add_value(c, "colour", &colour);
    if (rc == CHIEF_OK) rc = add_worker(c);
    if (rc == CHIEF_OK) rc = chief_init_workers(c, NULL);
    if (rc == CHIEF_OK) rc = chief_start(c, NULL);
    chief_free(c);
    chief_log_unref(log);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    return rc == CHIEF_EFAILED ? CHIEF_ENOMEM : rc;
}

static void test_process_memory__survives_every_failing_allocation(void **state) {
    (void)state;
    support_spare_children();
    assert_true(support_out_of_memory(whole_life) > 40);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process_memory__survives_every_failing_allocation),
    };
    return cmocka_run_group_tests_name("process_memory", tests, NULL, NULL);
}
