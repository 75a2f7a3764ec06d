/* The cases of the fault list for workers in processes. Each test bears its number; the table is tests/faults/README.md. */
#include "troupe.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static troupe t;
static const char *program; /* this one */

/* ---- what the system refuses ---- */

static atomic_int spawn_error; /* how the next one fails */

/* This program's is found before the C library's. */
int posix_spawn(pid_t *pid, const char *path, const void *actions, const void *attr, char *const *argv,
                char *const *envp);

int posix_spawn(pid_t *pid, const char *path, const void *actions, const void *attr, char *const *argv,
                char *const *envp) {
    int (*real)(pid_t *, const char *, const void *, const void *, char *const *, char *const *);
    int error = atomic_exchange(&spawn_error, 0);
    if (error != 0) return error;
    void *found = dlsym(RTLD_NEXT, "posix_spawn");
    memcpy(&real, &found, sizeof real);
    return real(pid, path, actions, attr, argv, envp);
}

/* ---- helpers ---- */

/* No child of this program is left, dead or alive. */
static void assert_all_reaped(void) {
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void end(void) {
    troupe_stop(&t);
    troupe_end(&t);
    assert_all_reaped();
}

static void add_restarted(const char *name, const char *args) {
    const troupe_part part = {.name = name,
                              .args = args,
                              .isolation = CHIEF_PROCESS,
                              .restart = {.policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO}};
    troupe_add(&t, &part);
}

/* The number that a worker said with «pid N». */
static pid_t pid_of(const char *worker) {
    char text[64];
    (void)snprintf(text, sizeof text, "%s: pid ", worker);
    troupe_says(&t, text);
    chief__lock(&t.lock);
    long pid = strtol(strstr(t.said, text) + strlen(text), NULL, 10);
    chief__unlock(&t.lock);
    assert_true(pid > 1);
    return (pid_t)pid;
}

/* A dead one that its new parent has not reaped has ended, too. */
static bool has_died(void *data) {
    char path[64];
    char line[256] = "";
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)*(pid_t *)data);
    FILE *f = fopen(path, "r");
    if (f == NULL) return true;
    char *got = fgets(line, sizeof line, f);
    (void)fclose(f);
    const char *state = got != NULL ? strrchr(line, ')') : NULL;
    return state == NULL || state[2] == 'Z' || state[2] == 'X';
}

static void assert_dies(pid_t pid) { assert_true(support_until(has_died, &pid, 10000)); }

static chief_channel *channel(const char *name, int32_t delivery, int64_t max_deliveries) {
    chief_channel *ch;
    chief_channel_options o = {.size = sizeof o, .delivery = delivery, .max_deliveries = max_deliveries};
    assert_int_equal(chief_add_channel(t.c, name, &o), CHIEF_OK);
    assert_int_equal(chief_get_channel(t.c, name, &ch), CHIEF_OK);
    return ch;
}

static void send_text(chief_channel *ch, const char *text) {
    assert_int_equal(chief_channel_send(ch, NULL, text, strlen(text), support_ms(10000)), CHIEF_OK);
}

static void assert_recv(chief_channel *ch, const char *text, uint32_t deliveries) {
    chief_msg *msg;
    assert_int_equal(chief_channel_recv(ch, NULL, support_ms(10000), &msg), CHIEF_OK);
    assert_int_equal(chief_msg_data(msg).len, strlen(text));
    assert_memory_equal(chief_msg_data(msg).data, text, strlen(text));
    assert_int_equal(chief_msg_deliveries(msg), deliveries);
    chief_msg_free(msg);
}

static chief_channel_stats stats_of(chief_channel *ch) {
    chief_channel_stats s = {.size = sizeof s};
    assert_int_equal(chief_channel_get_stats(ch, &s), CHIEF_OK);
    assert_true(s.sent == s.received + s.queued + s.dropped);
    return s;
}

/* ---- 14 ---- */

