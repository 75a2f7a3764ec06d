/*
 * base: what Lua's base library has, found out once in a state of its own, so that no other state has to open it: each takes from
 * here the names that it is asked for. Any thread; knows nothing of workers.
 */
#ifndef CHIEF_LUA_BASE_H
#define CHIEF_LUA_BASE_H

#include <lua.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* So many names at most. */
#define CHIEF__LUA_BASE_MOST 40

/* Before all else. False without memory, or where the library is not as Lua 5.4 has it: then it has to be opened as it is. */
bool chief__lua_base_open(void);

/* How many names there are, and the name of each, from 0 on. */
int chief__lua_base_count(void);
const char *chief__lua_base_name(int n);

/* Pushes what it stands for in this state. [-0, +1, m] */
void chief__lua_base_push(lua_State *L, int n);

/* The function of that name, or NULL. */
lua_CFunction chief__lua_base_function(const char *name);

#pragma GCC visibility pop
#endif
