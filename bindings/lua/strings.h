/*
 * strings: the metatable of strings in a state whose library `string` was not used yet: it has everything that the library's own
 * has, and each of it brings that first. To be told from the library's own, so that nobody gets hold of it.
 */
#ifndef CHIEF_LUA_STRINGS_H
#define CHIEF_LUA_STRINGS_H

#include <lua.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* In a fresh state. [-0, +0, m] */
void chief__lua_strings_open(lua_State *L);

/* Whether the metatable on top is this one. [-0, +0, -] */
bool chief__lua_strings_stand_in(lua_State *L);

#pragma GCC visibility pop
#endif
