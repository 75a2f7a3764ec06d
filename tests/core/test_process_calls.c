/* What a worker can call answers the same in a thread and in a process: each probe runs in both. */
#include "troupe.h"

#include <sys/wait.h>

#include "../plugins/prober.h"

static troupe t;

static void add_channel(const char *name, int32_t overflow, uint32_t capacity, int64_t max_message) {
    chief_channel_options o = {
        .size = sizeof o, .overflow = overflow, .capacity = capacity, .max_message = max_message};
    assert_int_equal(chief_add_channel(t.c, name, &o), CHIEF_OK);
}

/* A chief with a prober and an echo, and the channels that the probes know; not started. */
static void prepare(int32_t isolation, const char *probe, uint32_t flags) {
    const char *argv[] = {CHIEF_TEST_PROBER};
    chief_process how = {.size = sizeof how, .argv = argv, .n_argv = 1};
    chief_worker_options o = {.size = sizeof o, .args = {probe, strlen(probe)}, .flags = flags};
    troupe_part echo = {.name = "echo", .args = "echo", .isolation = CHIEF_THREAD};
    troupe_begin(&t, NULL);
    add_channel("four", CHIEF_BLOCK, 4, 10);
    add_channel("full", CHIEF_FAIL, 2, 0);
    add_channel("old", CHIEF_DROP_OLDEST, 2, 0);
    add_channel("large", CHIEF_BLOCK, 8, 0);
    troupe_add(&t, &echo);
    if (isolation == CHIEF_PROCESS) assert_int_equal(chief_add_process(t.c, "prober", &how, &o), CHIEF_OK);
    else assert_int_equal(chief_add_worker_with(t.c, "prober", &prober_ops, NULL, &o), CHIEF_OK);
}

static void start(int32_t isolation, const char *probe, uint32_t flags) {
    prepare(isolation, probe, flags);
    troupe_start(&t);
}

static void end_well(void) {
    troupe_stop(&t);
    troupe_status_is(&t, "prober", "stopped ok ");
    troupe_end(&t);
}

static void probe(const char *name) {
    for (int32_t isolation = CHIEF_THREAD; isolation <= CHIEF_PROCESS; isolation += CHIEF_PROCESS - CHIEF_THREAD) {
        char buf[1024];
        start(isolation, name, 0);
        troupe_becomes stopped = {&t, "prober", CHIEF_WORKER_STOPPED};
        if (!support_until(troupe_is, &stopped, 15000))
            fail_msg("%s in a %s: %s", name, isolation == CHIEF_PROCESS ? "process" : "thread",
                     troupe_status(&t, "prober", buf, sizeof buf));
        end_well();
    }
}

static void test_process_calls__channels(void **state) {
    (void)state;
    probe("channel");
    probe("overflow");
    probe("close");
    probe("large");
}

static void test_process_calls__reservations(void **state) {
    (void)state;
    probe("reservations");
}

static void test_process_calls__descriptors(void **state) {
    (void)state;
    probe("descriptor");
}

static void test_process_calls__select(void **state) {
    (void)state;
    probe("select");
}

static void test_process_calls__mailboxes(void **state) {
    (void)state;
    probe("mailbox");
}

static void test_process_calls__mailboxes_in_batches(void **state) {
    (void)state;
    probe("batches");
}

static void test_process_calls__states(void **state) {
    (void)state;
    probe("states");
}

static void start_with(chief_process *how) {
    const char *argv[] = {CHIEF_TEST_PROBER};
    const chief_worker_options o = {.size = sizeof o, .args = {"process", 7}};
    how->size = sizeof *how;
    how->argv = argv;
    how->n_argv = 1;
    troupe_begin(&t, NULL);
    assert_int_equal(chief_add_process(t.c, "prober", how, &o), CHIEF_OK);
    troupe_start(&t);
}

static void test_process_calls__runs_as_it_was_asked_to(void **state) {
    (void)state;
    const char *env[] = {"PROBE=yes"};
    chief_process how = {.cwd = "/", .umask = 027, .files = 40, .core = CHIEF_ZERO, .env = env, .n_env = 1};
    start_with(&how);
    troupe_await(&t, "prober", CHIEF_WORKER_STOPPED);
    end_well();
}

static void test_process_calls__what_can_not_be_set_is_an_init_error(void **state) {
    (void)state;
    chief_process how = {.cwd = "/nowhere/at all"};
    start_with(&how);
    troupe_await(&t, "prober", CHIEF_WORKER_FAILED);
    troupe_status_is(&t, "prober",
                     "failed init_error can't go to the folder /nowhere/at all: No such file or directory");
    troupe_stop(&t);
    troupe_end(&t);
}

static void test_process_calls__nothing_is_a_child_without_a_chief(void **state) {
    (void)state;
    char said[256] = "";
    FILE *f = popen("env -u CHIEF_PARENT '" CHIEF_TEST_PROBER "' 2>&1", "r");
    assert_non_null(f);
    assert_non_null(fgets(said, sizeof said, f));
    assert_string_equal(said, "prober: this process was not started by a chief\n");
    int status = pclose(f);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 64);
}

