#include "schedule.h"

#include "err.h"

#define LOOK_MS 60000                         /* between two looks at a wall clock, which may jump */
#define JUMP_MS (60 * 60000)                  /* from here on a clock that was put back is followed */
#define EVERY_MOST_MS INT64_C(31622400000000) /* a thousand years: sums of it fit */

/* ---- reading ---- */

static int read_cron(chief__schedule *out, const chief_schedule *s) {
    int rc = chief_cron_parse(s->cron, &out->cron);
    return rc == CHIEF_OK ? chief_zone_new(&out->zone, s->tz) : rc;
}

int chief__schedule_read(chief__schedule *out, const chief_schedule *given, const char *worker) {
    chief_schedule s;
    *out = (chief__schedule){0};
    int rc = chief__options_read(&s, sizeof s, given, "chief_schedule");
    if (rc != CHIEF_OK) return rc;
    if (s.every < 0 || s.every > EVERY_MOST_MS)
        return chief__fail(CHIEF_EINVAL, "worker %s: every should be 1 ms to a thousand years", worker);
    if ((s.every != 0) == (s.cron != NULL))
        return chief__fail(CHIEF_EINVAL, "worker %s: a schedule has either every or cron", worker);
    if (s.cron == NULL && s.tz != NULL) return chief__fail(CHIEF_EINVAL, "worker %s: tz is for cron", worker);
    if (s.cron != NULL && s.later != 0) return chief__fail(CHIEF_EINVAL, "worker %s: later is for every", worker);
    out->every = s.every;
    out->later = s.later != 0;
    return s.cron != NULL ? read_cron(out, &s) : CHIEF_OK;
}

void chief__schedule_fini(chief__schedule *schedule) {
    chief_zone_free(schedule->zone);
    schedule->zone = NULL;
}

/* ---- going by it ---- */

static void cron_after(chief__rota *rota, int64_t wall) {
    const chief__schedule *s = rota->schedule;
    if (chief_cron_next(&s->cron, s->zone, wall, &rota->due) != CHIEF_OK) rota->due = INT64_MAX;
}

void chief__rota_begin(chief__rota *rota, const chief__schedule *schedule, chief__clocks at) {
    rota->schedule = schedule;
    rota->seen = at.wall;
    if (schedule->every == 0) cron_after(rota, at.wall);
    else rota->due = at.now + (schedule->later ? schedule->every : 0);
}

/* Whether the wall clock was put back so far that its new time counts. */
static bool put_back(chief__rota *rota, int64_t wall) {
    bool far = wall <= rota->seen - JUMP_MS;
    if (far || wall > rota->seen) rota->seen = wall;
    return far;
}

int64_t chief__rota_wait(chief__rota *rota, chief__clocks at) {
    bool by_cron = rota->schedule->every == 0;
    if (by_cron && put_back(rota, at.wall)) cron_after(rota, at.wall);
    int64_t left = rota->due - (by_cron ? at.wall : at.now);
    if (left <= 0) return 0;
    return by_cron && left > LOOK_MS ? LOOK_MS : left;
}

/* The times of `every` that a run took too long for are left out; one that is due at this moment is not. */
static void every_after(chief__rota *rota, int64_t now) {
    int64_t every = rota->schedule->every;
    rota->due += every;
    if (rota->due < now) rota->due += (now - rota->due + every - 1) / every * every;
}

void chief__rota_ran(chief__rota *rota, chief__clocks at) {
    if (rota->schedule->every != 0) every_after(rota, at.now);
    else if (put_back(rota, at.wall)) cron_after(rota, at.wall);
    else cron_after(rota, at.wall > rota->due ? at.wall : rota->due);
}