static void test_faults__14_an_exit_code_is_final(void **state) {
    (void)state;
    const int32_t codes[] = {3, 7};
    const troupe_part part = {.name = "w",
                              .args = "1: exit 5; 2: exit 7; 3+: wait",
                              .isolation = CHIEF_PROCESS,
                              .options = {.no_restart_codes = codes, .n_no_restart_codes = 2},
                              .restart = {.policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO}};
    troupe_begin(&t, NULL);
    troupe_add(&t, &part);
    troupe_start(&t);
    troupe_says(&t, "w: worker given up");
    troupe_status_is(&t, "w", "failed error exited with 7");
    end();
}

/* ---- 17 ---- */

static void test_faults__17_what_never_returns_is_killed_and_reaped(void **state) {
    (void)state;
    const chief_options options = {.size = sizeof options, .force_time = support_ms(5000)};
    const troupe_part part = {
        .name = "w", .args = "pid; deaf; log up; busy", .isolation = CHIEF_PROCESS, .options = {.grace = 50}};
    troupe_begin(&t, &options);
    troupe_add(&t, &part);
    troupe_start(&t);
    troupe_says(&t, "w: up\n");
    int64_t before = chief__now_ms();
    troupe_stop(&t);
    assert_true(chief__now_ms() - before < support_ms(2000));
    assert_int_equal(chief_exit_code(t.c), 75);
    troupe_status_is(&t, "w", "stopped killed interrupted: did not end within its grace of 0.05 s");
    end();
}

/* ---- 24 ---- */

static void test_faults__24_a_worker_has_ended_when_its_group_has(void **state) {
    (void)state;
    const troupe_part part = {
        .name = "w", .args = "spawn; log left; end", .isolation = CHIEF_PROCESS, .options = {.grace = 300}};
    troupe_begin(&t, NULL);
    troupe_add(&t, &part);
    int64_t before = chief__now_ms();
    troupe_start(&t);
    troupe_says(&t, "w: deaf\n"); /* printed by what it has started */
    troupe_says(&t, "w: left\n");
    troupe_await(&t, "w", CHIEF_WORKER_STOPPED);
    assert_true(chief__now_ms() - before >= 300);
    troupe_status_is(&t, "w", "stopped ok ");
    end();
}

static void test_faults__24_a_stopped_one_goes_on_to_end(void **state) {
    (void)state;
    char text[32];
    troupe_begin(&t, NULL);
    troupe_process(&t, "w", "pid; wait");
    troupe_start(&t);
    pid_t pid = pid_of("w");
    (void)snprintf(text, sizeof text, "%ld", (long)pid);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    troupe_stop(&t);
    assert_int_equal(chief_exit_code(t.c), 0);
    troupe_status_is(&t, "w", "stopped ok ");
    end();
}

/* ---- 25 ---- */

/* The chief that is to be killed: says its pid and its worker's, and then waits for its death. */
static int be_a_chief(void) {
    troupe_begin(&t, NULL);
    troupe_process(&t, "w", "pid; deaf; busy");
    troupe_start(&t);
    printf("%ld %ld\n", (long)getpid(), (long)pid_of("w"));
    (void)fflush(stdout);
    (void)chief_join(t.c, CHIEF_FOREVER);
    return 1;
}

static void test_faults__25_a_killed_chiefs_workers_end(void **state) {
    (void)state;
    char command[4096];
    char line[64] = "";
    char *rest;
    (void)snprintf(command, sizeof command, "exec '%s' --chief", program);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    pid_t pid = (pid_t)strtol(line, &rest, 10);
    pid_t worker = (pid_t)strtol(rest, NULL, 10);
    assert_true(pid > 1 && worker > 1 && !has_died(&worker));
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_true(WIFSIGNALED(pclose(f)));
    assert_dies(worker);
}

/* ---- 37, 38, 48 ---- */

static void test_faults__37_48_what_a_dead_receiver_held(void **state) {
    (void)state;
    troupe_begin(&t, NULL);
    chief_channel *least = channel("least", CHIEF_AT_LEAST_ONCE, CHIEF_ZERO);
    chief_channel *most = channel("most", CHIEF_AT_MOST_ONCE, 0);
    send_text(least, "one");
    send_text(least, "two");
    send_text(most, "one");
    send_text(most, "two");
    troupe_process(&t, "least", "hold least; kill 9");
    troupe_process(&t, "most", "hold most; crash");
    troupe_start(&t);
    troupe_await(&t, "least", CHIEF_WORKER_FAILED);
    troupe_await(&t, "most", CHIEF_WORKER_FAILED);
    assert_int_equal(stats_of(least).redelivered, 1);
    assert_recv(least, "one", 2);
    assert_recv(least, "two", 1);
    assert_int_equal(stats_of(most).dropped, 1);
    assert_recv(most, "two", 1);
    chief_channel_unref(least);
    chief_channel_unref(most);
    end();
}

