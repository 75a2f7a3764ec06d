/*
 * Cron expressions: what they say, what they refuse, and their times against a slow reference that looks at every minute
 * with the C library's clock. Random expressions come from a seed that is printed; CHIEF_CRON_SEED=<that> repeats a run.
 */
#include <inttypes.h>
#include <time.h>

#include "support.h"

#define MINUTE 60
#define DAY 86400
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define LORD_HOWE "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"

/* ---- reading ---- */

static chief_cron parse(const char *text) {
    chief_cron cron;
    if (chief_cron_parse(text, &cron) != CHIEF_OK) fail_msg("\"%s\": %s", text, chief_last_error());
    return cron;
}

static void same(const char *a, const char *b) {
    chief_cron x = parse(a);
    chief_cron y = parse(b);
    if (memcmp(&x, &y, sizeof x) != 0) fail_msg("\"%s\" is not \"%s\"", a, b);
}

static void test_cron__fields(void **state) {
    (void)state;
    chief_cron all = parse("* * * * *");
    assert_true(all.minutes == UINT64_C(0xFFFFFFFFFFFFFFF));
    assert_int_equal(all.hours, 0xFFFFFF);
    assert_int_equal(all.days, 0xFFFFFFFE);
    assert_int_equal(all.months, 0x1FFE);
    assert_int_equal(all.weekdays, 0x7F);
    chief_cron one = parse("5 4 3 2 1");
    assert_int_equal(one.minutes, 1 << 5);
    assert_int_equal(one.hours, 1 << 4);
    assert_int_equal(one.days, 1 << 3);
    assert_int_equal(one.months, 1 << 2);
    assert_int_equal(one.weekdays, 1 << 1);
    assert_int_equal(one.size, sizeof one);
}

static void test_cron__forms_that_mean_the_same(void **state) {
    (void)state;
    same("*/15 0-23 1-31 1-12 0-6", "0,15,30,45 * * jan-dec sun-sat");
    same("0 8-18/2 * * *", "0 8,10,12,14,16,18 * * *");
    same("0 0 * * 7", "0 0 * * 0");
    same("0 0 * * 5-7", "0 0 * * fri-sun");
    same("0 0 * * sat-sun", "0 0 * * 0,6");
    same("0 0 * * 0-7", "0 0 * * *");
    same("0 0 * JAN,Feb MON", " 0\t0  *  1,2 1 ");
    same("1-3,2-5 0 * * *", "1-5 0 * * *");
    same("@hourly", "0 * * * *");
    same("@daily", "0 0 * * *");
    same("@midnight", "0 0 * * *");
    same("@weekly", "0 0 * * sun");
    same("@monthly", "0 0 1 * *");
    same("@yearly", "0 0 1 1 *");
    same("@annually", "@yearly");
    same("00 007 01 0002 *", "0 7 1 2 *");
}

