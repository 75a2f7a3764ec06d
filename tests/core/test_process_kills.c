/*
 * A worker's process is killed with SIGKILL every 50 ms while numbered messages pass through it. Nothing that was accepted
 * is lost but what its channel counts as dropped, and the chief does not grow. CHIEF_KILL_SECONDS says for how long, at
 * 16,667 messages a second (60: a million); 2 without it.
 */
#include "troupe.h"

#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>

#define KILL_EVERY_MS 50
#define PER_SECOND 16667
#define GROWTH ((int64_t)8 * 1024 * 1024) /* of the whole program; allocators keep some */

static troupe t;

/* ---- whom to kill ---- */

static _Atomic pid_t newest;

/* This program's posix_spawn is found before the C library's, and knows the child before the chief does. */
int posix_spawn(pid_t *pid, const char *path, const void *actions, const void *attr, char *const *argv,
                char *const *envp);

int posix_spawn(pid_t *pid, const char *path, const void *actions, const void *attr, char *const *argv,
                char *const *envp) {
    int (*real)(pid_t *, const char *, const void *, const void *, char *const *, char *const *);
    void *found = dlsym(RTLD_NEXT, "posix_spawn");
    memcpy(&real, &found, sizeof real);
    int error = real(pid, path, actions, attr, argv, envp);
    if (error == 0) atomic_store(&newest, *pid);
    return error;
}

typedef struct run {
    int64_t duration; /* ms */
    size_t total;     /* messages */
    chief_channel *in, *out;
    atomic_bool over;
    size_t kills;
    uint8_t *arrived; /* how often, by number */
    size_t n_arrived; /* different ones */
    size_t repeated;
} run;

/* Each child once; it is not reaped before the spawner's thread sees its end, so its number is nobody else's. */
static void kill_main(void *data) {
    run *r = data;
    pid_t last = 0;
    while (!atomic_load(&r->over)) {
        pid_t pid = atomic_load(&newest);
        if (pid > 0 && pid != last && kill(pid, SIGKILL) == 0) {
            r->kills++;
            last = pid;
        }
        chief__pause_ms(KILL_EVERY_MS);
    }
}

/* ---- the messages ---- */

/* Evenly over the time. */
static void send_main(void *data) {
    run *r = data;
    int64_t begin = chief__now_ms();
    for (uint32_t i = 0; i < r->total;) {
        size_t due = (size_t)((chief__now_ms() - begin) * PER_SECOND / 1000);
        for (; i < r->total && i < due; i++)
            if (chief_channel_send(r->in, NULL, &i, sizeof i, CHIEF_FOREVER) != CHIEF_OK) abort();
        chief__pause_ms(1);
    }
}

static void note(run *r, const chief_msg *msg) {
    uint32_t number;
    chief_bytes b = chief_msg_data(msg);
    assert_int_equal(b.len, sizeof number);
    memcpy(&number, b.data, sizeof number);
    assert_true(number < r->total);
    if (r->arrived[number]++ == 0) r->n_arrived++;
    else r->repeated++;
}

static chief_channel_stats stats_of(chief_channel *ch) {
    chief_channel_stats s = {.size = sizeof s};
    assert_int_equal(chief_channel_get_stats(ch, &s), CHIEF_OK);
    assert_true(s.sent == s.received + s.queued + s.dropped);
    return s;
}

static bool has_passed(run *r) {
    chief_channel_stats s = stats_of(r->in);
    return s.acknowledged + s.dropped == r->total && chief_channel_len(r->out) == 0;
}

static int64_t resident(void) {
    char line[128] = "";
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL) return 0;
    if (fgets(line, sizeof line, f) == NULL) line[0] = '\0';
    (void)fclose(f);
    const char *second = strchr(line, ' ');
    return second != NULL ? strtol(second, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
}

/* Takes what arrives until all has passed; how much the program has grown since the first fifth. */
static int64_t receive(run *r) {
    chief_msg *got[256];
    int64_t first = 0;
    int64_t deadline = chief__deadline(r->duration + support_ms(60000));
    while (!has_passed(r)) {
        size_t n;
        int rc = chief_channel_recv_many(r->out, NULL, 20, got, 256, &n);
        for (size_t i = 0; i < n; i++) {
            note(r, got[i]);
            chief_msg_free(got[i]);
        }
        if (rc != CHIEF_OK && rc != CHIEF_ETIMEDOUT) fail_msg("recv: %s", chief_last_error());
        if (first == 0 && r->n_arrived > r->total / 5) first = resident();
        if (chief__now_ms() >= deadline) fail_msg("%zu of %zu arrived in time", r->n_arrived, r->total);
    }
    return resident() - first;
}