static void test_faults__48_what_kills_its_receivers_leaves_the_queue(void **state) {
    (void)state;
    chief_event *events[64];
    size_t n;
    size_t dropped = 0;
    troupe_begin(&t, NULL);
    chief_channel *ch = channel("jobs", CHIEF_AT_LEAST_ONCE, 3);
    send_text(ch, "poison");
    send_text(ch, "good");
    add_restarted("w",
                  "1: hold jobs; 1: kill 9; 2: hold jobs; 2: kill 9; 3: hold jobs; 3: kill 9; 4+: pump jobs jobs2");
    chief_channel *out = channel("jobs2", CHIEF_AT_MOST_ONCE, 0);
    troupe_start(&t);
    assert_recv(out, "good", 1);
    assert_int_equal(stats_of(ch).dropped, 1);
    assert_int_equal(chief_take_events(t.c, events, 64, 0, &n), CHIEF_OK);
    for (size_t i = 0; i < n; i++) {
        dropped += events[i]->kind == CHIEF_EVENT_MESSAGE_DROPPED && strcmp(events[i]->channel, "jobs") == 0;
        chief_event_free(events[i]);
    }
    assert_int_equal(dropped, 1);
    chief_channel_unref(ch);
    chief_channel_unref(out);
    end();
}

/* Killed from outside while it waits in the middle of a call, with room reserved elsewhere. */
static void kill_in(const char *args, const char *name) {
    troupe_process(&t, name, args);
    troupe_start(&t);
    pid_t pid = pid_of(name);
    char said[64];
    (void)snprintf(said, sizeof said, "%s: waits\n", name);
    troupe_says(&t, said);
    assert_int_equal(kill(pid, SIGKILL), 0);
    troupe_await(&t, name, CHIEF_WORKER_FAILED);
    troupe_status_is(&t, name, "failed killed killed by signal 9 (Killed)");
}

static void test_faults__38_one_killed_in_a_call_leaves_the_channel_usable(void **state) {
    (void)state;
    static const char *const calls[] = {"pid; reserve c; log waits; hold empty", "pid; reserve c; log waits; echo",
                                        "pid; reserve c; log waits; send one x"};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        troupe_begin(&t, NULL);
        chief_channel *c = channel("c", CHIEF_AT_MOST_ONCE, 0);
        chief_channel *empty = channel("empty", CHIEF_AT_MOST_ONCE, 0);
        chief_channel_options one = {.size = sizeof one, .capacity = 1};
        chief_channel *full;
        assert_int_equal(chief_add_channel(t.c, "one", &one), CHIEF_OK);
        assert_int_equal(chief_get_channel(t.c, "one", &full), CHIEF_OK);
        send_text(full, "full");
        kill_in(calls[i], "w");
        assert_recv(full, "full", 1);
        send_text(full, "again");
        send_text(empty, "x");
        assert_recv(empty, "x", 1);
        for (int n = 0; n < 64; n++) send_text(c, "room"); /* all of it is back */
        chief_channel_unref(c);
        chief_channel_unref(empty);
        chief_channel_unref(full);
        end();
    }
}

/* ---- 43 ---- */

static void start_fails_with(int error, const char *text) {
    char status[256];
    troupe_begin(&t, NULL);
    add_restarted("w", "log up; wait");
    atomic_store(&spawn_error, error);
    troupe_start(&t);
    troupe_says(&t, "w: up\n");
    (void)snprintf(status, sizeof status, "run init_error worker w: can't start");
    char buf[512];
    (void)troupe_status(&t, "w", buf, sizeof buf);
    assert_non_null(strstr(buf, status));
    assert_non_null(strstr(buf, text));
    end();
}