static void test_cron__mistakes_are_told(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *says;
    } wrong[] = {
        {"61 * * * *", "cron \"61 * * * *\": minute should be 0 to 59, got 61"},
        {"* 24 * * *", "hour should be 0 to 23, got 24"},
        {"* * 0 * *", "day of month should be 1 to 31, got 0"},
        {"* * 32 * *", "day of month should be 1 to 31, got 32"},
        {"* * * 13 *", "month should be 1 to 12 or jan to dec, got 13"},
        {"* * * foo *", "month should be 1 to 12 or jan to dec, got foo"},
        {"* * * mon *", "month should be 1 to 12 or jan to dec, got mon"},
        {"* * * * 8", "day of week should be 0 to 7 or sun to sat, got 8"},
        {"* * * * monday", "day of week should be 0 to 7 or sun to sat, got monday"},
        {"-1 * * * *", "minute should be 0 to 59, got nothing"},
        {"1- * * * *", "minute should be 0 to 59, got nothing"},
        {"1-2-3 * * * *", "minute should be 0 to 59, got 2-3"},
        {"*5 * * * *", "minute should be 0 to 59, got *5"},
        {"*-5 * * * *", "minute should be 0 to 59, got *"},
        {"1.5 * * * *", "minute should be 0 to 59, got 1.5"},
        {"99999999999999999999 * * * *", "minute should be 0 to 59, got 99999"},
        {"/5 * * * *", "minute should be 0 to 59, got /5"},
        {"1,,2 * * * *", "minute has an empty item in its list"},
        {", * * * *", "minute has an empty item in its list"},
        {"1, * * * *", "minute has an empty item in its list"},
        {"30-10 * * * *", "minute 30-10 goes backwards: write 30-59,0-10"},
        {"0 22-2 * * *", "hour 22-2 goes backwards: write 22-23,0-2"},
        {"0 0 * * fri-mon", "day of week fri-mon goes backwards: write fri-6,0-mon"},
        {"*/0 * * * *", "minute should have a step of 1 to 59, got 0"},
        {"*/60 * * * *", "minute should have a step of 1 to 59, got 60"},
        {"*/x * * * *", "minute should have a step of 1 to 59, got x"},
        {"*/ * * * *", "minute should have a step of 1 to 59, got "},
        {"*/5/5 * * * *", "minute should have a step of 1 to 59, got 5/5"},
        {"5/10 * * * *", "minute has a step over one value; over the rest it is 5-59/10"},
        {"", "should have five fields (minute, hour, day of month, month, day of week), got 0"},
        {"* * * *", "should have five fields (minute, hour, day of month, month, day of week), got 4"},
        {"0 0 * * * *", "should have five fields (minute, hour, day of month, month, day of week), got 6"},
        {"*\n* * * *", "should have five fields"},
        {"@reboot", "a worker without a schedule runs at the start"},
        {"@dayly", "cron \"@dayly\": there are @hourly, @daily"},
        {"@", "there are @hourly"},
        {"0 0 31 2,4 *", "never comes: no such day in these months"},
        {"0 0 30,31 feb *", "never comes"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        chief_cron cron;
        memset(&cron, 0xff, sizeof cron);
        if (chief_cron_parse(wrong[i].text, &cron) != CHIEF_EINVAL) fail_msg("took \"%s\"", wrong[i].text);
        support_says(wrong[i].says);
        assert_int_equal(cron.minutes, 0);
    }
    char longest[300];
    memset(longest, ' ', sizeof longest);
    memcpy(longest, "* * * * *", 9);
    longest[256] = '\0';
    chief_cron cron;
    assert_int_equal(chief_cron_parse(longest, &cron), CHIEF_OK);
    longest[256] = ' ';
    longest[257] = '\0';
    assert_int_equal(chief_cron_parse(longest, &cron), CHIEF_EINVAL);
    support_says("cron: longer than 256 bytes");
    assert_int_equal(chief_cron_parse(NULL, &cron), CHIEF_EINVAL);
    assert_int_equal(chief_cron_parse("* * * * *", NULL), CHIEF_EINVAL);
}

/* ---- times, as a person would write them ---- */

static chief_zone *zone_of(const char *name) {
    chief_zone *zone;
    if (chief_zone_new(&zone, name) != CHIEF_OK) fail_msg("%s: %s", name, chief_last_error());
    return zone;
}

static int64_t ms_of(int year, int month, int day, int hour, int minute) {
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute};
    return (int64_t)timegm(&tm) * 1000;
}

/* The times after a moment (UTC), in words, are these. */
static void times(const char *text, const char *tz, int64_t after, const char *const *expected) {
    chief_cron cron = parse(text);
    chief_zone *zone = zone_of(tz);
    for (size_t i = 0; expected[i] != NULL; i++) {
        char found[64];
        if (chief_cron_next(&cron, zone, after, &after) != CHIEF_OK) fail_msg("%s: %s", text, chief_last_error());
        (void)chief_zone_text(zone, after, found, sizeof found);
        assert_string_equal(found, expected[i]);
    }
    chief_zone_free(zone);
}

#define TIMES(text, tz, after, ...)                         \
    do {                                                    \
        static const char *const e[] = {__VA_ARGS__, NULL}; \
        times(text, tz, after, e);                          \
    } while (0)

