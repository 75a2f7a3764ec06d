/*
 * pool: the pool without a chief, whose workers are Lua functions that run in the caller's own state; and a
 * chief's pool to look at.
 */
#ifndef CHIEF_LUA_POOL_H
#define CHIEF_LUA_POOL_H

#include <chief.h>
#include <lua.h>

#pragma GCC visibility push(hidden)

/* Pushes a view of the pool of the chief in the object at stack index `owner`; it is good while that is open.
 * [-0, +1, m] */
void chief__lua_push_pool_view(lua_State *L, chief *const *c, int owner);

/* In Lua: pool(). */
int chief__lua_pool(lua_State *L);

#pragma GCC visibility pop
#endif
