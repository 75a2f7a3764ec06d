#include "buffer.h"

#include <lauxlib.h>
#include <stdint.h>

#include "local.h"

#define KEEP ((size_t)1 << 20) /* bytes that stay for the next use, however little that needs */
#define FIRST 256

static void resize(lua_State *L, chief__lua_buffer *b, size_t cap) {
    void *ud;
    lua_Alloc alloc = lua_getallocf(L, &ud);
    char *data = alloc(ud, b->data, b->cap, cap);
    if (data == NULL && cap > 0) luaL_error(L, "not enough memory");
    b->data = data;
    b->cap = cap;
}

void chief__lua_buffer_free(lua_State *L, chief__lua_buffer *b) {
    if (b->data != NULL) resize(L, b, 0);
    *b = (chief__lua_buffer){0};
}

chief__lua_buffer *chief__lua_buffer_scratch(lua_State *L) {
    chief__lua_buffer *b = &chief__lua_local_of(L)->scratch;
    if (b->cap > KEEP && b->len < b->cap / 4) resize(L, b, 0);
    b->len = 0;
    return b;
}

char *chief__lua_buffer_extend(lua_State *L, chief__lua_buffer *b, size_t n) {
    if (n > SIZE_MAX / 2 - b->len) luaL_error(L, "not enough memory");
    if (b->len + n > b->cap) {
        size_t cap = b->cap < FIRST ? FIRST : b->cap;
        while (cap < b->len + n) cap *= 2;
        resize(L, b, cap);
    }
    char *room = b->data + b->len;
    b->len += n;
    return room;
}
