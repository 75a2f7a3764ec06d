/*
 * search: how `require` finds Lua files in a worker's state. As Lua's own searcher does, which is asked whenever something is not
 * as it should be, so that it says so; but files come from bytecode, and no file is opened to see whether it is there.
 */
#ifndef CHIEF_LUA_SEARCH_H
#define CHIEF_LUA_SEARCH_H

#include <lua.h>

#pragma GCC visibility push(hidden)

/* Replaces the second of package.searchers. [-0, +0, m] */
void chief__lua_search_open(lua_State *L);

#pragma GCC visibility pop
#endif
