/*
 * corun: the functions of coroutine, pcall and xpcall for a worker's state. They are Lua's own, but that none of them keeps
 * an interrupt from going on, and that who interrupts the state knows its coroutines.
 */
#ifndef CHIEF_LUA_CORUN_H
#define CHIEF_LUA_CORUN_H

#include <lua.h>

#pragma GCC visibility push(hidden)

/* Replaces them in the globals and in the table coroutine. [-0, +0, m] */
void chief__lua_corun_open(lua_State *L);

/* A C function: keeps the coroutine that is its argument until the state is closed. Every other is kept by its users. */
int chief__lua_corun_keep(lua_State *L);

/* Closes all coroutines that wait, also those that C resumed where they were kept. [-0, +0, -] */
void chief__lua_corun_close_all(lua_State *L);

#pragma GCC visibility pop
#endif
