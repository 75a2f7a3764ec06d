/*
 * calendar: days since 1970 and the dates of the Gregorian calendar, for all years. Pure.
 */
#ifndef CHIEF_CALENDAR_H
#define CHIEF_CALENDAR_H

#include <stdint.h>

#pragma GCC visibility push(hidden)

#define CHIEF__SECONDS_PER_DAY 86400

typedef struct chief__date {
    int64_t year;
    int32_t month; /* 1 to 12 */
    int32_t day;   /* 1 to 31 */
} chief__date;

chief__date chief__date_of_day(int64_t day);
int64_t chief__day_of_date(int64_t year, int32_t month, int32_t day);
int32_t chief__days_in_month(int64_t year, int32_t month);

/* 0 is Sunday. */
int32_t chief__weekday_of_day(int64_t day);

/* Division that rounds down, and its rest, which is never negative. `by` > 0. */
int64_t chief__floor_div(int64_t n, int64_t by);
int64_t chief__floor_mod(int64_t n, int64_t by);

#pragma GCC visibility pop
#endif
