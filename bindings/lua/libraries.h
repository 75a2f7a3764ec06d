/*
 * libraries: Lua's own libraries in a worker's state. The names of their tables come when they are asked for (globals.h), and the
 * tables fill themselves at first use, which saves more than half of a state's memory and of the time to make it. Only `next` and
 * `rawget` of a table that was never used see the difference; C code, which may do both, finds them full.
 */
#ifndef CHIEF_LUA_LIBRARIES_H
#define CHIEF_LUA_LIBRARIES_H

#include <lua.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* Changes a library's table, on top of the stack, before anybody sees it. [-0, +0, m] */
typedef void (*chief__lua_adjust)(lua_State *L);

/* Opens all of them, in the globals as well; eagerly: full from the start. What is not ours alone is taken out: os.exit ends
 * the worker, os.setlocale raises. [-0, +0, v] */
void chief__lua_open_libraries(lua_State *L, bool eager);

/* The names that are not the base library's, and the name of each, from 0 on. */
int chief__lua_library_count(void);
const char *chief__lua_library_name(int n);

/* Pushes what such a name stands for in the globals; a library is in package.loaded from then on. [-0, +1, m] */
void chief__lua_library_push(lua_State *L, int n);

/* The same for a name of the base library (base.h), as a worker is to have it. [-0, +1, m] */
void chief__lua_library_push_base(lua_State *L, int n);

/* Fills the library string, and gives strings its metatable. [-0, +0, m] */
void chief__lua_library_fill_strings(lua_State *L);

#pragma GCC visibility pop
#endif
