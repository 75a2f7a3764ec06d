/*
 * snapshot: what a pool or chief knew at one moment, in Lua.
 */
#ifndef CHIEF_LUA_SNAPSHOT_H
#define CHIEF_LUA_SNAPSHOT_H

#include <chief.h>
#include <lua.h>

#pragma GCC visibility push(hidden)

/* Pushes an empty place for a snapshot, which is freed with it. [-0, +1, m] */
chief_snapshot **chief__lua_new_snapshot(lua_State *L);

/* Frees it before the collector comes to it. */
void chief__lua_drop_snapshot(chief_snapshot **snapshot);

/* Pushes { name = state }. [-0, +1, m] */
void chief__lua_push_state_map(lua_State *L, const chief_snapshot *snapshot);

/* Pushes the list of statuses in registration order, and the number of the last event. [-0, +2, m] */
int chief__lua_push_statuses(lua_State *L, const chief_snapshot *snapshot);

/* Pushes its JSON. [-0, +1, m] */
int chief__lua_push_snapshot_json(lua_State *L, const chief_snapshot *snapshot);

#pragma GCC visibility pop
#endif