/* ---- all of it ---- */

static chief_channel *channel(const char *name, int32_t delivery) {
    chief_channel *ch;
    chief_channel_options o = {.size = sizeof o, .delivery = delivery, .max_deliveries = CHIEF_ZERO, .capacity = 256};
    assert_int_equal(chief_add_channel(t.c, name, &o), CHIEF_OK);
    assert_int_equal(chief_get_channel(t.c, name, &ch), CHIEF_OK);
    return ch;
}

static int64_t seconds(void) {
    const char *given = getenv("CHIEF_KILL_SECONDS");
    int64_t n = given != NULL ? strtoll(given, NULL, 10) : 2;
    return n > 0 ? n : 2;
}

static void pass_through(run *r, int32_t delivery, const char *probe) {
    const char *argv[] = {CHIEF_TEST_PROBER};
    const chief_process how = {.size = sizeof how, .argv = argv, .n_argv = 1};
    const chief_restart restart = {
        .size = sizeof restart, .policy = CHIEF_RESTART_ON_FAILURE, .delay = CHIEF_ZERO, .jitter = -1};
    const chief_worker_options o = {
        .size = sizeof o, .args = {probe, strlen(probe)}, .restart = &restart, .start_timeout = support_ms(30000)};
    const chief_options options = {.size = sizeof options, .event_capacity = 16, .event_level = CHIEF_OFF};
    chief__thread killer;
    chief__thread sender;
    memset(r, 0, sizeof *r);
    r->duration = 1000 * seconds();
    r->total = (size_t)(seconds() * PER_SECOND);
    r->arrived = calloc(r->total, 1);
    assert_non_null(r->arrived);
    atomic_store(&newest, 0);
    troupe_begin(&t, &options);
    assert_int_equal(chief_log_set_level(t.log, CHIEF_OFF), CHIEF_OK);
    r->in = channel("in", delivery);
    r->out = channel("out", CHIEF_AT_LEAST_ONCE);
    assert_int_equal(chief_add_process(t.c, "relay", &how, &o), CHIEF_OK);
    troupe_start(&t);
    support_thread(&sender, send_main, r);
    support_thread(&killer, kill_main, r);
    int64_t grown = receive(r);
    atomic_store(&r->over, true);
    chief__thread_join(&sender);
    chief__thread_join(&killer);
    print_message("%zu messages, %zu arrived, %zu again, %zu dropped, %zu kills, %lld KiB more\n", r->total,
                  r->n_arrived, r->repeated, (size_t)stats_of(r->in).dropped, r->kills, (long long)grown / 1024);
    if (getenv("CHIEF_TEST_SLOW") == NULL) assert_true(grown < GROWTH);
    /* 1,000 in a minute; in passing, on a machine that is busy with other tests, fewer are enough */
    int64_t every = getenv("CHIEF_KILL_SECONDS") != NULL ? 60 : 250;
    assert_true((int64_t)r->kills * support_ms(every) >= r->duration);
}

static void end(run *r) {
    chief_channel_unref(r->in);
    chief_channel_unref(r->out);
    troupe_stop(&t);
    troupe_end(&t);
    free(r->arrived);
}

static void test_process_kills__at_least_once_every_number_arrives(void **state) {
    (void)state;
    run r;
    pass_through(&r, CHIEF_AT_LEAST_ONCE, "relay_many");
    assert_int_equal(stats_of(r.in).dropped, 0);
    assert_int_equal(r.n_arrived, r.total);
    end(&r);
}

/* What was passed on already when its bearer was killed has arrived and counts as dropped, too: one for each kill at most. */
static void test_process_kills__at_most_once_what_is_missing_was_dropped(void **state) {
    (void)state;
    run r;
    pass_through(&r, CHIEF_AT_MOST_ONCE, "relay_one");
    chief_channel_stats s = stats_of(r.in);
    assert_int_equal(s.acknowledged + s.dropped, r.total);
    assert_int_equal(r.repeated, 0);
    assert_true(r.n_arrived + s.dropped >= r.total);
    assert_true(r.n_arrived + s.dropped <= r.total + r.kills);
    assert_true(s.dropped <= r.kills);
    end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process_kills__at_least_once_every_number_arrives),
        cmocka_unit_test(test_process_kills__at_most_once_what_is_missing_was_dropped),
    };
    return cmocka_run_group_tests_name("process_kills", tests, NULL, NULL);
}
