/* Clocks, locks, threads, parking and descriptors. */
#include <errno.h>

#include "support.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static bool readable(int fd, int wait_ms) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, wait_ms) == 1;
}

static void test_plat__deadlines(void **state) {
    (void)state;
    int64_t now = chief__now_ms();
    assert_int_equal(chief__deadline(-1), INT64_MAX);
    assert_int_equal(chief__deadline(INT64_MIN), INT64_MAX);
    assert_int_equal(chief__deadline(INT64_MAX), INT64_MAX);
    assert_true(chief__deadline(1000) >= now + 1000);
    assert_true(chief__deadline(0) >= now);
}

static void test_plat__clocks_go_on(void **state) {
    (void)state;
    int64_t now = chief__now_ms();
    chief__pause_ms(5);
    assert_true(chief__now_ms() >= now + 5);
    assert_true(chief__wall_ms() > INT64_C(1500000000000));
}

static void test_plat__a_wait_ends_at_its_deadline(void **state) {
    (void)state;
    chief__mutex m;
    chief__cond c;
    chief__mutex_init(&m);
    chief__cond_init(&c);
    int64_t deadline = chief__deadline(20);
    chief__lock(&m);
    while (chief__cond_wait(&c, &m, deadline)) continue; /* spuriously woken */
    chief__unlock(&m);
    assert_true(chief__now_ms() >= deadline);
    chief__cond_fini(&c);
    chief__mutex_fini(&m);
}

/* ---- threads ---- */

static void thread_mask(void *data) { (void)pthread_sigmask(SIG_BLOCK, NULL, data); }

static void test_plat__threads_block_sigpipe_and_no_more_than_that(void **state) {
    (void)state;
    sigset_t mask;
    chief__thread thread;
    support_thread(&thread, thread_mask, &mask);
    chief__thread_join(&thread);
    assert_int_equal(sigismember(&mask, SIGPIPE), 1);
    assert_int_equal(sigismember(&mask, SIGTSTP), 1);
    assert_int_equal(sigismember(&mask, SIGTERM), 0);
    assert_int_equal(sigismember(&mask, SIGCHLD), 0);
    (void)pthread_sigmask(SIG_BLOCK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGPIPE), 0);
}

static void pass_gate(void *data) { (void)support_gate_pass(data); }

static bool has_ended(void *data) { return chief__thread_try_join(data); }

static void test_plat__try_join_never_waits(void **state) {
    (void)state;
    support_gate gate;
    chief__thread thread;
    support_gate_init(&gate);
    support_thread(&thread, pass_gate, &gate);
    assert_false(chief__thread_try_join(&thread));
    support_gate_open(&gate);
    assert_true(support_until(has_ended, &thread, 5000));
    support_gate_fini(&gate);
}

static int start_a_thread(void) {
    static support_gate gate;
    chief__thread thread;
    support_gate_init(&gate);
    support_gate_open(&gate);
    int rc = chief__thread_start(&thread, pass_gate, &gate, 0, "a name that is longer than the system's");
    if (rc == CHIEF_OK) chief__thread_join(&thread);
    support_gate_fini(&gate);
    return rc;
}

static void test_plat__no_memory_for_a_thread(void **state) {
    (void)state;
    assert_int_equal(support_out_of_memory(start_a_thread), 1);
}

static void test_plat__no_thread_to_be_had(void **state) {
    (void)state;
    chief__thread thread;
    int rc = chief__thread_start(&thread, pass_gate, NULL, SIZE_MAX / 4, "huge");
    assert_int_equal(rc, CHIEF_ESYS);
    support_says("a thread for huge could not be created: ");
}

/* ---- locks ---- */

enum { CROWD = 4 };

struct tally {
    chief__mutex lock;
    chief__cond changed;
    int left; /* under lock, as the next */
    long n;
};

static void count_up(void *data) {
    struct tally *tally = data;
    for (int i = 0; i < 20000; i++) {
        chief__lock(&tally->lock);
        tally->n++;
        chief__unlock(&tally->lock);
    }
    chief__lock(&tally->lock);
    tally->left--;
    chief__cond_wake_all(&tally->changed);
    chief__unlock(&tally->lock);
}

