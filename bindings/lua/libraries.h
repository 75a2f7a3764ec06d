/*
 * libraries: Lua's own libraries in a worker's state. The tables are there from the start, in the globals and in package.loaded,
 * and fill themselves at first use, which saves half of a state's memory and time. Only `next` and `rawget` of a table that was
 * never used see the difference; C code, which may do both, finds them full.
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

#pragma GCC visibility pop
#endif
