/*
 * pipes: io.popen for a worker's state. Closing what it gave waits for the program at the other end; an interrupted worker
 * leaves that to a thread of its own.
 */
#ifndef CHIEF_LUA_PIPES_H
#define CHIEF_LUA_PIPES_H

#include <lua.h>

#pragma GCC visibility push(hidden)

/* Replaces popen in the table io, which is on top of the stack. [-0, +0, m] */
void chief__lua_pipes_adjust(lua_State *L);

#pragma GCC visibility pop
#endif
