/*
 * buffer: bytes that grow, owned by a Lua state and allocated by its allocator, so that a raise leaks nothing and a
 * memory limit sees them.
 */
#ifndef CHIEF_LUA_BUFFER_H
#define CHIEF_LUA_BUFFER_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

typedef struct chief__lua_buffer {
    char *data;
    size_t len;
    size_t cap;
} chief__lua_buffer;

/* Zeroed is empty. Gives its memory back. [-0, +0, -] */
void chief__lua_buffer_free(lua_State *L, chief__lua_buffer *b);

/* The state's own buffer, emptied; what an earlier caller put there is gone. [-0, +0, m] */
chief__lua_buffer *chief__lua_buffer_scratch(lua_State *L);

/* Room for n more bytes, which count as written; the pointer is good until the next call. [-0, +0, m] */
char *chief__lua_buffer_extend(lua_State *L, chief__lua_buffer *b, size_t n);

/* Whether it has room for n more bytes as it is. */
static inline bool chief__lua_buffer_has_room(const chief__lua_buffer *b, size_t n) { return n <= b->cap - b->len; }

#pragma GCC visibility pop
#endif
