/*
 * look: where a worker is, without disturbing it.
 */
#ifndef CHIEF_LUA_LOOK_H
#define CHIEF_LUA_LOOK_H

#include "life.h"

#pragma GCC visibility push(hidden)

/*
 * Writes where the worker is and its traceback into `buf` (terminated, cut) and returns the full length: «in Lua, at
 * x.lua:7», «in ctx:recv, called from x.lua:7», «in C (find), called from x.lua:7», then a traceback. Waits up to `timeout_ms`
 * for the worker to come to a Lua instruction; with 0 it says what is known, which is more while it is being interrupted.
 */
size_t chief__lua_look_at(const chief_worker *worker, char *buf, size_t size, int64_t timeout_ms);

/* What the signal does. */
void chief__lua_on_look(void);

/* Between two instructions: tells who looks where that is. [-0, +0, -] */
void chief__lua_look_here(lua_State *L, chief__lua_life *life);

#pragma GCC visibility pop
#endif