static void test_faults__43_a_process_that_can_not_be_started_is_a_failed_init(void **state) {
    (void)state;
    start_fails_with(EAGAIN, "Resource temporarily unavailable");
    start_fails_with(EMFILE, "Too many open files");
    start_fails_with(ENOENT, "No such file or directory");
}

/* ---- a crash is its own ---- */

static char *neighbours_events(bool with_crash) {
    char *told = calloc(1, 4096);
    chief_event *events[256];
    size_t n;
    const chief_options options = {.size = sizeof options, .event_capacity = 256};
    troupe_begin(&t, &options);
    chief_channel *in = channel("in", CHIEF_AT_LEAST_ONCE, 0);
    chief_channel *out = channel("out", CHIEF_AT_LEAST_ONCE, 0);
    troupe_process(&t, "neighbour", "pump in out");
    troupe_part thread = {.name = "thread", .args = "log up; wait", .isolation = CHIEF_THREAD};
    troupe_add(&t, &thread);
    add_restarted("crasher", with_crash ? "1: crash; 2: crash; 3+: log up; 3+: wait" : "log up; wait");
    troupe_start(&t);
    troupe_says(&t, "crasher: up\n");
    troupe_says(&t, "thread: up\n");
    send_text(in, "job");
    assert_recv(out, "job", 1);
    troupe_stop(&t);
    assert_int_equal(chief_exit_code(t.c), 0);
    assert_int_equal(chief_take_events(t.c, events, 256, 0, &n), CHIEF_OK);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(events[i]->worker, "neighbour") == 0 || strcmp(events[i]->worker, "thread") == 0)
            (void)snprintf(told + strlen(told), 4096 - strlen(told), "%s %s %d->%d %d %s\n", events[i]->worker,
                           chief_event_kind_name(events[i]->kind), events[i]->previous, events[i]->state,
                           events[i]->reason, events[i]->error);
        chief_event_free(events[i]);
    }
    chief_channel_unref(in);
    chief_channel_unref(out);
    troupe_end(&t);
    return told;
}

static int by_line(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The two neighbours start and end side by side: the lines of each keep their order, which sorting does not change as they
 * are all different. */
static void sort_lines(char *text) {
    char *lines[64] = {0};
    char *copy = strdup(text);
    size_t n = 0;
    for (char *line = strtok(copy, "\n"); line != NULL && n < 64; line = strtok(NULL, "\n")) lines[n++] = line;
    qsort(lines, n, sizeof *lines, by_line);
    text[0] = '\0';
    for (size_t i = 0; i < n; i++) (void)strcat(strcat(text, lines[i]), "\n");
    free(copy);
}

static void test_faults__a_segfault_is_not_seen_by_its_neighbours(void **state) {
    (void)state;
    char *without = neighbours_events(false);
    char *with = neighbours_events(true);
    sort_lines(without);
    sort_lines(with);
    assert_true(strlen(without) > 0);
    assert_string_equal(with, without);
    free(without);
    free(with);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults__14_an_exit_code_is_final),
        cmocka_unit_test(test_faults__17_what_never_returns_is_killed_and_reaped),
        cmocka_unit_test(test_faults__24_a_worker_has_ended_when_its_group_has),
        cmocka_unit_test(test_faults__24_a_stopped_one_goes_on_to_end),
        cmocka_unit_test(test_faults__25_a_killed_chiefs_workers_end),
        cmocka_unit_test(test_faults__37_48_what_a_dead_receiver_held),
        cmocka_unit_test(test_faults__48_what_kills_its_receivers_leaves_the_queue),
        cmocka_unit_test(test_faults__38_one_killed_in_a_call_leaves_the_channel_usable),
        cmocka_unit_test(test_faults__43_a_process_that_can_not_be_started_is_a_failed_init),
        cmocka_unit_test(test_faults__a_segfault_is_not_seen_by_its_neighbours),
    };
    program = argv[0];
    if (argc > 1 && strcmp(argv[1], "--chief") == 0) return be_a_chief();
    return cmocka_run_group_tests_name("fault_processes", tests, NULL, NULL);
}
