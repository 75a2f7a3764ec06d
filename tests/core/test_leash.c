/* A child's tie to its chief. The chief of a test is a forked child of it, and the child one of that. */
#include "support.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "leash.h"

/* What the processes say, each with one byte; it ends when none of them lives any more. */
static int heard[2];

static void say(char what) { chief__write(heard[1], &what, 1); }

static char hear(void) {
    char what = 0;
    struct pollfd p = {.fd = heard[0], .events = POLLIN};
    if (poll(&p, 1, (int)support_ms(10000)) != 1) return '?';
    if (read(heard[0], &what, 1) != 1) what = '.';
    return what;
}

static int setup(void **state) {
    (void)state;
    return pipe(heard);
}

static int teardown(void **state) {
    (void)state;
    (void)close(heard[0]);
    return 0;
}

static void be_chief_of(const char *pid) { (void)setenv(CHIEF__PARENT_VARIABLE, pid, 1); }

static void be_chief(void) {
    char pid[24];
    (void)snprintf(pid, sizeof pid, "%ld", (long)getpid());
    be_chief_of(pid);
}

/* Forks; the parent does not hold the end that is written to. */
static pid_t begin(void (*run)(void)) {
    pid_t pid = fork();
    if (pid == 0) {
        run();
        _exit(0);
    }
    return pid;
}

static void wait_for_ever(void) {
    for (;;) (void)pause();
}

static void be_deaf(void) {
    sigset_t all;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, NULL);
    say('g');
    wait_for_ever();
}

/* Leads a group with another member that no signal but KILL reaches. */
static void be_child(void) {
    (void)setpgid(0, 0);
    if (chief__leash_tie() != CHIEF_OK) _exit(1);
    (void)begin(be_deaf);
    say('c');
    wait_for_ever();
}

static void be_chief_of_child(void) {
    be_chief();
    (void)begin(be_child);
    wait_for_ever();
}

static void test_leash__the_group_ends_with_its_chief(void **state) {
    (void)state;
    pid_t chief_pid = begin(be_chief_of_child);
    (void)close(heard[1]);
    char first = hear();
    char second = hear();
    assert_int_equal(first + second, 'c' + 'g');
    assert_int_equal(kill(chief_pid, SIGKILL), 0);
    assert_int_equal(hear(), '.');
    (void)waitpid(chief_pid, NULL, 0);
}

/* The side channel tells of the end too, where the signal is blocked. */
static void cut_by_itself(void) {
    (void)setpgid(0, 0);
    if (chief__leash_tie() != CHIEF_OK) _exit(1);
    (void)begin(be_deaf);
    chief__leash_cut();
    say('x');
}

static void test_leash__cutting_ends_the_group(void **state) {
    (void)state;
    int status = 0;
    be_chief();
    pid_t child = begin(cut_by_itself);
    (void)close(heard[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    char said = hear();
    assert_int_equal(said == 'g' ? hear() : said, '.');
}

static void cut_untied(void) {
    (void)setpgid(0, 0);
    chief__leash_cut();
    say('l');
}

static void test_leash__who_is_not_tied_is_not_cut(void **state) {
    (void)state;
    pid_t child = begin(cut_untied);
    (void)close(heard[1]);
    assert_int_equal(hear(), 'l');
    (void)waitpid(child, NULL, 0);
}

static void wait_for_term(void) {
    if (chief__leash_tie() != CHIEF_OK) _exit(1);
    say('c');
    struct pollfd p = {.fd = chief__leash_fd(), .events = POLLIN};
    while (poll(&p, 1, -1) != 1) continue;
    say('t');
}

static void test_leash__term_asks_for_a_stop(void **state) {
    (void)state;
    int status = 0;
    be_chief();
    pid_t child = begin(wait_for_term);
    (void)close(heard[1]);
    assert_int_equal(hear(), 'c');
    assert_int_equal(kill(child, SIGTERM), 0);
    assert_int_equal(hear(), 't');
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* exits with -(code + 1000) of the tie */
static void tie_only(void) { _exit(-chief__leash_tie() - 1000); }

static int tie_code(void) {
    int status = 0;
    pid_t child = begin(tie_only);
    assert_int_equal(waitpid(child, &status, 0), child);
    return -WEXITSTATUS(status) - 1000;
}

static void test_leash__without_a_chief_there_is_none(void **state) {
    (void)state;
    (void)close(heard[1]);
    (void)unsetenv(CHIEF__PARENT_VARIABLE);
    assert_int_equal(tie_code(), CHIEF_ENOTSUP);
    be_chief_of("");
    assert_int_equal(tie_code(), CHIEF_ENOTSUP);
    be_chief_of("12x");
    assert_int_equal(tie_code(), CHIEF_ENOTSUP);
}

static void test_leash__a_chief_that_is_dead_already_is_noticed(void **state) {
    (void)state;
    (void)close(heard[1]);
    be_chief_of("2147483647");
    assert_int_equal(tie_code(), CHIEF_ECLOSED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_leash__##name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_group_ends_with_its_chief), TEST(cutting_ends_the_group),
        TEST(who_is_not_tied_is_not_cut),    TEST(term_asks_for_a_stop),
        TEST(without_a_chief_there_is_none), TEST(a_chief_that_is_dead_already_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