static void test_cron__strictly_after(void **state) {
    (void)state;
    chief_cron cron = parse("0 12 * * *");
    int64_t noon = ms_of(2026, 5, 1, 12, 0);
    int64_t next;
    assert_int_equal(chief_cron_next(&cron, NULL, noon - 1, &next), CHIEF_OK);
    assert_int_equal(next, noon);
    assert_int_equal(chief_cron_next(&cron, NULL, noon, &next), CHIEF_OK);
    assert_int_equal(next, noon + INT64_C(86400000));
    assert_int_equal(chief_cron_next(&cron, NULL, noon - 60000, &next), CHIEF_OK);
    assert_int_equal(next, noon);
}

static void test_cron__either_day_when_both_leave_something_out(void **state) {
    (void)state;
    TIMES("0 0 13 * fri", "UTC", ms_of(2026, 2, 1, 0, 0), "2026-02-06T00:00:00+00:00", "2026-02-13T00:00:00+00:00",
          "2026-02-20T00:00:00+00:00", "2026-02-27T00:00:00+00:00", "2026-03-06T00:00:00+00:00",
          "2026-03-13T00:00:00+00:00");
    TIMES("0 0 * 2 mon", "UTC", ms_of(2026, 2, 20, 0, 0), "2026-02-23T00:00:00+00:00", "2027-02-01T00:00:00+00:00");
    TIMES("0 0 31 * *", "UTC", ms_of(2026, 1, 31, 0, 0), "2026-03-31T00:00:00+00:00", "2026-05-31T00:00:00+00:00");
}

static void test_cron__leap_days_over_a_century(void **state) {
    (void)state;
    TIMES("59 23 29 feb *", "UTC", ms_of(2092, 3, 1, 0, 0), "2096-02-29T23:59:00+00:00", "2104-02-29T23:59:00+00:00");
}

/* The clocks of Berlin skip 02:00 to 03:00 on 29 March 2026. */
static void test_cron__a_skipped_time_comes_at_the_end_of_the_gap(void **state) {
    (void)state;
    int64_t before = ms_of(2026, 3, 28, 12, 0);
    TIMES("30 2 * * *", BERLIN, before, "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00");
    TIMES("0,15,30 2 * * *", BERLIN, before, "2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00");
    TIMES("0 2,3 * * *", BERLIN, before, "2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00");
    TIMES("30 2 29 3 *", BERLIN, before, "2026-03-29T03:00:00+02:00", "2027-03-29T02:30:00+02:00");
    TIMES("30 1 * * *", BERLIN, before, "2026-03-29T01:30:00+01:00", "2026-03-30T01:30:00+02:00");
    /* every hour there is */
    TIMES("30 * * * *", BERLIN, ms_of(2026, 3, 29, 0, 0), "2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00");
    TIMES("*/30 0-23 * * *", BERLIN, ms_of(2026, 3, 29, 0, 15), "2026-03-29T01:30:00+01:00",
          "2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00");
}

/* The clocks of Berlin show 02:00 to 03:00 twice on 25 October 2026. */
static void test_cron__a_repeated_time_comes_once(void **state) {
    (void)state;
    int64_t before = ms_of(2026, 10, 24, 12, 0);
    TIMES("30 2 * * *", BERLIN, before, "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00");
    TIMES("*/20 2 * * *", BERLIN, before, "2026-10-25T02:00:00+02:00", "2026-10-25T02:20:00+02:00",
          "2026-10-25T02:40:00+02:00", "2026-10-26T02:00:00+01:00");
    TIMES("0 3 * * *", BERLIN, before, "2026-10-25T03:00:00+01:00");
    /* asked in the second 02:10, it is over for today */
    TIMES("30 2 * * *", BERLIN, ms_of(2026, 10, 25, 1, 10), "2026-10-26T02:30:00+01:00");
    /* every hour there is */
    TIMES("30 * * * *", BERLIN, ms_of(2026, 10, 25, 0, 0), "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00",
          "2026-10-25T03:30:00+01:00");
}

