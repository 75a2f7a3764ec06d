/*
 * event: the bounded ring in which a chief tells its host what happened. When nobody reads, the oldest give way and are
 * counted. Reference-counted.
 */
#ifndef CHIEF_EVENT_H
#define CHIEF_EVENT_H

#include "chief.h"

#pragma GCC visibility push(hidden)

typedef struct chief__events chief__events;

int chief__events_new(chief__events **out, uint32_t capacity);
void chief__events_unref(chief__events *ring);

/* The least level that is kept; at first everything is. An event that is on its way meanwhile goes by either. */
void chief__events_set_level(chief__events *ring, int32_t level);

/* Copies the event with its texts (NULL ones as "") unless it is below the level. Never fails: what can't be kept is
 * counted. */
void chief__events_push(chief__events *ring, const chief_event *event);

/* News that never came to be an event. */
void chief__events_count_dropped(chief__events *ring, uint64_t n);

/* No more will come: takers get what is there, then CHIEF_ECLOSED. */
void chief__events_close(chief__events *ring);

int chief__events_take(chief__events *ring, chief_event **out, size_t max, int64_t timeout_ms, size_t *n);
uint64_t chief__events_dropped(chief__events *ring);
int chief__events_fd(chief__events *ring);

#pragma GCC visibility pop
#endif
