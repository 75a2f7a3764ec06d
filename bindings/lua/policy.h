/*
 * policy: what follows the end of a worker, decided by a Lua function: on_exit(reason, history). Each question gets a state
 * of its own, with little time and memory, on the chief's thread for policies.
 */
#ifndef CHIEF_LUA_POLICY_H
#define CHIEF_LUA_POLICY_H

#include <chief.h>
#include <lua.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* Whether the spec at `t` has on_exit; then `*out` is a policy whose data is the caller's until a worker has it
 * (out->destroy). Raises without memory for it. [-0, +0, v] */
bool chief__lua_read_policy(lua_State *L, int t, chief_policy *out);

#pragma GCC visibility pop
#endif
