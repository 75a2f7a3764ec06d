/*
 * trace: the traceback of a coroutine and of those that resumed it, as far as corun knows them.
 */
#ifndef CHIEF_LUA_TRACE_H
#define CHIEF_LUA_TRACE_H

#include <lua.h>

#pragma GCC visibility push(hidden)

/* Pushes it for L, from `level` on. [-0, +1, m] */
void chief__lua_push_trace(lua_State *L, int level);

/* The same as a string of malloc's, from within a hook; NULL without memory. [-0, +0, -] */
char *chief__lua_trace(lua_State *L);

/* The same behind a first line that says where L is: «in Lua, at x.lua:7». */
char *chief__lua_where(lua_State *L);

#pragma GCC visibility pop
#endif
