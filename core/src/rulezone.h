/*
 * rulezone: a POSIX rule for a time zone, "CET-1CEST,M3.5.0,M10.5.0/3": an offset or two, and the days of each year on which
 * clocks change. Pure.
 */
#ifndef CHIEF_RULEZONE_H
#define CHIEF_RULEZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* A day of the year. */
typedef struct chief__change_day {
    char form;       /* 'J': 1 to 365, 29 February never counted; 'N': 0 to 365; 'M': the week-th weekday of a month */
    int32_t day;     /* J, N; M: the weekday, 0 is Sunday */
    int32_t month;   /* M */
    int32_t week;    /* M: 1 to 5, 5 is the last */
    int32_t seconds; /* of local time from the beginning of that day; may be negative or beyond a day */
} chief__change_day;

typedef struct chief__rulezone {
    int32_t offset; /* seconds east of UTC, as all offsets */
    int32_t summer; /* the offset in summer, where there is one */
    bool has_summer;
    chief__change_day begin; /* of summer, in the time before it */
    chief__change_day end;
} chief__rulezone;

/* False for what is no rule. */
bool chief__rulezone_parse(const char *text, size_t len, chief__rulezone *out);

/* When summer begins (or ends) in that year, as seconds since 1970. */
int64_t chief__rulezone_change(const chief__rulezone *rule, int64_t year, bool begin);

#pragma GCC visibility pop
#endif
