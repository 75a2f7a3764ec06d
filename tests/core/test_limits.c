/* What a child process sets for itself. Each is tried in a forked child, which answers by its exit code. */
#include "support.h"

#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "limits.h"

#define REFUSED 99

static chief_process limits_of(void) { return (chief_process){.size = sizeof(chief_process)}; }

/* Sets the limits in a child and asks there; its answer. */
static int ask_with(const chief_process *how, int (*ask)(void)) {
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) _exit(chief__limits_apply(how) == CHIEF_OK ? ask() : REFUSED);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* The text of a refusal in the child, cut to `size`; its code. */
static int refusal_of(const chief_process *how, uid_t as, char *text, size_t size) {
    int fds[2];
    int status = 0;
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (as != 0 && (setgid((gid_t)as) != 0 || setuid(as) != 0)) _exit(1);
        int rc = chief__limits_apply(how);
        chief__write(fds[1], chief_last_error(), strlen(chief_last_error()));
        _exit(rc == CHIEF_OK ? 0 : -rc - 1000);
    }
    (void)close(fds[1]);
    ssize_t n = read(fds[0], text, size - 1);
    text[n > 0 ? n : 0] = '\0';
    (void)close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return -WEXITSTATUS(status) - 1000;
}

#define IS(which, value) (getrlimit(which, &limit) == 0 && limit.rlim_cur == (value))

static int all_resources(void) {
    struct rlimit limit;
    if (!IS(RLIMIT_AS, 1 << 30)) return 1;
    if (!IS(RLIMIT_CPU, 7)) return 2;
    if (!support_under_valgrind() && !IS(RLIMIT_NOFILE, 33)) return 3;
    if (!IS(RLIMIT_FSIZE, 4096)) return 4;
    if (!IS(RLIMIT_NPROC, 50)) return 5;
    return IS(RLIMIT_CORE, 0) ? 0 : 6;
}

static void test_limits__resources(void **state) {
    (void)state;
    chief_process how = limits_of();
    how.memory = 1 << 30;
    how.cpu = 7;
    how.files = support_under_valgrind() ? 0 : 33;
    how.file_size = 4096;
    how.processes = 50;
    how.core = CHIEF_ZERO;
    assert_int_equal(ask_with(&how, all_resources), 0);
}

static struct rlimit files_before;

static int nothing_changed(void) {
    struct rlimit now;
    mode_t mask = umask(0);
    (void)umask(mask);
    return getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == files_before.rlim_cur && mask == 027 ? 0 : 1;
}

static void test_limits__zero_leaves_things_as_they_are(void **state) {
    (void)state;
    chief_process how = limits_of();
    mode_t mask = umask(027);
    (void)getrlimit(RLIMIT_NOFILE, &files_before);
    int answer = ask_with(&how, nothing_changed);
    (void)umask(mask);
    assert_int_equal(answer, 0);
}

static int current_umask(void) { return (int)umask(0) & 0xFF; }

static void test_limits__umask(void **state) {
    (void)state;
    chief_process how = limits_of();
    how.umask = 077;
    assert_int_equal(ask_with(&how, current_umask), 077);
    how.umask = CHIEF_ZERO;
    assert_int_equal(ask_with(&how, current_umask), 0);
}

static int is_in_tmp(void) {
    char path[64];
    return getcwd(path, sizeof path) != NULL && strcmp(path, "/tmp") == 0 ? 0 : 1;
}

static void test_limits__folder(void **state) {
    (void)state;
    char text[256];
    chief_process how = limits_of();
    how.cwd = "/tmp";
    assert_int_equal(ask_with(&how, is_in_tmp), 0);
    how.cwd = "/no/such/folder";
    assert_int_equal(refusal_of(&how, 0, text, sizeof text), CHIEF_ESYS);
    assert_string_equal(text, "can't go to the folder /no/such/folder: No such file or directory");
}

static uid_t nobody;
static gid_t nobodys_group;

static int is_nobody(void) {
    gid_t groups[8];
    int n = getgroups(8, groups);
    if (getuid() != nobody || geteuid() != nobody || getgid() != nobodys_group || getegid() != nobodys_group) return 1;
    for (int i = 0; i < n; i++)
        if (groups[i] != nobodys_group) return 2;
    return setuid(0) == 0 ? 3 : 0;
}

