/*
 * buffer: bytes that grow, owned by a Lua state and allocated by its allocator, so that a raise leaks nothing and a
 * memory limit sees them.
 */
#ifndef CHIEF_LUA_BUFFER_H
#define CHIEF_LUA_BUFFER_H

#include <lua.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

typedef struct chief__lua_buffer {
    char *data;
    size_t len;
    size_t cap;
} chief__lua_buffer;

/* The state's own buffer, emptied; what an earlier caller put there is gone. [-0, +0, m] */
chief__lua_buffer *chief__lua_buffer_scratch(lua_State *L);

/* Room for n more bytes, which count as written; the pointer is good until the next call. [-0, +0, m] */
char *chief__lua_buffer_extend(lua_State *L, chief__lua_buffer *b, size_t n);

#pragma GCC visibility pop
#endif
