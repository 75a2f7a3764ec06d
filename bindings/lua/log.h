/*
 * log: loggers in Lua. Records go to the built-in sink only: a sink is called from any thread, and a Lua state is
 * not.
 */
#ifndef CHIEF_LUA_LOG_H
#define CHIEF_LUA_LOG_H

#include <chief.h>
#include <lua.h>

#pragma GCC visibility push(hidden)

/* Pushes an object with a reference of its own. [-0, +1, m] */
void chief__lua_push_log(lua_State *L, chief_log *log);

/* The logger of the object at idx, borrowed; NULL when it is none. [-0, +0, m] */
chief_log *chief__lua_test_log(lua_State *L, int idx);

/* "debug" to "off". [-0, +0, v] */
int32_t chief__lua_check_level(lua_State *L, int arg);

/* Pushes the word of a level. [-0, +1, m] */
void chief__lua_push_level(lua_State *L, int32_t level);

/* In Lua: log{ level = "info", format = "text" }. */
int chief__lua_log(lua_State *L);

#pragma GCC visibility pop
#endif
