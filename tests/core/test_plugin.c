/* The table that plug-ins get. What becomes of their workers is in the tests of processes. */
#include "support.h"

static void test_plugin__each_member_of_its_table_is_there(void **state) {
    (void)state;
    const chief_api *api = chief_get_api();
    const unsigned char none[sizeof(void *)] = {0};
    size_t at = offsetof(chief_api, worker_name);
    assert_int_equal(api->size, sizeof *api);
    assert_int_equal(api->abi, CHIEF_ABI);
    for (; at < sizeof *api; at += sizeof none)
        if (memcmp((const char *)api + at, none, sizeof none) == 0) fail_msg("the member at %zu is NULL", at);
}

static void test_plugin__what_is_none_is_refused(void **state) {
    (void)state;
    chief_worker_ops ops;
    assert_int_equal(chief_load_plugin("/no/such.so", &ops), CHIEF_ENOENT);
    support_says("plug-in /no/such.so can't be loaded");
    assert_int_equal(chief_load_plugin(NULL, &ops), CHIEF_EINVAL);
    assert_int_equal(chief_load_plugin(CHIEF_TEST_ACTOR, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_load_plugin(CHIEF_TEST_ACTOR, &ops), CHIEF_OK);
    assert_non_null(ops.run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plugin__each_member_of_its_table_is_there),
        cmocka_unit_test(test_plugin__what_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
