/*
 * sim: the simulation in Lua, one method for each function.
 */
#ifndef CHIEF_LUA_SIM_H
#define CHIEF_LUA_SIM_H

#include <lua.h>

#pragma GCC visibility push(hidden)

/* In Lua: simulation(options). */
int chief__lua_simulation(lua_State *L);

#pragma GCC visibility pop
#endif