static void call_it(int wanted, const char *says) {
    chief_msg *reply;
    assert_int_equal(chief_call(t.c, "prober", "?", 1, support_ms(20000), &reply), wanted);
    if (wanted == CHIEF_OK) assert_memory_equal(chief_msg_data(reply).data, says, strlen(says));
    else support_says(says);
    chief_msg_free(reply);
}

static void answer_calls(int32_t isolation) {
    start(isolation, "calls", 0);
    call_it(CHIEF_OK, "yes");
    call_it(CHIEF_ECALL, "no way");
    call_it(CHIEF_ENOREPLY, "no reply from worker \"prober\"");
    troupe_await(&t, "prober", CHIEF_WORKER_STOPPED);
    assert_int_equal(chief_late_replies(t.c), 3);
    end_well();
}

static void test_process_calls__answers(void **state) {
    (void)state;
    answer_calls(CHIEF_THREAD);
    answer_calls(CHIEF_PROCESS);
}

static void test_process_calls__a_stop_ends_a_wait_and_is_seen(void **state) {
    (void)state;
    for (int32_t isolation = CHIEF_THREAD; isolation <= CHIEF_PROCESS; isolation += CHIEF_PROCESS - CHIEF_THREAD) {
        start(isolation, "cancel", CHIEF_WORKER_SAYS_READY);
        assert_int_equal(chief_wait_ready(t.c, support_ms(10000)), CHIEF_OK);
        end_well();
    }
}

static void test_process_calls__ready_and_the_contexts_descriptor(void **state) {
    (void)state;
    for (int32_t isolation = CHIEF_THREAD; isolation <= CHIEF_PROCESS; isolation += CHIEF_PROCESS - CHIEF_THREAD) {
        start(isolation, "ready", CHIEF_WORKER_SAYS_READY);
        assert_int_equal(chief_wait_ready(t.c, support_ms(10000)), CHIEF_OK);
        end_well();
    }
}

static void test_process_calls__a_value_is_there_before_the_message_after_it(void **state) {
    (void)state;
    for (int32_t isolation = CHIEF_THREAD; isolation <= CHIEF_PROCESS; isolation += CHIEF_PROCESS - CHIEF_THREAD) {
        start(isolation, "values", 0);
        for (int i = 0; i < 50; i++) {
            chief_value round = {.type = CHIEF_INTEGER, .integer = i};
            assert_int_equal(chief_add_value(t.c, "round", &round), CHIEF_OK);
            call_it(CHIEF_OK, "");
        }
        troupe_await(&t, "prober", CHIEF_WORKER_STOPPED);
        end_well();
    }
}

static void test_process_calls__a_value_comes_by_itself(void **state) {
    (void)state;
    chief_context *above;
    chief_value word = {.type = CHIEF_BYTES, .bytes = {"go on", 5}};
    for (int32_t isolation = CHIEF_THREAD; isolation <= CHIEF_PROCESS; isolation += CHIEF_PROCESS - CHIEF_THREAD) {
        prepare(isolation, "new_value", CHIEF_WORKER_SAYS_READY);
        assert_int_equal(chief_context_new(&above, NULL), CHIEF_OK);
        assert_int_equal(chief_init_workers(t.c, NULL), CHIEF_OK);
        assert_int_equal(chief_launch(t.c, above), CHIEF_OK);
        assert_int_equal(chief_wait_ready(t.c, support_ms(10000)), CHIEF_OK);
        assert_int_equal(chief_context_set(above, "word", &word), CHIEF_OK);
        troupe_await(&t, "prober", CHIEF_WORKER_STOPPED);
        end_well();
        chief_context_unref(above);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process_calls__channels),
        cmocka_unit_test(test_process_calls__reservations),
        cmocka_unit_test(test_process_calls__descriptors),
        cmocka_unit_test(test_process_calls__select),
        cmocka_unit_test(test_process_calls__mailboxes),
        cmocka_unit_test(test_process_calls__mailboxes_in_batches),
        cmocka_unit_test(test_process_calls__states),
        cmocka_unit_test(test_process_calls__runs_as_it_was_asked_to),
        cmocka_unit_test(test_process_calls__what_can_not_be_set_is_an_init_error),
        cmocka_unit_test(test_process_calls__nothing_is_a_child_without_a_chief),
        cmocka_unit_test(test_process_calls__answers),
        cmocka_unit_test(test_process_calls__a_stop_ends_a_wait_and_is_seen),
        cmocka_unit_test(test_process_calls__ready_and_the_contexts_descriptor),
        cmocka_unit_test(test_process_calls__a_value_is_there_before_the_message_after_it),
        cmocka_unit_test(test_process_calls__a_value_comes_by_itself),
    };
    return cmocka_run_group_tests_name("process_calls", tests, NULL, NULL);
}
