#include "calendar.h"

#define DAYS_TO_1970 719468 /* from 1 March of the year 0 */
#define DAYS_PER_ERA 146097 /* 400 years, after which the calendar repeats */
#define YEARS_PER_ERA 400
#define MONTHS_PER_YEAR 12
#define THURSDAY 4 /* 1 January 1970 */

int64_t chief__floor_mod(int64_t n, int64_t by) {
    int64_t rest = n % by;
    return rest < 0 ? rest + by : rest;
}

int64_t chief__floor_div(int64_t n, int64_t by) { return n / by - (n % by < 0); }

/* A year is counted from March, so that the leap day is its last. */
chief__date chief__date_of_day(int64_t day) {
    int64_t era = chief__floor_div(day + DAYS_TO_1970, DAYS_PER_ERA);
    int64_t of_era = chief__floor_mod(day + DAYS_TO_1970, DAYS_PER_ERA);
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / (DAYS_PER_ERA - 1)) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    chief__date date = {.year = YEARS_PER_ERA * era + year + (month >= 10),
                        .month = (int32_t)(month < 10 ? month + 3 : month - 9),
                        .day = (int32_t)(of_year - (153 * month + 2) / 5 + 1)};
    return date;
}

int64_t chief__day_of_date(int64_t year, int32_t month, int32_t day) {
    int64_t counted = year - (month <= 2);
    int64_t era = chief__floor_div(counted, YEARS_PER_ERA);
    int64_t of_era = chief__floor_mod(counted, YEARS_PER_ERA);
    int64_t from_march = (month + 9) % MONTHS_PER_YEAR;
    int64_t of_year = (153 * from_march + 2) / 5 + day - 1;
    return era * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970;
}

int32_t chief__days_in_month(int64_t year, int32_t month) {
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % YEARS_PER_ERA == 0);
    return days[month - 1] + leap;
}

int32_t chief__weekday_of_day(int64_t day) { return (int32_t)chief__floor_mod(day + THURSDAY, 7); }
