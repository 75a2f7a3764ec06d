/*
 * value: the small values of contexts and log fields, between Lua and the core.
 */
#ifndef CHIEF_LUA_VALUE_H
#define CHIEF_LUA_VALUE_H

#include <chief.h>
#include <lua.h>

#pragma GCC visibility push(hidden)

/* The value at idx, its bytes borrowed from there; CHIEF_EINVAL for what has no such form. [-0, +0, -] */
int chief__lua_to_value(lua_State *L, int idx, chief_value *out);

/* [-0, +1, m] */
void chief__lua_push_value(lua_State *L, const chief_value *value);

/* The value of a context under a name as a Lua value: the logger as a log, another pointer as light userdata; nil
 * where there is none. [-0, +1, m] */
void chief__lua_push_context_value(lua_State *L, chief_context *context, const char *key);

/* Key and value at these arguments as a value of a context; a log goes with a reference of its own. [-0, +0, v] */
chief_value chief__lua_check_context_value(lua_State *L, int arg);

#pragma GCC visibility pop
#endif
