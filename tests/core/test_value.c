/* Values as contexts and boxes copy them. */
#include "support.h"

#include "value.h"

static int destroyed;

static void count(void *data) {
    (void)data;
    destroyed++;
}

static void test_value__bytes_are_copied(void **state) {
    (void)state;
    char text[] = "abc";
    chief_value given = {.type = CHIEF_BYTES, .bytes = {text, 3}};
    chief_value got;
    chief__box *box;
    assert_int_equal(chief__box_new(&box, &given), CHIEF_OK);
    memset(text, 'x', 3);
    chief__box_get(box, &got);
    chief__box_unref(box);
    assert_int_equal(got.bytes.len, 3);
    assert_string_equal((const char *)got.bytes.data, "abc");
    chief_value_clear(&got);
    assert_int_equal(got.type, CHIEF_NIL);
    assert_null(got.owner);
}

static void test_value__a_pointer_is_destroyed_once_by_its_last_holder(void **state) {
    (void)state;
    destroyed = 0;
    chief_value given = {.type = CHIEF_POINTER, .pointer = &destroyed, .destroy = count};
    chief_value first, second;
    chief__box *box;
    assert_int_equal(chief__box_new(&box, &given), CHIEF_OK);
    chief__box_get(box, &first);
    chief__box_get(box, &second);
    chief__box_unref(box);
    chief_value_clear(&first);
    assert_int_equal(destroyed, 0);
    assert_ptr_equal(second.pointer, &destroyed);
    chief_value_clear(&second);
    chief_value_clear(&second);
    assert_int_equal(destroyed, 1);
}

static void test_value__one_got_from_the_library_is_shared_when_given_back(void **state) {
    (void)state;
    destroyed = 0;
    chief_value given = {.type = CHIEF_POINTER, .pointer = &destroyed, .destroy = count};
    chief_value got;
    chief__box *box, *again;
    assert_int_equal(chief__box_new(&box, &given), CHIEF_OK);
    chief__box_get(box, &got);
    assert_int_equal(chief__box_new(&again, &got), CHIEF_OK);
    chief_value_clear(&got);
    chief__box_unref(box);
    assert_int_equal(destroyed, 0);
    chief__box_unref(again);
    assert_int_equal(destroyed, 1);
}

static void test_value__clearing_a_callers_own_destroys_nothing(void **state) {
    (void)state;
    destroyed = 0;
    chief_value mine = {.type = CHIEF_POINTER, .pointer = &destroyed, .destroy = count};
    chief_value_clear(&mine);
    chief_value_clear(NULL);
    assert_int_equal(mine.type, CHIEF_NIL);
    assert_int_equal(destroyed, 0);
}

static void test_value__what_is_no_value_is_refused(void **state) {
    (void)state;
    chief__box *box;
    chief_value unknown = {.type = 6};
    chief_value negative = {.type = -1};
    chief_value hollow = {.type = CHIEF_BYTES, .bytes = {NULL, 1}};
    assert_int_equal(chief__box_new(&box, &unknown), CHIEF_EINVAL);
    assert_int_equal(chief__box_new(&box, &negative), CHIEF_EINVAL);
    assert_int_equal(chief__box_new(&box, &hollow), CHIEF_EINVAL);
    assert_null(box);
}

static int make_one(void) {
    chief_value given = {.type = CHIEF_POINTER, .pointer = &destroyed, .destroy = count};
    chief__box *box;
    int rc = chief__box_new(&box, &given);
    assert_int_equal(destroyed, 0);
    chief__box_unref(box);
    destroyed = 0;
    return rc;
}

static void test_value__without_memory_the_pointer_stays_the_callers(void **state) {
    (void)state;
    destroyed = 0;
    assert_int_equal(support_out_of_memory(make_one), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_value__bytes_are_copied),
        cmocka_unit_test(test_value__a_pointer_is_destroyed_once_by_its_last_holder),
        cmocka_unit_test(test_value__one_got_from_the_library_is_shared_when_given_back),
        cmocka_unit_test(test_value__clearing_a_callers_own_destroys_nothing),
        cmocka_unit_test(test_value__what_is_no_value_is_refused),
        cmocka_unit_test(test_value__without_memory_the_pointer_stays_the_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
