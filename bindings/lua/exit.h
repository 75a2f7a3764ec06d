/*
 * exit: what os.exit and os.setlocale are in a worker's state, where they would reach beyond the worker.
 */
#ifndef CHIEF_LUA_EXIT_H
#define CHIEF_LUA_EXIT_H

#include <chief.h>
#include <lua.h>

#pragma GCC visibility push(hidden)

/* Replaces both in the table os, which is on top of the stack. [-0, +0, m] */
void chief__lua_exit_adjust(lua_State *L);

/* Whose exit code it is that os.exit gives; NULL where a module is only looked at. [-0, +0, m] */
void chief__lua_exit_of(lua_State *L, chief_worker *worker);

#pragma GCC visibility pop
#endif