static void test_cron__odd_changes(void **state) {
    (void)state;
    /* half an hour: 02:00 to 02:30 are skipped on 4 October 2026, and 01:30 to 02:00 repeated on 5 April */
    TIMES("15 2 * * *", LORD_HOWE, ms_of(2026, 10, 3, 0, 0), "2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00");
    TIMES("45 1 * * *", LORD_HOWE, ms_of(2026, 4, 4, 0, 0), "2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30");
    TIMES("15 * * * *", LORD_HOWE, ms_of(2026, 10, 3, 14, 0), "2026-10-04T01:15:00+10:30", "2026-10-04T03:15:00+11:00");
    /* at midnight: there is no 00:00 on the first day of summer */
    TIMES("@daily", "<-04>4<-03>,M9.1.0/0,M4.1.0/0", ms_of(2026, 9, 5, 5, 0), "2026-09-06T01:00:00-03:00",
          "2026-09-07T00:00:00-03:00");
    chief_zone *apia;
    if (chief_zone_new(&apia, "Pacific/Apia") != CHIEF_OK) return; /* a system without zones */
    chief_zone_free(apia);
    /* a whole day: 30 December 2011 was none */
    TIMES("0 12 30 12 *", "Pacific/Apia", ms_of(2011, 12, 1, 0, 0), "2011-12-31T00:00:00+14:00",
          "2012-12-30T12:00:00+14:00");
}

static void test_cron__refuses_what_it_can_not_answer(void **state) {
    (void)state;
    chief_cron cron = parse("* * * * *");
    int64_t next = 5;
    assert_int_equal(chief_cron_next(NULL, NULL, 0, &next), CHIEF_EINVAL);
    assert_int_equal(next, 0);
    assert_int_equal(chief_cron_next(&cron, NULL, 0, NULL), CHIEF_EINVAL);
    assert_int_equal(chief_cron_next(&cron, NULL, INT64_MAX, &next), CHIEF_EINVAL);
    assert_int_equal(chief_cron_next(&cron, NULL, INT64_MIN, &next), CHIEF_EINVAL);
    support_says("beyond the years 1 to 9999");
    assert_int_equal(chief_cron_next(&cron, NULL, ms_of(9999, 12, 31, 23, 0), &next), CHIEF_OK);
    static const chief_cron broken[] = {
        {.size = sizeof cron},
        {.size = sizeof cron, .minutes = 1, .hours = 1 << 24, .days = 2, .months = 2, .weekdays = 1},
        {.size = sizeof cron, .minutes = 1, .hours = 1, .days = 1, .months = 2, .weekdays = 1},
        {.size = 4, .minutes = 1, .hours = 1, .days = 2, .months = 2, .weekdays = 1}};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        assert_int_equal(chief_cron_next(&broken[i], NULL, 0, &next), CHIEF_EINVAL);
    support_says("not a cron that chief_cron_parse made");
    chief_cron never = {
        .size = sizeof never, .minutes = 1, .hours = 1, .days = 1u << 31, .months = 1 << 2, .weekdays = 0x7F};
    assert_int_equal(chief_cron_next(&never, NULL, 0, &next), CHIEF_ENOENT);
    support_says("no such time within 10 years");
}

/* ---- against every minute ---- */

static uint64_t random_state;

static uint32_t any(uint32_t below) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % below;
}

/* An expression and, beside it, what it names: two ways from one choice. */
typedef struct expression {
    char text[512];
    bool minutes[60], hours[24], days[32], months[13], weekdays[7];
} expression;

typedef struct shape {
    int least, most;
    const char *const *words;
    bool wraps; /* 7 is 0 */
} shape;

static const char *const months[] = {"",    "jan", "feb", "mar", "apr", "may", "jun",
                                     "JUL", "Aug", "sep", "oct", "nov", "dec"};
static const char *const weekdays[] = {"sun", "mon", "TUE", "wed", "thu", "Fri", "sat", "7"};

static void add_value(char *to, const shape *s, int n) {
    char number[16];
    (void)snprintf(number, sizeof number, any(4) == 0 ? "%02d" : "%d", n);
    (void)strcat(to, s->words != NULL && any(2) == 0 ? s->words[n] : number);
}

