/*
 * state: worker states in Lua, where a state is its name; and what a refused transition looks like.
 */
#ifndef CHIEF_LUA_STATE_H
#define CHIEF_LUA_STATE_H

#include <chief.h>
#include <lua.h>

#pragma GCC visibility push(hidden)

/* Pushes the name. [-0, +1, m] */
void chief__lua_push_state(lua_State *L, chief_state_t state);

/* A name or a number that is a state. [-0, +0, v] */
chief_state_t chief__lua_check_state(lua_State *L, int arg);

/* What a verb of a pool answered: the name, or nil, message, code. [-0, +(1|3), m] */
int chief__lua_state_result(lua_State *L, chief_state_t result);

/* Pushes the table core.state. [-0, +1, m] */
void chief__lua_push_states(lua_State *L);

#pragma GCC visibility pop
#endif
