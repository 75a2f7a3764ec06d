/* Time zones: rules against the C library, files against what zic wrote and against bytes that are no file. */
#include <time.h>
#include <unistd.h>

#include "support.h"

#include "alloc.h"
#include "calendar.h"
#include "rulezone.h"
#include "zone.h"

#define DAY CHIEF__SECONDS_PER_DAY

static void use(const char *tz) {
    (void)setenv("TZ", tz, 1);
    tzset();
}

static int64_t offset_of_libc(int64_t time) {
    time_t t = (time_t)time;
    struct tm tm;
    assert_non_null(localtime_r(&t, &tm));
    return tm.tm_gmtoff;
}

/* Around each change and in between, the offset and the span's ends. */
static void agree(const chief_zone *zone, const char *tz, int64_t from, int64_t until) {
    use(tz);
    for (int64_t time = from; time < until;) {
        chief__span span = chief__zone_span(zone, time);
        assert_true(span.from <= time && span.until > time);
        if (span.offset != offset_of_libc(time)) fail_msg("%s at %lld: %d", tz, (long long)time, (int)span.offset);
        int64_t last = span.until - 1 < until ? span.until - 1 : until;
        if (span.offset != offset_of_libc(last)) fail_msg("%s before %lld", tz, (long long)last);
        for (int64_t between = time; between < last; between += (last - time) / 7 + 1)
            assert_int_equal(span.offset, offset_of_libc(between));
        chief__span next = chief__zone_span(zone, span.until == INT64_MAX ? time : span.until);
        if (span.until != INT64_MAX) assert_int_equal(next.before, span.offset);
        time = last + 1;
    }
    (void)unsetenv("TZ");
    tzset();
}

static void test_zone__a_rule_is_read_as_the_c_library_does(void **state) {
    (void)state;
    static const char *const rules[] = {"CET-1CEST,M3.5.0,M10.5.0/3",
                                        "EST5EDT,M3.2.0,M11.1.0",
                                        "EST5EDT",
                                        "UTC0",
                                        "<+0330>-3:30",
                                        "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1",
                                        "LHST-10:30LHDT-11,M10.1.0,M4.1.0",
                                        "NZST-12NZDT,M9.5.0,M4.1.0/3",
                                        "IST-1GMT0,M10.5.0,M3.5.0/1",
                                        "AAA3BBB,J60,J300/4",
                                        "AAA3BBB,59,299/1:30:30",
                                        "<-04>4<-03>,M9.1.6/24,M4.1.6/24"};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        chief_zone *zone;
        assert_int_equal(chief_zone_new(&zone, rules[i]), CHIEF_OK);
        agree(zone, rules[i], 0, (int64_t)80 * 365 * DAY);
        chief_zone_free(zone);
    }
}

static void test_zone__refuses_what_is_no_rule(void **state) {
    (void)state;
    static const char *const wrong[] = {"",
                                        "CET",
                                        "C1",
                                        "CET-1CEST,",
                                        "CET-25",
                                        "CET-1:60",
                                        "<CET",
                                        "<>1",
                                        "CET-1CE",
                                        "CET-1CEST,M3.5.0",
                                        "CET-1 ",
                                        "1CET",
                                        "CET-1CEST,M0.5.0,M10.5.0",
                                        "CET-1CEST,M3.6.0,M10.5.0",
                                        "CET-1CEST,M3.5.7,M10.5.0",
                                        "CET-1CEST,J0,J5",
                                        "CET-1CEST,J366,J5",
                                        "CET-1CEST,366,5",
                                        "CET-1CEST,M3.5.0/168,M10.5.0",
                                        "CET-1CEST,M3.5.0,M10.5.0x",
                                        "CET-1:",
                                        "CET99999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        chief_zone *zone = (chief_zone *)8;
        if (chief__zone_of_rule(&zone, wrong[i], strlen(wrong[i])) != CHIEF_EINVAL) fail_msg("took \"%s\"", wrong[i]);
        assert_null(zone);
    }
    support_says("is neither a zone's name nor a rule");
}

/* Summer for the whole year, as a rule may say it: no change is ever seen. */
static void test_zone__a_summer_that_never_ends(void **state) {
    (void)state;
    chief_zone *zone;
    assert_int_equal(chief_zone_new(&zone, "AAA3BBB,0/0,J365/25"), CHIEF_OK);
    for (int64_t time = 0; time < (int64_t)20 * 365 * DAY; time += 3600 * 7) {
        chief__span span = chief__zone_span(zone, time);
        assert_int_equal(span.offset, -2 * 3600);
        assert_int_equal(span.before, span.offset);
        assert_true(span.from <= time && span.until > time);
    }
    chief_zone_free(zone);
}

/* ---- names ---- */