static void test_plat__waiting_leaves_errno_alone(void **state) {
    chief__mutex lock;
    chief__cond changed;
    (void)state;
    chief__mutex_init(&lock);
    chief__cond_init(&changed);
    chief__lock(&lock);
    errno = EBADF;
    assert_false(chief__cond_wait(&changed, &lock, chief__now_ms()));
    assert_int_equal(errno, EBADF);
    chief__unlock(&lock);
    chief__cond_fini(&changed);
    chief__mutex_fini(&lock);
}

static void test_plat__a_lock_lets_one_in_at_a_time(void **state) {
    (void)state;
    struct tally tally = {.left = CROWD};
    chief__thread threads[CROWD];
    for (int i = 0; i < CROWD; i++) support_thread(&threads[i], count_up, &tally);
    chief__lock(&tally.lock);
    while (tally.left > 0)
        assert_true(chief__cond_wait(&tally.changed, &tally.lock, chief__deadline(support_ms(10000))));
    assert_int_equal(tally.n, CROWD * 20000L);
    chief__unlock(&tally.lock);
    for (int i = 0; i < CROWD; i++) chief__thread_join(&threads[i]);
    chief__cond_fini(&tally.changed);
    chief__mutex_fini(&tally.lock);
}

/* ---- parking ---- */

static void test_plat__an_early_unpark_is_kept(void **state) {
    (void)state;
    chief__parker p = {0};
    chief__unpark(&p);
    chief__unpark(&p);
    assert_true(chief__park(&p, INT64_MAX));
    assert_false(chief__park(&p, chief__deadline(1)));
}

struct pair {
    chief__parker ping, pong;
    int rounds;
};

static void answer(void *data) {
    struct pair *pair = data;
    for (int i = 0; i < pair->rounds; i++) {
        (void)chief__park(&pair->ping, INT64_MAX);
        chief__unpark(&pair->pong);
    }
}

static void test_plat__who_waits_in_vain_stops_spinning(void **state) {
    (void)state;
    chief__parker p = {0};
    for (int i = 0; i < 20; i++) assert_false(chief__park(&p, chief__now_ms()));
    uint32_t misses = p.misses;
    assert_true(chief__cores() == 1 || misses >= 4);
    chief__unpark(&p);
    assert_true(chief__park(&p, INT64_MAX));
    assert_int_equal(p.misses, misses); /* a token that is there says nothing of how long others take */
}

static int looks;

static bool never(const void *what) {
    (void)what;
    looks++;
    return false;
}

static bool now(const void *what) {
    (void)what;
    return true;
}

static bool spins(chief__parker *p) {
    looks = 0;
    assert_false(chief__spin(p, never, NULL));
    return looks > 0;
}

static int times_in_a_row(chief__parker *p, bool spun) {
    int n = 0;
    while (spins(p) == spun) assert_true(++n < 10000);
    return n + 1; /* with the one that was different, which is the first of the next row */
}

static void test_plat__spinning_is_tried_again_after_many_waits(void **state) {
    (void)state;
    chief__parker p = {0};
    if (chief__cores() == 1) skip();
    assert_in_range(times_in_a_row(&p, true), 2, 16);
    for (int i = 0; i < 3; i++) {
        assert_in_range(times_in_a_row(&p, false), 100, 1000);
        assert_false(spins(&p));
    }
    int waits = 0;
    while (!chief__spin(&p, now, NULL)) assert_true(++waits < 1000);
    assert_true(waits > 100);
    assert_int_equal(p.misses, 0);
}

static void test_plat__after_a_few_naps_it_is_tried_for_longer(void **state) {
    (void)state;
    chief__parker p = {0};
    if (chief__cores() == 1) skip();
    assert_in_range(times_in_a_row(&p, true), 2, 16);
    p.naps = 4;
    assert_in_range(times_in_a_row(&p, true), 4, 16);
    assert_in_range(times_in_a_row(&p, false), 100, 1000);
    assert_true(spins(&p)); /* once in a while again, as long as it sleeps for moments only */
    assert_true(chief__spin(&p, now, NULL));
    assert_int_equal(p.misses, 0);
}

