/* When a scheduled worker runs again, with clocks that the test winds. */
#include <time.h>

#include "support.h"

#include "schedule.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

static chief__schedule read(const chief_schedule *given) {
    chief__schedule s;
    if (chief__schedule_read(&s, given, "a") != CHIEF_OK) fail_msg("%s", chief_last_error());
    return s;
}

static int64_t wall_of(int year, int month, int day, int hour, int minute) {
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute};
    return (int64_t)timegm(&tm) * 1000;
}

static chief__clocks at(int64_t now, int64_t wall) { return (chief__clocks){now, wall}; }

/* ---- every ---- */

static void test_schedule__every_is_drift_free(void **state) {
    (void)state;
    const chief_schedule given = {.size = sizeof given, .every = 100};
    chief__schedule s = read(&given);
    chief__rota r;
    chief__rota_begin(&r, &s, at(1000, 0));
    for (int64_t k = 0; k < 50; k++) {
        int64_t begun = 1000 + 100 * k + k % 7; /* a thread that comes late */
        assert_int_equal(chief__rota_wait(&r, at(begun, 0)), 0);
        chief__rota_ran(&r, at(begun + 30, 0));
        assert_int_equal(chief__rota_wait(&r, at(begun + 30, 0)), 70 - k % 7);
    }
}

static void test_schedule__every_may_begin_later(void **state) {
    (void)state;
    const chief_schedule given = {.size = sizeof given, .every = 100, .later = 1};
    chief__schedule s = read(&given);
    chief__rota r;
    chief__rota_begin(&r, &s, at(1000, 0));
    assert_int_equal(chief__rota_wait(&r, at(1000, 0)), 100);
    assert_int_equal(chief__rota_wait(&r, at(1099, 0)), 1);
    assert_int_equal(chief__rota_wait(&r, at(1100, 0)), 0);
}

static void test_schedule__a_long_run_leaves_times_out(void **state) {
    (void)state;
    static const int64_t took[][2] = {{99, 1}, {100, 0}, {101, 99}, {199, 1}, {200, 0}, {201, 99}, {1050, 50}};
    for (size_t i = 0; i < sizeof took / sizeof took[0]; i++) {
        const chief_schedule given = {.size = sizeof given, .every = 100};
        chief__schedule s = read(&given);
        chief__rota r;
        chief__rota_begin(&r, &s, at(1000, 0));
        chief__rota_ran(&r, at(1000 + took[i][0], 0));
        assert_int_equal(chief__rota_wait(&r, at(1000 + took[i][0], 0)), took[i][1]);
    }
}

static void test_schedule__every_knows_no_wall_clock(void **state) {
    (void)state;
    const chief_schedule given = {.size = sizeof given, .every = 100};
    chief__schedule s = read(&given);
    chief__rota r;
    chief__rota_begin(&r, &s, at(1000, 5 * HOUR));
    chief__rota_ran(&r, at(1010, 0));
    assert_int_equal(chief__rota_wait(&r, at(1010, -9 * HOUR)), 90);
    assert_int_equal(chief__rota_wait(&r, at(1100, 99 * HOUR)), 0);
}

/* ---- cron ---- */

typedef struct winding {
    chief__schedule s;
    chief__rota r;
    int64_t wall;
} winding;

static void begin(winding *c, const char *cron, const char *tz, int64_t wall) {
    const chief_schedule given = {.size = sizeof given, .cron = cron, .tz = tz};
    c->s = read(&given);
    c->wall = wall;
    chief__rota_begin(&c->r, &c->s, at(0, wall));
}

/* Waits as a worker does until it is to run; how long that took on the wall clock. */
static int64_t wait(winding *c) {
    int64_t begun = c->wall;
    for (int64_t ms; (ms = chief__rota_wait(&c->r, at(0, c->wall))) > 0; c->wall += ms) assert_true(ms <= MINUTE);
    return c->wall - begun;
}

static void ran(winding *c, int64_t took) {
    c->wall += took;
    chief__rota_ran(&c->r, at(0, c->wall));
}

static void test_schedule__cron_waits_in_looks_of_a_minute(void **state) {
    (void)state;
    winding c;
    int64_t noon = wall_of(2026, 5, 1, 12, 0);
    begin(&c, "0 * * * *", "UTC", noon - 90 * SECOND);
    assert_int_equal(chief__rota_wait(&c.r, at(0, c.wall)), MINUTE);
    assert_int_equal(wait(&c), 90 * SECOND);
    assert_int_equal(c.wall, noon);
    ran(&c, 5 * SECOND);
    assert_int_equal(wait(&c), HOUR - 5 * SECOND);
    chief__schedule_fini(&c.s);
}

static void test_schedule__cron_makes_up_once_for_what_a_run_covered(void **state) {
    (void)state;
    winding c;
    int64_t noon = wall_of(2026, 5, 1, 12, 0);
    begin(&c, "* * * * *", "UTC", noon - 1);
    assert_int_equal(wait(&c), 1);
    ran(&c, 10 * MINUTE + SECOND); /* ten times went by */
    assert_int_equal(wait(&c), MINUTE - SECOND);
    ran(&c, MINUTE);
    assert_int_equal(wait(&c), MINUTE); /* the one of that very moment is not run right after */
    chief__schedule_fini(&c.s);
}

static void test_schedule__cron_after_a_jump_forward(void **state) {
    (void)state;
    winding c;
    int64_t noon = wall_of(2026, 5, 1, 12, 0);
    begin(&c, "0 * * * *", "UTC", noon);
    assert_int_equal(chief__rota_wait(&c.r, at(0, c.wall)), MINUTE);
    c.wall += 5 * HOUR + 20 * MINUTE; /* five times were jumped over */
    assert_int_equal(wait(&c), 0);
    ran(&c, SECOND);
    assert_int_equal(wait(&c), 40 * MINUTE - SECOND);
    chief__schedule_fini(&c.s);
}

