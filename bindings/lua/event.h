/*
 * event: what happened to a chief, in Lua.
 */
#ifndef CHIEF_LUA_EVENT_H
#define CHIEF_LUA_EVENT_H

#include <chief.h>
#include <lua.h>

#pragma GCC visibility push(hidden)

/* chief, max [, timeout] → a list of tables, or nil, message, code. */
int chief__lua_take_events(lua_State *L, chief *c);

/* chief [, timeout] → true when events wait, the stop begins, or the time is over. */
int chief__lua_wait_events(lua_State *L, chief *c);

/* → a list of some of those that a simulation has to tell; an empty one when there are none. */
int chief__lua_take_sim_events(lua_State *L, chief_sim *sim);

#pragma GCC visibility pop
#endif
