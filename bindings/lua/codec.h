/*
 * codec: Lua values as MessagePack and back. What travels between workers is this. Integers and floats stay apart,
 * a string is `str` when it is valid UTF-8 of at most 64 KiB and else `bin`, keys of exactly 1..n make an array,
 * metatables are ignored. Knows nothing of channels.
 */
#ifndef CHIEF_LUA_CODEC_H
#define CHIEF_LUA_CODEC_H

#include <chief.h>
#include <lua.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* How deep tables may be nested. */
#define CHIEF__LUA_DEPTH 100

/*
 * The value at `idx` as bytes in the state's scratch buffer, good until the state encodes again. What cannot be
 * sent is raised, with its path. [-0, +0, v]
 */
chief_bytes chief__lua_encode(lua_State *L, int idx);

/*
 * The same for each item of the list at `idx`; pushes the userdata that holds the array of the n results. [-0, +1,
 * v]
 */
const chief_bytes *chief__lua_encode_list(lua_State *L, int idx, size_t *n);

/* Room for what is encoded most: a number, or a string that a small message has room for. */
#define CHIEF__LUA_ROOM 128

/* chief__lua_encode of an argument; what fits goes into the caller's room instead, which costs less. [-0, +0, v] */
chief_bytes chief__lua_encode_small(lua_State *L, int arg, char room[CHIEF__LUA_ROOM]);

/*
 * Pushes the value of the bytes; CHIEF_EDATA, with the text in chief_last_error and nothing pushed, for what is
 * not one whole value. [-0, +(0|1), m]
 */
int chief__lua_decode(lua_State *L, chief_bytes bytes);

/* Pushes the metatable that marks a table as a map, also when it is empty. [-0, +1, m] */
void chief__lua_push_map_mark(lua_State *L);

/* Whether the table at idx has that mark. [-0, +0, m] */
bool chief__lua_is_map(lua_State *L, int idx);

/* In Lua: pack(value), unpack(bytes), map{}. */
int chief__lua_pack(lua_State *L);
int chief__lua_unpack(lua_State *L);
int chief__lua_map(lua_State *L);

#pragma GCC visibility pop
#endif
