/*
 * watch: the watchdog. A worker that has one may be no longer than that between two calls of the chief's; time inside one
 * does not count. One thread of the process looks at the counters of those that run (life.h), forty times in the shortest
 * of their times; it is there while such a worker is. One that stalls is interrupted; when that does not end it in a moment
 * the chief is told, which abandons it or kills its process.
 */
#ifndef CHIEF_LUA_WATCH_H
#define CHIEF_LUA_WATCH_H

#include "life.h"

#pragma GCC visibility push(hidden)

/* Around the time in which a life is in the list; `ms` is more than 0. CHIEF_ESYS when there can be no thread; then there is
 * nothing to close. */
int chief__lua_watch_open(chief__lua_life *life, int64_t ms);
void chief__lua_watch_close(chief__lua_life *life);

/* A life has been entered, and its time begins. A fiber that goes on does not say so. */
void chief__lua_watch_begin(chief__lua_life *life);

#pragma GCC visibility pop
#endif
