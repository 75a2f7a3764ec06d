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

/* A value as it is sent. */
typedef struct chief__lua_item {
    chief_bytes bytes; /* in the room, in the scratch buffer, or those of a large string itself */
    size_t head;       /* not 0: these are a string's, and so many bytes of the room come before them */
    char room[CHIEF__LUA_ROOM];
} chief__lua_item;

/* The bytes before those of a string. */
#define CHIEF__LUA_HEAD 5

/*
 * chief__lua_encode of an argument; what fits goes into the item's room instead, which costs less, and a large string is not
 * copied, if the caller can send it so. [-0, +0, v]
 */
void chief__lua_encode_item(lua_State *L, int arg, chief__lua_item *item, bool in_parts);

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
