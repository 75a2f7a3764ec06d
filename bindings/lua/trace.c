#include "trace.h"

#include <lauxlib.h>
#include <string.h>

#include "memory.h"

/* The coroutine that resumed this one, as far as we know; the main one at last; NULL for that. */
static lua_State *resumer_of(lua_State *L, lua_State *co) {
    chief__lua_life *life = chief__lua_life_of(L);
    if (co == life->L) return NULL;
    lua_State *resumer = chief__lua_mark_of(co)->resumer;
    return resumer != NULL ? resumer : life->L;
}

void chief__lua_push_trace(lua_State *L, int level) {
    luaL_traceback(L, L, NULL, level);
    for (lua_State *at = resumer_of(L, L); at != NULL; at = resumer_of(L, at)) {
        lua_pushliteral(L, "\n");
        luaL_traceback(L, at, "resumed by", 0);
        lua_concat(L, 3);
    }
}

static int trace_protected(lua_State *L) {
    chief__lua_push_trace(L, 1);
    return 1;
}

static int where_protected(lua_State *L) {
    luaL_where(L, 1); /* "x.lua:7: " or "" */
    size_t len = lua_rawlen(L, -1);
    lua_pushliteral(L, "in Lua");
    if (len > 2) {
        lua_pushliteral(L, ", at ");
        lua_pushlstring(L, lua_tostring(L, 1), len - 2);
        lua_concat(L, 3);
    }
    lua_pushliteral(L, "\n");
    chief__lua_push_trace(L, 1);
    lua_concat(L, 3);
    return 1;
}

/* The caller's function is level 1 of the one that is called here. */
static char *copy_of(lua_State *L, lua_CFunction make) {
    char *text = NULL;
    lua_pushcfunction(L, make);
    if (lua_pcall(L, 0, 1, 0) == LUA_OK) text = strdup(lua_tostring(L, -1));
    lua_pop(L, 1);
    return text;
}

char *chief__lua_trace(lua_State *L) { return copy_of(L, trace_protected); }

char *chief__lua_where(lua_State *L) { return copy_of(L, where_protected); }
