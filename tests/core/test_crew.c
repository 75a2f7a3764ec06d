/* Threads that are used again. */
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support.h"

#include "crew.h"
#include "err.h"

typedef struct job {
    chief__mate *mate;
    support_gate *wait; /* NULL: it ends at once */
    support_gate began;
    long tid;
    char name[16];
    sigset_t mask;
    char error[64];
    bool changes;
} job;

static void work(void *arg) {
    job *j = arg;
    j->tid = (long)syscall(SYS_gettid);
    (void)pthread_getname_np(pthread_self(), j->name, sizeof j->name);
    (void)pthread_sigmask(SIG_BLOCK, NULL, &j->mask);
    (void)strncpy(j->error, chief_last_error(), sizeof j->error - 1);
    if (j->changes) {
        sigset_t all;
        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, NULL);
        (void)chief_set_last_error(CHIEF_EINVAL, "of the one before");
    }
    support_gate_open(&j->began);
    if (j->wait != NULL) support_gate_pass(j->wait);
}

static void begin(chief__crew *crew, job *j, const char *name) {
    support_gate_init(&j->began);
    assert_int_equal(chief__crew_start(&j->mate, crew, work, j, name), CHIEF_OK);
}

static bool has_ended(void *data) { return chief__crew_try_end(data); }

static void end(job *j) { assert_true(support_until(has_ended, j->mate, 10000)); }

static void test_crew__a_thread_is_used_again(void **state) {
    (void)state;
    chief__crew *crew;
    job first = {.wait = NULL}, second = {.wait = NULL};
    assert_int_equal(chief__crew_new(&crew, 512 * 1024), CHIEF_OK);
    begin(crew, &first, "first");
    end(&first);
    begin(crew, &second, "a name that is far too long");
    end(&second);
    assert_int_equal(first.tid, second.tid);
    assert_string_equal(first.name, "first");
    assert_string_equal(second.name, "a name that is ");
    chief__crew_close(crew);
}

static void test_crew__nothing_of_the_job_before_is_left_in_it(void **state) {
    (void)state;
    chief__crew *crew;
    job first = {.changes = true}, second = {.wait = NULL};
    assert_int_equal(chief__crew_new(&crew, 0), CHIEF_OK);
    begin(crew, &first, "first");
    end(&first);
    begin(crew, &second, "second");
    end(&second);
    assert_int_equal(first.tid, second.tid);
    assert_int_equal(sigismember(&second.mask, SIGPIPE), 1);
    assert_int_equal(sigismember(&second.mask, SIGTERM), 0);
    assert_string_equal(second.error, "");
    chief__crew_close(crew);
}

enum { MANY = CHIEF__CREW_IDLE + 4 };

static job jobs[MANY];

static bool those_too_many_are_gone(void *data) {
    int gone = 0;
    (void)data;
    for (int i = 0; i < MANY; i++) gone += syscall(SYS_tgkill, getpid(), jobs[i].tid, 0) != 0;
    return gone == MANY - CHIEF__CREW_IDLE;
}

static void test_crew__jobs_at_once_have_threads_of_their_own(void **state) {
    (void)state;
    chief__crew *crew;
    support_gate gate;
    support_gate_init(&gate);
    assert_int_equal(chief__crew_new(&crew, 512 * 1024), CHIEF_OK);
    for (int i = 0; i < MANY; i++) {
        jobs[i] = (job){.wait = &gate};
        begin(crew, &jobs[i], "one of many");
        support_gate_pass(&jobs[i].began);
        assert_false(chief__crew_try_end(jobs[i].mate));
        for (int k = 0; k < i; k++) assert_int_not_equal(jobs[i].tid, jobs[k].tid);
    }
    support_gate_open(&gate);
    assert_true(support_until(those_too_many_are_gone, NULL, 10000)); /* before anybody has asked */
    for (int i = 0; i < MANY; i++) end(&jobs[i]);
    chief__crew_close(crew);
}

static void test_crew__who_was_let_go_outlives_the_crew(void **state) {
    (void)state;
    chief__crew *crew;
    static support_gate gate; /* both are looked at by a thread that ends when it likes */
    static job stuck;
    stuck = (job){.wait = &gate};
    support_gate_init(&gate);
    assert_int_equal(chief__crew_new(&crew, 0), CHIEF_OK);
    begin(crew, &stuck, "stuck");
    support_gate_pass(&stuck.began);
    chief__crew_let_go(stuck.mate);
    chief__crew_close(crew);
    support_gate_open(&gate);
}

static void test_crew__who_was_let_go_after_its_end_is_used_again(void **state) {
    (void)state;
    chief__crew *crew;
    job first = {.wait = NULL}, second = {.wait = NULL};
    assert_int_equal(chief__crew_new(&crew, 0), CHIEF_OK);
    begin(crew, &first, "first");
    support_gate_pass(&first.began);
    chief__crew_let_go(first.mate);
    begin(crew, &second, "second");
    end(&second);
    chief__crew_close(crew);
    chief__crew_close(NULL);
}

static int use_a_crew(void) {
    chief__crew *crew;
    static job j;
    j = (job){.wait = NULL};
    support_gate_init(&j.began);
    int rc = chief__crew_new(&crew, 0);
    if (rc != CHIEF_OK) return rc;
    rc = chief__crew_start(&j.mate, crew, work, &j, "job");
    if (rc == CHIEF_OK) end(&j);
    else assert_null(j.mate);
    chief__crew_close(crew);
    return rc;
}

static void test_crew__without_memory_there_is_none(void **state) {
    (void)state;
    assert_true(support_out_of_memory(use_a_crew) >= 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crew__a_thread_is_used_again),
        cmocka_unit_test(test_crew__nothing_of_the_job_before_is_left_in_it),
        cmocka_unit_test(test_crew__jobs_at_once_have_threads_of_their_own),
        cmocka_unit_test(test_crew__who_was_let_go_after_its_end_is_used_again),
        cmocka_unit_test(test_crew__without_memory_there_is_none),
        cmocka_unit_test(
            test_crew__who_was_let_go_outlives_the_crew), /* the last: its thread ends at some time after it */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
