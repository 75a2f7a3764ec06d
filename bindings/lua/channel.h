/*
 * channel: channels in Lua. A handle from a worker's ctx receives and sends as that worker; one of the host as
 * nobody.
 */
#ifndef CHIEF_LUA_CHANNEL_H
#define CHIEF_LUA_CHANNEL_H

#include <chief.h>
#include <lua.h>

#include "ctx.h"
#include "suspend.h"

#pragma GCC visibility push(hidden)

/* Pushes a handle with a reference of its own; `ctx` is the stack index of the ctx it is bound to, 0: the host's.
 * [-0, +1, m] */
void chief__lua_push_channel(lua_State *L, chief_channel *channel, int ctx);

/* Pushes a host's handle that is still empty; the caller fills it. [-0, +1, m] */
chief_channel **chief__lua_new_channel(lua_State *L);

/* The channel of the handle at idx, borrowed; NULL when it is none. [-0, +0, v] */
chief_channel *chief__lua_test_channel(lua_State *L, int idx);

/* The options of a channel in the table at t. [-0, +0, v] */
chief_channel_options chief__lua_channel_options(lua_State *L, int t);

/* The end of a send_many: how many went, or nil, message, code and how many. [-0, +(1|4), m] */
int chief__lua_sent_many(lua_State *L, chief__lua_op *op, int rc);

/* The end of one step of an iterator: value and info, nothing at the end, else it raises. [-0, +n, v] */
int chief__lua_iterated(lua_State *L, int rc, chief_msg **inlet);

/* In Lua: channel(name [, options]). */
int chief__lua_channel(lua_State *L);

#pragma GCC visibility pop
#endif
