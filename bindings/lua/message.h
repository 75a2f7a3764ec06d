/*
 * message: a received message in Lua, as its value and an info with sender, kind, channel and deliveries, by which
 * a call is answered.
 */
#ifndef CHIEF_LUA_MESSAGE_H
#define CHIEF_LUA_MESSAGE_H

#include <chief.h>
#include <lua.h>

#pragma GCC visibility push(hidden)

/*
 * Where a receive puts its message: `own`, the place that the receiving object has for one, when that is free,
 * else (in a finalizer that interrupts another receive, or after one that ran out of memory) that of an object
 * made for it, which is pushed then. [-0, +(0|1), m]
 */
chief_msg **chief__lua_inlet(lua_State *L, chief_msg **own);

/* Takes the message out of the inlet and pushes its value and info; or the failure of malformed bytes. [-0,
 * +(2|3), m] */
int chief__lua_push_message(lua_State *L, chief_msg **inlet);

/* The same without the info. [-0, +(1|3), m] */
int chief__lua_push_payload(lua_State *L, chief_msg **inlet);

/* What a receive answered, as chief__lua_push_message or as its failure. [-0, +(2|3), m] */
int chief__lua_received(lua_State *L, int rc, chief_msg **inlet);

/* Drops the message, if there is one. [-0, +0, -] */
void chief__lua_drop(chief_msg **inlet);

/* A place for up to `max` messages that are dropped with it. [-0, +1, m] */
chief_msg **chief__lua_new_batch(lua_State *L, size_t max);

/* Pushes the list of the values, that of the infos, and, if some were malformed, how many; all of them malformed
 * is a failure. [-0, +(2|3), m] */
int chief__lua_push_batch(lua_State *L, chief_msg **msgs, size_t n);

#pragma GCC visibility pop
#endif