static void test_schedule__cron_after_a_small_jump_back(void **state) {
    (void)state;
    winding c;
    int64_t noon = wall_of(2026, 5, 1, 12, 0);
    begin(&c, "0 * * * *", "UTC", noon - SECOND);
    assert_int_equal(wait(&c), SECOND);
    c.wall -= 2 * SECOND; /* set right while it ran: noon comes again */
    ran(&c, 0);
    assert_int_equal(wait(&c), HOUR + 2 * SECOND);
    assert_int_equal(c.wall, noon + HOUR);
    c.wall -= 59 * MINUTE; /* while it waits */
    ran(&c, 0);
    assert_int_equal(wait(&c), HOUR + 59 * MINUTE);
    chief__schedule_fini(&c.s);
}

static void test_schedule__cron_after_a_long_jump_back(void **state) {
    (void)state;
    winding c;
    int64_t noon = wall_of(2026, 5, 10, 12, 0);
    begin(&c, "0 12 * * *", "UTC", noon);
    assert_int_equal(chief__rota_wait(&c.r, at(0, c.wall)), MINUTE);
    c.wall = wall_of(2026, 5, 1, 11, 0);
    assert_int_equal(wait(&c), HOUR);     /* noon of 1 May, not of 11 May */
    c.wall = wall_of(2026, 4, 1, 11, 30); /* while it ran */
    ran(&c, 0);
    assert_int_equal(wait(&c), 30 * MINUTE);
    chief__schedule_fini(&c.s);
}

static void test_schedule__a_jump_back_of_an_hour_is_a_long_one(void **state) {
    (void)state;
    winding c;
    int64_t noon = wall_of(2026, 5, 10, 12, 0);
    begin(&c, "*/30 * * * *", "UTC", noon);
    c.wall = noon - HOUR + 1;
    assert_int_equal(wait(&c), HOUR + 30 * MINUTE - 1);
    chief__schedule_fini(&c.s);
    begin(&c, "*/30 * * * *", "UTC", noon);
    c.wall = noon - HOUR;
    assert_int_equal(wait(&c), 30 * MINUTE);
    chief__schedule_fini(&c.s);
}

/* Clocks that are put forward and back for summer are no jumps: the wall clock of the system does not move. */
static void test_schedule__cron_in_a_zone(void **state) {
    (void)state;
    winding c;
    begin(&c, "30 2 * * *", "CET-1CEST,M3.5.0,M10.5.0/3", wall_of(2026, 3, 28, 12, 0));
    (void)wait(&c);
    assert_int_equal(c.wall, wall_of(2026, 3, 29, 1, 0));
    ran(&c, SECOND);
    (void)wait(&c);
    assert_int_equal(c.wall, wall_of(2026, 3, 30, 0, 30));
    chief__schedule_fini(&c.s);
}

static void test_schedule__a_time_that_does_not_come_again(void **state) {
    (void)state;
    winding c;
    begin(&c, "* * * * *", "UTC", wall_of(9999, 12, 31, 23, 59) + 59 * SECOND);
    assert_int_equal(c.r.due, INT64_MAX);
    assert_int_equal(chief__rota_wait(&c.r, at(0, c.wall)), MINUTE);
    chief__schedule_fini(&c.s);
}

/* ---- reading ---- */

static void test_schedule__mistakes_are_told(void **state) {
    (void)state;
    static const struct {
        chief_schedule given;
        const char *says;
    } wrong[] = {
        {{.size = 0}, "chief_schedule: size is not set"},
        {{.size = sizeof(chief_schedule)}, "worker a: a schedule has either every or cron"},
        {{.size = sizeof(chief_schedule), .every = 5, .cron = "* * * * *"}, "either every or cron"},
        {{.size = sizeof(chief_schedule), .every = -5}, "every should be 1 ms to a thousand years"},
        {{.size = sizeof(chief_schedule), .every = INT64_MAX}, "every should be 1 ms to a thousand years"},
        {{.size = sizeof(chief_schedule), .every = 5, .tz = "UTC"}, "tz is for cron"},
        {{.size = sizeof(chief_schedule), .later = 1, .cron = "* * * * *"}, "later is for every"},
        {{.size = sizeof(chief_schedule), .cron = "* * * *"}, "should have five fields"},
        {{.size = sizeof(chief_schedule), .cron = "* * * * *", .tz = "Mars"}, "no time zone is called \"Mars\""},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        chief__schedule s;
        assert_true(chief__schedule_read(&s, &wrong[i].given, "a") < 0);
        support_says(wrong[i].says);
        chief__schedule_fini(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedule__every_is_drift_free),
        cmocka_unit_test(test_schedule__every_may_begin_later),
        cmocka_unit_test(test_schedule__a_long_run_leaves_times_out),
        cmocka_unit_test(test_schedule__every_knows_no_wall_clock),
        cmocka_unit_test(test_schedule__cron_waits_in_looks_of_a_minute),
        cmocka_unit_test(test_schedule__cron_makes_up_once_for_what_a_run_covered),
        cmocka_unit_test(test_schedule__cron_after_a_jump_forward),
        cmocka_unit_test(test_schedule__cron_after_a_small_jump_back),
        cmocka_unit_test(test_schedule__cron_after_a_long_jump_back),
        cmocka_unit_test(test_schedule__a_jump_back_of_an_hour_is_a_long_one),
        cmocka_unit_test(test_schedule__cron_in_a_zone),
        cmocka_unit_test(test_schedule__a_time_that_does_not_come_again),
        cmocka_unit_test(test_schedule__mistakes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
