/*
 * rule: the worker-exists rule in Lua.
 */
#ifndef CHIEF_LUA_RULE_H
#define CHIEF_LUA_RULE_H

#include <lua.h>

#pragma GCC visibility push(hidden)

/* In Lua: rule(names [, message]). */
int chief__lua_rule(lua_State *L);

#pragma GCC visibility pop
#endif
