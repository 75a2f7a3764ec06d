/*
 * add: workers and groups described by Lua values, given to a chief.
 */
#ifndef CHIEF_LUA_ADD_H
#define CHIEF_LUA_ADD_H

#include <chief.h>
#include <lua.h>

#pragma GCC visibility push(hidden)

/* …, name at 2, spec at 3 → true, or nil, message, code. */
int chief__lua_add_worker(lua_State *L, chief *c);

/* enum chief_group_policy from its word. [-0, +0, v] */
int32_t chief__lua_check_group_policy(lua_State *L, int arg);

/* The options in the table at `spec`, and what they point to; pushes what they borrow. [-0, +5, v] */
void chief__lua_worker_options(lua_State *L, int spec, chief_worker_options *out, chief_restart *restart);

#pragma GCC visibility pop
#endif
