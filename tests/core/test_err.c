/* Codes, their words, the thread's last error, and how options are read. */
#include "support.h"

#include "err.h"

static const struct {
    int code;
    const char *word;
    const char *text;
} codes[] = {
#define CODE(name, number, word, text) {CHIEF_##name, word, text},
    CHIEF_ERROR_MAP(CODE)
#undef CODE
};

enum { N_CODES = sizeof codes / sizeof *codes };

static void test_err__every_code_has_its_own_word_and_text(void **state) {
    (void)state;
    for (size_t i = 0; i < N_CODES; i++) {
        assert_true(codes[i].code <= -1001);
        assert_string_equal(chief_strerror(codes[i].code), codes[i].text);
        assert_string_equal(chief_error_code(codes[i].code), codes[i].word);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(codes[i].code, codes[j].code);
            assert_string_not_equal(codes[i].word, codes[j].word);
        }
    }
}

/* The numbers are permanent: one that moves breaks every program that was built before. */
static void test_err__numbers_stay(void **state) {
    (void)state;
    assert_int_equal(CHIEF_EINVAL, -1001);
    assert_int_equal(CHIEF_ENOMEM, -1002);
    assert_int_equal(CHIEF_ENOENT, -1003);
    assert_int_equal(CHIEF_ENOTINIT, -1007);
    assert_int_equal(CHIEF_ETIMEDOUT, -1008);
    assert_int_equal(CHIEF_EENABLE, -1023);
}

static void test_err__what_is_no_code(void **state) {
    (void)state;
    assert_string_equal(chief_strerror(CHIEF_OK), "ok");
    assert_string_equal(chief_error_code(CHIEF_OK), "ok");
    assert_string_equal(chief_error_code(CHIEF_WORKER_WRONG_STATE_CHANGE), "wrong_state_change");
    assert_string_equal(chief_strerror(7), "unknown error");
    assert_string_equal(chief_error_code(INT32_MIN), "unknown");
}

static void test_err__the_text_is_taken_once(void **state) {
    (void)state;
    char small[5];
    assert_int_equal(chief__fail(CHIEF_EBUSY, "worker %s is in use", "a"), CHIEF_EBUSY);
    assert_string_equal(chief_last_error(), "worker a is in use");
    assert_int_equal(chief_last_error_take(small, sizeof small), strlen("worker a is in use"));
    assert_string_equal(small, "work");
    assert_string_equal(chief_last_error(), "");
    assert_int_equal(chief_last_error_take(NULL, 0), 0);
}

static void test_err__a_text_may_hold_the_old_one(void **state) {
    (void)state;
    (void)chief__fail(CHIEF_EINVAL, "inner");
    (void)chief__fail(CHIEF_EINVAL, "outer: %s", chief_last_error());
    assert_string_equal(chief_last_error(), "outer: inner");
}

static void test_err__a_binding_sets_its_own(void **state) {
    (void)state;
    assert_int_equal(chief_set_last_error(CHIEF_EDATA, "100% broken"), CHIEF_EDATA);
    assert_string_equal(chief_last_error(), "100% broken");
    assert_int_equal(chief_set_last_error(CHIEF_EDATA, NULL), CHIEF_EDATA);
    assert_string_equal(chief_last_error(), "malformed data");
}

static void test_err__a_long_text_is_cut(void **state) {
    (void)state;
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    (void)chief__fail(CHIEF_EINVAL, "%s", text);
    assert_true(strlen(chief_last_error()) < sizeof text);
    assert_true(strlen(chief_last_error()) > 500);
}

static void other_thread(void *data) {
    *(bool *)data = chief_last_error()[0] == '\0';
    (void)chief__fail(CHIEF_EINVAL, "of the other thread");
}

static void test_err__each_thread_has_its_own(void **state) {
    (void)state;
    bool was_empty = false;
    chief__thread thread;
    (void)chief__fail(CHIEF_EINVAL, "of this thread");
    support_thread(&thread, other_thread, &was_empty);
    chief__thread_join(&thread);
    assert_true(was_empty);
    assert_string_equal(chief_last_error(), "of this thread");
}

