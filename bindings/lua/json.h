/*
 * json: JSON for the command line's --json and for what people write. null is core.null, as nil has no place in a
 * table.
 */
#ifndef CHIEF_LUA_JSON_H
#define CHIEF_LUA_JSON_H

#include <lua.h>

#pragma GCC visibility push(hidden)

/* In Lua: json_encode(value), json_decode(text). */
int chief__lua_json_encode(lua_State *L);
int chief__lua_json_decode(lua_State *L);

#pragma GCC visibility pop
#endif
