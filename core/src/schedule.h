/*
 * schedule: when a worker that does not run all the time is to run again. Pure: it is told what the clocks show.
 */
#ifndef CHIEF_SCHEDULE_H
#define CHIEF_SCHEDULE_H

#include <stdbool.h>

#include "chief.h"

#pragma GCC visibility push(hidden)

/* What all lives of a worker share; const after it was read. */
typedef struct chief__schedule {
    int64_t every; /* ms; 0: by `cron` */
    bool later;
    chief_cron cron;
    chief_zone *zone;
} chief__schedule;

/* What the clocks show, in ms: the monotonic one, and the wall clock since 1970. */
typedef struct chief__clocks {
    int64_t now;
    int64_t wall;
} chief__clocks;

/* One life's place in its schedule. */
typedef struct chief__rota {
    const chief__schedule *schedule;
    int64_t due;  /* of `now`, or with cron of `wall`; INT64_MAX: never again */
    int64_t seen; /* the wall clock at the last look */
} chief__rota;

/* Reads what a person gave. CHIEF_EINVAL, and the errors of chief_cron_parse and chief_zone_new. */
int chief__schedule_read(chief__schedule *out, const chief_schedule *given, const char *worker);
void chief__schedule_fini(chief__schedule *schedule);

void chief__rota_begin(chief__rota *rota, const chief__schedule *schedule, chief__clocks at);

/* How long to wait before the next look, at most a minute with cron; 0: run now. */
int64_t chief__rota_wait(chief__rota *rota, chief__clocks at);

/* A run is over: on to the next time. */
void chief__rota_ran(chief__rota *rota, chief__clocks at);

#pragma GCC visibility pop
#endif