static void test_zone__names_that_are_none(void **state) {
    (void)state;
    static const char *const unknown[] = {"Europe/Berln", "Europe", "nosuch"};
    static const char *const odd[] = {"../../etc/passwd", "/etc/localtime", "a b", ""};
    chief_zone *zone;
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        assert_int_equal(chief_zone_new(&zone, unknown[i]), CHIEF_ENOENT);
        support_says("no time zone is called \"");
        support_says(unknown[i]);
        assert_null(zone);
    }
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        assert_int_equal(chief_zone_new(&zone, odd[i]), CHIEF_EINVAL);
        support_says("neither a zone's name nor a rule");
    }
    assert_int_equal(chief_zone_new(NULL, "UTC"), CHIEF_EINVAL);
    chief_zone_free(NULL);
}

static void test_zone__the_systems_own(void **state) {
    (void)state;
    chief_zone *zone;
    static const struct {
        const char *tz;
        int32_t offset;
    } given[] = {{"AAA-5", 5 * 3600}, {":AAA-5", 5 * 3600}, {"", 0}, {"nosuch", 0}, {"/nosuch", 0}, {"UTC", 0}};
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        (void)setenv("TZ", given[i].tz, 1);
        assert_int_equal(chief_zone_new(&zone, NULL), CHIEF_OK);
        assert_int_equal(chief__zone_span(zone, 0).offset, given[i].offset);
        chief_zone_free(zone);
    }
    (void)unsetenv("TZ");
    assert_int_equal(chief_zone_new(&zone, NULL), CHIEF_OK);
    tzset();
    int64_t now = chief__wall_ms() / 1000;
    assert_int_equal(chief__zone_span(zone, now).offset, offset_of_libc(now));
    chief_zone_free(zone);
}

static void test_zone__text(void **state) {
    (void)state;
    char text[64];
    chief_zone *zone;
    assert_int_equal(chief_zone_text(NULL, 0, text, sizeof text), 25);
    assert_string_equal(text, "1970-01-01T00:00:00+00:00");
    assert_int_equal(chief_zone_text(NULL, -1, text, 11), 25);
    assert_string_equal(text, "1969-12-31");
    assert_int_equal(chief_zone_text(NULL, 0, NULL, 0), 25);
    assert_int_equal(chief_zone_new(&zone, "CET-1CEST,M3.5.0,M10.5.0/3"), CHIEF_OK);
    (void)chief_zone_text(zone, INT64_C(1774746000000) - 1000, text, sizeof text);
    assert_string_equal(text, "2026-03-29T01:59:59+01:00");
    (void)chief_zone_text(zone, INT64_C(1774746000000), text, sizeof text);
    assert_string_equal(text, "2026-03-29T03:00:00+02:00");
    chief_zone_free(zone);
    assert_int_equal(chief_zone_new(&zone, "AAA3:30"), CHIEF_OK);
    (void)chief_zone_text(zone, 0, text, sizeof text);
    assert_string_equal(text, "1969-12-31T20:30:00-03:30");
    chief_zone_free(zone);
}

/* ---- files ---- */

static void test_zone__files_are_read_as_the_c_library_does(void **state) {
    (void)state;
    static const char *const names[] = {"Europe/Berlin", "America/New_York",  "Australia/Lord_Howe",
                                        "Pacific/Apia",  "America/Sao_Paulo", "Africa/Casablanca",
                                        "Asia/Kolkata",  "Europe/Dublin",     "America/Nuuk",
                                        "Asia/Tehran",   "Antarctica/Troll",  "Etc/GMT+5"};
    size_t found = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        chief_zone *zone;
        if (chief_zone_new(&zone, names[i]) != CHIEF_OK) continue;
        agree(zone, names[i], (int64_t)-40 * 365 * DAY, (int64_t)100 * 365 * DAY);
        chief_zone_free(zone);
        found++;
    }
    if (found == 0) skip(); /* a system without zones */
}

/* A file of one version, with a change to +2 h at 1000 and back at 2000, and a rule after them. */
typedef struct made {
    char bytes[512];
    size_t len;
} made;

static void put(made *m, const void *bytes, size_t len) {
    memcpy(m->bytes + m->len, bytes, len);
    m->len += len;
}

static void put_number(made *m, int64_t n, size_t size) {
    for (size_t i = size; i > 0; i--) {
        char byte = (char)((uint64_t)n >> (8 * (i - 1)));
        put(m, &byte, 1);
    }
}

static void put_part(made *m, char version, size_t time_size, int64_t second) {
    char head[16] = {version};
    put(m, "TZif", 4);
    put(m, head, 16);
    static const uint32_t counts[] = {0, 0, 0, 2, 2, 8};
    for (size_t i = 0; i < 6; i++) put_number(m, counts[i], 4);
    put_number(m, 1000, time_size);
    put_number(m, second, time_size);
    put(m, "\1\0", 2);
    put_number(m, 3600, 4);
    put(m, "\0\0", 2);
    put_number(m, 7200, 4);
    put(m, "\1\4", 2);
    put(m, "CET\0CES\0", 8);
}

static made make_file(char version, const char *footer) {
    made m = {.len = 0};
    put_part(&m, version, 4, 2000);
    if (version == '\0') return m;
    put_part(&m, version, 8, 2000);
    put(&m, footer, strlen(footer));
    return m;
}

