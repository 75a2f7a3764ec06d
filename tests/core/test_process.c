/* Workers in processes of their own: how they are added, what becomes of them, and what they can call. */
#include "troupe.h"

#include <signal.h>
#include <unistd.h>

static int run(chief_worker *ctx, void *instance) {
    (void)ctx;
    (void)instance;
    return 0;
}

static troupe t;

static int teardown(void **state) {
    (void)state;
    if (t.c != NULL) troupe_end(&t);
    t.c = NULL;
    return 0;
}

/* ---- adding ---- */

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

static void test_process__what_can_not_be_is_refused_at_once(void **state) {
    (void)state;
    chief_process how = {.size = sizeof how, .umask = 01000};
    chief_worker_options options = {.size = sizeof options, .isolation = CHIEF_THREAD};
    troupe_begin(&t, NULL);
    assert_int_equal(chief_add_process(t.c, "w", &how, NULL), CHIEF_EINVAL);
    support_says("worker w: umask should be from 0 to 0777");
    how.umask = 0;
    assert_int_equal(chief_add_process(t.c, "w", &how, &options), CHIEF_EINVAL);
    support_says("chief_add_process is for the isolation process");
    how.n_env = 1;
    assert_int_equal(chief_add_process(t.c, "w", &how, NULL), CHIEF_EINVAL);
    support_says("1 texts of env and no list");
    how.n_env = 0;
    how.user = "nobody-of-this-name";
    assert_int_equal(chief_add_process(t.c, "w", &how, NULL), CHIEF_ENOENT);
    support_says("worker w: there is no user");
    how.user = NULL;
    assert_int_equal(chief_add_process(t.c, "w!", &how, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_add_process(t.c, "w", &how, NULL), CHIEF_OK);
    assert_int_equal(chief_add_process(t.c, "w", &how, NULL), CHIEF_EEXIST);
}

/* ---- lives ---- */

static void test_process__a_clean_end_is_stopped(void **state) {
    (void)state;
    troupe_begin(&t, NULL);
    troupe_process(&t, "w", "init log initialised; log hello; end");
    troupe_start(&t);
    troupe_await(&t, "w", CHIEF_WORKER_STOPPED);
    troupe_status_is(&t, "w", "stopped ok ");
    assert_true(troupe_said(&t, "w: initialised\n") && troupe_said(&t, "w: hello\n"));
}

static void test_process__a_failure_is_told_with_its_text(void **state) {
    (void)state;
    troupe_begin(&t, NULL);
    troupe_process(&t, "w", "fail boom");
    troupe_process(&t, "unready", "init fail early");
    troupe_start(&t);
    troupe_await(&t, "w", CHIEF_WORKER_FAILED);
    troupe_status_is(&t, "w", "failed error boom");
    troupe_await(&t, "unready", CHIEF_WORKER_FAILED);
    troupe_status_is(&t, "unready", "failed init_error early");
}

static void test_process__a_death_is_told_with_its_cause(void **state) {
    (void)state;
    troupe_begin(&t, NULL);
    troupe_process(&t, "killed", "kill 9");
    troupe_process(&t, "exits", "exit 3");
    troupe_process(&t, "quits", "exit 0");
    troupe_process(&t, "early", "init exit 4");
    troupe_start(&t);
    troupe_await(&t, "killed", CHIEF_WORKER_FAILED);
    troupe_status_is(&t, "killed", "failed killed killed by signal 9 (Killed)");
    troupe_await(&t, "exits", CHIEF_WORKER_FAILED);
    troupe_status_is(&t, "exits", "failed error exited with 3");
    troupe_await(&t, "quits", CHIEF_WORKER_FAILED);
    troupe_status_is(&t, "quits", "failed error exited with 0");
    troupe_await(&t, "early", CHIEF_WORKER_FAILED);
    troupe_status_is(&t, "early", "failed init_error exited with 4");
}

static void test_process__a_restart_is_another_child(void **state) {
    (void)state;
    troupe_begin(&t, NULL);
    troupe_part part = {.name = "w",
                        .args = "1: kill 9; 2: fail again; 3+: log third; 3+: wait",
                        .isolation = CHIEF_PROCESS,
                        .restart = {.policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO}};
    troupe_add(&t, &part);
    troupe_start(&t);
    troupe_says(&t, "w: third\n");
    troupe_stop(&t);
    troupe_status_is(&t, "w", "stopped ok again");
}

static void test_process__a_stop_ends_what_waits(void **state) {
    (void)state;
    troupe_begin(&t, NULL);
    troupe_process(&t, "sleeps", "log up; wait");
    troupe_process(&t, "listens", "log up; echo");
    troupe_start(&t);
    troupe_says(&t, "sleeps: up\n");
    troupe_says(&t, "listens: up\n");
    int64_t before = chief__now_ms();
    troupe_stop(&t);
    assert_true(chief__now_ms() - before < support_ms(2000));
    assert_int_equal(chief_exit_code(t.c), 0);
    troupe_status_is(&t, "sleeps", "stopped ok ");
    troupe_status_is(&t, "listens", "stopped ok ");
}

static void test_process__one_that_does_not_end_is_killed(void **state) {
    (void)state;
    chief_options options = {.size = sizeof options, .force_time = support_ms(5000)};
    troupe_begin(&t, &options);
    troupe_part part = {.name = "w", .args = "log up; busy", .isolation = CHIEF_PROCESS, .options = {.grace = 50}};
    troupe_add(&t, &part);
    troupe_start(&t);
    troupe_says(&t, "w: up\n");
    troupe_stop(&t);
    assert_int_equal(chief_exit_code(t.c), 75);
    assert_true(troupe_said(&t, "w: worker interrupted\n"));
    assert_false(troupe_said(&t, "abandoned"));
}

static void test_process__a_stop_before_the_run_is_a_fini(void **state) {
    (void)state;
    troupe_begin(&t, NULL);
    troupe_process(&t, "w", "log never");
    assert_int_equal(chief_init_workers(t.c, NULL), CHIEF_OK);
    troupe_stop(&t);
    troupe_status_is(&t, "w", "disabled  ");
    assert_false(troupe_said(&t, "never"));
}

static void test_process__what_is_no_plugin_is_an_init_error(void **state) {
    (void)state;
    const char *argv[] = {"/bin/sh", "-c", "echo printed; exit 7"};
    chief_process missing = {.size = sizeof missing, .spec = {"/nowhere.so", 11}};
    chief_process script = {.size = sizeof script, .argv = argv, .n_argv = 3};
    troupe_begin(&t, NULL);
    assert_int_equal(chief_add_process(t.c, "missing", &missing, NULL), CHIEF_OK);
    assert_int_equal(chief_add_process(t.c, "script", &script, NULL), CHIEF_OK);
    troupe_start(&t);
    troupe_await(&t, "missing", CHIEF_WORKER_FAILED);
    troupe_await(&t, "script", CHIEF_WORKER_FAILED);
    troupe_status_is(&t, "script", "failed init_error exited with 7");
    assert_true(troupe_said(&t, "script: printed\n"));
    char buf[512];
    const char *status = troupe_status(&t, "missing", buf, sizeof buf);
    assert_non_null(strstr(status, "failed init_error plug-in /nowhere.so can't be loaded"));
}

static void test_process__a_program_that_is_not_there_is_an_init_error(void **state) {
    (void)state;
    const char *argv[] = {"/nowhere/at-all"};
    chief_process how = {.size = sizeof how, .argv = argv, .n_argv = 1};
    troupe_begin(&t, NULL);
    if (support_under_valgrind()) skip();
    assert_int_equal(chief_add_process(t.c, "w", &how, NULL), CHIEF_OK);
    troupe_start(&t);
    troupe_await(&t, "w", CHIEF_WORKER_FAILED);
    troupe_status_is(&t, "w", "failed init_error worker w: can't start /nowhere/at-all: No such file or directory");
}

/* ---- children that say what they like ---- */

static void says_nonsense(const char *script, const char *status) {
    const char *argv[] = {"/bin/sh", "-c", script};
    const chief_process how = {.size = sizeof how, .argv = argv, .n_argv = 3};
    troupe_begin(&t, NULL);
    assert_int_equal(chief_add_process(t.c, "w", &how, NULL), CHIEF_OK);
    troupe_start(&t);
    troupe_await(&t, "w", CHIEF_WORKER_FAILED);
    troupe_status_is(&t, "w", status);
    troupe_end(&t);
    t.c = NULL;
}

#define TOLD "failed init_error killed for what it said to the chief: "
#define HEAD(kind, length) "\\001\\" kind "\\" length "\\0\\0\\0\\0\\0"

static void test_process__nonsense_is_told_and_its_end(void **state) {
    (void)state;
    says_nonsense("printf 'hello' >&3; sleep 100", TOLD "a frame of version 104, where 1 is spoken");
    says_nonsense("printf '\\001\\377' >&3; sleep 100", TOLD "a frame of the unknown kind 255");
    says_nonsense("printf '\\001\\046\\377\\377\\377\\377\\377\\377' >&3; sleep 100",
                  TOLD "a send frame of 281474976710655 bytes, where 16842752 are allowed");
    says_nonsense("printf '" HEAD("001", "0") "' >&3; sleep 100",
                  TOLD "malformed hello frame: it ends within a number");
    says_nonsense("printf '" HEAD("003", "0") "' >&3; sleep 100", TOLD "a run frame does not come from a child");
    says_nonsense("printf '" HEAD("056", "010") "\\7\\0\\0\\0\\0\\0\\0\\0' >&3; sleep 100",
                  TOLD "it names a channel that it does not have");
    says_nonsense("printf 'hello' >&4; sleep 100", TOLD "a frame of version 104, where 1 is spoken");
    says_nonsense("printf '" HEAD("040", "0") "' >&4; sleep 100",
                  TOLD "a frame of the kind opened on the side channel");
    says_nonsense("exec 3>&-; sleep 100", "failed init_error closed its channel to the chief");
    says_nonsense("printf '\\001\\046\\377' >&3; exit 6", "failed init_error exited with 6");
}

/* ---- the context ---- */

static void test_process__sees_the_values_of_the_context(void **state) {
    (void)state;
    chief_value text = {.type = CHIEF_BYTES, .bytes = {"blue", 4}};
    chief_value number = {.type = CHIEF_NUMBER, .number = 1.5};
    chief_value integer = {.type = CHIEF_INTEGER, .integer = -7};
    chief_value flag = {.type = CHIEF_BOOL, .boolean = 1};
    chief_value pointer = {.type = CHIEF_POINTER, .pointer = &t};
    troupe_begin(&t, NULL);
    assert_int_equal(chief_add_value(t.c, "colour", &text), CHIEF_OK);
    assert_int_equal(chief_add_value(t.c, "size", &number), CHIEF_OK);
    assert_int_equal(chief_add_value(t.c, "count", &integer), CHIEF_OK);
    assert_int_equal(chief_add_value(t.c, "flag", &flag), CHIEF_OK);
    assert_int_equal(chief_add_value(t.c, "handle", &pointer), CHIEF_OK);
    troupe_process(&t, "w", "value colour; value size; value count; value flag; value handle; value nothing");
    troupe_start(&t);
    troupe_await(&t, "w", CHIEF_WORKER_STOPPED);
    static const char *const wanted[] = {"w: colour = blue\n",
                                         "w: size = 1.5\n",
                                         "w: count = -7\n",
                                         "w: flag = 1\n",
                                         "w: handle: value \"handle\": a pointer does not go into a process\n",
                                         "w: nothing: no value \"nothing\"\n"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) assert_true(troupe_said(&t, wanted[i]));
}

static void signal_said_pid(int signal) {
    troupe_says(&t, "w: pid ");
    chief__lock(&t.lock);
    pid_t pid = (pid_t)strtol(strstr(t.said, "w: pid ") + strlen("w: pid "), NULL, 10);
    chief__unlock(&t.lock);
    assert_int_equal(kill(pid, signal), 0);
}

/* More than waits for a child that does not listen, in pieces that do not go there together. */
static void test_process__what_had_no_room_comes_later(void **state) {
    (void)state;
    static char large[400 * 1024];
    chief_value value = {.type = CHIEF_BYTES, .bytes = {large, sizeof large}};
    troupe_begin(&t, NULL);
    troupe_process(&t, "w", "pid; expect last; log seen; wait");
    troupe_start(&t);
    signal_said_pid(SIGSTOP);
    for (int i = 0; i < 20; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "key%d", i);
        assert_int_equal(chief_add_value(t.c, key, &value), CHIEF_OK);
    }
    value.bytes.len = 1;
    assert_int_equal(chief_add_value(t.c, "last", &value), CHIEF_OK);
    signal_said_pid(SIGCONT);
    troupe_says(&t, "w: seen\n");
    troupe_stop(&t);
}

