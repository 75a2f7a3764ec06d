/*
 * boss: the chief itself in Lua, one method for each function. (Not chief.h, which is the core's.)
 */
#ifndef CHIEF_LUA_BOSS_H
#define CHIEF_LUA_BOSS_H

#include <chief.h>
#include <lua.h>

#pragma GCC visibility push(hidden)

/* In Lua: chief(options). */
int chief__lua_chief(lua_State *L);

/* The options in the table (or nil) at 1, which the strings and the log in it outlive. [-0, +0, v] */
chief_options chief__lua_chief_options(lua_State *L);

/* The chief of the userdata there, which does not free it any more. [-0, +0, v] */
chief *chief__lua_lend_chief(lua_State *L, int idx);

#pragma GCC visibility pop
#endif