static void test_zone__both_versions_of_a_file(void **state) {
    (void)state;
    static const char *const footers[] = {"\n\n", "\nCET-1\n", "\nCET-1CEST,M3.5.0,M10.5.0/3\n"};
    for (size_t i = 0; i <= 3; i++) {
        chief_zone *zone;
        made m = i == 3 ? make_file('\0', "") : make_file('2', footers[i]);
        assert_int_equal(chief__zone_of_file(&zone, m.bytes, m.len, "test"), CHIEF_OK);
        assert_int_equal(chief__zone_span(zone, 999).offset, 3600);
        chief__span summer = chief__zone_span(zone, 1000);
        assert_int_equal(summer.offset, 7200);
        assert_int_equal(summer.before, 3600);
        assert_int_equal(summer.from, 1000);
        assert_int_equal(summer.until, 2000);
        chief__span after = chief__zone_span(zone, 2000);
        assert_int_equal(after.offset, 3600);
        assert_int_equal(after.before, 7200);
        if (i < 2 || i == 3) assert_int_equal(after.until, INT64_MAX);
        else assert_int_equal(chief__zone_span(zone, INT64_C(1774746000)).offset, 7200);
        chief_zone_free(zone);
    }
}

static void test_zone__a_file_that_is_none(void **state) {
    (void)state;
    chief_zone *zone;
    made m = make_file('2', "\nCET-1CEST,M3.5.0,M10.5.0/3\n");
    for (size_t len = 0; len < m.len; len++)
        if (chief__zone_of_file(&zone, m.bytes, len, "test") != CHIEF_EDATA) fail_msg("took %zu bytes", len);
    support_says("the zone file of test is malformed");
    /* Each byte in turn: an error or a zone that answers, nothing else. */
    for (size_t i = 0; i < m.len; i++)
        for (int value = 0; value < 256; value += 5) {
            made changed = m;
            changed.bytes[i] = (char)value;
            if (chief__zone_of_file(&zone, changed.bytes, changed.len, "test") != CHIEF_OK) continue;
            for (int64_t time = -4000; time < 4000; time += 500) {
                chief__span span = chief__zone_span(zone, time);
                assert_true(span.from <= time && span.until > time);
            }
            chief_zone_free(zone);
        }
    m = make_file('2', "\nCET-1\n");
    m.bytes[31] = 1; /* a leap second in the first part, which is only skipped: its size is wrong then */
    assert_int_equal(chief__zone_of_file(&zone, m.bytes, m.len, "test"), CHIEF_EDATA);
    m = make_file('\0', "");
    m.bytes[31] = 1;
    put(&m, "12345678", 8);
    assert_int_equal(chief__zone_of_file(&zone, m.bytes, m.len, "test"), CHIEF_EDATA);
    support_says("counts leap seconds");
}

static int make_zone(void) {
    chief_zone *zone;
    made m = make_file('2', "\nCET-1\n");
    int rc = chief__zone_of_file(&zone, m.bytes, m.len, "test");
    chief_zone_free(zone);
    if (rc == CHIEF_OK) rc = chief_zone_new(&zone, "CET-1CEST");
    chief_zone_free(zone);
    return rc;
}

static void test_zone__out_of_memory(void **state) {
    (void)state;
    assert_int_equal(support_out_of_memory(make_zone), 8);
}

/* ---- reading files (plat.c) ---- */

static void test_zone__reading_a_file(void **state) {
    (void)state;
    char path[] = "/tmp/chief-zone-XXXXXX";
    char *bytes;
    size_t len;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "hello", 5), 5);
    (void)close(fd);
    assert_int_equal(chief__read_file(path, 5, &bytes, &len), CHIEF_OK);
    assert_int_equal(len, 5);
    assert_memory_equal(bytes, "hello", 5);
    chief__free(bytes);
    assert_int_equal(chief__read_file(path, 4, &bytes, &len), CHIEF_EDATA);
    support_says("has more than 4 bytes");
    assert_null(bytes);
    (void)unlink(path);
    assert_int_equal(chief__read_file(path, 5, &bytes, &len), CHIEF_ENOENT);
    assert_int_equal(chief__read_file("/tmp", 5, &bytes, &len), CHIEF_ENOENT);
    assert_int_equal(chief__read_file("/dev/null/x", 5, &bytes, &len), CHIEF_ENOENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zone__a_rule_is_read_as_the_c_library_does),
        cmocka_unit_test(test_zone__refuses_what_is_no_rule),
        cmocka_unit_test(test_zone__a_summer_that_never_ends),
        cmocka_unit_test(test_zone__names_that_are_none),
        cmocka_unit_test(test_zone__the_systems_own),
        cmocka_unit_test(test_zone__text),
        cmocka_unit_test(test_zone__files_are_read_as_the_c_library_does),
        cmocka_unit_test(test_zone__both_versions_of_a_file),
        cmocka_unit_test(test_zone__a_file_that_is_none),
        cmocka_unit_test(test_zone__out_of_memory),
        cmocka_unit_test(test_zone__reading_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