static void add_item(char *to, const shape *s, bool *named) {
    int first = s->least;
    int last = s->most;
    int step = 1;
    uint32_t form = any(4);
    if (form == 0) {
        (void)strcat(to, "*");
        if (s->wraps) last = 6;
    } else {
        first = s->least + (int)any((uint32_t)(s->most - s->least + 1));
        last = form == 1 ? first : first + (int)any((uint32_t)(s->most - first + 1));
        /* sun as the first of a range is 0 */
        if (s->wraps && first == 7 && form != 1) first = last = 6;
        add_value(to, s, first);
        if (form != 1) {
            (void)strcat(to, "-");
            add_value(to, s, last);
        }
    }
    if (form != 1 && any(2) == 0) {
        char text[16];
        step = 1 + (int)any((uint32_t)s->most);
        (void)snprintf(text, sizeof text, "/%d", step);
        (void)strcat(to, text);
    }
    for (int n = first; n <= last; n += step) named[s->wraps ? n % 7 : n] = true;
}

static void add_field(expression *e, const shape *s, bool *named, bool last) {
    uint32_t items = any(3) == 0 ? 1 + any(3) : 1;
    if (any(3) == 0) {
        (void)strcat(e->text, "*");
        for (int n = s->least; n <= s->most; n++) named[s->wraps ? n % 7 : n] = true;
    } else {
        for (uint32_t i = 0; i < items; i++) {
            if (i > 0) (void)strcat(e->text, ",");
            add_item(e->text, s, named);
        }
    }
    if (!last) (void)strcat(e->text, any(8) == 0 ? " \t" : " ");
}

static void make(expression *e) {
    static const shape minute = {0, 59, NULL, false};
    static const shape hour = {0, 23, NULL, false};
    static const shape day = {1, 31, NULL, false};
    static const shape month = {1, 12, months, false};
    static const shape weekday = {0, 7, weekdays, true};
    memset(e, 0, sizeof *e);
    add_field(e, &minute, e->minutes, false);
    add_field(e, &hour, e->hours, false);
    add_field(e, &day, e->days, false);
    add_field(e, &month, e->months, false);
    add_field(e, &weekday, e->weekdays, true);
}

/* What clocks show in each minute of a stretch of time. */
typedef struct shown {
    int64_t local; /* seconds since 1970 */
    int8_t minute, hour, day, month, weekday;
} shown;

static void look(shown *to, const struct tm *tm) {
    struct tm copy = *tm;
    to->minute = (int8_t)tm->tm_min;
    to->hour = (int8_t)tm->tm_hour;
    to->day = (int8_t)tm->tm_mday;
    to->month = (int8_t)(tm->tm_mon + 1);
    to->weekday = (int8_t)tm->tm_wday;
    to->local = (int64_t)timegm(&copy);
}

static bool covers(const bool *named, int least, int most) {
    for (int n = least; n <= most; n++)
        if (!named[n]) return false;
    return true;
}

static bool matches(const expression *e, const shown *s) {
    if (!e->minutes[s->minute] || !e->hours[s->hour] || !e->months[s->month]) return false;
    bool all_days = covers(e->days, 1, 31) || covers(e->weekdays, 0, 6);
    if (all_days) return e->days[s->day] && e->weekdays[s->weekday];
    return e->days[s->day] || e->weekdays[s->weekday];
}

static bool any_skipped(const expression *e, int64_t from, int64_t until) {
    for (int64_t local = from; local < until; local += MINUTE) {
        time_t t = (time_t)local;
        struct tm tm;
        shown s;
        look(&s, gmtime_r(&t, &tm));
        if (matches(e, &s)) return true;
    }
    return false;
}

/* Whether the minute's beginning is one of the times, by the words of chief.h. */
static bool is_time(const expression *e, const shown *all, size_t i, int64_t latest) {
    if (covers(e->hours, 0, 23)) return matches(e, &all[i]);
    if (matches(e, &all[i]) && all[i].local > latest) return true;
    return all[i].local > all[i - 1].local + MINUTE && any_skipped(e, all[i - 1].local + MINUTE, all[i].local);
}

