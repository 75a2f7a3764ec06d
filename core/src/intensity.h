/*
 * intensity: how often something may happen within a window of time that slides. Times are given; it has no clock. Room is
 * made in advance, so that counting cannot fail.
 */
#ifndef CHIEF_INTENSITY_H
#define CHIEF_INTENSITY_H

#include <stdbool.h>

#include "chief.h"

#pragma GCC visibility push(hidden)

enum { CHIEF__INTENSITY_MOST = 65536 };

/* Zeroed has no limit. */
typedef struct chief__intensity {
    int64_t *times; /* the last `most` of them, a ring */
    int64_t window; /* ms */
    uint32_t most;
    uint32_t len;
    uint32_t next; /* where the next time goes: the oldest, once it is full */
    bool limited;
} chief__intensity;

/* `most` times within `window` ms are let pass; a negative one is no limit. CHIEF_ENOMEM leaves it zeroed. */
int chief__intensity_init(chief__intensity *in, int64_t most, int64_t window);
void chief__intensity_fini(chief__intensity *in);

/* Once more, at `now`: false when that is once too often. One exactly `window` after the oldest still counts. */
bool chief__intensity_allows(chief__intensity *in, int64_t now);

/* What was is forgotten. */
void chief__intensity_clear(chief__intensity *in);

#pragma GCC visibility pop
#endif
