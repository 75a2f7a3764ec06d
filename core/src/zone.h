/*
 * zone: what clocks show in a time zone, from the bytes of a TZif file (RFC 8536) or a POSIX rule. Pure: files are read by
 * zone_file.c. Trusts none of its bytes.
 */
#ifndef CHIEF_ZONE_H
#define CHIEF_ZONE_H

#include <stdbool.h>

#include "chief.h"

#pragma GCC visibility push(hidden)

/* Seconds since 1970 in which clocks go by one offset: from `from` (INT64_MIN: always) to before `until` (INT64_MAX: for
 * ever). `before` is the offset until `from`. Offsets are seconds east of UTC. */
typedef struct chief__span {
    int64_t from;
    int64_t until;
    int32_t offset;
    int32_t before;
} chief__span;

/* The span that a time is in; `zone` NULL is UTC. */
chief__span chief__zone_span(const chief_zone *zone, int64_t time);

/* `what` names the zone in the text of an error. CHIEF_EDATA for malformed bytes, CHIEF_ENOMEM. */
int chief__zone_of_file(chief_zone **out, const char *given, size_t len, const char *what);

/* CHIEF_EINVAL for what is no rule, CHIEF_ENOMEM. */
int chief__zone_of_rule(chief_zone **out, const char *text, size_t len);

#pragma GCC visibility pop
#endif
