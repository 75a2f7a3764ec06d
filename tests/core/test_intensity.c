/* How often within a window that slides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "intensity.h"

static void test_intensity__the_edge_of_the_window_counts(void **state) {
    (void)state;
    static const struct {
        int64_t fourth;
        bool allowed;
    } cases[] = {{4999, false}, {5000, false}, {5001, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        chief__intensity in;
        assert_int_equal(chief__intensity_init(&in, 3, 5000), CHIEF_OK);
        assert_true(chief__intensity_allows(&in, 0));
        assert_true(chief__intensity_allows(&in, 1000));
        assert_true(chief__intensity_allows(&in, 2000));
        assert_int_equal(chief__intensity_allows(&in, cases[i].fourth), cases[i].allowed);
        chief__intensity_fini(&in);
    }
}

static void test_intensity__the_window_slides(void **state) {
    (void)state;
    chief__intensity in;
    assert_int_equal(chief__intensity_init(&in, 2, 100), CHIEF_OK);
    for (int64_t now = 0; now < 10000; now += 51) assert_true(chief__intensity_allows(&in, now));
    assert_false(chief__intensity_allows(&in, 9996 + 1));
    chief__intensity_clear(&in);
    assert_true(chief__intensity_allows(&in, 9998));
    assert_true(chief__intensity_allows(&in, 9998));
    assert_false(chief__intensity_allows(&in, 9998));
    chief__intensity_fini(&in);
}

static void test_intensity__none_and_no_limit(void **state) {
    (void)state;
    chief__intensity in;
    assert_int_equal(chief__intensity_init(&in, 0, 100), CHIEF_OK);
    assert_false(chief__intensity_allows(&in, 5));
    chief__intensity_fini(&in);
    assert_int_equal(chief__intensity_init(&in, -1, 100), CHIEF_OK);
    for (int i = 0; i < 1000; i++) assert_true(chief__intensity_allows(&in, 5));
    chief__intensity_fini(&in);
    assert_int_equal(chief__intensity_init(&in, CHIEF__INTENSITY_MOST + 1, 100), CHIEF_EINVAL);
    assert_true(chief__intensity_allows(&in, 5));
}

/* A window of no length still has its one millisecond; one without end never forgets. */
static void test_intensity__extreme_windows(void **state) {
    (void)state;
    chief__intensity in;
    assert_int_equal(chief__intensity_init(&in, 1, 0), CHIEF_OK);
    assert_true(chief__intensity_allows(&in, 7));
    assert_false(chief__intensity_allows(&in, 7));
    assert_true(chief__intensity_allows(&in, 8));
    chief__intensity_fini(&in);
    assert_int_equal(chief__intensity_init(&in, 1, INT64_MAX), CHIEF_OK);
    assert_true(chief__intensity_allows(&in, 7));
    assert_false(chief__intensity_allows(&in, INT64_MAX));
    chief__intensity_fini(&in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_intensity__the_edge_of_the_window_counts),
        cmocka_unit_test(test_intensity__the_window_slides),
        cmocka_unit_test(test_intensity__none_and_no_limit),
        cmocka_unit_test(test_intensity__extreme_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
