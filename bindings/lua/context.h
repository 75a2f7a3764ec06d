/*
 * context: contexts in Lua.
 */
#ifndef CHIEF_LUA_CONTEXT_H
#define CHIEF_LUA_CONTEXT_H

#include <chief.h>
#include <lua.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* Pushes an object with a reference of its own. [-0, +1, m] */
void chief__lua_push_context(lua_State *L, chief_context *context);

/* The context of the object at arg, borrowed; NULL for none or nil. [-0, +0, v] */
chief_context *chief__lua_opt_context(lua_State *L, int arg);

/* The answers that a context and a worker's ctx share. [-0, +n, m] */
int chief__lua_context_done(lua_State *L, chief_context *context);
int chief__lua_context_err(lua_State *L, chief_context *context);
int chief__lua_context_reason(lua_State *L, chief_context *context);
int chief__lua_context_fd(lua_State *L, chief_context *context);

/* A descriptor, or the failure that a negative one is. [-0, +(1|3), m] */
int chief__lua_descriptor(lua_State *L, int fd);

/* In Lua: context([parent] [, timeout]). */
int chief__lua_context(lua_State *L);

#pragma GCC visibility pop
#endif
