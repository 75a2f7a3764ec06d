/*
 * module: the Lua module chief.core.
 */
#ifndef CHIEF_LUA_MODULE_H
#define CHIEF_LUA_MODULE_H

#include <lua.h>

/* The only symbol that the rock's library exports. */
__attribute__((visibility("default"))) int luaopen_chief_core(lua_State *L);

#pragma GCC visibility push(hidden)

#define CHIEF__LUA_CORE "chief.core"

/* Makes `require "chief.core"` give this code's module, wherever else one may lie. [-0, +0, m] */
void chief__lua_preload(lua_State *L);

#pragma GCC visibility pop
#endif
