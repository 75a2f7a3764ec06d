/*
 * luv: what luv does when a callback of a worker's raises. Its own runner of callbacks ends the process; ours makes the error
 * the worker's failure, stops luv's loop and ends that worker.
 *
 * It is set by luv_set_callback, found in the library that luv's functions come from; a luv that was built into a program
 * without that symbol is used with a warning. Threads that luv makes (uv.new_thread) have states of luv's own making and its
 * own runner: an error there ends the process still.
 */
#ifndef CHIEF_LUA_LUV_H
#define CHIEF_LUA_LUV_H

#include <lua.h>

#pragma GCC visibility push(hidden)

#define CHIEF__LUA_LUV "luv"

/* From now on `require "luv"` sets the runner. The function `require` is on top. [-1, +0, m] */
void chief__lua_luv_open(lua_State *L);

#pragma GCC visibility pop
#endif
