/*
 * corun: coroutine.resume, wrap and close and pcall and xpcall for a worker's state. They are Lua's own, but that none of
 * them keeps an interrupt from going on, nor, in a fiber, the wait of a coroutine (suspend.h). And what becomes of the
 * coroutines of a state that is interrupted.
 */
#ifndef CHIEF_LUA_CORUN_H
#define CHIEF_LUA_CORUN_H

#include <lua.h>

#pragma GCC visibility push(hidden)

/* What Lua says to a yield of the main coroutine. */
#define CHIEF__LUA_YIELD_OUTSIDE "attempt to yield from outside a coroutine"

/* Replaces them in the globals, and in the table coroutine, which is on top of the stack. [-0, +0, m] */
void chief__lua_corun_globals(lua_State *L);
void chief__lua_corun_adjust(lua_State *L);

/* What the globals have by that name instead of Lua's own; NULL for the other names. */
lua_CFunction chief__lua_corun_global(const char *name);

/* A C function: has the coroutine that is its argument closed by close_all. */
int chief__lua_corun_keep(lua_State *L);

/* The same for all coroutines that wait now, unless the heap is too large to collect it for that. [-0, +0, -] */
void chief__lua_corun_keep_all(lua_State *L);

/* Closes those that were kept. [-0, +0, -] */
void chief__lua_corun_close_all(lua_State *L);

#pragma GCC visibility pop
#endif
