/* Days and dates, against the C library's own. */
#include <time.h>

#include "support.h"

#include "calendar.h"

static void test_calendar__agrees_with_the_c_library(void **state) {
    (void)state;
    for (int64_t day = -1000000; day <= 3000000; day += 37) {
        time_t seconds = (time_t)(day * CHIEF__SECONDS_PER_DAY);
        struct tm tm;
        assert_non_null(gmtime_r(&seconds, &tm));
        chief__date date = chief__date_of_day(day);
        assert_int_equal(date.year, (int64_t)tm.tm_year + 1900);
        assert_int_equal(date.month, tm.tm_mon + 1);
        assert_int_equal(date.day, tm.tm_mday);
        assert_int_equal(chief__weekday_of_day(day), tm.tm_wday);
        assert_int_equal(chief__day_of_date(date.year, date.month, date.day), day);
    }
}

static void test_calendar__goes_from_month_to_month(void **state) {
    (void)state;
    int64_t day = chief__day_of_date(1583, 1, 1);
    for (int64_t year = 1583; year <= 2500; year++)
        for (int32_t month = 1; month <= 12; month++) {
            assert_int_equal(chief__day_of_date(year, month, 1), day);
            day += chief__days_in_month(year, month);
        }
    assert_int_equal(chief__days_in_month(2000, 2), 29);
    assert_int_equal(chief__days_in_month(1900, 2), 28);
}

static void test_calendar__divides_downwards(void **state) {
    (void)state;
    assert_int_equal(chief__floor_div(-1, 60), -1);
    assert_int_equal(chief__floor_mod(-1, 60), 59);
    assert_int_equal(chief__floor_div(-60, 60), -1);
    assert_int_equal(chief__floor_mod(-60, 60), 0);
    assert_int_equal(chief__floor_div(61, 60), 1);
    assert_int_equal(chief__floor_mod(61, 60), 1);
    assert_int_equal(chief__floor_div(INT64_MIN, 1000), INT64_MIN / 1000 - 1);
    assert_int_equal(chief__floor_div(INT64_MAX, 1000), INT64_MAX / 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calendar__agrees_with_the_c_library),
        cmocka_unit_test(test_calendar__goes_from_month_to_month),
        cmocka_unit_test(test_calendar__divides_downwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