/* ---- messages ---- */

static void test_process__passes_messages_on(void **state) {
    (void)state;
    chief_channel *in;
    chief_channel *out;
    troupe_begin(&t, NULL);
    assert_int_equal(chief_add_channel(t.c, "in", NULL), CHIEF_OK);
    assert_int_equal(chief_add_channel(t.c, "out", NULL), CHIEF_OK);
    troupe_process(&t, "w", "pump in out");
    troupe_start(&t);
    assert_int_equal(chief_get_channel(t.c, "in", &in), CHIEF_OK);
    assert_int_equal(chief_get_channel(t.c, "out", &out), CHIEF_OK);
    for (int i = 0; i < 200; i++) {
        chief_msg *msg;
        assert_int_equal(chief_channel_send(in, NULL, &i, sizeof i, support_ms(10000)), CHIEF_OK);
        assert_int_equal(chief_channel_recv(out, NULL, support_ms(10000), &msg), CHIEF_OK);
        assert_memory_equal(chief_msg_data(msg).data, &i, sizeof i);
        assert_string_equal(chief_msg_sender(msg), "w");
        chief_msg_free(msg);
    }
    troupe_stop(&t);
    chief_channel_unref(in);
    chief_channel_unref(out);
}

static void test_process__calls_and_answers(void **state) {
    (void)state;
    troupe_begin(&t, NULL);
    troupe_process(&t, "echo", "echo");
    troupe_process(&t, "asks", "ask echo hallo; ask nobody hallo");
    troupe_start(&t);
    troupe_await(&t, "asks", CHIEF_WORKER_FAILED);
    assert_true(troupe_said(&t, "asks: echo said hallo\n"));
    troupe_stop(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process__says_where_a_worker_can_run),
        cmocka_unit_test_teardown(test_process__what_can_not_be_is_refused_at_once, teardown),
        cmocka_unit_test_teardown(test_process__a_clean_end_is_stopped, teardown),
        cmocka_unit_test_teardown(test_process__a_failure_is_told_with_its_text, teardown),
        cmocka_unit_test_teardown(test_process__a_death_is_told_with_its_cause, teardown),
        cmocka_unit_test_teardown(test_process__a_restart_is_another_child, teardown),
        cmocka_unit_test_teardown(test_process__a_stop_ends_what_waits, teardown),
        cmocka_unit_test_teardown(test_process__one_that_does_not_end_is_killed, teardown),
        cmocka_unit_test_teardown(test_process__a_stop_before_the_run_is_a_fini, teardown),
        cmocka_unit_test_teardown(test_process__what_is_no_plugin_is_an_init_error, teardown),
        cmocka_unit_test_teardown(test_process__a_program_that_is_not_there_is_an_init_error, teardown),
        cmocka_unit_test_teardown(test_process__nonsense_is_told_and_its_end, teardown),
        cmocka_unit_test_teardown(test_process__sees_the_values_of_the_context, teardown),
        cmocka_unit_test_teardown(test_process__what_had_no_room_comes_later, teardown),
        cmocka_unit_test_teardown(test_process__passes_messages_on, teardown),
        cmocka_unit_test_teardown(test_process__calls_and_answers, teardown),
    };
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