/* ---- options ---- */

struct old {
    uint32_t size;
    int32_t first;
};

struct new {
    uint32_t size;
    int32_t first;
    int64_t second;
};

static void test_err__options_of_an_older_caller(void **state) {
    (void)state;
    struct old given = {.size = sizeof given, .first = 3};
    struct new read;
    assert_int_equal(chief__options_read(&read, sizeof read, &given, "new"), CHIEF_OK);
    assert_int_equal(read.size, sizeof read);
    assert_int_equal(read.first, 3);
    assert_int_equal(read.second, 0);
}

static void test_err__options_of_a_newer_caller(void **state) {
    (void)state;
    struct new given = {.size = sizeof given, .first = 3};
    struct old read;
    assert_int_equal(chief__options_read(&read, sizeof read, &given, "old"), CHIEF_OK);
    assert_int_equal(read.first, 3);
    given.second = INT64_MIN;
    assert_int_equal(chief__options_read(&read, sizeof read, &given, "old"), CHIEF_EINVAL);
    support_says("old: has fields");
}

static void test_err__options_without_a_size(void **state) {
    (void)state;
    struct old given = {.first = 3};
    struct old read;
    assert_int_equal(chief__options_read(&read, sizeof read, &given, "old"), CHIEF_EINVAL);
    support_says("size is not set");
    assert_int_equal(chief__options_read(&read, sizeof read, NULL, "old"), CHIEF_OK);
    assert_int_equal(read.first, 0);
}

static void test_err__zero_means_default_and_ZERO_zero(void **state) {
    (void)state;
    assert_int_equal(chief__or_default(0, 45), 45);
    assert_int_equal(chief__or_default(CHIEF_ZERO, 45), 0);
    assert_int_equal(chief__or_default(7, 45), 7);
    assert_int_equal(chief__or_default(-1, 45), -1);
}

/* ---- names ---- */

static void test_err__names(void **state) {
    (void)state;
    static const char *const good[] = {"a", "A9", "_x", "9", "my-worker", "a.b_c-d"};
    static const char *const bad[] = {"", ".a", "-a", "a b", "a/1", "a\n", "\xC3\xA9", "a*"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(chief__name_check(good[i], "worker"), CHIEF_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(chief__name_check(bad[i], "worker"), CHIEF_EINVAL);
    assert_int_equal(chief__name_check(NULL, "worker"), CHIEF_EINVAL);
}

static void test_err__the_longest_name(void **state) {
    (void)state;
    char name[66];
    memset(name, 'n', sizeof name);
    name[64] = '\0';
    assert_int_equal(chief__name_check(name, "worker"), CHIEF_OK);
    name[64] = 'n';
    name[65] = '\0';
    assert_int_equal(chief__name_check(name, "worker"), CHIEF_EINVAL);
    support_says("longer than 64");
}

static void test_err__version_and_abi(void **state) {
    (void)state;
    assert_string_equal(chief_version(), CHIEF_VERSION);
    assert_int_equal(chief_abi(), CHIEF_ABI);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_err__every_code_has_its_own_word_and_text),
        cmocka_unit_test(test_err__numbers_stay),
        cmocka_unit_test(test_err__what_is_no_code),
        cmocka_unit_test(test_err__the_text_is_taken_once),
        cmocka_unit_test(test_err__a_text_may_hold_the_old_one),
        cmocka_unit_test(test_err__a_binding_sets_its_own),
        cmocka_unit_test(test_err__a_long_text_is_cut),
        cmocka_unit_test(test_err__each_thread_has_its_own),
        cmocka_unit_test(test_err__options_of_an_older_caller),
        cmocka_unit_test(test_err__options_of_a_newer_caller),
        cmocka_unit_test(test_err__options_without_a_size),
        cmocka_unit_test(test_err__zero_means_default_and_ZERO_zero),
        cmocka_unit_test(test_err__names),
        cmocka_unit_test(test_err__the_longest_name),
        cmocka_unit_test(test_err__version_and_abi),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
