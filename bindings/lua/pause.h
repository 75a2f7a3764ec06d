/*
 * pause: has a worker's Lua code do something between two instructions, in whichever of its coroutines: what neither a signal
 * handler nor an allocator may do. It is then looked at (look.h) and its memory limit is kept (limit.h).
 */
#ifndef CHIEF_LUA_PAUSE_H
#define CHIEF_LUA_PAUSE_H

#include "life.h"

#pragma GCC visibility push(hidden)

/* On the worker's thread, in a handler and in the allocator as well: the next instruction is paused at. Hooks of the
 * worker's own come back after it. Nothing for one that is interrupted. */
void chief__lua_pause(chief__lua_life *life);

#pragma GCC visibility pop
#endif
