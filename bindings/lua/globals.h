/*
 * globals: the globals of a worker's state, each of which is there when it is asked for by its name, and not before: a worker uses
 * a few of the 35 names. All of them come at once when somebody could see that some are missing: who asks for next, rawget,
 * rawset, package or debug, walks over the globals or wants to know their metatable, loads C code, or misses many names.
 */
#ifndef CHIEF_LUA_GLOBALS_H
#define CHIEF_LUA_GLOBALS_H

#include <lua.h>

#pragma GCC visibility push(hidden)

/* In a fresh state, whose globals are empty; the base library is known (base.h). [-0, +0, m] */
void chief__lua_globals_open(lua_State *L);

/* Sees to it that the name's value is there, if it was never there yet. [-0, +0, m] */
void chief__lua_globals_give(lua_State *L, const char *name);

/* That all are; afterwards the globals are an ordinary table. In other states: nothing. [-0, +0, m] */
void chief__lua_globals_settle(lua_State *L);

/* The same when the table at idx is the globals. [-0, +0, m] */
void chief__lua_globals_settle_at(lua_State *L, int idx);

#pragma GCC visibility pop
#endif