static bool find_nobody(void) {
    const struct passwd *entry = getpwnam("nobody");
    if (geteuid() != 0 || entry == NULL) return false;
    nobody = entry->pw_uid;
    nobodys_group = entry->pw_gid;
    return true;
}

static int has_group_4(void) { return getgid() == 4 && getuid() == nobody ? 0 : 1; }

static void test_limits__user_and_group(void **state) {
    (void)state;
    char number[24];
    chief_process how = limits_of();
    if (!find_nobody()) skip();
    how.user = "nobody";
    assert_int_equal(ask_with(&how, is_nobody), 0);
    (void)snprintf(number, sizeof number, "%lu", (unsigned long)nobody);
    how.user = number;
    assert_int_equal(ask_with(&how, is_nobody), 0);
    how.group = "4";
    assert_int_equal(ask_with(&how, has_group_4), 0);
}

static void test_limits__who_does_not_exist_is_refused(void **state) {
    (void)state;
    chief_process how = limits_of();
    how.user = "no-such-user";
    assert_int_equal(chief__limits_check(&how, "resizer"), CHIEF_ENOENT);
    support_says("worker resizer: there is no user \"no-such-user\"");
    how.user = NULL;
    how.group = "no-such-group";
    assert_int_equal(chief__limits_check(&how, "resizer"), CHIEF_ENOENT);
    support_says("worker resizer: there is no group \"no-such-group\"");
    how.group = "4294967295"; /* the kernel's «none» is no number of a group */
    assert_int_equal(chief__limits_check(&how, "resizer"), CHIEF_ENOENT);
}

static void test_limits__only_root_becomes_another(void **state) {
    (void)state;
    char text[256];
    chief_process how = limits_of();
    if (!find_nobody()) skip();
    how.user = "root";
    assert_int_equal(refusal_of(&how, nobody, text, sizeof text), CHIEF_EINVAL);
    assert_string_equal(text, "user = \"root\" needs a chief that runs as root");
    how.user = "nobody"; /* what it is already */
    how.group = NULL;
    how.cpu = 20;
    assert_int_equal(refusal_of(&how, nobody, text, sizeof text), nobody == nobodys_group ? -1000 : CHIEF_EINVAL);
}

static void test_limits__a_limit_above_the_chiefs_is_said(void **state) {
    (void)state;
    char text[256];
    chief_process how = limits_of();
    if (!find_nobody()) skip();
    struct rlimit low = {.rlim_cur = 4096, .rlim_max = 4096};
    how.file_size = 8192;
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        if (setrlimit(RLIMIT_FSIZE, &low) != 0 || setgid(nobodys_group) != 0 || setuid(nobody) != 0) _exit(1);
        int rc = chief__limits_apply(&how);
        (void)chief_last_error_take(text, sizeof text);
        _exit(rc == CHIEF_ESYS && strstr(text, "file_size can't be limited to 8192: the limit of the chief") != NULL
                  ? 0
                  : 2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void assert_wrong(const chief_process *how, const char *text) {
    assert_int_equal(chief__limits_check(how, "w"), CHIEF_EINVAL);
    support_says(text);
}

static void test_limits__numbers_that_are_none(void **state) {
    (void)state;
    chief_process how = limits_of();
    how.memory = -1;
    assert_wrong(&how, "worker w: memory can't be negative");
    how = limits_of();
    how.cpu = -5;
    assert_wrong(&how, "worker w: cpu can't be negative");
    how = limits_of();
    how.umask = 01000;
    assert_wrong(&how, "worker w: umask should be from 0 to 0777 (octal), got 01000");
    how = limits_of();
    assert_int_equal(chief__limits_check(&how, "w"), CHIEF_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits__resources),
        cmocka_unit_test(test_limits__zero_leaves_things_as_they_are),
        cmocka_unit_test(test_limits__umask),
        cmocka_unit_test(test_limits__folder),
        cmocka_unit_test(test_limits__user_and_group),
        cmocka_unit_test(test_limits__who_does_not_exist_is_refused),
        cmocka_unit_test(test_limits__only_root_becomes_another),
        cmocka_unit_test(test_limits__a_limit_above_the_chiefs_is_said),
        cmocka_unit_test(test_limits__numbers_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
