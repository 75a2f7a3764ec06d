/*
 * child: the process of a worker: what the program that was started for it does.
 */
#ifndef CHIEF_LUA_CHILD_H
#define CHIEF_LUA_CHILD_H

#include <lua.h>

#pragma GCC visibility push(hidden)

/* Lives the worker that this process was started for. Returns how the process is to exit: 0 a clean end, 1 the worker
 * failed and the chief knows why, 64 not started by a chief, 75 the chief has gone. */
int chief__lua_live(void);

/* The same for Lua. → exit code */
int chief__lua_child(lua_State *L);

#pragma GCC visibility pop
#endif
