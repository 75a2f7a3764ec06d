/*
 * add: workers described by a Lua table, given to a chief.
 */
#ifndef CHIEF_LUA_ADD_H
#define CHIEF_LUA_ADD_H

#include <chief.h>
#include <lua.h>

#pragma GCC visibility push(hidden)

/* …, name at 2, spec at 3 → true, or nil, message, code. */
int chief__lua_add_worker(lua_State *L, chief *c);

#pragma GCC visibility pop
#endif
