/*
 * cron: the times of cron expressions, in Lua.
 */
#ifndef CHIEF_LUA_CRON_H
#define CHIEF_LUA_CRON_H

#include <lua.h>

#pragma GCC visibility push(hidden)

/* In Lua: cron_times(cron [, tz [, from [, n]]]). */
int chief__lua_cron_times(lua_State *L);

#pragma GCC visibility pop
#endif
