#include "local.h"

#include <lauxlib.h>

#include "life.h"

static const char key;

static int release(lua_State *L) {
    chief__lua_local *local = lua_touserdata(L, 1);
    chief__lua_buffer_free(L, &local->scratch);
    return 0;
}

/* [-0, +1, m] */
static chief__lua_local *new_local(lua_State *L) {
    chief__lua_local *local = lua_newuserdatauv(L, sizeof *local, 0);
    *local = (chief__lua_local){0};
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, release);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return local;
}

static chief__lua_local *find_or_make(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key);
    chief__lua_local *local = lua_touserdata(L, -1);
    if (local == NULL) {
        lua_pop(L, 1);
        local = new_local(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
    }
    lua_pop(L, 1);
    return local;
}

/* A worker's state is asked for it with every message, so its life knows where it is. It lives as long as the state: the
 * registry's keys of this library are nobody's else, and a finalizer that runs after its own finds it empty and whole. */
chief__lua_local *chief__lua_local_of(lua_State *L) {
    chief__lua_life *life = chief__lua_life_of(L);
    if (life == NULL) return find_or_make(L);
    if (life->local == NULL) life->local = find_or_make(L);
    return life->local;
}
