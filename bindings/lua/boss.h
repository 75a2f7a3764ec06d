/*
 * boss: the chief itself in Lua, one method for each function. (Not chief.h, which is the core's.)
 */
#ifndef CHIEF_LUA_BOSS_H
#define CHIEF_LUA_BOSS_H

#include <lua.h>

#pragma GCC visibility push(hidden)

/* In Lua: chief(options). */
int chief__lua_chief(lua_State *L);

#pragma GCC visibility pop
#endif
