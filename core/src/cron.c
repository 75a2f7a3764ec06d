/* cron: expressions of five fields and the times they name. Pure. */
#include <stdbool.h>
#include <string.h>

#include "calendar.h"
#include "err.h"
#include "zone.h"

#define TEXT_MAX 256
#define SECONDS_PER_MINUTE 60
#define MINUTES_PER_HOUR 60
#define HOURS_PER_DAY 24
#define FIELDS 5
#define ALL_HOURS 0xFFFFFFu
#define ALL_MINUTES 0xFFFFFFFFFFFFFFFu
#define ALL_DAYS 0xFFFFFFFEu
#define ALL_MONTHS 0x1FFEu
#define ALL_WEEKDAYS 0x7Fu
#define TIME_MOST 253402300799    /* the end of the year 9999 */
#define TIME_LEAST (-62135596800) /* the beginning of the year 1 */
#define YEARS_LOOKED 10           /* 29 February comes within eight */
#define MS_PER_SECOND 1000

/* ---- reading ---- */

typedef struct field {
    const char *name;
    int least;
    int most;
    const char *words; /* of three letters each, the first for `first_word`; NULL: none */
    int first_word;
    const char *range; /* for a sentence */
} field;

static const field fields[FIELDS] = {
    {"minute", 0, 59, NULL, 0, "0 to 59"},
    {"hour", 0, 23, NULL, 0, "0 to 23"},
    {"day of month", 1, 31, NULL, 0, "1 to 31"},
    {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec", 1, "1 to 12 or jan to dec"},
    {"day of week", 0, 7, "sunmontuewedthufrisat", 0, "0 to 7 or sun to sat"},
};

/* A part of the expression. */
typedef struct slice {
    const char *at;
    size_t len;
} slice;

static int out_of_range(const char *text, const field *f, slice got) {
    if (got.len == 0) got = (slice){"nothing", strlen("nothing")};
    return chief__fail(CHIEF_EINVAL, "cron \"%s\": %s should be %s, got %.*s", text, f->name, f->range, (int)got.len,
                       got.at);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static int lower(char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; }

/* A number of at most four digits; -1 for anything else. */
static int number_of(slice s) {
    int n = 0;
    if (s.len == 0 || s.len > 4) return -1;
    for (size_t i = 0; i < s.len; i++) {
        if (!is_digit(s.at[i])) return -1;
        n = 10 * n + (s.at[i] - '0');
    }
    return n;
}

static int word_of(const field *f, slice s) {
    if (f->words == NULL || s.len != 3) return -1;
    for (int i = 0; f->words[3 * i] != '\0'; i++) {
        const char *word = f->words + 3 * (size_t)i;
        if (lower(s.at[0]) == word[0] && lower(s.at[1]) == word[1] && lower(s.at[2]) == word[2])
            return i + f->first_word;
    }
    return -1;
}

static int value_of(const char *text, const field *f, slice s, int *out) {
    int word = word_of(f, s);
    *out = word >= 0 ? word : number_of(s);
    return *out >= f->least && *out <= f->most ? CHIEF_OK : out_of_range(text, f, s);
}

/* Splits at the first `c`; false, and the whole is the head, when there is none. */
static bool split(slice whole, char c, slice *head, slice *tail) {
    const char *found = whole.len > 0 ? memchr(whole.at, c, whole.len) : NULL;
    *head = whole;
    *tail = (slice){whole.at + whole.len, 0};
    if (found == NULL) return false;
    head->len = (size_t)(found - whole.at);
    *tail = (slice){found + 1, whole.len - head->len - 1};
    return true;
}

/* `fri-sun` means the Sunday after, as 7 does. */
static bool ends_on_sunday(const field *f, int first, int last, slice end) {
    return f->most == 7 && last == 0 && first > 0 && word_of(f, end) == 0;
}

static int read_range(const char *text, const field *f, slice s, int *first, int *last) {
    slice from;
    slice to;
    *first = f->least;
    *last = f->most == 7 ? 6 : f->most;
    if (s.len == 1 && s.at[0] == '*') return CHIEF_OK;
    bool is_range = split(s, '-', &from, &to);
    int rc = value_of(text, f, from, first);
    *last = *first;
    if (rc != CHIEF_OK || !is_range) return rc;
    rc = value_of(text, f, to, last);
    if (rc == CHIEF_OK && ends_on_sunday(f, *first, *last, to)) *last = 7;
    if (rc != CHIEF_OK || *first <= *last) return rc;
    return chief__fail(CHIEF_EINVAL, "cron \"%s\": %s %.*s goes backwards: write %.*s-%d,%d-%.*s", text, f->name,
                       (int)s.len, s.at, (int)from.len, from.at, f->most == 7 ? 6 : f->most, f->least, (int)to.len,
                       to.at);
}

static int read_step(const char *text, const field *f, slice base, slice s, int *step) {
    bool over_range = memchr(base.at, '*', base.len) != NULL || memchr(base.at, '-', base.len) != NULL;
    *step = number_of(s);
    if (*step < 1 || *step > f->most) {
        return chief__fail(CHIEF_EINVAL, "cron \"%s\": %s should have a step of 1 to %d, got %.*s", text, f->name,
                           f->most, (int)s.len, s.at);
    }
    if (over_range) return CHIEF_OK;
    return chief__fail(CHIEF_EINVAL, "cron \"%s\": %s has a step over one value; over the rest it is %.*s-%d/%d", text,
                       f->name, (int)base.len, base.at, f->most == 7 ? 6 : f->most, *step);
}

static int read_item(const char *text, const field *f, slice s, uint64_t *bits) {
    slice base;
    slice step_text;
    int first = 0;
    int last = 0;
    int step = 1;
    if (s.len == 0) return chief__fail(CHIEF_EINVAL, "cron \"%s\": %s has an empty item in its list", text, f->name);
    bool stepped = split(s, '/', &base, &step_text);
    int rc = base.len > 0 ? read_range(text, f, base, &first, &last) : out_of_range(text, f, s);
    if (rc == CHIEF_OK && stepped) rc = read_step(text, f, base, step_text, &step);
    for (int n = first; rc == CHIEF_OK && n <= last; n += step) *bits |= (uint64_t)1 << (f->most == 7 ? n % 7 : n);
    return rc;
}

static int read_field(const char *text, const field *f, slice s, uint64_t *bits) {
    slice item;
    slice rest = s;
    *bits = 0;
    for (bool more = true; more;) {
        more = split(rest, ',', &item, &rest);
        int rc = read_item(text, f, item, bits);
        if (rc != CHIEF_OK) return rc;
    }
    return CHIEF_OK;
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* The fields there are, of which at most FIELDS are kept. */
static size_t split_fields(const char *text, slice out[FIELDS]) {
    size_t n = 0;
    const char *at = text;
    for (;;) {
        while (is_blank(*at)) at++;
        if (*at == '\0') return n;
        const char *from = at;
        while (*at != '\0' && !is_blank(*at)) at++;
        if (n < FIELDS) out[n] = (slice){from, (size_t)(at - from)};
        n++;
    }
}

static const char *expand(const char *text) {
    static const char *const names[][2] = {
        {"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
        {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i][0], text) == 0) return names[i][1];
    return NULL;
}

/* With any weekday a date has to be one that there is, 29 February among them. */
static bool can_come(const chief_cron *cron) {
    if (cron->weekdays != ALL_WEEKDAYS) return true;
    for (int month = 1; month <= 12; month++) {
        if ((cron->months >> month & 1) == 0) continue;
        for (int day = 1; day <= chief__days_in_month(2000, month); day++)
            if ((cron->days >> day & 1) != 0) return true;
    }
    return false;
}

static int read_fields(const char *text, const slice *given, chief_cron *out) {
    uint64_t bits[FIELDS] = {0};
    for (size_t i = 0; i < FIELDS; i++) {
        int rc = read_field(text, &fields[i], given[i], &bits[i]);
        if (rc != CHIEF_OK) return rc;
    }
    *out = (chief_cron){.size = sizeof *out,
                        .minutes = bits[0],
                        .hours = (uint32_t)bits[1],
                        .days = (uint32_t)bits[2],
                        .months = (uint32_t)bits[3],
                        .weekdays = (uint32_t)bits[4]};
    return CHIEF_OK;
}

int chief_cron_parse(const char *text, chief_cron *out) {
    slice given[FIELDS];
    chief_cron cron;
    if (out == NULL) return chief__fail_code(CHIEF_EINVAL);
    *out = (chief_cron){.size = sizeof *out};
    if (text == NULL) return chief__fail_code(CHIEF_EINVAL);
    if (strlen(text) > TEXT_MAX) return chief__fail(CHIEF_EINVAL, "cron: longer than %d bytes", TEXT_MAX);
    const char *expression = text[0] == '@' ? expand(text) : text;
    if (expression == NULL)
        return chief__fail(CHIEF_EINVAL,
                           "cron \"%s\": there are @hourly, @daily, @midnight, @weekly, @monthly, @yearly "
                           "and @annually%s",
                           text, strcmp(text, "@reboot") == 0 ? "; a worker without a schedule runs at the start" : "");
    size_t n = split_fields(expression, given);
    if (n != FIELDS)
        return chief__fail(CHIEF_EINVAL,
                           "cron \"%s\" should have five fields (minute, hour, day of month, month, day of week), got "
                           "%zu",
                           text, n);
    int rc = read_fields(text, given, &cron);
    if (rc != CHIEF_OK) return rc;
    if (!can_come(&cron))
        return chief__fail(CHIEF_EINVAL, "cron \"%s\" never comes: no such day in these months", text);
    *out = cron;
    return CHIEF_OK;
}

/* ---- times on the clock of one place ---- */

static bool names_day(const chief_cron *cron, int64_t day, chief__date date) {
    bool of_month = (cron->days >> date.day & 1) != 0;
    bool of_week = (cron->weekdays >> chief__weekday_of_day(day) & 1) != 0;
    if (cron->days == ALL_DAYS || cron->weekdays == ALL_WEEKDAYS) return of_month && of_week;
    return of_month || of_week;
}

/* The first minute of the day at or after `from` that is named; -1 for none. */
static int minute_of_day(const chief_cron *cron, int from) {
    int minute = from % MINUTES_PER_HOUR;
    for (int hour = from / MINUTES_PER_HOUR; hour < HOURS_PER_DAY; hour++, minute = 0) {
        uint64_t left = (cron->hours >> hour & 1) != 0 ? cron->minutes >> minute : 0;
        for (; left != 0; left >>= 1, minute++)
            if ((left & 1) != 0) return hour * MINUTES_PER_HOUR + minute;
    }
    return -1;
}

/* The first local time at or after `from` that is named, if it is before `until`; else INT64_MAX. In local seconds since
 * 1970. */
static int64_t next_local(const chief_cron *cron, int64_t from, int64_t until) {
    int64_t minute = chief__floor_div(from + SECONDS_PER_MINUTE - 1, SECONDS_PER_MINUTE);
    int64_t day = chief__floor_div(minute, (int64_t)HOURS_PER_DAY * MINUTES_PER_HOUR);
    int start = (int)chief__floor_mod(minute, (int64_t)HOURS_PER_DAY * MINUTES_PER_HOUR);
    while (day * CHIEF__SECONDS_PER_DAY < until) {
        chief__date date = chief__date_of_day(day);
        if ((cron->months >> date.month & 1) == 0) {
            day += chief__days_in_month(date.year, date.month) - date.day + 1;
            start = 0;
            continue;
        }
        int found = names_day(cron, day, date) ? minute_of_day(cron, start) : -1;
        int64_t time = day * CHIEF__SECONDS_PER_DAY + (int64_t)found * SECONDS_PER_MINUTE;
        if (found >= 0) return time < until ? time : INT64_MAX;
        day++;
        start = 0;
    }
    return INT64_MAX;
}

/* ---- times ---- */

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

/* The first time at or after `from` in this span; INT64_MAX for none. A time that was shown already before clocks were put
 * back is passed over, unless every hour is named. */
static int64_t next_in_span(const chief_cron *cron, const chief__span *span, int64_t from, int64_t limit) {
    bool every_hour = cron->hours == ALL_HOURS;
    int64_t local = from + span->offset;
    if (!every_hour && span->from == from && span->offset > span->before &&
        next_local(cron, from + span->before, local) != INT64_MAX)
        return from;
    if (!every_hour && span->before > span->offset && span->from > TIME_LEAST - CHIEF__SECONDS_PER_DAY &&
        local < span->from + span->before)
        local = span->from + span->before;
    int64_t found = next_local(cron, local, earlier(span->until, limit) + span->offset);
    return found != INT64_MAX ? found - span->offset : found;
}

static bool is_right(const chief_cron *cron) {
    return cron != NULL && cron->size == sizeof *cron && cron->minutes != 0 && cron->hours != 0 && cron->days != 0 &&
           cron->months != 0 && cron->weekdays != 0 && (cron->minutes & ~ALL_MINUTES) == 0 &&
           (cron->hours & ~ALL_HOURS) == 0 && (cron->days & ~ALL_DAYS) == 0 && (cron->months & ~ALL_MONTHS) == 0 &&
           (cron->weekdays & ~ALL_WEEKDAYS) == 0;
}

int chief_cron_next(const chief_cron *cron, const chief_zone *zone, int64_t after_ms, int64_t *next_ms) {
    if (next_ms == NULL) return chief__fail_code(CHIEF_EINVAL);
    *next_ms = 0;
    if (!is_right(cron)) return chief__fail(CHIEF_EINVAL, "not a cron that chief_cron_parse made");
    int64_t from = chief__floor_div(after_ms, MS_PER_SECOND) + 1;
    if (from < TIME_LEAST || from > TIME_MOST)
        return chief__fail(CHIEF_EINVAL, "cron: the time is beyond the years 1 to 9999");
    int64_t limit = from + (int64_t)YEARS_LOOKED * 366 * CHIEF__SECONDS_PER_DAY;
    while (from < limit) {
        chief__span span = chief__zone_span(zone, from);
        int64_t found = next_in_span(cron, &span, from, limit);
        if (found != INT64_MAX) {
            *next_ms = found * MS_PER_SECOND;
            return CHIEF_OK;
        }
        from = span.until;
    }
    return chief__fail(CHIEF_ENOENT, "cron: no such time within %d years", YEARS_LOOKED);
}
