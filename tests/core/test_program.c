/* Where the programs are that belong to the library. */
#include "support.h"

#include <unistd.h>

static void test_program__it_is_found_beside_the_library(void **state) {
    (void)state;
    char path[4096];
    (void)unsetenv("CHIEF_WORKER");
    assert_int_equal(chief_find_program("chief-worker", path, sizeof path), CHIEF_OK);
    assert_non_null(strstr(path, "/libexec/chief/chief-worker"));
    assert_int_equal(access(path, X_OK), 0);
}

static void test_program__the_environment_goes_first(void **state) {
    (void)state;
    char path[64];
    (void)setenv("CHIEF_LUA_WORKER", "/opt/worker", 1);
    assert_int_equal(chief_find_program("chief-lua-worker", path, sizeof path), CHIEF_OK);
    assert_string_equal(path, "/opt/worker");
    (void)setenv("CHIEF_LUA_WORKER", "", 1);
    (void)setenv("NO_SUCH", "/opt/other", 1);
    assert_int_equal(chief_find_program("no-such", path, sizeof path), CHIEF_OK);
    assert_string_equal(path, "/opt/other");
    assert_int_equal(chief_find_program("no-such", path, 5), CHIEF_ETOOBIG);
    (void)unsetenv("NO_SUCH");
    (void)unsetenv("CHIEF_LUA_WORKER");
}

static void test_program__one_that_is_not_there_is_said(void **state) {
    (void)state;
    char path[4096];
    (void)memset(path, 'x', sizeof path);
    assert_int_equal(chief_find_program("no-such", path, sizeof path), CHIEF_ENOENT);
    assert_string_equal(path, "");
    support_says("no-such is not in a folder libexec/chief/ beside or above /");
    assert_int_equal(chief_find_program(NULL, path, sizeof path), CHIEF_EINVAL);
    assert_int_equal(chief_find_program("x", NULL, 0), CHIEF_EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_program__it_is_found_beside_the_library),
        cmocka_unit_test(test_program__the_environment_goes_first),
        cmocka_unit_test(test_program__one_that_is_not_there_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
