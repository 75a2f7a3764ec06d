#include "search.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "bytecode.h"

/* The upvalues of the searcher. */
enum { PACKAGE = 1, OWN = 2 };

/* Pushes package.path with the module in the place of each question mark, or something else. [-0, +1, m] */
static const char *push_candidates(lua_State *L, const char *module) {
    if (lua_getfield(L, lua_upvalueindex(PACKAGE), "path") != LUA_TSTRING) return NULL;
    const char *path = lua_tostring(L, -1);
    const char *file = luaL_gsub(L, module, ".", LUA_DIRSEP);
    return luaL_gsub(L, path, LUA_PATH_MARK, file);
}

/* Pushes the first of the candidates that is there. [-0, +(0|1), m] */
static bool push_found(lua_State *L, const char *candidates, struct stat *about) {
    for (const char *at = candidates; *at != '\0'; at += *at != '\0') {
        size_t len = strcspn(at, LUA_PATH_SEP);
        lua_pushlstring(L, at, len);
        if (stat(lua_tostring(L, -1), about) == 0) return true;
        lua_pop(L, 1);
        at += len;
    }
    return false;
}

static int search(lua_State *L) {
    struct stat about;
    const char *module = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    const char *candidates = push_candidates(L, module);
    if (candidates != NULL && push_found(L, candidates, &about) && S_ISREG(about.st_mode) &&
        chief__lua_bytecode_load(L, lua_tostring(L, -1), &about)) {
        lua_insert(L, -2);
        return 2;
    }
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(OWN));
    lua_insert(L, 1);
    lua_call(L, 1, LUA_MULTRET);
    return lua_gettop(L);
}

void chief__lua_search_open(lua_State *L) {
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_getfield(L, -1, "searchers");
    lua_pushvalue(L, -2);
    lua_rawgeti(L, -2, 2);
    lua_pushcclosure(L, search, 2);
    lua_rawseti(L, -2, 2);
    lua_pop(L, 2);
}
