/*
 * instance: what a worker's init returns and its run gets as self.
 */
#ifndef CHIEF_LUA_INSTANCE_H
#define CHIEF_LUA_INSTANCE_H

#include <lua.h>

#pragma GCC visibility push(hidden)

/*
 * Turns what init returned (on top; nil and true: nothing) into the instance: a fresh table for nothing, and a
 * table without a metatable gets the methods of the module at stack index `module`. Raises for what cannot be one.
 * [-1, +1, v]
 */
void chief__lua_settle_instance(lua_State *L, int module);

#pragma GCC visibility pop
#endif