static void compare(const expression *e, const chief_zone *zone, const char *tz, int64_t start, const shown *all,
                    size_t n) {
    chief_cron cron;
    int64_t latest = all[0].local;
    if (chief_cron_parse(e->text, &cron) != CHIEF_OK) {
        if (strstr(chief_last_error(), "never comes") != NULL) return;
        fail_msg("seed %" PRIu64 ": \"%s\": %s", random_state, e->text, chief_last_error());
    }
    int64_t next;
    int rc = chief_cron_next(&cron, zone, start * 1000, &next);
    for (size_t i = 1; i < n; i++) {
        int64_t now = (start + (int64_t)i * MINUTE) * 1000;
        bool expected = is_time(e, all, i, latest);
        if (expected != (rc == CHIEF_OK && next == now))
            fail_msg("\"%s\" in %s: %" PRId64 " is %s", e->text, tz, now / 1000, expected ? "missed" : "too much");
        if (expected) rc = chief_cron_next(&cron, zone, now, &next);
        if (all[i].local > latest) latest = all[i].local;
    }
    if (rc == CHIEF_OK) assert_true(next >= (start + (int64_t)n * MINUTE) * 1000);
}

/* Some days of a place, by the C library. The first minute is one that clocks show once. */
static shown *days_of(const char *tz, int64_t start, size_t n) {
    shown *all = malloc(n * sizeof *all);
    assert_non_null(all);
    (void)setenv("TZ", tz, 1);
    tzset();
    for (size_t i = 0; i < n; i++) {
        time_t t = (time_t)(start + (int64_t)i * MINUTE);
        struct tm tm;
        look(&all[i], localtime_r(&t, &tm));
    }
    (void)unsetenv("TZ");
    return all;
}

static void against_the_reference(const char *tz, int64_t start, int64_t days, int expressions) {
    size_t n = (size_t)(days * DAY / MINUTE);
    chief_zone *zone = zone_of(tz);
    shown *all = days_of(tz, start, n);
    for (int i = 0; i < expressions; i++) {
        expression e;
        make(&e);
        compare(&e, zone, tz, start, all, n);
    }
    free(all);
    chief_zone_free(zone);
}

static void test_cron__every_minute_of_changes(void **state) {
    (void)state;
    static const struct {
        const char *tz;
        int64_t spring, autumn; /* the day before */
    } places[] = {
        {BERLIN, 1774656000, 1792800000},
        {LORD_HOWE, 1790899200, 1775174400},
        {"EST5EDT,M3.2.0,M11.1.0", 1772841600, 1793404800},
        {"<-04>4<-03>,M9.1.0/0,M4.1.0/0", 1788523200, 1775174400},
        {"NZST-12NZDT,M9.5.0,M4.1.0/3", 1790294400, 1775174400},
    };
    int expressions = (int)support_ms(1) == 1 ? 200 : 20;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        against_the_reference(places[i].tz, places[i].spring, 5, expressions);
        against_the_reference(places[i].tz, places[i].autumn, 5, expressions);
    }
}

static void test_cron__every_minute_of_months(void **state) {
    (void)state;
    int expressions = (int)support_ms(1) == 1 ? 25 : 3;
    against_the_reference(BERLIN, 1767225600 + (int64_t)any(2000) * DAY, 120, expressions);
    against_the_reference("UTC0", 1703980800, 100, expressions); /* with a leap day */
}

int main(void) {
    const char *given = getenv("CHIEF_CRON_SEED");
    random_state = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 1000003;
    printf("CHIEF_CRON_SEED=%" PRIu64 "\n", random_state);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cron__fields),
        cmocka_unit_test(test_cron__forms_that_mean_the_same),
        cmocka_unit_test(test_cron__mistakes_are_told),
        cmocka_unit_test(test_cron__strictly_after),
        cmocka_unit_test(test_cron__either_day_when_both_leave_something_out),
        cmocka_unit_test(test_cron__leap_days_over_a_century),
        cmocka_unit_test(test_cron__a_skipped_time_comes_at_the_end_of_the_gap),
        cmocka_unit_test(test_cron__a_repeated_time_comes_once),
        cmocka_unit_test(test_cron__odd_changes),
        cmocka_unit_test(test_cron__refuses_what_it_can_not_answer),
        cmocka_unit_test(test_cron__every_minute_of_changes),
        cmocka_unit_test(test_cron__every_minute_of_months),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
