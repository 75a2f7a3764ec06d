#include "buffer.h"

#include <lauxlib.h>
#include <stdint.h>

#define KEEP ((size_t)1 << 20) /* bytes that stay for the next use, however little that needs */
#define FIRST 256

static const char scratch_key;

static int release(lua_State *L) {
    chief__lua_buffer *b = lua_touserdata(L, 1);
    void *ud;
    lua_Alloc alloc = lua_getallocf(L, &ud);
    if (b->data != NULL) alloc(ud, b->data, b->cap, 0);
    *b = (chief__lua_buffer){0};
    return 0;
}

/* [-0, +1, m] */
static chief__lua_buffer *new_buffer(lua_State *L) {
    chief__lua_buffer *b = lua_newuserdatauv(L, sizeof *b, 0);
    *b = (chief__lua_buffer){0};
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, release);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return b;
}

static void resize(lua_State *L, chief__lua_buffer *b, size_t cap) {
    void *ud;
    lua_Alloc alloc = lua_getallocf(L, &ud);
    char *data = alloc(ud, b->data, b->cap, cap);
    if (data == NULL && cap > 0) luaL_error(L, "not enough memory");
    b->data = data;
    b->cap = cap;
}

chief__lua_buffer *chief__lua_buffer_scratch(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &scratch_key);
    chief__lua_buffer *b = lua_touserdata(L, -1);
    if (b == NULL) {
        lua_pop(L, 1);
        b = new_buffer(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &scratch_key);
    }
    lua_pop(L, 1);
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
