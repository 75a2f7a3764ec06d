/*
 * nest: an application of an app file as a worker of a chief. Each of its lives reads the file anew, in a Lua state of
 * its own, which lives as long as the inner chief: its shutdown hooks are functions in there.
 */
#ifndef CHIEF_LUA_NEST_H
#define CHIEF_LUA_NEST_H

#include <chief.h>
#include <lua.h>

#pragma GCC visibility push(hidden)

/* …, name at 2, spec at 3 → true, or nil, message, code. */
int chief__lua_add_chief(lua_State *L, chief *c);

#pragma GCC visibility pop
#endif