static void test_plat__no_wake_up_is_lost(void **state) {
    (void)state;
    struct pair pair = {.rounds = 2000};
    chief__thread thread;
    support_thread(&thread, answer, &pair);
    for (int i = 0; i < pair.rounds; i++) {
        chief__unpark(&pair.ping);
        assert_true(chief__park(&pair.pong, chief__deadline(support_ms(10000))));
    }
    chief__thread_join(&thread);
}

/* ---- descriptors ---- */

static void test_plat__a_descriptor_is_readable_while_set(void **state) {
    (void)state;
    int fd = chief__fd_new();
    assert_true(fd >= 0);
    assert_false(readable(fd, 0));
    chief__fd_clear(fd);
    chief__fd_set(fd);
    chief__fd_set(fd);
    assert_true(readable(fd, 0));
    chief__fd_clear(fd);
    assert_false(readable(fd, 0));
    chief__fd_close(fd);
    chief__fd_close(-1);
}

static void test_plat__a_timer_descriptor_fires(void **state) {
    (void)state;
    int later = chief__timerfd_new(INT64_MAX);
    int soon = chief__timerfd_new(chief__deadline(5));
    int past = chief__timerfd_new(0);
    assert_false(readable(later, 0));
    assert_true(readable(past, (int)support_ms(1000)));
    assert_true(readable(soon, (int)support_ms(1000)));
    chief__timerfd_fire(later);
    assert_true(readable(later, (int)support_ms(1000)));
    chief__fd_close(later);
    chief__fd_close(soon);
    chief__fd_close(past);
}

static void test_plat__all_is_written(void **state) {
    (void)state;
    int ends[2];
    char got[8] = "";
    assert_int_equal(pipe(ends), 0);
    chief__write(ends[1], "seven b", 7);
    assert_int_equal(read(ends[0], got, sizeof got), 7);
    assert_string_equal(got, "seven b");
    chief__write(-1, "nowhere", 7);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void test_plat__random_bytes(void **state) {
    (void)state;
    uint64_t a = 0;
    uint64_t b = 0;
    assert_true(chief__random(&a, sizeof a));
    assert_true(chief__random(&b, sizeof b));
    assert_true(a != b);
}

static void test_plat__a_forked_child_knows_it(void **state) {
    (void)state;
    assert_false(chief__forked());
    pid_t child = fork();
    if (child == 0) _exit(chief__forked() ? 42 : 0);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
    assert_false(chief__forked());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plat__deadlines),
        cmocka_unit_test(test_plat__clocks_go_on),
        cmocka_unit_test(test_plat__a_wait_ends_at_its_deadline),
        cmocka_unit_test(test_plat__threads_block_sigpipe_and_no_more_than_that),
        cmocka_unit_test(test_plat__try_join_never_waits),
        cmocka_unit_test(test_plat__no_memory_for_a_thread),
        cmocka_unit_test(test_plat__no_thread_to_be_had),
        cmocka_unit_test(test_plat__waiting_leaves_errno_alone),
        cmocka_unit_test(test_plat__a_lock_lets_one_in_at_a_time),
        cmocka_unit_test(test_plat__an_early_unpark_is_kept),
        cmocka_unit_test(test_plat__who_waits_in_vain_stops_spinning),
        cmocka_unit_test(test_plat__spinning_is_tried_again_after_many_waits),
        cmocka_unit_test(test_plat__after_a_few_naps_it_is_tried_for_longer),
        cmocka_unit_test(test_plat__no_wake_up_is_lost),
        cmocka_unit_test(test_plat__a_descriptor_is_readable_while_set),
        cmocka_unit_test(test_plat__a_timer_descriptor_fires),
        cmocka_unit_test(test_plat__all_is_written),
        cmocka_unit_test(test_plat__random_bytes),
        cmocka_unit_test(test_plat__a_forked_child_knows_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
