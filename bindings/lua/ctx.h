/*
 * ctx: what a worker's module is given: itself, as seen from inside.
 */
#ifndef CHIEF_LUA_CTX_H
#define CHIEF_LUA_CTX_H

#include <chief.h>
#include <lua.h>

#pragma GCC visibility push(hidden)

/* Handles made from a ctx are bound to it and keep it alive; without its worker, all of them raise. */
typedef struct chief__lua_ctx {
    chief_worker *worker; /* NULL once it has ended */
    chief_msg *msg;       /* the inlet of recv, call and select */
    unsigned looks;       /* kind.h */
} chief__lua_ctx;

/* [-0, +1, m] */
chief__lua_ctx *chief__lua_push_ctx(lua_State *L, chief_worker *worker);

/* The ctx at idx, or NULL. [-0, +0, m] */
chief__lua_ctx *chief__lua_test_ctx(lua_State *L, int idx);

/* Its worker; raises when that has ended. [-0, +0, v] */
chief_worker *chief__lua_ctx_worker(lua_State *L, const chief__lua_ctx *ctx);

#pragma GCC visibility pop
#endif
