/*
 * Cron expressions, and the zones whose clocks they go by: a line with the expression, then a zone as a rule or as the bytes of
 * a file. The times that come out are checked minute by minute against what the fields name.
 */
#include <stdbool.h>
#include <string.h>

#include "calendar.h"
#include "fuzz.h"
#include "zone.h"

#define MINUTES_CHECKED 3000
#define MINUTE INT64_C(60000)
#define YEAR_9999 INT64_C(253402300799000) /* its last second */

/* In the order in which they are looked at; in ms since 1970: an ordinary time, before summer time, before its end, a leap
 * day, the first years and the last. */
static const int64_t times[] = {INT64_C(1700000000000),
                                INT64_C(1774742340000),
                                INT64_C(1792889940000),
                                INT64_C(951825600000),
                                INT64_C(0),
                                INT64_C(-62135596800000) + 1,
                                INT64_C(253402300740000),
                                INT64_MAX,
                                INT64_MIN};

/* Written down anew from the manual, not from the code. */
static bool is_named(const chief_cron *cron, int64_t ms) {
    int64_t minute = ms / MINUTE;
    int64_t day = chief__floor_div(minute, 1440);
    chief__date date = chief__date_of_day(day);
    bool of_month = cron->days >> date.day & 1;
    bool of_week = cron->weekdays >> chief__weekday_of_day(day) & 1;
    bool either = cron->days != 0xfffffffe && cron->weekdays != 0x7f;
    return (cron->minutes >> chief__floor_mod(minute, 60) & 1) != 0 &&
           (cron->hours >> chief__floor_mod(minute, 1440) / 60 & 1) != 0 && (cron->months >> date.month & 1) != 0 &&
           (either ? of_month || of_week : of_month && of_week);
}

/* Where clocks do not change. */
static void check_minutes(const chief_cron *cron, int64_t after, int64_t next) {
    MUST(next % MINUTE == 0 && is_named(cron, next));
    int64_t minute = chief__floor_div(after, MINUTE) * MINUTE + MINUTE;
    for (int i = 0; i < MINUTES_CHECKED && minute < next; i++, minute += MINUTE) MUST(!is_named(cron, minute));
}

/* Times ascend, and from any time between two of them the later one is found. */
static void check_times(const chief_cron *cron, const chief_zone *zone) {
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        int64_t after = times[i];
        for (int n = 0; n < 4; n++) {
            int64_t next;
            int64_t again;
            int rc = chief_cron_next(cron, zone, after, &next);
            MUST(rc == CHIEF_OK || rc == CHIEF_EINVAL || rc == CHIEF_ENOENT);
            MUST(rc == CHIEF_OK || (next == 0 && chief_last_error()[0] != '\0'));
            if (rc != CHIEF_OK) break;
            MUST(next > after && next % 1000 == 0);
            if (zone == NULL) check_minutes(cron, after, next);
            rc = chief_cron_next(cron, zone, next - 1, &again);
            MUST(rc == CHIEF_OK ? again == next : next > YEAR_9999); /* which can be an answer and no question */
            after = next;
        }
    }
}

/* Spans cover all time without a gap. */
static void check_zone(const chief_zone *zone) {
    char text[64];
    for (size_t i = 0; i + 2 < sizeof times / sizeof *times; i++) {
        int64_t time = times[i] / 1000;
        for (int n = 0; n < 6; n++) {
            chief__span span = chief__zone_span(zone, time);
            MUST(span.from <= time && time < span.until);
            MUST(span.offset > -26 * 3600 && span.offset < 27 * 3600);
            if (span.until == INT64_MAX) break;
            MUST(chief__zone_span(zone, span.until).from == span.until);
            time = span.until;
        }
        MUST(chief_zone_text(zone, times[i], text, sizeof text) < sizeof text);
    }
}

static chief_zone *read_zone(const uint8_t *data, size_t size) {
    chief_zone *zone;
    int rc = size > 3 && memcmp(data, "TZif", 4) == 0 ? chief__zone_of_file(&zone, (const char *)data, size, "fuzz")
                                                      : chief__zone_of_rule(&zone, (const char *)data, size);
    MUST(rc == CHIEF_OK ? zone != NULL : zone == NULL && chief_last_error()[0] != '\0');
    return zone;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[512];
    chief_cron cron;
    const uint8_t *line = memchr(data, '\n', size);
    size_t len = line != NULL ? (size_t)(line - data) : size;
    if (len >= sizeof text) len = sizeof text - 1;
    memcpy(text, data, len);
    text[len] = '\0';
    int rc = chief_cron_parse(text, &cron);
    MUST(rc == CHIEF_OK || (rc == CHIEF_EINVAL && cron.minutes == 0 && strstr(chief_last_error(), "cron") != NULL));
    if (rc == CHIEF_OK) check_times(&cron, NULL);
    if (line == NULL) return 0;
    chief_zone *zone = read_zone(line + 1, (size_t)(data + size - line) - 1);
    if (zone != NULL) check_zone(zone);
    if (zone != NULL && rc == CHIEF_OK) check_times(&cron, zone);
    chief_zone_free(zone);
    return 0;
}
