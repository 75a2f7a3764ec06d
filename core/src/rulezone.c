#include "rulezone.h"

#include <string.h>

#include "calendar.h"

#define SECONDS_PER_HOUR 3600
#define SECONDS_PER_MINUTE 60
#define HOURS_OF_OFFSET 24
#define HOURS_OF_CHANGE 167 /* RFC 8536 goes beyond POSIX here */
#define TWO_O_CLOCK (2 * SECONDS_PER_HOUR)

/* ---- reading ---- */

typedef struct reader {
    const char *at;
    const char *end;
} reader;

static bool next_is(reader *r, char c) {
    if (r->at == r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static bool read_number(reader *r, int32_t least, int32_t most, int32_t *out) {
    int32_t n = 0;
    const char *from = r->at;
    while (r->at < r->end && is_digit(*r->at) && n <= most) n = 10 * n + (*r->at++ - '0');
    *out = n;
    return r->at > from && n >= least && n <= most;
}

/* Three letters or more, or anything of letters, digits and signs between < and >. */
static bool read_name(reader *r) {
    const char *from = r->at;
    if (next_is(r, '<')) {
        while (r->at < r->end && (is_letter(*r->at) || is_digit(*r->at) || *r->at == '+' || *r->at == '-')) r->at++;
        return r->at - from > 1 && next_is(r, '>');
    }
    while (r->at < r->end && is_letter(*r->at)) r->at++;
    return r->at - from >= 3;
}

/* [+-]hh[:mm[:ss]] as seconds. */
static bool read_time(reader *r, int32_t most_hours, int32_t *out) {
    int32_t hours;
    int32_t minutes = 0;
    int32_t seconds = 0;
    bool negative = next_is(r, '-');
    if (!negative) (void)next_is(r, '+');
    if (!read_number(r, 0, most_hours, &hours)) return false;
    bool more = next_is(r, ':');
    if (more && !read_number(r, 0, 59, &minutes)) return false;
    if (more && next_is(r, ':') && !read_number(r, 0, 59, &seconds)) return false;
    *out = hours * SECONDS_PER_HOUR + minutes * SECONDS_PER_MINUTE + seconds;
    if (negative) *out = -*out;
    return true;
}

static bool read_day(reader *r, chief__change_day *out) {
    if (next_is(r, 'M')) {
        out->form = 'M';
        return read_number(r, 1, 12, &out->month) && next_is(r, '.') && read_number(r, 1, 5, &out->week) &&
               next_is(r, '.') && read_number(r, 0, 6, &out->day);
    }
    if (next_is(r, 'J')) {
        out->form = 'J';
        return read_number(r, 1, 365, &out->day);
    }
    out->form = 'N';
    return read_number(r, 0, 365, &out->day);
}

static bool read_change(reader *r, chief__change_day *out) {
    out->seconds = TWO_O_CLOCK;
    if (!next_is(r, ',') || !read_day(r, out)) return false;
    return !next_is(r, '/') || read_time(r, HOURS_OF_CHANGE, &out->seconds);
}

/* A rule counts hours west of UTC. */
static bool read_offset(reader *r, int32_t *out) {
    if (!read_time(r, HOURS_OF_OFFSET, out)) return false;
    *out = -*out;
    return true;
}

/* Where a rule names a summer and not its days, the ones of the United States are meant, as everywhere. */
static const chief__change_day usual_begin = {.form = 'M', .month = 3, .week = 2, .seconds = TWO_O_CLOCK};
static const chief__change_day usual_end = {.form = 'M', .month = 11, .week = 1, .seconds = TWO_O_CLOCK};

bool chief__rulezone_parse(const char *text, size_t len, chief__rulezone *out) {
    reader r = {.at = text, .end = text + len};
    memset(out, 0, sizeof *out);
    if (!read_name(&r) || !read_offset(&r, &out->offset)) return false;
    if (r.at == r.end) return true;
    out->has_summer = true;
    out->summer = out->offset + SECONDS_PER_HOUR;
    out->begin = usual_begin;
    out->end = usual_end;
    if (!read_name(&r)) return false;
    if (r.at < r.end && *r.at != ',' && !read_offset(&r, &out->summer)) return false;
    if (r.at == r.end) return true;
    return read_change(&r, &out->begin) && read_change(&r, &out->end) && r.at == r.end;
}

/* ---- the days of a year ---- */

static int64_t day_of_month(int64_t year, const chief__change_day *c) {
    int64_t first = chief__day_of_date(year, c->month, 1);
    int32_t until_weekday = (int32_t)chief__floor_mod(c->day - chief__weekday_of_day(first), 7);
    int32_t of_month = until_weekday + 7 * (c->week - 1);
    while (of_month >= chief__days_in_month(year, c->month)) of_month -= 7;
    return first + of_month;
}

static int64_t day_of_year(int64_t year, const chief__change_day *c) {
    int64_t first = chief__day_of_date(year, 1, 1);
    if (c->form == 'M') return day_of_month(year, c);
    if (c->form == 'N') return first + c->day;
    bool after_leap_day = c->day >= 60 && chief__days_in_month(year, 2) == 29;
    return first + c->day - 1 + after_leap_day;
}

int64_t chief__rulezone_change(const chief__rulezone *rule, int64_t year, bool begin) {
    const chief__change_day *c = begin ? &rule->begin : &rule->end;
    return day_of_year(year, c) * CHIEF__SECONDS_PER_DAY + c->seconds - (begin ? rule->offset : rule->summer);
}
